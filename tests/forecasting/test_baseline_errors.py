"""Baselines beside a forecast: rolling forecasts, and the test of a difference."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from esnkit.baselines import (
    AutoregressiveModel,
    ContextParrot,
    exponential_smoothing,
    seasonal_naive,
)
from esnkit.forecasting._baseline_errors import (
    Baseline,
    better_baseline,
    evaluate_baselines,
    forecast_windows,
    make_baselines,
)
from esnkit.forecasting._baseline_models import Regression, least_squares
from esnkit.forecasting._candidates import Windows, make_windows
from esnkit.forecasting._rules import Rule

RNG = np.random.default_rng(0)
VALUES = 10 + np.tile([1.0, 5.0, 2.0, 8.0], 20) + RNG.normal(size=80)
NO_EXOG = np.empty((80, 0))


def windows_with(origins, horizon):
    return Windows(np.array(origins), np.full(len(origins), 1 / len(origins)), horizon)


def test_each_forecast_knows_the_rows_before_its_origin_only():
    windows = make_windows(80, 6)
    found = evaluate_baselines(VALUES, NO_EXOG, [4.0, 60.0], windows, lambda values: values)
    assert list(found) == [
        "naive", "seasonal naive (4 steps)", "drift", "mean", "exponential smoothing",
        "context parrot (4 steps)", "autoregressive (AIC)", "ridge (10 lags)",
    ]  # fmt: skip
    for row, origin in enumerate(windows.origins):
        past = VALUES[:origin]
        expected = {
            "seasonal naive (4 steps)": seasonal_naive(past, 6, 4),
            "exponential smoothing": exponential_smoothing(past, 6, [4, 60]),
            "context parrot (4 steps)": ContextParrot(4).fit(past).forecast(6),
            "autoregressive (AIC)": AutoregressiveModel().fit(past).forecast(6),
        }
        for name, forecast in expected.items():
            np.testing.assert_allclose(found[name].forecasts[row], forecast)


def test_a_long_season_has_few_lags():
    models = make_baselines(5000, [480], 10)
    assert models["ridge (39 lags)"].lags == (*range(1, 37), 479, 480, 481)
    assert make_baselines(1000, [300], 10)["ridge (301 lags)"].lags == tuple(range(1, 302))
    assert make_baselines(500, [300], 10)["ridge (26 lags)"].lags == tuple(range(1, 27))


def test_forecasts_are_limited_and_loops_that_diverge_count_as_bad():
    windows = windows_with([60, 70], 5)
    found = evaluate_baselines(-VALUES, NO_EXOG, [], windows, lambda v: np.maximum(v, 0.0))
    assert all((baseline.forecasts == 0).all() for baseline in found.values())
    runaway = np.cumprod(np.full(80, 2.0) + 0.1 * RNG.normal(size=80)) ** 3
    ahead = forecast_windows(
        Regression(least_squares(), (1,)), runaway, NO_EXOG, windows_with([40], 400)
        ._replace(horizon=400),
    )  # fmt: skip
    assert np.isnan(ahead).all()
    baselines = {"far": Baseline(None, ahead), "near": Baseline(None, np.ones((1, 400)))}
    assert better_baseline(ahead, baselines, np.zeros((1, 400)), windows_with([40], 400)) is None


def constant_errors(sizes, horizon=4):
    return np.repeat(np.array(sizes, float)[:, None], horizon, axis=1)


@pytest.mark.parametrize("scale", [0.2, 1.0, 5.0])
def test_separate_windows_are_a_t_test_of_log_ratios(scale):
    gains = 1 + scale * RNG.normal(size=7)
    windows = windows_with(np.arange(20, 48, 4), 4)
    baseline, zeros = {"a": Baseline(None, constant_errors(np.full(7, 50.0)))}, np.zeros((7, 4))
    found = better_baseline(constant_errors(50 * np.exp(gains)), baseline, zeros, windows)
    significant = ttest_1samp(gains, 0, alternative="greater").pvalue < 0.025
    assert (found == "a") == significant


def test_overlapping_windows_count_as_fewer():
    ratios = np.array([1.5, 1.05, 1.5, 1.1, 1.4, 1.05, 1.5, 1.2])
    baseline = {"a": Baseline(None, constant_errors(np.full(8, 5.0)))}
    forecasts, zeros = constant_errors(5 * ratios), np.zeros((8, 4))
    separate, overlapping = np.arange(20, 52, 4), np.arange(20, 28)
    assert better_baseline(forecasts, baseline, zeros, windows_with(separate, 4)) == "a"
    assert better_baseline(forecasts, baseline, zeros, windows_with(overlapping, 4)) is None
    one = windows_with([20], 4)
    assert better_baseline(forecasts[:1], {"a": Baseline(None, zeros[:1])}, zeros[:1], one) is None


def test_a_smaller_mean_error_is_needed():
    zeros, windows = np.zeros((8, 4)), windows_with(np.arange(20, 52, 4), 4)
    forecasts = constant_errors([0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 90])
    for last, name in ((100.0, None), (90.0, "often")):
        often = Baseline(None, constant_errors([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, last]))
        assert better_baseline(forecasts, {"often": often}, zeros, windows) == name


def test_a_negligible_error_is_not_smaller_than_another():
    windows = windows_with([20, 24, 28, 32], 4)
    observed = np.zeros((4, 4)) + [0.0, 1.0, 0.0, 1.0]
    exact = {"exact": Baseline(None, observed)}
    nearly, near = (observed + size for size in (1e-5, 1e-3))
    assert better_baseline(nearly, exact, observed, windows) is None
    assert better_baseline(near, exact, observed, windows) == "exact"


def test_equal_forecasts_are_not_better():
    zeros = np.zeros((3, 4))
    windows = windows_with([20, 24, 28], 4)
    assert better_baseline(zeros, {"a": Baseline(Rule("naive"), zeros)}, zeros, windows) is None


def test_recent_windows_weigh_more():
    windows = Windows(np.array([20, 24, 28]), np.array([0.0, 0.5, 0.5]), 4)
    good_lately = Baseline(None, constant_errors([9.0, 1.0, 1.01]))
    good_early = Baseline(None, constant_errors([1.0, 2.0, 2.0]))
    baselines = {"early": good_early, "lately": good_lately}
    forecasts = constant_errors([9.5, 3.0, 3.0])
    assert better_baseline(forecasts, baselines, np.zeros((3, 4)), windows) == "lately"
