"""Time steps of four sequences side by side, which read the weights once for all four.

A step of one sequence is bound by how fast its weights arrive. Vectors here hold the same units of
all four: four registers, each multiplied by the same weights. The equation, and the order of the
sums, are those of :mod:`esnkit.kernels.steps`.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.activations import activated
from esnkit.kernels.compilation import kernel
from esnkit.kernels.packed_weights import BLOCK_VECTORS
from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.masked import store_first
from esnkit.kernels.simd.vectors import (
    address,
    aligned,
    fill,
    join,
    load,
    multiply,
    part,
    repeat,
    store,
    width,
)
from esnkit.kernels.state_buffer import repeat_first_block, state_capacity
from esnkit.kernels.steps import StepInputs, sources_of, write_vector

MAX_INPUTS_PER_VECTOR = 4  # with more, the inputs of a block are projected in one call


class _FourRows(NamedTuple):
    """Flat indices at which one row of each of four sequences begins."""

    a: np.uint64
    b: np.uint64
    c: np.uint64
    d: np.uint64


@kernel(inline="always")
def _four_rows(starts, t, stride):
    return _FourRows(
        uint64(starts[0] + t) * stride, uint64(starts[1] + t) * stride,
        uint64(starts[2] + t) * stride, uint64(starts[3] + t) * stride,
    )  # fmt: skip


@kernel(inline="always")
def _inputs_of_four(inputs, rows, f):
    """Return input f of four sequences, each in all elements of its vector."""
    k = uint64(f)
    return join(
        fill(inputs[rows.a + k]), fill(inputs[rows.b + k]),
        fill(inputs[rows.c + k]), fill(inputs[rows.d + k]),
    )  # fmt: skip


@kernel(inline="always")
def _load_four(states, index, gap):
    """Return the same vector of units of four sequences, whose buffers are ``gap`` apart."""
    two = index + gap + gap
    return join(
        load(states, index), load(states, index + gap), load(states, two), load(states, two + gap)
    )


@kernel(inline="always")
def _store_four(states, index, gap, value):
    two = index + gap + gap
    store(states, index, part(value, 0))
    store(states, index + gap, part(value, 1))
    store(states, two, part(value, 2))
    store(states, two + gap, part(value, 3))


@kernel
def _project_four(weights, at, n_inputs, inputs, rows, out):
    """Write W_in u + b of a block of units, for four sequences, to ``out``, vector by vector.

    Two vectors of units at a time: every input is read twice per block, instead of once per
    vector, and AVX2 has no registers for more.
    """
    v = uint64(width(out))
    w = uint64(BLOCK_VECTORS) * v
    for first in range(0, BLOCK_VECTORS, 2):
        k, to = at + uint64(first) * v, uint64(first) * w
        one, two = repeat(load(weights, k)), repeat(load(weights, k + v))
        for f in range(n_inputs):
            u = _inputs_of_four(inputs, rows, f)
            k += w
            one = fma(repeat(load(weights, k)), u, one)
            two = fma(repeat(load(weights, k + v)), u, two)
        store(out, to, one)
        store(out, to + w, two)


@kernel(inline="always")
def _input_terms_of_four(sources, at, rows):
    """Return W_in u + b of one vector of units, for four sequences."""
    w = uint64(BLOCK_VECTORS * width(sources.states))
    value = repeat(load(sources.weights, at))
    for f in range(sources.n_inputs):
        at += w
        u = _inputs_of_four(sources.inputs, rows, f)
        value = fma(repeat(load(sources.weights, at)), u, value)
    return value


@kernel(inline="always")
def _next_of_four(sources, code, value, at, unit, state, gap):
    """Return the next states of the vector that begins at ``unit``, given W_in u + b as value.

    ``at`` is the index of the vector's bias in the weights; the entries of W follow the inputs.
    """
    w = uint64(BLOCK_VECTORS * width(sources.states))
    block, inside = unit // w, unit % w
    at += uint64(sources.n_inputs) * w
    column = block * uint64(sources.n_diagonals)
    for j in range(sources.n_diagonals):
        at += w
        x = state + inside + uint64(sources.columns[column + uint64(j)])
        weights = repeat(load(sources.weights, at))
        value = fma(weights, _load_four(sources.states, x, gap), value)
    value = activated(code, value)
    # k P x + g f(pre), as for one sequence.
    rate = block * sources.rates_stride + inside
    last = _load_four(sources.states, state + inside + uint64(sources.kept[block]), gap)
    kept = multiply(repeat(load(sources.rates, rate + w)), last)
    return fma(repeat(load(sources.rates, rate)), value, kept)


@kernel(inline="always")
def _write_four(out, rows, unit, value, n, nontemporal):
    """Write the vector of units of four sequences, or its first n elements, to their rows."""
    if n < width(out):
        store_first(out, rows.a + unit, part(value, 0), n)
        store_first(out, rows.b + unit, part(value, 1), n)
        store_first(out, rows.c + unit, part(value, 2), n)
        store_first(out, rows.d + unit, part(value, 3), n)
    else:
        write_vector(out, rows.a + unit, part(value, 0), nontemporal)
        write_vector(out, rows.b + unit, part(value, 1), nontemporal)
        write_vector(out, rows.c + unit, part(value, 2), nontemporal)
        write_vector(out, rows.d + unit, part(value, 3), nontemporal)


@kernel
def run_steps_of_four(packed, code, rows, starts, n_steps, buffer, out):
    """Compute ``n_steps`` of four sequences side by side, which read the weights once for all four.

    Parameters
    ----------
    packed : PackedWeights with packed inputs and no gathered entries
    code : int, activation
    rows : (n_rows, n_features), inputs
    starts : (4,) int64, first row of each sequence
    n_steps : int
    buffer : StateBuffer
        Of four sequences, one behind the other, each with room for two states.
    out : OutputRows

    Returns
    -------
    uint64
        Position of the last state in the buffer of each sequence.
    """
    n, states, position = packed.n_units, buffer.states, buffer.position
    v, w, capacity = width(states), uint64(BLOCK_VECTORS * width(states)), state_capacity(n, states)
    sources = sources_of(packed, StepInputs(rows, rows, 0, 0), states)
    # W_in u + b of a block, and the distance from the buffer of one sequence to the next.
    projected, gap = aligned(4 * BLOCK_VECTORS * v, states), capacity + capacity
    n_weights = w * uint64(packed.n_inputs + packed.n_diagonals + 1)
    rows_out = address(out.rows)
    for t in range(n_steps):
        new, read = capacity - position, _four_rows(starts, t, uint64(rows.shape[1]))
        written = _four_rows(starts, t, out.stride)
        # The last vector may reach beyond n_units: its weights are padded, the buffer has room.
        for first in range(0, n, v):
            unit = uint64(first)
            block, inside = unit // w, unit % w
            at = block * n_weights + inside
            if packed.n_inputs > MAX_INPUTS_PER_VECTOR:
                if inside == 0:
                    _project_four(
                        sources.weights, at, packed.n_inputs, sources.inputs, read,
                        address(projected),
                    )  # fmt: skip
                value = load(projected, inside * uint64(4), 4)
            else:
                value = _input_terms_of_four(sources, at, read)
            value = _next_of_four(sources, code, value, at, unit, position, gap)
            _store_four(sources.states, new + unit, gap, value)
            if out.stride:
                _write_four(rows_out, written, unit, value, n - first, out.nontemporal)
        for s in range(4):
            repeat_first_block(sources.states, new + uint64(s) * gap, n)
        position = new
    return position
