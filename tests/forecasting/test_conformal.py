"""Prediction intervals: ranks of errors, and measured coverage."""

import numpy as np
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE, esn
from scipy.stats import binom
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._conformal import (
    MAX_ORIGINS,
    IntervalCalibrator,
    IntervalError,
    half_widths,
    split_origins,
)
from esnkit.forecasting._ensemble import ModelSpec, fit_ensemble


def test_half_widths_follow_the_finite_sample_rank():
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 100.0)).reshape(99, 1, 1)
    assert half_widths(errors, 0.9).item() == 90
    assert half_widths(-errors, 0.99).item() == 99
    with pytest.raises(ValueError, match="interval needs at least 199"):
        half_widths(errors, 0.995)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_coverage_is_the_level_asked_for(level):
    """AR(1): 150 independent series, 3 steps ahead each, against binomial bounds."""
    rng, n_series, n = np.random.default_rng(7), 150, 240
    inside = np.zeros((n_series, 3))
    for k in range(n_series):
        noise, series = rng.normal(size=n + 50), np.zeros(n + 50)
        for t in range(1, n + 50):
            series[t] = 0.8 * series[t - 1] + noise[t]
        series = series[50:]
        model = Forecaster(Ridge(1e-3), lags=2, calibration=0.5).fit(series[:-3])
        _, lower, upper = model.forecast(3, interval=level)
        inside[k] = (lower <= series[-3:]) & (series[-3:] <= upper)
    # each step ahead is one draw per series; 0.2 % two-sided bounds
    low, high = binom.interval(0.998, n_series, level)
    assert ((low <= inside.sum(axis=0)) & (inside.sum(axis=0) <= high)).all(), inside.mean(axis=0)


def test_coverage_of_rolling_forecasts_of_a_noisy_sine():
    rng = np.random.default_rng(3)
    series = np.sin(np.arange(1500) / 4) + 0.3 * rng.normal(size=1500)
    model = Forecaster(esn(alpha=10.0, leak_rate=0.5))
    result = model.backtest(series, 4, 100, interval=0.9)
    # 400 values, dependent within a window: bounds for 100 draws
    low, high = binom.interval(0.998, 100, 0.9)
    assert low <= 100 * result.scores["coverage"] <= high


def test_updates_add_errors_to_intervals():
    rng = np.random.default_rng(0)
    quiet, loud = rng.normal(size=200), 10 * rng.normal(size=200)
    model = Forecaster(Ridge(1.0), lags=2).fit(quiet)
    _, lower, upper = model.forecast(2, interval=0.8)
    model.update(loud)
    _, lower2, upper2 = model.forecast(2, interval=0.8)
    assert (upper2 - lower2).min() > 3 * (upper - lower).max()


def test_several_updates_give_the_same_interval_as_one():
    a = Forecaster(Ridge(1.0), lags=3).fit(DRIVEN[:200])
    b = clone(a).fit(DRIVEN[:200])
    a.forecast(4, interval=0.8)
    for t in range(200, 230, 10):
        a.update(DRIVEN[t : t + 10])
    b.update(DRIVEN[200:230])
    for one, other in zip(a.forecast(4, interval=0.8), b.forecast(4, interval=0.8), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_narrowest_interval_is_that_of_the_smallest_error():
    errors = np.arange(1.0, 20.0).reshape(19, 1, 1)
    assert half_widths(errors, 1e-15) == half_widths(errors, 0.05) == 1


@pytest.mark.parametrize("n_fit, n_total, n_steps", [(100, 100, 5), (100, 130, 5), (9000, 9000, 1)])
def test_origins_follow_the_part_that_is_fitted(n_fit, n_total, n_steps):
    start, origins = split_origins(n_fit, n_total, n_steps, 0.3)
    assert start == origins[0] == n_fit - int(0.3 * n_fit) and origins[-1] <= n_total - n_steps
    assert np.count_nonzero(origins < n_fit) <= MAX_ORIGINS
    _, before = split_origins(n_fit, n_fit, n_steps, 0.3)
    np.testing.assert_array_equal(origins[: len(before)], before)


def ridge_spec(**parameters):
    defaults = {
        "estimator": Ridge(1.0), "strategy": "recursive", "lags": (1, 2), "horizon": None,
        "differences": (), "scale": True, "n_ensemble": 1, "combine": "mean", "random_state": None,
    }  # fmt: skip
    return ModelSpec(**(defaults | parameters))


def test_errors_are_those_of_a_model_fitted_to_the_first_rows():
    values, exog = DRIVEN[:200, None], EXOG[:200, None]
    calibrator = IntervalCalibrator(ridge_spec(), 200, 0.4)
    errors = calibrator.errors(values, exog, 3)
    model = fit_ensemble(ridge_spec(), values[:120], exog[:120])
    assert errors.shape == (78, 3, 1)
    for k, origin in ((0, 120), (77, 197)):
        ahead = model.roll(values[120:origin], exog[120 : origin + 3], [origin - 120], 3)[0]
        np.testing.assert_allclose(errors[k], values[origin : origin + 3] - ahead, rtol=1e-9)
    widths = calibrator.half_widths(values, exog, 3, 0.8)
    np.testing.assert_array_equal(widths, half_widths(errors, 0.8))


def test_errors_are_computed_once_and_extended():
    values, no_exog = WAVE[:220, None], np.empty((220, 0))
    calibrator = IntervalCalibrator(ridge_spec(), 200, 0.4)
    first = calibrator.errors(values[:200], no_exog[:200], 2)
    assert calibrator.errors(values[:200], no_exog[:200], 2) is first
    longer = calibrator.errors(values, no_exog, 2)
    assert len(longer) == len(first) + 20
    np.testing.assert_array_equal(longer[: len(first)], first)


def test_a_part_that_is_too_short_to_fit_is_named():
    calibrator = IntervalCalibrator(ridge_spec(differences=(60,)), 70, 0.3)
    with pytest.raises(IntervalError, match="interval needs a model fitted to the first 49 rows"):
        calibrator.half_widths(WAVE[:70, None], np.empty((70, 0)), 1, 0.5)
