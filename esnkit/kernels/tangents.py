"""Tangents of the recurrent cells: how states move where weights, inputs and first states move.

Layouts are those of :mod:`esnkit.kernels.cells`; an R in front of a letter is its derivative along
the direction, so the pre-activations of a step move by RZ = V S + M RS.
"""

import numpy as np
from numba import njit

from esnkit.kernels.activations import fma, tanh
from esnkit.kernels.blocks import copy_columns, product
from esnkit.kernels.cells import GRU_AFTER, GRU_BEFORE, LSTM, RNN_TANH


@njit(cache=True, nogil=True, error_model="numpy")
def tangent(cell, M, V, n, c0, Rh0, Rc0, held, S, A, C, RS, RZ, RC, RH):
    """Carry a direction forward through a run of `forward`.

    Parameters
    ----------
    cell, M, n, c0, held, S, A, C : as in `forward`, after it
    V : like M, how it moves
    Rh0, Rc0 : (n_units, n[0]), how the first states move
    RS : like S; how the inputs move is there, the rest is written
    RZ, RC, RH : like A, C and the outputs, written
    """
    n_units = Rh0.shape[0]
    width = M.shape[1]
    n_features = width - n_units - 1
    n_gate_rows = M.shape[0]
    before_h, before_n = Rh0.reshape(-1), n[0]
    before_rc = np.empty(n_units * n[0], M.dtype)
    before_rc[:] = Rc0.reshape(-1)
    before_c = np.empty(n_units * n[0], M.dtype)
    before_c[:] = c0.reshape(-1)
    column = 0
    for t in range(n.size):
        m = n[t]
        size = n_units * m
        s = S[width * column : width * (column + m)]
        rs = RS[width * column : width * (column + m)]
        rh = rs[n_features * m : (width - 1) * m]
        copy_columns(before_h, 0, before_n, rh, 0, m, n_units)
        rs[(width - 1) * m :] = 0.0
        after = width * (column + m) + n_features * m
        if A.size == RZ.size:
            a = A[n_gate_rows * column : n_gate_rows * (column + m)]
        elif t + 1 < n.size:  # A is kept of the last step alone, see `forward`
            a = S[after : after + size]
        else:
            a = A
        rz = RZ[n_gate_rows * column : n_gate_rows * (column + m)]
        out = RH[n_units * column : n_units * (column + m)]
        h = s[n_features * m : (width - 1) * m]
        gates = rz.reshape(n_gate_rows, m)
        product(V, s.reshape(width, m), False, gates)
        product(M, rs.reshape(width, m), True, gates)
        if cell == LSTM:
            c = C[n_units * column : n_units * (column + m)]
            rc = RC[n_units * column : n_units * (column + m)]
            copy_columns(before_rc, 0, before_n, rc, 0, m, n_units)
            _lstm_tangent(a, rz, size, before_c, before_n, m, n_units, c, rc, out)
            before_c, before_rc = c, rc
        elif cell == GRU_AFTER:
            _gru_after_tangent(a, rz, size, h, rh, out)
        elif cell == GRU_BEFORE:
            c = C[n_units * column : n_units * (column + m)]
            _gru_before_tangent(M, V, a, rz, c, h, rh, s, rs, out, n_units, width, m)
        elif cell == RNN_TANH:
            for k in range(size):
                out[k] = fma(-a[k] * a[k], rz[k], rz[k])
        else:
            for k in range(size):
                out[k] = rz[k] if a[k] > 0.0 else a.dtype.type(0.0)
        for k in range(held.size):
            out[held[k] * m : (held[k] + 1) * m] = 0.0
        before_h, before_n = out, m
        column += m


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _lstm_tangent(a, rz, size, before_c, before_n, m, n_units, c, rc, out):
    """On entry rc holds how the cells before this step move."""
    one = a.dtype.type(1.0)
    i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    ri, rf, rg, ro = rz[:size], rz[size : 2 * size], rz[2 * size : 3 * size], rz[3 * size :]
    for u in range(n_units):
        for j in range(m):
            k = u * m + j
            moved = f[k] * rc[k] + f[k] * (one - f[k]) * rf[k] * before_c[u * before_n + j]
            moved += i[k] * (one - i[k]) * ri[k] * g[k] + i[k] * (one - g[k] * g[k]) * rg[k]
            rc[k] = moved
            squashed = tanh(c[k])
            out[k] = o[k] * (one - o[k]) * ro[k] * squashed
            out[k] += o[k] * (one - squashed * squashed) * moved


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_after_tangent(a, rz, size, h, rh, out):
    one = a.dtype.type(1.0)
    r, z, n, nh = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    rr, ru, rx, rn = rz[:size], rz[size : 2 * size], rz[2 * size : 3 * size], rz[3 * size :]
    for k in range(size):
        inner = rx[k] + r[k] * (one - r[k]) * rr[k] * nh[k] + r[k] * rn[k]
        moved = (one - n[k] * n[k]) * inner
        out[k] = z[k] * rh[k] + (one - z[k]) * moved
        out[k] += z[k] * (one - z[k]) * ru[k] * (h[k] - n[k])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _gru_before_tangent(M, V, a, rz, reset, h, rh, s, rs, out, n_units, width, m):
    one = a.dtype.type(1.0)
    size = n_units * m
    r, z, n = a[:size], a[size : 2 * size], a[2 * size :]
    rr, ru, rn = rz[:size], rz[size : 2 * size], rz[2 * size :]
    kept, kept_rh = h.copy(), rh.copy()
    for k in range(size):
        rh[k] = r[k] * (one - r[k]) * rr[k] * h[k] + r[k] * rh[k]
    h[:] = reset
    candidate = rn.reshape(n_units, m)
    product(V[2 * n_units :], s.reshape(width, m), False, candidate)
    product(M[2 * n_units :], rs.reshape(width, m), True, candidate)
    h[:] = kept
    rh[:] = kept_rh
    for k in range(size):
        moved = (one - n[k] * n[k]) * rn[k]
        out[k] = z[k] * rh[k] + (one - z[k]) * moved
        out[k] += z[k] * (one - z[k]) * ru[k] * (h[k] - n[k])
