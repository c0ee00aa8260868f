"""Forecasts and intervals of counts end at zero, and intervals of whole numbers are whole."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from esnkit import AutoForecaster, Forecaster, PanelForecaster
from esnkit.forecasting._positive import is_positive, round_outward

FALLING = np.arange(40.0)[::-1] + 3
NOISY = FALLING + np.random.default_rng(0).integers(0, 4, 40)


def forecaster(**parameters):
    return Forecaster(LinearRegression(), lags=2, **parameters)


@pytest.mark.parametrize(
    "values, counts",
    [([0.0, 2.0], True), ([-1.0, 2.0], False), ([0.5, 2.0], False), ([0.0, 0.0], True)],
)
def test_counts_are_whole_and_not_negative(values, counts):
    assert is_positive("auto", np.array(values)) is counts
    assert is_positive(False, np.array(values)) is False


@pytest.mark.parametrize("positive, series", [("auto", NOISY), (True, NOISY + 0.5)])
def test_forecasts_and_intervals_end_at_zero(positive, series):
    model = forecaster(positive=positive).fit(series)
    ahead, lower, upper = model.forecast(9, interval=0.5)
    assert ahead[-1] == 0.0 and (lower >= 0).all() and (upper >= ahead).all()
    assert model.update([0.0]).forecast(9).min() == 0.0


@pytest.mark.parametrize("positive, series", [("auto", NOISY + 0.5), (False, NOISY)])
def test_others_go_on_below_zero(positive, series):
    assert forecaster(positive=positive).fit(series).forecast(9)[-1] < 0


def test_every_series_has_its_own_limit():
    table = np.c_[FALLING, FALLING + 0.5]
    ahead = forecaster().fit(table).forecast(9)
    assert ahead[-1, 0] == 0.0 and ahead[-1, 1] < 0


def test_scores_are_those_of_the_forecasts():
    zeros = np.r_[np.zeros(8), 1.0]
    positive, free = (forecaster(positive=p).fit(FALLING) for p in (True, False))
    assert positive.score(zeros) > free.score(zeros)


RARE = (np.random.default_rng(1).random(120) < 0.2).astype(float)


@pytest.mark.parametrize("interval", [0.5, 0.9])
def test_intervals_of_whole_numbers_are_rounded_outward(interval):
    whole, halves = (forecaster().fit(series) for series in (NOISY, NOISY / 2 + 0.5))
    ahead, lower, upper = whole.forecast(9, interval=interval)
    assert np.array_equal(lower, np.round(lower)) and np.array_equal(upper, np.round(upper))
    assert (lower <= ahead).all() and (upper >= ahead).all()
    ends = np.stack(halves.forecast(9, interval=interval)[1:])
    assert not np.array_equal(2 * ends, np.round(2 * ends))


def test_an_interval_of_rare_events_covers_them():
    model = AutoForecaster(horizon=5, quick=True).fit(RARE)
    _, lower, upper = model.forecast(5, interval=0.9)
    assert (lower == 0).all() and (upper >= 1).all()
    assert np.array_equal(upper, np.round(upper))
    low, median, high = model.forecast(5, quantiles=[0.05, 0.5, 0.95]).T
    assert np.array_equal(low, lower) and np.array_equal(high, np.round(high))
    assert (low <= median).all() and (median <= high).all()
    assert not np.array_equal(median, np.round(median))


def test_negative_whole_numbers_are_rounded_outward_too():
    table = np.c_[NOISY - 20, NOISY + 0.25]
    _, lower, upper = forecaster().fit(table).forecast(3, interval=0.9)
    assert lower[:, 0].min() < 0
    for ends in (lower, upper):
        assert np.array_equal(ends[:, 0], np.round(ends[:, 0]))
        assert not np.array_equal(ends[:, 1], np.round(ends[:, 1]))


def test_rounding_errors_do_not_widen_the_interval_of_equal_values():
    ends = np.array([1 - 1e-9, 1.0, 1 + 1e-9])
    for level in (0.05, 0.95):
        assert round_outward(ends, level, np.array(True)) == pytest.approx(ends, abs=1e-8)


def test_each_series_of_a_panel_is_rounded_or_not():
    rng = np.random.default_rng(0)
    counts, sizes = rng.poisson(3.0, size=(40, 3)), rng.normal(size=(40, 2))
    model = PanelForecaster(horizon=3, seasons=()).fit(np.hstack([counts, sizes]))
    parts = [*model.forecast(3, interval=0.9)[1:], model.forecast(3, quantiles=[0.1])[:, :, 0]]
    for ends in parts:
        assert np.array_equal(ends[:, :3], np.round(ends[:, :3]))
        assert not np.array_equal(ends[:, 3:], np.round(ends[:, 3:]))


def test_quantiles_keep_their_order():
    values = np.sort(np.random.default_rng(0).normal(size=500))
    for level in (0.1, 0.9):
        rounded = round_outward(values, level, np.array(True))
        assert (np.diff(rounded) >= 0).all()
        assert (level - 0.5) * (rounded - values).sum() > 0
        assert np.abs(rounded - values).max() < 1
    assert round_outward(values, 0.5, np.array(True)) is values
