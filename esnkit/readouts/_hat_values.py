"""Directions in which the hat values of ridge regression are sums of squares, for many alphas.

The hat value of a row z, centred and times the square root of its weight w, is
h = w / sum(w) + z (X'X + alpha I)^-1 z'. If T'(X'X + alpha I)T is diagonal for several alphas, with
the diagonals d, it is w / sum(w) + sum_k (z T)_k^2 / d_k: one product z T for all of them.

The eigenvectors of X'X are such directions T for every alpha, but their rounding error is relative
to the largest feature. Where that is too much, T comes from the factor R of X'X + a I = R'R by
scaled columns, and from the eigenvectors U of R'^-1 R^-1 = U diag(k) U': with T = R^-1 U, d is
1 + (alpha - a) k. It serves the alphas that are not much larger than a.
"""

from typing import NamedTuple

import numpy as np

from esnkit.readouts._lapack import eigh, invert_triangle, matmul
from esnkit.readouts._least_squares import EPS, RidgeFactor, RidgeSpectrum, SufficientStatistics

__all__ = ["HatDirections", "hat_directions"]

# The directions left out of the hat values have at most this many degrees of freedom per row.
MAX_DROPPED_FREEDOM_PER_ROW = 1e-9
# Largest relative rounding error of the eigenvalues of X'X + alpha I to use its eigenvectors.
MAX_RELATIVE_ERROR = 1e-11
# A larger one may be this many times that of the solution for a single alpha.
MAX_ERROR_RATIO = 10.0
# Rounding errors grow by at most this factor from the alpha of a factor to those it serves.
MAX_GROWTH = 1e4


class HatDirections(NamedTuple):
    """Hat values for some of the alphas: w / sum(w) + (z directions)^2 @ weights."""

    alphas: slice  # which alphas they are
    directions: np.ndarray  # (n_features, n_directions)
    weights: np.ndarray  # (n_directions, n_alphas)
    error: float  # largest relative rounding error of the hat values


def hat_directions(
    statistics: SufficientStatistics, alphas: np.ndarray
) -> tuple[list[HatDirections], np.ndarray]:
    """Return the directions for distinct alphas, and the coefficients of each.

    The alphas ascend; the coefficients are (n_alphas, n_features, n_outputs).
    """
    if statistics.squares_are_within_range(alphas[0]):
        spectrum = statistics.spectrum()
        if _is_precise(statistics, spectrum, alphas[0]):
            coefs = np.stack([spectrum.solve(alpha) for alpha in alphas])
            return [_from_spectrum(statistics, spectrum, alphas)], coefs
    return _from_factors(statistics, alphas)


def _is_precise(statistics: SufficientStatistics, spectrum: RidgeSpectrum, alpha: float) -> bool:
    """Return whether the spectrum of unscaled features is as precise as their scaled factor."""
    power = statistics.condition_power
    error = EPS * spectrum.condition(alpha) ** power
    if error <= MAX_RELATIVE_ERROR:
        return True
    factor = statistics.factor(alpha)
    if factor.coef is None:
        return statistics.equalising_scale(alpha) is None
    return bool(error <= MAX_ERROR_RATIO * EPS * factor.condition**power)


def _from_spectrum(
    statistics: SufficientStatistics, spectrum: RidgeSpectrum, alphas: np.ndarray
) -> HatDirections:
    """Return the eigenvectors of X'X for all alphas, the first of which is the smallest."""
    weights = np.stack([spectrum.inverse(alpha) for alpha in alphas], axis=1)
    used = weights[weights[:, 0] > 0, 0]  # without null directions
    condition = np.sqrt(used.max() / used.min()) if used.size else 1.0
    freedom = spectrum.eigenvalues * weights.max(axis=1)
    kept = _directions_that_count(freedom, statistics.n_rows)
    directions = np.ascontiguousarray(spectrum.eigenvectors[:, kept])
    weights = np.ascontiguousarray(weights[kept])
    error = EPS * condition**statistics.condition_power
    return HatDirections(slice(0, len(alphas)), directions, weights, error)


def _from_factors(
    statistics: SufficientStatistics, alphas: np.ndarray
) -> tuple[list[HatDirections], np.ndarray]:
    """Return as many sets of directions as the alphas need, from factors of scaled columns."""
    found: list[HatDirections] = []
    coefs = []
    n_served = 0
    for i, alpha in enumerate(alphas):
        factor = statistics.factor(alpha)
        if factor.coef is None:
            spectrum, penalty = statistics.least_norm(alpha)
            served = _from_spectrum(statistics, spectrum, np.array([penalty]))
            coefs.append(spectrum.solve(penalty))
        else:
            coefs.append(factor.coef)
            if i < n_served:
                continue
            served = _from_factor(statistics, factor, alphas[i:])
        n_served = i + served.weights.shape[1]
        found.append(served._replace(alphas=slice(i, n_served)))
    return found, np.stack(coefs)


def _from_factor(
    statistics: SufficientStatistics, factor: RidgeFactor, alphas: np.ndarray
) -> HatDirections:
    """Return the directions for the first alpha, which is that of the factor, and the next ones."""
    inverse = invert_triangle(factor.upper)
    exponent = int(np.frexp(factor.scale.max())[1])  # squares may be out of range
    scaled = np.ldexp(factor.scale, -exponent)[:, None] * inverse
    values, U = eigh(matmul(scaled.T, scaled))
    with np.errstate(over="ignore"):
        steps = np.ldexp(alphas - alphas[0], 2 * exponent)
        steps = steps[steps * values[-1] <= MAX_GROWTH]
        freedom = 1 - np.ldexp(alphas[0], 2 * exponent) * values
    kept = _directions_that_count(freedom, statistics.n_rows)
    directions = factor.scale[:, None] * matmul(inverse, U[:, kept])
    weights = 1 / (1 + np.maximum(values[kept], 0)[:, None] * steps)
    error = EPS * factor.condition**statistics.condition_power
    return HatDirections(slice(0, len(steps)), directions, weights, error)


def _directions_that_count(freedom: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the directions without those of next to no degrees of freedom.

    They cost as much as the others and change nothing; the spectrum of reservoir states often has
    many.
    """
    order = np.argsort(freedom)
    is_dropped = np.cumsum(freedom[order]) <= MAX_DROPPED_FREEDOM_PER_ROW * n_rows
    return np.sort(order[~is_dropped])
