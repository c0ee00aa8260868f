"""The temperature of a softmax from sums alone, for streams that are read once.

The scores of the rows of a class are taken to be normal, with the covariance of all classes in
common, as in linear discriminant analysis (Hastie et al. 2009, section 4.3). Their means and the
covariance are those of leave-one-out scores. Scores drawn from these distributions have a
temperature of least log loss, as those of rows do.

Leave-one-out errors are residuals divided by 1 - h for the hat value h. With the mean of the hat
values in place of each (Golub et al. 1979), the rows have equal weights. A row of weight w has
h = wa / (1 + wa), where a is that of its features by all other rows: this is what is taken to be
equal for all rows, and the weights of a class to be equal.

References
----------
T. Hastie, R. Tibshirani and J. Friedman (2009), The elements of statistical learning.
G. H. Golub, M. Heath and G. Wahba (1979), Generalized cross-validation as a method for choosing a
good ridge parameter.
"""

from typing import NamedTuple

import numpy as np

from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._classification_losses import LossSums, sizes_of_scores
from esnkit.readouts._least_squares import SufficientStatistics
from esnkit.utils._threads import one_blas_thread

__all__ = ["residual_temperature"]

# Where 1 - h is smaller, residuals may be rounding errors of differences.
MIN_REMAINDER = 1e-4
N_STEPS = 20  # of Newton's method
MAX_DRAWS, MIN_DRAWS = 4096, 256
MAX_DRAWN = 2**19  # numbers, if these are more than MIN_DRAWS per class


class ScoreMoments(NamedTuple):
    """Moments of leave-one-out scores."""

    shares: np.ndarray  # (n_classes,) of the rows
    means: np.ndarray  # (n_classes, n_classes) of the scores, a row for each class
    covariance: np.ndarray  # (n_classes, n_classes) of the scores within the classes


def residual_temperature(accumulator: Accumulator, alpha: float) -> float:
    """Return the temperature for the ridge solution on class indicators."""
    with one_blas_thread():
        moments = _moments(accumulator, alpha)
        scores, labels = _draw(moments)
        deviation, n_rows = scores.std(axis=1).max(keepdims=True), accumulator.n_rows
        sums = LossSums(sizes_of_scores(deviation, scores.mean(axis=1), n_rows), len(scores))
        sums.add(scores[None], labels, np.full(len(labels), 1 / len(labels)))
    sums.weight, sums.weight_length = 1.0, n_rows**-0.5  # of as many draws as there are rows
    return float(sums.calibrate().temperatures[0])


def _draw(moments: ScoreMoments) -> tuple[np.ndarray, np.ndarray]:
    """Return normal scores (n_classes, n_draws), and their labels."""
    n_draws = max(MIN_DRAWS, min(MAX_DRAWS, MAX_DRAWN // len(moments.shares)))
    places = (np.arange(n_draws) + 0.5) / n_draws
    labels = np.searchsorted(np.cumsum(moments.shares)[:-1], places)
    values, vectors = np.linalg.eigh(moments.covariance)
    half = np.random.default_rng(0).standard_normal((len(values), (n_draws + 1) // 2))
    half /= np.sqrt((half**2).mean(axis=1, keepdims=True))
    normal = np.stack([half, -half], axis=2).reshape(len(values), -1)[:, :n_draws]
    return moments.means[labels].T + (vectors * np.sqrt(np.maximum(values, 0.0))) @ normal, labels


def _moments(accumulator: Accumulator, alpha: float) -> ScoreMoments:
    """Return the moments of leave-one-out scores.

    Outputs of unequal weights have no sums of products. There, the classes of other weights have
    equal means, and covariances are equal parts of what makes the scores of a row add up to one.
    """
    group = accumulator.group_numbers()
    n_classes = len(group)
    shares, means, covariance = np.zeros(n_classes), np.eye(n_classes), np.zeros((n_classes,) * 2)
    for outputs, statistics in accumulator.penalised_totals():
        others = np.delete(np.arange(n_classes), outputs)
        share = np.maximum(statistics.mean_y.sum(axis=0), 0.0)
        counts = accumulator.target_sums[outputs]
        # The classes of other weights are one more class.
        all_shares = np.append(share, max(1 - share.sum(), 0.0))
        all_counts = np.append(counts, max(accumulator.n_rows - counts.sum(), 0.0))
        is_seen = (all_counts > 0) & (all_shares > 0)
        weights = all_shares / np.where(is_seen, all_counts, 1.0) * statistics.n_rows
        remainder, products, squares = _residuals(statistics, alpha)
        seen_counts = np.where(is_seen, all_counts, 0.0)
        growth = _growth(weights, seen_counts / seen_counts.sum(), remainder)
        with_others = np.vstack([products, -products.sum(axis=0)])
        of_classes = with_others / np.where(is_seen, all_shares, 1.0)[:, None]
        within = squares - of_classes.T @ with_others
        covariance[np.ix_(outputs, outputs)] = within / (all_shares @ growth**-2.0)
        errors = growth[:, None] * of_classes
        means[np.ix_(outputs, outputs)] -= errors[:-1]
        means[np.ix_(others, outputs)] -= errors[-1]
        shares[outputs] = share
    deviations = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    is_known = group[:, None] == group
    assumed = -np.outer(deviations, deviations) / max(n_classes - 1, 1)
    return ScoreMoments(shares / shares.sum(), means, np.where(is_known, covariance, assumed))


def _growth(weights: np.ndarray, shares: np.ndarray, remainder: float) -> np.ndarray:
    """Return 1 + wa for rows of weights w and some shares, where 1 / (1 + wa) has a given mean.

    The harmonic mean of 1 + wa is concave in a: Newton's method approaches its value from below.
    """
    a = 0.0
    for _ in range(N_STEPS):
        inverse = 1 / (1 + weights * a)
        mean, slope = shares @ inverse, shares @ (weights * inverse**2)
        a += float((1 / remainder - 1 / mean) * mean**2 / slope)
    return 1 + weights * a


def _residuals(
    statistics: SufficientStatistics, alpha: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the mean of 1 - h, and mean products of residuals with indicators and one another.

    Since X'(Y - XB) = alpha B, the products of residuals and predictions are alpha B'B.
    """
    remainder = 1 - (1 + statistics.degrees_of_freedom(alpha)) / statistics.n_rows
    if remainder < MIN_REMAINDER:
        return _residuals_of_few_rows(statistics, alpha)
    B, _ = statistics.solve(alpha)
    share = statistics.mean_y.sum(axis=0)
    products = np.diag(share) - np.outer(share, share)
    products -= statistics.products_of(B) / statistics.weight
    shrunk = np.sqrt(alpha / statistics.weight) * B
    return remainder, products, products - shrunk.T @ shrunk


def _residuals_of_few_rows(
    statistics: SufficientStatistics, alpha: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return what `_residuals` does, of rows that the features nearly interpolate.

    With centred X = U diag(s) V', of as many singular values as rows but one, residuals are
    U diag(alpha / (s^2 + alpha)) U'Y, and n (1 - h) is the sum of this diagonal. Only their ratio
    matters: MIN_REMAINDER takes the place of 1 - h.
    """
    spectrum = statistics.spectrum()
    largest = np.argsort(spectrum.eigenvalues)[::-1][: max(statistics.n_rows - 1, 1)]
    values = np.maximum(spectrum.eigenvalues[largest], np.finfo(float).tiny)
    penalised = values + max(alpha, spectrum.null_bound)
    diagonal = penalised.min() / penalised
    diagonal *= statistics.n_rows * MIN_REMAINDER / diagonal.sum()
    targets = spectrum.cross[largest] / np.sqrt(values)[:, None] / np.sqrt(statistics.weight)
    residuals = diagonal[:, None] * targets
    return MIN_REMAINDER, targets.T @ residuals, residuals.T @ residuals
