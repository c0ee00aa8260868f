"""Blocks of the recurrent kernels: products of them, and their way from and to packed rows.

Block t of an array with k rows holds ``k * n[t]`` numbers, row-major, the batch innermost. So
vectors of the batch can be multiplied from where they lie, while a library of matrix products
would first copy them to an order of its own, which pays only where matrices are larger than here.
"""

from numba import njit
from numba.extending import overload

from esnkit.kernels.simd.masked import load_first, store_first
from esnkit.kernels.simd.tiles import (
    BYTES,
    ROW_VECTORS,
    ROWS,
    SIDE,
    add_dots,
    block_to_rows,
    broad_product,
    narrow_product,
    row_product,
    rows_to_block,
)
from esnkit.kernels.simd.vectors import row_size, width


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _block(A):
    """Return how far apart blocks are; they may lie in reverse."""
    return A.strides[0] // A.itemsize


def n_bytes(number):
    """Return how many bytes a number has."""
    return number.itemsize


@overload(n_bytes, inline="always")
def _n_bytes(number):
    size = number.bitwidth // 8
    return lambda number: size


@njit(cache=True, nogil=True, error_model="numpy")
def product(A, B, add, C):
    """C = A @ B, or that added to C. What one column gets depends on no other column."""
    n_rows, n = A.shape
    one = A.dtype.type(1)
    tiles(
        one, A.ctypes.data, row_size(A), 1, 0, n_rows, n, B.ctypes.data, row_size(B), add,
        C.ctypes.data, row_size(C), C.shape[1],
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def add_products(A, B, turned, C):
    """Add to C the products of blocks of A with those of B, turned: A[t] @ B[t].T over all t.

    ``turned`` has the columns of all blocks of B as rows, one after the other. Columns of C that
    would fill a small part of a vector are summed along the columns of the blocks instead.
    """
    blocks, n_rows, n = A.shape
    one, block_a, block_b = A.dtype.type(1), _block(A), _block(B)
    a, b, c = A.ctypes.data, B.ctypes.data, C.ctypes.data
    size = n_bytes(one)
    vector = BYTES // size
    few = C.shape[1] % vector
    if 2 * few * ((n + vector - 1) // vector) > n:
        few = 0
    many = C.shape[1] - few
    tiles(
        one, a, row_size(A), blocks, block_a, n_rows, n, turned.ctypes.data, row_size(turned),
        True, c, row_size(C), many,
    )  # fmt: skip
    for i in range(0, n_rows, SIDE):
        for k in range(many, many + few, SIDE):
            add_dots(  # type: ignore[call-arg]
                one, a + i * row_size(A) * size, row_size(A), n_rows - 1 - i, block_a,
                b + k * row_size(B) * size, row_size(B), many + few - 1 - k, block_b, blocks, n,
                c + (i * row_size(C) + k) * size, row_size(C),
            )  # fmt: skip


# Addresses instead of arrays: one function serves whatever arrays are part of.
@njit(cache=True, nogil=True, error_model="numpy")
def tiles(one, A, far_a, blocks, far_block, n_rows, n, B, far_b, add, C, far_c, m):
    """C = A @ B over blocks of A, or that added to C; m columns."""
    size = n_bytes(one)
    vector = BYTES // size
    for j in range(0, m, 2 * vector):
        for i in range(0, n_rows, ROWS):
            a, b, c = A + i * far_a * size, B + j * size, C + (i * far_c + j) * size
            left = far_a, n_rows - 1 - i, far_block, blocks
            if m - j > vector:
                broad_product(one, a, *left, b, far_b, n, c, far_c, m - j, add)
            else:
                narrow_product(one, a, *left, b, far_b, n, c, far_c, m - j, add)


@njit(cache=True, nogil=True, error_model="numpy")
def row_tiles(one, a, B, far_b, n, add, c, m):
    """Multiply a row by a matrix: c = a @ B, or that added to c."""
    size = n_bytes(one)
    for j in range(0, m, ROW_VECTORS * (BYTES // size)):
        row_product(one, a, 0, 0, 0, 1, B + j * size, far_b, n, c + j * size, 0, m - j, add)


@njit(cache=True, nogil=True, error_model="numpy")
def block_product(one, A, far_a, turned, far_turned, n_rows, n, B, m, add, C):
    """C = A @ B, or that added to C, where B and C are blocks of m columns.

    One column goes by ``turned`` = A.T, if there is one (else 0). The bits are the same: so are the
    order of the sums and their rounding.
    """
    if m == 1 and turned:
        row_tiles(one, B, turned, far_turned, n, add, C, n_rows)
    else:
        tiles(one, A, far_a, 1, 0, n_rows, n, B, m, add, C, m, m)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(X, first, k, rows, n, n_rows, S):
    """Write k columns of the rows of X, from column `first`, into the first rows of S's blocks.

    ``rows[c]`` is the row of X that column c, counted through all blocks, stands for.
    """
    _turn(False, X, first, k, rows, n, n_rows, S)


@njit(cache=True, nogil=True, error_model="numpy")
def scatter(S, rows, n, n_rows, X, first, k):
    """Write the first k rows of S's blocks into k columns of the rows of X, from `first` on."""
    _turn(True, X, first, k, rows, n, n_rows, S)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _turn(to_rows, X, first, k, rows, n, n_rows, S):
    size, one, far = X.itemsize, X.dtype.type(1), row_size(X)
    block, outside, index = S.ctypes.data, X.ctypes.data + first * size, rows.ctypes.data
    vector = BYTES // size
    for t in range(n.size):
        m = n[t]
        for j in range(0, m, vector):
            for f in range(0, k, vector):
                s, x = block + (f * m + j) * size, outside + f * size
                if to_rows:
                    block_to_rows(one, s, m, k - f, x, far, index + 8 * j, m - j)
                else:
                    rows_to_block(one, s, m, k - f, x, far, index + 8 * j, m - j)
        block += n_rows * m * size
        index += 8 * m


@njit(cache=True, nogil=True, error_model="numpy")
def take_last(S, order, n, n_rows, X, first):
    """Write the last column of every sequence in S's blocks into n_rows columns of its row of X."""
    start = 0
    for t in range(n.size):
        m = n[t]
        for j in range(n[t + 1] if t + 1 < n.size else 0, m):
            for f in range(n_rows):
                X[order[j], first + f] = S[start + f * m + j]
        start += n_rows * m


@njit(cache=True, nogil=True, error_model="numpy")
def add_last(last, n, n_rows, S):
    """Add the columns of a block of n[0] to the last column of every sequence in S's blocks."""
    start = 0
    for t in range(n.size):
        m = n[t]
        for j in range(n[t + 1] if t + 1 < n.size else 0, m):
            for f in range(n_rows):
                S[start + f * m + j] += last[f * n[0] + j]
        start += n_rows * m


@njit(cache=True, nogil=True, error_model="numpy")
def turn(one, S, far_s, k, n, each, X, far_x):
    """Write k rows of n columns at S as n rows of k at X; each[j] is j."""
    size = n_bytes(one)
    vector = BYTES // size
    for j in range(0, n, vector):
        for f in range(0, k, vector):
            block, rows = S + (f * far_s + j) * size, X + f * size
            block_to_rows(one, block, far_s, k - f, rows, far_x, each.ctypes.data + 8 * j, n - j)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def lines(n, like):
    """Return the least number that is not below n and fills lines of the cache."""
    return (n + width(like) - 1) // width(like) * width(like)


@njit(cache=True, nogil=True, error_model="numpy")
def copy_columns(source, s, n_source, target, t, n_target, n_rows):
    """Copy the leading columns of a block, and zeros where the source has too few.

    The blocks begin at the places s and t.
    """
    if n_source == n_target:
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_target, width(target)):
            vector = load_first(source, s + k * n_source + j, n_source - j)
            store_first(target, t + k * n_target + j, vector, n_target - j)
