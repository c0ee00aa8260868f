"""Recurrent cells, step by step over packed batches: forward and backward passes.

Sequences of a batch stand side by side, longest first, so that step t has ``n[t]`` columns and
ragged batches cost what their time steps cost. Every array of a pass is a flat buffer of blocks,
one a step: block t of an array with k rows holds ``k * n[t]`` numbers, row-major, the batch
innermost. With S_t = [x_t; h_{t-1}; 1] all gates of a step are one product, Z_t = M S_t.

    rnn   h = tanh(z) or max(z, 0)
    lstm  (PyTorch's order i, f, g, o)   c = f c' + i g,   h = o tanh(c)
    gru   (r, z, nx, nh)                 h = z h' + (1 - z) tanh(nx + r nh)     reset after
    gru   (r, z, n)                      the rows of n see [x; r h'; 1]         reset before

The gates that a pass stores (``A``) are those after their activation; of a plain network, whose
only gate is its output, A and H are one array.
"""

import numpy as np
from numba import njit

from esnkit.kernels.activations import fma, positive, tanh
from esnkit.kernels.blocks import (
    add_products,
    block_product,
    copy_columns,
    lines,
    n_bytes,
    product,
    turn,
)
from esnkit.kernels.linalg import LANES, dot
from esnkit.kernels.simd.masked import drop_tiny, load_first, store_first
from esnkit.kernels.simd.vectors import aligned, fill, row_size, width

RNN_TANH, RNN_RELU, LSTM, GRU_AFTER, GRU_BEFORE = range(5)
N_GATES = (1, 1, 4, 4, 3)


@njit(cache=True, nogil=True, error_model="numpy")
def forward(cell, M, turned, n, h0, c0, held, imposed, S, A, C, H):
    """Run a batch forward.

    Parameters
    ----------
    cell : int
    M : (n_gates * n_units, n_features + n_units + 1)
    turned : M.T, for a single sequence; it may be empty otherwise
    n : (n_timesteps,) int64, sequences still running at each step, never growing
    h0, c0 : (n_units, n[0]) states before the first step; for one step H and C may be their memory
    held, imposed : (n_held,) int64 units, and blocks of n_held rows: the values they are held to
    S : blocks of n_features + n_units + 1 rows; the inputs are there, the rest is written
    A : blocks of n_gates * n_units rows, written: the gates
    C : blocks of n_units rows, written: cell states (lstm) or reset states r h' (gru before)
    H : blocks of n_units rows, written: the outputs. It may be room for one block, which every
        step takes anew, if all steps have as many sequences.
    """
    n_units = h0.shape[0]
    n_gate_rows, n_rows = M.shape
    n_features, one = n_rows - n_units - 1, M.dtype.type(1)
    at_m, turned_at = M.ctypes.data, turned.ctypes.data if turned.size else 0
    before_h, before_c = h0.reshape(-1), c0.reshape(-1)
    cells = C if C.size else before_c
    before, at_c, before_n, column = 0, 0, n[0], 0
    far = 0 if H.size == h0.size else n_units
    far_a = far if cell <= RNN_RELU else n_gate_rows
    for t in range(n.size):
        m = n[t]
        s, a, c, h = n_rows * column, far_a * column, n_units * column, far * column
        copy_columns(before_h, before, before_n, S, s + n_features * m, m, n_units)
        for j in range(s + (n_rows - 1) * m, s + n_rows * m):
            S[j] = one
        if cell == LSTM:
            copy_columns(before_c, at_c, before_n, cells, c, m, n_units)
            before_c, at_c = cells, c
        _step(cell, one, n_features, n_units, m, at_m, turned_at, S, s, A, a, cells, c, H, h)
        for k in range(held.size):
            for j in range(m):
                H[h + held[k] * m + j] = imposed[held.size * column + k * m + j]
        before_h, before, before_n = H, h, m
        column += m


@njit(cache=True, nogil=True, error_model="numpy")
def stream(cell, n_layers, n_units, n_inputs, n_outputs, state, inputs, work):
    """Run one sequence forward by one step, which costs little more than one call.

    So all is in one array, as each makes a call slower. Nothing is done, and False returned, where
    an input is not finite.

    Parameters
    ----------
    cell : int
    n_layers, n_units, n_inputs : int
    n_outputs : int, 0 for no reading
    state, inputs : int, places in ``work``
    work : flat: of each layer M and M.T, then (n_outputs, n_units) and (n_outputs,) that read h; at
        ``state`` the h of all layers, and of an lstm the c of all, which are written over; at
        ``inputs`` the inputs, then the outputs, which are written, LANES numbers of room, and room
        for S, A and C of any layer
    """
    for i in range(inputs, inputs + n_inputs):
        if not np.isfinite(work[i]):
            return False
    one, start, n_features, said = work.dtype.type(1), 0, n_inputs, inputs + n_inputs
    s, below = said + n_outputs + LANES, inputs
    for layer in range(n_layers):
        n_rows, n_gate_rows = n_features + n_units + 1, N_GATES[cell] * n_units
        h, a = state + layer * n_units, s + n_rows
        for i in range(n_features):
            work[s + i] = work[below + i]
        for i in range(n_units):
            work[s + n_features + i] = work[h + i]
        work[a - 1] = one
        c = h + n_layers * n_units if cell == LSTM else a + n_gate_rows
        size = n_rows * n_gate_rows
        M = work.ctypes.data + start * n_bytes(one)
        turned = M + size * n_bytes(one)
        _step(cell, one, n_features, n_units, 1, M, turned, work, s, work, a, work, c, work, h)
        start += 2 * size
        n_features, below = n_units, h
    lanes = work[s - LANES : s]
    for o in range(n_outputs):
        bias = work[start + n_outputs * n_units + o]
        work[said + o] = dot(work, below, work, start + o * n_units, n_units, lanes) + bias
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _step(cell, one, n_features, n_units, m, M, turned, S, s, A, a, C, c, H, h):
    """Make one step of m sequences, whose blocks begin at the places s, a, c and h.

    M and turned are addresses, zero where there is none; C holds the cells before this step. All
    the rest is as in `forward`; ``one`` is any number of the arrays' type.
    """
    n_gate_rows, n_rows = N_GATES[cell] * n_units, n_features + n_units + 1
    size, both, past = n_units * m, 2 * n_units, s + n_features * m
    weights = one, M, turned, n_gate_rows, n_rows, m
    at_s, at_a = S.ctypes.data + s * n_bytes(one), A.ctypes.data + a * n_bytes(one)
    if cell == LSTM:
        _gates(*weights, 0, n_gate_rows, 0, n_rows, False, at_s, at_a)
        _lstm_step(size, A, a, C, c, H, h)
    elif cell == GRU_AFTER:
        # Without the blocks of M that are zero: nx sees no state, nh no input.
        _gates(*weights, 0, both, 0, n_rows, False, at_s, at_a)
        _gates(*weights, both, n_units, n_rows - 1, 1, False, at_s, at_a)
        _gates(*weights, both, n_units, 0, n_features, True, at_s, at_a)
        _gates(*weights, both + n_units, n_units, n_features, n_units + 1, False, at_s, at_a)
        _gru_step(size, A, a, S, past, H, h)
    elif cell == GRU_BEFORE:
        _gates(*weights, 0, both, 0, n_rows, False, at_s, at_a)
        _reset(size, A, a, S, past, C, c)
        at_c = C.ctypes.data + (c - n_features * m) * n_bytes(one)
        _gates(*weights, both, n_units, n_rows - 1, 1, False, at_s, at_a)
        _gates(*weights, both, n_units, 0, n_features, True, at_s, at_a)
        _gates(*weights, both, n_units, n_features, n_units, True, at_c, at_a)
        _gru_before_step(size, A, a, S, past, H, h)
    else:
        _gates(*weights, 0, n_gate_rows, 0, n_rows, False, at_s, at_a)
        _rnn_step(cell, size, A, a, H, h)


@njit(cache=True, nogil=True, error_model="numpy")
def _gates(one, M, turned, n_gate_rows, n_rows, m, i, n_i, k, n_k, add, s, a):
    """Multiply n_k rows of a block at s, from the k-th on, for n_i rows of one at a, from i on."""
    size = n_bytes(one)
    at_m, at_t = M + (i * n_rows + k) * size, 0
    if turned:
        at_t = turned + (k * n_gate_rows + i) * size
    s, a = s + k * m * size, a + i * m * size
    block_product(one, at_m, n_rows, at_t, n_gate_rows, n_i, n_k, s, m, add, a)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _sigmoid(x, half):
    return fma(half, tanh(half * x), half)


@njit(cache=True, nogil=True, error_model="numpy")
def _rnn_step(cell, size, A, a, H, h):
    for k in range(0, size, width(A)):
        left = size - k
        z = load_first(A, a + k, left)
        store_first(H, h + k, tanh(z) if cell == RNN_TANH else positive(z), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _lstm_step(size, A, a, C, c, H, h):
    """On entry C holds the cells before this step."""
    half = fill(A.dtype.type(0.5))
    for k in range(0, size, width(A)):
        left, at = size - k, a + k
        i = _sigmoid(load_first(A, at, left), half)
        f = _sigmoid(load_first(A, at + size, left), half)
        g = tanh(load_first(A, at + 2 * size, left))
        o = _sigmoid(load_first(A, at + 3 * size, left), half)
        new = fma(f, load_first(C, c + k, left), i * g)
        store_first(A, at, i, left)
        store_first(A, at + size, f, left)
        store_first(A, at + 2 * size, g, left)
        store_first(A, at + 3 * size, o, left)
        store_first(C, c + k, new, left)
        store_first(H, h + k, o * tanh(new), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _gru_step(size, A, a, S, s, H, h):
    """The states before this step begin at the place s."""
    half = fill(A.dtype.type(0.5))
    for k in range(0, size, width(A)):
        left, at = size - k, a + k
        r = _sigmoid(load_first(A, at, left), half)
        z = _sigmoid(load_first(A, at + size, left), half)
        nh = load_first(A, at + 3 * size, left)
        new = tanh(fma(r, nh, load_first(A, at + 2 * size, left)))
        store_first(A, at, r, left)
        store_first(A, at + size, z, left)
        store_first(A, at + 2 * size, new, left)
        store_first(H, h + k, fma(z, load_first(S, s + k, left) - new, new), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _reset(size, A, a, S, s, C, c):
    """Finish r and z of a gru that resets before, and write the reset states into C."""
    half = fill(A.dtype.type(0.5))
    for k in range(0, size, width(A)):
        left, at = size - k, a + k
        r = _sigmoid(load_first(A, at, left), half)
        store_first(A, at, r, left)
        store_first(A, at + size, _sigmoid(load_first(A, at + size, left), half), left)
        store_first(C, c + k, r * load_first(S, s + k, left), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _gru_before_step(size, A, a, S, s, H, h):
    """The states before this step begin at the place s."""
    for k in range(0, size, width(A)):
        left, at = size - k, a + k
        new, z = tanh(load_first(A, at + 2 * size, left)), load_first(A, at + size, left)
        store_first(A, at + 2 * size, new, left)
        store_first(H, h + k, fma(z, load_first(S, s + k, left) - new, new), left)


@njit(cache=True, nogil=True, error_model="numpy")
def backward(
    cell, M, turned, n, c0, held, S, A, C, last, dH, together, cut, dM, rest, dX, dh0, dc0
):  # fmt: skip
    """Carry the gradient back through a run of `forward`.

    What is nearer to zero than ``TINY`` of the vectors is dropped on the way.

    Parameters
    ----------
    cell, M, n, c0, held, S, A, C : as in `forward`, after it
    turned : M.T
    last : (n_units * n[0],) d loss / d the last outputs of every sequence, where the loss sees no
        others: then dH is written alone; empty otherwise
    dH : blocks of n_units rows, d loss / d H; on exit also what came back through time, that is
        the whole derivative with respect to each output, zero for units that are held. Where it is
        written alone it may be room for one block, which every step takes anew.
    together : int, steps whose share in the gradient of the weights is added up in one product
    cut : int, columns from there on add to ``rest`` instead of dM; n[0] but for some cells
    dM, rest : like M, added to; the blocks of a gru where M is zero are left alone
    dX : blocks of n_features rows, written: d loss / d x; empty where nobody asks for it
    dh0, dc0 : (n_units, n[0]), written
    """
    n_units, n_gate_rows, n_rows = dh0.shape[0], M.shape[0], M.shape[1]
    n_features, one, most = n_rows - n_units - 1, M.dtype.type(1), n_units * n[0]
    together = min(n.size, together)
    weights = one, M.ctypes.data, turned.ctypes.data, n_gate_rows, n_rows
    back, spare, dc = aligned(most, S), aligned(most, S), aligned(most, S)
    dc[:] = 0
    dz = aligned(together * n_gate_rows * n[0], S)
    # Rows that begin on a line of the cache, as vectors of them are read again and again.
    seen = aligned(together * n[0] * lines(n_rows, S), S).reshape(-1, lines(n_rows, S))[:, :n_rows]
    each, first_c = np.arange(n[0]), c0.reshape(-1)
    waiting, ahead, column = 0, 0, n.sum()
    far = 0 if dH.size == most else n_units
    far_a = 0 if A.size == n_gate_rows * n[0] else n_gate_rows
    for t in range(n.size - 1, -1, -1):
        m = n[t]
        column -= m
        s, a, c, h = n_rows * column, far_a * column, n_units * column, far * column
        d, before, b = n_gate_rows * waiting * m, first_c, 0
        if last.size:
            _join_columns(back, ahead, last, n[0], dH, h, m, n_units)
        else:
            _add_columns(back, ahead, dH, h, m, n_units)
        for k in range(held.size):
            for j in range(m):
                dH[h + held[k] * m + j] = 0
        _turn_both(one, S, s, m, cut, each, seen, together, waiting)
        if cell == LSTM:
            if ahead < m:
                copy_columns(dc, 0, ahead, spare, 0, ahead, n_units)
                copy_columns(spare, 0, ahead, dc, 0, m, n_units)
            if t:
                before, b = _leading_columns(C, c - n_units * n[t - 1], n[t - 1], m, n_units, spare)
        gates = A
        if cell <= RNN_RELU and ahead == m:
            # The step after this one saw them, and they are nearer there.
            gates, a = S, s + (n_rows + n_features) * m
        _step_back(
            cell, *weights, n_units, m, S, s, gates, a, C, c, before, b, dH, h, dz, d, back, dc
        )
        if dX.size:
            at_x = dX.ctypes.data + n_features * column * n_bytes(one)
            _carry(*weights, m, 0, n_gate_rows, 0, n_features, False, dz, d, at_x)
        ahead = m
        if cell == GRU_BEFORE:
            _add_gru_before(S, s, C, c, dz, m, n_units, each, seen, dM)
            continue
        waiting += 1
        if waiting == together or t == 0 or n[t - 1] != m:
            blocks = dz[: waiting * n_gate_rows * m].reshape(waiting, n_gate_rows, m)
            steps = S[s : s + n_rows * waiting * m].reshape(waiting, n_rows, m)
            # The last step came first.
            _add_both(cell, blocks, steps[::-1], seen, cut, together, n_units, dM, rest)
            waiting = 0
    dh0[:] = back.reshape(n_units, n[0])
    dc0[:] = dc.reshape(n_units, n[0])


@njit(cache=True, nogil=True, error_model="numpy")
def _step_back(
    cell, one, M, turned, n_gate_rows, n_rows, n_units, m, S, s, A, a, C, c, before, b, dH, h, dz,
    d, back, dc,
):  # fmt: skip
    """Carry the gradient through one step of m sequences, whose blocks begin at the places.

    M and turned are addresses; the cells before the step begin at the place b of ``before``. dz
    gets the gradient of the gates, ``back`` that of the states before the step.
    """
    weights, at = (one, M, turned, n_gate_rows, n_rows, m), back.ctypes.data
    size, both, n_features = n_units * m, 2 * n_units, n_rows - n_units - 1
    past = s + n_features * m
    if cell == LSTM:
        _lstm_back(size, A, a, C, c, before, b, dH, h, dc, dz, d)
        _carry(*weights, 0, n_gate_rows, n_features, n_units, False, dz, d, at)
    elif cell == GRU_AFTER:
        # Again without the blocks of M that are zero.
        _gru_after_back(size, A, a, S, past, dH, h, dz, d, back)
        _carry(*weights, 0, both, n_features, n_units, True, dz, d, at)
        _carry(*weights, both + n_units, n_units, n_features, n_units, True, dz, d, at)
    elif cell == GRU_BEFORE:
        _gru_before_back(size, A, a, S, past, dH, h, dz, d)
        _carry(*weights, both, n_units, n_features, n_units, False, dz, d, at)
        _reset_back(size, A, a, S, past, dH, h, dz, d, back)
        _carry(*weights, 0, both, n_features, n_units, True, dz, d, at)
    else:
        _rnn_back(cell, size, A, a, dH, h, dz, d)
        _carry(*weights, 0, n_gate_rows, n_features, n_units, False, dz, d, at)


@njit(cache=True, nogil=True, error_model="numpy")
def _carry(one, M, turned, n_gate_rows, n_rows, m, i, n_i, k, n_k, add, dz, d, out):
    """Carry n_i rows of gates, from the i-th on, to n_k of what they saw, from the k-th on."""
    size = n_bytes(one)
    at_t, at_m = turned + (k * n_gate_rows + i) * size, M + (i * n_rows + k) * size
    at_d = dz.ctypes.data + (d + i * m) * size
    block_product(one, at_t, n_gate_rows, at_m, n_rows, n_k, n_i, at_d, m, add, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _turn_both(one, S, s, m, cut, each, seen, together, waiting):
    """Write the columns of a block before and behind the cut as rows, those behind further on."""
    left = min(m, cut)
    right, k, far, size = m - left, seen.shape[1], row_size(seen), n_bytes(one)
    block, rows = S.ctypes.data + s * size, seen.ctypes.data
    turn(one, block, m, k, left, each, rows + waiting * left * far * size, far)
    if right:
        rows += (together * cut + waiting * right) * far * size
        turn(one, block + left * size, m, k, right, each, rows, far)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_both(cell, d, s, seen, cut, together, n_units, dM, rest):
    """Add the products of the columns before the cut to dM, and of those behind it to ``rest``."""
    steps, _, m = d.shape
    left = min(m, cut)
    rows = seen[: steps * left]
    _add_to_weights(cell, d[:, :, :left], s[:, :, :left], rows, n_units, dM)
    if left < m:
        rows = seen[together * cut : together * cut + steps * (m - left)]
        _add_to_weights(cell, d[:, :, left:], s[:, :, left:], rows, n_units, rest)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_columns(source, n_source, target, t, n_target, n_rows):
    """Add the columns of a block to the leading ones of another, which begins at the place t."""
    if n_source == n_target:
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_source, width(target)):
            left, place = n_source - j, t + k * n_target + j
            total = load_first(target, place, left) + load_first(source, k * n_source + j, left)
            store_first(target, place, drop_tiny(total), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _join_columns(source, n_source, last, n_last, target, t, n_target, n_rows):
    """Copy a block to the leading columns of another, and to the others what stands in ``last``.

    The other begins at the place t.
    """
    if n_source == n_target:
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_target, width(target)):
            place = t + k * n_target + j
            if j + width(target) > n_source and n_source < n_target:
                vector = load_first(last, k * n_last + j, n_target - j)
                store_first(target, place, vector, n_target - j)
            vector = drop_tiny(load_first(source, k * n_source + j, n_source - j))
            store_first(target, place, vector, n_source - j)


@njit(cache=True, nogil=True, error_model="numpy")
def _leading_columns(C, c, n_before, m, n_units, spare):
    """Return where the first m columns of a block begin that has n_before; maybe in ``spare``."""
    if n_before == m:
        return C, c
    copy_columns(C, c, n_before, spare, 0, m, n_units)
    return spare, 0


@njit(cache=True, nogil=True, error_model="numpy")
def _rnn_back(cell, size, A, a, dH, h, dz, d):
    one, zero = fill(A.dtype.type(1.0)), A.dtype.type(0.0)
    if cell == RNN_RELU:
        for k in range(size):
            dz[d + k] = dH[h + k] if A[a + k] > zero else zero
        return
    for k in range(0, size, width(A)):
        left = size - k
        out = load_first(A, a + k, left)
        store_first(dz, d + k, drop_tiny(load_first(dH, h + k, left) * (one - out * out)), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _lstm_back(size, A, a, C, c, before, b, dH, h, dc, dz, d):
    one = fill(A.dtype.type(1.0))
    for k in range(0, size, width(A)):
        left, at, to = size - k, a + k, d + k
        i, f = load_first(A, at, left), load_first(A, at + size, left)
        g, o = load_first(A, at + 2 * size, left), load_first(A, at + 3 * size, left)
        squashed, along = tanh(load_first(C, c + k, left)), load_first(dH, h + k, left)
        to_c = along * o * (one - squashed * squashed) + load_first(dc, k, left)
        to_i = to_c * g * i * (one - i)
        to_f = to_c * load_first(before, b + k, left) * f * (one - f)
        to_g = to_c * i * (one - g * g)
        to_o = along * squashed * o * (one - o)
        store_first(dz, to, drop_tiny(to_i), left)
        store_first(dz, to + size, drop_tiny(to_f), left)
        store_first(dz, to + 2 * size, drop_tiny(to_g), left)
        store_first(dz, to + 3 * size, drop_tiny(to_o), left)
        store_first(dc, k, drop_tiny(to_c * f), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _gru_after_back(size, A, a, S, s, dH, h, dz, d, back):
    """The states before this step begin at the place s."""
    one = fill(A.dtype.type(1.0))
    for k in range(0, size, width(A)):
        left, at, to = size - k, a + k, d + k
        r, z = load_first(A, at, left), load_first(A, at + size, left)
        new, nh = load_first(A, at + 2 * size, left), load_first(A, at + 3 * size, left)
        along = load_first(dH, h + k, left)
        to_z = along * (load_first(S, s + k, left) - new) * z * (one - z)
        inner = along * (one - z) * (one - new * new)
        to_r = inner * nh * r * (one - r)
        store_first(dz, to, drop_tiny(to_r), left)
        store_first(dz, to + size, drop_tiny(to_z), left)
        store_first(dz, to + 2 * size, drop_tiny(inner), left)
        store_first(dz, to + 3 * size, drop_tiny(inner * r), left)
        store_first(back, k, along * z, left)


@njit(cache=True, nogil=True, error_model="numpy")
def _gru_before_back(size, A, a, S, s, dH, h, dz, d):
    """Write the gradients of z and n; the states before this step begin at the place s."""
    one = fill(A.dtype.type(1.0))
    for k in range(0, size, width(A)):
        left = size - k
        z, new = load_first(A, a + size + k, left), load_first(A, a + 2 * size + k, left)
        along = load_first(dH, h + k, left)
        to_z = along * (load_first(S, s + k, left) - new) * z * (one - z)
        to_n = along * (one - z) * (one - new * new)
        store_first(dz, d + size + k, drop_tiny(to_z), left)
        store_first(dz, d + 2 * size + k, drop_tiny(to_n), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _reset_back(size, A, a, S, s, dH, h, dz, d, back):
    """Write the gradient of r; ``back`` holds that of the reset states, then of those before."""
    one = fill(A.dtype.type(1.0))
    for k in range(0, size, width(A)):
        left = size - k
        r, z = load_first(A, a + k, left), load_first(A, a + size + k, left)
        to_reset, past = load_first(back, k, left), load_first(S, s + k, left)
        store_first(dz, d + k, drop_tiny(to_reset * past * r * (one - r)), left)
        store_first(back, k, fma(to_reset, r, load_first(dH, h + k, left) * z), left)


@njit(cache=True, nogil=True, error_model="numpy")
def _add_to_weights(cell, d, s, sT, n_units, dM):
    """Add to dM the products of the gradients of the gates of some steps with what they saw."""
    if cell != GRU_AFTER:
        add_products(d, s, sT, dM)
        return
    both, all_x = 2 * n_units, 3 * n_units
    n_features = sT.shape[1] - n_units - 1
    bias = n_features + n_units
    to_x, to_h = d[:, both:all_x], d[:, all_x:]
    x, h, one = s[:, :n_features], s[:, n_features:], s[:, bias:]
    add_products(d[:, :both], s, sT, dM[:both])
    add_products(to_x, x, sT[:, :n_features], dM[both:all_x, :n_features])
    add_products(to_x, one, sT[:, bias:], dM[both:all_x, bias:])
    add_products(to_h, h, sT[:, n_features:], dM[all_x:, n_features:])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_gru_before(S, s, C, c, dz, m, n_units, each, seen, dM):
    """Add the share of one step to dM; ``seen`` holds what r and z saw, n saw the reset states."""
    n_rows, both, one = dM.shape[1], 2 * n_units, S.dtype.type(1)
    d, rows = dz[: 3 * n_units * m].reshape(-1, m), seen[:m]
    product(d[:both], rows, True, dM[:both])
    n_features = n_rows - n_units - 1
    reset = C.ctypes.data + c * n_bytes(one), rows[:, n_features:].ctypes.data
    turn(one, reset[0], m, n_units, m, each, reset[1], row_size(seen))
    product(d[both:], rows, True, dM[both:])
