"""Products of blocks, against sums in a fixed order and in double precision."""

import numpy as np
import pytest
from compiled import compiled
from reference import product_in_order, sum_of_products

from esnkit.kernels.simd.addresses import block, steps_of_blocks
from esnkit.kernels.simd.products import (
    Part,
    add_products,
    matrix,
    multiply_part,
    product,
    transposed,
)
from esnkit.kernels.simd.tiles import Shape
from esnkit.kernels.simd.vectors import row_size

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@compiled
def part_product(M, MT, part, X, add, Y, by_transpose):
    """Y = M[part] @ X, where by_transpose takes the transpose of the transpose."""
    W = transposed(matrix(MT, M)) if by_transpose else matrix(M, MT)
    m = X.shape[1]
    multiply_part(W, Part(*part), block(X, 0, m), add, block(Y, 0, m), m)


@compiled
def added_products(A, B, BT, C):
    n_steps, n_rows, n = A.shape
    a = steps_of_blocks(A, 0, row_size(A), A.strides[0] // A.itemsize)
    b = steps_of_blocks(B, 0, row_size(B), B.strides[0] // B.itemsize)
    shape = Shape(n_steps, n_rows, n, C.shape[1])
    add_products(a, b, block(BT, 0, row_size(BT)), block(C, 0, row_size(C)), shape)


@both
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (9, 4, 16), (16, 3, 33), (33, 2, 70)])
def test_each_number_of_a_product_is_one_sum_in_order(dtype, shape):
    rng, (n_rows, n, m) = np.random.default_rng(0), shape
    A, B = rng.normal(size=(n_rows, n)).astype(dtype), rng.normal(size=(n, m)).astype(dtype)
    whole = np.full((n_rows + 2, m + 2), 2.0, dtype)
    C = whole[1:-1, 1:-1]
    expected = product_in_order(A, B, C)
    product(A, B, True, C)
    assert np.array_equal(C, expected)
    C[:] = np.nan
    product(A, B, False, C)
    assert np.array_equal(C, product_in_order(A, B, np.zeros_like(expected)))
    C[:] = 2.0
    assert np.all(whole == 2.0)


@both
@pytest.mark.parametrize("n_rows", [12, 300])
@pytest.mark.parametrize("by_transpose", [False, True])
def test_a_column_of_a_product_does_not_depend_on_the_others(dtype, n_rows, by_transpose):
    rng, m = np.random.default_rng(0), 70
    M = rng.normal(size=(n_rows + 3, 52)).astype(dtype)
    MT, X = np.ascontiguousarray(M.T), rng.normal(size=(50, m)).astype(dtype)
    part = (3, n_rows, 1, 50)
    for add in (False, True):
        whole = np.ones((n_rows, m), dtype)
        part_product(M, MT, part, X, add, whole, by_transpose)
        expected = add + M[3:].astype(float)[:, 1:51] @ X.astype(float)
        np.testing.assert_allclose(whole, expected, atol=1e3 * np.finfo(dtype).eps)
        for j in range(0, m, 9):
            for transpose in (MT, MT[:0]) if not by_transpose else (MT,):
                column = np.ones((n_rows, 1), dtype)
                x = np.ascontiguousarray(X[:, j : j + 1])
                part_product(M, transpose, part, x, add, column, by_transpose)
                assert np.array_equal(column[:, 0], whole[:, j])


@both
@pytest.mark.parametrize("n", [1, 5, 32, 100])
@pytest.mark.parametrize("k", [1, 3, 35, 45])
def test_products_of_steps_are_added_up(dtype, n, k):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=(3, rows, n)).astype(dtype) for rows in (9, k))
    C = rng.normal(size=(9, k + 1)).astype(dtype)
    expected, B = C.astype(float), B[::-1]
    expected[:, :k] += sum_of_products(A, B)
    BT = np.ascontiguousarray(B.transpose(0, 2, 1)).reshape(-1, k)
    added_products(A, B, BT, C[:, :k])
    np.testing.assert_allclose(C, expected, rtol=0, atol=1e3 * np.finfo(dtype).eps)
    assert np.array_equal(C[:, k], expected[:, k].astype(dtype))
