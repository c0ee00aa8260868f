"""Columns of a block copied to rows of another array, in tiles transposed in registers."""

from numba import njit

from esnkit.kernels.simd.tiles import BYTES, block_to_rows

__all__ = ["columns_to_rows"]


@njit(cache=True, nogil=True, error_model="numpy")
def columns_to_rows(block, start, row_length, n_rows, out, offsets, first):
    """Copy column j of a block to ``out`` from ``offsets[j] + first`` on, for every offset.

        out[offsets[j] + first + i] = block[start + i * row_length + j],   0 <= i < n_rows

    Parameters
    ----------
    block : flat array; `row_length` numbers a row
    start : int, index in ``block`` at which row 0 begins
    row_length, n_rows : int, of the block
    out : flat array of the same dtype
    offsets : (n_columns,) uint64, n_columns <= row_length
    first : int
    """
    one, size = out.dtype.type(1), out.itemsize
    vector = BYTES // size
    source, target = block.ctypes.data + int(start) * size, out.ctypes.data + first * size
    for i in range(0, n_rows, vector):
        for j in range(0, offsets.size, vector):
            block_to_rows(
                one, source + (i * row_length + j) * size, row_length, n_rows - i,
                target + i * size, 1, offsets.ctypes.data + j * offsets.itemsize, offsets.size - j,
            )  # fmt: skip
