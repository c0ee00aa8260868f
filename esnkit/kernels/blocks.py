"""Blocks of the recurrent kernels: from and to packed rows, and from one block to the next.

An array with k rows has one block for every time step t, which holds ``k * n[t]`` numbers:
row-major, a column for each of the n[t] sequences that still run.
"""

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.addresses import block
from esnkit.kernels.simd.masked import load_first, store_first
from esnkit.kernels.simd.transposition import gather_columns, scatter_columns
from esnkit.kernels.simd.vectors import row_size, width

__all__ = [
    "add_last",
    "copy_columns",
    "gather",
    "round_up_to_vectors",
    "scatter",
    "take_last",
]


@kernel
def gather(X, first, k, rows, n, n_rows, S):
    """Write k columns of X, from ``first`` on, as the first rows of the blocks of S.

    Parameters
    ----------
    X : (n_packed_rows, n_columns)
    first, k : int
    rows : (n.sum(),) int64, the row of X for each column of the blocks, step by step
    n : (n_timesteps,) int64, columns of each block
    n_rows : int, rows of each block, at least k
    S : (n_rows * n.sum(),)
    """
    column = 0
    for m in n:
        index, target = block(rows, column, 1), block(S, n_rows * column, m)
        gather_columns(block(X, first, row_size(X)), index, target, k, m)
        column += m


@kernel
def scatter(S, rows, n, n_rows, X, first, k):
    """Write the first k rows of the blocks of S as columns of X, as `gather` reads them."""
    column = 0
    for m in n:
        index, source = block(rows, column, 1), block(S, n_rows * column, m)
        scatter_columns(source, k, m, block(X, first, row_size(X)), index)
        column += m


@kernel
def take_last(S, order, n, n_rows, X, first):
    """Write the last column of every sequence into X[order[j], first : first + n_rows].

    Sequence j ends with step t where it is in block t but not in block t + 1.
    """
    start = 0
    for t in range(n.size):
        m = n[t]
        # Columns are longest first, so that those that end here are the last ones.
        for j in range(n[t + 1] if t + 1 < n.size else 0, m):
            for f in range(n_rows):
                X[order[j], first + f] = S[start + f * m + j]
        start += n_rows * m


@kernel
def add_last(last, n, n_rows, S):
    """Add column j of ``last``, one block of n[0] columns, to the last column of sequence j."""
    start = 0
    for t in range(n.size):
        m = n[t]
        for j in range(n[t + 1] if t + 1 < n.size else 0, m):
            for f in range(n_rows):
                S[start + f * m + j] += last[f * n[0] + j]
        start += n_rows * m


@kernel(inline="always")
def round_up_to_vectors(n, like):
    """Return the least number of elements, not below n, that fills whole vectors."""
    return (n + width(like) - 1) // width(like) * width(like)


@kernel
def copy_columns(source, s, n_source, target, t, n_target, n_rows):
    """Copy a block of n_source columns at source[s] to one of n_target columns at target[t].

    Columns that the source lacks become zero; those that the target lacks are left out.
    """
    if n_source == n_target:  # one row holds all numbers
        n_rows, n_source, n_target = 1, n_rows * n_source, n_rows * n_target
    for k in range(n_rows):
        for j in range(0, n_target, width(target)):
            # Of a negative number of elements, load_first returns zeros alone.
            vector = load_first(source, s + k * n_source + j, n_source - j)
            store_first(target, t + k * n_target + j, vector, n_target - j)
