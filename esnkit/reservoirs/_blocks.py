"""How packed rows are cut into the blocks that a reservoir runs one after the other."""

from collections.abc import Iterator

import numpy as np

BLOCK_BYTES = 2**24  # the features of a block stay in the cache until the readout has read them


def segments(
    offsets: np.ndarray, block_rows: int, divisible: bool = True
) -> Iterator[tuple[int, int, int, int]]:
    """Cut packed rows into blocks: whole sequences together, or a piece of one long sequence.

    A sequence that is not ``divisible`` is one block, however long it is.

    Yields
    ------
    first, last, start, stop : int
        First sequence, one past the last, first row, one past the last row.
    """
    n_sequences, n_rows = offsets.size - 1, int(offsets[-1])
    if n_rows <= block_rows:
        yield 0, n_sequences, 0, n_rows
        return
    first = 0
    while first < n_sequences:
        start = int(offsets[first])
        last = int(np.searchsorted(offsets, start + block_rows, side="right")) - 1
        if last > first:
            yield first, last, start, int(offsets[last])
            first = last
            continue
        stop = int(offsets[first + 1])
        step = block_rows if divisible else stop - start
        for piece in range(start, stop, step):
            yield first, first + 1, piece, min(piece + step, stop)
        first += 1
