"""Row products of one fixed order of summation, centring of rows, and the number of threads."""

from typing import Any

import numba
import numpy as np
from numba import njit

from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.masked import load_first
from esnkit.kernels.simd.vectors import fill, load, row_size, store, width

LANES = 16


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def dot(x, a, c, b, n, lanes):
    """Sum the products of n numbers of x, from the place a on, with those of c, from b on.

    Four vectors of partial sums run side by side. What is left goes to the first; at the end they,
    and then their elements, are added pairwise.
    """
    w = width(x)
    whole = n - n % (4 * w)
    one = two = three = four = fill(x.dtype.type(0))
    for k in range(0, whole, 4 * w):
        i, j = a + k, b + k
        one = fma(load(x, i), load(c, j), one)
        two = fma(load(x, i + w), load(c, j + w), two)
        three = fma(load(x, i + 2 * w), load(c, j + 2 * w), three)
        four = fma(load(x, i + 3 * w), load(c, j + 3 * w), four)
    for k in range(whole, n, w):
        one = fma(load_first(x, a + k, n - k), load_first(c, b + k, n - k), one)
    store(lanes, 0, (one + two) + (three + four))
    w //= 2
    while w > 0:
        for j in range(w):
            lanes[j] += lanes[j + w]
        w //= 2
    return lanes[0]


@njit(cache=True, nogil=True, error_model="numpy")
def affine_row(x, coef, intercept, lanes, out):
    """Write coef @ x + intercept into out; coef (n_out, n), lanes (LANES,) is work space.

    All arrays have one dtype, and rows without gaps. ``affine`` does the very same arithmetic, bit
    for bit.
    """
    for o in range(out.size):
        out[o] = dot(x, 0, coef, o * x.size, x.size, lanes) + intercept[o]


@njit(cache=True, nogil=True, error_model="numpy")
def affine(X, coef, intercept, out):
    """Write X @ coef.T + intercept into out (n_rows, n_out); coef (n_out, n), one dtype.

    Rows of X have no gaps but may be apart; coef is C-contiguous. A row of the answer never depends
    on the rows around it: the order of its sums is fixed.
    """
    lanes, n, far = np.empty(LANES, X.dtype), X.shape[1], row_size(X)
    for start in range(0, X.shape[0], 16):  # 16 rows stay in cache while coef passes by
        stop = min(start + 16, X.shape[0])
        for o in range(coef.shape[0]):
            for i in range(start, stop):
                out[i, o] = dot(X, i * far, coef, o * n, n, lanes) + intercept[o]


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


@njit(cache=True, nogil=True)
def scale_lower(G, alpha, scale, out):
    """Write the lower triangle of D (G + alpha I) D to out, D = diag(scale); return its 1-norm.

    G and out are (n, n) and Fortran-ordered; of a symmetric G only that triangle is read.
    """
    sums = np.zeros(scale.size)
    for j in range(scale.size):
        out[j, j] = (G[j, j] + alpha) * scale[j] * scale[j]
        below = abs(out[j, j])
        for i in range(j + 1, scale.size):
            out[i, j] = G[i, j] * scale[j] * scale[i]
            below += abs(out[i, j])
            sums[i] += abs(out[i, j])
        sums[j] += below
    return sums.max()


def is_compiled() -> bool:
    """Tell whether kernels are compiled, as they are without ``NUMBA_DISABLE_JIT``."""
    config: Any = numba.config
    return not config.DISABLE_JIT


def n_threads() -> int:
    """Return how many threads kernels may be spread over (``NUMBA_NUM_THREADS``)."""
    config: Any = numba.config
    return config.NUMBA_NUM_THREADS if is_compiled() else 1
