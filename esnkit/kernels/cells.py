"""Recurrent cells, step by step over packed batches: forward, tangent and backward passes.

Sequences of a batch stand side by side, longest first, so that step t has ``n[t]`` columns and
ragged batches cost what their time steps cost. Every array of a pass is a flat buffer of blocks,
one a step: block t of an array with k rows holds ``k * n[t]`` numbers, row-major, the batch
innermost. With S_t = [x_t; h_{t-1}; 1] all gates of a step are one product, Z_t = M S_t.

    rnn   h = tanh(z) or max(z, 0)
    lstm  (PyTorch's order i, f, g, o)   c = f c' + i g,   h = o tanh(c)
    gru   (r, z, nx, nh)                 h = z h' + (1 - z) tanh(nx + r nh)     reset after
    gru   (r, z, n)                      the rows of n see [x; r h'; 1]         reset before

The gates that a pass stores (``A``) are those after their activation.
"""

import numpy as np
from numba import njit

from esnkit.kernels.activations import fma, tanh
from esnkit.kernels.blas import gemm, gemm_nt, gemm_tn

RNN_TANH, RNN_RELU, LSTM, GRU_AFTER, GRU_BEFORE = range(5)
N_GATES = (1, 1, 4, 4, 3)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _sigmoid(x):
    half = x.dtype.type(0.5)
    for i in range(x.size):
        x[i] = fma(half, tanh(half * x[i]), half)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _tanh(x):
    for i in range(x.size):
        x[i] = tanh(x[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def copy_columns(source, n_source, target, n_target, n_rows):
    """Copy the leading columns of a block, and zeros where the source has too few."""
    shared = min(n_source, n_target)
    for k in range(n_rows):
        for j in range(shared):
            target[k * n_target + j] = source[k * n_source + j]
        for j in range(shared, n_target):
            target[k * n_target + j] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def gather(X, first, k, rows, n, n_rows, S):
    """Write k columns of the rows of X, from column `first`, into the first rows of S's blocks.

    ``rows[c]`` is the row of X that column c, counted through all blocks, stands for.
    """
    column = 0
    for t in range(n.size):
        m = n[t]
        block = S[n_rows * column : n_rows * (column + m)]
        for j in range(m):
            row = rows[column + j]
            for f in range(k):
                block[f * m + j] = X[row, first + f]
        column += m


@njit(cache=True, nogil=True, error_model="numpy")
def scatter(S, rows, n, n_rows, X, first, k):
    """Write the first k rows of S's blocks into k columns of the rows of X, from `first` on."""
    column = 0
    for t in range(n.size):
        m = n[t]
        block = S[n_rows * column : n_rows * (column + m)]
        for j in range(m):
            row = rows[column + j]
            for f in range(k):
                X[row, first + f] = block[f * m + j]
        column += m


@njit(cache=True, nogil=True, error_model="numpy")
def forward(cell, M, n, h0, c0, held, imposed, S, A, C, H):
    """Run a batch forward.

    Parameters
    ----------
    cell : int
    M : (n_gates * n_units, n_features + n_units + 1)
    n : (n_timesteps,) int64, sequences still running at each step, never growing
    h0, c0 : (n_units, n[0]) states before the first step
    held, imposed : (n_held,) int64 units, and blocks of n_held rows: the values they are held to
    S : blocks of n_features + n_units + 1 rows; the inputs are there, the rest is written
    A : blocks of n_gates * n_units rows, written: the gates
    C : blocks of n_units rows, written: cell states (lstm) or reset states r h' (gru before)
    H : blocks of n_units rows, written: the outputs
    """
    n_units = h0.shape[0]
    width = M.shape[1]
    n_features = width - n_units - 1
    n_gate_rows = M.shape[0]
    before_h, before_n = h0.reshape(-1), n[0]
    before_c = np.empty(n_units * n[0], M.dtype)
    before_c[:] = c0.reshape(-1)
    column = 0
    for t in range(n.size):
        m = n[t]
        size = n_units * m
        s = S[width * column : width * (column + m)]
        h = s[n_features * m : (width - 1) * m]
        copy_columns(before_h, before_n, h, m, n_units)
        s[(width - 1) * m :] = 1.0
        a = A[n_gate_rows * column : n_gate_rows * (column + m)]
        out = H[n_units * column : n_units * (column + m)]
        c = C[n_units * column : n_units * (column + m)] if C.size else before_c
        if cell == GRU_BEFORE:
            gates = a[: 2 * size]
            gemm(M[: 2 * n_units], s.reshape(width, m), 0.0, gates.reshape(2 * n_units, m))
            _sigmoid(gates)
            for i in range(size):
                c[i] = a[i] * h[i]
            kept = h.copy()
            h[:] = c
            candidate = a[2 * size :]
            gemm(M[2 * n_units :], s.reshape(width, m), 0.0, candidate.reshape(n_units, m))
            h[:] = kept
            _tanh(candidate)
            for i in range(size):
                out[i] = candidate[i] + a[size + i] * (h[i] - candidate[i])
        else:
            if cell == GRU_AFTER:
                _gru_gates(M, s.reshape(width, m), a.reshape(n_gate_rows, m), n_features, n_units)
            else:
                gemm(M, s.reshape(width, m), 0.0, a.reshape(n_gate_rows, m))
            if cell == LSTM:
                _lstm_step(a, size, before_c, before_n, m, n_units, c, out)
                before_c = c
            elif cell == GRU_AFTER:
                _sigmoid(a[: 2 * size])
                _gru_step(a, size, h, out)
            else:
                _rnn_step(cell, a, out)
        for k in range(held.size):
            for j in range(m):
                out[held[k] * m + j] = imposed[held.size * column + k * m + j]
        before_h, before_n = out, m
        column += m


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _rnn_step(cell, a, out):
    if cell == RNN_TANH:
        _tanh(a)
    else:
        for i in range(a.size):
            a[i] = max(a[i], a.dtype.type(0.0))
    for i in range(a.size):
        out[i] = a[i]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _lstm_step(a, size, before_c, before_n, m, n_units, c, out):
    i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    _sigmoid(a[: 2 * size])
    _tanh(g)
    _sigmoid(o)
    copy_columns(before_c, before_n, c, m, n_units)
    for k in range(size):
        c[k] = fma(f[k], c[k], i[k] * g[k])
    for k in range(size):
        out[k] = o[k] * tanh(c[k])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_gates(M, s, a, n_features, n_units):
    """Multiply without the blocks of M that are zero: nx sees no state, nh no input."""
    both = 2 * n_units
    gemm(M[:both], s, 0.0, a[:both])
    for i in range(both, both + n_units):
        a[i] = M[i, -1]
    gemm(M[both : both + n_units, :n_features], s[:n_features], 1.0, a[both : both + n_units])
    gemm(M[both + n_units :, n_features:], s[n_features:], 0.0, a[both + n_units :])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_gates_back(turned, s, d, ds, dM, n_features, n_units):
    """Carry the gradient of the gates back to M, inputs and states, again without the zeros."""
    both = 2 * n_units
    dx, dh = d[both : both + n_units], d[both + n_units :]
    gemm_nt(d[:both], s, 1.0, dM[:both])
    gemm_nt(dx, s[:n_features], 1.0, dM[both : both + n_units, :n_features])
    for i in range(n_units):
        dM[both + i, -1] += dx[i].sum()
    gemm_nt(dh, s[n_features:], 1.0, dM[both + n_units :, n_features:])
    gemm(turned[:, :both], d[:both], 0.0, ds)
    gemm(turned[:n_features, both : both + n_units], dx, 1.0, ds[:n_features])
    gemm(turned[n_features:, both + n_units :], dh, 1.0, ds[n_features:])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_step(a, size, h, out):
    r, z, nx, nh = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    for k in range(size):
        candidate = tanh(fma(r[k], nh[k], nx[k]))
        nx[k] = candidate
        out[k] = fma(z[k], h[k] - candidate, candidate)


@njit(cache=True, nogil=True, error_model="numpy")
def backward(cell, M, n, c0, held, S, A, C, dH, dM, dS, dh0, dc0):
    """Carry the gradient back through a run of `forward`.

    Parameters
    ----------
    cell, M, n, c0, held, S, A, C : as in `forward`, after it
    dH : blocks of n_units rows, d loss / d H; on exit also what came back through time, that is
        the whole derivative with respect to each output, zero for units that are held
    dM : like M, added to; the blocks of a gru where M is zero are left alone
    dS : blocks like S, written: the first n_features rows are d loss / d x
    dh0, dc0 : (n_units, n[0]), written
    """
    n_units = dh0.shape[0]
    width = M.shape[1]
    n_features = width - n_units - 1
    n_gate_rows = M.shape[0]
    size = 0
    ahead_h = np.zeros(0, M.dtype)
    ahead_c = np.zeros(n_units * n[0], M.dtype)
    dc = np.zeros(n_units * n[0], M.dtype)
    dz = np.empty(n_gate_rows * n[0], M.dtype)
    previous_c = np.empty(n_units * n[0], M.dtype)
    turned = M.T.copy()  # the products with it are faster than those that turn M themselves
    ahead_n = 0
    column = n.sum()
    for t in range(n.size - 1, -1, -1):
        m = n[t]
        column -= m
        size = n_units * m
        s = S[width * column : width * (column + m)]
        ds = dS[width * column : width * (column + m)]
        a = A[n_gate_rows * column : n_gate_rows * (column + m)]
        dh = dH[n_units * column : n_units * (column + m)]
        _add_columns(ahead_h, ahead_n, dh, m, n_units)
        for k in range(held.size):
            dh[held[k] * m : (held[k] + 1) * m] = 0.0
        d = dz[: n_gate_rows * m]
        h = s[n_features * m : (width - 1) * m]
        back = ds[n_features * m : (width - 1) * m]
        if cell == GRU_BEFORE:
            c = C[n_units * column : n_units * (column + m)]
            _gru_before_back(M, a, c, h, dh, d, s, ds, back, dM, n_units, width, m)
        else:
            if cell == LSTM:
                copy_columns(ahead_c, ahead_n, dc, m, n_units)
                if t > 0:
                    first = column - n[t - 1]
                    source = C[n_units * first : n_units * column]
                    copy_columns(source, n[t - 1], previous_c, m, n_units)
                else:
                    previous_c[:size] = c0.reshape(-1)
                c = C[n_units * column : n_units * (column + m)]
                _lstm_back(a, size, c, previous_c, dh, dc, d)
                ahead_c[:size] = dc[:size]
            elif cell == GRU_AFTER:
                _gru_after_back(a, size, h, dh, d)
            else:
                _rnn_back(cell, a, dh, d)
            gates = d.reshape(n_gate_rows, m)
            sb, dsb = s.reshape(width, m), ds.reshape(width, m)
            if cell == GRU_AFTER:
                _gru_gates_back(turned, sb, gates, dsb, dM, n_features, n_units)
                for k in range(size):
                    back[k] = fma(a[size + k], dh[k], back[k])
            else:
                gemm_nt(gates, sb, 1.0, dM)
                gemm(turned, gates, 0.0, dsb)
        ahead_h, ahead_n = back, m
    dh0[:] = ahead_h.reshape(n_units, n[0])
    dc0[:] = ahead_c.reshape(n_units, n[0])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _add_columns(source, n_source, target, n_target, n_rows):
    for k in range(n_rows):
        for j in range(n_source):
            target[k * n_target + j] += source[k * n_source + j]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _rnn_back(cell, a, dh, d):
    one, zero = a.dtype.type(1.0), a.dtype.type(0.0)
    if cell == RNN_TANH:
        for k in range(a.size):
            d[k] = dh[k] * (one - a[k] * a[k])
    else:
        for k in range(a.size):
            d[k] = dh[k] if a[k] > zero else zero


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _lstm_back(a, size, c, previous_c, dh, dc, d):
    one = a.dtype.type(1.0)
    i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    di, df, dg, do = d[:size], d[size : 2 * size], d[2 * size : 3 * size], d[3 * size :]
    for k in range(size):
        squashed = tanh(c[k])
        do[k] = dh[k] * squashed * o[k] * (one - o[k])
        dc[k] += dh[k] * o[k] * (one - squashed * squashed)
    for k in range(size):
        di[k] = dc[k] * g[k] * i[k] * (one - i[k])
        df[k] = dc[k] * previous_c[k] * f[k] * (one - f[k])
        dg[k] = dc[k] * i[k] * (one - g[k] * g[k])
        dc[k] *= f[k]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_after_back(a, size, h, dh, d):
    one = a.dtype.type(1.0)
    r, z, n, nh = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    dr, dz, dnx, dnh = d[:size], d[size : 2 * size], d[2 * size : 3 * size], d[3 * size :]
    for k in range(size):
        inner = dh[k] * (one - z[k]) * (one - n[k] * n[k])
        dz[k] = dh[k] * (h[k] - n[k]) * z[k] * (one - z[k])
        dr[k] = inner * nh[k] * r[k] * (one - r[k])
        dnx[k] = inner
        dnh[k] = inner * r[k]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_before_back(M, a, reset, h, dh, d, s, ds, back, dM, n_units, width, m):
    one = a.dtype.type(1.0)
    size = n_units * m
    r, z, n = a[:size], a[size : 2 * size], a[2 * size :]
    dr, dz, dn = d[:size], d[size : 2 * size], d[2 * size :]
    for k in range(size):
        dn[k] = dh[k] * (one - z[k]) * (one - n[k] * n[k])
        dz[k] = dh[k] * (h[k] - n[k]) * z[k] * (one - z[k])
    kept = h.copy()
    h[:] = reset
    candidate = dn.reshape(n_units, m)
    gemm_nt(candidate, s.reshape(width, m), 1.0, dM[2 * n_units :])
    gemm_tn(M[2 * n_units :], candidate, 0.0, ds.reshape(width, m))
    h[:] = kept
    for k in range(size):
        dr[k] = back[k] * h[k] * r[k] * (one - r[k])
        back[k] = fma(back[k], r[k], dh[k] * z[k])
    gates = d[: 2 * size].reshape(2 * n_units, m)
    gemm_nt(gates, s.reshape(width, m), 1.0, dM[: 2 * n_units])
    gemm_tn(M[: 2 * n_units], gates, 1.0, ds.reshape(width, m))
