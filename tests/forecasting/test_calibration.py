"""Forecast errors of intervals, quantiles and samples, and their measured coverage."""

import numpy as np
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE, esn
from scipy.signal import lfilter
from scipy.stats import binom
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._calibration import (
    FACTOR,
    MAX_ORIGINS,
    IntervalCalibrator,
    split_origins,
)
from esnkit.forecasting._conformal import StepErrors
from esnkit.forecasting._ensemble import ModelSpec, fit_ensemble
from esnkit.forecasting._pooled_errors import PooledErrors


def test_coverage_is_the_level_asked_for():
    """AR(1): 150 independent series, 3 steps ahead each, against binomial bounds."""
    rng, n_series, n, levels = np.random.default_rng(7), 150, 240, (0.8, 0.95)
    inside = np.zeros((2, n_series, 3))
    for k in range(n_series):
        series = lfilter([1.0], [1.0, -0.8], rng.normal(size=n + 50))[50:]
        model = Forecaster(Ridge(1e-3), lags=2, calibration=0.5).fit(series[:-3])
        for found, level in zip(inside, levels, strict=True):
            _, lower, upper = model.forecast(3, interval=level)
            found[k] = (lower <= series[-3:]) & (series[-3:] <= upper)
    # each step ahead is one draw per series; 0.2 % two-sided bounds
    low, high = binom.interval(0.998, n_series, np.array(levels)[:, None])
    found = inside.sum(axis=1)
    assert ((low <= found) & (found <= high)).all(), inside.mean(axis=1)


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
    found = calibrator.errors_ahead(model, values, exog, exog[:3], 3, 0.8)
    assert isinstance(found, StepErrors) and found.errors is errors and found.weights is None


def test_errors_are_computed_once_and_extended():
    values, no_exog = WAVE[:220, None], np.empty((220, 0))
    calibrator = IntervalCalibrator(ridge_spec(), 200, 0.4)
    first = calibrator.errors(values[:200], no_exog[:200], 2)
    assert calibrator.errors(values[:200], no_exog[:200], 2) is first
    longer = calibrator.errors(values, no_exog, 2)
    assert len(longer) == len(first) + 20
    np.testing.assert_array_equal(longer[: len(first)], first)


def test_a_series_of_few_errors_pools_those_of_all_steps():
    model = Forecaster(Ridge(1.0), lags=2).fit(DRIVEN[:60])
    errors = model._calibrator.errors(*model._seen_rows(), 9)
    assert errors.shape == (10, 9, 1)  # the level of 0.95 needs 19 of each step
    forecast, lower, upper = model.forecast(12, interval=0.95)
    pooled = PooledErrors(errors, 12, FACTOR).half_widths(0.95)[:, 0]
    np.testing.assert_allclose([upper - forecast, forecast - lower], [pooled, pooled])
    assert (np.diff(pooled) >= 0).all()
    longer = model.forecast(30, interval=0.5)  # more steps than rows held out
    assert longer[2][-1] - longer[0][-1] == pytest.approx(
        np.sqrt(30 / 9) * (longer[2][8] - longer[0][8])
    )


@pytest.mark.parametrize(
    "estimator, params",
    [
        (Ridge(1e-3), {"lags": 3, "differences": 1}),
        (Ridge(1e-3), {"lags": 2, "strategy": "direct", "horizon": 3}),
        (esn(), {"differences": 2}),
        (esn(), {"strategy": "direct", "horizon": 3}),
    ],
)
def test_short_series_have_intervals_from_residuals_with_a_warning(estimator, params):
    rows, exog = DRIVEN[:8], EXOG[:11, None]
    model = Forecaster(estimator, **params).fit(rows, exog=exog[:8])
    with pytest.warns(UserWarning, match="residuals of the fit.* likely coverage is about 0.[3-8]"):
        forecast, lower, upper = model.forecast(3, exog[8:], interval=0.9)
    first = sum((params.get("differences", 0),)) + max(params.get("lags", 1), model._spec.n_ahead)
    errors = []
    for n in range(first, 8):  # the fitted models, at the row before each
        seen = model._ensemble.restart(rows[:n, None], exog[:n])
        errors.append(rows[n] - seen.roll(rows[:0, None], exog[n : n + 1], [0], 1)[0, 0, 0])
    widest = FACTOR * np.abs(errors).max() * np.sqrt([1, 2, 3])
    np.testing.assert_allclose([upper - forecast, forecast - lower], [widest, widest])


def test_a_level_beyond_the_errors_takes_the_largest_and_says_so():
    model = Forecaster(Ridge(1.0), lags=2).fit(WAVE[:50])
    with pytest.warns(UserWarning, match="needs 999 .* gives 28: .* coverage of at most 0.966"):
        _, lower, upper = model.forecast(2, interval=0.999)
    assert np.isfinite([lower, upper]).all()


def test_one_step_errors_are_those_of_forecasts_from_every_row():
    values, exog = DRIVEN[:120, None], EXOG[:120, None]
    for spec in (ridge_spec(differences=(1,)), ridge_spec(estimator=esn(), lags=None)):
        calibrator, whole = IntervalCalibrator(spec, 120, 0.25), fit_ensemble(spec, values, exog)
        found = calibrator.step_errors(whole, values, exog)
        first = fit_ensemble(spec, values[:90], exog[:90])
        ahead = first.roll(values[90:], exog[90:], np.arange(30), 1)[:, 0]
        np.testing.assert_allclose(found, values[90:] - ahead, rtol=1e-6, atol=1e-9)
        too_short = IntervalCalibrator(spec, 120, 0.01).step_errors(whole, values, exog)
        start = whole.restart(values[: spec.n_unexplained], exog[: spec.n_unexplained])
        rest = slice(spec.n_unexplained, None)
        np.testing.assert_array_equal(too_short, start.step_errors(values[rest], exog[rest]))
