"""Ways to store the weights of a reservoir for the kernels, and products with them.

Where a reservoir has units enough, a step reads all its numbers in one stream of vectors, in the
order in which it needs them, which the caches of a processor serve best.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import overload

from esnkit.kernels.activations import fma
from esnkit.kernels.linalg import is_compiled
from esnkit.kernels.simd.vectors import aligned, width

WIDE = 4  # vectors of units that a step computes side by side
PARTED = 4096  # units whose step takes long enough to be divided among threads
PACKED_INPUTS = 32  # with more, the drive of some rows at once is cheaper


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


class InputWeights(NamedTuple):
    """Everything of a reservoir but W."""

    w_in: np.ndarray  # (n_features, n_units)
    b: np.ndarray  # (n_units,)
    leak: np.ndarray  # (n_units,)
    keep: np.ndarray  # (n_units,), 1 - leak


class Forcing(NamedTuple):
    """What is added to or imposed on the states: empty arrays where nothing is."""

    noise: np.ndarray  # (n_rows or 0, n_units)
    units: np.ndarray  # (n_held,) int64
    values: np.ndarray  # (n_rows or 1, n_held)


def lay_out(W: Any) -> tuple[Diagonals | Ell | Csr, Csr | None]:
    """Return W in the layout whose step is fastest, and in lanes where that can be faster still.

    ``W`` is a SciPy ``csr_array`` with sorted indices.
    """
    n = W.shape[0]
    counts = np.diff(W.indptr)
    rows = np.repeat(np.arange(n), counts)
    data, columns = np.require(W.data, requirements=["C", "W"]), W.indices.astype(np.int64)
    offset = (columns - rows) % n
    shifts = np.flatnonzero(np.bincount(offset, minlength=n))
    if W.nnz >= 0.6 * shifts.size * n:
        which = np.searchsorted(shifts, offset)
        weights = np.zeros((shifts.size, n), W.dtype)
        weights[which, rows] = data
        layout: Diagonals | Ell | Csr = Diagonals(weights, shifts.astype(np.uint64))
        if shifts.size <= 32:
            return layout, None
        order = np.lexsort((which, rows))
        return layout, _in_lanes(
            Csr(data[order], columns[order].astype(np.uint32), W.indptr.astype(np.int64))
        )
    by_rows = Csr(data, columns.astype(np.uint32), W.indptr.astype(np.int64))
    widest = int(counts.max(initial=0))
    if widest * n > 2 * W.nnz + 4 * n:
        return by_rows, _in_lanes(by_rows)
    place = np.arange(W.nnz) - np.repeat(W.indptr[:-1], counts)
    weights = np.zeros((widest, n), W.dtype)
    where = np.tile(np.arange(n, dtype=np.uint32), (widest, 1))
    weights[place, rows] = data
    where[place, rows] = columns
    return Ell(weights, where), _in_lanes(by_rows)


def _in_lanes(W: Csr) -> Csr | None:
    """Return W, or None where nothing is compiled: lanes are turned by machine instructions."""
    return W if is_compiled() else None


class Packed(NamedTuple):
    """What one step reads, in the order in which it does, as vectors; empty where none can be.

    For every `WIDE` vectors of units, a block: bias and input weights (unless there are many
    inputs), and the entries of W; apart from them leak rates, and what they leave. The last block
    is filled with zeros.
    """

    numbers: np.ndarray  # (n,)
    rates: np.ndarray  # (n,); where all units have the same rate, for the first block alone
    n_inputs: int  # inputs that are packed, or -1 where the drive comes from elsewhere
    n_runs: int  # diagonals: what a block takes of one of them lies side by side in the state
    n_gathered: int  # entries of each row that may lie anywhere
    places: np.ndarray  # (n,) uint32, in the state: where runs begin, then each gathered entry


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _pack(weights, shifts, columns, d):
    n, w = d.b.size, WIDE * width(d.b)
    n_inputs = d.w_in.shape[0] if d.w_in.shape[0] <= PACKED_INPUTS else -1
    n_blocks = -(-n // w)
    numbers = aligned(n_blocks * (n_inputs + weights.shape[0] + 1) * w, d.b)
    n_rates = 1 if np.all(d.leak == d.leak[0]) else n_blocks
    rates = aligned(n_rates * 2 * w, d.b)
    places = np.zeros(n_blocks * (shifts.size + columns.shape[0] * w), np.uint32)
    numbers[:], rates[:] = 0, 0
    at = place = 0
    for first in range(0, n, w):
        units = slice(first, min(first + w, n))
        size = units.stop - first
        if n_inputs >= 0:
            numbers[at : at + size] = d.b[units]
            at += w
        for f in range(n_inputs):
            numbers[at : at + size] = d.w_in[f, units]
            at += w
        for j in range(weights.shape[0]):
            numbers[at : at + size] = weights[j, units]
            at += w
        for j in range(shifts.size):
            places[place] = (first + int(shifts[j])) % n
            place += 1
        for j in range(columns.shape[0]):
            places[place : place + size] = columns[j, units]
            place += w
        if first < n_rates * w:
            rates[2 * first : 2 * first + size] = d.leak[units]
            rates[2 * first + w : 2 * first + w + size] = d.keep[units]
    return Packed(numbers, rates, n_inputs, shifts.size, columns.shape[0], places)


def pack(W, d):
    """Return W and its drive as vectors, where the layout and the number of units allow it."""
    no_shifts, no_columns = np.empty(0, np.uint64), np.empty((0, 0), np.uint32)
    if isinstance(W, Diagonals):
        return _pack(W.weights, W.shifts, no_columns, d)
    if isinstance(W, Ell):
        return _pack(W.weights, no_shifts, W.columns, d)
    nothing = np.empty(0, d.b.dtype)
    return Packed(nothing, nothing, -1, 0, 0, np.empty(0, np.uint32))


def propagate(W, x, pre):
    """Add ``W x`` to ``pre``, unit by unit, where `pack` leaves that to be done."""
    if isinstance(W, Csr):
        for i in range(pre.size):
            for k in range(W.indptr[i], W.indptr[i + 1]):
                pre[i] = fma(W.weights[k], x[W.columns[k]], pre[i])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _propagate_csr(W, x, pre):
    w, c, indptr = W.weights, W.columns, W.indptr
    for k in range(pre.size):
        total = pre[k]
        for e in range(indptr[k], indptr[k + 1]):
            total = fma(w[e], x[c[e]], total)
        pre[k] = total


def _layout(W):
    return W.instance_class if isinstance(W, types.NamedTuple) else None


@overload(pack, inline="always")
def _pack_overload(W, d):
    if _layout(W) is Diagonals:
        return lambda W, d: _pack(W.weights, W.shifts, np.empty((0, 0), np.uint32), d)
    if _layout(W) is Ell:
        return lambda W, d: _pack(W.weights, np.empty(0, np.uint64), W.columns, d)
    if _layout(W) is Csr:
        return lambda W, d: Packed(
            np.empty(0, d.b.dtype), np.empty(0, d.b.dtype), -1, 0, 0, np.empty(0, np.uint32)
        )


@overload(propagate, inline="always")
def _propagate_overload(W, x, pre):
    if _layout(W) is Csr:
        return lambda W, x, pre: _propagate_csr(W, x, pre)
    return lambda W, x, pre: None
