"""Leave-one-out classification losses of several alphas, and the temperature of a softmax.

The scores of a row, of a model fitted without it, estimate the indicators of the classes. A row is
wrong if the largest score is that of another class. Its log loss is that of softmax(scores / T),
for the temperature T > 0 of least mean loss (Guo et al. 2017), which is convex in 1 / T.

If all rows are right, the plain loss falls for ever as T approaches zero. The target of a row is
therefore (n + 1) / (n + 2) for its class and 1 / (n + 2) for the other classes together: the
probability, after n right predictions of n, that the next one is right (Laplace's rule of
succession; Platt 1999 smooths the targets of two classes so).

References
----------
C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), On calibration of modern neural networks.
J. Platt (1999), Probabilistic outputs for support vector machines.
"""

from math import hypot
from typing import NamedTuple, Self

import numpy as np

__all__ = ["Calibration", "LossSums", "sizes_of_scores"]

# The grid of temperatures: from 2**6 to 2**-10 times the size of the scores, two for each power.
LOG2_HIGHEST, N_TEMPERATURES = 6, 33
MAX_SCORES = 2**14  # that are added at a time, so that they stay in the cache


class Calibration(NamedTuple):
    """The temperature of least log loss of every alpha, and that loss."""

    temperatures: np.ndarray  # (n_alphas,)
    log_losses: np.ndarray  # (n_alphas,)


class LossSums:
    """Weighted sums of losses over rows, for several alphas and a grid of temperatures.

    With z the scores of a row minus their largest one, the log loss at b = 1 / T is
    log(sum(exp(b z))) - b t'z for the target t, and its slope is sum(z exp(b z)) / sum(exp(b z)) -
    t'z. Every other b of the grid doubles, so that its exp(b z) is the square of the one before.

    Parameters
    ----------
    sizes : ndarray of shape (n_alphas,)
        Size of the scores for each alpha, to which the temperatures are relative.
    n_classes : int
    """

    def __init__(self, sizes: np.ndarray, n_classes: int):
        n_alphas = len(sizes)
        self.n_classes = n_classes
        powers = np.arange(N_TEMPERATURES) / 2 - LOG2_HIGHEST
        self.inverse = 2.0**powers / sizes[:, None]  # (n_alphas, n_temperatures)
        self.weight = self.weight_length = 0.0
        self.wrong = np.zeros(n_alphas)
        self.own = np.zeros(n_alphas)  # z of the classes of the rows
        self.all = np.zeros(n_alphas)  # z of all classes
        self.log_norm = np.zeros(self.inverse.shape)
        self.slope = np.zeros(self.inverse.shape)

    def add_weights(self, w: np.ndarray) -> None:
        """Add the weights (n_rows,) of rows whose scores are added for every alpha."""
        self.weight += float(w.sum())
        largest = float(w.max(initial=0.0)) or 1.0  # whose square may be beyond the range
        self.weight_length = hypot(self.weight_length, largest * float(np.linalg.norm(w / largest)))

    def add(self, scores: np.ndarray, labels: np.ndarray, w: np.ndarray) -> None:
        """Add scores (n_alphas, n_classes, n_rows) of rows: sums over classes are fast so."""
        n_alphas, *size = scores.shape
        step = max(MAX_SCORES // max(int(np.prod(size)), 1), 1)
        for first in range(0, n_alphas, step):
            self._add_some(slice(first, first + step), scores[first : first + step], labels, w)

    def _add_some(self, some: slice, scores: np.ndarray, labels: np.ndarray, w: np.ndarray) -> None:
        """Add scores of some alphas."""
        z = scores - scores.max(axis=1, keepdims=True)
        own = z[:, labels, np.arange(len(labels))]
        # Where several scores are the largest, the first of them is predicted.
        self.wrong[some] += (scores.argmax(axis=1) != labels) @ w
        self.own[some] += own @ w
        self.all[some] += (z @ w).sum(axis=1)
        for first in (0, 1):
            powers = np.exp(self.inverse[some, first, None, None] * z)
            for t in range(first, N_TEMPERATURES, 2):
                norm = powers.sum(axis=1)
                self.log_norm[some, t] += np.log(norm) @ w
                self.slope[some, t] += (np.einsum("aij,aij->aj", powers, z) / norm) @ w
                np.square(powers, out=powers)

    def empty(self) -> Self:
        """Return sums of no rows for the same alphas and temperatures."""
        empty = type(self)(np.ones(len(self.wrong)), self.n_classes)
        empty.inverse = self.inverse
        return empty

    def merge(self, other: Self) -> None:
        """Add the sums of other rows."""
        self.weight_length = hypot(self.weight_length, other.weight_length)
        for name in ("weight", "wrong", "own", "all", "log_norm", "slope"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def error_rates(self) -> np.ndarray:
        """Return the weighted share of wrong rows for each alpha."""
        return self.wrong / self.weight

    def n_effective(self) -> float:
        """Return the number of rows of equal weights that are worth as much (Kish 1965)."""
        return (self.weight / self.weight_length) ** 2

    def calibrate(self) -> Calibration:
        """Return the temperatures of least smoothed log loss, and the losses."""
        share = 1 / (self.n_effective() + 2)
        target = (1 - share) * self.own + share * (self.all - self.own) / (self.n_classes - 1)
        losses = (self.log_norm - self.inverse * target[:, None]) / self.weight
        slopes = (self.slope - target[:, None]) / self.weight
        found = [_minimum(*rows) for rows in zip(self.inverse, losses, slopes, strict=True)]
        inverse, least = np.array(found).T
        return Calibration(1 / inverse, least)


def sizes_of_scores(deviations: np.ndarray, means: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the sizes (n_alphas,) of scores, given their deviations and means (..., n_classes).

    Where scores tell little, those of all rows differ by the shares of the classes; and the mean of
    all other rows differs by about one row from that of all.
    """
    means = means - means.mean(axis=-1, keepdims=True)
    return np.maximum(deviations, np.maximum(np.sqrt((means**2).sum(axis=-1)), 1 / n_rows))


def _minimum(x: np.ndarray, f: np.ndarray, slope: np.ndarray) -> tuple[float, float]:
    """Return the minimum of a convex function, and its value, from a grid of values and slopes.

    Between two points it is that of the cubic in log(x) through both (Nocedal and Wright 2006,
    eq. 3.59).
    """
    k = int(np.argmax(slope >= 0)) if slope[-1] >= 0 else len(x) - 1
    if k == 0 or slope[k] <= 0:
        return x[k], f[k]
    step = np.log(x[k] / x[k - 1])
    low, high = slope[k - 1] * x[k - 1], slope[k] * x[k]
    mean = low + high - 3 * (f[k] - f[k - 1]) / step
    root = np.sqrt(max(mean**2 - low * high, 0.0))
    share = 1 - (high + root - mean) / (high - low + 2 * root)  # of the step
    share = min(max(share, 0.0), 1.0)
    rest = 1 - share
    value = f[k - 1] * (1 + 2 * share) * rest**2 + f[k] * share**2 * (3 - 2 * share)
    value += step * share * rest * (low * rest - high * share)
    return x[k - 1] * np.exp(share * step), value
