"""Spectral radius of one strongly connected component, verified.

One cycle has a closed form; for a small component, dense eigenvalues are computed. For the others,
the Arnoldi process runs on a power A^m: the eigenvalues of a random matrix crowd the rim of a disc,
and m products with the sparse A multiply the relative gaps between their moduli by m, at a fraction
of the cost of one more basis vector.

Every answer of an iteration is verified. A computed radius is the exact one of a matrix A + E with
||E|| of some rounding errors of A. Where ||(A / r)^k|| <= K for all k, such an E moves no
eigenvalue further out than r + K ||E|| (the easy half of Kreiss's matrix theorem), and K is at
least the condition number of an eigenvalue of modulus r. So K ||E|| / r bounds the relative error;
it is also what the rounding of the entries of A to float64 may change.
"""

import functools

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.layouts import Diagonals, Ell, lay_out
from esnkit.kernels.powers import power_times_vector
from esnkit.reservoirs._balancing import balance_fully, balance_sums, rows_of
from esnkit.utils._threads import interruptible

__all__ = ["component_radius"]

EPS = float(np.finfo(np.float64).eps)
# Up to this size dense eigenvalues are as fast as the Arnoldi process (measured, 10 per row).
MAX_DENSE = 80
# Up to this size dense eigenvalues are computed if the Arnoldi process does not converge.
MAX_DENSE_FALLBACK = 4000
# Powers m tried in turn with the size of the basis for each, and the relative residual in A^m at
# which the process has converged; the m-th root divides the error by m. The more units, the denser
# are the eigenvalues at the rim: above DOUBLED_ABOVE, twice the first power saves a full basis
# without convergence. The last basis serves matrices that are too large for dense eigenvalues.
ATTEMPTS = ((64, 120), (512, 120), (4096, 400))
DOUBLED_ABOVE = 20_000
TOLERANCE = 1e-10
# Relative error that an estimate of the rounding errors may reach; the promise is 1e-6.
MAX_ERROR = 1e-7
# Squarings by which a matrix reaches the powers that a relative change of 1e-7 takes to show, and
# the largest norm on the way: from larger ones on, rounding errors of the squares add up.
SQUARINGS = 24
MAX_AMPLIFICATION = 1000.0
# Entries whose exponents differ by more are balanced before they are divided by the largest.
MAX_RANGE = 1000


def component_radius(A: sp.csr_array) -> tuple[float, int]:
    """Return the spectral radius of a strongly connected matrix.

    The methods for ordinary weights are tried first. An answer that cannot be verified, or zero, is
    computed again from weights that are balanced with more effort.

    Parameters
    ----------
    A : csr_array of shape (n_units, n_units), float64
        Canonical, without stored zeros.

    Returns
    -------
    float, int
        m and e: the radius is m * 2**e. Zero if it is within the rounding errors of the entries.

    Raises
    ------
    ValueError
        If no method gives an answer whose relative error is known to be less than 1e-6.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from esnkit.reservoirs._eigenvalues import component_radius
    >>> component_radius(sp.csr_array([[1.0, 2.0], [2.0, 1.0]]))
    (0.75, 2)
    """
    if A.nnz <= A.shape[0]:
        return _cycle_radius(A)
    tree = _balanced_tree(A)
    B, exponent, wide = _normalised(A if tree is None else tree)
    balanced, radius = tree is not None, None
    if not (balanced or wide):
        B, balanced = balance_sums(B)
        B, shift, _ = _normalised(B)  # powers of much smaller weights would underflow
        exponent += shift
    if balanced or (B.shape[0] <= MAX_DENSE and not wide):
        radius = _verified_radius(B)
    if not radius and tree is None and (full := balance_fully(A)) is not None:
        B, exponent = full
        radius = _verified_radius(B)
    if radius is None:
        raise ValueError(_not_found(A.shape[0]))
    return radius, exponent


def _not_found(n):
    return (
        f"the spectral radius of W was not found to a relative 1e-6: for its {n} connected units "
        "no process converged, since too many eigenvalues share the largest modulus, or rounding "
        "errors decide, since weights cancel almost exactly; scale the weights by value instead "
        "(spectral_radius=None leaves them as they are)"
    )


def _cycle_radius(A):
    """Return the geometric mean of the weights of one cycle, or of none, and an exponent."""
    if A.nnz == 0:
        return 0.0, 0
    B, exponent, wide = _normalised(A)
    moduli = np.abs(B.data)
    if np.ptp(moduli) == 0.0:
        return float(moduli[0]), exponent
    logs = np.log(np.abs(A.data)) - exponent * np.log(2.0) if wide else np.log(moduli)
    return float(np.exp(np.mean(logs))), exponent


def _normalised(A):
    """Return A / 2^exponent with entries of at most one, the exponent, and whether bits are lost.

    The division is exact unless entries underflow.
    """
    exponents = np.frexp(A.data)[1]
    exponent = int(exponents.max())
    B = sp.csr_array((np.ldexp(A.data, -exponent), A.indices, A.indptr), shape=A.shape)
    return B, exponent, int(exponents.min()) < exponent - MAX_RANGE


def _verified_radius(A):
    """Return the radius, zero if it is within rounding errors, or None if it cannot be verified."""
    if A.shape[0] <= MAX_DENSE:
        return _dense_radius(A)
    start = np.random.default_rng(0).standard_normal(A.shape[0])
    if (scale := _orthogonal_scale(A, start)) is not None:
        return _rounded(scale)
    radius = _iterated_radius(A, start)
    return _dense_radius(A) if radius is None and A.shape[0] <= MAX_DENSE_FALLBACK else radius


def _iterated_radius(A, start):
    """Return the radius by the Arnoldi process on a power of A, or None if it is not verified."""
    n = A.shape[0]
    (first, basis), *others = ATTEMPTS
    first = 2 * first if n > DOUBLED_ABOVE else first
    v, logs = _grow(A, start, first)
    if logs is None:
        return 0.0
    # For a nearly full matrix, forming the eighth power costs less than applying A eight times.
    formed = 8 if A.nnz > 0.2 * n * n else 1
    B = A if formed == 1 else np.linalg.matrix_power(A.toarray(), formed)
    for power, n_vectors in ((first, basis), *others):
        if power > first:
            if _dense_is_faster(A, power, n_vectors):
                return None
            v, logs = _grow(A, start, power)
        growth = np.exp(formed * np.mean(logs[logs.size // 2 :]))
        ritz = _krylov_radius(B, power // formed, v, growth, n_vectors)
        if ritz is not None:
            radius, amplification = ritz[0] ** (1.0 / formed), ritz[1]
            rounding = _rounding_of_products(A) / radius * _transient(logs, radius, n)
            verified = amplification * (rounding + TOLERANCE / power) <= MAX_ERROR
            return _rounded(radius) if verified else None
    return None


def _rounding_of_products(A):
    """Return a bound on the 2-norm of the rounding errors of A @ v, as a perturbation of A."""
    moduli = np.abs(A.data)
    sums = np.bincount(rows_of(A), moduli), np.bincount(A.indices, moduli)
    return 2.0 * EPS * np.sqrt(sums[0].max() * sums[1].max())


def _dense_is_faster(A, power, n_vectors):
    """Compare costs in seconds: n^3 nanoseconds against a full basis for A^power.

    The latter is the cost of products through SciPy, ten times that of `_powers_of`: after one
    power has not converged, dense eigenvalues are the safer method.
    """
    n = A.shape[0]
    return n <= MAX_DENSE_FALLBACK and 1e-9 * n**3 < n_vectors * power * (1e-5 + 1e-9 * A.nnz)


def _balanced_tree(A):
    """Return A with equal moduli of the two weights of each link, if it has no longer cycles.

    Such a tree of units linked both ways (a delay line with backward links) has this exact
    similarity, and no approximation suffices. Otherwise the answer is None.
    """
    links = np.count_nonzero(rows_of(A) != A.indices)
    if links != 2 * (A.shape[0] - 1):
        return None
    mirror = abs(A.T.tocsr())
    mirror.sort_indices()
    if not np.array_equal(mirror.indices, A.indices):
        return None
    data = np.copysign(np.sqrt(np.abs(A.data)) * np.sqrt(mirror.data), A.data)
    return sp.csr_array((data, A.indices, A.indptr), shape=A.shape)


def _orthogonal_scale(A, start):
    """Return c if A is c times an orthogonal matrix, whose eigenvalues all have modulus c."""
    scale = np.sqrt(np.einsum("i,i->", A.data, A.data) / A.shape[0])
    error = np.abs(A.T @ (A @ start) - scale**2 * start).max()
    return scale if error <= 1e-13 * scale**2 else None


def _dense_radius(A):
    """Return the radius by dense eigenvalues, or None if rounding errors may change it."""
    matrix, n = A.toarray(), A.shape[0]
    eigenvalues = interruptible(float(n) ** 3, np.linalg.eigvals, matrix)
    radius, size = np.abs(eigenvalues).max(), np.linalg.norm(matrix)
    small = radius < 0.3 * size / np.sqrt(n)
    if radius <= n * EPS * size or (small and n <= MAX_DENSE and _is_nilpotent(matrix)):
        return 0.0
    rounding = 10.0 * EPS * size  # of LAPACK, as a perturbation of the matrix
    if _amplification(matrix, radius) * rounding <= MAX_ERROR * radius:
        return _rounded(radius)
    reach = _perturbed_radius(matrix, rounding)
    return _rounded(radius) if reach <= (1.0 + MAX_ERROR) * radius else None


def _perturbed_radius(matrix, size):
    """Return how far from zero perturbations of a norm may move an eigenvalue, to first order.

    The distance is their norm times the condition number of the eigenvalue. Near a defective
    eigenvalue, the computed eigenvectors differ by enough for a large number.
    """
    work = float(len(matrix)) ** 3
    values, vectors = interruptible(work, np.linalg.eig, matrix)
    try:
        conditions = np.linalg.norm(interruptible(work, np.linalg.inv, vectors), axis=1)
    except np.linalg.LinAlgError:
        return np.inf
    return (np.abs(values) + conditions * size).max()


def _is_nilpotent(matrix):
    """Tell whether some power of the matrix consists of rounding errors alone.

    The computed eigenvalues do not tell: if A^p = 0, rounding raises them to 1e-16^(1 / p).
    """
    power = matrix = _of_size_one(matrix)
    for _ in range(len(matrix)):
        power = power @ matrix
        if np.linalg.norm(power) <= len(matrix) * EPS:
            return True
        power = _of_size_one(power)
    return False


def _of_size_one(matrix):
    """Divide by the power of two nearest the norm, which keeps products of integers exact."""
    return np.ldexp(matrix, -int(np.frexp(np.linalg.norm(matrix))[1]))


def _amplification(A, radius):
    """Return the largest Frobenius norm of (A / radius)^k, for k = 1, 2, 4, ... 2^SQUARINGS.

    Infinity stands for more than MAX_AMPLIFICATION.
    """
    largest = 0.0
    power = A / radius
    for _ in range(SQUARINGS + 1):
        largest = max(largest, np.vdot(power, power))
        if not largest <= MAX_AMPLIFICATION**2:
            return np.inf
        power = interruptible(float(len(power)) ** 3, np.matmul, power, power)
    return np.sqrt(largest)


def _transient(logs, radius, n):
    """Estimate the largest Frobenius norm of (A / radius)^k from the growth of a random vector.

    The Arnoldi process alone does not tell, since its basis holds right eigenvectors only.
    """
    growth = np.cumsum(logs - np.log(radius))
    with np.errstate(over="ignore"):
        return np.sqrt(n) * np.exp(max(0.0, growth.max()))


def _krylov_radius(A, power, v, growth, n_vectors):
    """Run Arnoldi on A^power from a vector that A multiplies by about ``growth``.

    Returns
    -------
    (float, float) or None
        The spectral radius of A, and the amplification of rounding errors inside the basis. None
        without convergence.
    """
    times_power = _powers_of(A * (1.0 / growth))
    n_vectors = min(n_vectors, v.size)
    V = np.empty((n_vectors + 1, v.size))
    H = np.zeros((n_vectors + 1, n_vectors))
    V[0] = v
    for j in range(n_vectors):
        w = times_power(V[j], power)
        size = _norm(w)
        if not np.isfinite(size):
            return None
        w = _orthogonalise(w, V[: j + 1], H[: j + 2, j])
        closed = H[j + 1, j] <= 1e-12 * size  # the basis spans an invariant subspace
        if closed or (j + 1) % (6 if j < 120 else 30) == 0:
            largest, residual = _largest_ritz_value(H[: j + 2, : j + 1])
            if closed or residual <= TOLERANCE * largest:
                amplification = _amplification(H[: j + 1, : j + 1], largest)
                return growth * largest ** (1.0 / power), amplification
        V[j + 1] = w
    return None


def _powers_of(A):
    """Return the function (v, m) -> A^m v.

    For diagonals and short rows a kernel computes it, in a fraction of the time of m products
    through SciPy.
    """
    W = lay_out(A)[0] if sp.issparse(A) else None
    if isinstance(W, Diagonals | Ell):
        return lambda v, m: interruptible(m * A.nnz, power_times_vector, W, v, m)
    return lambda v, m: functools.reduce(lambda w, _: A @ w, range(m), v)


def _grow(A, v, n_steps):
    """Return the direction of A^n_steps v, and the logarithms of the growth in every step.

    The latter is None if A is nilpotent: only rounding errors, which add up over the steps, are
    left of the vector. It is not nilpotent if weak links shrank the vector nearly as much before.
    """
    sizes: list[float] = []
    largest, carried = 0.0, False
    v = v / _norm(v)
    for _ in range(n_steps):
        v = A @ v
        sizes.append(_norm(v))
        largest = max(largest, sizes[-1])
        if sizes[-1] == 0.0 or (sizes[-1] <= 8 * EPS * len(sizes) * largest and not carried):
            return v, None
        carried = carried or sizes[-1] <= 1e-6 * largest
        v = v / sizes[-1]
    return v, np.log(sizes)


def _norm(v):
    # einsum here and below, not BLAS, whose sums depend on the number of threads.
    return np.sqrt(np.einsum("i,i->", v, v))


def _orthogonalise(w, V, h):
    """Return w minus its projection on the rows of V, normalised; h gets the coefficients."""
    for _ in range(2):  # one pass of Gram-Schmidt does not make the basis orthogonal to rounding
        coefficients = np.einsum("ij,j->i", V, w)
        w = w - np.einsum("i,ij->j", coefficients, V)
        h[:-1] += coefficients
    h[-1] = _norm(w)
    return w / h[-1] if h[-1] > 0.0 else w


def _largest_ritz_value(H):
    """Return the largest modulus of the Ritz values, and the largest residual of the first four.

    A small residual proves an eigenvalue, but not that it is the largest. If the next three have
    converged too, and the start vector has a component in every direction, it is.
    """
    values, vectors = np.linalg.eig(H[:-1])
    first = np.argsort(-np.abs(values))[:4]
    return np.abs(values[first[0]]), H[-1, -1] * np.abs(vectors[-1, first]).max()


def _rounded(radius):
    """Round to 33 bits: the last bits depend on the processor and on the threads of LAPACK."""
    mantissa, exponent = np.frexp(radius)
    return float(np.ldexp(np.rint(np.ldexp(mantissa, 33)), exponent - 33))
