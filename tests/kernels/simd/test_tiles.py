"""Single tiles of products: full, and where the matrix ends before the tile does."""

import numpy as np
import pytest
from numba import njit
from reference import product_in_order, sum_of_products

from esnkit.kernels.simd.addresses import BYTES, block, steps_of_blocks
from esnkit.kernels.simd.tiles import (
    DOT_ROWS,
    ROW_VECTORS,
    TILE_ROWS,
    Shape,
    add_dots,
    multiply_row,
    multiply_tile,
    multiply_wide_tile,
)

TILES = {
    "narrow": (multiply_tile, TILE_ROWS, 1),
    "wide": (multiply_wide_tile, TILE_ROWS, 2),
    "row": (multiply_row, 1, ROW_VECTORS),
}


def compiled(tile):
    @njit
    def multiply(A, B, add, C, n_rows, n_columns):
        shape = Shape(1, n_rows, A.shape[1], n_columns)
        a, b, c = block(A, 0, A.shape[1]), block(B, 0, B.shape[1]), block(C, 0, C.shape[1])
        tile(a, b, add, c, shape)

    return multiply


@njit
def dots(A, B, C, n_rows, n_columns):
    n_steps, rows, n = A.shape
    a, b = steps_of_blocks(A, 0, n, rows * n), steps_of_blocks(B, 0, n, B.shape[1] * n)
    add_dots(a, b, block(C, 0, C.shape[1]), Shape(n_steps, n_rows, n, n_columns))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TILES)
def test_a_tile_writes_what_is_left_of_the_matrix(name, dtype):
    tile, n_rows, n_vectors = TILES[name]
    rng, multiply = np.random.default_rng(0), compiled(tile)
    width = n_vectors * BYTES // np.dtype(dtype).itemsize
    A = rng.normal(size=(n_rows, 3)).astype(dtype)
    B = rng.normal(size=(3, width)).astype(dtype)
    for rows, columns in ((n_rows, width), (n_rows, width - 1), (1, 1), (-(-n_rows // 2), 2)):
        for add in (False, True):
            C = rng.normal(size=(n_rows, width + 1)).astype(dtype)
            expected, start = C.copy(), C[:rows, :columns] * add
            expected[:rows, :columns] = product_in_order(A[:rows], B[:, :columns], start)
            multiply(A, B, add, C, rows, columns)
            assert np.array_equal(C, expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 16, 37])
def test_sums_along_rows_are_added_once_to_what_is_left(dtype, n):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=(3, DOT_ROWS, n)).astype(dtype) for _ in range(2))
    for rows, columns in ((DOT_ROWS, DOT_ROWS), (1, DOT_ROWS), (2, 1)):
        C = rng.normal(size=(DOT_ROWS, DOT_ROWS + 1)).astype(dtype)
        expected = C.astype(float)
        expected[:rows, :columns] += sum_of_products(A[:, :rows], B[:, :columns])
        dots(A, B, C, rows, columns)
        np.testing.assert_allclose(C, expected, rtol=0, atol=100 * np.finfo(dtype).eps)
