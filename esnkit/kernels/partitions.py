"""One sequence on several threads, each of which computes one partition of the units.

If W is banded, its units form a ring in which each reads only units near it. Every thread owns
consecutive blocks of the ring and synchronises only with the owners of the adjacent partitions.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.compilation import kernel
from esnkit.kernels.packed_weights import BLOCK_VECTORS, pack
from esnkit.kernels.reservoir import output_rows
from esnkit.kernels.simd.progress import STRIDE, load_acquire, spin_until, store_release
from esnkit.kernels.simd.vectors import aligned, width
from esnkit.kernels.state_buffer import StateBuffer, count_blocks, state_capacity
from esnkit.kernels.steps import BlockRange, StepInputs, run_steps

__all__ = ["Partition", "SharedStates", "run_partition", "shared_by_partitions"]

MAX_READS = 2**25  # of another thread's progress, about ten milliseconds, before the run ends


class SharedStates(NamedTuple):
    """What the threads of `run_partition` share."""

    states: np.ndarray  # room for two states, as in `StateBuffer`
    # ((n_partitions + 1) * STRIDE,) int64: for each partition, the number of states of which its
    # edges are complete; then the number of steps to make.
    progress: np.ndarray


class Partition(NamedTuple):
    """Which partition a thread computes."""

    number: int
    edge: int  # blocks at either end that read, or are read by, the adjacent partition


def shared_by_partitions(n_partitions, n_rows, x0):
    """Return the `SharedStates` of a run of ``n_rows`` from a state ``x0``."""
    progress = np.zeros((n_partitions + 1) * STRIDE, np.int64)
    progress[n_partitions * STRIDE] = n_rows
    return SharedStates(aligned(2 * int(state_capacity(x0.size, x0)), x0), progress)


@kernel
def _block_ranges(partition, n_partitions, n_blocks):
    """Return the ranges (4, 2) of blocks of a partition, in the order of computation.

    The two edges come first, then the inner blocks. Partition p owns the blocks from
    (2 p + 1) n_blocks / (2 n_partitions) to (2 p + 3) n_blocks / (2 n_partitions), modulo n_blocks.
    So the ring closes inside the last partition: the copy of block 0 behind the last block is
    written and read by that partition alone. Its inner blocks are two ranges.
    """
    edge = partition.edge
    first = (2 * partition.number + 1) * n_blocks // (2 * n_partitions)
    last = (2 * partition.number + 3) * n_blocks // (2 * n_partitions)
    middle = min(last - edge, n_blocks)
    ranges = np.array(
        [first, first + edge, last - edge, last, first + edge, middle, middle, middle]
    )
    if last > n_blocks:
        ranges[2:4] -= n_blocks
        ranges[6], ranges[7] = 0, last - edge - n_blocks
    return ranges.reshape(4, 2)


@kernel(inline="always")
def _copy_units(source, start, ranges, block, out, n_units):
    """Copy the units of the ranges of blocks from ``source[start:]`` to ``out``."""
    for s in range(4):
        for i in range(ranges[s, 0] * block, min(ranges[s, 1] * block, n_units)):
            out[i] = source[start + uint64(i)]


@kernel(inline="always")
def _step_ranges(packed, code, ranges, inputs, buffer, out, progress, own):
    """Make one step of a partition; announce its edges as soon as they are complete."""
    for s in range(4):
        blocks = BlockRange(ranges[s, 0], ranges[s, 1])
        run_steps(packed, code, blocks, inputs, buffer, out)
        if s == 1:  # both edges: of t + 2 states now, from state 0 to state t + 1
            store_release(progress, own, inputs.start + 2)


@kernel
def run_partition(W, input_weights, code, rows, x0, shared, partition, out):
    """Run one sequence as `run` does, but only one partition of its units.

    Other threads run the other partitions at the same time. The blocks at the two edges, the only
    ones that read or are read by the adjacent partitions, are computed first, so that the others
    seldom wait. If the first partition waits for long, as on a busy machine, it ends the run of
    all partitions early.

    Parameters
    ----------
    W : Diagonals
    input_weights, code : as in `run`
    rows : (n_rows, n_features) inputs, at most `MAX_PACKED_INPUTS` features
    x0 : (n_units,), state; updated in place
    shared : SharedStates
    partition : Partition
        Of at least 2 * edge + 2 blocks.
    out : as in `run`

    Returns
    -------
    int
        Number of steps made: n_rows or fewer, the same in all partitions.
    """
    packed, target = pack(W, input_weights), output_rows(out, x0.size)
    states, progress, n = shared.states, shared.progress, x0.size
    n_partitions, block = progress.size // STRIDE - 1, BLOCK_VECTORS * width(states)
    own, total = partition.number * STRIDE, n_partitions * STRIDE
    left = (partition.number - 1) % n_partitions * STRIDE
    right = (partition.number + 1) % n_partitions * STRIDE
    ranges = _block_ranges(partition, n_partitions, count_blocks(n, states))
    projected, position, n_reads, t = np.zeros((0, 0), x0.dtype), uint64(0), 0, 0
    _copy_units(x0, position, ranges, block, states, n)
    if ranges[3, 0] == 0:  # this partition owns block 0, a copy of which follows the last unit
        for i in range(block):
            states[n + i] = states[i]
    store_release(progress, own, 1)
    while t < load_acquire(progress, total):
        # Step t reads the edges of state t of both neighbours, and overwrites the own state t - 1,
        # which they have read once the edges of their state t are complete.
        n_reads += spin_until(progress, left, t + 1) + spin_until(progress, right, t + 1)
        if partition.number == 0 and n_reads > MAX_READS + n * t:
            # Each partition is at most one step ahead of its neighbours, so none is farther ahead
            # of the first than there are others.
            store_release(progress, total, min(t + n_partitions, load_acquire(progress, total)))
            n_reads = np.iinfo(np.int64).min
        step = StepInputs(rows, projected, t, t + 1)
        buffer = StateBuffer(states, position)
        _step_ranges(packed, code, ranges, step, buffer, target, progress, own)
        position, t = state_capacity(n, states) - position, t + 1
    _copy_units(states, position, ranges, block, x0, n)
    return t
