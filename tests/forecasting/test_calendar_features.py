"""Inputs from time stamps against pandas."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._calendar_features import SIZES, calendar_inputs, check_calendar
from esnkit.forecasting._frames import take_apart
from esnkit.forecasting._series_kind import read_kind

INDEXES = {
    "hours": pd.date_range("2024-02-27 05:00", periods=200, freq="h"),
    "zone": pd.date_range("2024-03-29 05:00", periods=200, freq="h", tz="Europe/Berlin"),
    "days": pd.date_range("1969-12-20", periods=900, freq="D"),
    "months": pd.period_range("2001-05", periods=30, freq="M"),
    "quarters": pd.date_range("1950-03-31", periods=80, freq="QE"),
}


def inputs(index, *names, country=None):
    kind, values = read_kind(take_apart(pd.Series(np.zeros(len(index)), index), "series"))
    return calendar_inputs(names, country, kind.labels, values)


@pytest.mark.parametrize("name", INDEXES)
def test_the_fields_are_those_of_pandas(name):
    index = INDEXES[name]
    times = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
    fields = {
        "hour": times.hour,
        "weekday": times.day_of_week,
        "day": times.day - 1,
        "month": times.month - 1,
    }
    for field, numbers in fields.items():
        columns = inputs(index, field)
        assert columns.shape == (len(index), SIZES[field])
        assert np.array_equal(columns.argmax(axis=1), numbers)
        assert np.array_equal(columns.sum(axis=1), np.ones(len(index)))
    assert np.array_equal(inputs(index, "weekend")[:, 0], times.day_of_week >= 5)
    both = inputs(index, "month", "hour")
    assert np.array_equal(both, np.hstack([inputs(index, "month"), inputs(index, "hour")]))


def test_hours_of_days_off_have_separate_columns():
    index = INDEXES["hours"]
    off = index.day_of_week >= 5
    for other in ("weekday", "weekend"):
        columns = inputs(index, other, "hour")[:, SIZES[other] :]
        assert np.array_equal(columns.argmax(axis=1), index.hour + 24 * off)
        assert np.array_equal(columns.sum(axis=1), np.ones(len(index)))


def test_holidays_are_those_of_the_package():
    holidays = pytest.importorskip("holidays")
    days = INDEXES["days"]
    expected = [day in holidays.country_holidays("DE", subdiv="BY") for day in days]
    assert np.array_equal(inputs(days, "holidays", country="DE-BY")[:, 0], expected)
    hours = pd.date_range("2024-12-24", periods=48, freq="h")
    columns = inputs(hours, "hour", "holidays", country="DE")
    assert np.array_equal(columns[:, :48].argmax(axis=1), np.arange(48))
    with pytest.raises(ValueError, match="country must be one of the package holidays"):
        inputs(days, "holidays", country="XX")


@pytest.mark.parametrize(
    "calendar, country, message",
    [
        ("hours", None, "calendar must have different names out of .* got 'hours'"),
        (("hour", "hour"), None, "calendar must have different names"),
        (("holidays",), None, "country must be given, .* got country=None"),
        (("hour",), "US", "country must be given, .* if and only if"),
    ],
)
def test_wrong_names_are_refused(calendar, country, message):
    with pytest.raises(ValueError, match=message):
        check_calendar(calendar, country)


def test_names():
    assert check_calendar(None, None) == ()
    assert check_calendar("hour", None) == ("hour",)
    assert check_calendar(["hour", "holidays"], "US") == ("hour", "holidays")


def test_labels_that_are_no_times_are_refused():
    with pytest.raises(ValueError, match="calendar needs a series with time stamps"):
        inputs(pd.RangeIndex(40), "hour")
