"""Forecasts that run away: what counts as such, and what stands in for them."""

import warnings

import numpy as np
import pytest
from forecast_problems import T, esn
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV

from esnkit import Forecaster
from esnkit.forecasting._runaway import (
    RUNAWAY_REACH,
    clear_runaways,
    combine_members,
    fall_back,
    relative_reach,
)

MONTHS = np.array([0.0, 5.0, 3.0, 1.0])
SEASONAL = np.tile(MONTHS, 12)
DOUBLING = 2.0 ** np.arange(12)


def test_the_limit_is_relative_to_the_range_of_each_series():
    seen = np.array([[-1.0, 10.0], [1.0, 30.0]])
    inside = np.array([[[RUNAWAY_REACH, 20.0 + 10 * RUNAWAY_REACH]]])
    assert not np.isnan(clear_runaways(inside, seen)).any()
    for outside in ([1.01 * RUNAWAY_REACH, 20.0], [0.0, -10.1 * RUNAWAY_REACH], [np.inf, 20.0]):
        assert np.isnan(clear_runaways(np.array([[outside]]), seen)).all()


def test_ranges_may_be_as_large_as_float64_or_nothing():
    huge = np.array([[-1.7e308], [1.7e308]])
    assert relative_reach(np.array([[1.7e308]]), huge) == 1.0
    constant = np.array([[3.0], [3.0]])
    assert not np.isnan(clear_runaways(np.array([[[1e9]]]), constant)).any()


@pytest.mark.parametrize("how, expected", [("mean", 4.0), ("median", 2.0)])
def test_members_that_run_away_do_not_count(how, expected):
    members = [np.full((2, 1, 1), value) for value in (1.0, 2.0, 9.0)]
    members.append(np.array([np.nan, np.nan]).reshape(2, 1, 1))
    members[0][1] = members[1][1] = members[2][1] = np.nan
    combined = combine_members(members, how)
    assert combined[0, 0, 0] == expected and np.isnan(combined[1, 0, 0])


def test_the_naive_forecast_repeats_the_last_season_known_at_the_origin():
    rows = np.c_[SEASONAL, SEASONAL + 100]
    forecasts = np.full((2, 6, 2), np.nan)
    forecasts[1, :, 1] = 7.0
    found = fall_back(forecasts, rows, [9, 10], [4, 1])
    np.testing.assert_array_equal(found[0, :, 0], SEASONAL[5:9][np.arange(6) % 4])
    np.testing.assert_array_equal(found[0, :, 1], SEASONAL[8] + 100)
    np.testing.assert_array_equal(found[1, :, 0], SEASONAL[6:10][np.arange(6) % 4])
    np.testing.assert_array_equal(found[1, :, 1], 7.0)
    assert np.isnan(forecasts[0]).all()


@pytest.mark.parametrize("n_steps", [400, 30])
def test_a_runaway_gives_way_to_the_last_value(n_steps):
    model = Forecaster(LinearRegression(), lags=1).fit(DOUBLING)
    with pytest.warns(
        RuntimeWarning, match="runs away.*the last value, repeated, stands in.*alpha"
    ):
        np.testing.assert_array_equal(model.forecast(n_steps), np.full(n_steps, DOUBLING[-1]))


def test_a_runaway_after_seasonal_differences_gives_way_to_the_last_season():
    series = SEASONAL + 2.0 ** np.arange(48)
    model = Forecaster(LinearRegression(), lags=1, differences=(4, 1)).fit(series)
    with pytest.warns(RuntimeWarning, match="the last 4 values, repeated, stand in"):
        ahead, lower, upper = model.forecast(12, interval=0.5)
    np.testing.assert_array_equal(ahead, np.tile(series[-4:], 3))
    assert np.isfinite(lower).all() and (lower <= upper).all()


def test_a_closed_loop_with_a_state_gives_way_too():
    model = Forecaster(esn(n_units=2, activation="relu"), scale=False).fit(10.0 ** np.arange(9))
    with pytest.warns(RuntimeWarning, match="the last value, repeated, stands in"):
        assert (model.forecast(400) == 1e8).all()


def test_a_trend_is_no_runaway():
    line = np.arange(30.0)
    model = Forecaster(Ridge(1e-9), lags=2).fit(line)
    with pytest.warns(RuntimeWarning, match="more than 10 times"):
        ahead = model.forecast(1000)
    np.testing.assert_allclose(ahead, np.arange(30.0, 1030.0), rtol=1e-4)


def test_one_member_of_an_ensemble_that_runs_away_is_left_out(monkeypatch):
    wave = np.sin(T[:200] / 5)
    model = Forecaster(esn(n_units=20), n_ensemble=3, random_state=0).fit(wave)
    alone = [f for f in model._ensemble.models]
    monkeypatch.setattr(alone[1], "run", lambda n_steps, e: np.full((n_steps, 1), 1e9))
    ahead = model.forecast(5)
    others = [alone[k].run(5, np.empty((5, 0))) for k in (0, 2)]
    transform = model._ensemble.series_transform
    expected = np.mean([transform.inverse_transform(z, wave[:0, None]) for z in others], axis=0)
    np.testing.assert_allclose(ahead, expected[:, 0], rtol=1e-12)


def test_a_runaway_has_the_worst_score_and_loses_a_search():
    """Its naive stand-in would win here: the series stays at its last value."""
    series = np.r_[2.0 ** np.arange(40), np.full(40, 2.0**39) + np.arange(40) % 2]
    model = Forecaster(LinearRegression(), lags=1).fit(series[:40])
    assert model.score(series[40:]) == -np.inf
    search = GridSearchCV(
        Forecaster(Ridge(1e-6), lags=1),
        {"estimator__alpha": [1e-6, 1e30]},
        cv=[(np.arange(40), np.arange(40, 80))],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(series[:, None])
    assert search.cv_results_["mean_test_score"][0] == -np.inf
    assert search.best_params_ == {"estimator__alpha": 1e30}
