"""Sparse matrices from the columns of every row."""

import numpy as np

from esnkit.reservoirs._columns import distinct_columns, from_columns, index_dtype


def test_entries_are_at_their_columns():
    W = from_columns(np.array([[0, 2], [1, 2], [0, 1]]), np.arange(1.0, 7.0))
    assert np.array_equal(W.toarray(), [[1, 0, 2], [0, 3, 4], [5, 6, 0]])


def test_columns_are_distinct_and_equally_likely():
    rng = np.random.default_rng(0)
    drawn = np.array([distinct_columns(4, 2, rng)[0] for _ in range(600)])
    assert (drawn[:, 0] < drawn[:, 1]).all()
    counts = np.unique(drawn @ [4, 1], return_counts=True)[1]
    assert counts.size == 6 and counts.min() > 60


def test_indices_are_as_small_as_scipy_allows():
    assert index_dtype(2**31 - 1) == np.int32 and index_dtype(2**31) == np.int64
