"""Forecaster: round trips, containers, exogenous inputs, intervals with measured coverage."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from processes import outputs_of
from scipy.stats import binom
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from esnkit.esn._presets import ESNRegressor, ReservoirRegressor
from esnkit.forecasting._conformal import half_widths
from esnkit.forecasting._differencing import difference, integrate, moments
from esnkit.forecasting._forecaster import Forecaster
from esnkit.forecasting._reduction import forecast
from esnkit.reservoirs._reservoir import Reservoir

T = np.arange(400)
WAVE = np.sin(T / 5) + 0.4 * np.sin(T / 3)
EXOG = np.random.default_rng(1).normal(size=400)
# the inputs of a row act on that very row, and on the next
DRIVEN = WAVE + 0.5 * EXOG + 0.3 * np.r_[0.0, EXOG[:-1]]


def esn(**parameters):
    settings = {"n_units": 60, "input_scaling": 0.1, "bias_scaling": 0.0, "alpha": 1e-6}
    settings["random_state"] = 0
    return ESNRegressor(**(settings | parameters))


MODELS = {
    "esn": (esn(), {}),
    "esn direct": (esn(), {"strategy": "direct", "horizon": 20}),
    "ridge": (Ridge(1e-9), {"lags": 6}),
    "ridge, some lags": (Ridge(1e-9), {"lags": (1, 2, 3, 4, 5, 6, 9)}),
    "ridge direct": (Ridge(1e-9), {"lags": 6, "strategy": "direct", "horizon": 20}),
}
every_model = pytest.mark.parametrize("name", MODELS)


def make(name, **more):
    estimator, settings = MODELS[name]
    return Forecaster(estimator, **(settings | more))


@parametrize_with_checks(
    [
        Forecaster(esn(n_units=20)),
        Forecaster(Ridge(), lags=3),
        Forecaster(esn(n_units=20), strategy="direct", horizon=3, differences=1, n_ensemble=2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_default_estimator_passes_the_checks_that_fit():
    model = Forecaster(random_state=0).fit(WAVE[:100, None])
    assert model.forecast(3).shape == (3, 1)


# --- accuracy, differencing, scaling --------------------------------------------------


@pytest.mark.parametrize("differences", [0, 1, (31,)])
@every_model
def test_two_sines_are_forecast(name, differences):
    model = make(name, differences=differences).fit(WAVE[:350])
    assert np.abs(model.forecast(20) - WAVE[350:370]).max() < 0.15


@every_model
def test_offset_and_size_of_the_series_do_not_matter(name):
    small = make(name).fit(WAVE[:350]).forecast(5)
    large = make(name).fit(1e3 + 50 * WAVE[:350]).forecast(5)
    np.testing.assert_allclose(large, 1e3 + 50 * small, rtol=1e-6)


@pytest.mark.parametrize("lags", [(), (1,), (1, 1), (12,), (12, 1), (3, 12, 2)])
def test_differencing_is_undone_to_1e_10(lags):
    rows = np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0) + 1e3
    z = difference(rows, lags)
    assert len(z) == len(rows) - sum(lags)
    again = integrate(z[50 - sum(lags) :], rows[:50], lags)
    np.testing.assert_allclose(again, rows[50:], rtol=0, atol=1e-10)


def test_scaling_leaves_constant_columns_alone():
    rows = np.c_[np.full(50, 0.1), np.arange(50.0)]
    location, spread = moments(rows, True)
    assert spread[0] == 1.0
    np.testing.assert_allclose((rows - location) / spread * spread + location, rows, atol=1e-12)


@pytest.mark.parametrize("size", [1e-290, 1e160, 1e300])
@every_model
def test_series_of_any_size_that_float64_holds_are_forecast(name, size):
    expected = make(name).fit(2 + WAVE[:200]).forecast(3, interval=0.5)
    parts = make(name).fit(size * (2 + WAVE[:200])).forecast(3, interval=0.5)
    np.testing.assert_allclose(np.array(parts) / size, expected, rtol=1e-5)
    scores, large = (make(name).backtest(s * (2 + WAVE[:200]), 5, 2).scores for s in (1.0, size))
    assert large == pytest.approx(scores, rel=1e-3)


HALVES = np.where(T[:60] % 2, 1.0, -1.0) * 1.2e308
ONE_UP = np.r_[np.full(50, -1.2e308), 1.7e308]


@pytest.mark.parametrize(
    "series, settings, error, message",
    [
        (HALVES, {"differences": 1}, ValueError, "series must stay finite in float64 when diff"),
        (HALVES, {"differences": 1, "scale": False}, ValueError, "series must stay finite"),
        (ONE_UP, {}, ValueError, "series must stay finite in float64 when differenced and scaled"),
        (T * 4e305, {"differences": 1}, FloatingPointError, "the forecast is not finite"),
    ],
)
def test_what_leaves_the_range_of_float64_is_refused(series, settings, error, message):
    with pytest.raises(error, match=message), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Forecaster(Ridge(), lags=2, **settings).fit(series).forecast(60)


def test_a_line_is_continued_by_first_differences():
    line = 3.0 + 0.25 * np.arange(60.0)
    ahead = Forecaster(Ridge(), lags=2, differences=1).fit(line).forecast(10)
    np.testing.assert_allclose(ahead, 3.0 + 0.25 * np.arange(60, 70), atol=1e-10)


@every_model
def test_a_constant_series_stays_constant(name):
    model = make(name).fit(np.full(80, 7.5))
    np.testing.assert_allclose(model.forecast(6), 7.5, atol=1e-8)
    result = make(name).backtest(np.full(80, 7.5), 5, 2)
    assert np.isnan(result.scores["nrmse"]) and np.isnan(result.scores["mase"])


# --- state ----------------------------------------------------------------------------


@every_model
def test_forecasting_changes_nothing_and_repeats(name):
    model = make(name).fit(WAVE[:350])
    first = model.forecast(10)
    model.forecast(5, interval=0.8)
    np.testing.assert_array_equal(model.forecast(10), first)
    np.testing.assert_array_equal(make(name).fit(WAVE[:350]).forecast(10), first)
    np.testing.assert_allclose(model.forecast(4), first[:4], rtol=1e-12)


@pytest.mark.parametrize("sizes", [(1,), (7, 1, 30), (50,)])
@every_model
def test_update_equals_running_over_all_the_data(name, sizes):
    model = make(name, differences=(2,), scale=False).fit(DRIVEN[:300], exog=EXOG[:300])
    whole = pickle.loads(pickle.dumps(model))
    seen = 300
    for size in sizes:
        model.update(DRIVEN[seen : seen + size], EXOG[seen : seen + size])
        seen += size
    whole.update(DRIVEN[300:seen], EXOG[300:seen])
    ahead = EXOG[seen : seen + 9]
    np.testing.assert_allclose(model.forecast(9, ahead), whole.forecast(9, ahead), rtol=1e-9)
    assert model.n_timesteps_ == seen


def test_update_moves_the_state_as_one_run_over_everything_does():
    model = Forecaster(esn(), scale=False).fit(WAVE[:300])
    model.update(WAVE[300:340])
    by_hand = esn().fit(WAVE[:299, None], WAVE[1:300, None])
    np.testing.assert_allclose(
        model.forecast(12), by_hand.generate(12, WAVE[:340, None])[:, 0], rtol=1e-9
    )


def test_an_update_that_fails_changes_nothing(monkeypatch):
    model = Forecaster(esn(), n_ensemble=2, random_state=0).fit(WAVE[:300])
    before = model.forecast(5)

    def failing(*args):
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(model._models[1], "advance", failing)
        model.update(WAVE[300:320])
    np.testing.assert_array_equal(model.forecast(5), before)


def test_pickled_forecasters_go_on_alike():
    model = Forecaster(esn()).fit(pd.Series(WAVE, name="wave"))
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_series_equal(again.forecast(5), model.forecast(5))


# --- exogenous inputs -----------------------------------------------------------------


@every_model
def test_exogenous_inputs_act_on_the_row_they_belong_to(name):
    model = make(name).fit(DRIVEN[:350], exog=EXOG[:350])
    blind = make(name).fit(DRIVEN[:350])
    truth = DRIVEN[350:370]
    error = np.abs(model.forecast(20, EXOG[350:]) - truth).mean()
    # lags hold the exact relation; 60 random units a rough copy of it
    share = 1e-3 if "ridge" in name else 0.7
    assert error < share * np.abs(blind.forecast(20) - truth).mean()


@every_model
def test_exogenous_inputs_may_come_second_as_a_table(name):
    named = make(name).fit(DRIVEN[:350], exog=EXOG[:350, None]).forecast(4, EXOG[350:354])
    second = make(name).fit(DRIVEN[:350], EXOG[:350, None]).forecast(4, exog=EXOG[350:354, None])
    np.testing.assert_array_equal(named, second)


def test_a_forecast_does_not_see_inputs_beyond_its_end():
    for name in MODELS:
        model = make(name).fit(DRIVEN[:350], exog=EXOG[:350])
        longer = np.r_[EXOG[350:355], np.full(10, 99.0)]
        np.testing.assert_array_equal(model.forecast(5, longer), model.forecast(5, EXOG[350:355]))


def test_columns_of_exog_are_found_by_name():
    index = pd.date_range("2024-01-01", periods=400, freq="D")
    inputs = pd.DataFrame({"a": EXOG, "b": np.cos(T)}, index=index)
    model = Forecaster(Ridge(1e-6), lags=5).fit(pd.Series(DRIVEN, index)[:350], exog=inputs[:350])
    straight = model.forecast(5, inputs[350:])
    pd.testing.assert_series_equal(model.forecast(5, inputs[["b", "a"]][350:]), straight)
    with pytest.raises(ValueError, match=r"exog must have the columns \['a', 'b'\]"):
        model.forecast(5, inputs.rename(columns={"a": "c"})[350:])
    with pytest.raises(ValueError, match="exog must have the index"):
        model.forecast(5, inputs[351:])


# --- containers -----------------------------------------------------------------------


def test_arrays_answer_in_their_shape():
    table = np.c_[WAVE, DRIVEN]
    model = Forecaster(Ridge(1e-6), lags=5)
    assert model.fit(WAVE).forecast(3).shape == (3,)
    assert model.fit(list(WAVE)).forecast(3).shape == (3,)
    assert model.fit(WAVE[:, None]).forecast(3).shape == (3, 1)
    assert model.fit(table).forecast(3).shape == (3, 2)
    parts = model.forecast(3, interval=0.8)
    assert isinstance(parts, tuple) and [part.shape for part in parts] == [(3, 2)] * 3
    assert (parts[1] < parts[0]).all() and (parts[0] < parts[2]).all()


INDEXES = {
    "hours": pd.date_range("2024-03-01", periods=60, freq="h"),
    "hours over a change of clocks": pd.date_range(
        "2024-03-29", periods=60, freq="h", tz="Europe/Berlin"
    ),
    "business days": pd.bdate_range("2024-01-01", periods=60),
    "month ends": pd.date_range("2020-01-31", periods=60, freq="ME"),
    "quarters": pd.date_range("2010-01-01", periods=60, freq="QS"),
    "years": pd.date_range("1950-12-31", periods=60, freq="YE"),
    "15 minutes": pd.date_range("2024-01-01", periods=60, freq="15min"),
    "periods": pd.period_range("2020-01", periods=60, freq="M"),
    "range": pd.RangeIndex(10, 130, 2),
    "integers": pd.Index(np.arange(1960, 2020)),
    "floats": pd.Index(np.arange(60) * 0.25),
    "durations": pd.timedelta_range("0h", periods=60, freq="6h"),
}


@pytest.mark.parametrize("with_freq", [True, False])
@pytest.mark.parametrize("kind", INDEXES)
def test_the_index_goes_on_at_its_own_frequency(kind, with_freq):
    index = INDEXES[kind].rename("when")
    if not with_freq and isinstance(index, pd.DatetimeIndex):
        index = index._with_freq(None)
    series = pd.Series(np.sin(np.arange(60)), index=index, name="x")
    model = Forecaster(Ridge(1e-6), lags=3).fit(series.iloc[:50])
    ahead = model.forecast(10)
    assert isinstance(ahead, pd.Series) and ahead.name == "x" and ahead.index.name == "when"
    assert ahead.index.equals(index[50:]) and ahead.index.dtype == index.dtype
    later = model.update(series.iloc[50:53]).forecast(7)
    assert later.index.equals(index[53:])


def test_frames_answer_with_columns_for_the_interval():
    frame = pd.DataFrame({"a": WAVE, "b": DRIVEN}, pd.date_range("2024", periods=400, freq="D"))
    model = Forecaster(Ridge(1e-6), lags=4).fit(frame)
    assert list(model.forecast(3).columns) == ["a", "b"]
    assert list(model.feature_names_in_) == ["a", "b"]
    banded = model.forecast(3, interval=0.9)
    assert list(banded.columns) == ["a", "a_lower", "a_upper", "b", "b_lower", "b_upper"]
    single = Forecaster(Ridge(1e-6), lags=4).fit(frame["a"]).forecast(3, interval=0.9)
    assert list(single.columns) == ["a", "a_lower", "a_upper"]


def test_rows_that_do_not_go_on_are_refused():
    series = pd.Series(WAVE, pd.date_range("2024-01-01", periods=400, freq="D"))
    model = Forecaster(Ridge(), lags=2).fit(series[:100])
    with pytest.raises(ValueError, match="new must go on where the series ended"):
        model.update(series[101:110])
    before = model.forecast(3)
    pd.testing.assert_series_equal(model.forecast(3), before)


def test_pandas_is_not_needed_for_arrays():
    code = (
        "import sys, numpy as np\n"
        "class Missing:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'pandas': raise ImportError\n"
        "sys.meta_path.insert(0, Missing)\n"
        "from sklearn.linear_model import Ridge\n"
        "from esnkit.forecasting._forecaster import Forecaster\n"
        "m = Forecaster(Ridge(), lags=2).fit(np.arange(30.0)).update([30.0])\n"
        "print(len(m.forecast(2, interval=.5)))"
    )
    assert outputs_of(code, {}) == ["3\n"]


# --- intervals ------------------------------------------------------------------------


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


def test_intervals_learn_from_what_update_brings():
    rng = np.random.default_rng(0)
    quiet, loud = rng.normal(size=200), 10 * rng.normal(size=200)
    model = Forecaster(Ridge(1.0), lags=2).fit(quiet)
    _, lower, upper = model.forecast(2, interval=0.8)
    model.update(loud)
    _, lower2, upper2 = model.forecast(2, interval=0.8)
    assert (upper2 - lower2).min() > 3 * (upper - lower).max()


def test_update_by_parts_gives_the_same_interval():
    a = Forecaster(Ridge(1.0), lags=3).fit(DRIVEN[:200])
    b = clone(a).fit(DRIVEN[:200])
    a.forecast(4, interval=0.8)
    for t in range(200, 230, 10):
        a.update(DRIVEN[t : t + 10])
    b.update(DRIVEN[200:230])
    for one, other in zip(a.forecast(4, interval=0.8), b.forecast(4, interval=0.8), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_rows_scored_are_those_that_follow():
    series = pd.Series(WAVE, index=pd.date_range("2024-01-01", periods=len(WAVE), freq="h"))
    model = Forecaster(Ridge(1e-3), lags=3).fit(series[:200])
    assert model.score(series[200:220]) == model.score(series[200:220].to_numpy())
    with pytest.raises(ValueError, match="series must go on where the series ended"):
        model.score(series[206:226])


@pytest.mark.parametrize("freq", ["15min", "3h", "2M", "2Q", "2W", "D"])
def test_periods_of_any_length_go_on(freq):
    index = pd.period_range("2020-01-01", periods=90, freq=freq)
    model = Forecaster(Ridge(), lags=3).fit(pd.Series(WAVE[:80], index=index[:80]))
    assert model.forecast(10).index.equals(index[80:])
    with pytest.raises(ValueError, match="regular index"):
        Forecaster(Ridge(), lags=3).fit(pd.Series(WAVE[:80], index=index[:81].delete(40)))


def test_a_memory_that_shows_late_is_kept():
    impulse = np.append(np.zeros(5), 1.0)
    model = make_pipeline(Reservoir(30, bias_scaling=0, random_state=0), Ridge(1e-6))
    model.fit(WAVE[:300, None], WAVE[1:301])
    whole = impulse
    for _ in range(6):
        whole = np.append(whole, model.predict(whole[:, None])[-1])
    np.testing.assert_allclose(forecast(model, impulse, 6), whole[6:], rtol=1e-6)


@pytest.mark.parametrize("model", [esn(), Ridge()])
def test_a_frame_is_given_to_the_model_as_one(model):
    frame = pd.DataFrame({"a": WAVE[:200], "b": WAVE[100:300]})
    model = clone(model).fit(frame[:-1], frame[1:])
    plain = clone(model).fit(frame[:-1].to_numpy(), frame[1:].to_numpy())
    answer = forecast(model, frame, 3)
    np.testing.assert_allclose(answer, forecast(plain, frame.to_numpy(), 3), rtol=1e-9)
    with pytest.raises(ValueError, match="eature names"):
        forecast(model, frame[["b", "a"]], 3)


# --- ensembles, backtests, other regressors -------------------------------------------


def test_an_ensemble_is_the_mean_or_median_of_members_with_seeds_of_their_own():
    model = Forecaster(esn(), n_ensemble=3, random_state=1).fit(WAVE)
    seeds = [member.random_state for member in model.estimators_]
    assert len(set(seeds)) == 3
    alone = [Forecaster(esn(random_state=seed)).fit(WAVE).forecast(6) for seed in seeds]
    np.testing.assert_allclose(model.forecast(6), np.mean(alone, axis=0), rtol=1e-9)
    median = Forecaster(esn(), n_ensemble=3, random_state=1, combine="median").fit(WAVE)
    np.testing.assert_allclose(median.forecast(6), np.median(alone, axis=0), rtol=1e-9)
    np.testing.assert_array_equal(clone(model).fit(WAVE).forecast(6), model.forecast(6))


@pytest.mark.parametrize(
    "estimator, lags",
    [
        (ReservoirRegressor(Reservoir(20, random_state=3)), None),
        (ReservoirRegressor(Reservoir(20, random_state=1), random_state=3), None),
        (make_pipeline(StandardScaler(), RandomForestRegressor(3, random_state=3)), 2),
    ],
)
def test_members_take_their_seeds_from_within_the_estimator(estimator, lags):
    ahead = [Forecaster(estimator, lags=lags, n_ensemble=2).fit(WAVE[:90]) for _ in range(2)]
    seeded = Forecaster(estimator, lags=lags, n_ensemble=2, random_state=3).fit(WAVE[:90])
    np.testing.assert_array_equal(ahead[0].forecast(5), ahead[1].forecast(5))
    np.testing.assert_array_equal(ahead[0].forecast(5), seeded.forecast(5))


def test_backtest_windows_end_with_the_series():
    model = Forecaster(Ridge(1e-9), lags=6)
    result = model.backtest(DRIVEN, 10, 4, exog=EXOG, stride=15)
    np.testing.assert_array_equal(result.origins, [345, 360, 375, 390])
    assert result.forecasts.shape == result.truths.shape == (4, 10)
    np.testing.assert_array_equal(result.truths[-1], DRIVEN[390:])
    by_hand = clone(model).fit(DRIVEN[:345], exog=EXOG[:345])
    by_hand.update(DRIVEN[345:360], EXOG[345:360])
    np.testing.assert_allclose(result.forecasts[1], by_hand.forecast(10, EXOG[360:]), rtol=1e-9)
    assert not hasattr(model, "n_features_in_")


def test_backtest_can_fit_anew_at_every_origin():
    result = Forecaster(Ridge(1.0), lags=3).backtest(DRIVEN, 5, 3, refit=True)
    last = Forecaster(Ridge(1.0), lags=3).fit(DRIVEN[:395]).forecast(5)
    np.testing.assert_allclose(result.forecasts[-1], last, rtol=1e-12)
    assert set(result.scores) == {"nrmse", "mase"}


@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_regressors_of_one_output_forecast_several_series(strategy):
    model = Forecaster(
        GradientBoostingRegressor(n_estimators=3), lags=3, strategy=strategy, horizon=2
    )
    assert model.fit(np.c_[WAVE, DRIVEN]).forecast(2).shape == (2, 2)
    assert model.fit(WAVE).forecast(2).shape == (2,)


@pytest.mark.parametrize("inner, name, fits", [(Ridge(), "alpha", 1), (SVR(), "C", 2)])
def test_a_search_is_fitted_once_where_it_takes_all_series(inner, name, fits):
    class Counting(GridSearchCV):
        done = 0

        def fit(self, X, y):
            fitted = super().fit(X, y)
            Counting.done += 1
            return fitted

    model = Forecaster(Counting(inner, {name: [0.1, 1.0]}, cv=2), lags=3)
    assert model.fit(np.c_[WAVE, DRIVEN]).forecast(2).shape == (2, 2)
    assert Counting.done == fits


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(np.arange(200) * 0.1),
        pd.Index((np.arange(200) * 0.1).astype(np.float32)),
        pd.Index(1e9 + 0.1 * np.arange(200)),
        pd.Index(np.arange(200), dtype="Int64"),
        pd.Index(np.arange(200) / 2, dtype="Float64"),
        pd.Index(np.arange(200), dtype=np.uint8),
        pd.date_range("2001-01-15", periods=200, freq=pd.DateOffset(months=1)),
    ],
    ids=lambda index: str(index.dtype),
)
def test_indices_go_on_whatever_holds_them(index):
    series = pd.Series(WAVE[:200], index)
    inputs = pd.DataFrame({"a": EXOG[:200]}, index)
    model = Forecaster(Ridge(1e-6), lags=3).fit(series.iloc[:180], exog=inputs.iloc[:180])
    ahead = model.forecast(10, exog=inputs.iloc[180:190], interval=0.5)
    assert len(ahead) == 10 and np.isfinite(model.score(series.iloc[180:], exog=inputs.iloc[180:]))
    model.update(series.iloc[180:], exog=inputs.iloc[180:])
    assert len(model.history(5)) == 5
    with pytest.raises(ValueError, match="index"):
        model.update(series.iloc[:5], exog=inputs.iloc[:5])


@pytest.mark.parametrize(
    "index",
    [
        [0.0, 1, np.nan, 7, 3.2, 10],
        [0.0, 1, 2, 7, np.inf],
        pd.Index([1, 2, None, 4], dtype="Int64"),
        np.array([0, 1, 2, 5, 6], np.float32) + np.float32(1e7),
        np.array([0, 1, 1, 2], np.float32) + np.float32(1e7),
        pd.to_datetime([f"2023-{month:02d}-30" for month in range(3, 13)]),
    ],
)
def test_irregular_indices_are_refused(index):
    with pytest.raises(ValueError, match="series must have a regular index|series must have an"):
        Forecaster(Ridge(), lags=1).fit(pd.Series(WAVE[: len(index)], index))


def test_an_index_of_numbers_goes_on_row_by_row_without_drifting():
    series = pd.Series(WAVE, 1000 + 0.1 * np.arange(400))
    model = Forecaster(Ridge(), lags=1).fit(series.iloc[:50])
    for k in range(50, 400):
        model.update(series.iloc[k : k + 1])
    far = pd.Series(WAVE[:2], np.array([1040.2, 1040.3], np.float32))
    with pytest.raises(ValueError, match="must go on where the series ended"):
        model.update(far)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s, e: (s, e.sample(frac=1, random_state=0)), "exog must have the index"),
        (lambda s, e: (s, e.shift(freq="-7D")), "exog must have the index"),
        (lambda s, e: (s[::-1], e[::-1]), "series must have its oldest row first"),
        (lambda s, e: (s.drop(s.index[50:60]), None), "series must have a regular index"),
    ],
)
def test_a_backtest_reads_indices_as_fit_does(change, message):
    index = pd.date_range("2024-01-01", periods=200, freq="h")
    series, inputs = pd.Series(WAVE[:200], index), pd.DataFrame({"a": EXOG[:200]}, index)
    changed, exog = change(series, inputs)
    with pytest.raises(ValueError, match=message):
        Forecaster(Ridge(), lags=2).backtest(changed, 5, 3, exog=exog)


def test_the_network_of_its_own_suits_clean_and_noisy_series():
    noise = np.random.default_rng(0).normal(size=300)
    clean, noisy = (Forecaster(random_state=0).fit(s) for s in (WAVE[:350], noise))
    assert np.abs(clean.forecast(50) - WAVE[350:]).max() < 1e-3
    assert np.abs(noisy.forecast(50)).max() < np.abs(noise).max()
    assert [m.estimators_[0].readout_.alpha_ for m in (clean, noisy)] == [1e-8, 1e3]
    assert len(Forecaster(random_state=0).fit(WAVE[:4]).forecast(3)) == 3


def test_a_forecast_that_runs_away_is_warned_of():
    doubling = 2.0 ** np.arange(12)
    model = Forecaster(LinearRegression(), lags=1).fit(doubling)
    assert model.forecast(2)[-1] == pytest.approx(2.0**13)
    with pytest.warns(RuntimeWarning, match=r"in step 3 it is more than 10 times .* most 31 times"):
        assert model.forecast(4)[-1] == pytest.approx(2.0**15)
    model.update(2.0 ** np.arange(12, 16))
    assert model.forecast(2)[-1] == pytest.approx(2.0**17)


def test_no_forecast_of_a_constant_runs_away():
    assert Forecaster(LinearRegression(), lags=1).fit(np.full(9, 0.1)).forecast(5) == pytest.approx(
        0.1
    )


def test_rolling_forecasts_call_the_regressor_once_a_step():
    class Counting(RandomForestRegressor):
        calls = 0

        def predict(self, X):
            Counting.calls += 1
            return super().predict(X)

    Forecaster(Counting(n_estimators=2), lags=3).fit(WAVE).forecast(5, interval=0.8)
    assert Counting.calls == 10


def test_grid_search_scores_the_forecast_of_the_test_part():
    search = GridSearchCV(
        Forecaster(Ridge(), lags=2, horizon=5),
        {"lags": [1, 8], "estimator__alpha": [1e-6, 1.0]},
        cv=TimeSeriesSplit(3),
    ).fit(DRIVEN[:, None], EXOG)
    assert search.best_params_ == {"lags": 8, "estimator__alpha": 1e-6}
    fitted = Forecaster(Ridge(1.0), lags=4).fit(WAVE[:300])
    truth = WAVE[300:320]
    error = np.sqrt(np.mean((fitted.forecast(20) - truth) ** 2)) / truth.std()
    assert fitted.score(truth) == pytest.approx(-error)


def test_score_in_blocks_equals_updating_between_them():
    model = Forecaster(Ridge(1.0), lags=4, horizon=7).fit(WAVE[:300])
    score = model.score(WAVE[300:320])
    parts = [model.forecast(7)]
    for start in (300, 307):
        parts.append(model.update(WAVE[start : start + 7]).forecast(7))
    error = np.concatenate(parts)[:20] - WAVE[300:320]
    assert score == pytest.approx(-np.sqrt(np.mean(error**2)) / WAVE[300:320].std())


# --- the plain function ---------------------------------------------------------------


def test_forecast_runs_any_one_step_model():
    table = np.c_[WAVE, np.cos(T / 5)]
    linear = LinearRegression().fit(table[:-1], table[1:])
    by_hand, row = [], table[-1:]
    for _ in range(4):
        row = linear.predict(row)
        by_hand.append(row[0])
    np.testing.assert_allclose(forecast(linear, table, 4), by_hand, rtol=1e-12)
    model = esn().fit(table[:-1], table[1:])
    np.testing.assert_array_equal(forecast(model, table, 4), model.generate(4, table))


def test_forecast_keeps_the_memory_of_models_that_have_one():
    class Sum(LinearRegression):
        def predict(self, X):
            return np.cumsum(X, axis=0) / 2

    out = forecast(Sum(), np.array([1.0, 1.0]), 3)
    np.testing.assert_allclose(out, [1.0, 1.5, 2.25])


# --- wrong calls ----------------------------------------------------------------------

FITTED = Forecaster(Ridge(), lags=2).fit(WAVE[:50])
DIRECT = Forecaster(Ridge(), lags=2, strategy="direct", horizon=3).fit(WAVE[:50])
WITH_EXOG = Forecaster(Ridge(), lags=2).fit(WAVE[:50], exog=EXOG[:50])
GAP = pd.Series(WAVE[:3], pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04"]))
LABELLED = pd.Series(WAVE[:4], list("abcd"))
DAYS = pd.date_range("2024-01-01", periods=40, freq="D")
FALLING = {
    "days": DAYS[::-1],
    "days without freq": DAYS[::-1]._with_freq(None),
    "two days": DAYS[1::-1],
    "months": pd.date_range("2020-01-31", periods=40, freq="ME")[::-1],
    "periods": pd.period_range("2020-01", periods=40, freq="M")[::-1],
    "range": pd.RangeIndex(40, 0, -1),
    "floats": pd.Index(np.arange(40)[::-1] / 4),
    "durations": pd.timedelta_range("1h", periods=40, freq="h")[::-1],
}


@pytest.mark.parametrize("kind", FALLING)
def test_series_with_the_newest_row_first_are_refused(kind):
    index = FALLING[kind]
    with pytest.raises(ValueError, match="series must have its oldest row first, got an index fr"):
        Forecaster(Ridge(), lags=1).fit(pd.Series(WAVE[: len(index)], index))


def test_a_bool_index_is_refused():
    series = pd.Series(WAVE[:40], np.arange(40) >= 20)
    with pytest.raises(ValueError, match="series must have an index of times.* got dtype bool"):
        Forecaster(Ridge(), lags=2).fit(series)


TIMES = {
    "series": pd.Series(DAYS),
    "series with a zone": pd.Series(DAYS.tz_localize("UTC")),
    "one column": pd.DataFrame({"x": WAVE[:40], "t": DAYS}),
    "durations": np.arange(40).astype("m8[D]"),
    "array": DAYS.to_numpy()[:, None],
    "list": list(DAYS.to_numpy()),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_are_no_values(kind):
    with pytest.raises(ValueError, match="series must hold numbers, got times"):
        Forecaster(Ridge(), lags=2).fit(TIMES[kind])
    with pytest.raises(ValueError, match="exog must hold numbers, got times"):
        Forecaster(Ridge(), lags=2).fit(WAVE[:40], exog=TIMES[kind])


def test_objects_that_are_no_numbers_name_the_argument():
    with pytest.raises(TypeError, match="series: float"):
        Forecaster(Ridge(), lags=2).fit([day.to_pydatetime() for day in DAYS])


@pytest.mark.parametrize("columns", [["y", "y_lower"], ["y_upper", "y"]])
def test_columns_that_an_interval_would_replace_are_refused(columns):
    frame = pd.DataFrame(np.c_[WAVE, 2 * WAVE], columns=columns)
    model = Forecaster(Ridge(), lags=2).fit(frame)
    assert list(model.forecast(2).columns) == columns
    with pytest.raises(ValueError, match="interval needs a column .* of its own"):
        model.forecast(2, interval=0.8)


WRONG = [
    (lambda: Forecaster(Ridge(), lags=2).forecast(1), NotFittedError, "not fitted"),
    (lambda: Forecaster(Ridge(), lags=2).update([1.0]), NotFittedError, "not fitted"),
    (lambda: Forecaster(Ridge(), lags=2).score([1.0]), NotFittedError, "not fitted"),
    (lambda: FITTED.forecast(0), ValueError, "n_steps"),
    (lambda: FITTED.forecast(-3), ValueError, "n_steps"),
    (lambda: FITTED.forecast(2.5), TypeError, "n_steps"),
    (lambda: FITTED.forecast("2"), TypeError, "n_steps"),
    (lambda: FITTED.forecast(True), TypeError, "n_steps"),
    (lambda: FITTED.forecast(2, interval=0), ValueError, "interval"),
    (lambda: FITTED.forecast(2, interval=1.0), ValueError, "interval"),
    (lambda: FITTED.forecast(2, interval=90), ValueError, "interval"),
    (lambda: FITTED.forecast(2, interval="0.9"), TypeError, "interval"),
    (lambda: FITTED.forecast(2, interval=0.999), ValueError, "interval needs at least 999"),
    (lambda: FITTED.forecast(2, exog=EXOG), ValueError, "exog must be None"),
    (lambda: FITTED.forecast(49, interval=0.5), ValueError, "interval needs at least 1"),
    (lambda: DIRECT.forecast(4), ValueError, "n_steps must be at most horizon=3"),
    (lambda: WITH_EXOG.forecast(3), ValueError, "exog must be given"),
    (lambda: WITH_EXOG.forecast(3, EXOG[:2]), ValueError, "exog must have at least 3 rows"),
    (lambda: WITH_EXOG.forecast(3, np.ones((3, 2))), ValueError, "exog must have 1 columns"),
    (lambda: WITH_EXOG.forecast(1, [np.nan]), ValueError, "exog contains NaN"),
    (lambda: WITH_EXOG.update([1.0]), ValueError, "exog must be given"),
    (lambda: WITH_EXOG.update([1.0], EXOG[:2]), ValueError, "exog must have 1 rows"),
    (lambda: FITTED.update(np.ones((3, 2))), ValueError, "new must have 1 columns"),
    (lambda: FITTED.update([np.nan]), ValueError, "new contains NaN"),
    (lambda: FITTED.update([]), ValueError, "new must have at least one time step"),
    (lambda: clone(FITTED).fit([1.0, np.nan, 2.0, 3.0]), ValueError, "series contains NaN"),
    (lambda: clone(FITTED).fit([1.0, np.inf, 2.0, 3.0]), ValueError, "series contains infinity"),
    (lambda: clone(FITTED).fit([1.0, 2.0]), ValueError, "series has n_samples=2"),
    (lambda: clone(FITTED).fit([]), ValueError, "series must have at least one time step"),
    (lambda: clone(FITTED).fit(3.0), ValueError, "series must be 1-D or 2-D"),
    (lambda: clone(FITTED).fit(np.ones((3, 3, 3))), ValueError, "series must be 1-D or 2-D"),
    (lambda: clone(FITTED).fit(["a", "b", "c", "d"]), ValueError, "could not convert"),
    (lambda: clone(FITTED).fit(WAVE, EXOG), ValueError, "y must be 2-D"),
    (lambda: clone(FITTED).fit(WAVE, EXOG[:, None], EXOG), ValueError, "exog must be given once"),
    (lambda: clone(FITTED).fit(WAVE, exog=EXOG[:9]), ValueError, "exog must have 400 rows"),
    (
        lambda: clone(FITTED).fit(GAP),
        ValueError,
        "series must have a regular index, got 2024-01-02",
    ),
    (lambda: clone(FITTED).fit(LABELLED), ValueError, "series must have an index of"),
    (lambda: Forecaster(Ridge()).fit(WAVE), ValueError, "lags must be given for Ridge"),
    (lambda: Forecaster(Ridge(), lags=0).fit(WAVE), ValueError, "lags must be"),
    (lambda: Forecaster(Ridge(), lags=[1, 1]).fit(WAVE), ValueError, "lags must be"),
    (lambda: Forecaster(Ridge(), lags=2.0).fit(WAVE), ValueError, "lags must be"),
    (lambda: Forecaster(Ridge(), lags=500).fit(WAVE), ValueError, "need at least 501"),
    (lambda: Forecaster(esn(), lags=3).fit(WAVE), ValueError, "lags must be None"),
    (lambda: Forecaster(esn(), strategy="both").fit(WAVE), ValueError, "strategy"),
    (lambda: Forecaster(esn(), strategy="direct").fit(WAVE), ValueError, "horizon must be given"),
    (lambda: Forecaster(esn(), horizon=0).fit(WAVE), ValueError, "horizon"),
    (lambda: Forecaster(esn(), differences=-1).fit(WAVE), ValueError, "differences"),
    (lambda: Forecaster(esn(), differences=1.5).fit(WAVE), ValueError, "differences"),
    (lambda: Forecaster(esn(), differences=(0,)).fit(WAVE), ValueError, "differences"),
    (lambda: Forecaster(esn(), n_ensemble=0).fit(WAVE), ValueError, "n_ensemble"),
    (lambda: Forecaster(Ridge(), lags=2, n_ensemble=2).fit(WAVE), None, None),
    (lambda: Forecaster(LinearRegression(), lags=2, n_ensemble=2).fit(WAVE), ValueError, "n_ens"),
    (lambda: Forecaster(esn(), combine="max").fit(WAVE), ValueError, "combine"),
    (lambda: Forecaster(esn(feedback=True)).fit(WAVE), ValueError, "feedback must be False"),
    (
        lambda: Forecaster(ReservoirRegressor(feedback=True), strategy="direct", horizon=2).fit(
            WAVE
        ),
        ValueError,
        r"feedback must be False.*got ReservoirRegressor\(feedback=True\)",
    ),
    (lambda: Forecaster(esn(), calibration=1.0).fit(WAVE), ValueError, "calibration"),
    (lambda: Forecaster("ridge").fit(WAVE), TypeError, "estimator"),
    (lambda: FITTED.backtest(WAVE[:50], 10, 5), ValueError, "series has 50 time steps"),
    (lambda: FITTED.backtest(WAVE, 0), ValueError, "horizon"),
    (lambda: FITTED.backtest(WAVE, 5, 0), ValueError, "n_windows"),
    (lambda: FITTED.backtest(WAVE, 5, stride=0), ValueError, "stride"),
    (lambda: forecast(LinearRegression().fit(WAVE[:, None], WAVE), WAVE, 0), ValueError, "n_steps"),
    (
        lambda: forecast(LinearRegression().fit(np.ones((9, 2)), np.ones(9)), np.ones((9, 2)), 1),
        ValueError,
        "model must predict the next row of X",
    ),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_calls_name_the_argument(case):
    call, error, message = WRONG[case]
    if error is None:
        call()
        return
    with pytest.raises(error, match=message), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call()


RUNAWAY = {"lags": (LinearRegression(), 1), "memory": (esn(n_units=2, activation="relu"), None)}


@pytest.mark.parametrize("kind", RUNAWAY)
def test_a_closed_loop_that_runs_away_says_so(kind):
    estimator, lags = RUNAWAY[kind]
    model = Forecaster(estimator, lags=lags, scale=False).fit(10.0 ** np.arange(9))
    with pytest.raises(FloatingPointError, match="closed loop diverged"), np.errstate(all="ignore"):
        model.forecast(400)
