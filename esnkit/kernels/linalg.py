"""Row products with a fixed order of summation, centring of rows, and the number of threads."""

from typing import Any

import numba
import numpy as np
from numba.np.ufunc import parallel

from esnkit.kernels.compilation import kernel
from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.masked import load_first
from esnkit.kernels.simd.vectors import fill, load, row_size, store, width

COLUMNS = 64  # of a matrix that a kernel reads several times
LANES = 16  # room for the partial sums of one product: a vector of float32


@kernel(inline="always")
def dot(x, a, c, b, n, partial_sums):
    """Return sum_k x[a + k] c[b + k] over n terms; ``partial_sums`` (LANES,) is work space.

    Term k < n - n % 4w, for vectors of w numbers, goes to element k % 4w of four vectors of partial
    sums, so that four fused multiply-adds are under way at a time; the remaining terms go to the
    first vector. The vectors, then the elements of their sum, are added pairwise.
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
    store(partial_sums, 0, (one + two) + (three + four))
    w //= 2
    while w > 0:
        for j in range(w):
            partial_sums[j] += partial_sums[j + w]
        w //= 2
    return partial_sums[0]


@kernel
def affine_row(x, coef, intercept, partial_sums, out):
    """Write coef @ x + intercept into out; coef (n_out, n), partial_sums (LANES,) is work space.

    All arrays have one dtype and are C-contiguous. The bits are those of `affine`.
    """
    for o in range(out.size):
        out[o] = dot(x, 0, coef, o * x.size, x.size, partial_sums) + intercept[o]


@kernel
def affine(X, coef, intercept, out):
    """Write X @ coef.T + intercept into out (n_rows, n_out); coef (n_out, n), one dtype.

    The numbers of a row of X are contiguous, its rows may be strided; coef is C-contiguous. A row
    of the result does not depend on the other rows: the order of its sums is fixed.
    """
    partial_sums, n, stride = np.empty(LANES, X.dtype), X.shape[1], row_size(X)
    for start in range(0, X.shape[0], 16):  # 16 rows stay in the cache while coef is read once
        stop = min(start + 16, X.shape[0])
        for o in range(coef.shape[0]):
            for i in range(start, stop):
                out[i, o] = dot(X, i * stride, coef, o * n, n, partial_sums) + intercept[o]


@kernel
def inverse_diagonals(Q, pivots, ratios, out):
    """Write the diagonals of Q' T^-1 Q for several tridiagonal T = L D L' to out (n_T, n_columns).

    The columns of Q' L'^-1 follow from one another, and the diagonal sums up their squares over D.

    Parameters
    ----------
    Q : (n, n_columns), C-contiguous
    pivots : (n_T, n), the diagonals of D
    ratios : (n_T, n - 1), what is below the diagonals of L, which are one
    """
    n_rows, n_columns = Q.shape
    last, total = np.empty(COLUMNS), np.empty(COLUMNS)
    for first in range(0, n_columns, COLUMNS):  # which stay in the cache for all T
        m = min(COLUMNS, n_columns - first)
        for k in range(pivots.shape[0]):
            last[:], total[:] = 0, 0
            for i in range(n_rows):
                row = Q[i, first : first + m]
                ratio, share = ratios[k, i - 1] if i > 0 else 0.0, 1 / pivots[k, i]
                for j in range(m):
                    last[j] = row[j] - ratio * last[j]
                    total[j] += last[j] * last[j] * share
            out[k, first : first + m] = total[:m]


@kernel(error_model="python")
def two_sum(a, b):
    """Return a + b rounded, and the exact rounding error (Knuth, TAOCP 2, 4.2.2, theorem B)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@kernel(error_model="python")
def weighted_mean(X, w, origin, mean):
    """Write the mean of the rows of X, weighted by w (> 0), into mean (2, n) (float64).

    Row 0 is the mean rounded, row 1 its rounding error; so it is in all functions below. The sums
    are those of X - X[origin], so that a common offset costs no digits.
    """
    mean[:] = 0
    total = 0.0
    for i in range(X.shape[0]):
        total += w[i]
        for j in range(X.shape[1]):
            mean[0, j] += w[i] * (np.float64(X[i, j]) - np.float64(X[origin, j]))
    for j in range(X.shape[1]):
        mean[0, j], mean[1, j] = two_sum(np.float64(X[origin, j]), mean[0, j] / total)


@kernel(error_model="python")
def move_mean(mean, step):
    """Add step (n,) to a mean (2, n) in place; the row of rounding errors keeps small steps."""
    for j in range(step.size):
        mean[0, j], mean[1, j] = two_sum(mean[0, j], mean[1, j] + step[j])


@kernel(error_model="python")
def centre_rows(X, root, mean, out):
    """Write root[i] * (X[i] - mean) into out (n_rows, n), row by row."""
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i, j] = root[i] * (np.float64(X[i, j]) - mean[0, j] - mean[1, j])


@kernel(error_model="python")
def centre_columns(X, root, mean, out):
    """Write root[i] * (X[i] - mean) into the columns of out (n, n_rows)."""
    for start in range(0, X.shape[0], 16):  # 16 rows by a few columns stay in the cache
        stop = min(start + 16, X.shape[0])
        for j in range(X.shape[1]):
            for i in range(start, stop):
                out[j, i] = root[i] * (np.float64(X[i, j]) - mean[0, j] - mean[1, j])


@kernel(error_model="python")
def scale_lower(G, alpha, scale, out):
    """Write the lower triangle of D (G + alpha I) D to out, D = diag(scale); return its 1-norm.

    G and out are (n, n) and Fortran-ordered. G is symmetric; only its lower triangle is read. An
    entry below the diagonal counts in the absolute sums of two columns, its own and its mirror's.
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
    norm = 0.0
    for j in range(scale.size):
        if sums[j] > norm or np.isnan(sums[j]):
            norm = sums[j]
    return norm


def is_compiled() -> bool:
    """Tell whether kernels are compiled, which ``NUMBA_DISABLE_JIT`` prevents."""
    config: Any = numba.config
    return not config.DISABLE_JIT


def numba_threads() -> int:
    """Return the number of threads that Numba allows, 1 in uncompiled code.

    It is ``NUMBA_NUM_THREADS``, or what ``numba.set_num_threads`` has set in this thread.
    """
    if not is_compiled():
        return 1
    # To ask starts the threads of Numba, which `set_num_threads` has done if it was called.
    if getattr(parallel, "_is_initialized", False):
        return parallel.get_num_threads()
    config: Any = numba.config
    return config.NUMBA_NUM_THREADS


def limit_numba_threads(n: int) -> None:
    """Limit the threads of Numba in this thread to n, which `numba_threads` returned in another."""
    if is_compiled() and getattr(parallel, "_is_initialized", False):
        numba.set_num_threads(n)
