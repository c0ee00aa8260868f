"""Row products of one fixed order of summation, centring of rows, and the number of threads."""

import numba
import numpy as np
from numba import njit

LANES = 16


@njit(cache=True, nogil=True)
def dot(x, c, lanes):
    """Sum x[k] * c[k] in 16 interleaved partial sums, added pairwise at the end."""
    n = x.size
    whole = n - n % 64
    lanes[:] = 0
    for k in range(0, whole, 64):
        for j in range(16):
            a = lanes[j] + x[k + j] * c[k + j]
            a = a + x[k + 16 + j] * c[k + 16 + j]
            a = a + x[k + 32 + j] * c[k + 32 + j]
            lanes[j] = a + x[k + 48 + j] * c[k + 48 + j]
    for k in range(whole, n):
        lanes[k % 16] += x[k] * c[k]
    width = 8
    while width > 0:
        for j in range(width):
            lanes[j] += lanes[j + width]
        width //= 2
    return lanes[0]


@njit(cache=True, nogil=True)
def affine_row(x, coef, intercept, lanes, out):
    """Write coef @ x + intercept into out; coef (n_out, n), lanes (LANES,) is work space.

    All arrays have one dtype. ``affine`` does the very same arithmetic, bit for bit.
    """
    for o in range(out.size):
        out[o] = dot(x, coef[o], lanes) + intercept[o]


@njit(cache=True, nogil=True)
def affine(X, coef, intercept, out):
    """Write X @ coef.T + intercept into out (n_rows, n_out); coef (n_out, n), one dtype.

    A row of the answer never depends on the rows around it: the order of its sums is fixed.
    """
    lanes = np.empty(LANES, X.dtype)
    for start in range(0, X.shape[0], 16):  # 16 rows stay in cache while coef passes by
        stop = min(start + 16, X.shape[0])
        for o in range(coef.shape[0]):
            for i in range(start, stop):
                out[i, o] = dot(X[i], coef[o], lanes) + intercept[o]


@njit(cache=True, nogil=True)
def two_sum(a, b):
    """Return a + b rounded, and exactly what the rounding left (Knuth, TAOCP 2, 4.2.2, th. B)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@njit(cache=True, nogil=True)
def weighted_mean(X, w, mean):
    """Write the mean of the rows of X, weighted by w (> 0), into mean (2, n) (float64).

    Its rows add up to the mean: rounded, and what the rounding left; so do those of every mean
    below. Summed about the first row of X, so that a common offset does not eat digits.
    """
    mean[:] = 0
    total = 0.0
    for i in range(X.shape[0]):
        total += w[i]
        for j in range(X.shape[1]):
            mean[0, j] += w[i] * (np.float64(X[i, j]) - np.float64(X[0, j]))
    for j in range(X.shape[1]):
        mean[0, j], mean[1, j] = two_sum(np.float64(X[0, j]), mean[0, j] / total)


@njit(cache=True, nogil=True)
def move_mean(mean, step):
    """Add step (n,) to a mean (2, n), in place."""
    for j in range(step.size):
        mean[0, j], mean[1, j] = two_sum(mean[0, j], mean[1, j] + step[j])


@njit(cache=True, nogil=True)
def centre_rows(X, root, mean, out):
    """Write root[i] * (X[i] - mean) into out (n_rows, n), row by row."""
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i, j] = root[i] * (np.float64(X[i, j]) - mean[0, j] - mean[1, j])


@njit(cache=True, nogil=True)
def centre_columns(X, root, mean, out):
    """Write root[i] * (X[i] - mean) into the columns of out (n, n_rows)."""
    for start in range(0, X.shape[0], 16):  # 16 rows by a few columns stay in cache
        stop = min(start + 16, X.shape[0])
        for j in range(X.shape[1]):
            for i in range(start, stop):
                out[j, i] = root[i] * (np.float64(X[i, j]) - mean[0, j] - mean[1, j])


def n_threads() -> int:
    """Return how many threads kernels may be spread over (``NUMBA_NUM_THREADS``)."""
    return numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
