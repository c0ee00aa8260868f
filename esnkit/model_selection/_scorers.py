"""Scores of free runs: closed-loop forecasts from origins within the validation rows."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils.metadata_routing import UNUSED

from esnkit.metrics import valid_prediction_time
from esnkit.sequences._packing import pack
from esnkit.sequences._short_sequences import short_sequences_expected
from esnkit.utils._validation import check_number, check_positive_int, finite_array

__all__ = ["nrmse_at", "valid_time"]

NEXT_ROW_TOLERANCE = 1e-5  # relative to the largest target: X may be float32, y float64


class Windows(NamedTuple):
    """Which free runs to score."""

    horizon: int
    n_windows: int
    stride: int

    def origins(self, n_rows: int, n_before: int = 1) -> np.ndarray:
        """Return how many of the rows are known at each origin; the last run ends with the rows."""
        origins = n_rows - self.horizon - self.stride * np.arange(self.n_windows)[::-1]
        if origins[0] < n_before:
            raise ValueError(
                f"the rows to score have {n_rows} time steps, too few for n_windows="
                f"{self.n_windows} free runs of horizon={self.horizon} steps with stride="
                f"{self.stride}: the first run needs {n_before} rows before it that drive the model"
            )
        return origins


class FreeRuns(NamedTuple):
    """Free runs (n_runs, horizon, n_outputs), NaN after a divergence, and what was observed."""

    forecasts: np.ndarray
    observed: np.ndarray
    rows: np.ndarray  # (n_rows, n_outputs), all that the score is given


def nrmse_at(
    horizon: int, *, n_windows: int = 1, stride: int | None = None, std: ArrayLike | None = None
) -> "ClosedLoopScorer":
    """Make a scorer of free runs: minus the NRMSE of their last step.

    The error ``horizon`` steps ahead in closed loop: the root mean square over free runs, divided
    by the standard deviation of the series, averaged over outputs. With ``horizon=84`` it is the
    NRMSE84 of the literature on Mackey-Glass series [1]_. Larger is better, as in scikit-learn.

    Parameters
    ----------
    horizon : int
        Number of steps of a free run.
    n_windows : int, default=1
        Number of free runs in the rows to score (in every sequence, if these are several). The last
        one ends where the rows end; the observed rows before each origin drive the model.
    stride : int or None, default=None
        Number of rows from an origin to the next. None stands for `horizon`.
    std : float, array-like of shape (n_outputs,) or None, default=None
        Standard deviation of every output. None takes that of the rows to score.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns a float, minus infinity if a free run diverges. The
        estimator is a regressor with `generate`, fitted to the next row (``fit(series[:-1],
        series[1:])``) or with ``feedback=True``; or a :class:`Forecaster` with an estimator.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    See Also
    --------
    RecycleValidation, WalkForwardValidation : Splits of a series for such scores.
    esnkit.metrics.nrmse : The error of given forecasts.

    References
    ----------
    .. [1] H. Jaeger, "The echo state approach to analysing and training recurrent neural networks",
       GMD report 148, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from esnkit import ESNRegressor
    >>> from esnkit.model_selection import RecycleValidation, nrmse_at
    >>> series = np.sin(np.arange(600) / 5).reshape(-1, 1)
    >>> model = ESNRegressor(n_units=30, washout=50, random_state=0)
    >>> cv = RecycleValidation(3, horizon=50)
    >>> search = GridSearchCV(model, {"alpha": [1e-8, 10.0]}, scoring=nrmse_at(50), cv=cv)
    >>> search.fit(series[:-1], series[1:]).best_params_
    {'alpha': 1e-08}
    """
    return _make_scorer(_minus_nrmse_of_last_step, horizon, n_windows, stride, std)


def valid_time(
    horizon: int,
    *,
    threshold: float = 0.3,
    dt: float = 1.0,
    lyapunov_exponent: float | None = None,
    n_windows: int = 1,
    stride: int | None = None,
    std: ArrayLike | None = None,
) -> "ClosedLoopScorer":
    """Make a scorer of free runs: the mean time for which they stay close to the observed rows.

    It is that of :func:`esnkit.metrics.valid_prediction_time`, with the same parameters, of
    forecasts in closed loop; `horizon` bounds it.

    Parameters
    ----------
    horizon : int
        Number of steps of a free run.
    threshold : float, default=0.3
        Largest error that counts as valid, relative to the standard deviation.
    dt : float, default=1.0
        Time between two rows.
    lyapunov_exponent : float or None, default=None
        Largest Lyapunov exponent per unit of time. When given, the score is in Lyapunov times.
    n_windows : int, default=1
        Number of free runs in the rows to score (in every sequence, if these are several). The last
        one ends where the rows end; the observed rows before each origin drive the model.
    stride : int or None, default=None
        Number of rows from an origin to the next. None stands for `horizon`.
    std : float, array-like of shape (n_outputs,) or None, default=None
        Standard deviation of every output. None takes that of the rows to score.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns a float, for the estimators of :func:`nrmse_at`. A
        free run that diverges is valid until its error exceeds the threshold.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    See Also
    --------
    RecycleValidation, WalkForwardValidation : Splits of a series for such scores.
    esnkit.metrics.valid_prediction_time : The valid time of a given forecast.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNRegressor
    >>> from esnkit.model_selection import valid_time
    >>> series = np.sin(np.arange(600) / 5).reshape(-1, 1)
    >>> model = ESNRegressor(n_units=30, washout=50, random_state=0)
    >>> model = model.fit(series[:-1], series[1:])
    >>> valid_time(50, dt=0.2, n_windows=5)(model, series[:-1], series[1:])
    10.0
    """
    params = {
        "threshold": check_number("threshold", threshold, 0.0, low_open=True),
        "dt": check_number("dt", dt, 0.0, low_open=True),
        "lyapunov_exponent": None,
    }
    if lyapunov_exponent is not None:
        params["lyapunov_exponent"] = check_number(
            "lyapunov_exponent", lyapunov_exponent, 0.0, low_open=True
        )
    return _make_scorer(_mean_valid_time, horizon, n_windows, stride, std, params)


def _make_scorer(score_func, horizon, n_windows, stride, std, params=None):
    """Check the parameters that all closed-loop scorers share, and make the scorer."""
    horizon = check_positive_int("horizon", horizon)
    n_windows = check_positive_int("n_windows", n_windows)
    stride = horizon if stride is None else check_positive_int("stride", stride)
    if std is not None:
        std = finite_array("std", std)
        if std.ndim > 1 or not np.all(std > 0):
            raise ValueError(f"std must be positive, one number or one per output, got {std}")
    return ClosedLoopScorer(score_func, Windows(horizon, n_windows, stride), std, params or {})


class ClosedLoopScorer(BaseEstimator):
    """A scorer of free runs, see :func:`nrmse_at`.

    Parameters
    ----------
    score_func : callable
        ``score_func(forecasts, observed, std, **params)`` of arrays (n_runs, horizon, n_outputs).
    windows : Windows
    std : ndarray or None
    params : dict
    """

    # It is an estimator for the routing of metadata alone: of a scorer, scikit-learn asks `score`.
    __metadata_request__score = {"estimator": UNUSED}

    def __init__(self, score_func, windows, std, params):
        self.score_func = score_func
        self.windows = windows
        self.std = std
        self.params = params

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        return self.score(estimator, X, y)

    def score(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Return the score of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
        X, y : as the estimator takes them

        Returns
        -------
        float
        """
        runs = free_runs(estimator, X, y, self.windows)
        n_outputs = runs.rows.shape[1]
        std = np.std(runs.rows, axis=0) if self.std is None else self.std
        if std.size not in (1, n_outputs):
            raise ValueError(f"std must have a number for each of {n_outputs} outputs, got {std}")
        if not np.all(std > 0):
            raise ValueError(
                "the rows to score must vary for their standard deviation to scale errors, but an "
                "output is constant: give std"
            )
        std = np.broadcast_to(std, n_outputs)
        return float(self.score_func(runs.forecasts, runs.observed, std, **self.params))

    def _accept_sample_weight(self) -> bool:
        """Return whether the score takes weights, as new searches of scikit-learn ask."""
        return False


def _minus_nrmse_of_last_step(forecasts, observed, std) -> float:
    errors = (forecasts[:, -1] - observed[:, -1]) / std
    if not np.isfinite(errors).all():
        return -np.inf
    return -float(np.mean(np.sqrt(np.mean(errors**2, axis=0))))


def _mean_valid_time(forecasts, observed, std, **params) -> float:
    pairs = zip(observed, forecasts, strict=True)
    return float(np.mean([valid_prediction_time(*pair, std=std, **params) for pair in pairs]))


def free_runs(estimator: Any, X: Any, y: Any, windows: Windows) -> FreeRuns:
    """Return the free runs of a fitted estimator in the rows to score, or raise."""
    model = getattr(estimator, "best_estimator_", estimator)
    if hasattr(model, "_rows_to_drive"):
        return _runs_of_forecaster(model, X, y, windows)
    if not (hasattr(model, "generate") and is_regressor(model)):
        raise TypeError(
            "a closed-loop score needs a regressor with generate, such as an ESNRegressor fitted "
            f"to the next row of a series, or a Forecaster, got {model!r}; a scaler in front of a "
            "network does not scale the outputs that are fed back: use Forecaster(ESNRegressor()), "
            "which scales both"
        )
    Y, sequences = model._true_rows(X, y, None)[0].values, pack(model, X, reset=False)
    if len(Y) != len(sequences.values):
        raise ValueError("a closed-loop score needs a model fitted to a target for every time step")
    runs_of = _runs_with_feedback if getattr(model, "feedback", False) else _runs_of_network
    model = _without_names(model)
    runs = [runs_of(model, sequences.values[i:j], Y[i:j], windows) for i, j in sequences.bounds]
    return FreeRuns(*(np.concatenate(part) for part in zip(*runs, strict=True)))


def _without_names(model: Any) -> Any:
    """Return a copy that takes arrays without a warning about the names of features."""
    model = copy.copy(model)
    vars(model).pop("feature_names_in_", None)
    return model


def _runs_of_network(model: Any, X: np.ndarray, Y: np.ndarray, windows: Windows) -> FreeRuns:
    """Return the free runs of a network fitted to the next row."""
    n_outputs = Y.shape[1]
    _check_next_row(X, Y)
    # The inputs beside the row generated last, which may not be known, are not used.
    exog = np.vstack([X[:, n_outputs:], X[-1:, n_outputs:]])
    origins, state, seen, runs = windows.origins(len(X) + 1), None, 0, []
    for last in origins - 1:
        if last > seen:
            with short_sequences_expected():
                _, state = model.predict(X[seen:last], initial_state=state, return_state=True)
        seen = last

        def run(n_steps, last=last, state=state):
            ahead = exog[last + 1 : last + 1 + n_steps] if exog.shape[1] else None
            return model.generate(n_steps, X[last : last + 1], exog=ahead, initial_state=state)

        runs.append(run)
    return _run_all(runs, Y, origins - 1, windows.horizon)


def _runs_with_feedback(model: Any, X: np.ndarray, Y: np.ndarray, windows: Windows) -> FreeRuns:
    """Return the free runs of a network whose outputs return by feedback weights."""

    def run(origin, n_steps):
        ahead = X[origin : origin + n_steps]
        return model.generate(n_steps, (X[:origin], Y[:origin]), exog=ahead)

    origins = windows.origins(len(X))
    return _run_all([partial(run, origin) for origin in origins], Y, origins, windows.horizon)


def _runs_of_forecaster(model: Any, series: Any, y: Any, windows: Windows) -> FreeRuns:
    """Return the free runs of a forecaster, which starts anew at the first row of the series."""
    rows, inputs = model._rows_to_drive(series, y)
    model._check_steps(windows.horizon)

    def run(start, ahead, n_steps):
        return start.roll(rows[:0], ahead, [0], n_steps)[0]

    origins = windows.origins(len(rows), model._ensemble.n_first)
    start, runs = model._ensemble.restart(rows[: origins[0]], inputs[: origins[0]]), []
    for seen, origin in zip([origins[0], *origins[:-1]], origins, strict=True):
        if origin > seen:
            start = start.advance(rows[seen:origin], inputs[seen:origin])
        runs.append(partial(run, start, inputs[origin : origin + windows.horizon]))
    return _run_all(runs, rows, origins, windows.horizon)


def _run_all(runs: list, rows: np.ndarray, starts: np.ndarray, horizon: int) -> FreeRuns:
    """Return all free runs, each of which predicts the rows from one of the starts on."""
    forecasts = [_until_divergence(run, horizon, rows.shape[1]) for run in runs]
    observed = [rows[start : start + horizon] for start in starts]
    return FreeRuns(np.stack(forecasts), np.stack(observed), rows)


def _until_divergence(run: Callable[[int], np.ndarray], horizon: int, n_outputs: int) -> np.ndarray:
    """Return a free run (horizon, n_outputs), NaN from the step on at which it diverges.

    ``run(n_steps)`` raises FloatingPointError, or returns NaN, if one of its steps diverges; the
    number of steps before is found by bisection.
    """
    out = np.full((horizon, n_outputs), np.nan)
    n_good, n_bad, n_steps = 0, horizon + 1, horizon
    while n_bad - n_good > 1:
        try:
            rows = run(n_steps)
        except FloatingPointError:
            rows = np.full((1, 1), np.nan)
        if np.isfinite(rows).all():
            n_good, out[:n_steps] = n_steps, rows
        else:
            n_bad = n_steps
        n_steps = (n_good + n_bad) // 2
    return out


def _check_next_row(X: np.ndarray, Y: np.ndarray) -> None:
    """Raise unless the outputs of a row are the first inputs of the next one."""
    if Y.shape[1] > X.shape[1]:
        return  # generate refuses this, and says why
    tolerance = NEXT_ROW_TOLERANCE * np.abs(Y).max()
    same = (np.abs(Y[:-1] - X[1:, : Y.shape[1]]) <= tolerance).all(axis=1)
    if not same.all():
        row = int(np.argmin(same))
        raise ValueError(
            "a closed-loop score needs a y whose rows are the next rows of X, but "
            f"y[{row}] differs from X[{row + 1}]: fit(series[:-1], series[1:]), with inputs that "
            "are not outputs in the last columns of X, and splits whose test rows follow each "
            "other (no shuffling)"
        )
