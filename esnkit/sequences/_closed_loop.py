"""What every model that hears its own outputs asks of those who call it, and of its answer."""

from typing import Any

import numpy as np

from esnkit.sequences._packing import Sequences, pack
from esnkit.utils._validation import finite_array

__all__ = ["check_bounded", "future_rows", "pack_one_series"]


def future_rows(exog: Any, n_steps: int, n_exog: int, dtype: Any) -> np.ndarray:
    """Return the inputs (n_steps, n_exog) that are not outputs, or raise."""
    if exog is None:
        if n_exog:
            raise ValueError(f"exog is needed: an array of shape ({n_steps}, {n_exog})")
        return np.empty((n_steps, 0), dtype)
    future = finite_array("exog", exog, dtype)
    future = future[:, None] if future.ndim == 1 and n_exog == 1 else future
    if future.shape != (n_steps, n_exog):
        raise ValueError(f"exog has shape {future.shape}, expected ({n_steps}, {n_exog})")
    return np.ascontiguousarray(future)


def pack_one_series(estimator: Any, name: str, X: Any, dtype: Any) -> Sequences:
    """Return one series packed, or raise."""
    try:
        sequences = pack(estimator, X, reset=False, dtype=(dtype,))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be a series like the X of fit: {error}") from error
    if sequences.form != "series":
        raise ValueError(f"{name} must be one series (n_timesteps, n_features)")
    return sequences


def check_bounded(rows: np.ndarray, remedy: str) -> None:
    """Raise where generated rows have left the range of their dtype."""
    if not np.all(np.isfinite(rows)):
        first = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise FloatingPointError(f"the closed loop diverged after {first} steps: {remedy}")
