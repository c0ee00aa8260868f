"""Matrix functions of float64 without the interpreter lock, which an interrupt ends at once.

They call SciPy's LAPACK, whose wrappers in ``scipy.linalg`` hold the lock, so that other threads
stand still and Ctrl-C waits. Work spaces have the sizes that SciPy gives them; the bits are equal.
"""

from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, qr

from esnkit.readouts._blas import call_lapack
from esnkit.utils._threads import interruptible

__all__ = [
    "cholesky",
    "eigh",
    "factor_tridiagonal",
    "invert_triangle",
    "matmul",
    "pivoted_qr",
    "reciprocal_condition",
    "reciprocal_condition_of_triangle",
    "robust_svd",
    "solve_cholesky",
    "solve_tridiagonal",
    "tridiagonal",
]

WORK_COLUMNS = 64  # of the work space of a factorisation by blocks


def matmul(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return AB."""
    return interruptible(A.size * B.shape[1], np.matmul, A, B)


def cholesky(G: np.ndarray) -> int:
    """Overwrite the lower triangle of G (n, n), Fortran-ordered, by L of G = LL'.

    Returns
    -------
    int
        0, or the order of the first leading minor that is not positive.
    """
    n = len(G)
    return _call(n**3, "dpotrf", b"L", n, G, n)


def solve_cholesky(L: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the solution X (n, p) of LL'X = B from the lower triangle L (n, n)."""
    n, X = len(L), np.array(B, order="F")
    _call(n * X.size, "dpotrs", b"L", n, X.shape[1], L, n, X, n)
    return X


def reciprocal_condition(L: np.ndarray, norm: float) -> float:
    """Return an estimate of 1 / (norm of G times that of its inverse), in the 1-norm.

    Parameters
    ----------
    L : ndarray of shape (n, n)
        Lower triangle of G = LL'.
    norm : float
        1-norm of G.
    """
    n, found = len(L), np.zeros(1)
    _call(n**2, "dpocon", b"L", n, L, n, float(norm), found, np.empty(3 * n), np.empty(n, np.int64))
    return float(found[0])


def reciprocal_condition_of_triangle(R: np.ndarray) -> float:
    """Return an estimate of 1 / (norm of R times that of its inverse), R an upper triangle."""
    n, R, found = len(R), np.asfortranarray(R), np.zeros(1)
    work = np.empty(3 * n), np.empty(n, np.int64)
    _call(n**2, "dtrcon", b"1", b"U", b"N", n, R, n, found, *work)
    return float(found[0])


def invert_triangle(R: np.ndarray) -> np.ndarray:
    """Return the inverse of the upper triangle R (n, n), in a matrix with zeros below it."""
    n, inverse = len(R), np.array(R, order="F")
    _call(n**3, "dtrtri", b"U", b"N", n, inverse, n)
    return np.triu(inverse)


def eigh(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues, ascending, and eigenvectors of A, of which the lower half is read."""
    n, vectors = len(A), np.array(A, order="F")
    values, work, iwork = np.empty(n), np.empty(1), np.empty(3 + 5 * n, np.int64)
    fixed = "dsyevd", b"V", b"L", n, vectors, n, values
    call_lapack(*fixed, work, -1, iwork, len(iwork))  # the size of the work space
    work = np.empty(int(work[0]))
    if _call(n**3, *fixed, work, len(work), iwork, len(iwork)):
        raise LinAlgError("the eigenvalues of the Gram matrix did not converge")
    return values, vectors


def tridiagonal(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the diagonal, what is beside it, and Q of A = QTQ', of which the lower half is read.

    T is tridiagonal, Q orthogonal; they take half the time of eigenvalues and eigenvectors.
    """
    n, Q = len(A), np.array(A, order="F")
    diagonal, beside, scales = np.empty(n), np.empty(max(n - 1, 0)), np.empty(max(n - 1, 1))
    work = np.empty(WORK_COLUMNS * n)
    _call(n**3, "dsytrd", b"L", n, Q, n, diagonal, beside, scales, work, len(work))
    _call(n**3, "dorgtr", b"L", n, Q, n, scales, work, len(work))
    return diagonal, beside, Q


def factor_tridiagonal(diagonal: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the diagonal of D, and what is below that of L, of a positive definite T = LDL'."""
    pivots, ratios = diagonal.copy(), beside.copy()
    if call_lapack("dpttrf", len(pivots), pivots, ratios):
        raise LinAlgError("the tridiagonal matrix is not positive definite")
    return pivots, ratios


def solve_tridiagonal(pivots: np.ndarray, ratios: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the solution X (n, p) of LDL'X = B."""
    n, X = len(pivots), np.array(B, order="F")
    call_lapack("dpttrs", n, X.shape[1], pivots, ratios, X, n)
    return X


def robust_svd(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return U, s and V' of A = U diag(s) V'; none has more columns or rows than A."""
    try:
        return _svd("dgesdd", A)
    except LinAlgError:  # divide and conquer may fail to converge, QR iteration does not
        return _svd("dgesvd", A)


def pivoted_qr(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return R (m, n) of AP = QR, and the permutation P (n,)."""
    work = A.size * min(A.shape)
    return interruptible(work, partial(qr, A, mode="r", pivoting=True, check_finite=False))


def _svd(routine: str, A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return U, s and V' by dgesdd or dgesvd."""
    m, n = A.shape
    k = min(m, n)
    U, s, Vt = np.empty((m, k), order="F"), np.empty(k), np.empty((k, n), order="F")
    job = (b"S",) if routine == "dgesdd" else (b"S", b"S")
    iwork = (np.empty(8 * k, np.int64),) if routine == "dgesdd" else ()
    fixed = routine, *job, m, n, np.array(A, order="F"), max(m, 1), s, U, max(m, 1), Vt, max(k, 1)
    work = np.empty(1)
    call_lapack(*fixed, work, -1, *iwork)  # the size of the work space
    work = np.empty(max(int(work[0]), 1))
    if _call(m * n * k, *fixed, work, len(work), *iwork):
        raise LinAlgError("the singular values did not converge")
    return U, s, Vt


def _call(work: float, *arguments: Any) -> int:
    """Call a routine of about this many multiply-adds; return its error code."""
    return int(interruptible(work, call_lapack, *arguments))
