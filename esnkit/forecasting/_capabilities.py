"""What a forecaster asks of an estimator: capabilities, never a class.

A regressor whose `predict` takes `initial_state` and `return_state` carries a state; any other one
sees a window of lagged rows. Neither may need rows that lie in the future.
"""

import inspect

import numpy as np
from sklearn.utils import get_tags

from esnkit.utils._validation import has_methods


def check_regressor(estimator):
    """Return the estimator, or raise if it is not a regressor."""
    if isinstance(estimator, type) or not has_methods(estimator, "fit", "predict", "get_params"):
        raise TypeError(f"estimator must be a regressor with fit and predict, got {estimator!r}")
    kind = get_tags(estimator).estimator_type if hasattr(estimator, "__sklearn_tags__") else None
    if kind not in (None, "regressor"):
        raise TypeError(f"estimator must be a regressor, got the {kind} {estimator!r}")
    return estimator


def carries_state(estimator, method: str = "predict") -> bool:
    """Tell whether a method of an estimator takes a state and returns one."""
    function = getattr(type(estimator), method, None)
    if not inspect.isfunction(function):
        return False
    return {"initial_state", "return_state"} <= set(inspect.signature(function).parameters)


def is_causal(estimator) -> bool:
    """Tell whether outputs depend on past inputs only, so that a series can be continued."""
    return getattr(estimator, "causal", True)


def check_lags(lags) -> tuple[int, ...]:
    """Return the lags as a sorted tuple; a number k stands for 1 to k."""
    is_integer = isinstance(lags, int | np.integer) and not isinstance(lags, bool)
    if is_integer and lags >= 1:
        return tuple(range(1, int(lags) + 1))
    if isinstance(lags, tuple | list | range | np.ndarray) and len(lags):
        chosen = sorted({int(lag) for lag in lags if isinstance(lag, int | np.integer)})
        if len(chosen) == len(lags) and chosen[0] >= 1:
            return tuple(chosen)
    raise ValueError(f"lags must be an integer >= 1 or distinct integers >= 1, got {lags!r}")


def check_memory(estimator, lags) -> tuple[int, ...] | None:
    """Return the lags for an estimator without a state, None for one with a state.

    Raises
    ------
    ValueError
        If the estimator and `lags` do not go together, or the estimator cannot continue a series.
    """
    name, stateful = type(estimator).__name__, carries_state(estimator)
    if getattr(estimator, "feedback", False):
        raise ValueError(
            "feedback must be False: a Forecaster passes the past values as inputs, got "
            f"{name}(feedback=True)"
        )
    lags = None if lags is None else check_lags(lags)
    if stateful and lags is not None:
        raise ValueError(f"lags must be None for {name}, whose state holds the past, got {lags!r}")
    inner = _stateful_part(estimator)
    if inner is not None:
        raise ValueError(
            "estimator must carry its state from call to call, not "
            f"{type(inner).__name__} inside a {name}: use ESNRegressor, or "
            "ReservoirRegressor(reservoir, readout); the Forecaster itself scales the series"
        )
    if not stateful and lags is None:
        raise ValueError(f"lags must be given for {name}, which has no state; try lags=12")
    if stateful and not is_causal(estimator):
        raise ValueError(
            f"estimator must be causal to continue a series, got {estimator!r}, whose outputs "
            "depend on future inputs; use bidirectional=False"
        )
    return lags


def _stateful_part(estimator):
    """Return a part with a state that the estimator around it does not carry on, or None."""
    if carries_state(estimator):
        return None
    for part in estimator.get_params(deep=True).values():
        if carries_state(part) or carries_state(part, "transform"):
            return part
    return None
