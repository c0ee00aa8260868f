"""Grids of wall times: found, checked, continued."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._calendar import FixedStep, MonthDays, WeekSlots, fit_grid


def stamps(*texts, unit="s"):
    return np.array(texts, f"M8[{unit}]")


def ahead(known, n_steps=3):
    fit = fit_grid(known)
    assert fit.n_breaks == 0
    return fit.grid.shift(known[-1], np.arange(1, n_steps + 1))


@pytest.mark.parametrize(
    "texts, grid, following",
    [
        (["2024-01-01", "2024-01-02", "2024-01-03"], FixedStep, "2024-01-04"),
        (["2024-01-31", "2024-02-29"], MonthDays, "2024-03-31"),
        (["2024-01-30", "2024-02-29", "2024-03-30"], MonthDays, "2024-04-30"),
        (["2020-02-29", "2024-02-29"], MonthDays, "2028-02-29"),
        (["2022-03-01", "2023-03-01", "2024-03-01"], MonthDays, "2025-03-01"),
        (["2024-01-04", "2024-01-05", "2024-01-08"], WeekSlots, "2024-01-09"),
        (["2024-05-31", "2024-06-28", "2024-07-31", "2024-08-30"], MonthDays, "2024-09-30"),
        (["2024-01-19", "2024-02-16", "2024-03-15", "2024-04-19"], MonthDays, "2024-05-17"),
        (["2024-01-29", "2024-02-26", "2024-03-25", "2024-04-29"], MonthDays, "2024-05-27"),
    ],
)
def test_rules_of_a_few_days(texts, grid, following):
    known = stamps(*texts)
    assert isinstance(fit_grid(known).grid, grid)
    assert ahead(known)[0] == np.datetime64(following)


def test_several_days_of_a_month_or_week_continue_once_they_have_repeated():
    dekads = [f"2024-{month:02}-{day:02}" for month in (1, 2, 3) for day in (10, 20)]
    known = stamps(*dekads)
    assert ahead(known)[0] == np.datetime64("2024-04-10")
    sundays_to_thursdays = pd.bdate_range("2024-01-01", periods=30, freq="C", weekmask="1111001")
    days = sundays_to_thursdays.to_numpy().astype("M8[s]")
    np.testing.assert_array_equal(ahead(days[:15], 15), days[15:])
    assert fit_grid(days[:6]).n_breaks > 0


def test_an_incomplete_pattern_of_hours_is_no_rule():
    texts = ["2024-01-05T14", "2024-01-05T15", "2024-01-06T09", "2024-01-06T10", "2024-01-07T14"]
    assert fit_grid(stamps(*texts)).n_breaks > 0


def test_the_grid_with_the_fewest_breaks_is_returned():
    days = pd.bdate_range("2024-01-01", periods=40).delete(20).to_numpy().astype("M8[s]")
    fit = fit_grid(days)
    assert isinstance(fit.grid, WeekSlots) and np.flatnonzero(fit.breaks).tolist() == [19]
    assert fit.grid.following(days[19]) == days[19] + np.timedelta64(3, "D")


@pytest.mark.parametrize("step", [np.timedelta64(1, "D"), None])
def test_stamps_beyond_the_range_of_their_unit_overflow(step):
    last = np.datetime64("2262-03-31", "ns")
    months = stamps("2262-01-31", "2262-02-28", "2262-03-31", unit="ns")
    grid = fit_grid(months).grid if step is None else FixedStep(step.astype("m8[ns]"))
    with pytest.raises(OverflowError):
        grid.shift(last, np.array([1, 60]))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_before_1970_and_of_every_unit(unit):
    known = pd.bdate_range("1965-01-01 09:30", periods=30).to_numpy().astype(f"M8[{unit}]")
    following = ahead(known[:25], 5)
    assert following.dtype == known.dtype
    np.testing.assert_array_equal(following, known[25:])


def test_hours_on_days_of_which_none_is_usual_are_irregular():
    days = pd.to_datetime(["2024-01-01", "2024-01-09", "2024-01-17", "2024-01-25"])
    hours = pd.DatetimeIndex([day + pd.Timedelta(hours=h) for day in days for h in range(9, 17)])
    assert fit_grid(hours.to_numpy().astype("M8[s]")).n_breaks > 0
