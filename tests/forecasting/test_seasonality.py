"""Seasons found by the autocorrelation, and by time stamps."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting import AutoForecaster, PanelForecaster, find_seasons
from esnkit.forecasting._input import read_series
from esnkit.forecasting._seasonality import (
    _is_harmonic,
    calendar_seasons,
    check_seasons,
    refuting_seasons,
    season_periods,
    season_terms,
)
from esnkit.forecasting._series_kind import read_kind

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


@pytest.mark.parametrize(("period", "n_rows"), [(12, 30), (12, 25), (24, 60), (365, 900)])
def test_two_periods_suffice_for_a_clear_season(period, n_rows):
    rng = np.random.default_rng(period)
    profile = np.tile(rng.normal(size=period), 3)[:n_rows]
    walk = rng.normal(size=n_rows).cumsum()
    for disturbance in (0.1 * rng.normal(size=n_rows), 0.1 * walk):
        assert find_seasons(profile + disturbance) == [period]


@pytest.mark.parametrize("n_rows", [30, 200])
def test_false_alarms_are_rare(n_rows):
    noise = np.random.default_rng(n_rows).normal(size=(30, n_rows))
    walks = noise.cumsum(axis=1)
    series = [*noise, *walks, *(0.3 * walks + noise[::-1]), *np.exp(0.02 * walks)]
    assert sum(bool(find_seasons(values)) for values in series) <= 5  # of 120


@pytest.mark.parametrize("period", [24, 50, 168])
def test_multiples_of_a_season_are_no_seasons(period):
    rng = np.random.default_rng(period)
    series = np.sin(2 * np.pi * np.arange(2400) / period) + 0.3 * rng.normal(size=2400)
    (found,) = find_seasons(series)
    assert found == pytest.approx(period, rel=0.03)


def test_a_season_that_explains_little_of_a_longer_one_is_a_part_of_it():
    hours = np.arange(168 * 12)
    wave = {period: np.sin(2 * np.pi * hours / period) for period in (8, 24, 84, 168)}
    assert _is_harmonic(wave[168] + 0.3 * wave[8], 8, [8, 168])
    assert not _is_harmonic(wave[168] + wave[24], 24, [24, 168])
    assert _is_harmonic(wave[168] + wave[84], 84, [84, 168])
    assert not _is_harmonic(wave[168] + 0.3 * wave[8], 8, [8, 100])


def test_a_harmonic_is_no_season_and_three_seasons_are_found():
    hours = np.arange(24 * 7 * 120)
    parts = [np.sin(2 * np.pi * hours / period) for period in (12, 24, 168, 5040)]
    rng = np.random.default_rng(0)
    day, week, long = find_seasons(
        0.6 * parts[0] + sum(parts[1:]) + 0.3 * rng.normal(size=hours.size)
    )
    assert (day, week) == (24, 168) and long == pytest.approx(5040, rel=0.02)


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


def seasons_of(index):
    kind, labels = read_kind(read_series(pd.Series(np.arange(float(len(index))), index), "s")[1])
    return calendar_seasons(kind.labels, labels)


@pytest.mark.parametrize(
    ("frequency", "periods"),
    [
        ("YS", []),
        ("QE", [4]),
        ("MS", [12]),
        ("W", [52.1775]),
        ("D", [7, 365.2425]),
        ("h", [24, 168, 8765.82]),
        ("30min", [48, 336, 17531.64]),
        ("10D", [36.52425]),
    ],
)
def test_time_stamps_tell_the_seasons(frequency, periods):
    index = pd.date_range("2020-01-06", periods=60, freq=frequency)
    assert seasons_of(index) == pytest.approx(periods, rel=1e-9)


def test_business_days_have_weeks_of_five():
    week, year = seasons_of(pd.date_range("2020-01-06", periods=600, freq="B"))
    assert (week, year) == (5, pytest.approx(261, abs=1))


def test_periods_and_numbers_of_dates_are_times_too_and_clocks_may_change():
    assert seasons_of(pd.period_range("2020", periods=30, freq="M")) == [12]
    assert seasons_of(pd.Index([202011, 202012, *range(202101, 202113)])) == [12]
    days = pd.date_range("2020-03-01", periods=60, freq="D", tz="Europe/Berlin")
    assert seasons_of(days)[0] == 7
    assert seasons_of(pd.RangeIndex(30)) is None and calendar_seasons(None, None) is None
    assert seasons_of(pd.Index(np.arange(1960, 1990))) is None


def test_season_terms_repeat_and_are_independent():
    terms = season_terms(((12, 6), (7.5, 2)), np.arange(60))
    assert terms.shape == (60, 11 + 4) and np.linalg.matrix_rank(terms) == 15
    np.testing.assert_allclose(terms[:30, :11], terms[12:42, :11], atol=1e-12)
    np.testing.assert_allclose(terms[:30, 11:], terms[15:45, 11:], atol=1e-12)
    assert season_terms((), np.arange(3)).shape == (3, 0)


def cycle(period, n_rows=150, noise=1.0, slope=0.0):
    t = np.arange(n_rows)
    values = 5 * np.sin(2 * np.pi * t / period) + slope * t
    return values + noise * np.random.default_rng(0).normal(size=n_rows)


DAYS, HOURS = [7.0, 365.2425], [24.0, 168.0, 8765.82]


@pytest.mark.parametrize(
    ("calendar", "period", "found"),
    [
        (DAYS, 12, [12]),
        (DAYS, 10, [10]),
        (HOURS, 5, [5]),
        ([12.0], 5, [5]),
        ([], 4, [4]),
        (DAYS, 7, []),
        (DAYS, 14, []),
        (HOURS, 12, []),
        (HOURS, 8, []),
        ([12.0], 24, []),
    ],
)
def test_a_clear_season_refutes_those_of_the_calendar(calendar, period, found):
    assert refuting_seasons(calendar, cycle(period)) == found
    assert refuting_seasons(calendar, 1e9 + 1e3 * cycle(period, slope=3.0)) == found


def test_what_explains_less_than_half_refutes_nothing():
    noisy = cycle(12, 600, noise=5.0)
    assert find_seasons(noisy) == [12]
    assert refuting_seasons(DAYS, noisy) == []


def test_few_periods_may_be_a_slow_wave_and_refute_nothing():
    assert find_seasons(cycle(44, 111)) == [44]
    assert refuting_seasons([4.0], cycle(44, 111)) == []
    assert refuting_seasons([4.0], cycle(22, 111)) == [22]


@pytest.mark.parametrize("values", [np.ones(60), np.arange(60.0), np.zeros(3)])
def test_values_without_a_season_refute_nothing(values):
    assert refuting_seasons(DAYS, values) == []


def test_a_fixed_cycle_of_days_is_the_season_of_a_forecaster():
    index = pd.date_range("2020-01-06", periods=150, freq="D")
    model = AutoForecaster(horizon=3).fit(pd.Series(cycle(12), index))
    assert model.seasons_ == [12.0]
    week = AutoForecaster(horizon=3).fit(pd.Series(cycle(7), index))
    assert week.seasons_ == [7.0]


def panel_of(periods, n_rows=150):
    index = pd.date_range("2020-01-06", periods=n_rows, freq="D")
    rng = np.random.default_rng(1)
    rows = [cycle(period, n_rows) + rng.normal(size=n_rows) for period in periods]
    return pd.DataFrame(np.transpose(rows), index)


@pytest.mark.parametrize(
    ("periods", "season"),
    [
        ([12] * 3, 12),
        ([12] * 2 + [7] * 2, 12),
        ([12] + [7] * 2, 7),
        ([10, 12, 15, 17], 7),  # refuted by all, but no season stands in for that of the calendar
    ],
)
def test_the_season_of_half_of_the_series_refutes_those_of_the_calendar(periods, season):
    panel = panel_of(periods)
    assert PanelForecaster(horizon=3).fit(panel).seasons_ == [season]
    alone = PanelForecaster(horizon=3).fit(panel.iloc[:, :1])
    assert alone.seasons_ == [12.0 if periods[0] == 12 else 10.0]


def test_without_a_calendar_the_season_of_a_third_of_the_series_counts():
    rng = np.random.default_rng(0)
    noise = list(rng.normal(size=(4, 150)))
    assert season_periods(None, None, [cycle(12), cycle(12), *noise], 150) == [12.0]
    assert season_periods(None, None, [cycle(12), *noise], 150) == []
    assert season_periods(None, None, [cycle(12)] * 3, 20) == []


def test_a_single_series_has_two_seasons_at_most():
    hours = np.arange(4000)
    values = sum(np.sin(2 * np.pi * hours / period) for period in (24, 168))
    assert season_periods(None, None, [values], 4000) == [24.0, 168.0]
    assert season_periods(None, None, [values, values], 4000) == [24.0]


@pytest.mark.parametrize(
    ("seasons", "expected"), [("auto", None), (12, [12.0]), (7.5, [7.5]), ([168, 24], [24, 168])]
)
def test_one_period_or_several_are_given(seasons, expected):
    assert check_seasons(seasons) == expected
