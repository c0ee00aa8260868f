"""Time steps of a reservoir, of one sequence.

    pre(t) = b + W_in u(t) + W x(t-1)
    x(t)   = k P x(t-1) + g f(pre(t)),  (P x)[i] = x[(i + shift) mod n_units]

Every unit sums the terms of pre in one fixed order (bias, inputs by feature, then the entries of
its row of W in the order of the layout) with fused multiply-adds, so that every kernel and every
way to cut a sequence gives the same bits.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64
from numba.core import types
from numba.extending import overload

from esnkit.kernels.activations import activate, activated
from esnkit.kernels.compilation import kernel
from esnkit.kernels.layouts import Csr
from esnkit.kernels.packed_weights import BLOCK_VECTORS
from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.masked import store_first
from esnkit.kernels.simd.vectors import (
    address,
    fill,
    gather,
    load,
    multiply,
    store,
    store_nontemporal,
    width,
)
from esnkit.kernels.state_buffer import repeat_first_block, state_capacity


class StepInputs(NamedTuple):
    """Rows of inputs to run over."""

    rows: np.ndarray  # (n_rows, n_features), C-contiguous
    projected: np.ndarray  # W_in u + b of the rows from start on, if it is not packed
    start: int
    stop: int


class OutputRows(NamedTuple):
    """Where states are written: the one of input row t to ``rows``, from ``t * stride`` on."""

    rows: np.ndarray
    stride: np.uint64  # 0 if every state overwrites the one before
    nontemporal: bool  # write past the caches; rows must then begin on cache lines


class BlockRange(NamedTuple):
    """Blocks of units to compute, ``begin <= block < end``."""

    begin: int
    end: int


class Sources(NamedTuple):
    """Addresses of what a step reads, and the number of terms of each kind."""

    weights: np.ndarray
    rates: np.ndarray
    columns: np.ndarray
    kept: np.ndarray
    inputs: np.ndarray
    projected: np.ndarray
    states: np.ndarray
    rates_stride: np.uint64  # from one block to the next; 0 if all have the same
    n_inputs: int
    n_diagonals: int
    n_gathered: int


class _StepOffsets(NamedTuple):
    """Where the rows of one step begin in the inputs, the projected inputs and the states."""

    inputs: np.uint64
    projected: np.uint64
    state: np.uint64


@kernel(inline="always")
def sources_of(packed, inputs, states):
    """Return the `Sources` of arrays, which the caller must keep alive."""
    block = BLOCK_VECTORS * width(states)
    return Sources(
        address(packed.weights), address(packed.rates), address(packed.columns),
        address(packed.kept), address(inputs.rows), address(inputs.projected), address(states),
        uint64(2 * block) if packed.rates.size > 2 * block else uint64(0),
        packed.n_inputs, packed.n_diagonals, packed.n_gathered,
    )  # fmt: skip


@kernel(inline="always")
def _next_state(sources, offsets, code, block, inside, n_vectors):
    """Return the next state of one vector of units, or of the ``n_vectors`` of a block.

    The vector begins ``inside`` units into block number ``block``. The sum is

        b + sum_f W_in[f] u[f] + sum_j weights[j] x[columns[j]]

    ``at`` is the index of the weights of a term; those of the next one are w units further.
    """
    w = uint64(BLOCK_VECTORS * width(sources.states))
    n_inputs, n_diagonals, n_gathered = sources.n_inputs, sources.n_diagonals, sources.n_gathered
    unit = block * w + inside
    at = block * w * uint64(1 + n_inputs + n_diagonals + n_gathered) + inside
    if n_inputs < 0:
        value = load(sources.projected, offsets.projected + unit, n_vectors)
    else:
        value = load(sources.weights, at, n_vectors)
        at += w
        for f in range(n_inputs):
            u = fill(sources.inputs[offsets.inputs + uint64(f)], value)
            value = fma(load(sources.weights, at, n_vectors), u, value)
            at += w
    column = block * (uint64(n_diagonals) + uint64(n_gathered) * w)
    for j in range(n_diagonals):
        # Units i, i + 1, ... read (i + shift) mod n and those behind it: columns[j] + inside is
        # less than n_units and a block, which is where the repeated block ends.
        first = offsets.state + inside + uint64(sources.columns[column + uint64(j)])
        x = load(sources.states, first, n_vectors)
        value = fma(load(sources.weights, at, n_vectors), x, value)
        at += w
    for j in range(n_gathered):
        indices = column + inside + uint64(j) * w
        x = gather(sources.states, offsets.state, sources.columns, indices, n_vectors)
        value = fma(load(sources.weights, at, n_vectors), x, value)
        at += w
    value = activated(code, value)
    # k P x + g f(pre). Loaded any earlier, these would take the registers of tanh's constants. The
    # index is less than n_units and a block, as above.
    rate = block * sources.rates_stride + inside
    last = load(sources.states, offsets.state + inside + uint64(sources.kept[block]), n_vectors)
    kept = multiply(load(sources.rates, rate + w, n_vectors), last)
    return fma(load(sources.rates, rate, n_vectors), value, kept)


@kernel(inline="always")
def write_vector(rows, index, value, nontemporal):
    """Store a vector of new states, past the caches or not."""
    if nontemporal:
        store_nontemporal(rows, index, value)
    else:
        store(rows, index, value)


@kernel(inline="always")
def _write_first(rows, index, vector, n, nontemporal):
    """Write the first n elements of a vector, n being at least 1."""
    if n < width(rows):
        store_first(rows, index, vector, n)
    else:
        write_vector(rows, index, vector, nontemporal)


# Not inlined: in its caller, the loop would lose the registers that hold tanh's constants.
@kernel
def run_steps(packed, code, blocks, inputs, buffer, out):
    """Compute a range of blocks for the rows ``inputs.start`` to ``inputs.stop``.

    Parameters
    ----------
    packed : PackedWeights
    code : int, activation
    blocks : BlockRange
    inputs : StepInputs
    buffer : StateBuffer
    out : OutputRows

    Returns
    -------
    uint64
        Position of the last state in the buffer.
    """
    n, states, position = packed.n_units, buffer.states, buffer.position
    v, w = width(states), BLOCK_VECTORS * width(states)
    sources, capacity = sources_of(packed, inputs, states), state_capacity(n, states)
    rows, stride, nontemporal = address(out.rows), out.stride, out.nontemporal
    input_stride, projected_stride = uint64(inputs.rows.shape[1]), uint64(inputs.projected.shape[1])
    # Whole blocks are computed at once; the vectors of a last one that n_units ends in, one by one.
    n_full = min(blocks.end, n // w)
    n_single = n if n_full < blocks.end else 0
    for t in range(inputs.start, inputs.stop):
        new, row = capacity - position, uint64(t) * stride
        offsets = _StepOffsets(
            uint64(t) * input_stride, uint64(t - inputs.start) * projected_stride, position
        )
        for b in range(blocks.begin, n_full):
            unit = uint64(b) * uint64(w)
            value = _next_state(sources, offsets, code, uint64(b), uint64(0), BLOCK_VECTORS)
            store(sources.states, new + unit, value)
            write_vector(rows, row + unit, value, nontemporal)
        for first in range(n_full * w, n_single, v):
            unit, inside = uint64(first), uint64(first - n_full * w)
            vector = _next_state(sources, offsets, code, uint64(n_full), inside, 1)
            store(sources.states, new + unit, vector)
            _write_first(rows, row + unit, vector, n - first, nontemporal)
        if blocks.begin == 0:
            repeat_first_block(sources.states, new, n)
        position = new
    return position


@kernel
def _step_csr(W, input_weights, code, projected, x, out):
    """Make a step unit by unit, in loops that each do one thing, so that two of them vectorise."""
    for i in range(out.size):
        total = projected[i]
        for k in range(W.indptr[i], W.indptr[i + 1]):
            total = fma(W.weights[k], x[W.columns[k]], total)
        out[i] = total
    activate(code, out)
    for i in range(out.size):
        last = x[(i + input_weights.shift) % out.size]
        out[i] = fma(input_weights.gain[i], out[i], input_weights.keep[i] * last)


def step_unpacked(W, input_weights, code, projected, x, out):
    """Write the state after ``x`` to ``out`` if W is a `Csr`; other layouts have packed weights.

    ``projected`` is W_in u + b.
    """
    if isinstance(W, Csr):
        _step_csr(W, input_weights, code, projected, x, out)


@overload(step_unpacked, inline="always")
def _step_unpacked_overload(W, input_weights, code, projected, x, out):
    if isinstance(W, types.NamedTuple) and W.instance_class is Csr:
        return lambda W, input_weights, code, projected, x, out: _step_csr(
            W, input_weights, code, projected, x, out
        )
    return lambda W, input_weights, code, projected, x, out: None
