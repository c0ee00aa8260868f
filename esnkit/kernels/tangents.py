"""Tangents of the recurrent cells: how states move where weights, inputs and first states move.

An R in front of a letter is its derivative along the direction, so the pre-activations of a step
move by RZ = V S + M RS, where V is how M moves; the rest are derivatives of the equations in
:mod:`esnkit.kernels.cell_equations`. Layouts are those of :mod:`esnkit.kernels.cells`.
"""

import numpy as np

from esnkit.kernels.blocks import copy_columns
from esnkit.kernels.cell_equations import (
    CARRIES_C,
    GRU_AFTER,
    GRU_BEFORE,
    LSTM,
    MIN_GRU,
    MIN_LSTM,
    MULTIPLIES_STATES,
    RNN_TANH,
)
from esnkit.kernels.cells import n_rows_of
from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.elementary import fma, tanh
from esnkit.kernels.simd.products import product

__all__ = ["tangent"]


@kernel
def tangent(cell, weights, n, tape, initial, moves):
    """Carry a direction forward through a run of `forward`.

    Parameters
    ----------
    cell, n : as in `forward`
    weights : (M, V, E, RE), V and RE like M and E: how these move
    tape : (S, A, C, c0, units), as in `backward`
    initial : (Rh0, Rc0), (n_units, n[0]) each: how the first states move
    moves : (RS, RZ, RC, RH), like S, the gates, C and the outputs; the inputs' part of RS is there,
        and all the rest is written; RC of a min gru or min lstm is RH
    """
    (M, V, E, RE), (S, _, C, c0, units), (Rh0, Rc0), (RS, RZ, RC, RH) = (
        weights,
        tape,
        initial,
        moves,
    )
    n_units, (n_gate_rows, n_rows) = Rh0.shape[0], M.shape
    n_features, column, n_before = n_rows - n_rows_of(cell, 0, n_units), 0, n[0]
    rh_before, rc_before, c_before = Rh0.reshape(-1), _flat_copy(Rc0), _flat_copy(c0)
    for t in range(n.size):
        m = n[t]
        rows, units_of_step = slice(n_rows * column, n_rows * (column + m)), n_units * m
        s, rs = S[rows], RS[rows]
        a = _gates_of_step(tape, n, t, column, n_units, n_rows, n_gate_rows)
        rz = RZ[n_gate_rows * column : n_gate_rows * (column + m)]
        out = RH[n_units * column : n_units * (column + m)]
        h, rh = s[n_features * m : (n_rows - 1) * m], rs[n_features * m : (n_rows - 1) * m]
        if MULTIPLIES_STATES[cell]:
            copy_columns(rh_before, 0, n_before, rh, 0, m, n_units)
        rs[(n_rows - 1) * m :] = 0.0
        s_rows, rs_rows = s.reshape(n_rows, m), rs.reshape(n_rows, m)
        # RZ = V S + M RS; the ones below S do not move.
        product(V, s_rows, False, rz.reshape(n_gate_rows, m))
        product(M, rs_rows, True, rz.reshape(n_gate_rows, m))
        if CARRIES_C[cell]:
            c = C[n_units * column : n_units * (column + m)]
            rc = RC[n_units * column : n_units * (column + m)]
            copy_columns(rc_before, 0, n_before, rc, 0, m, n_units)
            leading = np.empty(units_of_step, M.dtype)
            copy_columns(c_before, 0, n_before, leading, 0, m, n_units)
            if cell == LSTM:
                _lstm_tangent(a, rz, leading, c, rc, out)
            elif cell == MIN_GRU:
                _min_gru_tangent(a, rz, leading, out)
            elif cell == MIN_LSTM:
                _min_lstm_tangent(a, rz, leading, out)
            else:
                _lru_tangent(E, RE, a, rz, leading, rc)
                _lru_output_tangent(c, rc, a[units_of_step:], rz[units_of_step:], out)
            c_before, rc_before = c, rc
        elif cell == GRU_AFTER:
            _gru_after_tangent(a, rz, h, rh, out)
        elif cell == GRU_BEFORE:
            reset = C[n_units * column : n_units * (column + m)]
            _gru_before_tangent(M, V, a, rz, reset, s_rows, rs_rows, out)
        else:
            _rnn_tangent(cell, a, rz, out)
        # Clamped units do not move.
        for k in range(units.size):
            out[units[k] * m : (units[k] + 1) * m] = 0.0
        rh_before, n_before = out, m
        column += m


@kernel(inline="always")
def _flat_copy(block):
    flat = np.empty(block.size, block.dtype)
    flat[:] = block.reshape(-1)
    return flat


@kernel(inline="always")
def _gates_of_step(tape, n, t, column, n_units, n_rows, n_gate_rows):
    """Return the gates of step t: from A, unless that has the last step of a plain network alone.

    Its gates are its outputs, which S of the next step has, too.
    """
    S, A = tape[0], tape[1]
    m = n[t]
    if A.size == n_gate_rows * n.sum():
        return A[n_gate_rows * column : n_gate_rows * (column + m)]
    if t + 1 == n.size:
        return A
    start = n_rows * (column + m) + (n_rows - n_units - 1) * m
    return S[start : start + n_units * m]


@kernel(inline="always")
def _rnn_tangent(cell, a, rz, out):
    """Rh = (1 - h^2) Rz, or Rz where h > 0; a holds h."""
    for k in range(a.size):
        if cell == RNN_TANH:
            out[k] = fma(-a[k] * a[k], rz[k], rz[k])
        else:
            out[k] = rz[k] if a[k] > 0.0 else a.dtype.type(0.0)


@kernel(inline="always")
def _lstm_tangent(a, rz, c_before, c, rc, out):
    """Write Rc over Rc', then Rh, from c = f c' + i g and h = o tanh(c)."""
    one, size = a.dtype.type(1.0), c.size
    i, f, g, o = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    ri, rf, rg, ro = rz[:size], rz[size : 2 * size], rz[2 * size : 3 * size], rz[3 * size :]
    for k in range(size):
        # R sigmoid(z) = s (1 - s) Rz and R tanh(z) = (1 - g^2) Rz, in terms of the activations.
        moved = f[k] * rc[k] + f[k] * (one - f[k]) * rf[k] * c_before[k]
        moved += i[k] * (one - i[k]) * ri[k] * g[k] + i[k] * (one - g[k] * g[k]) * rg[k]
        rc[k] = moved
        tanh_c = tanh(c[k])
        out[k] = o[k] * (one - o[k]) * ro[k] * tanh_c
        out[k] += o[k] * (one - tanh_c * tanh_c) * moved


@kernel(inline="always")
def _gru_after_tangent(a, rz, h, rh, out):
    """Write Rh, from n = tanh(nx + r nh) and h = u h' + (1 - u) n."""
    one, size = a.dtype.type(1.0), h.size
    r, u, n, nh = a[:size], a[size : 2 * size], a[2 * size : 3 * size], a[3 * size :]
    rr, ru, rx, rn = rz[:size], rz[size : 2 * size], rz[2 * size : 3 * size], rz[3 * size :]
    for k in range(size):
        # R(nx + r nh), then Rn, then Rh = u Rh' + (1 - u) Rn + Ru (h' - n).
        inner = rx[k] + r[k] * (one - r[k]) * rr[k] * nh[k] + r[k] * rn[k]
        moved = (one - n[k] * n[k]) * inner
        out[k] = u[k] * rh[k] + (one - u[k]) * moved
        out[k] += u[k] * (one - u[k]) * ru[k] * (h[k] - n[k])


@kernel(inline="always")
def _gru_before_tangent(M, V, a, rz, reset, s, rs, out):
    """Write Rh, from n = tanh(W [x; r h'; 1]) and h = u h' + (1 - u) n.

    The products for n read r h' where h' stands in s, and R(r h') where Rh' stands in rs; both are
    restored afterwards.
    """
    one, size, m = a.dtype.type(1.0), out.size, s.shape[1]
    r, u, n = a[:size], a[size : 2 * size], a[2 * size :]
    rr, ru, rn = rz[:size], rz[size : 2 * size], rz[2 * size :]
    stop = s.size - m
    h, rh = s.reshape(-1)[stop - size : stop], rs.reshape(-1)[stop - size : stop]
    h_before, rh_before = h.copy(), rh.copy()
    # R(r h') = r Rh' + Rr h'
    for k in range(size):
        rh[k] = r[k] * (one - r[k]) * rr[k] * h[k] + r[k] * rh[k]
    h[:] = reset
    first = 2 * size // m
    product(V[first:], s, False, rn.reshape(-1, m))
    product(M[first:], rs, True, rn.reshape(-1, m))
    h[:] = h_before
    rh[:] = rh_before
    for k in range(size):
        moved = (one - n[k] * n[k]) * rn[k]
        out[k] = u[k] * rh[k] + (one - u[k]) * moved
        out[k] += u[k] * (one - u[k]) * ru[k] * (h[k] - n[k])


@kernel(inline="always")
def _min_gru_tangent(a, rz, h, out):
    """Write Rh over Rh', from h = u h' + (1 - u) n."""
    one, size = a.dtype.type(1.0), out.size
    for k in range(size):
        u, n = a[k], a[size + k]
        out[k] = u * out[k] + (one - u) * rz[size + k] + u * (one - u) * rz[k] * (h[k] - n)


@kernel(inline="always")
def _min_lstm_tangent(a, rz, h, out):
    """Write Rh over Rh', from h = k h' + (1 - k) n and k = f / (f + i)."""
    one, size = a.dtype.type(1.0), out.size
    for j in range(size):
        i, f, n = a[j], a[size + j], a[2 * size + j]
        k = f / (f + i)
        moved = k * (one - k) * ((one - f) * rz[size + j] - (one - i) * rz[j])
        out[j] = k * out[j] + (one - k) * rz[2 * size + j] + moved * (h[j] - n)


@kernel(inline="always")
def _lru_tangent(E, RE, v, rv, c, rc):
    """Write Rc over Rc', from c = l c' + s v."""
    pairs = E.shape[1]
    m, half = c.size // (2 * pairs), c.size // 2
    for row in range(pairs):
        l_re, l_im, s = E[0, row], E[1, row], E[2, row]
        rl_re, rl_im, rs = RE[0, row], RE[1, row], RE[2, row]
        for re in range(row * m, (row + 1) * m):
            im = re + half
            new_re = l_re * rc[re] - l_im * rc[im] + rl_re * c[re] - rl_im * c[im]
            new_im = l_re * rc[im] + l_im * rc[re] + rl_re * c[im] + rl_im * c[re]
            rc[re] = new_re + s * rv[re] + rs * v[re]
            rc[im] = new_im + s * rv[im] + rs * v[im]


@kernel(inline="always")
def _lru_output_tangent(c, rc, o, rz, out):
    """Write Rh, from h = c o, o = sigmoid(z + c)."""
    one = c.dtype.type(1.0)
    for k in range(out.size):
        out[k] = o[k] * rc[k] + c[k] * o[k] * (one - o[k]) * (rz[k] + rc[k])
