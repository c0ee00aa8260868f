"""How packed rows are cut into blocks for the readout, and into calls of kernels."""

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


def calls(
    lengths: np.ndarray, max_rows: int, n_together: int
) -> Iterator[tuple[int, int, int, int]]:
    """Cut sequences into calls of a kernel of about ``max_rows`` rows each.

    Parameters
    ----------
    lengths : ndarray of shape (n_sequences,)
        In descending order.
    max_rows : int
    n_together : int
        Sequences that are run at the same time, at least.

    Yields
    ------
    first, last, start, stop : int
        Time steps from start to stop of the sequences from first to last, as far as they have them.
    """
    n_sequences, first = lengths.size, 0
    while first < n_sequences:
        longest = int(lengths[first])
        count = max(max_rows // longest // n_together, 1) * n_together
        group = lengths[first : first + count]
        step = max(max_rows // group.size, 1)
        for start in range(0, longest, step):
            last = first + int(np.count_nonzero(group > start))
            yield first, last, start, min(start + step, longest)
        first += group.size
