"""Reservoir dynamics of many sequences at a time, each in one lane of the SIMD vectors.

A vector here holds one unit of several sequences instead of several units of one sequence. Every
weight is loaded once for `LANES` sequences, and nothing is gathered, whatever the columns of W. In
memory, the lanes of one unit are next to each other. The sums have the order of
:mod:`esnkit.kernels.steps`, hence the same bits.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from esnkit.kernels.activations import activated
from esnkit.kernels.compilation import kernel
from esnkit.kernels.reservoir import apply_forcing, is_forced
from esnkit.kernels.simd.addresses import block
from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.transposition import scatter_columns
from esnkit.kernels.simd.vectors import aligned, fill, load, multiply, store, width

__all__ = ["LANES", "run_lanes"]

LANES = 32  # sequences at a time
TILE_UNITS = 64  # units computed before they are copied to the output, while in the cache


class _LaneBuffer(NamedTuple):
    """Inputs and states of `LANES` sequences, the lanes of one feature or unit side by side."""

    inputs: np.ndarray  # (n_features * LANES,)
    states: np.ndarray  # (2 * n_units * LANES,), the last ones and the new ones
    last: np.uint64  # index of the last states
    new: np.uint64  # index of the new states


@kernel
def run_lanes(W, input_weights, code, forcing, inputs, x0, out):
    """Run many sequences, `LANES` at a time.

    Parameters
    ----------
    W : Csr
        Entries of each row in the order in which the layout of `run` sums them.
    input_weights, code, forcing : as in `run`
    inputs : InputSequences, longest first
    x0 : (n_sequences, n_units), states; updated in place
    out : as in `run`
    """
    n = input_weights.b.size
    keeps_all = len(out) > 0
    if not keeps_all:
        out = np.empty((LANES, n), x0.dtype)
    u = np.zeros(inputs.rows.shape[1] * LANES, x0.dtype)
    states = aligned(2 * n * LANES, x0)
    offsets, flat = np.empty(LANES, np.uint64), out.reshape(-1)
    last, new = uint64(0), uint64(n * LANES)
    for first in range(0, inputs.starts.size, LANES):
        n_lanes = min(LANES, inputs.starts.size - first)
        _load_states(x0, first, n_lanes, states, last)
        for t in range(inputs.lengths[first]):
            # Longest first: the lanes of sequences that have ended are the last ones. They are
            # still computed, from whatever inputs they had, and no longer copied.
            while inputs.lengths[first + n_lanes - 1] <= t:
                n_lanes -= 1
            for lane in range(n_lanes):
                row = inputs.starts[first + lane] + t if keeps_all else lane
                offsets[lane] = uint64(row) * uint64(out.shape[1])
            _load_inputs(inputs, first, t, n_lanes, u)
            buffer = _LaneBuffer(u, states, last, new)
            for begin in range(0, n, TILE_UNITS):
                end = min(begin + TILE_UNITS, n)
                _step_units(W, input_weights, code, begin, end, buffer)
                units = block(states, new + uint64(begin * LANES), LANES)
                rows = block(flat, begin, 1)
                scatter_columns(units, end - begin, n_lanes, rows, block(offsets, 0, 1))
            for lane in range(n_lanes):
                state = flat[offsets[lane] : offsets[lane] + uint64(n)]
                if is_forced(forcing):
                    apply_forcing(forcing, inputs.starts[first + lane] + t, state)
                    _store_lane(state, lane, states, new)
                if inputs.lengths[first + lane] == t + 1:  # the last step of this sequence
                    for i in range(n):
                        x0[first + lane, i] = state[i]
            last, new = new, last


@kernel(inline="always")
def _load_states(x0, first, n_lanes, states, position):
    """Copy states from ``x0[first]`` on to the lanes; lanes without a sequence repeat the first."""
    for i in range(x0.shape[1]):
        for lane in range(LANES):
            row = first + lane if lane < n_lanes else first
            states[position + uint64(i * LANES + lane)] = x0[row, i]


@kernel(inline="always")
def _load_inputs(inputs, first, t, n_lanes, u):
    """Copy row t of the sequences from ``first`` on to the lanes."""
    for lane in range(n_lanes):
        row = inputs.starts[first + lane] + t
        for f in range(inputs.rows.shape[1]):
            u[f * LANES + lane] = inputs.rows[row, f]


@kernel(inline="always")
def _store_lane(state, lane, states, position):
    """Write the state of one sequence to its lane."""
    for i in range(state.size):
        states[position + uint64(i * LANES + lane)] = state[i]


@kernel
def _step_units(W, input_weights, code, begin, end, buffer):
    """Make one step of the units from ``begin`` to ``end``, in all lanes.

    Two vectors of lanes are summed side by side, so that one need not wait for the last addition to
    the other. Weights and units are those of :mod:`esnkit.kernels.steps`, one unit at a time.
    """
    u, x, (last, new) = buffer.inputs, buffer.states, (buffer.last, buffer.new)
    w_in, b, v, lanes = input_weights.w_in, input_weights.b, uint64(width(x)), uint64(LANES)
    for i in range(begin, end):
        for lane in range(0, LANES, 2 * width(x)):
            k = uint64(lane)
            one = two = fill(b[i])
            for f in range(w_in.shape[0]):
                weight, at = fill(w_in[f, i]), uint64(f) * lanes + k
                one = fma(weight, load(u, at), one)
                two = fma(weight, load(u, at + v), two)
            for e in range(W.indptr[i], W.indptr[i + 1]):
                weight, at = fill(W.weights[e]), last + uint64(W.columns[e]) * lanes + k
                one = fma(weight, load(x, at), one)
                two = fma(weight, load(x, at + v), two)
            one, two = activated(code, one), activated(code, two)
            to = new + uint64(i) * lanes + k
            kept = last + uint64((i + input_weights.shift) % b.size) * lanes + k
            gain, keep = fill(input_weights.gain[i]), fill(input_weights.keep[i])
            store(x, to, fma(gain, one, multiply(keep, load(x, kept))))
            store(x, to + v, fma(gain, two, multiply(keep, load(x, kept + v))))
