"""The temperature of a softmax from sums alone, for streams that are read once.

Regression on class indicators finds the directions of linear discriminant analysis. If the scores
of every class are normal with equal covariance, the log odds of two classes are linear in their
difference, with the slope: difference of the class means over variance within the classes
(Hastie et al. 2009, section 4.3). For scores whose mean for their own class is d above that for
others, and whose variance within the classes, summed over K classes, is v, the temperature is
v / (d (K - 1)).

Both moments are those of leave-one-out scores with the mean hat value h in place of each
(Golub et al. 1979): residuals are divided by 1 - h.

References
----------
T. Hastie, R. Tibshirani and J. Friedman (2009), The elements of statistical learning.
G. H. Golub, M. Heath and G. Wahba (1979), Generalized cross-validation as a method for choosing a
good ridge parameter.
"""

import numpy as np

from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._least_squares import SufficientStatistics
from esnkit.utils._threads import one_blas_thread

__all__ = ["residual_temperature"]

MIN_REMAINDER = 1e-3  # of 1 - h
MAX_TEMPERATURE = 64.0  # of scores that tell nothing of the class


def residual_temperature(accumulator: Accumulator, alpha: float) -> float:
    """Return the temperature for the ridge solution on class indicators."""
    totals = accumulator.penalised_totals()
    n_classes, n_rows = len(accumulator.group_numbers()), accumulator.n_rows
    with one_blas_thread():
        moments = np.sum([_moments(statistics, alpha) for _, statistics in totals], axis=0)
    total, covariance, variance = moments
    if total <= 0:  # rows of one class so far
        return 1.0
    slope = covariance / total
    within = max(variance - slope * covariance, 0.0)
    if within >= MAX_TEMPERATURE * slope * (n_classes - 1):
        return MAX_TEMPERATURE
    # Where classes are separated, a row at the mean of its class is not more certain than n right
    # predictions make the next one.
    least = slope / np.log((n_rows + 1) * (n_classes - 1))
    return float(max(within / (slope * (n_classes - 1)), least))


def _moments(statistics: SufficientStatistics, alpha: float) -> np.ndarray:
    """Return the variances of the indicators, their covariances with scores, those of scores.

    They are those of leave-one-out scores, summed over outputs.
    """
    B, _ = statistics.solve(alpha)
    mean = statistics.mean_y.sum(axis=0)
    total = (mean * (1 - mean)).sum()  # of indicators, whose squares they are
    products, squares = (
        sums.sum() / statistics.weight
        for sums in (statistics.products_of(B), statistics.squares_of(B))
    )
    hat = (1 + statistics.degrees_of_freedom(alpha)) / statistics.n_rows
    growth = 1 / max(1 - hat, MIN_REMAINDER)
    residual = total - products  # products of indicators and residuals
    errors = total - 2 * products + squares
    covariance = total - growth * residual
    return np.array([total, covariance, total - 2 * growth * residual + growth**2 * errors])
