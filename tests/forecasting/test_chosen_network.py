"""The network of a forecaster without an estimator: what is chosen, and what stays fixed."""

import numpy as np
import pytest
from forecast_problems import WAVE
from sklearn.linear_model import Ridge

from esnkit import Forecaster, SeriesTransform
from esnkit.forecasting import _chosen_network
from esnkit.forecasting._candidates import NETWORK, Candidate, Search, evaluate_structures
from esnkit.forecasting._chosen_network import choose_network
from esnkit.forecasting._penalty_path import Structure

RNG = np.random.default_rng(0)
MONTHS = np.arange(96)
SALES = 100 + MONTHS + 30 * np.sin(2 * np.pi * MONTHS / 12) + RNG.normal(size=96)
NO_EXOG = np.empty((96, 0))


def choose(values, given=None, periods=(), max_lost=80):
    rows = np.reshape(values, (len(values), -1))
    exog = np.empty((len(rows), 0))
    return choose_network(rows, exog, list(periods), Search(6), given, max_lost)[0]


def test_growing_seasonal_sales_are_continued():
    model = Forecaster(random_state=0).fit(SALES[:84])
    error = np.abs(model.forecast(12) - SALES[84:]).mean()
    assert error < 0.5 * np.abs(SALES[72:84] - SALES[84:]).mean()
    assert model.transformer_.power_ is None


def test_a_clean_wave_is_continued_and_noise_is_not_believed():
    noise = np.random.default_rng(0).normal(size=300)
    clean, noisy = (Forecaster(random_state=0).fit(s) for s in (WAVE[:350], noise))
    assert np.abs(clean.forecast(50) - WAVE[350:]).max() < 0.05
    assert np.abs(noisy.forecast(50)).max() < 1.0
    assert clean.estimators_[0].alpha < 1e-3 < noisy.estimators_[0].alpha


@pytest.mark.parametrize("seed", range(3))
def test_nothing_runs_away(seed, recwarn):
    rng = np.random.default_rng(seed)
    for series in (rng.normal(size=60).cumsum(), rng.lognormal(size=40), np.full(30, 2.0)):
        ahead = Forecaster(random_state=seed).fit(series).forecast(20)
        assert np.abs(ahead - series.mean()).max() <= 3 * np.ptp(series)
    assert not [w for w in recwarn if "run" in str(w.message)]


@pytest.mark.parametrize("n_rows, differences", [(100, (1,)), (400, ())])
def test_few_rows_must_return_to_their_mean_clearly(monkeypatch, n_rows, differences):
    plain, first = (
        Candidate(error, Structure(lags), 1.0, np.zeros((8, 6)), {})
        for error, lags in ((1.0, ()), (1.1, (1,)))
    )
    monkeypatch.setattr(_chosen_network, "evaluate_structures", lambda *args: [plain, first])
    assert choose(np.arange(float(n_rows))).structure.differences == differences


@pytest.mark.parametrize("given", [Structure((12,)), Structure((), 0.0), Structure((1,), 0.5)])
def test_what_is_given_is_not_chosen(given):
    chosen = choose(SALES, given, [12.0]).structure
    assert (chosen.differences, chosen.power) == (given.differences, given.power)


def test_differences_leave_rows_for_a_direct_model():
    walk = SALES[:40]
    assert choose(walk, None, [12.0], 12).structure.n_lost <= 12
    model = Forecaster(strategy="direct", horizon=25, random_state=0).fit(walk)
    assert model.forecast(25).shape == (25,)


@pytest.mark.parametrize("n_rows", [4, 9])
def test_few_rows_are_a_random_walk_with_half_the_drift(n_rows):
    walk = np.cumsum(np.arange(n_rows) % 3.0)  # the first change is no target
    model = Forecaster(random_state=0).fit(walk)
    assert model.transformer_.lags_ == (1,)
    assert model.smoothing_share_ == 0.5
    drift = (walk[-1] - walk[1]) / (n_rows - 2) / 2
    np.testing.assert_allclose(model.forecast(2), walk[-1] + drift * np.array([1, 2]), atol=0.1)


def test_differences_too_long_to_judge_are_still_those_given():
    model = Forecaster(differences=(12,), random_state=0).fit(SALES[:20])
    assert model.transformer_.lags_ == (12,) and len(model.forecast(3)) == 3


def test_the_units_of_several_series_do_not_matter():
    table = np.c_[SALES, RNG.normal(size=96).cumsum()]
    ahead = Forecaster(random_state=0).fit(table).forecast(5)
    scaled = Forecaster(random_state=0).fit(table * [1.0, 1e6]).forecast(5)
    np.testing.assert_allclose(scaled / [1.0, 1e6], ahead, rtol=1e-6)
    huge = Forecaster(random_state=0).fit(table * 1e303).forecast(5)
    np.testing.assert_allclose(huge / 1e303, ahead, rtol=1e-6)


def test_errors_of_several_series_are_relative_to_their_changes():
    table = np.c_[SALES, 1e300 * SALES, np.full(96, 3.0)]
    relative = _chosen_network._relative_to_changes(table)
    np.testing.assert_allclose(np.abs(np.diff(relative, axis=0)).mean(axis=0), [1, 1, 0])


def test_seeds_make_it_reproducible_and_members_differ():
    models = [Forecaster(n_ensemble=2, random_state=3).fit(SALES) for _ in range(2)]
    np.testing.assert_array_equal(models[0].forecast(6), models[1].forecast(6))
    first, second = models[0].estimators_
    assert first.random_state != second.random_state and first.alpha == second.alpha
    one = Forecaster(random_state=3).fit(SALES).estimators_[0]
    assert one.n_units == 48 and NETWORK.items() <= one.get_params().items()


def test_intervals_keep_what_was_chosen(monkeypatch):
    model = Forecaster(random_state=0).fit(SALES)
    monkeypatch.setattr(_chosen_network, "evaluate_structures", None)
    ahead, lower, upper = model.forecast(6, interval=0.8)
    assert (lower < ahead).all() and (ahead < upper).all()
    calibrated = model._calibrator._ensemble
    assert calibrated.models[0].fitted.get_params() == model.estimators_[0].get_params()
    assert calibrated.series_transform.differences == model.transformer_.lags_
    assert calibrated.seasons == model._ensemble.seasons


WRONG = [
    ({"lags": 3}, ValueError, "lags must be None without an estimator, got 3"),
    ({"scale": False}, ValueError, "scale must be True without an estimator"),
    ({"transformer": SeriesTransform(scale=False)}, ValueError, "scale must be True without an"),
    ({"transformer": 0}, TypeError, "transformer must be a SeriesTransform or None, got 0"),
    ({"differences": "none"}, ValueError, "differences must be"),
    (
        {"transformer": SeriesTransform(), "differences": 0},
        ValueError,
        "differences and scale must not be given beside transformer",
    ),
    (
        {"transformer": SeriesTransform(), "scale": False},
        ValueError,
        "differences and scale must not be given beside transformer",
    ),
    ({"transformer": SeriesTransform("log")}, ValueError, "power must be a number"),
    ({"transformer": SeriesTransform(0)}, ValueError, "series must be positive for power=0.0"),
    ({"positive": 1}, TypeError, "positive must be 'auto', True or False"),
    ({"positive": True}, ValueError, "positive=True needs a series without negative values"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_parameters_are_refused(case):
    parameters, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        Forecaster(**parameters).fit(WAVE[:40])


def test_a_power_is_chosen_once_and_for_all_models():
    growth = np.exp(SALES / 50)
    model = Forecaster(Ridge(), lags=3, transformer=SeriesTransform("auto", differences=1))
    model.fit(growth).forecast(3, interval=0.5)
    power = model.transformer_.power_
    assert power == SeriesTransform("auto", differences=1).fit(growth).power_
    assert model._calibrator.spec.power == power


def test_missing_values_neither_teach_nor_judge(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(80, 2))
    rows[::3, 0] = rows[[40, 60], 1] = np.nan
    seen = []

    def evaluate(values, exog, structures, windows, search, known):
        seen.append((windows, known))
        return evaluate_structures(values, exog, structures, windows, search, known)

    monkeypatch.setattr(_chosen_network, "evaluate_structures", evaluate)
    Forecaster(random_state=0).fit(rows)
    windows, known = seen[0]
    np.testing.assert_array_equal(np.isnan(known), np.isnan(rows))
    assert not np.isnan(rows[windows.origins - 1]).any()  # so that no later value comes before it


@pytest.mark.parametrize("observed", [slice(12), slice(0, 80, 13), [0, 79]])
def test_few_observed_values_have_the_cautious_network(observed):
    series = np.full(80, np.nan)
    series[observed] = np.random.default_rng(0).normal(size=80)[observed]
    model = Forecaster(random_state=0).fit(series)
    assert model.transformer_.lags_ == (1,) and model.estimators_[0].alpha == 1e3
    assert np.isfinite(model.forecast(5)).all()
