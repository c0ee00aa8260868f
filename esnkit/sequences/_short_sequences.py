"""A warning about sequences that are too short for a model with memory to know their past.

Libraries that reduce forecasting to regression predict one row at a time. A model with memory
starts every sequence anew, so that it predicts from such rows without their past.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from esnkit.utils._warnings import warn

__all__ = ["short_sequences_expected", "warn_if_short"]

_expected: ContextVar[bool] = ContextVar("short_sequences_expected", default=False)


@contextmanager
def short_sequences_expected() -> Iterator[None]:
    """Predict short sequences on purpose, without the warning."""
    token = _expected.set(True)
    try:
        yield
    finally:
        _expected.reset(token)


def warn_if_short(lengths: np.ndarray, longest_in_fit: int, washout: int = 0) -> None:
    """Warn if all sequences end within the washout, or have one time step, unlike those of fit.

    Parameters
    ----------
    lengths : ndarray of shape (n_sequences,)
        Numbers of time steps of sequences that start without an initial state.
    longest_in_fit : int
        Number of time steps of the longest sequence that the model was fitted to.
    washout : int, default=0
    """
    longest = int(lengths.max())
    if longest > max(washout, 1) or longest >= longest_in_fit or _expected.get():
        return
    steps = "1 time step" if longest == 1 else f"{longest} time steps"
    within = f", within washout={washout}" if longest <= washout else ""
    warn(
        f"the longest sequence in X has {steps}{within}, and starts without its past, whereas the "
        f"model was fitted to {longest_in_fit}: give the time steps before as well, or the state "
        "after them as initial_state (return_state=True returns it); to forecast a series, use "
        "esnkit.Forecaster"
    )
