"""One sequence on several threads, each of which computes one partition of the units."""

from functools import partial

import numpy as np

from esnkit.kernels.layouts import Csr, Diagonals, Ell, Forcing, InputWeights
from esnkit.kernels.packed_weights import BLOCK_VECTORS, MAX_PACKED_INPUTS
from esnkit.kernels.partitions import Partition, run_partition, shared_by_partitions
from esnkit.kernels.reservoir import InputSequences, run
from esnkit.kernels.simd.vectors import width
from esnkit.utils._threads import n_threads, processors_per_caller, run_together

__all__ = ["run_one"]

MIN_UNITS = 4096  # the steps of smaller reservoirs take less time than their synchronisation
MIN_STATES = 2**22  # states of single units; fewer are computed while threads are started
MAX_STATES_ALONE = 2**26  # bound of the back-off: a busy machine does not stay busy for ever


class _Backoff:
    """Number of states to compute on one thread after partitions had to wait for each other.

    It doubles from one time to the next, until a run on several threads ends without long waits.
    No result depends on it, so several threads may write to it.
    """

    def __init__(self) -> None:
        self.next, self.left = MIN_STATES, 0

    def begin(self) -> None:
        self.next, self.left = min(2 * self.next, MAX_STATES_ALONE), self.next

    def end(self) -> None:
        self.next = MIN_STATES


_backoff = _Backoff()


def run_one(
    W: Diagonals | Ell | Csr,
    input_weights: InputWeights,
    code: int,
    forcing: Forcing,
    inputs: InputSequences,
    state: np.ndarray,
    out: np.ndarray,
) -> None:
    """Do for one sequence what the kernel `run` does, with the same bits.

    If W is banded and large, threads own partitions of adjacent units and synchronise only at the
    edges of the partitions.
    """
    max_partitions, edge = _partitions(W, input_weights)
    if max_partitions < 2 or len(forcing.noise) or forcing.units.size:
        _backoff.left -= int(inputs.lengths[0]) * input_weights.b.size
        return run(W, input_weights, code, forcing, inputs, state, out)
    first, n_rows, n_units = int(inputs.starts[0]), int(inputs.lengths[0]), input_weights.b.size
    n_done = 0
    with processors_per_caller() as n_processors:
        while n_done < n_rows:
            n_next, n_partitions = n_rows - n_done, min(max_partitions, n_processors())
            if n_partitions > 1 and n_next * n_units >= MIN_STATES and _backoff.left <= 0:
                rows = slice(first + n_done, first + n_rows)
                fixed = W, input_weights, code, inputs.rows[rows], state[0]
                n_done += _run_partitions(fixed, n_partitions, edge, out[rows])
                if n_done == n_rows:
                    return _backoff.end()
                _backoff.begin()
                n_next = min(n_rows - n_done, -(-_backoff.left // n_units))
            piece = InputSequences(inputs.rows, inputs.starts + n_done, np.array([n_next]))
            run(W, input_weights, code, forcing, piece, state, out)
            n_done += n_next
            _backoff.left -= n_next * n_units


def _run_partitions(fixed, n_partitions, edge, out):
    """Run partitions on threads; return the number of steps made, all or fewer."""
    *_, rows, x0 = fixed
    shared = shared_by_partitions(n_partitions, len(rows), x0)
    tasks = [
        partial(run_partition, *fixed, shared, Partition(index, edge), out)
        for index in range(n_partitions)
    ]
    release = partial(shared.progress.fill, len(rows))
    return (run_together(tasks, release=release) or [0])[0]


def _partitions(W, input_weights):
    """Return the most partitions, and how many blocks at their edges others depend on."""
    n_units, block = input_weights.b.size, BLOCK_VECTORS * width(input_weights.b)
    many_inputs = len(input_weights.w_in) > MAX_PACKED_INPUTS
    if not isinstance(W, Diagonals) or many_inputs or n_units < MIN_UNITS:
        return 1, 0
    shifts = np.append(W.shifts, np.uint64(input_weights.shift))
    bandwidth = int(np.minimum(shifts, n_units - shifts).max())
    edge = bandwidth // block + 1  # rounded up, and a band seldom begins where a block does
    return min(n_threads(), n_units // block // (2 * edge + 2)), edge
