"""Information processing capacity: which functions of its past inputs a reservoir computes."""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, groupby
from math import comb
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtri, eval_legendre

from esnkit.analysis._driven import check_range, drawn_reservoir, features_of, random_inputs
from esnkit.analysis._memory_capacity import (
    P_VALUE,
    column_space,
    default_delay,
    default_length,
    total,
    within_bound,
)
from esnkit.utils._validation import check_positive_int, check_seed

__all__ = ["InformationCapacity", "Term", "information_processing_capacity"]

SAFETY = 2.0  # of the threshold, as in the paper: fitted rows depend on each other
MAX_TERMS = 2000  # of a degree, where max_delay does not say otherwise
N_TERMS_TOGETHER = 128


class Term(NamedTuple):
    """One factor of a product: the Legendre polynomial of `degree` of ``u[input](t - delay)``.

    Parameters
    ----------
    delay, input, degree : int

    Examples
    --------
    >>> from esnkit.analysis import Term
    >>> Term(delay=3, input=0, degree=2)
    Term(delay=3, input=0, degree=2)
    """

    delay: int
    input: int
    degree: int


class InformationCapacity(NamedTuple):
    """Information processing capacity, see :func:`information_processing_capacity`.

    Parameters
    ----------
    capacity : float
        The sum of `capacities`, at most the number of linearly independent features.
    by_degree : ndarray of shape (max_degree,)
        The sums over the products of total degree 1, 2, ...
    capacities : ndarray of shape (n_products,)
        Those above the threshold, the largest first.
    products : list of tuple of Term
        The products that these belong to.
    threshold : float
        Smaller capacities count as chance.
    n_products : int
        Number of products that were tried.
    n_features : int
        Number of feature columns.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.analysis import InformationCapacity, Term
    >>> one = [(Term(0, 0, 1),)]
    >>> InformationCapacity(1.0, np.ones(1), np.ones(1), one, 0.01, 5, 1).by_degree
    array([1.])
    """

    capacity: float
    by_degree: np.ndarray
    capacities: np.ndarray
    products: list[tuple[Term, ...]]
    threshold: float
    n_products: int
    n_features: int


def information_processing_capacity(
    reservoir: Any,
    *,
    max_degree: int = 3,
    max_delay: Any = None,
    n_timesteps: int | None = None,
    washout: int = 1000,
    input_range: tuple[float, float] = (-1.0, 1.0),
    random_state: Any = None,
) -> InformationCapacity:
    """Estimate the information processing capacity of a reservoir (Dambre et al. 2012).

    The reservoir is driven by independent uniform inputs u(t). Products of Legendre polynomials of
    delayed inputs are an orthogonal basis of all functions of the past inputs. The capacity of such
    a product y is the share of its variance that a linear readout of the features explains,
    C = 1 - min E[(y - readout)^2] / E[y^2]. Their sum is at most the number of features, and equal
    to it for a reservoir that forgets its start and whose features are linearly independent.

    Parameters
    ----------
    reservoir : BaseReservoir or estimator with a fitted reservoir
        As in :func:`memory_capacity`.
    max_degree : int, default=3
        Largest total degree of a product.
    max_delay : int, sequence of int or None, default=None
        Longest delay, of all products or of those of degree 1, 2, ... None stands for the longest
        that gives at most 2000 products of a degree, and not more than five times the number of
        features, or 300.
    n_timesteps : int or None, default=None
        Time steps after the washout. None stands for 400 per feature, from 50 000 on to those whose
        features take 512 MB.
    washout : int, default=1000
        Time steps that are left out first, at least those of the longest delay.
    input_range : tuple (low, high), default=(-1.0, 1.0)
        Interval of the inputs. The wider it is, the less linear is a reservoir of tanh units.
    random_state : int, RandomState instance or None, default=None
        Draws the inputs, and the weights of a reservoir that is not fitted and has no seed.

    Returns
    -------
    InformationCapacity
        With ``capacity``, the sum, ``by_degree``, and the products that have a part in it.

    Raises
    ------
    TypeError
        If ``reservoir`` is no reservoir and has none.
    ValueError
        If a parameter is out of its range, or there are fewer time steps than the fit needs.
    FloatingPointError
        If the states leave the range of their dtype.

    Notes
    -----
    The readout is fitted to all n time steps, as in the paper. The capacity of a function that the
    reservoir does not compute is then not zero: n C is distributed about as chi-square with one
    degree of freedom per independent feature, N. Capacities below twice the value that chance
    exceeds with probability 1e-4, divided by n, count as zero. From the others the mean of what
    chance adds, (1 - C) N / n, is subtracted. Products of capacities below the threshold, of higher
    degrees, and of longer delays are lost: if the sum is well below the number of features, raise
    `n_timesteps`, `max_degree` and `max_delay`. Where sampling errors take the sum above its bound,
    the number of linearly independent features, all capacities are scaled down to that sum.

    The units of a linear reservoir are dependent if eigenvalues of its weights repeat, as those of
    permutations with several cycles do: the capacity is then the number of distinct eigenvalues.
    Otherwise it is N in exact arithmetic, and the estimate is within 2 % of that for cycles and
    orthogonal matrices, if the delays reach to where inputs have faded: ``max_delay`` of at least
    ``2.5 / (1 - spectral_radius)``. States of random matrices keep old inputs in ever fewer
    directions. Those that rounding errors of the states cover are left out, as no readout can use
    them, and more time steps or delays do not bring them back: at a radius of 0.95 up to 2 of 50
    units, and 20 of 100.

    The time is about that of n_products * n_timesteps * n_features multiplications.

    References
    ----------
    J. Dambre, D. Verstraeten, B. Schrauwen and S. Massar (2012), Information processing capacity of
    dynamical systems, Scientific Reports 2, 514.

    Examples
    --------
    A linear reservoir computes linear functions only:

    >>> from esnkit import Reservoir
    >>> from esnkit.analysis import information_processing_capacity
    >>> linear = Reservoir(10, topology="cycle", activation="identity", random_state=0)
    >>> found = information_processing_capacity(
    ...     linear, max_degree=2, n_timesteps=5000, random_state=0
    ... )
    >>> found.by_degree.round(1)
    array([10.,  0.])
    """
    max_degree = check_positive_int("max_degree", max_degree)
    washout = check_positive_int("washout", washout, minimum=0)
    rng = check_seed(random_state)
    reservoir = drawn_reservoir(reservoir, rng, input_range=input_range)
    n_features, n_inputs = reservoir.n_features_out_, reservoir.n_features_in_
    max_delays = _max_delays(max_delay, max_degree, n_inputs, default_delay(n_features))
    n_timesteps = default_length(n_timesteps, n_features)
    start = max(washout, *max_delays)
    inputs = random_inputs(reservoir, start + n_timesteps, input_range, rng)
    U, _ = column_space(features_of(reservoir, inputs)[start:])
    threshold = SAFETY * float(chdtri(U.shape[1], P_VALUE)) / n_timesteps
    low, high = check_range(input_range)
    basis = _Basis((2.0 * inputs - low - high) / (high - low), start, max_degree)
    products, found, n_products = [], [], 0
    for terms in _blocks(max_delays, n_inputs):
        capacities = _explained(U, basis.columns(terms))
        n_products += len(terms)
        kept = np.flatnonzero(capacities > threshold)
        products += [terms[k] for k in kept]
        found.append(capacities[kept])
    capacities = np.concatenate(found)
    rank, share = U.shape[1], U.shape[1] / n_timesteps
    capacities = within_bound((capacities - share) / (1.0 - share), rank)
    order = np.argsort(-capacities, kind="stable")
    degrees = np.array([sum(term.degree for term in product) for product in products], dtype=int)
    by_degree = np.bincount(degrees, capacities, minlength=max_degree + 1)[1:]
    return InformationCapacity(
        total(capacities, rank), by_degree, capacities[order], [products[k] for k in order],
        threshold, n_products, n_features,
    )  # fmt: skip


def _max_delays(max_delay, max_degree, n_inputs, longest):
    """Return the longest delay for every degree, or raise."""
    if max_delay is None:
        return [_default_delay(degree, n_inputs, longest) for degree in range(1, max_degree + 1)]
    is_sequence = isinstance(max_delay, (Sequence, np.ndarray)) and not isinstance(max_delay, str)
    delays = list(max_delay) if is_sequence else [max_delay] * max_degree
    if len(delays) != max_degree:
        raise ValueError(
            f"max_delay must be an integer, or one for each of the {max_degree} degrees, got "
            f"{max_delay!r}"
        )
    return [check_positive_int("max_delay", delay, minimum=0) for delay in delays]


def _default_delay(degree, n_inputs, longest):
    """Return the longest delay whose products of a degree are not too many."""
    delay = 0
    while delay < longest and comb((delay + 2) * n_inputs + degree - 1, degree) <= MAX_TERMS:
        delay += 1
    return delay


def _blocks(max_delays, n_inputs) -> Iterator[list[tuple[Term, ...]]]:
    """Yield all products of all degrees, some at a time."""
    block = []
    for degree, longest in enumerate(max_delays, start=1):
        variables = [(delay, k) for delay in range(longest + 1) for k in range(n_inputs)]
        # A product is a multiset of variables: each occurs as often as its degree says.
        for chosen in combinations_with_replacement(variables, degree):
            block.append(tuple(Term(*v, len(list(same))) for v, same in groupby(chosen)))
            if len(block) == N_TERMS_TOGETHER:
                yield block
                block = []
    if block:
        yield block


class _Basis:
    """Legendre polynomials of all inputs, from which products are made."""

    def __init__(self, inputs, start, max_degree):
        self.start, self.n_rows = start, len(inputs) - start
        columns = np.ascontiguousarray(inputs.T, dtype=np.float64)
        self.values = [eval_legendre(d, columns) for d in range(1, max_degree + 1)]

    def columns(self, products):
        """Return products (n_products, n_rows)."""
        rows = np.empty((len(products), self.n_rows))
        for row, product in zip(rows, products, strict=True):
            row[:] = self._factor(product[0])
            for term in product[1:]:
                row *= self._factor(term)
        return rows

    def _factor(self, term):
        first = self.start - term.delay
        return self.values[term.degree - 1][term.input, first : first + self.n_rows]


def _explained(U, targets):
    """Return the share of every target (a row) that orthonormal columns U explain."""
    targets -= targets.mean(axis=1, keepdims=True)
    coefficients = targets @ U
    return (coefficients**2).sum(axis=1) / np.einsum("ij,ij->i", targets, targets)
