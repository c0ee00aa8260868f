"""Input validation and divergence checks shared by closed-loop models.

In a closed loop the predictions of one step are inputs of the next.
"""

from typing import Any

import numpy as np

from esnkit.sequences._packing import Sequences, pack
from esnkit.utils._frames import column_names, unwrap
from esnkit.utils._validation import finite_array, refuse_masked

__all__ = ["check_bounded", "future_rows", "pack_one_series"]


def future_rows(
    exog: Any, n_steps: int, n_exog: int, dtype: Any, estimator: Any = None
) -> np.ndarray:
    """Return the future exogenous inputs (n_steps, n_exog), or raise.

    They are the last ``n_exog`` features of the estimator, if one is given.
    """
    if exog is None:
        if n_exog:
            raise ValueError(f"exog is needed: an array of shape ({n_steps}, {n_exog})")
        return np.empty((n_steps, 0), dtype)
    _check_names(estimator, exog, n_exog)
    future = finite_array("exog", exog, dtype)
    future = future[:, None] if future.ndim == 1 and n_exog == 1 else future
    if future.shape != (n_steps, n_exog):
        raise ValueError(f"exog has shape {future.shape}, expected ({n_steps}, {n_exog})")
    return np.ascontiguousarray(future)


def _check_names(estimator: Any, exog: Any, n_exog: int) -> None:
    """Raise if the columns of a frame are not the last features of ``fit``, in their order."""
    expected = list(getattr(estimator, "feature_names_in_", []))
    given = column_names(unwrap(exog))
    if not expected or not given or not all(isinstance(name, str) for name in given):
        return
    expected = expected[len(expected) - n_exog :]
    if given != expected:
        raise ValueError(
            f"exog has the columns {given}, expected {expected}: the columns of fit in their order"
        )


def pack_one_series(estimator: Any, name: str, X: Any, dtype: Any) -> Sequences:
    """Return one series packed, or raise with the name of the argument."""
    refuse_masked(name, X)
    try:
        sequences = pack(estimator, X, reset=False, dtype=(dtype,))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be a series like the X of fit: {error}") from error
    if sequences.form != "series":
        raise ValueError(f"{name} must be one series (n_timesteps, n_features)")
    return sequences


def check_bounded(rows: np.ndarray, remedy: str) -> None:
    """Raise FloatingPointError at the first generated row that is not finite."""
    is_finite = np.isfinite(rows).all(axis=1)
    if not is_finite.all():
        first = int(np.flatnonzero(~is_finite)[0])
        raise FloatingPointError(f"the closed loop diverged after {first} steps: {remedy}")
