"""Time stamps in zones, and in zones that are not known."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._time_axis import AmbiguousZone, IrregularTimes, find_zone, read_time_axis

UTC = ZoneInfo("UTC")


def instants(*arguments, **keywords):
    zone = keywords.pop("tz")
    index = pd.date_range(*arguments, **keywords)
    index = index.tz_localize(zone, ambiguous=index == index, nonexistent="shift_forward")
    return index.tz_convert(None).to_numpy().astype("M8[s]")


def test_midnights_of_a_zone_that_is_not_named_continue():
    berlin = instants("2023-01-01", periods=800, freq="D", tz="Europe/Berlin")
    axis = read_time_axis(berlin[:400], UTC)
    np.testing.assert_array_equal(axis.after(400), berlin[400:])
    np.testing.assert_array_equal(axis.advance(100).after(300), berlin[500:])
    assert axis.is_continued_by(berlin[400:420]) and not axis.is_continued_by(berlin[401:420])


def test_a_first_midnight_that_clocks_skip_hides_no_zone():
    beirut = instants("1975-05-01", periods=75, freq="QS-FEB", tz="Asia/Beirut")
    np.testing.assert_array_equal(read_time_axis(beirut[:60], UTC).after(15), beirut[60:])
    with pytest.raises(IrregularTimes) as error:
        read_time_axis(np.delete(beirut, 33), UTC)
    assert error.value.position == 32 and error.value.expected == beirut[33]


def test_zones_that_lead_to_different_stamps_are_ambiguous():
    stamps = instants("2023-09-15 23:30", periods=8, freq="W", tz="Europe/Berlin")
    axis = read_time_axis(stamps, UTC)
    with pytest.raises(AmbiguousZone, match=" or "):
        axis.advance(3).after(60)


def test_the_first_irregular_stamp_is_told_with_what_should_come():
    berlin = np.delete(instants("2023-01-01", periods=400, freq="D", tz="Europe/Berlin"), 200)
    for zone in (UTC, ZoneInfo("Europe/Berlin")):
        with pytest.raises(IrregularTimes) as error:
            read_time_axis(berlin, zone)
        assert error.value.position == 199
        assert error.value.expected == berlin[199] + np.timedelta64(1, "D")


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "America/Santiago"])
def test_a_zone_is_found_by_its_offsets(name):
    utc = instants("2023-01-01", periods=600, freq="D", tz=name)
    index = pd.DatetimeIndex(utc, tz="UTC")
    offsets = (index.tz_convert(name).tz_localize(None) - index.tz_localize(None)).total_seconds()
    zone = find_zone(utc, offsets.to_numpy().astype(int), np.timedelta64(30, "D"))
    found = index.tz_convert(zone) if zone else None
    assert zone is None or found.tz_localize(None).equals(index.tz_convert(name).tz_localize(None))
    assert find_zone(utc[:2], np.array([0, 12345]), np.timedelta64(1, "D")) is None
