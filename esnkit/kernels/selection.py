"""Order statistics of columns."""

import numpy as np

from esnkit.kernels.compilation import kernel

__all__ = ["select_ranks"]

N_BUCKETS = 2048
MIN_WIDTH = 1e-300  # of a range whose inverse is finite
COLUMNS_AT_ONCE = 8  # that lie on one cache line of float64


@kernel
def select_ranks(rows, ranks, first, last, out):
    """Write the values of some ranks of every column from ``first`` to ``last`` into ``out``.

    Parameters
    ----------
    rows : (n_rows, n_columns)
    ranks : (n_ranks,) int64; rank k is that of the value with k smaller ones before it
    first, last : int
    out : (n_ranks, n_columns), of the dtype of ``rows``
    """
    columns = np.empty((COLUMNS_AT_ONCE, len(rows)), rows.dtype)
    buckets = np.empty(len(rows), np.int64)
    for start in range(first, last, COLUMNS_AT_ONCE):
        n = min(COLUMNS_AT_ONCE, last - start)
        for t in range(len(rows)):
            for j in range(n):
                columns[j, t] = rows[t, start + j]
        for j in range(n):
            _select(columns[j], ranks, buckets, out[:, start + j])


@kernel
def _select(values, ranks, buckets, out):
    """Select from one column: sort those buckets of equal width alone that a rank falls into.

    The number of a bucket does not decrease with the value, so that a rank is in the bucket where
    the values up to it are counted.
    """
    low, high = values.min(), values.max()
    width = np.float64(high) - np.float64(low)
    if not (width > MIN_WIDTH and np.isfinite(width)):
        out[:] = np.sort(values)[ranks]
        return
    scale = (N_BUCKETS - 1) / width
    counts = np.zeros(N_BUCKETS, np.int64)
    for t in range(values.size):
        buckets[t] = np.int64((np.float64(values[t]) - low) * scale)
        counts[buckets[t]] += 1
    for k in range(ranks.size):
        bucket, before = 0, 0
        while before + counts[bucket] <= ranks[k]:
            before += counts[bucket]
            bucket += 1
        inside = values[buckets == bucket]
        out[k] = np.sort(inside)[ranks[k] - before]
