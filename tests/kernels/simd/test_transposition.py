"""Transposed blocks, and columns exchanged with rows elsewhere, against loops."""

import numpy as np
import pytest
from compiled import compiled
from reference import exchanged

from esnkit.kernels.simd.addresses import block
from esnkit.kernels.simd.transposition import gather_columns, scatter_columns, transpose

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])
shapes = pytest.mark.parametrize("shape", [(1, 1), (3, 20), (16, 16), (17, 8), (35, 33)])


@compiled
def transposed_into(S, X):
    """Transpose an array into the leading part of rows that are longer."""
    transpose(block(S, 0, S.shape[1]), S.shape[0], S.shape[1], block(X, 0, X.shape[1]))


@compiled
def scattered(S, index, X):
    n_rows, n_columns = S.shape
    where = block(index, 0, 1)
    scatter_columns(block(S, 0, n_columns), n_rows, n_columns, block(X, 0, X.shape[1]), where)


@compiled
def gathered(X, index, S):
    n_rows, n_columns = S.shape
    where = block(index, 0, 1)
    gather_columns(block(X, 0, X.shape[1]), where, block(S, 0, n_columns), n_rows, n_columns)


@both
@shapes
def test_a_block_is_transposed_and_nothing_else_written(dtype, shape):
    S = np.random.default_rng(0).normal(size=shape).astype(dtype)
    X = np.full((shape[1] + 1, shape[0] + 2), 9.0, dtype)
    transposed_into(S, X)
    assert np.array_equal(X[:-1, :-2], S.T)
    assert np.all(X[-1] == 9.0) and np.all(X[:, -2:] == 9.0)


@both
@shapes
def test_columns_go_to_rows_and_back(dtype, shape):
    rng = np.random.default_rng(0)
    S = rng.normal(size=shape).astype(dtype)
    index = rng.permutation(shape[1] + 5)[: shape[1]]
    X = np.full((shape[1] + 5, shape[0] + 2), 9.0, dtype)
    expected, back = exchanged(S, index, X), np.empty_like(S)
    scattered(S, index, X)
    assert np.array_equal(X, expected)
    gathered(X, index, back)
    assert np.array_equal(back, S)
