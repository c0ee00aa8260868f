"""One sequence on several threads, each of which computes a part of the units."""

from functools import partial

import numpy as np

from esnkit.kernels.layouts import (
    PACKED_INPUTS,
    PARTED,
    WIDE,
    Csr,
    Diagonals,
    Ell,
    Forcing,
    InputWeights,
)
from esnkit.kernels.linalg import n_threads
from esnkit.kernels.reservoir import run, run_part, shared_by_parts
from esnkit.kernels.simd.vectors import width
from esnkit.utils._threads import n_processors, run_together

__all__ = ["run_one"]

LONG = 2**22  # states of single units; fewer are computed while threads are started
MOST_ALONE = 2**26  # new memory keeps parts waiting too, but not for ever


class _Backoff:
    """How many states are computed alone once parts had to wait for one another.

    Twice as many as the last time, until parts are no longer kept waiting. No result depends on
    it, so several threads may write to it.
    """

    def __init__(self) -> None:
        self.next, self.left = LONG, 0

    def begin(self) -> None:
        self.next, self.left = min(2 * self.next, MOST_ALONE), self.next

    def end(self) -> None:
        self.next = LONG


_backoff = _Backoff()


def run_one(
    W: Diagonals | Ell | Csr,
    drive: InputWeights,
    code: int,
    held: Forcing,
    U: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    state: np.ndarray,
    out: np.ndarray,
) -> None:
    """Do for one sequence what the kernel `run` does, with the same bits.

    Where every unit of a large reservoir hears only units near it, parts of a ring of units need
    each other no more than at their ends.
    """
    made, n_rows, n_units = 0, int(lengths[0]), drive.b.size
    n_parts, edge = _parts(W, drive)
    cut = n_parts > 1 and len(held.noise) == 0 and held.units.size == 0
    while made < n_rows:
        n_next = n_rows - made
        if cut and n_next * n_units >= LONG and _backoff.left <= 0:
            rows = slice(int(starts[0]) + made, int(starts[0]) + n_rows)
            x, done = shared_by_parts(n_parts, n_next, state[0])
            arrays = W, drive, code, U[rows], state[0], x, done
            tasks = [partial(run_part, *arrays, part, edge, out[rows]) for part in range(n_parts)]
            n_made = (run_together(tasks, release=partial(done.fill, n_next)) or [0])[0]
            made += n_made
            if n_made == n_next:
                return _backoff.end()
            _backoff.begin()
            n_next = min(n_rows - made, -(-_backoff.left // n_units))
        run(W, drive, code, held, U, starts + made, np.array([n_next]), state, out)
        made += n_next
        _backoff.left -= n_next * n_units


def _parts(W, drive):
    """Return in how many parts to run, and how many blocks at their ends depend on each other."""
    n_units, block = drive.b.size, WIDE * width(drive.b)
    if not isinstance(W, Diagonals) or len(drive.w_in) > PACKED_INPUTS or n_units < PARTED:
        return 1, 0
    reach = int(np.minimum(W.shifts, n_units - W.shifts).max(initial=0))
    edge = reach // block + 1  # a reach seldom ends where a block does
    return min(n_threads(), n_processors(), n_units // block // (2 * edge + 2)), edge
