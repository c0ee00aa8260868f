"""Exponential smoothing: a forecast from levels and seasons that follow the series slowly."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from esnkit.forecasting._naive import check_past
from esnkit.kernels.smoothing import smooth
from esnkit.utils._validation import check_positive_int

__all__ = ["exponential_smoothing"]

ALPHAS = (1.0, 0.6, 0.3, 0.15)  # of the level
GAMMAS = (0.0, 0.1, 0.3)  # of the season
DRIFTS = (0.0, 0.5, 1.0)  # shares of the mean change
N_AVERAGED = 3
MAX_ROWS = 3000  # the last ones, which are smoothed
FIRST_SHARE = 1 / 3  # errors count after this share of the rows
MAX_ORIGINS = 200  # of forecasts whose errors are compared
SEASONS_OF_START = 4  # whose mean is the season before the first row, at most


def exponential_smoothing(
    past: ArrayLike, n_steps: int, periods: Sequence[int] = (), horizon: int | None = None
) -> np.ndarray:
    """Exponential smoothing: the mean of the three best of several models.

    The models differ in how fast the level follows the series (`alpha` of 1, 0.6, 0.3 or 0.15) and
    a season does (`gamma` of 0, 0.1 or 0.3), in the season, in the share of the mean change that is
    the drift (none, half, all), and in whether they take logarithms, where all values are positive.
    They are judged by the mean absolute errors of rolling forecasts in the last two thirds of the
    rows.

    Parameters
    ----------
    past : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        The series up to the present, of which the last 3000 time steps count. Several series are
        forecast separately.
    n_steps : int >= 1
    periods : sequence of int >= 1, default=()
        Lengths of seasons in time steps, of which a model has one. Those of which there are less
        than two in `past` are left out. Without one, models have no season.
    horizon : int >= 1, default=None
        Steps of the rolling forecasts, `n_steps` by default.

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_series)

    Raises
    ------
    TypeError
        If `n_steps`, a period or `horizon` is not an integer.
    ValueError
        If `past` is too short, neither 1-D nor 2-D, or not finite, or `n_steps`, a period or
        `horizon` is below 1.

    Notes
    -----
    Level and season follow the errors of one-step forecasts, e = y - level - season: the level
    changes by alpha e, the season of the time step by gamma e, as in the model ETS(A,N,A) [1]_. A
    forecast h steps ahead is the level, the season, and h times the drift, which is constant: for
    simple exponential smoothing and half of the trend this is the theta method [2]_. The season
    before the first time step is the mean of the first four seasons, the drift the mean change of
    a value to the one a season later, divided by the period.

    References
    ----------
    .. [1] Hyndman, R. J., Koehler, A. B., Ord, J. K. and Snyder, R. D. (2008). Forecasting with
       Exponential Smoothing: The State Space Approach, table 2.2.
    .. [2] Hyndman, R. J. and Billah, B. (2003). Unmasking the theta method. International Journal
       of Forecasting 19, equation 4.

    Examples
    --------
    >>> from esnkit.baselines import exponential_smoothing
    >>> exponential_smoothing([3.0, 8.0, 5.0, 10.0, 7.0, 12.0], 3, periods=[2]).round(1)
    array([ 8. , 13.7, 10. ])
    """
    rows = check_past(past, 1)
    n_steps = check_positive_int("n_steps", n_steps)
    horizon = n_steps if horizon is None else check_positive_int("horizon", horizon)
    lengths = [check_positive_int("a period in periods", period) for period in periods]
    columns = rows.reshape(len(rows), -1)[-MAX_ROWS:].T
    ahead = [_forecast(column, n_steps, lengths, horizon) for column in columns]
    return np.stack(ahead, axis=1).reshape(n_steps, *rows.shape[1:])


def _forecast(values: np.ndarray, n_steps: int, periods: list[int], horizon: int) -> np.ndarray:
    """Forecast one series (n_rows,)."""
    n_rows, scale = len(values), np.abs(values).max() or 1.0
    values = values / scale  # neither sums nor exponentials leave the range of float64
    periods = [period for period in periods if 2 * period <= n_rows] or [1]
    first = min(max(max(periods), int(FIRST_SHARE * n_rows)), n_rows - 1)
    stride = -(-(n_rows - first) // MAX_ORIGINS)
    origins = np.arange(n_rows - 1, first - 1, -stride)[::-1].copy()
    errors, forecasts = [], []
    for period, logs in product(periods, (False, True) if values.min() > 0 else (False,)):
        rows = np.log(values) if logs else values
        level, season = _start(rows, period)
        drift = _mean_change(rows, period) / period
        gammas = GAMMAS if period > 1 else GAMMAS[:1]
        models = np.array(
            [(a, g, share * drift, level) for a, g, share in product(ALPHAS, gammas, DRIFTS)]
        )
        ahead = np.empty((len(models), n_steps))
        errors.append(smooth(rows, values, logs, models, season, origins, horizon, ahead))
        forecasts.append(ahead)
    best = np.argsort(np.concatenate(errors), kind="stable")[:N_AVERAGED]
    with np.errstate(over="ignore"):
        return np.concatenate(forecasts)[best].mean(axis=0) * scale


def _start(rows: np.ndarray, period: int) -> tuple[float, np.ndarray]:
    """Return the level and the season before the first row."""
    n_seasons = min(len(rows) // period, SEASONS_OF_START)
    table = rows[: n_seasons * period].reshape(n_seasons, period)
    levels = table.mean(axis=1)
    return float(levels[0]), (table - levels[:, None]).mean(axis=0)


def _mean_change(rows: np.ndarray, period: int) -> float:
    """Return the mean change of a row to the one a season later."""
    if len(rows) <= period:
        return 0.0
    return float((rows[period:] - rows[:-period]).mean())
