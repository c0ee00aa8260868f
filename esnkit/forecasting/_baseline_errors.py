"""Baselines beside a forecast: their rolling forecasts, and which of them is better than it.

A baseline is better if its mean error is smaller, and this by more than the noise of the
comparison: a one-sided t-test of the logarithms of the ratios between the errors of the windows
(Diebold and Mariano 1995, with the t-distribution of Harvey et al. 1997). Logarithms, since the
windows of a growing series, and forecasts almost without errors, differ much in size. Windows that
overlap count as fewer: as many as fit side by side.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from esnkit.forecasting._baseline_models import (
    Regression,
    default_order,
    least_squares,
    ridge,
)
from esnkit.forecasting._candidates import LARGEST_ERROR, Windows
from esnkit.forecasting._rules import Rule, smoothing_rule
from esnkit.utils._threads import one_blas_thread
from esnkit.utils._warnings import muted

__all__ = ["Baseline", "better_baseline", "evaluate_baselines", "forecast_windows"]

SIGNIFICANCE = 0.025
NEGLIGIBLE_ERROR = 1e-4  # relative to the range of the values: all errors below are the same
DEFAULT_CONTEXT = 5
MAX_RIDGE_LAGS = 400  # in a row; fits with more take longer than those of all networks


class Baseline(NamedTuple):
    """A model, and its rolling forecasts."""

    model: Any  # with the attribute `min_rows` and the method `fit`
    forecasts: np.ndarray  # (n_origins, horizon)


@one_blas_thread()
def evaluate_baselines(
    values: np.ndarray,
    exog: np.ndarray,
    periods: list[float],
    windows: Windows,
    limit: Callable[[np.ndarray], np.ndarray],
    n_exog: int | None = None,
) -> dict[str, Baseline]:
    """Return the baselines by name that the rows before the first origin suffice for.

    Parameters
    ----------
    values, exog : ndarray
        Of the series (n_rows,) and of its inputs.
    periods : list of float
        Of the seasons.
    windows : Windows
    limit : callable
        Returns forecasts within the range that they may have.
    n_exog : int, default=None
        Inputs, the first ones, that regressions on lags have beside every lag; None for all.
    """
    lengths = [round(period) for period in periods]
    models = make_baselines(int(windows.origins[0]), lengths, windows.horizon, n_exog)
    # Warnings of few rows, or of dependent ones, are left out: the errors show it.
    with muted(""), np.errstate(all="ignore"):
        return {
            name: Baseline(model, limit(forecast_windows(model, values, exog, windows)))
            for name, model in models.items()
            if model.min_rows <= windows.origins[0]
        }


def make_baselines(
    n_rows: int, periods: list[int], horizon: int, n_exog: int | None = None
) -> dict[str, Any]:
    """Return the models to compare with, for at least `n_rows` rows with seasons of `periods`."""
    context = periods[0] if periods else DEFAULT_CONTEXT
    lags = _lags_of_ridge(n_rows, periods[0] if periods else 0)
    seasonal = {f"seasonal naive ({p} steps)": Rule("seasonal naive", p) for p in periods}
    return {
        "naive": Rule("naive"),
        **seasonal,
        "drift": Rule("drift"),
        "mean": Rule("mean"),
        "exponential smoothing": smoothing_rule(periods, n_rows, horizon),
        f"context parrot ({context} steps)": Rule("context parrot", context),
        "autoregressive (AIC)": Regression(least_squares(), by_aic=True, n_exog=n_exog),
        f"ridge ({len(lags)} lags)": Regression(ridge(), lags, n_exog=n_exog),
    }


def _lags_of_ridge(n_rows: int, period: int) -> tuple[int, ...]:
    """Return lags up to one beyond the season, of a long season few in a row and its own.

    Examples
    --------
    >>> _lags_of_ridge(40, 4), _lags_of_ridge(200, 0)[-1], _lags_of_ridge(200, 60)[-1]
    ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 23, 61)
    >>> _lags_of_ridge(20_000, 1440)[-5:]
    (42, 43, 1439, 1440, 1441)
    """
    order = default_order(n_rows)
    if 3 * period >= n_rows or period < order:
        return tuple(range(1, order + 1))
    if period < MAX_RIDGE_LAGS:
        return tuple(range(1, period + 2))
    return (*range(1, order + 1), period - 1, period, period + 1)


def forecast_windows(
    model: Any, values: np.ndarray, exog: np.ndarray, windows: Windows
) -> np.ndarray:
    """Forecast a series (n_rows,) from each origin with the model fitted to the rows before it.

    Returns
    -------
    ndarray of shape (n_origins, horizon)
        NaN where a closed loop runs away.
    """
    forecasts = np.empty((len(windows.origins), windows.horizon))
    for row, k in zip(forecasts, windows.origins, strict=True):
        fitted = model.fit(values[:k, None], exog[:k])
        ahead = fitted.roll(np.empty((0, 1)), exog[k : k + windows.horizon], [0], len(row))
        row[:] = ahead[0, :, 0]
    return forecasts


def better_baseline(
    forecasts: np.ndarray, baselines: dict[str, Baseline], observed: np.ndarray, windows: Windows
) -> str | None:
    """Return the name of the best baseline, if it is better by more than the noise.

    Parameters
    ----------
    forecasts : ndarray of shape (n_origins, horizon)
        The rolling forecasts to compare with.
    baselines : dict of Baseline
    observed : ndarray of shape (n_origins, horizon)
    windows : Windows

    Examples
    --------
    >>> windows = Windows(np.array([20, 25, 30, 35]), np.full(4, 0.25), 5)
    >>> zeros = np.zeros((4, 5))
    >>> close, near = (Baseline(Rule("naive"), zeros + size) for size in (1.0, 1.9))
    >>> forecasts = np.array([[1.8], [2.0], [2.1], [2.2]]) + zeros
    >>> better_baseline(forecasts, {"close": close, "near": near}, zeros, windows)
    'close'
    >>> better_baseline(forecasts, {"near": near}, zeros, windows)
    """
    errors = {name: _mean_errors(entry.forecasts, observed) for name, entry in baselines.items()}
    means = {name: windows.weights @ sizes for name, sizes in errors.items()}
    name, own = min(means, key=lambda name: means[name]), _mean_errors(forecasts, observed)
    if not means[name] < windows.weights @ own:
        return None
    least = max(NEGLIGIBLE_ERROR * np.ptp(observed[~np.isnan(observed)]), np.finfo(float).tiny)
    gains = np.log(np.maximum(own, least)) - np.log(np.maximum(errors[name], least))
    return name if _is_positive(gains, windows) else None


def _is_positive(gains: np.ndarray, windows: Windows) -> bool:
    """Test whether the mean of a value per window exceeds zero by more than chance."""
    degrees_of_freedom = windows.n_separate - 1
    if degrees_of_freedom <= 0:
        return False
    mean = windows.weights @ gains
    standard_error = np.sqrt(windows.weights @ (gains - mean) ** 2 / degrees_of_freedom)
    return bool(mean > stdtrit(degrees_of_freedom, 1 - SIGNIFICANCE) * standard_error)


def _mean_errors(forecasts: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the mean absolute error of the observed values of every window."""
    with np.errstate(over="ignore"):
        errors = np.abs(forecasts - observed).mean(axis=1, where=~np.isnan(observed))
    return np.minimum(np.nan_to_num(errors, nan=LARGEST_ERROR), LARGEST_ERROR)
