"""Topologies: random recurrent weight matrices before they are scaled.

Row i of a matrix W holds the weights of the connections into unit i, so that a step of the
reservoir is W @ x. Every topology is one function and one row of the table ``TOPOLOGIES``, which
also names the parameters that the function takes; a row added by a user works in ``Reservoir``.

References
----------
Rodan and Tino (2011), "Minimum complexity echo state network", IEEE Transactions on Neural
Networks 22(1), 131-144, section III: the cycle.

White, Lee and Sompolinsky (2004), "Short-term memory in orthogonal neural networks", Physical
Review Letters 92(14), 148102: orthogonal weights.

Mezzadri (2007), "How to generate random matrices from the classical compact groups", Notices of
the AMS 54(5), 592-604: the signs in the QR decomposition.
"""

from collections.abc import Callable
from math import gcd
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_choice, check_positive_int, refuse_masked

__all__ = [
    "BANDED_FROM",
    "TOPOLOGIES",
    "Topology",
    "WEIGHTS",
    "as_csr",
    "draw_weights",
    "make_topology",
]

# From this number of units on, all diagonals of "diagonals" lie within a sixteenth of the units.
BANDED_FROM = 4096
BAND_SHARE = 16


class Topology(NamedTuple):
    """A row of the table ``TOPOLOGIES``: a function, and the parameters that it takes.

    Parameters
    ----------
    draw : callable (n_units, rng, **parameters) -> matrix of shape (n_units, n_units)
        Dense or sparse; ``rng`` is a :class:`numpy.random.Generator`.
    parameters : tuple of str, default=()
        Which of ``"degree"`` and ``"weights"`` the function takes, as keywords.

    Examples
    --------
    A chain, in which each unit receives the one before it, registered by name:

    >>> import numpy as np
    >>> from esnkit import Reservoir
    >>> from esnkit.reservoirs import TOPOLOGIES, Topology
    >>> from esnkit.reservoirs.topologies import draw_weights
    >>> def chain(n_units, rng, weights):
    ...     return np.diag(draw_weights(weights, n_units - 1, rng), k=-1)
    >>> TOPOLOGIES["chain"] = Topology(chain, ("weights",))
    >>> chained = Reservoir(4, topology="chain", weights="bernoulli", spectral_radius=None)
    >>> chained.fit(np.zeros((5, 1))).W_.nnz
    3
    >>> del TOPOLOGIES["chain"]
    """

    draw: Callable[..., Any]
    parameters: tuple[str, ...] = ()


def _uniform(rng, size):
    return rng.uniform(-1.0, 1.0, size)


def _normal(rng, size):
    return rng.standard_normal(size)


def _bernoulli(rng, size):
    return rng.integers(0, 2, size) * 2.0 - 1.0


WEIGHTS: dict[str, Callable] = {"uniform": _uniform, "normal": _normal, "bernoulli": _bernoulli}


def draw_weights(weights: str, size: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw independent weights of mean zero.

    Parameters
    ----------
    weights : {"uniform", "normal", "bernoulli"}
        Uniform on (-1, 1), standard normal, or -1 and +1 with equal chances.
    size : int or tuple of int
        Shape of the result.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of shape size, float64

    Raises
    ------
    ValueError
        If the name of the distribution is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs.topologies import draw_weights
    >>> sorted(set(draw_weights("bernoulli", 50, np.random.default_rng(0)).tolist()))
    [-1.0, 1.0]
    """
    return WEIGHTS[check_choice("weights", weights, WEIGHTS)](rng, size)


def _diagonals(n_units, rng, *, degree, weights):
    """Draw ``degree`` cyclic diagonals: row i has entries at columns (i + shift) mod n_units.

    One shift is coprime with the number of units: following it alone visits every unit, so the
    graph is strongly connected. A degree of ``n_units`` or more fills the matrix. From
    ``BANDED_FROM`` = 4096 units on, all shifts are smaller than a sixteenth of the units (or than
    the degree, if that is larger): the matrix is banded, so that threads can share a step.
    """
    degree = min(degree, n_units)
    shift_bound = n_units if n_units < BANDED_FROM else max(n_units // BAND_SHARE, degree)
    shifts = _draw_shifts(n_units, shift_bound, degree, rng)
    columns = (np.arange(n_units)[:, np.newaxis] + shifts) % n_units
    columns.sort(axis=1)
    return _from_columns(columns, draw_weights(weights, columns.size, rng))


def _draw_shifts(n_units, shift_bound, degree, rng):
    """Draw distinct shifts below ``shift_bound``, of which one is coprime with n_units."""
    shifts = rng.choice(shift_bound, degree, replace=False)
    if not any(gcd(int(shift), n_units) == 1 for shift in shifts):
        # None of the drawn shifts is coprime, so a coprime one is distinct from all of them.
        while gcd(int(shifts[0]), n_units) != 1:
            shifts[0] = rng.integers(shift_bound)
    return shifts


def _random(n_units, rng, *, degree, weights):
    """Draw ``degree`` distinct random columns for every row, at most all of them."""
    columns = _distinct_columns(n_units, min(degree, n_units), rng)
    return _from_columns(columns, draw_weights(weights, columns.size, rng))


def _distinct_columns(n_units, degree, rng):
    """Return (n_units, degree) sorted columns, every subset of the units being equally likely."""
    if 2 * degree > n_units:  # near a full row, repeats dominate: draw the absent columns instead
        present = np.ones((n_units, n_units), dtype=bool)
        if degree < n_units:
            absent = _distinct_columns(n_units, n_units - degree, rng)
            np.put_along_axis(present, absent, False, axis=1)
        return np.nonzero(present)[1].reshape(n_units, degree)
    columns = rng.integers(n_units, size=(n_units, degree))
    columns.sort(axis=1)
    rows = np.arange(n_units)  # rows that may still hold repeats
    while True:
        # Repeats are replaced by new draws: a set that grows by uniform draws stays uniform.
        drawn = columns[rows]
        repeated = drawn[:, 1:] == drawn[:, :-1]
        has_repeats = repeated.any(axis=1)
        if not has_repeats.any():
            return columns
        rows, drawn, repeated = rows[has_repeats], drawn[has_repeats], repeated[has_repeats]
        drawn[:, 1:][repeated] = rng.integers(n_units, size=np.count_nonzero(repeated))
        drawn.sort(axis=1)
        columns[rows] = drawn


def _dense(n_units, rng, *, weights):
    """Draw a weight for every pair of units."""
    columns = np.broadcast_to(np.arange(n_units), (n_units, n_units))
    return _from_columns(columns, draw_weights(weights, n_units * n_units, rng))


def _cycle(n_units, rng):
    """Return the simple cycle: unit i feeds unit i + 1 and the last feeds the first.

    All weights are one and nothing is random; the spectral radius sets the single weight of the
    simple cycle reservoir (Rodan and Tino 2011).
    """
    columns = (np.arange(n_units)[:, np.newaxis] - 1) % n_units
    return _from_columns(columns, np.ones(n_units))


def _orthogonal(n_units, rng):
    """Draw a random orthogonal matrix, uniform over all of them.

    Every eigenvalue has modulus one, so that the spectral radius is the modulus of all: the state
    forgets in every direction at the same rate (White et al. 2004).
    """
    with one_blas_thread():  # several threads round differently
        Q, R = np.linalg.qr(rng.standard_normal((n_units, n_units)))
    # With the diagonal of R positive the decomposition is unique, and Q is uniform (Mezzadri 2007).
    return Q * np.where(np.diag(R) < 0, -1.0, 1.0)


TOPOLOGIES: dict[str, Topology] = {
    "diagonals": Topology(_diagonals, ("degree", "weights")),
    "random": Topology(_random, ("degree", "weights")),
    "dense": Topology(_dense, ("weights",)),
    "cycle": Topology(_cycle),
    "orthogonal": Topology(_orthogonal),
}


def _from_columns(columns, data):
    """Return the matrix whose row i has entries in the sorted columns[i]; data, row by row."""
    n_units, degree = columns.shape
    n_entries = n_units * degree
    index = _index_dtype(n_entries)
    indptr = np.arange(0, n_entries + 1, degree, dtype=index)
    indices = np.ravel(columns).astype(index)
    return sp.csr_array((data, indices, indptr), shape=(n_units, n_units))


def make_topology(
    topology: Any,
    n_units: int,
    rng: np.random.Generator,
    *,
    degree: int = 10,
    weights: str = "uniform",
) -> sp.csr_array:
    """Return the unscaled recurrent matrix for a name, a matrix or a callable.

    Parameters
    ----------
    topology : {"diagonals", "random", "dense", "cycle", "orthogonal"}, array, sparse matrix or \
            callable
        A name in ``TOPOLOGIES``, the matrix itself, or a function ``(n_units, rng)`` that returns
        the matrix, dense or sparse. From 4096 units on, "diagonals" is banded: all its diagonals
        lie within a sixteenth of the units, so that threads can share a step.
    n_units : int
        Number of rows and columns.
    rng : numpy.random.Generator
        Source of the random numbers.
    degree : int, default=10
        Connections into each unit, for the topologies that take a degree.
    weights : {"uniform", "normal", "bernoulli"}, default="uniform"
        Distribution of the weights, for the topologies that draw them.

    Returns
    -------
    csr_array of shape (n_units, n_units)
        With sorted indices, no duplicates and no stored zeros; it shares no memory with a given
        matrix.

    Raises
    ------
    ValueError
        If the name is unknown, a parameter is out of range, or the matrix is not square of
        ``n_units`` rows, real and finite.
    TypeError
        If ``topology`` is neither a name, nor a matrix, nor a callable.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.reservoirs.topologies import make_topology
    >>> make_topology("random", 100, np.random.default_rng(0), degree=5).nnz
    500
    >>> make_topology(np.diag([1.0, 2.0]), 2, np.random.default_rng(0)).toarray()
    array([[1., 0.],
           [0., 2.]])
    """
    n_units = check_positive_int("n_units", n_units)
    if isinstance(topology, str):
        W = _draw_named(topology, n_units, rng, degree=degree, weights=weights)
        return as_csr(f"the matrix drawn for topology={topology!r}", W, n_units)
    if callable(topology):
        return as_csr("the matrix returned by topology", topology(n_units, rng), n_units)
    if not sp.issparse(topology) and not hasattr(topology, "__len__"):
        raise TypeError(_expected(topology))
    return as_csr("topology", topology, n_units)


def _draw_named(name: str, n_units: int, rng: np.random.Generator, **parameters: Any) -> Any:
    """Draw the matrix of a row of the table, from the parameters that it takes."""
    if name not in TOPOLOGIES:
        raise ValueError(_expected(name))
    check_positive_int("degree", parameters["degree"])
    check_choice("weights", parameters["weights"], WEIGHTS)
    draw, taken = TOPOLOGIES[name]
    if not set(taken) <= set(parameters):
        raise ValueError(
            f"TOPOLOGIES[{name!r}].parameters must be among {tuple(parameters)}, got {taken}"
        )
    return draw(n_units, rng, **{parameter: parameters[parameter] for parameter in taken})


def _expected(topology: Any) -> str:
    return f"topology must be one of {sorted(TOPOLOGIES)}, a matrix or a callable, got {topology!r}"


def as_csr(name: str, matrix: Any, n_units: int | None = None) -> sp.csr_array:
    """Copy a square, real, finite matrix into a canonical ``csr_array`` of float64.

    Parameters
    ----------
    name : str
        Name of the matrix in error messages.
    matrix : array-like or sparse matrix of any format
        It is not modified.
    n_units : int or None, default=None
        Required number of rows; None accepts any.

    Returns
    -------
    csr_array of shape (n_units, n_units)
        With sorted indices, no duplicates and no stored zeros.

    Raises
    ------
    ValueError
        If the matrix is not square of ``n_units`` rows, real and finite.

    Examples
    --------
    >>> from esnkit.reservoirs.topologies import as_csr
    >>> as_csr("W", [[0, 2], [1, 0]]).data
    array([2., 1.])
    """
    if not sp.issparse(matrix):
        refuse_masked(name, matrix)
        try:
            matrix = np.asarray(matrix)
        except ValueError:
            raise ValueError(
                f"{name} must be a square matrix, got rows of unequal length"
            ) from None
    shape = tuple(matrix.shape)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"{name} must be a square matrix, got shape {shape}")
    if n_units is not None and shape[0] != n_units:
        raise ValueError(f"{name} must have shape ({n_units}, {n_units}), got {shape}")
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be a matrix of real numbers, got dtype {matrix.dtype}")
    with np.errstate(over="ignore"):  # an overflow is reported below, with the argument's name
        result = sp.csr_array(matrix, dtype=np.float64, copy=True)
    result.sum_duplicates()
    if not np.isfinite(result.data).all():
        raise ValueError(f"{name} must be finite in float64, got NaN or infinity")
    result.eliminate_zeros()
    index = _index_dtype(result.nnz)
    result.indices, result.indptr = result.indices.astype(index), result.indptr.astype(index)
    return result


def _index_dtype(n_entries):
    return np.int32 if n_entries <= np.iinfo(np.int32).max else np.int64
