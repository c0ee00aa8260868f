"""Recurrent cells forward: one layer on a packed batch, or on one sequence step by step.

Sequences of a batch stand side by side, longest first, so that step t has ``n[t]`` columns and
ragged batches cost what their time steps cost. Every array of a pass is a flat buffer of blocks,
one a step: block t of an array with k rows holds ``k * n[t]`` numbers, row-major, the batch
innermost. With S_t = [x_t; h_{t-1}; 1] all gates of a step are one product, Z_t = M S_t, whose rows
are the gates one after the other, each of n_units rows:

    rnn          z
    lstm         i, f, g, o (PyTorch's order)
    gru          r, u, nx, nh    M is zero from the states to nx and from the inputs to nh
    gru before   r, u, n         the rows of n multiply [x_t; r h_{t-1}; 1]
    min gru      u, n            S_t = [x_t; 1]
    min lstm     i, f, n         S_t = [x_t; 1]
    lru          v, o            S_t = [x_t; 1]

Gates of the last three do not depend on the states: what is left of the recurrence is elementwise.

:mod:`esnkit.kernels.cell_equations` has what follows the product. The gates that a pass stores
(``A``) are those after their activation; of a plain network, whose only gate is its output, A and
H are one array.
"""

from typing import NamedTuple

import numpy as np

from esnkit.kernels.blocks import copy_columns
from esnkit.kernels.cell_equations import (
    CARRIES_C,
    GRU_AFTER,
    GRU_BEFORE,
    LRU,
    LSTM,
    MIN_GRU,
    MIN_LSTM,
    MULTIPLIES_STATES,
    N_GATES,
    RNN_RELU,
    RNN_TANH,
    Buffers,
    Offsets,
    gru_after_step,
    gru_before_step,
    lru_step,
    lstm_step,
    min_gru_step,
    min_lstm_step,
    reset_step,
    rnn_step,
)
from esnkit.kernels.compilation import kernel
from esnkit.kernels.linalg import LANES, dot
from esnkit.kernels.simd.addresses import block
from esnkit.kernels.simd.products import Matrix, Part, matrix, multiply_part
from esnkit.kernels.simd.vectors import address

__all__ = [
    "GRU_AFTER",
    "GRU_BEFORE",
    "LRU",
    "LSTM",
    "MIN_GRU",
    "MIN_LSTM",
    "N_GATES",
    "RNN_RELU",
    "RNN_TANH",
    "Sizes",
    "forward",
    "stream",
]


class Sizes(NamedTuple):
    """Sizes of a layer, and how many sequences a step has."""

    n_features: int
    n_units: int
    m: int


@kernel(inline="always")
def n_rows_of(cell, n_features, n_units):
    """Return the rows of S, which are the columns of M."""
    return n_features + (n_units if MULTIPLIES_STATES[cell] else 0) + 1


# Arrays come from Python as plain tuples: at every call from Python, Numba looks up the class of a
# NamedTuple, which takes half a microsecond for each.
@kernel
def forward(cell, weights, n, initial, clamped, buffers):
    """Run a batch forward.

    Parameters
    ----------
    cell : int, one of the codes
    weights : (M, M.T, E), (n_gates * n_units, n_rows) and a copy of its transpose, which may be
        empty unless the batch is a single sequence; (3, n_units / 2) of an lru, else (3, 0)
    n : (n_timesteps,) int64, sequences still running at each step, never growing
    initial : (h, c), (n_units, n[0]) each: states before the first step; c counts for cells that
        carry it, and is h for a min gru or min lstm. For one step H and C may be these arrays.
    clamped : (units, values), int64 (n_clamped,) and blocks of n_clamped rows: units that have
        given values after each step
    buffers : (S, A, C, H), flat arrays; the inputs stand in S, and all the rest is written:
        S, blocks of n_rows rows, see `n_rows_of`
        A, blocks of n_gates * n_units rows
        C, blocks of n_units rows; empty unless the cell needs it; H for a min gru or min lstm
        H, blocks of n_units rows; or a single block, which every step overwrites, if all steps have
        the same number of sequences
    """
    (M, MT, E), (h0, c0), (units, values), (S, A, C, H) = weights, initial, clamped, buffers
    n_units, (n_gate_rows, n_rows) = h0.shape[0], M.shape
    n_features = n_rows - n_rows_of(cell, 0, n_units)
    one, W = M.dtype.type(1), matrix(M, MT)
    cells = address(C) if C.size else address(c0)  # which is not used then
    ptr = Buffers(address(S), address(A), cells, address(H), address(E))
    h_before, h_start, n_before = address(h0), 0, n[0]
    c_before, c_start, column = address(c0), 0, 0
    # Rows of H (and of A, where that is H) that each column takes: none if one block serves all.
    h_rows = 0 if H.size == h0.size else n_units
    a_rows = h_rows if cell <= RNN_RELU else n_gate_rows
    for t in range(n.size):
        m, s = n[t], n_rows * column
        at = Offsets(s, s + n_features * m, a_rows * column, n_units * column, h_rows * column, 0)
        # S = [x; h_{t-1}; 1]: x is there. h of sequences that ended is left behind.
        if MULTIPLIES_STATES[cell]:
            copy_columns(h_before, h_start, n_before, ptr.S, at.h_before, m, n_units)
        for j in range(s + (n_rows - 1) * m, s + n_rows * m):
            S[j] = one
        if CARRIES_C[cell]:
            copy_columns(c_before, c_start, n_before, ptr.C, at.C, m, n_units)
            c_before, c_start = ptr.C, at.C
        _step(cell, W, Sizes(n_features, n_units, m), ptr, at)
        # Row units[k] of the block of H gets row k of the block of values, both of m columns.
        for k in range(units.size):
            for j in range(m):
                H[at.H + units[k] * m + j] = values[units.size * column + k * m + j]
        h_before, h_start, n_before = ptr.H, at.H, m
        column += m


@kernel
def stream(cell, n_layers, n_units, n_inputs, n_outputs, state, inputs, work):
    """Run one sequence forward by one step, which takes little longer than a call from Python.

    Every array argument makes the call slower, so all numbers are in one. If an input is not
    finite, nothing is done and False returned.

    Parameters
    ----------
    cell : int
    n_layers, n_units, n_inputs : int
    n_outputs : int, 0 for a network without head
    state, inputs : int, offsets into ``work``
    work : flat: of each layer M and M.T, and E of an lru; then weights (n_outputs, n_units) and
        biases (n_outputs,) of the head; at ``state`` the h of all layers, and of an lstm or lru the
        c of all, which are overwritten; at ``inputs`` the inputs, then the outputs, which are
        written, LANES numbers for partial sums, and S, A and C of the layer that is computed
    """
    for i in range(inputs, inputs + n_inputs):
        if not np.isfinite(work[i]):
            return False
    outputs = inputs + n_inputs
    s = outputs + n_outputs + LANES
    everything, one = address(work), work.dtype.type(1)
    buffers = Buffers(everything, everything, everything, everything, everything)
    start, n_features, below = 0, n_inputs, inputs
    for layer in range(n_layers):
        n_rows, n_gate_rows = n_rows_of(cell, n_features, n_units), N_GATES[cell] * n_units
        h, a = state + layer * n_units, s + n_rows
        for i in range(n_features):
            work[s + i] = work[below + i]
        for i in range(n_rows - n_features - 1):
            work[s + n_features + i] = work[h + i]
        work[a - 1] = one
        c = _cell_states(cell, h, n_layers * n_units, a + n_gate_rows)
        size = n_rows * n_gate_rows
        M = Matrix(block(work, start, n_rows), block(work, start + size, n_gate_rows), True)
        at = Offsets(s, s + n_features, a, c, h, start + 2 * size)
        _step(cell, M, Sizes(n_features, n_units, 1), buffers, at)
        start += 2 * size + (3 * (n_units // 2) if cell == LRU else 0)
        n_features, below = n_units, h
    sums = work[s - LANES : s]
    for o in range(n_outputs):
        bias = work[start + n_outputs * n_units + o]
        work[outputs + o] = dot(work, below, work, start + o * n_units, n_units, sums) + bias
    return True


@kernel(inline="always")
def _cell_states(cell, h, n_hidden, behind_gates):
    """Return where C of a layer begins.

    Cell states of all layers follow the h of all layers; reset states follow the gates.
    """
    if cell == LSTM or cell == LRU:
        return h + n_hidden
    return h if CARRIES_C[cell] else behind_gates


@kernel
def _step(cell, M, sizes, buffers, at):
    """Make one step of m sequences: the products Z = M S, then the equations of the cell.

    On entry S is complete, and C of cells that carry it holds the cell states before this step.
    """
    n_features, n_units, m = sizes
    size, n_rows = n_units * m, n_rows_of(cell, n_features, n_units)
    S, Z = block(buffers.S, at.S, m), block(buffers.A, at.A, m)
    if cell == LSTM:
        multiply_part(M, Part(0, 4 * n_units, 0, n_rows), S, False, Z, m)
        lstm_step(size, buffers, at)
    elif cell == GRU_AFTER:
        # Without the blocks of M that are zero: nx = W x + b and nh = U h' + b.
        multiply_part(M, Part(0, 2 * n_units, 0, n_rows), S, False, Z, m)
        _candidate_of_inputs(M, sizes, buffers, at)
        h, nh = block(buffers.S, at.h_before, m), block(buffers.A, at.A + 3 * size, m)
        multiply_part(M, Part(3 * n_units, n_units, n_features, n_units + 1), h, False, nh, m)
        gru_after_step(size, buffers, at)
    elif cell == GRU_BEFORE:
        # r and u first: the state part of n is U (r h'), where r h' stands in C.
        multiply_part(M, Part(0, 2 * n_units, 0, n_rows), S, False, Z, m)
        reset_step(size, buffers, at)
        _candidate_of_inputs(M, sizes, buffers, at)
        reset, n = block(buffers.C, at.C, m), block(buffers.A, at.A + 2 * size, m)
        multiply_part(M, Part(2 * n_units, n_units, n_features, n_units), reset, True, n, m)
        gru_before_step(size, buffers, at)
    elif cell == MIN_GRU:
        multiply_part(M, Part(0, 2 * n_units, 0, n_rows), S, False, Z, m)
        min_gru_step(size, buffers, at)
    elif cell == MIN_LSTM:
        multiply_part(M, Part(0, 3 * n_units, 0, n_rows), S, False, Z, m)
        min_lstm_step(size, buffers, at)
    elif cell == LRU:
        multiply_part(M, Part(0, 2 * n_units, 0, n_rows), S, False, Z, m)
        lru_step(n_units, m, buffers, at)
    else:
        multiply_part(M, Part(0, n_units, 0, n_rows), S, False, Z, m)
        rnn_step(cell, size, buffers, at)


@kernel
def _candidate_of_inputs(M, sizes, buffers, at):
    """Begin the third gate of a gru: its bias, then what the inputs add.

    A separate product adds the states, or reset states, last: the order fixes the rounding.
    """
    n_features, n_units, m = sizes
    n_rows = n_features + n_units + 1
    x, one = block(buffers.S, at.S, m), block(buffers.S, at.S + (n_rows - 1) * m, m)
    n = block(buffers.A, at.A + 2 * n_units * m, m)
    multiply_part(M, Part(2 * n_units, n_units, n_rows - 1, 1), one, False, n, m)
    multiply_part(M, Part(2 * n_units, n_units, 0, n_features), x, True, n, m)
