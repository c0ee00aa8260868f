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
    made, n_rows, n_units = 0, int(lengths[0]), drive.b.size
    n_parts, edge = _parts(W, drive)
    held_nowhere = len(held.noise) == 0 and held.units.size == 0
    alone = -(-LONG // n_units)
    while made < n_rows:
        n_next = n_rows - made
        if n_parts > 1 and held_nowhere and n_next >= alone:
            rows = slice(int(starts[0]) + made, int(starts[0]) + n_rows)
            x, done = shared_by_parts(n_parts, n_next, state[0])
            arrays = W, drive, code, U[rows], state[0], x, done
            tasks = [partial(run_part, *arrays, part, edge, out[rows]) for part in range(n_parts)]
            made += run_together(tasks, release=partial(done.fill, n_next))[0]
            # Had it to wait, it goes on alone, and tries again when that was not for long.
            n_next, alone = min(n_rows - made, alone), 2 * alone
        if n_next:
            run(W, drive, code, held, U, starts + made, np.array([n_next]), state, out)
            made += n_next


def _parts(W, drive):
    """Return in how many parts to run, and how many blocks at their ends depend on each other."""
    n_units, block = drive.b.size, WIDE * width(drive.b)
    if not isinstance(W, Diagonals) or len(drive.w_in) > PACKED_INPUTS or n_units < PARTED:
        return 1, 0
    reach = int(np.minimum(W.shifts, n_units - W.shifts).max(initial=0))
    # A block more, since a reach seldom ends where a block does, and one for a last, shorter block.
    edge = reach // block + 2
    return min(n_threads(), n_units // block // (2 * edge + 4)), edge
