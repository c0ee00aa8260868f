"""States at the starts of the partitions of one series.

A state depends on the past, so that partitions would have to wait for one another. But a reservoir
with the echo state property forgets: the state at the end of a partition is found from the last
rows of it, started from zeros. It counts if twice as many rows lead to the same state up to
rounding; otherwise, with more and more rows, the state is carried through the whole partition.

References
----------
H. Jaeger (2001), The "echo state" approach to analysing and training recurrent neural networks, GMD
report 148: the echo state property.
"""

from typing import Any, NamedTuple

import numpy as np

from esnkit.sequences._packing import Sequences

__all__ = ["Start", "agree", "end_of"]

MIN_WARM_UP = 256  # rows
# States that differ by no more than this many rounding errors are the same.
TOLERANCE = 64


class Start(NamedTuple):
    """Where a series continues."""

    state: np.ndarray  # (1, n_state), with the last outputs where these are fed back
    n_rows: int = 0  # rows before
    n_warm_up: int = 0  # rows that the state was found from, 0 if it was carried
    target: np.ndarray | None = None  # (1, n_outputs) of the last row before


def end_of(reservoir: Any, inputs: Sequences, start: Start, warm_up: bool) -> Start:
    """Return the end of a series: its state (1, n_state_) and the number of all rows.

    ``inputs`` are the rows that the reservoir takes. With ``warm_up`` the state is found from the
    last rows if they suffice.
    """
    n_rows = start.n_rows + len(inputs.values)
    state, n_warm_up = _warmed_up(reservoir, inputs, start.state.dtype) if warm_up else (None, 0)
    if state is None:
        state = start.state[:, : reservoir.n_state_].copy()
        reservoir.advance(inputs, state)
    return Start(state, n_rows, n_warm_up)


def _warmed_up(reservoir: Any, inputs: Sequences, dtype: Any) -> tuple[np.ndarray | None, int]:
    """Return the last state from as few of the last rows as suffice, and their number; or None."""
    n_rows, n = len(inputs.values), MIN_WARM_UP
    before = None
    while n < n_rows:
        state = np.zeros((1, reservoir.n_state_), dtype)
        last = Sequences(inputs.values[n_rows - n :], np.array([0, n], np.int64), "series")
        reservoir.advance(last, state)
        if before is not None and agree(before, state):
            return state, n
        before, n = state, 2 * n
    return None, 0


def agree(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two states are equal up to rounding."""
    size = max(1.0, float(np.abs(second).max()))
    return float(np.abs(first - second).max()) <= TOLERANCE * np.finfo(second.dtype).eps * size
