"""Intervals and quantiles from few forecast errors, which are pooled over the steps ahead.

    half-width of step k = factor * size_k * quantile of |error_jk| / size_k over all j and k

where size_k, the mean absolute error at step k, is made to grow with k (isotonic regression).
"""

from typing import NamedTuple

import numpy as np
from sklearn.isotonic import isotonic_regression

from esnkit.forecasting._conformal import signed_quantile, upper_quantile

__all__ = ["BASELINE_FACTOR", "PooledErrors", "SeparateErrors"]

BASELINE_FACTOR = 1.4  # of rules and regressions with few rolling forecasts


class PooledErrors(NamedTuple):
    """Forecast errors of a few origins, for forecasts of any number of steps.

    Parameters
    ----------
    errors : ndarray of shape (n_forecasts, horizon, n_series)
        Observed values minus forecasts, NaN where the value is missing.
    n_steps : int
        Steps beyond the horizon continue as the square root of the number of steps.
    factor : float, default=1.0
        By which quantiles of the pooled errors are multiplied.

    Examples
    --------
    >>> errors = np.outer([1.0, -3.0], [1.0, 2.0])[:, :, None]
    >>> PooledErrors(errors, 4).half_widths(0.5)[:, 0]
    array([3.        , 6.        , 7.34846923, 8.48528137])
    """

    errors: np.ndarray
    n_steps: int
    factor: float = 1.0

    def half_widths(self, level: float) -> np.ndarray:
        """Return the half-widths (n_steps, n_series) of intervals of coverage `level`."""
        sizes, relative = self.relative()
        return self.factor * sizes * upper_quantile(np.abs(relative), level)

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Return what quantiles add to forecasts, (n_levels, n_steps, n_series).

        The median of the errors is subtracted: few forecasts do not tell a bias from chance.
        """
        sizes, relative = self.relative()
        relative = relative - np.nanmedian(relative, axis=0)
        return np.stack(
            [self.factor * sizes * signed_quantile(relative, level) for level in levels]
        )

    def relative(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the sizes (n_steps, n_series) of errors, and errors (n, n_series) over sizes."""
        sizes = self._known_sizes()
        relative = self.errors / np.where(sizes > 0, sizes, 1.0)
        return self.sizes(), relative.reshape(-1, sizes.shape[1])

    def sizes(self) -> np.ndarray:
        """Return the sizes (n_steps, n_series) of errors, which grow with the step."""
        sizes = self._known_sizes()
        horizon, steps = len(sizes), np.arange(self.n_steps)
        beyond = np.sqrt(np.maximum((steps + 1) / horizon, 1.0))
        return sizes[np.minimum(steps, horizon - 1)] * beyond[:, None]

    def _known_sizes(self) -> np.ndarray:
        """Return the sizes (horizon, n_series) of errors."""
        means = _means(np.abs(self.errors))
        return np.column_stack([isotonic_regression(column) for column in means.T])


def _means(sizes: np.ndarray) -> np.ndarray:
    """Return the means (horizon, n_series) of sizes; of all steps where one has no known size."""
    known = ~np.isnan(sizes)
    if known.all():
        return sizes.mean(axis=0)
    if not known.any(axis=(0, 1)).all():
        raise ValueError("interval needs errors, but all values forecast in fit are missing")
    sums, counts = np.where(known, sizes, 0.0).sum(axis=0), known.sum(axis=0)
    overall = sums.sum(axis=0) / counts.sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), overall)


class SeparateErrors(NamedTuple):
    """Errors of several series side by side, each of `PooledErrors` or of a kind like it."""

    parts: list

    def half_widths(self, level: float) -> np.ndarray:
        """Return the half-widths (n_steps, n_series), see `PooledErrors`."""
        return np.hstack([part.half_widths(level) for part in self.parts])

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Return quantiles (n_levels, n_steps, n_series), see `PooledErrors`."""
        return np.concatenate([part.quantiles(levels) for part in self.parts], axis=2)
