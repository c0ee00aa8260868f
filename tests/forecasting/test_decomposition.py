"""Season terms of a series by least squares."""

import numpy as np
import pytest

from esnkit import AutoForecaster
from esnkit.forecasting._decomposition import decompose


def test_two_seasons_and_a_trend_are_told_apart():
    t = np.arange(24 * 28)
    day, week = np.sin(2 * np.pi * t / 24) ** 3, np.cos(2 * np.pi * t / 168 + 1)
    trend = 1e-3 * t - 1e-6 * t**2
    seasonal, rest = decompose(day + week + trend, [24, 168])
    np.testing.assert_allclose(seasonal, np.c_[day - day.mean(), week - week.mean()], atol=1e-9)
    np.testing.assert_allclose(rest, trend, atol=1e-9)
    np.testing.assert_allclose(seasonal.sum(axis=1) + rest, day + week + trend)


def test_a_series_without_seasons_is_all_rest():
    seasonal, rest = decompose(np.arange(20.0), [])
    assert seasonal.shape == (20, 0)
    np.testing.assert_array_equal(rest, np.arange(20.0))


def test_columns_of_several_series_have_their_own_parts():
    series = np.tile([0.0, 1, 3, 2], 18)
    model = AutoForecaster(seasons=[4]).fit(np.c_[series, 2 * series])
    parts = [model.decompose(column) for column in (0, 1)]
    np.testing.assert_allclose(2 * parts[0].seasonal, parts[1].seasonal, atol=1e-9)
    assert parts[1].periods == [4]
    with pytest.raises(ValueError, match="column must be an integer from 0 to 1, got 2"):
        model.decompose(2)
