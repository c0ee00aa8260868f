"""Half of a forecast is the seasonal naive one where nothing shows that it is worse."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._candidates import Windows
from esnkit.forecasting._naive_share import clearly_better


def test_forecasts_are_clearly_better_by_two_standard_errors():
    windows = Windows(np.arange(10, 18, 2), np.full(4, 0.25), 2)
    observed, gains = np.zeros((4, 2)), np.array([1.0, 2.0, 1.0, 2.0])
    others = np.repeat(5.0 + gains[:, None], 2, axis=1)
    # The mean gain is 1.5, its standard error 0.289; then 0.5.
    assert clearly_better(np.full((4, 2), 5.0), others, observed, windows)
    assert not clearly_better(np.full((4, 2), 6.0), others, observed, windows)
    assert clearly_better(np.full((4, 2), 5e200), 1e200 * others, observed, windows)
    assert not clearly_better(others, np.full((4, 2), 5.0), observed, windows)
    assert not clearly_better(observed[:1], others[:1], observed[:1], windows)
    assert not clearly_better(np.full((4, 2), np.nan), others, observed, windows)


def test_windows_that_overlap_count_as_fewer():
    gains = np.array([1.0, 2.5, 1.0, 2.5])[:, None] + np.zeros(2)
    apart, dense = (Windows(np.arange(4) * k + 9, np.full(4, 0.25), 4) for k in (4, 1))
    assert (apart.n_separate, dense.n_separate) == (4.0, 1.75)
    # The mean gain is 1.75; its standard error 0.433 of four windows, 0.655 of 1.75, and 0.982 of
    # 1.75 with gains that vary more.
    assert clearly_better(np.zeros((4, 2)), gains, np.zeros((4, 2)), apart)
    assert clearly_better(np.zeros((4, 2)), gains, np.zeros((4, 2)), dense)
    wider = 1.75 + 1.5 * (gains - 1.75)
    assert clearly_better(np.zeros((4, 2)), wider, np.zeros((4, 2)), apart)
    assert not clearly_better(np.zeros((4, 2)), wider, np.zeros((4, 2)), dense)


# Seasonal random walks, which the last season forecasts best.
WALKS = np.random.default_rng(0).normal(size=(15, 4, 2)).cumsum(axis=0).reshape(60, 2)


def without(model):
    """Return the forecast of the network alone."""
    network = replace(model._ensemble, last_season=None)
    return network.roll(np.empty((0, 2)), np.empty((5, 0)), [0], 5)[0]


def test_half_of_an_uncertain_forecast_is_the_seasonal_naive_one(monkeypatch):
    model = Forecaster(horizon=5, random_state=0)
    monkeypatch.setattr(Forecaster, "_season_periods", lambda self, values: [4.0])
    model.fit(WALKS[:44])
    assert model.naive_share_ == 0.5
    repeated = np.vstack([WALKS[40:44], WALKS[40:41]])
    np.testing.assert_allclose(model.forecast(5), (without(model) + repeated) / 2)
    rolled = model._ensemble.roll(WALKS[44:], np.empty((21, 0)), [0, 7, 16], 5)
    lower, upper = model.forecast(5, interval=0.8)[1:]
    paths = model.sample(5, 4000, random_state=0)
    np.testing.assert_allclose(paths[:, 0].mean(axis=0), model.forecast(5)[0], atol=0.1)
    assert (lower < model.forecast(5)).all() and (model.forecast(5) < upper).all()
    for seen, row in ((44, 51), (51, 60)):
        model.update(WALKS[seen:row])
        np.testing.assert_allclose(model.forecast(5), rolled[1 if row == 51 else 2])
    repeated = np.vstack([WALKS[56:60], WALKS[56:57]])
    np.testing.assert_allclose(model.forecast(5), (without(model) + repeated) / 2)


def test_a_clear_forecast_and_a_given_estimator_stand_alone():
    wave = np.sin(np.arange(120) / 3)
    assert Forecaster(random_state=0).fit(wave).naive_share_ == 0.0
    assert Forecaster(Ridge(), lags=2).fit(wave[:30]).naive_share_ == 0.0


@pytest.mark.parametrize("n_rows", [5, 10, 15])
def test_few_rows_of_noise_are_continued_near_them(n_rows):
    for seed in range(4):
        rows = np.random.default_rng(seed).normal(size=n_rows)
        ahead = Forecaster(random_state=0).fit(rows).forecast(6)
        assert np.abs(ahead - rows.mean()).max() < 2 * np.ptp(rows)


def test_missing_values_leave_the_naive_half_finite():
    rows = WALKS.copy()
    rows[[3, 20, 21, 57, 59], 0] = np.nan
    model = Forecaster(horizon=5, random_state=0).fit(rows)
    assert np.isfinite(model.forecast(5, interval=0.8)).all()
