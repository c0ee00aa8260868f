"""Spectral radius of real square matrices, and scaling a matrix to a given spectral radius.

The eigenvalues of a matrix are those of its strongly connected components. A component that is one
cycle has a closed form; for a small one, dense eigenvalues are computed. For the others, the
Arnoldi process runs on a power A^m: the eigenvalues of a random matrix crowd the rim of a disc, and
m products with the sparse A multiply the relative gaps between their moduli by m, at a fraction of
the cost of one more basis vector.
"""

import functools
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from esnkit.kernels.layouts import Diagonals, Ell, lay_out
from esnkit.kernels.powers import power_times_vector
from esnkit.reservoirs._balancing import balance_cycles, balance_fully, balance_sums, rows_of
from esnkit.reservoirs._updates import UPDATES
from esnkit.reservoirs.topologies import as_csr
from esnkit.utils._threads import interruptible
from esnkit.utils._validation import check_number, finite_array

__all__ = ["effective_spectral_radius", "rescale", "spectral_radius"]

EPS = float(np.finfo(np.float64).eps)
# Up to this size dense eigenvalues are as fast as the Arnoldi process (measured, 10 per row).
MAX_DENSE = 80
# Up to this size dense eigenvalues are computed if the Arnoldi process does not converge.
MAX_DENSE_FALLBACK = 4000
# Powers m tried in turn, the size of the basis for each, and the relative residual in A^m at which
# the process has converged; the m-th root divides the error by m. The more units, the denser are
# the eigenvalues at the rim: above DOUBLED_ABOVE, twice the first power saves a full basis
# without convergence.
POWERS = (64, 512, 4096)
DOUBLED_ABOVE = 20_000
BASIS = 120
TOLERANCE = 1e-10
# Relative error that an estimate of the rounding errors may reach; the promise is 1e-6.
MAX_ERROR = 1e-7
# Largest norm of the powers of A / radius at which the Arnoldi process is trusted. Random matrices
# have up to 20, those of degree two up to 600.
MAX_AMPLIFICATION = 2000.0


def spectral_radius(W: Any) -> float:
    """Return the largest modulus of the eigenvalues of a real square matrix.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_units, n_units)
        Real and finite, of any dtype and sparse format. The computation is in float64.

    Returns
    -------
    float
        If it comes from an iteration, rounded to a relative 1.2e-10, so that it does not depend on
        the number of threads or the processor, which change the last bits.

    Raises
    ------
    ValueError
        If W is not square, real and finite; if more than 4000 of its units are strongly connected
        and no iteration converges because too many eigenvalues share the largest modulus; or if
        rounding errors alone may change the radius by a relative 1e-6, since weights cancel almost
        exactly.

    Notes
    -----
    A radius within the rounding errors of the entries of W counts as zero.

    References
    ----------
    Saad (2011), "Numerical methods for large eigenvalue problems", SIAM, sections 6.2 and 7.

    Examples
    --------
    >>> from esnkit import spectral_radius
    >>> spectral_radius([[0.0, 4.0], [1.0, 0.0]])
    2.0
    """
    A, exponent = _normalised(as_csr("W", W))
    with np.errstate(over="ignore"):
        radius = float(np.ldexp(_radius(A), exponent))
    if not np.isfinite(radius):
        raise ValueError("W must have a spectral radius within the range of float64, got more")
    return radius


def rescale(W: Any, spectral_radius: float) -> Any:
    """Multiply a matrix by a number so that it has a given spectral radius.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_units, n_units)
        Real and finite. It is not modified.
    spectral_radius : float
        Spectral radius of the result, positive.

    Returns
    -------
    array or sparse matrix
        An array, or a sparse matrix of the format of W; integers become float64.

    Raises
    ------
    ValueError
        If ``spectral_radius`` is not a positive finite number, W is not square, real and finite, or
        the spectral radius of W is zero, which no factor changes.
    TypeError
        If ``spectral_radius`` is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import rescale
    >>> rescale(np.array([[0.0, 4.0], [1.0, 0.0]]), 0.5)
    array([[0.  , 1.  ],
           [0.25, 0.  ]])
    """
    target = check_number("spectral_radius", spectral_radius, 0.0, low_open=True)
    A, exponent = _normalised(as_csr("W", W))
    radius = _radius(A)
    if radius == 0.0:
        reason = "all its entries are zero" if A.nnz == 0 else "it is nilpotent"
        raise ValueError(
            f"spectral_radius={target} cannot be reached: the radius of W is 0 whatever its scale "
            f"({reason}); draw other weights, add connections, or set the weights by value"
        )
    factor = target / radius
    scaled: Any = W.tocsr() if sp.issparse(W) else np.asarray(W)
    dtype = scaled.dtype if scaled.dtype.kind == "f" else np.dtype(np.float64)
    scaled = scaled.astype(np.float64)
    entries = scaled.data if sp.issparse(W) else scaled
    with np.errstate(over="ignore", invalid="ignore"):
        entries = (np.ldexp(entries, -exponent) * factor).astype(dtype)
    if not (np.isfinite(entries).all() and entries.any()):
        raise ValueError(
            f"spectral_radius={target:g} takes the weights out of the range of {dtype}"
        )
    if not sp.issparse(W):
        return entries
    return type(scaled)((entries, scaled.indices, scaled.indptr), W.shape).asformat(W.format)


def effective_spectral_radius(W: Any, leak_rate: Any) -> float:
    """Return the spectral radius of the leaky update, of diag(1 - a) + diag(a) W.

    Parameters
    ----------
    W : array-like or sparse matrix of shape (n_units, n_units)
        Recurrent weights, real and finite.
    leak_rate : float or array-like of shape (n_units,)
        Leak rates a in (0, 1], one for all units or one for each.

    Returns
    -------
    float
        As :func:`spectral_radius` gives it.

    Raises
    ------
    ValueError
        If W is not square, real and finite, or ``leak_rate`` has another shape or leaves (0, 1].

    References
    ----------
    Jaeger, Lukosevicius, Popovici and Siewert (2007), "Optimization and applications of echo state
    networks with leaky-integrator neurons", Neural Networks 20(3).

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import effective_spectral_radius
    >>> effective_spectral_radius(np.array([[0.5]]), 0.5)
    0.75
    """
    W = as_csr("W", W)
    leak = finite_array("leak_rate", leak_rate)
    n_units = W.shape[0]
    if leak.ndim and leak.shape != (n_units,):
        raise ValueError(f"leak_rate must be a number or of shape ({n_units},), got {leak.shape}")
    if not (np.all(leak > 0.0) and np.all(leak <= 1.0)):
        raise ValueError(f"leak_rate must lie in (0, 1], got {leak_rate!r}")
    leak = np.broadcast_to(leak, n_units)
    return spectral_radius(UPDATES["leaky"].jacobian(W, leak))


def _normalised(A):
    """Return A / 2^exponent, an exact division, with entries of at most one; and the exponent."""
    A.eliminate_zeros()
    if A.nnz == 0:
        return A, 0
    exponent = int(np.frexp(np.abs(A.data).max())[1])
    scaled = np.ldexp(A.data, -exponent)
    linked = 0 if scaled.all() else connected_components(A, connection="strong")[0]
    A.data = scaled
    if linked:
        A.eliminate_zeros()
        if connected_components(A, connection="strong")[0] != linked:
            raise ValueError("W must have links within a factor of 2**1074 of each other, got more")
    return A, exponent


def _radius(A):
    """Return the largest radius of the strongly connected components."""
    n_components, labels = connected_components(A, connection="strong")
    if n_components == 1:
        return _component_radius(A)
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    inside = labels[rows] == labels[A.indices]
    if not inside.any():
        return 0.0
    order = np.argsort(labels, kind="stable")
    new_index = np.empty_like(order)
    new_index[order] = np.arange(order.size)
    entries = (A.data[inside], (new_index[rows[inside]], new_index[A.indices[inside]]))
    A = sp.csr_array(entries, shape=A.shape)
    edges = np.concatenate([[0], np.cumsum(np.bincount(labels))])
    sums = abs(A) @ np.ones(order.size), abs(A).T @ np.ones(order.size)
    # No eigenvalue exceeds the largest row sum or column sum, which settles most components.
    bounds = np.minimum(*(np.maximum.reduceat(total, edges[:-1]) for total in sums))
    radius = 0.0
    for i in np.argsort(-bounds, kind="stable"):
        if bounds[i] <= radius:
            break
        component = slice(edges[i], edges[i + 1])
        radius = max(radius, _component_radius(A[component, component]))
    return radius


def _component_radius(A):
    """Return the spectral radius of a strongly connected A by the fastest method that is safe.

    The methods for ordinary weights are tried first. An answer whose rounding errors may be too
    large is computed again from weights that are balanced with more effort.
    """
    moduli = np.abs(A.data)
    if A.nnz == A.shape[0]:  # one cycle
        return float(moduli[0] if np.ptp(moduli) == 0.0 else np.exp(np.mean(np.log(moduli))))
    tree = _balanced_tree(A)
    B, balanced = (tree, True) if tree is not None else balance_sums(A)
    radius = _fast_radius(B) if balanced or A.shape[0] <= MAX_DENSE else None
    return _careful_radius(B, tree is not None) if radius is None else radius


def _careful_radius(A, balanced):
    """Return the radius by the first balancing that allows a verified answer, or raise.

    Zero only means that the radius is within the rounding errors: it is returned if the last
    balancing gives it too.
    """
    radius = _safe_radius(A)
    for balance in () if balanced else (balance_cycles, balance_fully):
        if radius:
            break
        A = balance(A)
        radius = _safe_radius(A)
    if radius is None:
        raise ValueError(_not_found(A.shape[0]))
    return radius


def _not_found(n):
    return (
        f"the spectral radius of W was not found to a relative 1e-6: for its {n} connected units "
        "no process converged, since too many eigenvalues share the largest modulus, or rounding "
        "errors decide, since weights cancel almost exactly; scale the weights by value instead "
        "(spectral_radius=None leaves them as they are)"
    )


def _fast_radius(A):
    """Return the radius of a component with ordinary weights, or None if it cannot be trusted."""
    if A.shape[0] <= MAX_DENSE:
        return _dense_radius(A)
    start = np.random.default_rng(0).standard_normal(A.shape[0])
    if (scale := _orthogonal_scale(A, start)) is not None:
        return _rounded(scale)
    return _iterated_radius(A, start)


def _safe_radius(A):
    """Return the radius of a component, from dense eigenvalues if it is not too large for them."""
    return _dense_radius(A) if A.shape[0] <= MAX_DENSE_FALLBACK else _fast_radius(A)


def _iterated_radius(A, start):
    """Return the radius by the Arnoldi process on a power of A, or None without convergence."""
    n = A.shape[0]
    # For a nearly full matrix, forming the eighth power costs less than applying A eight times.
    formed = 8 if A.nnz > 0.2 * n * n else 1
    if formed > 1 and _grow(A, start, 64)[1] == 0.0:
        return 0.0
    B = A if formed == 1 else np.linalg.matrix_power(A.toarray(), formed)
    powers = (2 * POWERS[0] if n > DOUBLED_ABOVE else POWERS[0], *POWERS[1:])
    for power in powers:
        if power > powers[0] and _dense_is_faster(A, power):
            return None
        radius = _krylov_radius(B, power // formed, start)
        if radius is not None:
            return None if np.isnan(radius) else _trusted(radius ** (1.0 / formed), A)
    return None


def _dense_is_faster(A, power):
    """Compare costs in seconds: n^3 nanoseconds against a full basis for A^power.

    The latter is the cost of products through SciPy, ten times that of `_powers_of`: after one
    power has not converged, dense eigenvalues are the safer method.
    """
    n = A.shape[0]
    return n <= MAX_DENSE_FALLBACK and 1e-9 * n**3 < BASIS * power * (1e-5 + 1e-9 * A.nnz)


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


def _amplification(A, radius):
    """Return the largest Frobenius norm K of (A / radius)^k, for the powers of two k up to 1024.

    Where ||(A / r)^k|| <= K for all k, a perturbation E of A moves no eigenvalue further out than
    r + K ||E|| (Kreiss's matrix theorem, its easy half); and K is at least the condition number of
    an eigenvalue of modulus r. Infinity stands for 1e12 or more.
    """
    largest = 0.0
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        power = A / radius
        for _ in range(11):
            size = np.vdot(power, power)
            if not size < 1e24:
                return np.inf
            largest = max(largest, size)
            power = interruptible(float(len(power)) ** 3, np.matmul, power, power)
    return np.sqrt(largest)


def _orthogonal_scale(A, start):
    """Return c if A is c times an orthogonal matrix, whose eigenvalues all have modulus c."""
    scale = np.sqrt(np.einsum("i,i->", A.data, A.data) / A.shape[0])
    error = np.abs(A.T @ (A @ start) - scale**2 * start).max()
    return scale if error <= 1e-13 * scale**2 else None


def _dense_radius(A):
    """Return the radius by dense eigenvalues, or None if rounding errors may change it."""
    matrix = A.toarray()
    radius = np.abs(interruptible(float(len(matrix)) ** 3, np.linalg.eigvals, matrix)).max()
    small = radius < 0.3 * np.linalg.norm(matrix) / np.sqrt(A.shape[0])
    if small and A.shape[0] <= MAX_DENSE and _is_nilpotent(matrix):
        return 0.0
    if (trusted := _trusted(radius, A)) == 0.0:
        return 0.0
    rounding = 10.0 * EPS * np.linalg.norm(matrix)  # of LAPACK, as a perturbation of the matrix
    exact_enough = _amplification(matrix, radius) * rounding <= MAX_ERROR * radius
    return trusted if exact_enough else None


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


def _krylov_radius(A, power, start):
    """Run Arnoldi on A^power; return the spectral radius of A, or None without convergence.

    NaN stands for a process that has converged but amplifies rounding errors too much.
    """
    v, growth = _grow(A, start, power)
    if growth == 0.0:
        return 0.0
    times_power = _powers_of(A * (1.0 / growth))
    V = np.empty((BASIS + 1, v.size))
    H = np.zeros((BASIS + 1, BASIS))
    V[0] = v
    for j in range(BASIS):
        w = times_power(V[j], power)
        size = _norm(w)
        if not np.isfinite(size):
            return None
        w = _orthogonalise(w, V[: j + 1], H[: j + 2, j])
        closed = H[j + 1, j] <= 1e-12 * size  # the basis spans an invariant subspace
        if closed or j % 6 == 5:
            largest, residual = _largest_ritz_value(H[: j + 2, : j + 1])
            if closed or residual <= TOLERANCE * largest:
                if not _amplification(H[: j + 1, : j + 1], largest) <= MAX_AMPLIFICATION:
                    return np.nan
                return growth * largest ** (1.0 / power)
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
    """Return the direction of A^n_steps v, and the mean growth per step in the last half.

    The growth is 0 if A is nilpotent: only rounding errors, which add up over the steps, are left
    of the vector. It is not nilpotent if weak links shrank the vector nearly as much before.
    """
    sizes: list[float] = []
    largest, carried = 0.0, False
    v = v / _norm(v)
    for _ in range(n_steps):
        v = A @ v
        sizes.append(_norm(v))
        largest = max(largest, sizes[-1])
        if sizes[-1] == 0.0 or (sizes[-1] <= 8 * EPS * len(sizes) * largest and not carried):
            return v, 0.0
        carried = carried or sizes[-1] <= 1e-6 * largest
        v = v / sizes[-1]
    return v, np.exp(np.mean(np.log(sizes[n_steps // 2 :])))


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


def _trusted(radius, A):
    """Return the rounded radius, or zero if it is within the rounding errors of A."""
    noise = A.shape[0] * EPS * _norm(A.data)
    return _rounded(radius) if radius > noise else 0.0


def _rounded(radius):
    """Round to 33 bits: the last bits depend on the processor and on the threads of LAPACK."""
    mantissa, exponent = np.frexp(radius)
    return float(np.ldexp(np.rint(np.ldexp(mantissa, 33)), exponent - 33))
