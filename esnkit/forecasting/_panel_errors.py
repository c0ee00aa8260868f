"""Intervals, quantiles and sample paths of many series, from errors that all of them share.

The errors of rolling forecasts, relative to the size of each series, are pooled over all series and
steps, see `PooledErrors`. Sample paths have the quantiles of each step, and from step to step the
ranks that the errors of one rolling forecast had (Schaake shuffle, Clark et al. 2004).
"""

from typing import NamedTuple

import numpy as np

from esnkit.forecasting._conformal import ROUNDING
from esnkit.forecasting._pooled_errors import PooledErrors

__all__ = ["PanelErrors"]


class PanelErrors(NamedTuple):
    """Relative errors of rolling forecasts, and the series that they are for.

    Parameters
    ----------
    errors : ndarray of shape (n_windows, horizon)
        Observed values minus forecasts, relative to the sizes of their series; NaN where missing.
    sizes : ndarray of shape (n_series,)
    n_before : ndarray of int, shape (n_series,)
        Number of rows between the last observed one and the forecast: so many steps ahead is it.
    n_steps : int

    Examples
    --------
    >>> errors = PanelErrors(np.outer([1.0, -3.0], [1.0, 2.0]), np.array([1.0, 10.0]), [0, 1], 1)
    >>> errors.half_widths(0.5)
    array([[ 3.],
           [60.]])
    """

    errors: np.ndarray
    sizes: np.ndarray
    n_before: np.ndarray
    n_steps: int

    def half_widths(self, level: float) -> np.ndarray:
        """Return the half-widths (n_series, n_steps) of intervals of coverage `level`."""
        return self._of_series(self._pooled.half_widths(level)[:, 0])

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Return what quantiles add to forecasts, (n_levels, n_series, n_steps)."""
        return np.stack([self._of_series(q[:, 0]) for q in self._pooled.quantiles(levels)])

    def paths(self, n_paths: int, rng: np.random.RandomState) -> np.ndarray:
        """Draw what sample paths add to forecasts, (n_paths, n_series, n_steps).

        Steps beyond the horizon of the rolling forecasts have the rank of the last one.
        """
        sizes, relative = self._pooled.relative()
        ranks = _ranks(self.errors)
        windows = rng.randint(len(ranks), size=(n_paths, len(self.sizes), 1))
        within = rng.uniform(size=windows.shape)
        steps = np.minimum(self._steps, ranks.shape[1] - 1)
        levels = (ranks[windows, steps] + within) / len(ranks)
        values = relative[~np.isnan(relative)]
        return self._of_series(sizes[:, 0]) * _at_levels(values - np.median(values), levels)

    @property
    def _pooled(self) -> PooledErrors:
        return PooledErrors(self.errors[:, :, None], self.n_steps + int(np.max(self.n_before)))

    @property
    def _steps(self) -> np.ndarray:
        """Number of steps from the last observed row, less one, (n_series, n_steps)."""
        return np.asarray(self.n_before)[:, None] + np.arange(self.n_steps)

    def _of_series(self, relative: np.ndarray) -> np.ndarray:
        """Return numbers (n_series, n_steps) from relative ones by steps ahead."""
        return self.sizes[:, None] * relative[self._steps]


def _ranks(errors: np.ndarray) -> np.ndarray:
    """Return the ranks of errors (n_windows, horizon) at each step, from 0.

    Windows with missing errors are left out, unless all have some.
    """
    complete = ~np.isnan(errors).any(axis=1)
    errors = errors[complete] if complete.any() else errors
    return np.argsort(np.argsort(errors, axis=0, kind="stable"), axis=0, kind="stable")


def _at_levels(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the quantiles of values (m,) at levels, as `signed_quantile` has them."""
    ascending, m = np.sort(values), len(values)
    upper = np.maximum(levels, 1 - levels)
    rank = np.clip(np.ceil((m + 1) * upper - ROUNDING), 1, m).astype(int)
    return np.where(levels > 0.5, ascending[rank - 1], ascending[m - rank])
