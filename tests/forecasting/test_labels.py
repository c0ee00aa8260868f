"""Labels of rows: every frequency, in zones whose clocks change, with and without gaps."""

import warnings
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.utils.fixes import parse_version

from esnkit.forecasting._index import read_index
from esnkit.forecasting._labels import read_row_labels

FREQUENCIES = """
    D 2D 10D W W-WED 2W MS ME 2MS 3ME QS QE QS-FEB 2QE YS YE YE-JUN B 2B BMS BME SMS SME WOM-3FRI
    WOM-1MON h 2h 7h 15min 90min s 250ms
""".split()
if parse_version(pd.__version__) >= parse_version("3"):  # no older pandas reads it
    FREQUENCIES.append("LWOM-TUE")
OFFSETS = """BQE BYS bh 2bh C CBMS 4D FY5253Quarter HYE 36h""".split()
ZONES = [None, "UTC", "Europe/Berlin", "America/Santiago", "Africa/Cairo", "Asia/Beirut"]
ZONES += ["America/Havana", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "+05:45"]

starts = st.datetimes(datetime(1985, 1, 1), datetime(2025, 1, 1)).map(
    lambda start: start.replace(second=0, microsecond=0, minute=start.minute // 30 * 30)
)
midnights = starts.map(lambda start: start.replace(hour=0, minute=0))


def dates(start, n_rows, frequency, zone):
    """Return what `resample` gives: local times that do not exist move forward."""
    offset = pd.tseries.frequencies.to_offset(frequency)
    if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
        start = pd.Timestamp(start).tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        return pd.date_range(start, periods=n_rows, freq=offset)
    index = pd.date_range(start, periods=n_rows, freq=offset)
    first = np.ones(n_rows, dtype=bool)
    # Where clocks skip half an hour, pandas shifts a time by a whole one.
    assume(zone != "Australia/Lord_Howe" or start.hour != 2)
    return index.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")


def after(index, n_steps):
    rows = read_row_labels(read_index(index, "series"), "series")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return rows.style.write(rows.after(n_steps))


@given(
    st.one_of(starts, midnights),
    st.integers(26, 60),
    st.integers(1, 40),
    st.sampled_from(FREQUENCIES),
    st.sampled_from(ZONES),
)
def test_dates_without_a_frequency_continue(start, n_rows, n_ahead, frequency, zone):
    index = dates(start, n_rows + n_ahead, frequency, zone)
    known = pd.DatetimeIndex(index[:n_rows], freq=None)
    ahead = after(known, n_ahead)
    assert ahead.dtype == index.dtype and ahead.tolist() == index[n_rows:].tolist()


@given(
    st.one_of(starts, midnights),
    st.integers(26, 60),
    st.data(),
    st.sampled_from(FREQUENCIES),
    st.sampled_from(ZONES),
)
def test_the_first_gap_is_named(start, n_rows, data, frequency, zone):
    index = dates(start, n_rows, frequency, zone)
    gap = data.draw(st.integers(3, n_rows - 3))
    known = pd.DatetimeIndex(index, freq=None).delete(gap)
    with pytest.raises(ValueError) as error:
        read_row_labels(read_index(known, "series"), "series")
    assert f"got {index[gap - 1]} followed by {index[gap + 1]}, where" in str(error.value)
    assert f"leads to {index[gap]}; make rows of missing values" in str(error.value)


@given(
    starts,
    st.integers(3, 60),
    st.sampled_from(FREQUENCIES + OFFSETS),
    st.sampled_from(ZONES),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_a_frequency_that_dates_carry_continues_them(start, n_rows, frequency, zone, unit):
    start = pd.Timestamp(start).as_unit(unit).tz_localize(zone, ambiguous=True, nonexistent="NaT")
    assume(start is not pd.NaT)
    try:
        index = pd.date_range(start, periods=n_rows + 5, freq=frequency, unit=unit)
    except Exception as error:  # of local times that do not exist or exist twice
        if not isinstance(error, ValueError) and not type(error).__module__.startswith("pytz"):
            raise
        assume(False)
    ahead = after(index[:n_rows], 5)
    assert ahead.dtype == index.dtype and ahead.tolist() == index[n_rows:].tolist()
    assert ahead.freq == index.freq


@given(
    starts,
    st.integers(26, 60),
    st.integers(2, 23),
    st.sampled_from(FREQUENCIES),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_dates_that_are_repeated_or_go_back_are_named(start, n_rows, k, frequency, zone, repeated):
    stamps = dates(start, n_rows, frequency, zone).tolist()
    if repeated:
        stamps.insert(k, stamps[k])
    else:
        stamps[k], stamps[k + 1] = stamps[k + 1], stamps[k]
    with pytest.raises(ValueError) as error:
        after(pd.DatetimeIndex(stamps), 1)
    why = "which repeats it" if repeated else "which is earlier: sort it; make rows"
    assert f"got {stamps[k]} followed by {stamps[k + 1]}, {why}" in str(error.value)


@given(
    starts,
    st.integers(3, 60),
    st.data(),
    st.sampled_from("D 2D W W-FRI M 3M Q Q-FEB Y Y-JUN h 6h 15min s ms".split()),
)
def test_periods_of_every_frequency_continue(start, n_rows, data, frequency):
    index = pd.period_range(start, periods=n_rows + 5, freq=frequency)
    assert after(index[:n_rows], 5).equals(index[n_rows:])
    gap = data.draw(st.integers(1, n_rows - 2))
    with pytest.raises(ValueError) as error:
        after(index[:n_rows].delete(gap), 1)
    assert f"got {index[gap - 1]} followed by {index[gap + 1]}, where" in str(error.value)


FORMS = "%Y%m %Y%m%d %Y%m%d%H %Y%m%d%H%M %Y%j %G%V %y%m%d %d%m%Y %m%d%Y %m%Y %d%m%y %m%d%y".split()


@given(
    starts,
    st.integers(20, 60),
    st.sampled_from(FORMS),
    st.sampled_from(["D", "2D", "W", "MS", "YS"]),
    st.sampled_from(["int64", "float64", "Int64"]),
)
def test_numbers_that_write_dates_continue_or_are_ambiguous(start, n_rows, form, frequency, dtype):
    stamps = pd.date_range(start, periods=n_rows + 5, freq=frequency)
    stamps = stamps.floor("h" if "M" not in form else "min")
    numbers = pd.Index(stamps.strftime(form)).astype("int64").astype(dtype)
    assume(form != "%G%V" or frequency == "W")
    assume(numbers.is_unique and stamps[-1].year < 2069 and stamps[0].year // 100 == 20)
    try:
        ahead = after(numbers[:n_rows], 5)
    except ValueError as error:
        # A short year is refused where days may be years, and the zeros of 2000 are lost.
        assert form not in FORMS[:4] or frequency == "W"
        assert "can be read" in str(error) or "y" in form or numbers.min() < 10**5, error
        return
    assert ahead.tolist() == numbers[n_rows:].tolist() and ahead.dtype == dtype.lower()
