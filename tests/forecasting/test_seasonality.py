"""Seasons found by the autocorrelation."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting import find_seasons

NOISE = np.random.default_rng(0).normal(size=960)


@pytest.mark.parametrize("period", [7, 24])
def test_seasons_are_found(period):
    time = np.arange(40 * period)
    series = np.sin(2 * np.pi * time / period) + 0.5 * NOISE[: time.size] + 0.01 * time
    assert find_seasons(series)[:1] == [period]
    assert find_seasons(pd.Series(series, pd.date_range("2024", periods=len(series)))) == (
        find_seasons(series)
    )


@pytest.mark.parametrize("series", [NOISE[:500], np.arange(280), np.ones(9), [1.0], np.zeros(50)])
def test_series_without_a_season(series):
    assert find_seasons(series) == []


def test_a_longer_season_is_found_beside_a_shorter_one():
    day, week = (np.sin(2 * np.pi * np.arange(4000) / period) for period in (24, 168))
    assert find_seasons(day + 0.6 * week) == [24, 168]


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_the_size_of_the_values_does_not_matter(size):
    assert find_seasons(size * np.sin(2 * np.pi * np.arange(200) / 12)) == [12]


@pytest.mark.parametrize("series", [[], [1.0, np.nan] * 10, np.ones((20, 2)), "abc", 3.0])
def test_other_objects_are_refused(series):
    with pytest.raises(ValueError, match="series"):
        find_seasons(series)
