"""Intervals from two sources: errors of few rolling forecasts, and the spread of sample paths.

    half-width = factor * sqrt(half-width from errors * half-width from paths)

Errors of rolling forecasts know what a model gets wrong in many steps, but vary by chance; paths
average over many one-step errors, but trust the model.
"""

from typing import NamedTuple

import numpy as np
from sklearn.isotonic import isotonic_regression

from esnkit.forecasting._pooled_errors import PooledErrors

__all__ = ["BlendedErrors"]


class BlendedErrors(NamedTuple):
    """Pooled errors of forecasts of one series, and sample paths of its steps ahead.

    Parameters
    ----------
    pooled : PooledErrors
    paths : ndarray of shape (n_samples, n_steps, 1)
    factor : float
    """

    pooled: PooledErrors
    paths: np.ndarray
    factor: float

    def half_widths(self, level: float) -> np.ndarray:
        """Return the half-widths (n_steps, 1) of intervals of coverage `level`."""
        low, high = np.quantile(self.paths, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return self._blend(self.pooled.half_widths(level), (high - low) / 2)

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Return what quantiles add to forecasts, (n_levels, n_steps, 1), zero for the median."""
        distances = np.quantile(self.paths, levels, axis=0) - np.median(self.paths, axis=0)
        pooled = self.pooled.quantiles(levels)
        blends = [self._blend(abs(p), abs(q)) for p, q in zip(pooled, distances, strict=True)]
        return np.sign(levels - 0.5)[:, None, None] * np.stack(blends)

    def _blend(self, pooled: np.ndarray, of_paths: np.ndarray) -> np.ndarray:
        """Return the geometric mean of two distances (n_steps, 1), of which both grow."""
        growing = isotonic_regression(of_paths[:, 0])[:, None]
        return self.factor * np.sqrt(pooled) * np.sqrt(growing)
