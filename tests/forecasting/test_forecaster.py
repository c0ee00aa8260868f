"""Forecaster: accuracy, state, containers, scores, and wrong calls."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from checks import parametrize_with_checks
from forecast_problems import DRIVEN, EXOG, WAVE, esn, every_model, make
from processes import outputs_of
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from esnkit import Forecaster, ReservoirRegressor, SeriesTransform, forecast


@parametrize_with_checks(
    [
        Forecaster(esn(n_units=20)),
        Forecaster(Ridge(), lags=3),
        Forecaster(esn(n_units=20), strategy="direct", horizon=3, differences=1, n_ensemble=2),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


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
        patch.setattr(type(model._ensemble.models[1]), "advance", failing)
        model.update(WAVE[300:320])
    np.testing.assert_array_equal(model.forecast(5), before)


def test_pickled_forecasters_continue_alike():
    model = Forecaster(esn()).fit(pd.Series(WAVE, name="wave"))
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_series_equal(again.forecast(5), model.forecast(5))


@every_model
def test_exogenous_inputs_may_come_second_as_a_table(name):
    named = make(name).fit(DRIVEN[:350], exog=EXOG[:350, None]).forecast(4, EXOG[350:354])
    second = make(name).fit(DRIVEN[:350], EXOG[:350, None]).forecast(4, exog=EXOG[350:354, None])
    np.testing.assert_array_equal(named, second)


def test_forecasts_of_arrays_have_their_shape():
    table = np.c_[WAVE, DRIVEN]
    model = Forecaster(Ridge(1e-6), lags=5)
    assert model.fit(WAVE).forecast(3).shape == (3,)
    assert model.fit(list(WAVE)).forecast(3).shape == (3,)
    assert model.fit(WAVE[:, None]).forecast(3).shape == (3, 1)
    assert model.fit(table).forecast(3).shape == (3, 2)
    parts = model.forecast(3, interval=0.8)
    assert isinstance(parts, tuple) and [part.shape for part in parts] == [(3, 2)] * 3
    assert (parts[1] < parts[0]).all() and (parts[0] < parts[2]).all()


def test_pandas_is_not_needed_for_arrays():
    code = (
        "import sys, numpy as np\n"
        "class Missing:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'pandas': raise ImportError\n"
        "sys.meta_path.insert(0, Missing)\n"
        "from sklearn.linear_model import Ridge\n"
        "from esnkit import Forecaster\n"
        "m = Forecaster(Ridge(), lags=2).fit(np.arange(30.0)).update([30.0])\n"
        "print(len(m.forecast(2, interval=.5)))"
    )
    assert outputs_of(code, {}) == ["3\n"]


def test_the_rows_scored_are_those_that_follow():
    series = pd.Series(WAVE, index=pd.date_range("2024-01-01", periods=len(WAVE), freq="h"))
    model = Forecaster(Ridge(1e-3), lags=3).fit(series[:200])
    assert model.score(series[200:220]) == model.score(series[200:220].to_numpy())
    with pytest.raises(ValueError, match="series must continue the index of the series"):
        model.score(series[206:226])


def test_a_forecast_that_leaves_the_range_of_the_series_is_warned_of():
    doubling = 2.0 ** np.arange(12)
    model = Forecaster(LinearRegression(), lags=1).fit(doubling)
    assert model.forecast(2)[-1] == pytest.approx(2.0**13)
    with pytest.warns(RuntimeWarning, match=r"in step 3 it is more than 10 times .* most 31 times"):
        assert model.forecast(4)[-1] == pytest.approx(2.0**15)
    model.update(2.0 ** np.arange(12, 16))
    assert model.forecast(2)[-1] == pytest.approx(2.0**17)


def test_no_forecast_of_a_constant_leaves_its_range():
    assert Forecaster(LinearRegression(), lags=1).fit(np.full(9, 0.1)).forecast(5) == pytest.approx(
        0.1
    )


def test_grid_search_scores_the_forecast_of_the_test_part():
    search = GridSearchCV(
        Forecaster(Ridge(), lags=2, horizon=5),
        {"lags": [1, 8], "estimator__alpha": [1e-6, 1.0]},
        cv=TimeSeriesSplit(3),
    ).fit(DRIVEN[:, None], EXOG)
    assert search.best_params_ == {"lags": 8, "estimator__alpha": 1e-6}
    fitted = Forecaster(Ridge(1.0), lags=4).fit(WAVE[:300])
    observed = WAVE[300:320]
    error = np.sqrt(np.mean((fitted.forecast(20) - observed) ** 2)) / observed.std()
    assert fitted.score(observed) == pytest.approx(-error)


def test_score_in_blocks_equals_updating_between_them():
    model = Forecaster(Ridge(1.0), lags=4, horizon=7).fit(WAVE[:300])
    score = model.score(WAVE[300:320])
    parts = [model.forecast(7)]
    for start in (300, 307):
        parts.append(model.update(WAVE[start : start + 7]).forecast(7))
    error = np.concatenate(parts)[:20] - WAVE[300:320]
    assert score == pytest.approx(-np.sqrt(np.mean(error**2)) / WAVE[300:320].std())


def test_a_transformer_is_what_differences_and_scale_are_short_for():
    short = make("ridge", differences=(7, 1), scale=False).fit(WAVE[:200])
    transformer = SeriesTransform(differences=(7, 1), scale=False)
    long = make("ridge", transformer=transformer).fit(WAVE[:200])
    np.testing.assert_array_equal(long.forecast(9, None, 0.5), short.forecast(9, None, 0.5))
    assert long.transformer_.lags_ == (7, 1) and not hasattr(transformer, "mean_")


def test_a_forecast_with_a_logarithm_is_that_of_the_logarithms():
    growth = np.exp(WAVE + 0.01 * np.arange(400))
    model = make("ridge", transformer=SeriesTransform(0, differences=1)).fit(growth[:300])
    model.update(growth[300:310])
    logs = make("ridge", differences=1).fit(np.log(growth[:300])).update(np.log(growth[300:310]))
    np.testing.assert_allclose(model.forecast(20), np.exp(logs.forecast(20)), rtol=1e-9)
    with pytest.raises(ValueError, match=r"series must be positive for power=0.0, got -1"):
        model.update([-1.0])
    assert model.n_timesteps_ == 310


def test_a_grid_search_chooses_the_power():
    growth = np.exp(0.03 * np.arange(150.0)) * (1 + 0.1 * WAVE[:150])
    search = GridSearchCV(
        Forecaster(Ridge(1e-3), lags=8, transformer=SeriesTransform(differences=1)),
        {"transformer__power": [None, 0]},
        cv=TimeSeriesSplit(3, test_size=15),
    ).fit(growth[:, None])
    assert search.best_params_ == {"transformer__power": 0}


FITTED = Forecaster(Ridge(), lags=2).fit(WAVE[:50])

DIRECT = Forecaster(Ridge(), lags=2, strategy="direct", horizon=3).fit(WAVE[:50])

WITH_EXOG = Forecaster(Ridge(), lags=2).fit(WAVE[:50], exog=EXOG[:50])

GAP = pd.Series(WAVE[:3], pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04"]))

LABELLED = pd.Series(WAVE[:4], list("abcd"))

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
    (lambda: FITTED.forecast(2, interval=0.9, quantiles=[0.5]), ValueError, "exclude each other"),
    (lambda: FITTED.forecast(2, quantiles=[]), ValueError, "quantiles must be a sequence"),
    (lambda: FITTED.forecast(2, quantiles=0.5), ValueError, "quantiles must be a sequence"),
    (lambda: FITTED.forecast(2, quantiles="0.5"), ValueError, "quantiles must be a sequence"),
    (lambda: FITTED.forecast(2, quantiles=[0.5, 1]), ValueError, "quantiles must"),
    (lambda: FITTED.forecast(2, quantiles=[0.5, 0.5]), ValueError, "quantiles must differ"),
    (lambda: FITTED.forecast(2, quantiles=[None]), TypeError, "quantiles"),
    (lambda: FITTED.sample(0), ValueError, "n_steps"),
    (lambda: FITTED.sample(2, 0), ValueError, "n_samples"),
    (lambda: FITTED.sample(2, 2.5), TypeError, "n_samples"),
    (lambda: FITTED.sample(2, random_state="0"), ValueError, "random_state must be"),
    (lambda: DIRECT.sample(2), ValueError, "use strategy='recursive'"),
    (lambda: Forecaster(Ridge(), lags=2).sample(2), NotFittedError, "not fitted"),
    (lambda: Forecaster(Ridge(), lags=2, intervals="x").fit(WAVE), ValueError, "intervals must"),
    (lambda: FITTED.forecast(2, exog=EXOG), ValueError, "exog must be None"),
    (lambda: DIRECT.forecast(4), ValueError, "n_steps must be at most horizon=3"),
    (lambda: WITH_EXOG.forecast(3), ValueError, "exog must be given"),
    (lambda: WITH_EXOG.forecast(3, EXOG[:2]), ValueError, "exog must have at least 3 rows"),
    (lambda: WITH_EXOG.forecast(3, np.ones((3, 2))), ValueError, "exog must have 1 columns"),
    (lambda: WITH_EXOG.forecast(1, [np.nan]), ValueError, "exog contains NaN: .* row 0; fill"),
    (lambda: WITH_EXOG.update([1.0]), ValueError, "exog must be given"),
    (lambda: WITH_EXOG.update([1.0], EXOG[:2]), ValueError, "exog must have 1 rows"),
    (lambda: FITTED.update(np.ones((3, 2))), ValueError, "new must have 1 columns"),
    (lambda: FITTED.update([np.inf]), ValueError, "new contains infinity"),
    (lambda: FITTED.update([]), ValueError, "new must have at least one time step"),
    (
        lambda: clone(FITTED).set_params(missing="raise").fit([1.0, np.nan, 2.0, 3.0]),
        ValueError,
        "series contains NaN: 1 of 4 values are missing, the first in row 1; fill them in",
    ),
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
