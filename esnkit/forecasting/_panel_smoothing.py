"""Exponential smoothing of each of many series, which has a share of their forecasts.

The shares of networks and smoothing are inversely proportional to the squares of their errors
(Bates and Granger 1969, for errors that are not correlated).
"""

from typing import NamedTuple

import numpy as np

from esnkit.forecasting._exponential_smoothing import exponential_smoothing
from esnkit.forecasting._missing import fill_seasons
from esnkit.forecasting._packed_series import PackedSeries
from esnkit.forecasting._runaway import add_share
from esnkit.utils._plain_state import plain_record

__all__ = ["PanelSmoothing", "share_of_second", "smooth_series"]

MIN_SHARE = 0.2  # a smaller one spoils forecasts of series with little noise


@plain_record
class PanelSmoothing(NamedTuple):
    """Exponential smoothing of each series, and its share of their forecasts."""

    periods: tuple[int, ...]  # of the seasons
    horizon: int  # of the rolling forecasts that choose among models
    share: float = 0.0
    min_rows: int = 1  # of a series of which it has a share

    def combine(self, forecasts: np.ndarray, smoothed: np.ndarray) -> np.ndarray:
        """Return the weighted mean of forecasts, those of networks alone where others are NaN."""
        return add_share(forecasts, smoothed, self.share)

    def forecast(self, packed: PackedSeries, n_steps: int) -> np.ndarray:
        """Return forecasts (n_series, n_steps) after the last rows, NaN for short series.

        They start from the last observed value of each series.
        """
        forecasts, n_after = np.full((packed.n_series, n_steps), np.nan), packed.n_trailing
        n_rows = packed.lengths - n_after
        for i in np.flatnonzero(n_rows >= self.min_rows).tolist():
            ahead = smooth_series(packed, i, n_rows[i], n_steps + n_after[i], self)
            forecasts[i] = ahead[n_after[i] :]
        return forecasts


def smooth_series(
    packed: PackedSeries, i: int, n_rows: int, n_steps: int, smoothing: PanelSmoothing
) -> np.ndarray:
    """Forecast a series (n_steps,) after its first rows, of which the first one is observed.

    The last observed value of the same season stands for a missing one.
    """
    rows = slice(packed.offsets[i], packed.offsets[i] + n_rows)
    values = np.where(packed.observed[rows], packed.values[rows], np.nan)[:, None]
    values = fill_seasons(values, smoothing.periods[0] if smoothing.periods else 1)[:, 0]
    return exponential_smoothing(values, n_steps, smoothing.periods, smoothing.horizon)


def share_of_second(first_error: float, second_error: float) -> float:
    """Return the share of the second of two forecasts with these errors; none if it is small.

    Examples
    --------
    >>> share_of_second(2.0, 4.0), share_of_second(1.0, 1.0), share_of_second(1.0, 3.0)
    (0.2, 0.5, 0.0)
    """
    ratio = first_error / second_error if second_error else 1.0
    share = ratio**2 / (1 + ratio**2)
    return share if share >= MIN_SHARE else 0.0
