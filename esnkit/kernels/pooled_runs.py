"""Reservoir runs whose states go into running statistics, a few steps at a time, from the cache."""

from typing import NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.compilation import kernel
from esnkit.kernels.packed_weights import PackedWeights, pack
from esnkit.kernels.pooling import add_statistics
from esnkit.kernels.simd.vectors import aligned
from esnkit.kernels.state_buffer import (
    StateBuffer,
    count_blocks,
    put_state,
    state_capacity,
    take_state,
)
from esnkit.kernels.steps import BlockRange, OutputRows, StepInputs, run_steps
from esnkit.kernels.steps_of_four import run_steps_of_four

__all__ = ["run_statistics"]

STEPS = 32  # of four sequences, whose states stay in the cache until they are added


class _Four(NamedTuple):
    """What steps of four sequences read and write; rows of sequence s begin at s * STEPS."""

    packed: PackedWeights
    code: int
    states: np.ndarray  # buffers of four sequences, one behind the other
    gap: int  # from one to the next
    positions: np.ndarray  # (4,) uint64, of the states in their buffers
    inputs: np.ndarray  # (4 * STEPS, n_features)
    target: OutputRows  # (4 * STEPS, n_columns)
    starts: np.ndarray  # (4,) int64


@kernel
def run_statistics(W, input_weights, code, inputs, extra, span, x0, sums):
    """Run sequences four side by side, and add their states to the sums of `add_statistics`.

    Parameters
    ----------
    W : Diagonals
    input_weights : InputWeights, of so few inputs that they are packed
    code : int, activation
    inputs : InputSequences
    extra : (n_rows, n_extra), columns behind the states, in the rows of the inputs
    span : (begin, washout), steps before those of ``inputs``, and steps that are not added
    x0 : (n_sequences, n_units), states; updated in place
    sums : (n_sequences, N_SUMS, n_columns), of the states, of ``extra``, and of zeros
    """
    packed, n, n_columns = pack(W, input_weights), x0.shape[1], sums.shape[2]
    gap = 2 * int(state_capacity(n, x0))
    Z = aligned(4 * STEPS * n_columns, x0).reshape(4 * STEPS, n_columns)
    Z[:, n:] = 0
    four = _Four(
        packed, code, aligned(4 * gap, x0), gap, np.empty(4, np.uint64),
        np.empty((4 * STEPS, inputs.rows.shape[1]), x0.dtype),
        OutputRows(Z, uint64(n_columns), False), np.arange(4) * STEPS,
    )  # fmt: skip
    first_added = span[1] - span[0]
    for first in range(0, inputs.starts.size, 4):
        last = min(first + 4, inputs.starts.size)
        lengths = inputs.lengths[first:last]
        four.positions[:] = 0
        for s in range(last - first):
            put_state(x0[first + s], four.states[s * gap :], uint64(0))
        for t in range(0, lengths.max(), STEPS):
            counts = np.minimum(np.maximum(lengths - t, 0), STEPS)
            starts = inputs.starts[first:last] + t
            _copy_rows(inputs.rows, starts, counts, four.inputs, 0)
            _copy_rows(extra, starts, counts, Z, n)
            _run_four(four, counts)
            begins, ends = four.starts[: last - first], four.starts[: last - first] + counts
            begins = np.minimum(begins + max(first_added - t, 0), ends)
            seen = np.full(last - first, max(t - first_added, 0))
            add_statistics(Z, begins, ends, seen, sums[first:last])
        for s in range(last - first):
            take_state(four.states[s * gap :], four.positions[s], x0[first + s])


@kernel
def _copy_rows(rows, starts, counts, out, column):
    """Copy ``counts`` rows from ``starts`` on to the rows of the four, from a column on."""
    for s in range(starts.size):
        for t in range(counts[s]):
            for j in range(rows.shape[1]):
                out[s * STEPS + t, column + j] = rows[starts[s] + t, j]


@kernel
def _run_four(four, counts):
    """Make ``counts`` steps of each, at most STEPS: together as long as all four have steps left.

    A sequence that has ended has no more steps in later calls, so that the others go on alone.
    """
    packed, states, gap = four.packed, four.states, four.gap
    n_done = counts.min() if counts.size == 4 else 0
    if n_done:
        buffer = StateBuffer(states, four.positions[0])
        four.positions[:] = run_steps_of_four(
            packed, four.code, four.inputs, four.starts, n_done, buffer, four.target
        )
    blocks = BlockRange(0, count_blocks(packed.n_units, states))
    for s in range(counts.size):
        if counts[s] > n_done:
            start = four.starts[s]
            rest = StepInputs(four.inputs, four.inputs, start + n_done, start + counts[s])
            buffer = StateBuffer(states[s * gap : (s + 1) * gap], four.positions[s])
            four.positions[s] = run_steps(packed, four.code, blocks, rest, buffer, four.target)
