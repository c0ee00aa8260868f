"""Forecasts of the mean after a power transform: `smear`, and `bias_adjust` of the forecasters."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import EXOG, esn
from sklearn.linear_model import LinearRegression, Ridge

from esnkit import AutoForecaster, Forecaster, PanelForecaster, SeriesTransform
from esnkit.baselines import AutoregressiveModel, exponential_smoothing
from esnkit.forecasting import _calibration
from esnkit.forecasting._power import box_cox, inverse_box_cox
from esnkit.forecasting._smearing import power_errors, smear

LOGARITHM = SeriesTransform(power=0)
ROOT = SeriesTransform(power=0.5)


def smear_by_loops(forecast, errors, power):
    """Duan's estimate, value by value."""
    means = forecast.copy()
    for k, j in np.ndindex(*forecast.shape):
        known = [e for e in errors[:, min(k, errors.shape[1] - 1), j] if not np.isnan(e)]
        if known:
            w = box_cox(forecast[k, j], power)
            values = [inverse_box_cox(w + e - np.mean(known), power) for e in known]
            means[k, j] = np.mean(values)
    return means


@pytest.mark.parametrize("power", [0.0, 0.3, 0.5, 1.0, 2.0])
def test_smearing_is_the_mean_of_the_inverses(power):
    rng = np.random.default_rng(0)
    forecast, errors = rng.uniform(0.5, 9, (5, 2)), rng.normal(size=(30, 3, 2))
    errors[rng.random(errors.shape) < 0.2] = np.nan
    errors[:, 1, 1] = np.nan  # a step without errors keeps its forecast
    expected = smear_by_loops(forecast, errors, power)
    np.testing.assert_allclose(smear(forecast, errors, power), expected, rtol=1e-12)
    assert expected[1, 1] == forecast[1, 1] != expected[2, 1]


def test_normal_errors_of_logarithms_give_the_log_normal_mean():
    errors = np.random.default_rng(0).normal(3.0, 0.8, size=(200_000, 1, 1))
    mean = smear(np.array([[5.0]]), errors, 0.0)[0, 0]
    assert mean == pytest.approx(5 * np.exp(0.8**2 / 2), rel=0.01)  # their mean has no part in it


def test_errors_of_roots_add_a_quarter_of_their_variance():
    """Their inverse is (1 + w / 2)**2."""
    errors = np.random.default_rng(0).normal(size=(50, 2, 1))
    means = smear(np.array([[100.0], [400.0]]), errors, 0.5)
    np.testing.assert_allclose(means, [[100], [400]] + errors.var(axis=0) / 4, rtol=1e-12)


@pytest.mark.parametrize("power, mean", [(0.5, 0.5), (0.0, 0.0)])
def test_a_forecast_of_zero_has_a_mean(power, mean):
    found = smear(np.zeros((1, 1)), np.array([[[-2.0]], [[2.0]]]), power)
    np.testing.assert_allclose(found, [[mean]], atol=1e-100)


def test_errors_without_a_power_do_not_count():
    observed, forecasts = np.array([0.0, 9.0, np.nan, 4.0]), np.array([1.0, -1e-9, 1.0, 1.0])
    np.testing.assert_array_equal(
        power_errors(observed, forecasts, 0.0), [np.nan] * 3 + [np.log(4)]
    )


def autoregressive(n, sd, rng):
    noise, x = sd * rng.normal(size=n), np.zeros(n)
    for t in range(1, n):
        x[t] = 0.7 * x[t - 1] + noise[t]
    return x


@pytest.mark.parametrize("settings", [{}, {"strategy": "direct", "horizon": 8}], ids=str)
def test_means_of_an_autoregressive_process_in_logarithms_are_unbiased(settings):
    rng, k, ratios = np.random.default_rng(0), np.arange(1, 9), []
    variance = 0.5**2 * (1 - 0.49**k) / 0.51
    for _ in range(30):
        x = autoregressive(300, 0.5, rng)
        model = Forecaster(Ridge(), lags=2, transformer=LOGARITHM, **settings).fit(np.exp(x))
        mean = np.exp(0.7**k * x[-1] + variance / 2)
        both = [model.forecast(8), model.forecast(8, bias_adjust=True)]
        ratios.append([forecast / mean for forecast in both])
    median, mean = np.mean(ratios, axis=(0, 2))
    assert median < 0.87 and abs(mean - 1) < 0.04


def test_means_of_roots_are_unbiased():
    rng, ratios = np.random.default_rng(0), []
    for _ in range(30):
        x = 4 + autoregressive(300, 0.6, rng)
        model = Forecaster(Ridge(), lags=2, transformer=ROOT).fit(x**2)
        mean = (4 + 0.7 * (x[-1] - 4)) ** 2 + 0.36
        ratios.append([model.forecast(1)[0] / mean, model.forecast(1, bias_adjust=True)[0] / mean])
    median, mean = np.mean(ratios, axis=0)
    assert median < 0.985 and abs(mean - 1) < 0.01


def test_steps_beyond_the_rows_held_out_and_series_without_them_have_means():
    growth = np.exp(np.random.default_rng(0).normal(0.1, 0.3, size=40).cumsum())
    for n_rows, n_steps in ((40, 60), (9, 3)):
        model = Forecaster(Ridge(), lags=2, transformer=LOGARITHM).fit(growth[:n_rows])
        median, mean = model.forecast(n_steps), model.forecast(n_steps, bias_adjust=True)
        assert mean.shape == (n_steps,) and (mean > median).all() and np.isfinite(mean).all()


MODELS = {
    "lags": Forecaster(LinearRegression(), lags=3, differences=1),
    "state": Forecaster(esn(n_units=20, alpha=1.0), n_ensemble=2, differences=1),
    "auto": AutoForecaster(horizon=4, seasons=[], quick=True),
}


@pytest.mark.parametrize("name", [*MODELS, "baseline"])
def test_without_a_power_transform_nothing_is_adjusted(name):
    series = EXOG[:60] - 5  # negative values have no power
    model = (MODELS | {"baseline": AutoregressiveModel()})[name].fit(series)
    np.testing.assert_array_equal(model.forecast(5, bias_adjust=True), model.forecast(5))


@pytest.mark.parametrize("name", MODELS)
def test_means_change_neither_the_model_nor_its_intervals(name):
    model = MODELS[name]
    if name != "auto":
        model = Forecaster(model.estimator, lags=model.lags, transformer=LOGARITHM)
    rng = np.random.default_rng(2)
    index = pd.date_range("2020", periods=60)
    frame = pd.DataFrame(
        {"a": np.exp(autoregressive(60, 0.5, rng)), "b": rng.lognormal(size=60)}, index
    )
    model.fit(frame[:50], exog=EXOG[:50], past_exog=rng.normal(size=50)).update(
        frame[50:], exog=EXOG[50:60], past_exog=np.zeros(10)
    )
    ahead = EXOG[60:66]
    median, mean = model.forecast(6, ahead), model.forecast(6, ahead, bias_adjust=True)
    assert list(mean.columns) == ["a", "b"] and mean.index.equals(median.index)
    assert (mean.to_numpy() != median.to_numpy()).any() and (mean > 0).all(axis=None)
    with_interval = model.forecast(6, ahead, 0.8, bias_adjust=True)
    pd.testing.assert_frame_equal(with_interval[["a", "b"]], mean)
    ends = [f"{column}_{end}" for column in "ab" for end in ("lower", "upper")]
    pd.testing.assert_frame_equal(with_interval[ends], model.forecast(6, ahead, 0.8)[ends])
    pd.testing.assert_frame_equal(model.forecast(6, ahead, bias_adjust=True), mean)
    pd.testing.assert_frame_equal(model.forecast(6, ahead), median)


def test_members_with_a_power_are_adjusted_before_they_are_combined():
    series = np.random.default_rng(3).lognormal(sigma=0.7, size=80)
    model = AutoForecaster(horizon=4, seasons=[]).fit(series)
    powers = [member["power"] for member in model.members_]
    assert 0 in powers and None in powers
    part, rows, no_exog = model._ensemble.parts[0], series[:, None], np.empty((80, 0))
    rolled, medians = [], []
    for member, calibrator, power in zip(part.members, model._calibrators[0], powers, strict=True):
        forecast = member.roll(rows[:0], np.empty((4, 0)), [0], 4)
        medians.append(forecast)
        if power is not None:
            forecast = calibrator.means(member, rows, no_exog, forecast[0])[None]
            assert (forecast > 0).all()
        rolled.append(forecast)
    simple = part.simple.roll(rows[:0], np.empty((4, 0)), [0], 4)
    simple += np.median(rolled, axis=0) - np.median(medians, axis=0)
    expected = part.combine(rolled, simple)[0, :, 0]
    np.testing.assert_allclose(model.forecast(4, bias_adjust=True), expected, rtol=1e-12)


@pytest.mark.parametrize("intervals", ["pooled", "adaptive"])
def test_means_share_networks_and_errors_with_intervals(intervals, monkeypatch):
    calls = {"fit_ensemble": 0, "fall_back": 0}  # once for each second network, and its errors

    def counted(name, function):
        def call(*arguments):
            calls[name] += 1
            return function(*arguments)

        monkeypatch.setattr(_calibration, name, call)

    for name in calls:
        counted(name, getattr(_calibration, name))
    series = np.random.default_rng(3).lognormal(sigma=0.7, size=80)
    model = AutoForecaster(horizon=4, seasons=[], intervals=intervals).fit(series)
    n_members, powers = len(model.members_), [member["power"] for member in model.members_]
    with_power = n_members - powers.count(None)
    model.forecast(4, interval=0.8, bias_adjust=True)
    n_errors = n_members if intervals == "adaptive" else with_power
    assert calls == {"fit_ensemble": n_members, "fall_back": n_errors}
    model.forecast(4, bias_adjust=True)
    assert calls == {"fit_ensemble": n_members, "fall_back": n_errors}


def test_means_of_members_that_run_away_do_not_count(monkeypatch):
    series = np.random.default_rng(3).lognormal(sigma=0.7, size=80)
    model = AutoForecaster(horizon=4, seasons=[]).fit(series)
    expected = model.forecast(4)

    def means(calibrator, ensemble, values, exog, forecast):
        return forecast if calibrator.spec.power is None else np.full_like(forecast, np.inf)

    monkeypatch.setattr("esnkit.forecasting._calibration.IntervalCalibrator.means", means)
    found = model.forecast(4, bias_adjust=True)
    assert np.isfinite(found).all() and (found != expected).any()
    monkeypatch.setattr(
        "esnkit.forecasting._calibration.IntervalCalibrator.means",
        lambda calibrator, ensemble, values, exog, forecast: forecast * np.inf,
    )
    np.testing.assert_array_equal(model.forecast(4, bias_adjust=True), expected)


def test_a_baseline_that_forecasts_is_not_adjusted():
    t = np.arange(80)
    waves = 3 + np.sin(t / 3) + np.sin(t / 7.3)  # an autoregression has no error
    model = AutoForecaster(horizon=6, seasons=[], quick=True, best=True).fit(waves)
    assert model.better_baseline_ == "autoregressive (AIC)"
    np.testing.assert_array_equal(model.forecast(3, bias_adjust=True), model.forecast(3))


def autoregressive_panel(n_rows, n_series, rng):
    """Return logarithms of an AR(1) panel, and the levels of the series."""
    x = np.stack([autoregressive(n_rows, 0.5, rng) for _ in range(n_series)], axis=1)
    return x, np.exp(rng.normal(2.0, 1.0, size=n_series))


def test_means_of_a_panel_in_logarithms_are_next_to_unbiased(few_panel_candidates):
    rng, k, ratios = np.random.default_rng(0), np.arange(1, 7)[:, None], []
    variance = 0.5**2 * (1 - 0.49**k) / 0.51
    for _ in range(4):
        x, level = autoregressive_panel(200, 20, rng)
        model = PanelForecaster(horizon=6, seasons=()).fit(level * np.exp(x))
        mean = level * np.exp(0.7**k * x[-1] + variance / 2)
        both = [model.forecast(6), model.forecast(6, bias_adjust=True)]
        ratios.append([forecast / mean for forecast in both])
    median, mean = np.mean(ratios, axis=(0, 2, 3))
    assert median < 0.92 and abs(mean - 1) < 0.04


def test_members_of_a_panel_are_adjusted_before_they_are_combined(few_panel_candidates):
    x, level = autoregressive_panel(60, 12, np.random.default_rng(1))
    panel = level * np.exp(x)
    panel[-3:, 4] = np.nan  # after a gap at the end, three more steps ahead
    model = PanelForecaster(horizon=5, seasons=()).fit(panel)
    members, order = model._ensemble.members[: len(model.members_)], model._order
    n_before = 3 * (order == 4)
    assert {member.network.structure.power for member in members} == {None, 0.0}
    both, everywhere = [], np.ones(12, dtype=bool)
    for member in members:
        medians = member.forecast(np.empty((12, 4, 0)), everywhere)
        both.append([medians, medians.copy()])
        medians = both[-1][1]
        if member.network.structure.power == 0:
            for i, (scale, n) in enumerate(zip(member.network.scale, n_before, strict=True)):
                errors = member.errors[:, np.minimum(n + np.arange(4), 4), None] * scale
                medians[i] = smear(medians[i][:, None], errors, 0.0)[:, 0]
    medians, means = (np.empty((12, 4)) for _ in range(2))
    medians[order], means[order] = np.median(both, axis=0)
    rows = np.where(np.arange(12) == 4, 57, 60)  # up to the last observed one
    smoothed = [exponential_smoothing(panel[:n, i], 64 - n, (), 5) for i, n in enumerate(rows)]
    smoothed, share = np.stack([ahead[-4:] for ahead in smoothed]), model.smoothing_share_
    expected = (1 - share) * means + share * (smoothed + means - medians)
    found = model.forecast(4, bias_adjust=True)
    np.testing.assert_allclose(found, expected.T, rtol=1e-12)
    parts = model.forecast(4, interval=0.8, bias_adjust=True)
    np.testing.assert_array_equal(parts[0], found)
    np.testing.assert_array_equal(parts[1:], model.forecast(4, interval=0.8)[1:])


def test_a_panel_without_a_power_has_nothing_to_adjust(few_panel_candidates):
    panel = np.random.default_rng(2).normal(size=(40, 5))
    model = PanelForecaster(horizon=4, seasons=()).fit(panel)
    np.testing.assert_array_equal(model.forecast(3, bias_adjust=True), model.forecast(3))


def test_means_of_a_panel_that_run_away_do_not_count(few_panel_candidates, monkeypatch):
    x, level = autoregressive_panel(60, 5, np.random.default_rng(1))
    model = PanelForecaster(horizon=5, seasons=()).fit(level * np.exp(x))
    expected = model.forecast(3)
    monkeypatch.setattr(
        "esnkit.forecasting._panel_ensemble.PanelMember.means",
        lambda member, forecasts, n_before: forecasts * np.inf,
    )
    np.testing.assert_array_equal(model.forecast(3, bias_adjust=True), expected)


def test_missing_values_do_not_count():
    series = np.random.default_rng(5).lognormal(sigma=0.5, size=200)
    series[::9] = np.nan
    model = Forecaster(Ridge(), lags=1, transformer=LOGARITHM).fit(series)
    ratio = model.forecast(3, bias_adjust=True) / model.forecast(3)
    assert (ratio > 1.06).all() and (ratio < 1.25).all()  # exp(0.5**2 / 2) = 1.13


def test_a_backtest_of_means():
    series = np.random.default_rng(6).lognormal(size=100)
    model = Forecaster(Ridge(), lags=1, transformer=LOGARITHM)
    result = model.backtest(series, 5, 2, interval=0.8, bias_adjust=True)
    first = model.fit(series[:90])
    np.testing.assert_array_equal(result.forecasts[0], first.forecast(5, bias_adjust=True))
    np.testing.assert_array_equal(result.upper[0], first.forecast(5, interval=0.8)[2])


def test_a_mean_that_is_infinite_is_refused():
    series = 1 / np.r_[np.random.default_rng(7).uniform(0.1, 1, size=60), 0.2]
    transform = SeriesTransform(power=-1.0, differences=1)
    model = Forecaster(Ridge(), lags=1, transformer=transform).fit(series)
    assert np.isfinite(model.forecast(3)).all()
    with pytest.raises(FloatingPointError, match="bias_adjust=True has no finite mean.*power=-1.0"):
        model.forecast(3, bias_adjust=True)
