"""Products of blocks, tile by tile, and their sums over time.

The recurrent kernels keep the batch innermost, so vectors of it are multiplied in place. BLAS would
first pack them into another order, which saves time only for larger matrices than these.
"""

from typing import NamedTuple

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.addresses import Block, block, corner, vector_size
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
from esnkit.kernels.simd.vectors import row_size

__all__ = [
    "Matrix",
    "Part",
    "add_products",
    "matrix",
    "multiply_blocks",
    "multiply_part",
    "product",
    "transposed",
]


class Matrix(NamedTuple):
    """A matrix and its transpose."""

    by_rows: Block
    by_columns: Block  # the transpose by rows
    has_columns: bool


class Part(NamedTuple):
    """A submatrix: n_rows rows from ``row`` on, n_columns columns from ``column`` on."""

    row: int
    n_rows: int
    column: int
    n_columns: int


@kernel(inline="always")
def matrix(M, MT):
    """Return the matrix of two arrays; MT may be empty."""
    return Matrix(block(M, 0, M.shape[1]), block(MT, 0, M.shape[0]), MT.size > 0)


@kernel(inline="always")
def transposed(M):
    """Return the transpose of a matrix that has its columns."""
    return Matrix(M.by_columns, M.by_rows, True)


@kernel
def multiply_part(M, part, X, add, Y, m):
    """Y = M[part] @ X, or that added to Y, where X and Y are blocks of m columns.

    A single column becomes a row times the transpose, whose numbers are next to one another. Each
    sum has the same order as in `multiply_blocks`, so the bits are the same.
    """
    # With one column, `multiply_blocks` would fill one number of each vector.
    if m == 1 and M.has_columns:
        right = corner(M.by_columns, part.column, part.row)
        shape = Shape(1, 1, part.n_columns, part.n_rows)
        for j in range(0, part.n_rows, ROW_VECTORS * vector_size(X)):
            left = Shape(1, 1, shape.n_inner, shape.n_columns - j)
            multiply_row(X, corner(right, 0, j), add, corner(Y, 0, j), left)
    else:
        shape = Shape(1, part.n_rows, part.n_columns, m)
        multiply_blocks(corner(M.by_rows, part.row, part.column), X, add, Y, shape)


@kernel
def multiply_blocks(A, B, add, C, shape):
    """C = sum over time of A(t) @ B(t), or that added to C."""
    size = vector_size(C)
    # Columns outside: two vectors of B stay in the cache while the rows of A pass by.
    for j in range(0, shape.n_columns, 2 * size):
        for i in range(0, shape.n_rows, TILE_ROWS):
            a, b, c = corner(A, i, 0), corner(B, 0, j), corner(C, i, j)
            left = Shape(shape.n_steps, shape.n_rows - i, shape.n_inner, shape.n_columns - j)
            if left.n_columns > size:
                multiply_wide_tile(a, b, add, c, left)
            else:
                multiply_tile(a, b, add, c, left)


@kernel
def product(A, B, add, C):
    """C = A @ B, or that added to C. What one column gets depends on no other column."""
    shape = Shape(1, A.shape[0], A.shape[1], C.shape[1])
    a, b, c = block(A, 0, row_size(A)), block(B, 0, row_size(B)), block(C, 0, row_size(C))
    multiply_blocks(a, b, add, c, shape)


@kernel
def add_products(A, B, BT, C, shape):
    """Add to C the sum over time of A(t) @ B(t).T.

    Parameters
    ----------
    A : Block, n_rows by n_inner at each of n_steps time steps
    B : Block, n_columns by n_inner
    BT : Block, n_steps * n_inner by n_columns: the columns of B(0), B(1), ... as rows
    C : Block, n_rows by n_columns
    shape : Shape

    The last columns of C, which would fill a small part of a vector, are summed along the rows of A
    and B instead, where that takes fewer vectors.
    """
    size, n_inner = vector_size(C), shape.n_inner
    # One row of the last columns takes a vector for each of n_inner rows of BT; along the rows it
    # takes n_inner / size vectors for each column, of A and of B.
    n_dots = shape.n_columns % size
    if 2 * n_dots * ((n_inner + size - 1) // size) > n_inner:
        n_dots = 0
    n_tiled = shape.n_columns - n_dots
    multiply_blocks(A, BT, True, C, Shape(shape.n_steps, shape.n_rows, n_inner, n_tiled))
    for i in range(0, shape.n_rows, DOT_ROWS):
        for k in range(n_tiled, shape.n_columns, DOT_ROWS):
            left = Shape(shape.n_steps, shape.n_rows - i, n_inner, shape.n_columns - k)
            a, b, c = corner(A, i, 0), corner(B, k, 0), corner(C, i, k)
            add_dots(a, b, c, left)  # type: ignore[call-arg]
