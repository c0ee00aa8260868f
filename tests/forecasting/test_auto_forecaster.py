"""The automatic forecaster: what it chooses, what it answers, and what it refuses."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, ESNRegressor, Forecaster
from esnkit.baselines import BetterBaselineWarning

RNG = np.random.default_rng(0)
MONTHS = pd.date_range("2015-01-01", periods=108, freq="MS")
PROFILE = np.array([0.8, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5, 1.4, 1.0, 0.9, 0.8, 1.2])
SALES = pd.Series(
    100 * 1.006 ** np.arange(108) * np.tile(PROFILE, 9) * np.exp(0.03 * RNG.normal(size=108)),
    MONTHS, name="sales",
)  # fmt: skip
WAVE = np.sin(np.arange(90) / 3) + 0.1 * RNG.normal(size=90)


@pytest.fixture(scope="module")
def fitted():
    return AutoForecaster().fit(SALES[:96])


def test_growing_seasonal_sales_are_forecast_better_than_by_the_last_season(fitted):
    error = np.abs(fitted.forecast(12) - SALES[96:]).mean()
    naive = np.abs(SALES[84:96].to_numpy() - SALES[96:].to_numpy()).mean()
    assert error < 0.65 * naive
    assert fitted.error_ < 0.6 * fitted.baselines_["seasonal naive (12 steps)"]
    assert fitted.seasons_ == [12] and fitted.horizon_ == 12
    assert {"naive", "seasonal naive (12 steps)", "drift", "mean"} < set(fitted.baselines_)
    assert fitted.better_baseline_ is None


@pytest.mark.filterwarnings("ignore::esnkit.baselines.BetterBaselineWarning")
def test_a_long_series_with_noise_repeats_the_mean_of_its_last_seasons():
    rng = np.random.default_rng(1)
    series = np.tile(rng.normal(size=40), 30) + rng.normal(size=1200)
    settings = {"n_units": 20, "alpha": 1e3, "leak_rate": 1.0}
    model = AutoForecaster(seasons=[40], settings=settings)
    model.fit(series[:1120])
    assert model.members_[0]["differences"] == ((40, 6),)
    ensemble, exog = model._ensemble.parts[0].members[0], np.empty((80, 0))
    ahead = ensemble.roll(series[1120:1160, None], exog, [40], 40)
    advanced = ensemble.advance(series[1120:1160, None], exog[:40])
    np.testing.assert_allclose(advanced.roll(np.empty((0, 1)), exog[:40], [0], 40), ahead)
    again = Forecaster(Ridge(), lags=1, differences=((40, 6),)).fit(series[:1120])
    assert again.transformer_.lags_ == ((40, 6),)


def test_the_members_are_the_best_candidates_of_different_kinds(fitted):
    errors = [candidate["error"] for candidate in fitted.candidates_]
    assert errors == sorted(errors) and fitted.members_[0] == fitted.candidates_[0]
    kinds = [tuple(member[key] for key in ("differences", "power", "seasons"))
             for member in fitted.members_]  # fmt: skip
    assert len(set(kinds)) == len(kinds) == len(fitted.estimators_) > 1
    assert all(isinstance(estimator, ESNRegressor) for estimator in fitted.estimators_)
    assert [e.alpha for e in fitted.estimators_] == [m["alpha"] for m in fitted.members_]


def test_the_horizon_that_is_told_is_the_one_of_the_rolling_forecasts():
    settings = {"n_units": 20, "alpha": 1.0, "differences": 1}
    model = AutoForecaster(horizon=100, seasons=[12, 12.0], settings=settings, quick=True)
    model.fit(SALES[:61])
    assert model.horizon_ == model._errors[0].shape[1] == 20
    assert model.seasons_ == [12]


def test_the_answer_has_the_kind_of_the_series(fitted):
    answer = fitted.forecast(3, interval=0.9)
    assert list(answer.columns) == ["sales", "sales_lower", "sales_upper"]
    assert list(answer.index) == list(MONTHS[96:99])
    pd.testing.assert_series_equal(fitted.history(96), SALES[:96], check_freq=False)
    assert AutoForecaster(quick=True).fit(WAVE).forecast(4).shape == (4,)


def test_updates_advance_the_members_and_their_seasons(fitted):
    updated = deepcopy(fitted).update(SALES[96:102])
    ahead = updated.forecast(6)
    assert list(ahead.index) == list(MONTHS[102:])
    assert np.abs(ahead / SALES[102:] - 1).max() < 0.2
    rolled = -fitted.score(SALES[96:])
    assert rolled == pytest.approx(
        np.sqrt(np.mean((fitted.forecast(12) - SALES[96:]) ** 2)) / SALES[96:].std(ddof=0)
    )


def test_a_seed_makes_it_reproducible_and_another_changes_it():
    first, again, other = (
        AutoForecaster(quick=True, random_state=seed).fit(WAVE).forecast(5) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


def test_quick_forecasts_are_nearly_as_good():
    error = np.abs(AutoForecaster(quick=True).fit(SALES[:96]).forecast(12) - SALES[96:]).mean()
    assert error < 0.7 * np.abs(SALES[84:96].to_numpy() - SALES[96:].to_numpy()).mean()


def test_several_series_are_forecast_as_each_alone():
    both = AutoForecaster(seasons=[19], quick=True).fit(np.stack([WAVE, 5 - WAVE], axis=1))
    found = np.stack(both.forecast(4, interval=0.8))
    for j, series in enumerate((WAVE, 5 - WAVE)):
        alone = AutoForecaster(seasons=[19], quick=True).fit(series)
        np.testing.assert_allclose(found[:, :, j], np.stack(alone.forecast(4, interval=0.8)))
        assert both.members_[j] == alone.members_ and both.error_[j] == alone.error_


def test_exogenous_inputs_known_in_advance_help():
    promotion = RNG.choice([0.0, 1.0], size=120)
    series = 0.1 * RNG.normal(size=120) + 3 * promotion
    model = AutoForecaster().fit(series[:110], exog=promotion[:110])
    ahead = model.forecast(10, exog=promotion[110:])
    assert np.abs(ahead - series[110:]).max() < 1
    with pytest.raises(ValueError, match="exog must be given"):
        model.forecast(10)


@pytest.mark.parametrize("positive", ["auto", True])
def test_counts_stay_at_zero_or_above(positive):
    counts = RNG.poisson(0.3, 80).astype(float)
    forecast, lower, upper = (
        AutoForecaster(positive=positive, quick=True).fit(counts).forecast(10, interval=0.9)
    )
    assert (lower >= 0).all() and (forecast >= lower).all() and (upper > forecast).all()


def test_negative_values_are_forecast_unless_they_must_not_be():
    assert (AutoForecaster(quick=True).fit(WAVE - 5).forecast(5) < 0).all()
    with pytest.raises(ValueError, match="positive=True needs a series without negative"):
        AutoForecaster(positive=True).fit(WAVE - 5)


@pytest.mark.filterwarnings("ignore:the level 0.9 needs 9 forecast errors, the series gives 4")
@pytest.mark.parametrize("n_rows", [10, 15, 25])
def test_short_series_have_forecasts_and_intervals(n_rows):
    forecast, lower, upper = AutoForecaster().fit(WAVE[:n_rows]).forecast(9, interval=0.9)
    assert (lower < forecast).all() and (forecast < upper).all()
    assert (np.diff(upper - lower) >= -1e-12).all()


@pytest.mark.parametrize("series", [np.full(40, 3.0), np.arange(40.0), np.zeros(40)])
def test_lines_are_continued(series):
    wanted = series[-1] + (series[1] - series[0]) * np.arange(1, 6)
    np.testing.assert_allclose(AutoForecaster().fit(series).forecast(5), wanted, atol=1e-6)


def test_backtests_choose_anew_and_name_the_penalties():
    model = AutoForecaster(quick=True)
    result = model.backtest(SALES, 6, n_windows=2, refit=True, interval=0.9)
    assert result.scores["nrmse"] < 0.5 and result.scores["coverage"] > 0.5
    assert len(result.settings) == 2 and len(result.settings[0]["alpha"]) > 1


def test_settings_are_those_of_every_member():
    settings = {"n_units": 30, "alpha": 0.5, "differences": 1, "leak_rate": [0.3, 0.9]}
    model = AutoForecaster(settings=settings).fit(SALES[:96])
    assert {(c["differences"], c["alpha"]) for c in model.candidates_} == {((1,), 0.5)}
    assert {(e.n_units, e.leak_rate) for e in model.estimators_} == {(30, (0.3, 0.9))}
    assert len(model.members_) > 1 and settings["differences"] == 1
    lags = AutoForecaster(settings={"differences": (60, 1)}).fit(WAVE[:71])
    assert lags.forecast(3).shape == (3,)


def test_networks_forecast_exponential_growth_without_a_share_of_exponential_smoothing():
    rates = np.where(np.arange(112) < 50, 0.01, 0.12)
    growth = np.exp(np.cumsum(rates + np.random.default_rng(0).normal(scale=0.005, size=112)))
    model = AutoForecaster(horizon=12, quick=True).fit(growth[:100])
    forecast, lower, upper = model.forecast(12, interval=0.9)
    assert model.smoothing_share_ == 0.0
    np.testing.assert_allclose(forecast, growth[100:], rtol=0.1)
    assert (upper - lower < growth[100:]).all()


@pytest.mark.filterwarnings("ignore:the level 0.9 needs")
def test_the_interval_of_a_runaway_is_that_of_the_naive_forecast():
    explosion = np.exp(np.arange(60.0) ** 2 / 100)
    model = AutoForecaster(horizon=20, quick=True).fit(explosion)
    with pytest.warns(RuntimeWarning, match="runs away"):
        forecast, lower, upper = model.forecast(20, interval=0.9)
    assert (forecast == explosion[-1]).all()
    assert (np.abs(np.stack([lower, upper])) < 10 * explosion[-1]).all()


def test_random_walks_and_noise_do_not_run_away():
    for series in (RNG.normal(size=200).cumsum(), RNG.normal(size=60), RNG.standard_cauchy(80)):
        forecast = AutoForecaster().fit(series).forecast(30)
        assert np.abs(forecast - np.median(series)).max() < 2 * np.ptp(series)


@pytest.mark.parametrize(
    ("parameters", "series", "message"),
    [
        ({"horizon": 0}, WAVE, "horizon must be an integer >= 1"),
        ({"seasons": "month"}, WAVE, "seasons must be 'auto', a period or a sequence of periods"),
        ({"seasons": True}, WAVE, "seasons must be 'auto', a period or a sequence of periods"),
        ({"seasons": [1]}, WAVE, "seasons must be a finite number >= 2"),
        (
            {"settings": {"differences": (85,)}},
            WAVE,
            "at least 95 with observed values and these differences",
        ),
        ({"settings": {"n_units": 0}}, WAVE, "n_units must be an integer >= 1"),
        ({}, WAVE[:9], "n_samples=9 time steps, the choice of members needs at least 10"),
        ({}, 1e301 * WAVE, "series must have values up to 1e.300"),
        ({"missing": "raise"}, np.r_[WAVE, np.nan], "1 of .* values are missing"),
        ({"missing": "fill"}, WAVE, "missing must be one of"),
        ({}, np.full(50, np.nan), "series contains NaN only in column 0"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters, series, message):
    with pytest.raises(ValueError, match=message):
        AutoForecaster(**parameters).fit(series)
    for name in ("quick", "best"):
        with pytest.raises(TypeError, match=f"{name} must be True or False"):
            AutoForecaster(**{name: "yes"}).fit(WAVE)
    with pytest.raises(TypeError, match="positive must be .auto., True or False"):
        AutoForecaster(positive="yes").fit(WAVE)


def test_a_better_baseline_is_named_and_on_request_used():
    t = np.arange(100)
    waves = np.sin(t / 3) + np.sin(t / 7.3)  # an autoregression has no error
    both = pd.DataFrame({"noisy": WAVE[:80], "waves": waves[:80]})
    message = "'autoregressive .AIC.' .* networks of series 1: .* best=True"
    with pytest.warns(BetterBaselineWarning, match=message):
        model = AutoForecaster(seasons=[]).fit(both)
    assert model.better_baseline_ == [None, "autoregressive (AIC)"]
    best = AutoForecaster(seasons=[], best=True).fit(both)
    assert best.better_baseline_ == model.better_baseline_
    assert np.abs(best.forecast(6)["waves"] - waves[80:86]).max() < 1e-9
    np.testing.assert_array_equal(best.forecast(6)["noisy"], model.forecast(6)["noisy"])
    best.update(pd.DataFrame({"noisy": WAVE[80:], "waves": waves[80:90]}, index=range(80, 90)))
    ends = best.forecast(6, interval=0.9)[["waves_lower", "waves", "waves_upper"]]
    np.testing.assert_allclose(ends, np.repeat(waves[90:96, None], 3, axis=1), atol=1e-9)


def test_zeros_after_a_positive_series_are_missing_to_members_with_a_logarithm():
    rng = np.random.default_rng(0)
    series = np.exp(0.03 * np.arange(60) + 0.1 * rng.standard_normal(60))
    model = AutoForecaster(seasons=[], horizon=4).fit(series)
    assert any(member["power"] == 0 for member in model.members_)
    seen = model.forecast(4)
    model.update([0.0, 0.0])
    lower, upper = model.forecast(4, interval=0.8)[1:]
    assert np.isfinite(model.forecast(4)).all() and (lower < upper).all()
    assert not np.array_equal(model.forecast(4), seen)
    assert np.isfinite(model.score([0.0, 9.0, 0.0, 3.0]))


def test_adaptive_intervals_cover_as_much_where_a_series_is_calm():
    rng, t = np.random.default_rng(0), np.arange(252)
    mean, size = 3 * np.sin(2 * np.pi * t / 12), np.where(t % 12 < 6, 1.5, 0.3)
    y, mistakes = mean + size * rng.normal(size=252), {}
    settings = {"n_units": 30, "alpha": 10.0, "leak_rate": 1.0, "differences": 0}
    for intervals in ("pooled", "adaptive"):
        model = AutoForecaster(horizon=1, seasons=[12], settings=settings, intervals=intervals)
        result = model.backtest(y, 1, 12, interval=0.9)
        ends = [(end[:, 0] - mean[240:]) / size[240:] for end in (result.lower, result.upper)]
        covered = ndtr(ends[1]) - ndtr(ends[0])  # of the normal distribution that y has
        mistakes[intervals] = [abs(covered[rows].mean() - 0.9) for rows in (slice(6), slice(6, 12))]
    assert sum(mistakes["adaptive"]) < 0.7 * sum(mistakes["pooled"])


def test_adaptive_intervals_need_networks_and_enough_errors():
    short = {
        name: AutoForecaster(intervals=name, quick=True).fit(WAVE[:25])
        for name in ("pooled", "adaptive")
    }
    ends = [np.stack(model.forecast(4, interval=0.8)) for model in short.values()]
    np.testing.assert_array_equal(*ends)
    t = np.arange(100)
    waves = np.sin(t / 3) + np.sin(t / 7.3)
    model = AutoForecaster(seasons=[], best=True, intervals="adaptive", quick=True)
    best = model.fit(waves[:80])
    with pytest.raises(ValueError, match="'adaptive' needs networks, but best=True has let"):
        best.forecast(3, interval=0.8)
    with pytest.raises(ValueError, match="intervals must be one of"):
        AutoForecaster(intervals="split").fit(WAVE)
