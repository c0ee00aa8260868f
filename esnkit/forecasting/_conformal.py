"""Split-conformal prediction intervals and quantiles from the errors of rolling forecasts.

    half-width = the ceil((m + 1) * level)-th smallest of m absolute errors

(Vovk et al. 2005; Lei et al. 2018, eq. 2), for each step ahead. With exchangeable errors the
coverage is at least `level`. Quantiles take the errors with their signs. With weights, errors count
in proportion to them, and m is the effective number 1 / sum(weights**2).
"""

from typing import NamedTuple

import numpy as np

__all__ = ["StepErrors", "errors_needed", "signed_quantile", "upper_quantile"]

ROUNDING = 1e-9  # of (m + 1) * level, such as 20 * 0.9, which must not raise the rank by one


class StepErrors(NamedTuple):
    """Forecast errors that suffice for quantiles of each step.

    Parameters
    ----------
    errors : ndarray of shape (n_origins, n_steps, n_series)
        Observed values minus forecasts, NaN where the value is missing.
    weights : ndarray of shape (n_origins,), default=None
        Of sum 1. None weighs all the same.
    """

    errors: np.ndarray
    weights: np.ndarray | None = None

    def half_widths(self, level: float) -> np.ndarray:
        """Return the half-widths (n_steps, n_series) of intervals of coverage `level`."""
        return upper_quantile(np.abs(self.errors), level, self.weights)

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Return what quantiles add to forecasts, (n_levels, n_steps, n_series)."""
        return np.stack([signed_quantile(self.errors, level, self.weights) for level in levels])


def errors_needed(level: float) -> int:
    """Return how many errors a conformal quantile at `level` needs to be finite.

    Examples
    --------
    >>> errors_needed(0.9), errors_needed(0.95)
    (9, 19)
    """
    return max(1, int(np.ceil(level / (1 - level) - ROUNDING)))


def upper_quantile(errors: np.ndarray, level: float, weights: np.ndarray | None = None):
    """Conformal quantile of errors along the first axis, at most the largest error.

    Parameters
    ----------
    errors : ndarray of shape (m, ...)
    level : float in (0, 1)
    weights : ndarray of shape (m,), default=None
        Of sum 1.

    Returns
    -------
    ndarray of shape (...)

    Examples
    --------
    >>> float(upper_quantile(np.arange(1.0, 20.0), 0.9))
    18.0
    >>> float(upper_quantile(np.array([1.0, 2.0, 3.0]), 0.5, np.array([0.0, 0.2, 0.8])))
    3.0
    """
    if weights is None:
        return _quantile(errors, level)
    m = len(errors)
    order = np.argsort(errors, axis=0, kind="stable")
    share = np.cumsum(weights[order], axis=0)
    inflated = min(1.0, level * (1 + np.sum(weights**2)))
    first = np.minimum((share < inflated - ROUNDING).sum(axis=0), m - 1)
    at = np.take_along_axis(order, first[None], axis=0)
    return np.take_along_axis(errors, at, axis=0)[0]


def _quantile(errors: np.ndarray, level: float):
    """Return the conformal quantile of the errors that are not NaN."""
    missing = np.isnan(errors)
    m = len(errors) - missing.sum(axis=0) if missing.any() else len(errors)
    rank = np.clip(np.ceil((m + 1) * level - ROUNDING), 1, np.maximum(m, 1)).astype(int)
    if not missing.any():
        return np.partition(errors, int(rank) - 1, axis=0)[int(rank) - 1]
    ascending = np.sort(errors, axis=0)  # NaN last
    return np.take_along_axis(ascending, np.asarray(rank)[None] - 1, axis=0)[0]


def signed_quantile(errors: np.ndarray, level: float, weights: np.ndarray | None = None):
    """Conformal quantile of errors with their signs, which grows with the level.

    That of 1 - level is the negative one of the negative errors, so that ``level`` and
    ``1 - level`` together bound an interval of coverage ``2 * level - 1``.

    Examples
    --------
    >>> errors = np.arange(1.0, 20.0)
    >>> [float(signed_quantile(errors, level)) for level in (0.1, 0.5, 0.9)]
    [2.0, 10.0, 18.0]
    """
    low = -upper_quantile(-errors, 1 - level, weights)
    high = upper_quantile(errors, level, weights)
    if level == 0.5:
        return (low + high) / 2
    return high if level > 0.5 else low
