"""Powers of a sparse matrix applied to a vector, for the spectral radius.

A^m v = A (A (... (A v)))
"""

import numpy as np
from numba import int64, uint64

from esnkit.kernels.compilation import kernel
from esnkit.kernels.packed_weights import (
    BLOCK_VECTORS,
    pack_columns,
    pack_rows,
    terms,
    zero_blocks,
)
from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.vectors import aligned, fill, gather, load, repeat, store, width
from esnkit.kernels.state_buffer import (
    put_state,
    repeat_first_block,
    state_capacity,
    take_state,
)

__all__ = ["power_times_vector"]


@kernel
def power_times_vector(W, v, m):
    """Return W^m v, by m products of W with a vector.

    Every row sums its terms in the order of the layout with fused multiply-adds, from zero on.

    Parameters
    ----------
    W : Diagonals or Ell
    v : (n_units,)
    m : int

    Returns
    -------
    (n_units,) array
    """
    weights, n_diagonals, n_gathered = terms(W)
    n, block, n_terms = v.size, BLOCK_VECTORS * width(v), weights.shape[0]
    stream = zero_blocks(n, n_terms, block, v)
    pack_rows(weights, n_terms, int64(0), block, stream)
    indices = pack_columns(W, n, block)
    capacity, out = state_capacity(n, v), np.empty(n, v.dtype)
    x, position = aligned(2 * int(capacity), v), uint64(0)
    put_state(v, x, position)
    for _ in range(m):
        new = capacity - position
        # The last block is computed whole: its padding has weights of zero, and is stored below
        # the capacity, which is at least n and a block.
        for b in range(-(-n // block)):
            value = _block_times(stream, indices, n_diagonals, n_gathered, b, x, position)
            store(x, new + uint64(b * block), value)
        repeat_first_block(x, new, n)
        position = new
    take_state(x, position, out)
    return out


@kernel(inline="always")
def _block_times(stream, indices, n_diagonals, n_gathered, b, x, position):
    """Return the entries of W x for block b of the units: sum_j weights[j] x[columns[j]].

    The vector x is in the buffer at ``position``, its first block once more behind it.
    """
    w = uint64(BLOCK_VECTORS * width(x))
    at = uint64(b) * uint64(n_diagonals + n_gathered) * w
    column = uint64(b) * (uint64(n_diagonals) + uint64(n_gathered) * w)
    value = repeat(fill(x.dtype.type(0)))
    for j in range(n_diagonals):
        first = position + uint64(indices[column + uint64(j)])
        value = fma(load(stream, at, BLOCK_VECTORS), load(x, first, BLOCK_VECTORS), value)
        at += w
    for j in range(n_gathered):
        these = gather(x, position, indices, column + uint64(j) * w, BLOCK_VECTORS)
        value = fma(load(stream, at, BLOCK_VECTORS), these, value)
        at += w
    return value
