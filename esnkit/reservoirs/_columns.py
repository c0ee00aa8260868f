"""Sparse matrices from the columns of the entries of every row."""

import numpy as np
import scipy.sparse as sp

__all__ = ["distinct_columns", "from_columns", "index_dtype"]


def from_columns(columns, data):
    """Return the matrix whose row i has entries in the sorted columns[i]; data, row by row."""
    n_units, degree = columns.shape
    n_entries = n_units * degree
    index = index_dtype(n_entries)
    indptr = np.arange(0, n_entries + 1, degree, dtype=index)
    indices = np.ravel(columns).astype(index)
    return sp.csr_array((data, indices, indptr), shape=(n_units, n_units))


def index_dtype(n_entries):
    return np.int32 if n_entries <= np.iinfo(np.int32).max else np.int64


def distinct_columns(n_units, degree, rng):
    """Return (n_units, degree) sorted columns, every subset of the units being equally likely."""
    if 2 * degree > n_units:  # near a full row, repeats dominate: draw the absent columns instead
        present = np.ones((n_units, n_units), dtype=bool)
        if degree < n_units:
            absent = distinct_columns(n_units, n_units - degree, rng)
            np.put_along_axis(present, absent, False, axis=1)
        return np.nonzero(present)[1].reshape(n_units, degree)
    columns = rng.integers(n_units, size=(n_units, degree))
    columns.sort(axis=1)
    rows = np.arange(n_units)  # rows that may still hold repeats
    while True:
        # Repeats are replaced by new draws: a set that grows by uniform draws stays uniform.
        drawn = columns[rows]
        repeated = drawn[:, 1:] == drawn[:, :-1]
        has_repeats = repeated.any(axis=1)
        if not has_repeats.any():
            return columns
        rows, drawn, repeated = rows[has_repeats], drawn[has_repeats], repeated[has_repeats]
        drawn[:, 1:][repeated] = rng.integers(n_units, size=np.count_nonzero(repeated))
        drawn.sort(axis=1)
        columns[rows] = drawn
