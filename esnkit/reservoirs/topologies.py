"""Topologies: random recurrent weight matrices before they are scaled.

Row i of a matrix W holds the weights of the connections into unit i, so that a step of the
reservoir is W @ x. Every topology is one function and one row of the table ``TOPOLOGIES``, which
also names the parameters that the function takes; a row added by a user works in ``Reservoir``.
"""

from collections.abc import Callable, Mapping
from math import gcd
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from esnkit.reservoirs._columns import distinct_columns, from_columns, index_dtype
from esnkit.reservoirs._graphs import antisymmetric, band, small_world
from esnkit.reservoirs._lines_and_rings import (
    chain_of_rings,
    cycle,
    cycle_jumps,
    delay_line,
    delay_line_feedback,
    delay_line_feedback_radius,
    double_cycle,
    double_cycle_radius,
)
from esnkit.reservoirs._normal_matrices import (
    given_eigenvalues,
    given_radius,
    orthogonal,
    permutation,
    sparse_orthogonal,
)
from esnkit.reservoirs._own_params import check_params, complete_params
from esnkit.reservoirs._weights import WEIGHTS, draw_weights
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
    own : dict, default={}
        The other keywords that the function takes, with their defaults: ``topology_params``
        replaces these.
    radius : callable (n_units, **own) -> float, or None, default=None
        The spectral radius of the matrix by a formula, which ``spectral_radius`` is divided by.
        None computes it from the eigenvalues.

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
    own: Mapping[str, Any] = MappingProxyType({})
    radius: Callable[..., float] | None = None


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
    return from_columns(columns, draw_weights(weights, columns.size, rng))


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
    columns = distinct_columns(n_units, min(degree, n_units), rng)
    return from_columns(columns, draw_weights(weights, columns.size, rng))


def _dense(n_units, rng, *, weights):
    """Draw a weight for every pair of units."""
    columns = np.broadcast_to(np.arange(n_units), (n_units, n_units))
    return from_columns(columns, draw_weights(weights, n_units * n_units, rng))


def _one(n_units: int, **own: Any) -> float:
    """Return the radius of an orthogonal matrix, and of cycles of weights of one."""
    return 1.0


# The eigenvalues of a delay line are zero, whatever its weight. The spectrum of an endless one is
# the disc whose radius is the weight, so that a spectral radius stands for the weight here.
TOPOLOGIES: dict[str, Topology] = {
    "diagonals": Topology(_diagonals, ("degree", "weights")),
    "random": Topology(_random, ("degree", "weights")),
    "dense": Topology(_dense, ("weights",)),
    "band": Topology(band, ("degree", "weights")),
    "small_world": Topology(small_world, ("degree", "weights"), {"rewiring": 0.1}),
    "antisymmetric": Topology(antisymmetric, ("degree", "weights")),
    "delay_line": Topology(delay_line, radius=_one),
    "delay_line_feedback": Topology(
        delay_line_feedback, own={"backward_weight": 0.25}, radius=delay_line_feedback_radius
    ),
    "cycle": Topology(cycle, radius=_one),
    "cycle_jumps": Topology(cycle_jumps, own={"jump_size": 5, "jump_weight": 0.5}),
    "double_cycle": Topology(
        double_cycle, own={"backward_weight": 0.5}, radius=double_cycle_radius
    ),
    "chain_of_rings": Topology(chain_of_rings, own={"ring_size": 10, "coupling": 1.0}, radius=_one),
    "permutation": Topology(permutation, radius=_one),
    "orthogonal": Topology(orthogonal, radius=_one),
    "sparse_orthogonal": Topology(sparse_orthogonal, ("degree",), radius=_one),
    "eigenvalues": Topology(given_eigenvalues, own={"eigenvalues": None}, radius=given_radius),
}


def make_topology(
    topology: Any,
    n_units: int,
    rng: np.random.Generator,
    *,
    degree: int = 10,
    weights: str = "uniform",
    params: Mapping[str, Any] | None = None,
) -> sp.csr_array:
    """Return the unscaled recurrent matrix for a name, a matrix or a callable.

    Parameters
    ----------
    topology : str, array, sparse matrix or callable
        A name in ``TOPOLOGIES``, the matrix itself, or a function ``(n_units, rng, **params)`` that
        returns the matrix, dense or sparse. From 4096 units on, "diagonals" is banded: all its
        diagonals lie within a sixteenth of the units, so that threads can share a step.
    n_units : int
        Number of rows and columns.
    rng : numpy.random.Generator
        Source of the random numbers.
    degree : int, default=10
        Connections into each unit, for the topologies that take a degree.
    weights : {"uniform", "normal", "bernoulli"}, default="uniform"
        Distribution of the weights, for the topologies that draw them.
    params : dict or None, default=None
        Further parameters of the topology, such as ``{"jump_size": 3}`` for "cycle_jumps".

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
    params = own_params(topology, params)
    if isinstance(topology, str):
        W = _draw_named(topology, n_units, rng, {"degree": degree, "weights": weights}, params)
        return as_csr(f"the matrix drawn for topology={topology!r}", W, n_units)
    if callable(topology):
        drawn = topology(n_units, rng, **params)
        return as_csr("the matrix returned by topology", drawn, n_units)
    return as_csr("topology", topology, n_units)


def own_params(topology: Any, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the parameters of a topology besides degree and weights, with defaults, or raise."""
    given = check_params("topology_params", params)
    if callable(topology):
        return given
    if not isinstance(topology, str):
        if not sp.issparse(topology) and not hasattr(topology, "__len__"):
            raise TypeError(_expected(topology))
        if given:
            raise ValueError(f"topology_params must be None for a given matrix, got {params!r}")
        return given
    if topology not in TOPOLOGIES:
        raise ValueError(_expected(topology))
    return complete_params("topology", topology, params, TOPOLOGIES[topology].own)


def radius_by_formula(topology: Any, n_units: int, params: Mapping[str, Any] | None) -> float:
    """Return the spectral radius of the unscaled matrix, or 0 if there is no formula for it.

    Examples
    --------
    >>> radius_by_formula("double_cycle", 10, {"backward_weight": 0.25})
    1.25
    """
    radius = TOPOLOGIES[topology].radius if isinstance(topology, str) else None
    return 0.0 if radius is None else radius(n_units, **own_params(topology, params))


def _draw_named(
    name: str, n_units: int, rng: np.random.Generator, shared: Mapping[str, Any], own: dict
) -> Any:
    """Draw the matrix of a row of the table, from the parameters that it takes."""
    check_positive_int("degree", shared["degree"])
    check_choice("weights", shared["weights"], WEIGHTS)
    row = TOPOLOGIES[name]
    if not set(row.parameters) <= set(shared):
        raise ValueError(
            f"TOPOLOGIES[{name!r}].parameters must be among {tuple(shared)}, got {row.parameters}"
        )
    return row.draw(n_units, rng, **{key: shared[key] for key in row.parameters}, **own)


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
    index = index_dtype(result.nnz)
    result.indices, result.indptr = result.indices.astype(index), result.indptr.astype(index)
    return result
