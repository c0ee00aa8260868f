"""A share of a forecast is a simple one where nothing shows that it is worse."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.baselines import exponential_smoothing
from esnkit.forecasting._candidates import Windows
from esnkit.forecasting._simple_share import simple_share

SPREAD = np.array([-0.1, 0.1, -0.1, 0.1])  # of the gains of windows, with deviation SPREAD_STD
SPREAD_STD = 0.2 / np.sqrt(3)


def share_of(gain, windows, sizes=1.0):
    """Return the share for gains of mean `gain`, in windows whose errors have some sizes."""
    own, other = (sizes * (1 - sign * (gain + SPREAD)) for sign in (1, -1))
    zeros = np.zeros((4, 2))
    return simple_share(zeros + own[:, None], zeros + other[:, None], zeros, windows)


@pytest.mark.parametrize("sizes", [1.0, 1e200, 10.0 ** np.array([0, 3, 6, 9])])
def test_the_share_is_a_logistic_function_of_the_relative_gain_in_standard_errors(sizes):
    windows = Windows(np.arange(10, 18, 2), np.full(4, 0.25), 2)
    for gain in (-2.0, 0.0, 1.0, 2.9):
        expected = expit(-gain)
        assert share_of(gain * SPREAD_STD / 2, windows, sizes) == pytest.approx(expected)
    assert share_of(3.1 * SPREAD_STD / 2, windows, sizes) == 0.0


def test_the_share_without_errors_or_a_comparison():
    windows = Windows(np.arange(10, 18, 2), np.full(4, 0.25), 2)
    zeros, ones = np.zeros((4, 2)), np.ones((4, 2))
    assert simple_share(zeros, ones, zeros, windows) == 0.0
    assert simple_share(ones, zeros, zeros, windows) == pytest.approx(1)
    for same in (zeros, ones):
        assert simple_share(same, same, zeros, windows) == 0.5
    assert simple_share(zeros[:1], ones[:1], zeros[:1], windows) == 0.5
    assert simple_share(zeros + np.nan, ones, zeros, windows) == 0.5
    lost = np.where(np.arange(4)[:, None] == 2, np.nan, zeros)
    assert simple_share(ones, lost, zeros, windows) == 0.0


def test_windows_that_overlap_count_as_fewer():
    apart, dense = (Windows(np.arange(4) * k + 9, np.full(4, 0.25), 4) for k in (4, 1))
    assert (apart.n_separate, dense.n_separate) == (4.0, 1.75)
    for windows in (apart, dense):
        gain = 0.1 / (SPREAD_STD / np.sqrt(windows.n_separate))
        assert share_of(0.1, windows) == pytest.approx(expit(-gain))


# Random walks, which a network does not forecast better.
WALKS = np.random.default_rng(0).normal(size=(60, 2)).cumsum(axis=0)


def without(model):
    """Return the forecast of the network alone."""
    network = replace(model._ensemble, simple=None)
    return network.roll(np.empty((0, 2)), np.empty((5, 0)), [0], 5)[0]


def test_a_share_of_an_uncertain_forecast_is_exponential_smoothing(monkeypatch):
    model = Forecaster(horizon=5, random_state=0)
    monkeypatch.setattr(Forecaster, "_season_periods", lambda self, values: [4.0])
    model.fit(WALKS[:44])
    share = model.smoothing_share_
    assert 0.2 < share < 1
    smoothed = exponential_smoothing(WALKS[:44], 5, [4])
    expected = (1 - share) * without(model) + share * smoothed
    np.testing.assert_allclose(model.forecast(5), expected)
    rolled = model._ensemble.roll(WALKS[44:], np.empty((21, 0)), [0, 7, 16], 5)
    lower, upper = model.forecast(5, interval=0.8)[1:]
    paths = model.sample(5, 4000, random_state=0)
    np.testing.assert_allclose(paths[:, 0].mean(axis=0), model.forecast(5)[0], atol=0.1)
    assert (lower < model.forecast(5)).all() and (model.forecast(5) < upper).all()
    for seen, row in ((44, 51), (51, 60)):
        model.update(WALKS[seen:row])
        np.testing.assert_allclose(model.forecast(5), rolled[1 if row == 51 else 2])
    smoothed = exponential_smoothing(WALKS, 5, [4])
    expected = (1 - share) * without(model) + share * smoothed
    np.testing.assert_allclose(model.forecast(5), expected)


def test_a_clear_forecast_and_a_given_estimator_stand_alone():
    wave = np.sin(np.arange(120) / 3)
    assert Forecaster(random_state=0).fit(wave).smoothing_share_ == 0.0
    assert Forecaster(Ridge(), lags=2).fit(wave[:30]).smoothing_share_ == 0.0


@pytest.mark.parametrize("n_rows", [5, 10, 15])
def test_few_rows_of_noise_are_continued_near_them(n_rows):
    for seed in range(4):
        rows = np.random.default_rng(seed).normal(size=n_rows)
        ahead = Forecaster(random_state=0).fit(rows).forecast(6)
        assert np.abs(ahead - rows.mean()).max() < 2 * np.ptp(rows)


@pytest.mark.parametrize("n_rows", [8, 11])
def test_the_first_rows_may_be_fewer_than_a_season(n_rows):
    quarters = pd.date_range("2020-01-01", periods=n_rows, freq="QS")
    series = pd.Series(np.random.default_rng(0).normal(size=n_rows), quarters)
    model = Forecaster(random_state=0).fit(series)
    assert model.smoothing_share_ == 0.5
    with pytest.warns(UserWarning, match="residuals|needs"):
        assert np.isfinite(np.asarray(model.forecast(5, interval=0.8))).all()


def test_missing_values_leave_the_smoothed_part_finite():
    rows = WALKS.copy()
    rows[[3, 20, 21, 57, 59], 0] = np.nan
    model = Forecaster(horizon=5, random_state=0).fit(rows)
    assert np.isfinite(model.forecast(5, interval=0.8)).all()
