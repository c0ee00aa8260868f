"""Choice of settings: candidates, their ranking, its evaluation, and the forecast."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE

from esnkit import ESNRegressor, Forecaster
from esnkit.baselines import seasonal_naive
from esnkit.forecasting import (
    DEFAULT_SETTINGS,
    RankedSettings,
    _auto,
    candidate_settings,
    evaluate_settings,
    forecast_with_fallback,
    make_forecaster,
    rank_settings,
)

RNG = np.random.default_rng(0)
WEEK = 10 + np.tile([0.0, 1, 2, 3, 2, 1, 8], 30) + 0.1 * RNG.normal(size=210)
SMALL = {"n_units": 20}
N_HELD_OUT = 63  # of WEEK


@pytest.fixture(autouse=True)
def one_penalty(monkeypatch):
    monkeypatch.setattr(_auto, "ALPHAS", [1e-3])


def test_a_forecaster_is_made_of_settings():
    model = make_forecaster({"alpha": 2.0, "differences": (7, 1)}, n_ensemble=3, random_state=5)
    assert isinstance(model, Forecaster) and isinstance(model.estimator, ESNRegressor)
    network = {key: DEFAULT_SETTINGS[key] for key in DEFAULT_SETTINGS if key != "differences"}
    params = model.estimator.get_params()
    assert {key: params[key] for key in network} == network | {"alpha": 2.0}
    assert (model.differences, model.n_ensemble, model.random_state) == ((7, 1), 3, 5)


def test_candidates_vary_penalty_and_differences(monkeypatch):
    monkeypatch.setattr(_auto, "ALPHAS", [1e-6, 1e3])
    candidates = candidate_settings(WEEK, fixed=SMALL)
    assert candidates[0] == DEFAULT_SETTINGS | SMALL
    pairs = [(one["differences"], one["alpha"]) for one in candidates[1:]]
    assert pairs == [(d, alpha) for d in (0, 1, (7,), (7, 1)) for alpha in (1e-6, 1e3)]


def test_fixed_settings_do_not_vary():
    candidates = candidate_settings(WEEK, fixed={"alpha": 2.0, "differences": 0}, n_draws=5)
    assert {one["alpha"] for one in candidates} == {2.0}
    assert {one["differences"] for one in candidates} == {0}
    assert len(candidates) == 6  # the defaults and the draws


def test_draws_repeat_and_follow_the_seed():
    draws = [candidate_settings(WEEK, n_draws=4, random_state=seed) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert draws[0][:5] == draws[2][:5]  # the others are the same for all seeds
    assert all(one["n_units"] == 300 for one in draws[0])


def test_the_best_of_the_candidates_is_ranked_first(monkeypatch):
    monkeypatch.setattr(_auto, "ALPHAS", [1e-6, 1e3])
    line = 5 + 2 * np.arange(200.0)
    candidates = candidate_settings(line, fixed=SMALL)
    ranking = rank_settings(line, 6, candidates)
    assert ranking[0].settings["differences"] == 1
    assert len(ranking) == len(candidates) == 5
    assert all(isinstance(ranked, RankedSettings) for ranked in ranking)


def test_held_out_rows_have_no_part_in_the_choice():
    values = WEEK.copy()
    candidates = candidate_settings(values, fixed=SMALL)
    ranking = rank_settings(values, 6, candidates)
    values[-N_HELD_OUT:] = 50 + 10 * RNG.normal(size=N_HELD_OUT)
    assert candidate_settings(values, fixed=SMALL) == candidates
    assert rank_settings(values, 6, candidates) == ranking


def test_of_tied_settings_the_largest_penalty_comes_first(monkeypatch):
    errors = iter([1.2, 1.0, 1.04, 1.06])
    monkeypatch.setattr(_auto, "_rolling_error", lambda *args: next(errors))
    candidates = [{"alpha": alpha} for alpha in (9.0, 1.0, 2.0, 3.0)]
    ranking = rank_settings(WEEK, 6, candidates)
    assert [settings["alpha"] for _, settings in ranking] == [2.0, 1.0, 3.0, 9.0]


def test_a_search_does_not_choose_worse_than_the_defaults():
    candidates = candidate_settings(DRIVEN[:120], fixed=SMALL, n_draws=30)
    ranking = rank_settings(DRIVEN[:120], 4, candidates)
    errors = [error for error, _ in ranking]
    default = next(e for e, settings in ranking if settings == DEFAULT_SETTINGS | SMALL)
    assert errors[1:] == sorted(errors[1:])
    assert errors[0] <= (1 + _auto.TIE_TOLERANCE) * min(errors) and min(errors) <= default


def test_settings_that_cannot_be_fitted_have_infinite_error():
    ranking = rank_settings(WEEK, 6, [{"differences": (500,)}, SMALL])
    assert ranking[0].settings == DEFAULT_SETTINGS | SMALL and ranking[1].nrmse == np.inf


def test_the_callback_counts_candidates():
    calls = []
    rank_settings(WEEK, 6, [SMALL, {"n_units": 10}], callback=calls.append)
    assert calls == [1, 2]


def test_exogenous_inputs_known_in_advance_are_used():
    settings = SMALL | {"alpha": 1e-3}
    blind = rank_settings(DRIVEN[:300], 5, [settings])[0].nrmse
    assert rank_settings(DRIVEN[:300], 5, [settings], exog=EXOG)[0].nrmse < 0.8 * blind
    evaluations = [evaluate_settings(DRIVEN[:300], 5, settings, exog=e) for e in (EXOG, None)]
    assert evaluations[0].nrmse < 0.8 * evaluations[1].nrmse
    ranking = [(0.1, settings)]
    sighted = forecast_with_fallback(DRIVEN[:300], 5, ranking, exog=EXOG).forecast
    model = make_forecaster(settings).fit(DRIVEN[:300], exog=EXOG[:300])
    np.testing.assert_array_equal(sighted, model.forecast(5, EXOG[300:305]))


def test_the_evaluation_is_that_of_rolling_forecasts_of_the_held_out_rows():
    settings = SMALL | {"differences": (7,)}
    evaluation = evaluate_settings(WEEK, 6, settings)
    assert (evaluation.n_held_out, evaluation.horizon, evaluation.n_windows) == (63, 6, 20)
    origins = range(147, 205, 3)
    observed = np.array([WEEK[t : t + 6] for t in origins])

    def nrmse(forecasts):
        return np.sqrt(np.mean((observed - forecasts) ** 2)) / WEEK.std()

    result = make_forecaster(settings).backtest(WEEK, 6, 20, stride=3)
    assert evaluation.nrmse == pytest.approx(nrmse(result.forecasts))
    naive, seasonal = evaluation.baselines.values()
    assert naive == pytest.approx(nrmse(np.array([[WEEK[t - 1]] * 6 for t in origins])))
    repeated = np.array([seasonal_naive(WEEK[:t], 6, 7) for t in origins])
    assert seasonal == pytest.approx(nrmse(repeated))
    assert list(evaluation.baselines) == [
        "naive (last value repeated)",
        "seasonal naive (last 7 steps repeated)",
    ]
    assert evaluation.nrmse < 1.1 * seasonal < 0.2 * naive


def test_a_horizon_longer_than_the_held_out_rows_is_evaluated_on_these():
    evaluation = evaluate_settings(WAVE[:60], 40, SMALL)
    assert (evaluation.n_held_out, evaluation.horizon, evaluation.n_windows) == (18, 18, 1)


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_settings_that_diverge_give_way_to_the_next():
    wave = np.sin(np.arange(60) / 3)
    wave[-1] = 1e3
    unstable = DEFAULT_SETTINGS | {
        "n_units": 50,
        "alpha": 0.0,
        "leak_rate": 1.0,
        "differences": (1, 1),
    }
    stable = DEFAULT_SETTINGS | {"n_units": 20, "alpha": 1000.0}
    with pytest.warns(RuntimeWarning, match="the forecast runs away"):
        forecast_with_fallback(wave, 20, [(1.0, unstable)])
    assert forecast_with_fallback(wave, 20, [(1.0, unstable), (2.0, stable)]).settings == stable
    too_long = DEFAULT_SETTINGS | {"differences": (100,)}  # cannot be fitted
    with pytest.warns(RuntimeWarning, match="leaves the range of the series"):
        result = forecast_with_fallback(wave, 20, [(1.0, unstable), (np.inf, too_long)])
    assert result.settings == unstable


def test_pandas_objects_are_forecast_with_their_index():
    index = pd.date_range("2024-01-01", periods=215, freq="D")
    series = pd.Series(WEEK, index[:210], name="sold")
    exog = pd.DataFrame({"u": np.cos(np.arange(215))}, index)
    ranking = rank_settings(series, 5, [SMALL], exog=exog)
    assert ranking == rank_settings(WEEK, 5, [SMALL], exog=exog.to_numpy())
    result = forecast_with_fallback(series, 5, ranking, exog=exog, interval=0.8)
    assert list(result.forecast.columns) == ["sold", "sold_lower", "sold_upper"]
    assert result.forecast.index.equals(index[210:])
    assert result.forecaster.n_timesteps_ == 210
    assert evaluate_settings(series, 5, SMALL).nrmse == evaluate_settings(WEEK, 5, SMALL).nrmse
    with pytest.raises(ValueError, match="exog must have the index"):
        rank_settings(series, 5, [SMALL], exog=exog.shift(freq="1D"))
    with pytest.raises(ValueError, match="series must have a regular index"):
        rank_settings(series.drop(index[50]), 5, [SMALL])


WRONG = [
    (lambda: candidate_settings(WEEK[:9]), "series must have at least 10 time steps, got 9"),
    (lambda: candidate_settings(WEEK, fixed={"units": 5}), "fixed must be a dict with keys among"),
    (lambda: candidate_settings(WEEK, n_draws=-1), "n_draws must be an integer >= 0, got -1"),
    (lambda: candidate_settings(np.ones((20, 2))), "series must be one series"),
    (lambda: make_forecaster({"depth": 2}), "settings must be a dict with keys among"),
    (lambda: rank_settings(WEEK, 6, []), "settings must be a list of one or more dicts, got"),
    (lambda: rank_settings(WEEK, 6, SMALL), "settings must be a list of one or more dicts, got"),
    (lambda: rank_settings(WEEK, 6, [{"a": 1}]), "settings must be a dict with keys among"),
    (lambda: rank_settings(WEEK, 0, [SMALL]), "horizon must be an integer >= 1, got 0"),
    (lambda: rank_settings(WEEK, 201, [SMALL]), "series must have at least 211 time steps, got"),
    (lambda: rank_settings([np.nan] * 30, 5, [SMALL]), "series contains NaN"),
    (lambda: rank_settings(WEEK, 6, [SMALL], exog=WEEK[:9]), "exog must have at least 210 rows"),
    (lambda: evaluate_settings(WEEK, 6, [SMALL]), "settings must be a dict with keys among"),
    (lambda: forecast_with_fallback(WEEK, 6, []), "ranking must have at least one entry"),
    (
        lambda: forecast_with_fallback(WEEK, 6, [(1.0, SMALL)], exog=np.ones(212)),
        "exog must have 216 rows, 210 for the series and 6 for the steps ahead, got 212",
    ),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_calls_name_the_argument(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call()
