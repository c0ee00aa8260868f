"""Blocks of the recurrent kernels: products of them, and their way from and to packed rows.

Block t of an array with k rows holds ``k * n[t]`` numbers, row-major, the batch innermost. So
vectors of the batch can be multiplied from where they lie, while a library of matrix products
would first copy them to an order of its own, which pays only where matrices are larger than here.
"""

import numpy as np
from numba import njit

from esnkit.kernels.masked import load_first, store_first
from esnkit.kernels.tiles import (
    BYTES,
    ROW_VECTORS,
    ROWS,
    block_to_rows,
    broad_product,
    narrow_product,
    row_product,
    rows_to_block,
)
from esnkit.kernels.vectors import width


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _far(A):
    """Return how far apart rows are; columns are next to each other."""
    return A.strides[A.ndim - 2] // A.itemsize


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def product(A, B, add, C):
    """C = A @ B, or that added to C. What one column gets depends on no other column."""
    _tiles(A, _far(A), 1, 0, A.shape[1], B, add, C)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def either_product(A, turned, B, add, C):
    """As `product`, by ``turned`` = A.T where B is one column; it may be empty otherwise.

    The bits are the same: so are the order of the sums and their rounding.
    """
    if C.shape[1] == 1 and turned.size:
        _row_tiles(B.reshape(-1), turned, add, C.reshape(-1))
    else:
        product(A, B, add, C)


@njit(cache=True, nogil=True, error_model="numpy")
def _row_tiles(a, B, add, c):
    """Multiply a row by a matrix: c = a @ B, or that added to c."""
    for j in range(0, c.size, ROW_VECTORS * (BYTES // c.itemsize)):
        row_product(a, 0, 0, 0, 0, 1, B, j, _far(B), a.size, c, j, 0, c.size - j, add)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def add_products(A, B, C):
    """Add to C the products of blocks (A.ndim is 3), those of B being rows one after the other."""
    _tiles(A, _far(A), len(A), A.strides[0] // A.itemsize, A.shape[2], B, True, C)


@njit(cache=True, nogil=True, error_model="numpy")
def _tiles(A, far_a, blocks, far_block, n, B, add, C):
    vector = BYTES // C.itemsize
    n_rows, m = C.shape
    far_b, far_c = _far(B), _far(C)
    for j in range(0, m, 2 * vector):
        for i in range(0, n_rows, ROWS):
            a, c, last = i * far_a, i * far_c + j, n_rows - 1 - i
            left = a, far_a, last, far_block, blocks
            if m - j > vector:
                broad_product(A, *left, B, j, far_b, n, C, c, far_c, m - j, add)
            else:
                narrow_product(A, *left, B, j, far_b, n, C, c, far_c, m - j, add)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(X, first, k, rows, n, n_rows, S):
    """Write k columns of the rows of X, from column `first`, into the first rows of S's blocks.

    ``rows[c]`` is the row of X that column c, counted through all blocks, stands for.
    """
    vector, far = BYTES // X.itemsize, _far(X)
    column = 0
    for t in range(n.size):
        m = n[t]
        for j in range(0, m, vector):
            for f in range(0, k, vector):
                s = n_rows * column + f * m + j
                rows_to_block(S, s, m, k - f, X, first + f, far, rows, column + j, m - j)
        column += m


@njit(cache=True, nogil=True, error_model="numpy")
def scatter(S, rows, n, n_rows, X, first, k):
    """Write the first k rows of S's blocks into k columns of the rows of X, from `first` on."""
    vector, far = BYTES // X.itemsize, _far(X)
    column = 0
    for t in range(n.size):
        m = n[t]
        for j in range(0, m, vector):
            for f in range(0, k, vector):
                s = n_rows * column + f * m + j
                block_to_rows(S, s, m, k - f, X, first + f, far, rows, column + j, m - j)
        column += m


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def turn(s, sT):
    """Write the columns of a block as the rows of sT."""
    each, n = np.arange(len(sT)), np.full(1, len(sT))
    scatter(s, each, n, sT.shape[1], sT, 0, sT.shape[1])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def copy_columns(source, n_source, target, n_target, n_rows):
    """Copy the leading columns of a block, and zeros where the source has too few."""
    if n_source == n_target:
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_target, width(target)):
            vector = load_first(source, k * n_source + j, n_source - j)
            store_first(target, k * n_target + j, vector, n_target - j)
