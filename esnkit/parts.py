"""One sequence on several threads, each of which computes a part of the units."""

from functools import partial

import numpy as np

from esnkit.kernels.layouts import PACKED_INPUTS, PARTED, WIDE, Csr, Diagonals, Drive, Ell, Held
from esnkit.kernels.linalg import n_threads
from esnkit.kernels.reservoir import run, run_part, shared_by_parts
from esnkit.kernels.vectors import width
from esnkit.threads import run_together

__all__ = ["run_one"]

LONG = 2**22  # states of single units; fewer are computed while threads are started


def run_one(
    W: Diagonals | Ell | Csr,
    drive: Drive,
    code: int,
    held: Held,
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
    start, n_rows = int(starts[0]), int(lengths[0])
    n_parts, edge = _parts(W, drive)
    held_nowhere = len(held.noise) == 0 and held.units.size == 0
    made = 0
    if n_parts > 1 and held_nowhere and n_rows * drive.b.size >= LONG:
        rows = slice(start, start + n_rows)
        x, done = shared_by_parts(n_parts, n_rows, state[0])
        arrays = W, drive, code, U[rows], state[0], x, done
        tasks = [partial(run_part, *arrays, part, edge, out[rows]) for part in range(n_parts)]
        made = run_together(tasks, release=lambda: done.fill(n_rows))[0]
    if made < n_rows:
        run(W, drive, code, held, U, starts + made, lengths - made, state, out)


def _parts(W, drive):
    """Return in how many parts to run, and how many blocks at their ends depend on each other."""
    n_units, block = drive.b.size, WIDE * width(drive.b)
    if not isinstance(W, Diagonals) or len(drive.w_in) > PACKED_INPUTS or n_units < PARTED:
        return 1, 0
    reach = int(np.minimum(W.shifts, n_units - W.shifts).max(initial=0))
    # A block more, since a reach seldom ends where a block does, and one for a last, shorter block.
    edge = reach // block + 2
    return min(n_threads(), n_units // block // (2 * edge + 4)), edge
