"""Exponential smoothing of one series, and the errors of its forecasts."""

import math

import numpy as np

from esnkit.kernels.compilation import kernel

__all__ = ["smooth"]


@kernel
def smooth(rows, observed, logs, models, season, origins, horizon, out):
    """Write the forecasts of models after the last row into ``out``, return their errors before.

    The error of a forecast, e[t] = rows[t] - level - s[t % m], corrects the level by alpha e[t] and
    the season s by gamma e[t] (Hyndman et al. 2008, the model with additive errors and seasons). A
    forecast h steps ahead is the level, the season, and h times the drift; with ``logs`` it is the
    exponential of their sum.

    Parameters
    ----------
    rows : (n_rows,)
        What is smoothed: the values, or their logarithms.
    observed : (n_rows,)
        The values.
    logs : bool
    models : (n_models, 4)
        Alpha, gamma, drift, and the level before the first row.
    season : (m,)
        Terms before the first row.
    origins : (n_origins,) int64, increasing, from 0 to n_rows - 1
        How many rows are known at every earlier forecast.
    horizon : int
        Steps of the earlier forecasts, of which those beyond the last row do not count.
    out : (n_models, n_steps)

    Returns
    -------
    (n_models,)
        The means of the mean absolute errors of earlier forecasts.
    """
    errors = np.empty(len(models))
    for j in range(len(models)):
        errors[j] = _smooth_once(
            rows, observed, logs, models[j], season.copy(), origins, horizon, out[j]
        )
    return errors


@kernel
def _smooth_once(rows, observed, logs, model, season, origins, horizon, out):
    """Do so for one model; ``season`` is overwritten."""
    n, m = len(rows), len(season)
    alpha, gamma, drift, level = model[0], model[1], model[2], model[3]
    total, k, place = 0.0, 0, 0  # place is t % m
    for t in range(n):
        if k < len(origins) and origins[k] == t:
            n_steps = min(horizon, n - t)
            size, at = 0.0, place  # at is (t + i) % m
            for i in range(n_steps):
                ahead = level + season[at] + (i + 1) * drift
                size += abs(observed[t + i] - (math.exp(ahead) if logs else ahead))
                at = at + 1 if at + 1 < m else 0
            total += size / n_steps
            k += 1
        error = rows[t] - level - season[place]
        level += alpha * error
        season[place] += gamma * error
        place = place + 1 if place + 1 < m else 0
    for i in range(len(out)):
        ahead = level + season[place] + (i + 1) * drift
        out[i] = math.exp(ahead) if logs else ahead
        place = place + 1 if place + 1 < m else 0
    return total / len(origins)
