"""Errors of rolling forecasts of a field, which calibrate intervals and quantiles of forecasts."""

from typing import Any

import numpy as np

from esnkit.forecasting._backtest import windows_of
from esnkit.forecasting._calibration import FACTOR, split_origins, warn_of_few
from esnkit.forecasting._conformal import StepErrors, errors_needed
from esnkit.forecasting._pooled_errors import PooledErrors
from esnkit.forecasting._runaway import clear_runaways, fall_back, range_of
from esnkit.utils._plain_state import plain_record

__all__ = ["PatchErrors"]

MAX_ORIGINS = 100  # about as many free runs of the second model, more where the level needs them
MIN_ROWS = 2  # of a field to fit


@plain_record
class PatchErrors:
    """Errors of a second model, fitted to the first rows, in the rows that it has not seen.

    Parameters
    ----------
    model : PatchForecaster
        Not fitted.
    n_fit : int
        Number of rows that `PatchForecaster.fit` got.
    share : float in (0, 1)
        Share of these rows, at their end, that the second model is not fitted to.
    """

    def __init__(self, model: Any, n_fit: int, share: float):
        self.model, self.n_fit, self.share = model, n_fit, share
        self._is_fitted = False

    def errors_ahead(
        self, field: np.ndarray, n_steps: int, level: float
    ) -> StepErrors | PooledErrors:
        """Return errors that suffice for quantiles up to `level` of all steps ahead.

        Parameters
        ----------
        field : ndarray of shape (n_rows, *shape)
            All rows seen so far.
        n_steps : int
        level : float in (0, 1)
        """
        start, origins = split_origins(self.n_fit, len(field), n_steps, self.share)
        n_held_out = len(field) - start
        if start < MIN_ROWS or n_held_out < 1:
            raise ValueError(
                f"interval and quantiles need a longer field, or another calibration, got "
                f"{len(field)} time steps and calibration={self.share!r}"
            )
        if len(origins) < errors_needed(level):
            horizon = min(n_steps, max(1, n_held_out // 2))
            _, origins = split_origins(self.n_fit, len(field), horizon, self.share)
            warn_of_few(len(origins) * horizon, level)
            return PooledErrors(self._errors(field, origins, horizon), n_steps, FACTOR)
        every = len(origins) // max(MAX_ORIGINS, errors_needed(level))
        return StepErrors(self._errors(field, origins[:: max(every, 1)], n_steps))

    def _errors(self, field: np.ndarray, origins: np.ndarray, n_steps: int) -> np.ndarray:
        """Return errors (n_origins, n_steps, n_points); the last row stands for runaways."""
        start = origins[0]
        if not self._is_fitted:
            self.model.fit(field[:start])
            self._is_fitted = True
        rows = field.reshape(len(field), -1)
        ahead = self.model._roll(rows[start:], origins - start, n_steps)
        seen_range = np.broadcast_to(range_of(rows.reshape(-1, 1)), (2, rows.shape[1]))
        ahead = fall_back(clear_runaways(ahead, seen_range), rows, origins, [1] * rows.shape[1])
        return windows_of(rows, origins, n_steps) - ahead
