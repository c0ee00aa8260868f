"""Reservoir dynamics on plain arrays.

    pre(t) = W_in u(t) + W x(t-1) + b
    x(t)   = (1 - a) x(t-1) + a f(pre(t)) + noise(t)

Every unit sums its terms in one fixed order (bias, inputs, then the entries of its row of W in
the order of the layout) with fused multiply-adds, whatever kernel runs it: a sequence alone, in a
group of lanes, cut in two, or in closed loop gives the same bits.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, uint64
from numba.core import types
from numba.extending import overload

from esnkit.kernels.activations import activate, fma
from esnkit.kernels.linalg import affine_row

LANES = 64
ROWS = 8


class Diagonals(NamedTuple):
    """W as cyclic diagonals: entry (i, (i + shifts[j]) mod n_units) is weights[j, i]."""

    weights: np.ndarray  # (n_diagonals, n_units)
    shifts: np.ndarray  # (n_diagonals,) uint64


class Ell(NamedTuple):
    """W with a bounded number of entries a row, padded with zeros: (i, columns[j, i])."""

    weights: np.ndarray  # (n_entries, n_units)
    columns: np.ndarray  # (n_entries, n_units) uint32


class Csr(NamedTuple):
    """W in compressed sparse rows."""

    weights: np.ndarray  # (nnz,)
    columns: np.ndarray  # (nnz,) uint32
    indptr: np.ndarray  # (n_units + 1,) int64


class Drive(NamedTuple):
    """Everything of a reservoir but W."""

    w_in: np.ndarray  # (n_features, n_units)
    b: np.ndarray  # (n_units,)
    leak: np.ndarray  # (n_units,)
    keep: np.ndarray  # (n_units,), 1 - leak


class Held(NamedTuple):
    """What is added to or imposed on the states: empty arrays where nothing is."""

    noise: np.ndarray  # (n_rows or 0, n_units)
    units: np.ndarray  # (n_held,) int64
    values: np.ndarray  # (n_rows or 1, n_held)


def propagate(W, x, pre):
    """Add ``W x`` to ``pre``; ``x`` holds the state twice in a row."""
    n = pre.size
    for i in range(n):
        if isinstance(W, Diagonals):
            for j in range(W.shifts.size):
                pre[i] = fma(W.weights[j, i], x[i + int(W.shifts[j])], pre[i])
        elif isinstance(W, Ell):
            for j in range(W.columns.shape[0]):
                pre[i] = fma(W.weights[j, i], x[W.columns[j, i]], pre[i])
        else:
            for k in range(W.indptr[i], W.indptr[i + 1]):
                pre[i] = fma(W.weights[k], x[W.columns[k]], pre[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _propagate_diagonals(W, x, pre):
    # Unsigned indices spare the test for negative ones, which would keep the loop scalar; five
    # diagonals a pass keep the running sum in a register without too many streams at once.
    w, s = W.weights, W.shifts
    n, n_diagonals = pre.size, s.size
    whole = n_diagonals - n_diagonals % 5
    for j in range(0, whole, 5):
        s0, s1, s2, s3, s4 = s[j], s[j + 1], s[j + 2], s[j + 3], s[j + 4]
        for k in range(n):
            i = uint64(k)
            total = fma(w[j, k], x[i + s0], pre[k])
            total = fma(w[j + 1, k], x[i + s1], total)
            total = fma(w[j + 2, k], x[i + s2], total)
            total = fma(w[j + 3, k], x[i + s3], total)
            pre[k] = fma(w[j + 4, k], x[i + s4], total)
    for j in range(whole, n_diagonals):
        s0 = s[j]
        for k in range(n):
            pre[k] = fma(w[j, k], x[uint64(k) + s0], pre[k])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _propagate_ell(W, x, pre):
    w, c = W.weights, W.columns
    n_entries, n = c.shape
    whole = n_entries - n_entries % 5
    for j in range(0, whole, 5):
        for k in range(n):
            total = fma(w[j, k], x[c[j, k]], pre[k])
            total = fma(w[j + 1, k], x[c[j + 1, k]], total)
            total = fma(w[j + 2, k], x[c[j + 2, k]], total)
            total = fma(w[j + 3, k], x[c[j + 3, k]], total)
            pre[k] = fma(w[j + 4, k], x[c[j + 4, k]], total)
    for j in range(whole, n_entries):
        for k in range(n):
            pre[k] = fma(w[j, k], x[c[j, k]], pre[k])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _propagate_csr(W, x, pre):
    w, c, indptr = W.weights, W.columns, W.indptr
    for k in range(pre.size):
        total = pre[k]
        for e in range(indptr[k], indptr[k + 1]):
            total = fma(w[e], x[c[e]], total)
        pre[k] = total


@overload(propagate, inline="always")
def _propagate_overload(W, x, pre):
    if isinstance(W, types.NamedTuple):
        if W.instance_class is Diagonals:
            return lambda W, x, pre: _propagate_diagonals(W, x, pre)
        if W.instance_class is Ell:
            return lambda W, x, pre: _propagate_ell(W, x, pre)
        if W.instance_class is Csr:
            return lambda W, x, pre: _propagate_csr(W, x, pre)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _drive(d, U, out):
    """Write ``W_in u + b`` into the first columns of the rows of ``out``."""
    n_rows, n_features = U.shape
    n = d.b.size
    for t in range(n_rows):
        row = out[t]
        for i in range(n):
            row[i] = d.b[i]
    whole = n_features - n_features % 4
    for f in range(0, whole, 4):
        for t in range(n_rows):
            row = out[t]
            u0, u1, u2, u3 = U[t, f], U[t, f + 1], U[t, f + 2], U[t, f + 3]
            for i in range(n):
                total = fma(d.w_in[f, i], u0, row[i])
                total = fma(d.w_in[f + 1, i], u1, total)
                total = fma(d.w_in[f + 2, i], u2, total)
                row[i] = fma(d.w_in[f + 3, i], u3, total)
    for f in range(whole, n_features):
        for t in range(n_rows):
            row = out[t]
            u0 = U[t, f]
            for i in range(n):
                row[i] = fma(d.w_in[f, i], u0, row[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _step(W, d, code, held, t, x, row):
    """Turn the drive in ``row`` into the next state, there and (twice) in ``x``."""
    n = d.b.size
    pre = row[:n]
    propagate(W, x, pre)
    activate(code, pre)
    for i in range(n):
        pre[i] = fma(d.leak[i], pre[i], d.keep[i] * x[i])
    if held.noise.shape[0] > 0:
        for i in range(n):
            pre[i] += held.noise[t, i]
    if held.units.size > 0:
        values = held.values[min(t, held.values.shape[0] - 1)]
        for j in range(held.units.size):
            pre[held.units[j]] = values[j]
    for i in range(n):
        x[i] = pre[i]
    for i in range(n):
        x[n + i] = pre[i]


@njit(cache=True, nogil=True, error_model="numpy")
def run(W, d, code, held, U, starts, lengths, x0, out):
    """Run sequences one after the other.

    Parameters
    ----------
    W : Diagonals, Ell or Csr
    d : Drive
    code : int, activation
    held : Held
    U : (n_rows, n_features) inputs of all sequences
    starts, lengths : (n_sequences,) int64, first row and number of rows
    x0 : (n_sequences, n_units), states; updated in place
    out : (n_rows, >= n_units), on exit the states in the first columns
    """
    n = d.b.size
    x = np.empty(2 * n, U.dtype)
    for s in range(starts.size):
        x[:n] = x0[s]
        x[n:] = x0[s]
        end = starts[s] + lengths[s]
        for first in range(starts[s], end, ROWS):
            last = min(first + ROWS, end)
            _drive(d, U[first:last], out[first:last])
            for t in range(first, last):
                _step(W, d, code, held, t, x, out[t])
        x0[s] = x[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def closed_loop(W, d, code, held, coef, intercept, u, exog, x0, out):
    """Run with the outputs fed back into the first inputs.

    Every row: the other inputs come from ``exog``, a step is made, the readout of the new state
    is written to ``out`` and into the first inputs.

    Parameters
    ----------
    W, d, code, held : as in `run`
    coef : (n_outputs, n_units or n_units + n_features), readout of the state [and the input]
    intercept : (n_outputs,)
    u : (n_features,) first input; on exit the next one, but for its exogenous part
    exog : (n_steps, n_features - n_outputs)
    x0 : (n_units,) state; updated in place
    out : (n_steps, n_outputs)
    """
    n, n_features = d.b.size, u.size
    n_outputs = out.shape[1]
    x = np.empty(2 * n, u.dtype)
    x[:n] = x0
    x[n:] = x0
    z = np.empty((1, n + n_features), u.dtype)
    lanes = np.empty(16, u.dtype)
    for t in range(out.shape[0]):
        for f in range(n_outputs, n_features):
            u[f] = exog[t, f - n_outputs]
        _drive(d, u.reshape(1, -1), z)
        _step(W, d, code, held, t, x, z[0])
        for f in range(n_features):
            z[0, n + f] = u[f]
        affine_row(z[0, : coef.shape[1]], coef, intercept, lanes, out[t])
        for f in range(n_outputs):
            u[f] = out[t, f]
    x0[:] = x[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def run_lanes(W, d, code, held, U, starts, lengths, x0, out):
    """Run many sequences, `LANES` at a time, one in each lane of the innermost axis.

    Parameters
    ----------
    W : Csr
        Entries of each row in the order in which the layout of `run` sums them.
    d, code, held, U : as in `run`; rows of all sequences
    starts, lengths : (n_sequences,) int64, first row and number of rows, longest first
    x0 : (n_sequences, n_units), states; updated in place
    out : (n_rows, >= n_units)
    """
    n, n_features = d.b.size, U.shape[1]
    x = np.zeros((n, LANES), U.dtype)
    pre = np.zeros((n, LANES), U.dtype)
    u = np.zeros((n_features, LANES), U.dtype)
    for first in range(0, starts.size, LANES):
        n_lanes = min(LANES, starts.size - first)
        for lane in range(n_lanes):
            for i in range(n):
                x[i, lane] = x0[first + lane, i]
        for t in range(lengths[first]):
            while lengths[first + n_lanes - 1] <= t:
                n_lanes -= 1
            for lane in range(n_lanes):
                for f in range(n_features):
                    u[f, lane] = U[starts[first + lane] + t, f]
            _drive_lanes(d, u, pre)
            _propagate_lanes(W, x, pre)
            activate(code, pre.reshape(-1))
            for i in range(n):
                leak, keep = d.leak[i], d.keep[i]
                for lane in range(LANES):
                    x[i, lane] = fma(leak, pre[i, lane], keep * x[i, lane])
            for lane in range(n_lanes):
                _impose(held, starts[first + lane] + t, x[:, lane])
                row = out[starts[first + lane] + t]
                for i in range(n):
                    row[i] = x[i, lane]
                if lengths[first + lane] == t + 1:
                    for i in range(n):
                        x0[first + lane, i] = x[i, lane]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _impose(held, t, x):
    if held.noise.shape[0] > 0:
        for i in range(x.size):
            x[i] += held.noise[t, i]
    if held.units.size > 0:
        values = held.values[min(t, held.values.shape[0] - 1)]
        for j in range(held.units.size):
            x[held.units[j]] = values[j]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _drive_lanes(d, u, pre):
    for i in range(d.b.size):
        for lane in range(LANES):
            pre[i, lane] = d.b[i]
        for f in range(u.shape[0]):
            weight = d.w_in[f, i]
            for lane in range(LANES):
                pre[i, lane] = fma(weight, u[f, lane], pre[i, lane])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _propagate_lanes(W, x, pre):
    w, c, indptr = W.weights, W.columns, W.indptr
    for i in range(pre.shape[0]):
        start, stop = indptr[i], indptr[i + 1]
        whole = start + (stop - start) // 5 * 5
        for e in range(start, whole, 5):
            c0, c1, c2, c3, c4 = c[e], c[e + 1], c[e + 2], c[e + 3], c[e + 4]
            w0, w1, w2, w3, w4 = w[e], w[e + 1], w[e + 2], w[e + 3], w[e + 4]
            for lane in range(LANES):
                total = fma(w0, x[c0, lane], pre[i, lane])
                total = fma(w1, x[c1, lane], total)
                total = fma(w2, x[c2, lane], total)
                total = fma(w3, x[c3, lane], total)
                pre[i, lane] = fma(w4, x[c4, lane], total)
        for e in range(whole, stop):
            c0, w0 = c[e], w[e]
            for lane in range(LANES):
                pre[i, lane] = fma(w0, x[c0, lane], pre[i, lane])
