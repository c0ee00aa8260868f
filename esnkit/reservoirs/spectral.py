"""Spectral radius of real square matrices, and scaling a matrix to a given spectral radius.

The eigenvalues of a matrix are those of its strongly connected components.
"""

from hashlib import sha256
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from esnkit.reservoirs._balancing import rows_of
from esnkit.reservoirs._eigenvalues import component_radius
from esnkit.reservoirs._updates import UPDATES
from esnkit.reservoirs.topologies import as_csr
from esnkit.utils._sharing import shared_work
from esnkit.utils._validation import check_number, finite_array

__all__ = ["effective_spectral_radius", "rescale", "spectral_radius"]

# Relative error that the documentation promises.
MAX_ERROR = 1e-6
MAX_KNOWN = 1000  # radii that searches remember
_known_radii: dict[bytes, tuple[float, int]] = {}


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
        If W is not square, real and finite; if its radius is not a normal float64; if more than
        4000 of its units are strongly connected and no iteration converges because too many
        eigenvalues share the largest modulus; or if rounding errors of the entries may change the
        radius by about 1e-6 or more, which no computation from them can undo: the eigenvalue is
        nearly defective, or weak links are hidden in a dense W.

    Notes
    -----
    The relative error is less than 1e-6, of ordinary weights less than 1e-9. A radius counts as
    zero if rounding errors of the entries of W may be all that keeps it from being nilpotent.

    References
    ----------
    Saad (2011), "Numerical methods for large eigenvalue problems", SIAM, sections 6.2 and 7.

    Examples
    --------
    >>> from esnkit import spectral_radius
    >>> spectral_radius([[0.0, 4.0], [1.0, 0.0]])
    2.0
    """
    mantissa, exponent = _radius(as_csr("W", W))
    with np.errstate(over="ignore", under="ignore"):
        radius = float(np.ldexp(mantissa, exponent))
    if abs(np.ldexp(radius, -exponent) - mantissa) > MAX_ERROR * mantissa:
        got = "less" if radius < 1.0 else "more"
        raise ValueError(f"W must have a spectral radius within the range of float64, got {got}")
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
        the spectral radius of W is zero, which no factor changes, or not found (see
        :func:`spectral_radius`), or weights leave the range of their dtype.
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
    A = as_csr("W", W)
    radius, exponent = _radius(A)
    if radius == 0.0:
        reason = "all its entries are zero" if A.nnz == 0 else "it is nilpotent"
        raise ValueError(
            f"spectral_radius={target} cannot be reached: the radius of W is 0 whatever its scale "
            f"({reason}); draw other weights, add connections, or set the weights by value"
        )
    return scale_by(W, target, radius, exponent)


def scale_by(W: Any, target: float, radius: float, exponent: int = 0) -> Any:
    """Return W times ``target / (radius * 2**exponent)``, or raise if weights leave their dtype.

    ``radius * 2**exponent`` is the spectral radius of W.
    """
    scaled: Any = W.tocsr() if sp.issparse(W) else np.asarray(W)
    dtype = scaled.dtype if scaled.dtype.kind == "f" else np.dtype(np.float64)
    scaled = scaled.astype(np.float64)
    before = scaled.data if sp.issparse(W) else scaled
    with np.errstate(over="ignore", under="ignore"):  # checked below
        entries = _multiplied(before, target, radius, exponent).astype(dtype)
    if sp.issparse(W):
        scaled = type(scaled)((entries, scaled.indices, scaled.indptr), W.shape).asformat(W.format)
    else:
        scaled = entries
    lost = np.any((np.abs(entries) < np.finfo(dtype).tiny) & (before != 0.0))
    if not np.isfinite(entries).all() or (lost and not _has_radius(scaled, target, dtype)):
        raise ValueError(
            f"spectral_radius={target:g} takes the weights out of the range of {dtype}"
        )
    return scaled


def _multiplied(entries, target, radius, exponent):
    """Return entries * target / (radius * 2**exponent), where no step between overflows."""
    mantissas, exponents = np.frexp(entries)
    (up, e_up), (down, e_down) = np.frexp(target), np.frexp(radius)
    return np.ldexp(mantissas * (up / down), exponents + int(e_up - e_down - exponent))


def _has_radius(W, target, dtype):
    """Tell whether W has the wanted radius although some of its weights have underflowed."""
    radius, exponent = _radius(as_csr("W", W))
    tolerance = max(MAX_ERROR, 1000.0 * float(np.finfo(dtype).eps))
    return abs(np.ldexp(radius, exponent) - target) <= tolerance * target


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


def _radius(A):
    """Return m and e of the radius m * 2**e; a search computes that of the same matrix once."""
    if shared_work() is None:
        return _radius_of_components(A)
    parts = np.array(A.shape), A.indptr, A.indices, A.data
    key = b"".join(sha256(np.asarray(part).tobytes()).digest() for part in parts)
    if key not in _known_radii:
        if len(_known_radii) >= MAX_KNOWN:
            _known_radii.clear()
        _known_radii[key] = _radius_of_components(A)
    return _known_radii[key]


def _radius_of_components(A):
    """Return m and e of the largest radius m * 2**e of the strongly connected components."""
    n_components, labels = connected_components(A, connection="strong")
    if n_components == 1:
        return component_radius(A)
    largest, radius, exponent = -np.inf, 0.0, 0
    for bound, component in _components(A, labels):
        if bound <= largest:
            break
        m, e = component_radius(component)
        if m > 0.0 and np.log2(m) + e > largest:
            largest, radius, exponent = np.log2(m) + e, m, e
    return radius, exponent


def _components(A, labels):
    """Yield the components that have links, with log2 of a bound on the radius, which falls."""
    rows = rows_of(A)
    inside = labels[rows] == labels[A.indices]
    if not inside.any():
        return
    order = np.argsort(labels, kind="stable")
    new_index = np.empty_like(order)
    new_index[order] = np.arange(order.size)
    entries = (A.data[inside], (new_index[rows[inside]], new_index[A.indices[inside]]))
    A = sp.csr_array(entries, shape=A.shape)
    edges = np.concatenate([[0], np.cumsum(np.bincount(labels))])
    exponent = int(np.frexp(np.abs(A.data).max())[1])
    moduli = sp.csr_array((np.abs(np.ldexp(A.data, -exponent)), A.indices, A.indptr), A.shape)
    sums = moduli @ np.ones(order.size), moduli.T @ np.ones(order.size)
    # No eigenvalue exceeds the largest row sum or column sum, which settles most components.
    bounds = np.minimum(*(np.maximum.reduceat(total, edges[:-1]) for total in sums))
    linked = np.diff(A.indptr[edges]) > 0
    bounds = np.where(linked, np.maximum(bounds, np.finfo(np.float64).tiny), 0.0)
    for i in np.argsort(-bounds, kind="stable")[: np.count_nonzero(linked)]:
        component = slice(edges[i], edges[i + 1])
        yield np.log2(bounds[i]) + exponent, A[component, component]
