"""Exponential smoothing of one series, and the errors of its forecasts."""

import math

from esnkit.kernels.compilation import kernel

__all__ = ["smooth"]


@kernel
def smooth(rows, observed, logs, parameters, season, origins, horizon, out):
    """Write the forecasts after the last row into ``out``, return the error of those before.

    The error of a forecast, e[t] = rows[t] - level - season[t % m], corrects the level by
    ``alpha`` e[t] and the season by ``gamma`` e[t] (Hyndman et al. 2008, the model with additive
    errors and seasons). A forecast h steps ahead is the level, the season, and h times the drift;
    with ``logs`` it is the exponential of their sum.

    Parameters
    ----------
    rows : (n_rows,)
        What is smoothed: the values, or their logarithms.
    observed : (n_rows,)
        The values.
    logs : bool
    parameters : tuple of float
        ``alpha``, ``gamma``, the drift, and the level before the first row.
    season : (m,)
        Terms before the first row; overwritten.
    origins : (n_origins,) int64, increasing, from 0 to n_rows - 1
        How many rows are known at every earlier forecast.
    horizon : int
        Steps of the earlier forecasts, of which those beyond the last row do not count.
    out : (n_steps,)

    Returns
    -------
    float
        The mean of the mean absolute errors of earlier forecasts.
    """
    n, m = len(rows), len(season)
    alpha, gamma, drift, level = parameters
    total, k = 0.0, 0
    for t in range(n):
        if k < len(origins) and origins[k] == t:
            n_steps = min(horizon, n - t)
            size = 0.0
            for i in range(n_steps):
                ahead = level + season[(t + i) % m] + (i + 1) * drift
                size += abs(observed[t + i] - (math.exp(ahead) if logs else ahead))
            total += size / n_steps
            k += 1
        error = rows[t] - level - season[t % m]
        level += alpha * error
        season[t % m] += gamma * error
    for i in range(len(out)):
        ahead = level + season[(n + i) % m] + (i + 1) * drift
        out[i] = math.exp(ahead) if logs else ahead
    return total / len(origins)
