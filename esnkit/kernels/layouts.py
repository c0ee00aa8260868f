"""How the weights of a reservoir are stored for the kernels, and which layout a matrix gets."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.kernels.linalg import is_compiled

MIN_FILL = 0.6  # share of non-zeros from which on W is stored as diagonals
MIN_FEATURES_PER_ENTRY = 16  # of sparse input weights: products of vectors are that much faster
MAX_DIAGONALS = 32  # with more, many sequences at a time are faster in SIMD lanes


class Diagonals(NamedTuple):
    """W as cyclic diagonals: entry (i, (i + shifts[j]) mod n_units) is weights[j, i]."""

    weights: np.ndarray  # (n_diagonals, n_units)
    shifts: np.ndarray  # (n_diagonals,) uint64


class Ell(NamedTuple):
    """W with a bounded number of entries per row, padded with zeros: (i, columns[j, i])."""

    weights: np.ndarray  # (n_entries, n_units)
    columns: np.ndarray  # (n_entries, n_units) uint32


class Csr(NamedTuple):
    """W in compressed sparse rows."""

    weights: np.ndarray  # (nnz,)
    columns: np.ndarray  # (nnz,) uint32
    indptr: np.ndarray  # (n_units + 1,) int64


class InputWeights(NamedTuple):
    """All weights of a reservoir except W, for x(t) = k P x(t-1) + g f(pre(t)).

    (P x)[i] = x[(i + shift) mod n_units]. A leaky unit with leak rate a has g = a, k = 1 - a and no
    shift. Few weights of many features are also ``entries``: w_in[columns[j, i], i] is
    entries[j, i].
    """

    w_in: np.ndarray  # (n_features, n_units), C-contiguous
    b: np.ndarray  # (n_units,)
    gain: np.ndarray  # (n_units,), g
    keep: np.ndarray  # (n_units,), k
    shift: int  # from 0 to n_units - 1
    entries: np.ndarray  # (n_entries, n_units), without rows if w_in is not sparse
    columns: np.ndarray  # (n_entries, n_units) uint32


class Forcing(NamedTuple):
    """Noise added to the states, and units clamped to given values; empty arrays for neither."""

    noise: np.ndarray  # (n_rows or 0, n_units)
    units: np.ndarray  # (n_clamped,) int64
    values: np.ndarray  # (n_rows or 1, n_clamped)


def lay_out_inputs(
    w_in: np.ndarray, b: np.ndarray, gain: np.ndarray, keep: np.ndarray, shift: int = 0
) -> InputWeights:
    """Return input weights, with their entries if these are few, in the order of the features."""
    n_features, n_units = w_in.shape
    units, features = np.nonzero(w_in.T)
    counts = np.bincount(units, minlength=n_units)
    if MIN_FEATURES_PER_ENTRY * int(counts.max(initial=0)) > n_features:
        units, features, counts = units[:0], features[:0], counts[:0]
    entries, columns = _ell(w_in[features, units], features, units, counts)
    return InputWeights(w_in, b, gain, keep, shift, entries, columns)


def lay_out(W: Any) -> tuple[Diagonals | Ell | Csr, Csr | None]:
    """Return W in the layout with the fastest step, and as `Csr` if SIMD lanes can be faster.

    ``W`` is a SciPy ``csr_array`` with sorted indices. Its pattern alone decides: diagonals if few
    cyclic diagonals hold it, else `Ell` unless single long rows would need too much padding. Both
    results have the entries of each row in the same order, so that sums round alike.
    """
    n = W.shape[0]
    rows = np.repeat(np.arange(n), np.diff(W.indptr))
    data, columns = np.require(W.data, requirements=["C", "W"]), W.indices.astype(np.int64)
    offset = (columns - rows) % n
    shifts = np.flatnonzero(np.bincount(offset, minlength=n))
    if W.nnz >= MIN_FILL * shifts.size * n:
        which = np.searchsorted(shifts, offset)
        weights = np.zeros((shifts.size, n), W.dtype)
        weights[which, rows] = data
        layout = Diagonals(weights, shifts.astype(np.uint64))
        if shifts.size <= MAX_DIAGONALS:
            return layout, None
        order = np.lexsort((which, rows))
        return layout, _for_lanes(_csr(data[order], columns[order], W.indptr))
    by_rows = _csr(data, columns, W.indptr)
    counts = np.diff(W.indptr)
    if int(counts.max(initial=0)) * n > 2 * W.nnz + 4 * n:
        return by_rows, _for_lanes(by_rows)
    return _ell(data, columns, rows, counts), _for_lanes(by_rows)


def _csr(data, columns, indptr):
    return Csr(data, columns.astype(np.uint32), indptr.astype(np.int64))


def _ell(data, columns, rows, counts):
    """Return entries, sorted by row, as `Ell`; padding points at the unit itself."""
    n, n_entries = counts.size, int(counts.max(initial=0))
    entry = np.arange(data.size) - np.repeat(np.cumsum(counts) - counts, counts)
    weights = np.zeros((n_entries, n), data.dtype)
    padded = np.tile(np.arange(n, dtype=np.uint32), (n_entries, 1))
    weights[entry, rows] = data
    padded[entry, rows] = columns
    return Ell(weights, padded)


def _for_lanes(W: Csr) -> Csr | None:
    """Return W, or None in uncompiled code: lanes are transposed by machine instructions."""
    return W if is_compiled() else None
