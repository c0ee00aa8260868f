"""Wall times and instants, against pandas."""

from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnkit.forecasting._zones import observed_zone, to_utc, to_wall, unskipped, utc_offsets

ZONES = ["Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Beirut", "America/Havana"]
ZONES += ["Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/New_York", "UTC"]
seconds = st.integers(0, 2_114_000_000)  # from 1970 to 2037


@given(st.lists(seconds, min_size=1, max_size=20), st.sampled_from(ZONES))
def test_instants_are_shown_as_pandas_shows_them(instants, name):
    utc = np.array(instants).astype("M8[s]")
    zone = ZoneInfo(name)  # of a name, older pandas asks pytz, which has rules of its own
    expected = pd.DatetimeIndex(utc, tz="UTC").tz_convert(zone).tz_localize(None)
    wall = to_wall(utc, zone)
    assert wall.dtype == utc.dtype and wall.tolist() == expected.tolist()
    shown_once = to_wall(to_utc(wall, zone), zone)
    np.testing.assert_array_equal(shown_once, wall)


@given(st.lists(st.integers(0, 24_400), min_size=1, max_size=20), st.sampled_from(ZONES[:5]))
def test_midnights_are_those_of_pandas(days, name):
    wall = np.array(days).astype("M8[D]").astype("M8[us]")
    index, zone = pd.DatetimeIndex(wall), ZoneInfo(name)
    expected = index.tz_localize(zone, ambiguous=index == index, nonexistent="shift_forward")
    utc = to_utc(wall, zone)
    assert pd.DatetimeIndex(utc, tz="UTC").tolist() == expected.tz_convert("UTC").tolist()


@pytest.mark.parametrize("late", ["01:00", "01:30", "02:00"])
def test_a_skipped_time_has_several_stand_ins(late):
    zone, skipped = ZoneInfo("America/Santiago"), np.array(["2024-09-08T00:00"], "M8[s]")
    utc = to_utc(np.array([f"2024-09-08T{late}"], "M8[s]"), zone)
    np.testing.assert_array_equal(unskipped(utc, zone, skipped), skipped)
    other = utc + np.timedelta64(2, "h")
    np.testing.assert_array_equal(unskipped(other, zone, skipped), to_wall(other, zone))


def test_zones_of_a_fixed_offset_and_of_observed_offsets():
    fixed = timezone(timedelta(hours=5, minutes=45))
    utc = np.array(["0001-06-01", "2024-01-01", "9999-01-01"], "M8[s]")
    assert (utc_offsets(utc, fixed) == np.timedelta64(345, "m")).all()
    weeks = np.array(["2023-10-21T22:00", "2023-11-04T23:00", "2023-11-11T23:00"], "M8[s]")
    clocks = observed_zone(weeks, np.array([7200, 3600, 3600]))  # go back between two of them
    np.testing.assert_array_equal(to_utc(to_wall(weeks, clocks), clocks), weeks)
    observed = observed_zone(utc, np.array([0, 3600, 3600]))
    assert utc_offsets(utc, observed).astype(int).tolist() == [0, 3600, 3600]
    assert to_wall(utc, None) is utc and to_utc(utc, None) is utc
