"""Reservoir dynamics on plain arrays: sequences one by one or four at a time, and closed loop.

    pre(t) = W_in u(t) + W x(t-1) + b
    x(t)   = k x(t-1) + g f(pre(t)) + noise(t)

The order of the sums is that of :mod:`esnkit.kernels.steps` in every kernel, so a sequence has the
same bits alone, beside others, cut in two and in closed loop.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.compilation import kernel
from esnkit.kernels.layouts import Csr, Diagonals, Ell, Forcing, InputWeights
from esnkit.kernels.linalg import LANES, affine_row
from esnkit.kernels.packed_weights import (
    BLOCK_VECTORS,
    MAX_PACKED_INPUTS,
    PackedWeights,
    is_packed,
    pack,
)
from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.masked import load_first
from esnkit.kernels.simd.vectors import address, aligned, fill, is_aligned, load, store, width
from esnkit.kernels.state_buffer import (
    StateBuffer,
    count_blocks,
    put_state,
    state_capacity,
    take_state,
)
from esnkit.kernels.steps import BlockRange, OutputRows, StepInputs, run_steps, step_unpacked
from esnkit.kernels.steps_of_four import run_steps_of_four

__all__ = [
    "InputSequences",
    "LinearReadout",
    "LoopInputs",
    "aligned_readout",
    "all_packed",
    "closed_loop",
    "feed_back",
    "project",
    "run",
    "set_exogenous",
]

PROJECTED_ROWS = 16  # rows of W_in u + b that are computed at once and stay in the cache
MAX_CACHED_BYTES = 2**25  # of states; more than that leave the caches before they are read again


class InputSequences(NamedTuple):
    """Inputs of several sequences, one behind the other."""

    rows: np.ndarray  # (n_rows, n_features), C-contiguous
    starts: np.ndarray  # (n_sequences,) int64, first row of each
    lengths: np.ndarray  # (n_sequences,) int64


class LinearReadout(NamedTuple):
    """Outputs are coef @ z + intercept, z being the state or the state and the input."""

    coef: np.ndarray  # (n_outputs, n_units or n_units + n_features)
    intercept: np.ndarray  # (n_outputs,)
    quadratic: bool = False  # whether z has the squares of units 1, 3, 5, ... in their place


class LoopInputs(NamedTuple):
    """Inputs of a closed loop: outputs fed back, then exogenous ones."""

    first: np.ndarray  # (n_features,) input of the first step
    exogenous: np.ndarray  # (n_steps, n_features - n_outputs), C-contiguous


class _Dynamics(NamedTuple):
    """What every step of one call computes with."""

    W: Diagonals | Ell | Csr
    input_weights: InputWeights
    packed: PackedWeights
    code: int
    forcing: Forcing
    # Whether steps are made one by one: forcing changes states between them, and the step of a
    # `Csr` reads and writes rows of units.
    single_steps: bool


@kernel
def project(input_weights, rows, start, stop, out):
    """Write ``W_in u + b`` of the rows from start to stop into the first columns of ``out``.

    ``out`` has a block more columns than there are units, in which a last vector may end.
    """
    if len(input_weights.entries) > 0:
        _project_entries(input_weights, rows, start, stop, out)
        return
    n, v = input_weights.b.size, width(out)
    n_blocks = n - n % (BLOCK_VECTORS * v)
    for first in range(0, n_blocks, BLOCK_VECTORS * v):
        _project_to(_load_block, input_weights, rows, start, stop, out, uint64(first))
    for first in range(n_blocks, n, v):
        _project_to(_load_rest, input_weights, rows, start, stop, out, uint64(first))


@kernel
def _project_entries(input_weights, rows, start, stop, out):
    """Write ``W_in u + b``, summing as `project` does without the weights that are zero."""
    entries, columns, b = input_weights.entries, input_weights.columns, input_weights.b
    for t in range(start, stop):
        for i in range(b.size):
            total = b[i]
            for j in range(entries.shape[0]):
                total = fma(entries[j, i], rows[t, columns[j, i]], total)
            out[t - start, i] = total


@kernel(forceinline=True)
def _load_block(array, index, n):
    return load(array, index, BLOCK_VECTORS)


@kernel(forceinline=True)
def _load_rest(array, index, n):
    return load_first(array, index, n)  # the array may end before a whole vector does


@kernel(forceinline=True)
def _project_to(load_units, input_weights, rows, start, stop, out, first):
    """Project rows to the units from ``first`` on that ``load_units`` loads at once.

    The sum is b + sum_f w_in[f] u[f], by feature. Two rows are summed at a time, whose sums do not
    wait for each other; an odd last row is summed twice.
    """
    w_in, b, u = address(input_weights.w_in), address(input_weights.b), address(rows)
    totals, stride = address(out), uint64(out.shape[1])
    n, n_features = uint64(input_weights.b.size), uint64(rows.shape[1])
    for t in range(start, stop, 2):
        other = min(t + 1, stop - 1)
        at, at_other = uint64(t) * n_features, uint64(other) * n_features
        total = load_units(b, first, n - first)
        total_other = total
        for f in range(n_features):
            weight = load_units(w_in, f * n + first, n - first)
            total = fma(weight, fill(u[at + f], weight), total)
            total_other = fma(weight, fill(u[at_other + f], weight), total_other)
        store(totals, uint64(t - start) * stride + first, total)
        store(totals, uint64(other - start) * stride + first, total_other)


@kernel(forceinline=True)
def apply_forcing(forcing, t, x):
    """Add row t of the noise to a state, then set the clamped units to their values at t."""
    if forcing.noise.shape[0] > 0:
        for i in range(x.size):
            x[i] += forcing.noise[t, i]
    if forcing.units.size > 0:
        values = forcing.values[min(t, forcing.values.shape[0] - 1)]
        for j in range(forcing.units.size):
            x[forcing.units[j]] = values[j]


@kernel(inline="always")
def is_forced(forcing):
    """Tell whether states get noise or have clamped units."""
    return forcing.noise.shape[0] > 0 or forcing.units.size > 0


@kernel(inline="always")
def output_rows(out, n_units):
    """Return where to write states: the rows of ``out``, or one row for all if it has none."""
    if len(out) == 0:
        return OutputRows(aligned(n_units, out).reshape(1, n_units), uint64(0), False)
    v = width(out)
    aligned_rows = is_aligned(out) and n_units % v == 0 and out.shape[1] % v == 0
    nontemporal = aligned_rows and out.size * out.itemsize >= MAX_CACHED_BYTES
    return OutputRows(out, uint64(out.shape[1]), nontemporal)


@kernel(forceinline=True)
def _single_step(dynamics, t, inputs, buffer, out):
    """Make the step of row ``inputs.start``, then apply row t of the forcing.

    Return the position of the new state, which is also in its row of the output.
    """
    packed, position = dynamics.packed, buffer.position
    n = packed.n_units
    state = out.rows[inputs.start if out.stride else 0, :n]
    if is_packed(dynamics.W):
        blocks = BlockRange(0, count_blocks(n, buffer.states))
        position = run_steps(packed, dynamics.code, blocks, inputs, buffer, out)
    else:
        x = buffer.states[position : position + uint64(n)]
        step_unpacked(
            dynamics.W, dynamics.input_weights, dynamics.code, inputs.projected[0], x, state
        )
    apply_forcing(dynamics.forcing, t, state)
    put_state(state, buffer.states, position)
    return position


@kernel(forceinline=True)
def _run_rows(dynamics, inputs, chunk, buffer, out):
    """Run one sequence, ``chunk`` rows at a time; return the position of its last state."""
    packed, position = dynamics.packed, buffer.position
    blocks = BlockRange(0, count_blocks(packed.n_units, buffer.states))
    for start in range(inputs.start, inputs.stop, chunk):
        stop = min(start + chunk, inputs.stop)
        if packed.n_inputs < 0:
            project(dynamics.input_weights, inputs.rows, start, stop, inputs.projected)
        piece = StepInputs(inputs.rows, inputs.projected, start, stop)
        current = StateBuffer(buffer.states, position)
        if dynamics.single_steps:
            position = _single_step(dynamics, start, piece, current, out)
        else:
            position = run_steps(packed, dynamics.code, blocks, piece, current, out)
    return position


@kernel(inline="always")
def _projection_buffer(packed, n_rows, like):
    """Return rows for W_in u + b, with zeros up to a whole block; none if it is packed."""
    if packed.n_inputs >= 0:
        return np.zeros((0, 0), like.dtype)
    return np.zeros((n_rows, packed.n_units + BLOCK_VECTORS * width(like)), like.dtype)


def run(W, input_weights, code, forcing, inputs, x0, out):
    """Run sequences, one after the other or four side by side.

    Each kind of run has a kernel of its own, so that a process compiles only what it needs.

    Parameters
    ----------
    W : Diagonals, Ell or Csr
    input_weights : InputWeights
    code : int, activation
    forcing : Forcing
    inputs : InputSequences
    x0 : (n_sequences, n_units), states; updated in place
    out : (n_rows, >= n_units), on exit the states in the first columns; without rows if only the
        last states, in x0, are wanted
    """
    if not _is_plain(W, input_weights, forcing):
        _run_by_rows(W, input_weights, code, forcing, inputs, x0, out)
    elif inputs.starts.size < 4 or not isinstance(W, Diagonals):
        _run_in_turn(W, input_weights, code, inputs, x0, out)
    else:
        _run_in_fours(W, input_weights, code, inputs, x0, out)


def _is_plain(W, input_weights, forcing):
    """Tell whether all weights are packed and nothing happens between the steps."""
    has_forcing = len(forcing.noise) > 0 or forcing.units.size > 0
    return all_packed(W, input_weights) and not has_forcing


def all_packed(W, input_weights):
    """Tell whether all weights are packed, outside of kernels."""
    return is_packed(W) and len(input_weights.w_in) <= MAX_PACKED_INPUTS


@kernel
def _run_in_turn(W, input_weights, code, inputs, x0, out):
    """Run sequences one after the other, with packed inputs and without forcing."""
    packed, target = pack(W, input_weights), output_rows(out, x0.shape[1])
    states = aligned(2 * int(state_capacity(packed.n_units, x0)), x0)
    blocks = BlockRange(0, count_blocks(packed.n_units, states))
    for s in range(inputs.starts.size):
        put_state(x0[s], states, uint64(0))
        start = inputs.starts[s]
        steps = StepInputs(inputs.rows, inputs.rows, start, start + inputs.lengths[s])
        end = run_steps(packed, code, blocks, steps, StateBuffer(states, uint64(0)), target)
        take_state(states, end, x0[s])


@kernel
def _run_in_fours(W, input_weights, code, inputs, x0, out):
    """Run sequences as `_run_in_turn` does, but four side by side if W is `Diagonals`."""
    packed, target = pack(W, input_weights), output_rows(out, x0.shape[1])
    gap = 2 * int(state_capacity(packed.n_units, x0))  # from the buffer of a sequence to the next
    states = aligned(4 * gap, x0)
    blocks = BlockRange(0, count_blocks(packed.n_units, states))
    for first in range(0, inputs.starts.size, 4):
        count = min(4, inputs.starts.size - first)
        n_done, position = 0, uint64(0)
        for s in range(count):
            put_state(x0[first + s], states, uint64(s * gap))
        if count == 4:
            n_done = _smallest(inputs.lengths[first : first + 4])
            position = run_steps_of_four(
                packed, code, inputs.rows, inputs.starts[first : first + 4], n_done,
                StateBuffer(states, position), target,
            )  # fmt: skip
        # What is left of sequences longer than the shortest of the four, or all of the last ones.
        for s in range(count):
            start, own = inputs.starts[first + s], states[s * gap :]
            stop = start + inputs.lengths[first + s]
            rest = StepInputs(inputs.rows, inputs.rows, start + n_done, stop)
            end = run_steps(packed, code, blocks, rest, StateBuffer(own, position), target)
            take_state(own, end, x0[first + s])


@kernel
def _run_by_rows(W, input_weights, code, forcing, inputs, x0, out):
    """Run sequences one after the other, a few rows at a time: one if W is `Csr` or with forcing.

    Several rows have W_in u + b computed together, as many as stay in the cache.
    """
    packed, single_steps = pack(W, input_weights), is_forced(forcing) or not is_packed(W)
    dynamics = _Dynamics(W, input_weights, packed, code, forcing, single_steps)
    target = output_rows(out, packed.n_units)
    chunk = 1 if single_steps else PROJECTED_ROWS
    projected = _projection_buffer(packed, chunk, x0)
    states = aligned(2 * int(state_capacity(packed.n_units, x0)), x0)
    for s in range(inputs.starts.size):
        put_state(x0[s], states, uint64(0))
        start = inputs.starts[s]
        rows = StepInputs(inputs.rows, projected, start, start + inputs.lengths[s])
        end = _run_rows(dynamics, rows, chunk, StateBuffer(states, uint64(0)), target)
        take_state(states, end, x0[s])


@kernel(inline="always")
def _smallest(values):
    smallest = values[0]
    for i in range(1, values.size):
        smallest = min(smallest, values[i])
    return smallest


@kernel(inline="always")
def _aligned_copy(matrix):
    out = aligned(matrix.size, matrix).reshape(matrix.shape)
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            out[i, j] = matrix[i, j]
    return out


@kernel(inline="always")
def aligned_readout(readout):
    """Return a readout whose coefficients begin on a cache line."""
    return LinearReadout(_aligned_copy(readout.coef), readout.intercept, readout.quadratic)


def closed_loop(W, input_weights, code, forcing, readout, inputs, x0, out):
    """Run one sequence with the outputs fed back into the first inputs.

    For every step t: the last inputs are set to ``inputs.exogenous[t]``, a step is made, the
    readout of the new state is written to ``out[t]`` and to the first inputs.

    Parameters
    ----------
    W, input_weights, code, forcing : as in `run`
    readout : LinearReadout
    inputs : LoopInputs
        On exit, ``inputs.first`` is the next input, except for its exogenous part.
    x0 : (n_units,) state; updated in place
    out : (n_steps, n_outputs)
    """
    if _is_plain(W, input_weights, forcing):
        _plain_loop(W, input_weights, code, readout, inputs, x0, out)
    else:
        _loop_by_rows(W, input_weights, code, forcing, readout, inputs, x0, out)


@kernel(inline="always")
def set_exogenous(inputs, t, n_outputs):
    """Write the exogenous inputs of step t behind the outputs that are fed back."""
    for f in range(n_outputs, inputs.first.size):
        inputs.first[f] = inputs.exogenous[t, f - n_outputs]


@kernel(inline="always")
def feed_back(readout, z, n, u, partial_sums, y):
    """Write the readout of z = [x; u], or of x alone, to y and to the first inputs.

    A step has written the n units of x to the front of z, which is not read by the next step.
    """
    if readout.quadratic:
        for i in range(1, n, 2):
            z[i] *= z[i]
    for f in range(u.size):
        z[n + f] = u[f]
    affine_row(z[: readout.coef.shape[1]], readout.coef, readout.intercept, partial_sums, y)
    for f in range(y.size):
        u[f] = y[f]


@kernel
def _plain_loop(W, input_weights, code, readout, inputs, x0, out):
    """Run a closed loop with packed inputs and without forcing."""
    packed, n, u = pack(W, input_weights), x0.size, inputs.first
    readout = aligned_readout(readout)  # read at every step
    states, position = aligned(2 * int(state_capacity(n, x0)), x0), uint64(0)
    put_state(x0, states, position)
    z, partial_sums = aligned(n + u.size, u), aligned(LANES, u)
    target = OutputRows(z.reshape(1, z.size), uint64(0), False)
    rows = u.reshape(1, u.size)
    step, blocks = StepInputs(rows, rows, 0, 1), BlockRange(0, count_blocks(n, states))
    for t in range(out.shape[0]):
        set_exogenous(inputs, t, out.shape[1])
        position = run_steps(packed, code, blocks, step, StateBuffer(states, position), target)
        feed_back(readout, z, n, u, partial_sums, out[t])
    take_state(states, position, x0)


@kernel
def _loop_by_rows(W, input_weights, code, forcing, readout, inputs, x0, out):
    """Run a closed loop with forcing, many inputs or a W that is `Csr`."""
    packed, single_steps = pack(W, input_weights), is_forced(forcing) or not is_packed(W)
    dynamics = _Dynamics(W, input_weights, packed, code, forcing, single_steps)
    n, u = packed.n_units, inputs.first
    readout = aligned_readout(readout)  # read at every step
    states, position = aligned(2 * int(state_capacity(n, x0)), x0), uint64(0)
    put_state(x0, states, position)
    z, partial_sums = aligned(n + u.size, u), aligned(LANES, u)
    target = OutputRows(z.reshape(1, z.size), uint64(0), False)
    step = StepInputs(u.reshape(1, u.size), _projection_buffer(packed, 1, u), 0, 1)
    blocks = BlockRange(0, count_blocks(n, states))
    for t in range(out.shape[0]):
        set_exogenous(inputs, t, out.shape[1])
        if packed.n_inputs < 0:
            project(input_weights, step.rows, 0, 1, step.projected)
        buffer = StateBuffer(states, position)
        if single_steps:
            position = _single_step(dynamics, t, step, buffer, target)
        else:
            position = run_steps(packed, code, blocks, step, buffer, target)
        feed_back(readout, z, n, u, partial_sums, out[t])
    take_state(states, position, x0)
