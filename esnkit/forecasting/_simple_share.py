"""The share of a simple forecast in a forecast: large where nothing shows that it is worse.

The simple forecast is exponential smoothing, or with few rows the seasonal naive one.
"""

import numpy as np
from scipy.special import expit

from esnkit.forecasting._candidates import Windows

__all__ = ["DEFAULT_SHARE", "simple_share"]

NO_SHARE_GAIN = 3.0  # in standard errors; a share spoils forecasts of series with little noise
DEFAULT_SHARE = 0.5  # where there are no errors to compare


def simple_share(
    forecasts: np.ndarray, others: np.ndarray, observed: np.ndarray, windows: Windows
) -> float:
    """Return the share of a simple forecast, a logistic function of what networks gain.

    It is one half where they gain nothing, and falls with the mean gain in standard errors. The
    gain of a window is the difference between both errors over their sum, since the errors of a
    growing series differ much in size. Windows that overlap count as fewer: as many as fit side by
    side.

    Parameters
    ----------
    forecasts, others, observed : ndarray of shape (n_origins, horizon, ...)
        Of the networks, and simple ones, NaN where one runs away. Missing observed values, NaN, do
        not count.
    windows : Windows
    """
    known, of_window = ~np.isnan(observed), tuple(range(1, observed.ndim))
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = [np.abs(rows - observed) for rows in (forecasts, others)]
        errors = [size.mean(axis=of_window, where=known) for size in sizes]
        gains, sums = errors[1] - errors[0], errors[1] + errors[0]
        if (np.isfinite(errors[0]) & ~np.isfinite(errors[1])).any():  # the simple one runs away
            return 0.0
        if len(gains) < 2 or not np.isfinite(sums).all():
            return DEFAULT_SHARE
    gains = np.divide(gains, sums, out=gains, where=sums > 0)
    standard_error = gains.std(ddof=1) / np.sqrt(windows.n_separate)
    gain = gains.mean() / max(standard_error, np.finfo(float).tiny)
    return float(expit(-gain)) if gain < NO_SHARE_GAIN else 0.0
