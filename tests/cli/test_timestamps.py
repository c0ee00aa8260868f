"""Time stamps of a CSV column: continued, or refused with the line."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnkit.cli._errors import UserError
from esnkit.cli._timestamps import Timestamps
from esnkit.forecasting._index import read_index
from esnkit.forecasting._labels import read_row_labels

FREQUENCIES = {
    "15min": "%Y-%m-%d %H:%M",
    "h": "%Y-%m-%dT%H:%M:%S",
    "2h": "%d.%m.%Y %H:%M",
    "D": "%Y-%m-%d",
    "B": "%m/%d/%Y",
    "W": "%Y/%m/%d",
    "MS": "%Y-%m",
    "ME": "%Y-%m-%d",
    "QS": "%d/%m/%Y",
    "QE": "%Y%m%d",
    "YS": "%Y",
    "YE": "%Y-%m-%d",
}


@pytest.mark.parametrize("form", ["%Y/%m", "%m/%Y", "%m.%Y", "%Y-Q%q", "%YQ%q", "%Y Q%q"])
def test_months_and_quarters_continue(form):
    periods = pd.period_range("2019-11", periods=40, freq="Q" if "q" in form else "M")
    texts = list(periods.strftime(form))
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:30]):
        timestamps.add(text, k + 2)
    assert timestamps.future(30, 10)[0] == texts[30:]
    with pytest.raises(UserError, match="is not a date"):
        timestamps.add(texts[30].replace("2", "0").replace("1", "0"), 32)


@pytest.mark.parametrize("form", ["{}/{:02}", "{}-{:02}"])
@pytest.mark.parametrize("start", [2000, 2005, 1980])
def test_seasons_of_two_years_continue_and_are_no_months(form, start):
    texts = [form.format(year, (year + 1) % 100) for year in range(start, start + 13)]
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:10]):
        timestamps.add(text, k + 2)
    assert timestamps.future(10, 3).written == texts[10:]
    months = Timestamps("t")
    for k in range(1, 4):
        months.add(form.format(start, k), k + 1)
    assert months.future(3, 1).written == [form.format(start, 4)]


@pytest.mark.parametrize("start, step, digits", [(-5, 25, 2), (0, 1, 1), (90, 1, 1), (7, 500, 3)])
def test_fractions_continue(start, step, digits):
    numbers = start + step * np.arange(40)
    texts = [f"{number / 10**digits:.{digits}f}" for number in numbers]
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:30]):
        timestamps.add(text, k + 2)
    written, known, ahead, *_ = timestamps.future(30, 10)
    assert written == texts[30:]
    np.testing.assert_array_equal(np.concatenate([known, ahead]), numbers / 10**digits)
    for other in ("1e3", "-0.0", "01.5", "1.23456"):
        with pytest.raises(UserError, match="is not a date"):
            timestamps.add(other, 33)


@pytest.mark.parametrize("write", [repr, "{:.15g}".format, "{:.3f}".format, "{:.7g}".format])
def test_months_as_fractions_of_a_year_continue(write):
    texts = [write(1949 + k / 12) for k in range(40)]
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:30]):
        timestamps.add(text, k + 2)
    found = timestamps.future(30, 10)
    assert found.written == texts[30:]
    np.testing.assert_array_equal(found.ahead.astype("M8[M]"), np.datetime64("1951-07") + range(10))
    assert found.labels is not None
    timestamps.add(texts[31], 32)
    with pytest.raises(UserError, match="gap in time, 1951.41"):
        timestamps.future(31, 5)
    filled = timestamps.future(31, 8, fill=True)
    assert filled.written == texts[32:] and filled.rows.tolist() == [*range(30), 31]


def test_quarters_as_fractions_of_a_year_continue():
    timestamps = Timestamps("t")
    for k, text in enumerate(["1960", "1960.25", "1960.5", "1960.75", "1961"]):
        timestamps.add(text, k + 2)
    found = timestamps.future(5, 3)
    assert found.written == ["1961.25", "1961.5", "1961.75"]
    np.testing.assert_array_equal(np.diff(found.ahead.astype("M8[M]")).astype(int), 3)


def test_months_before_years_are_not_fractions():
    timestamps = Timestamps("t")
    for k, text in enumerate(["10.2019", "11.2019", "12.2019"]):
        timestamps.add(text, k + 2)
    assert timestamps.future(3, 2)[0] == ["01.2020", "02.2020"]


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_stamps_continue_at_their_own_frequency(frequency):
    stamps = pd.date_range("2019-12-31", periods=40, freq=frequency)
    texts = list(stamps.strftime(FREQUENCIES[frequency]))
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:30]):
        timestamps.add(text, k + 2)
    assert timestamps.future(30, 10)[0] == texts[30:]
    assert timestamps.future(20, 10)[0] == texts[20:30]


@pytest.mark.parametrize("frequency", ["h", "D"])
def test_stamps_with_an_offset_continue_over_a_change_of_timestampss(frequency):
    stamps = pd.date_range("2024-03-28", periods=100, freq=frequency, tz="Europe/Berlin")
    texts = [stamp.isoformat() for stamp in stamps]
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:90]):
        timestamps.add(text, k + 2)
    assert timestamps.future(90, 10)[0] == texts[90:]


@pytest.mark.parametrize(
    "texts, expected",
    [
        (["1990", "1991", "1992"], ["1993", "1994"]),
        (["0", "5", "10"], ["15", "20"]),
        (["2024-01-01T00:00Z", "2024-01-01T06:00Z"], ["2024-01-01T12:00Z", "2024-01-01T18:00Z"]),
        (["2024-01-30", "2024-02-29", "2024-03-30"], ["2024-04-30", "2024-05-30"]),
        (["2024-01-31", "2024-02-29", "2024-03-31"], ["2024-04-30", "2024-05-31"]),
        ([str(k) for k in range(2011210, 2011229)], ["2011229", "2011230"]),
        (["20111230", "20111231"], ["20120101", "20120102"]),
        (["1/30/2020", "1/31/2020"], ["2/1/2020", "2/2/2020"]),
        (["9.10.2020", "10.10.2020", "11.10.2020"], ["12.10.2020", "13.10.2020"]),
        (["01/30/2020", "01/31/2020"], ["02/01/2020", "02/02/2020"]),
        (["1/31/2020 22:00", "1/31/2020 23:00"], ["2/1/2020 00:00", "2/1/2020 01:00"]),
        (["01/09/2020 8:00", "01/09/2020 9:00"], ["01/09/2020 10:00", "01/09/2020 11:00"]),
        (["2020/1/9 23:00", "2020/1/10 0:00"], ["2020/1/10 1:00", "2020/1/10 2:00"]),
        (
            ["2020-01-09 00:00:00.5", "2020-01-09 00:00:01.0"],
            ["2020-01-09 00:00:01.5", "2020-01-09 00:00:02.0"],
        ),
        (["2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.250Z"], "00.500Z 00.750Z"),
        (["2024-01-01 00:15+01", "2024-01-01 00:30+01"], "00:45+01 01:00+01"),
        (["2024-01-01T00:00:00+0100", "2024-01-01T01:00:00+0100"], "2:00:00+0100 3:00:00+0100"),
        (["2024-1-9", "2024-1-10"], ["2024-1-11", "2024-1-12"]),
        (["2024-10-30", "2024-10-31"], ["2024-11-01", "2024-11-02"]),
        (["1/09/2024", "1/10/2024", "1/11/2024", "1/12/2024", "1/13/2024"], "1/14/2024 1/15/2024"),
        ([f"{day:02}/02/2024" for day in range(1, 14)], ["14/02/2024", "15/02/2024"]),
        (["0098", "0099"], ["0100", "0101"]),
        (["98", "99"], ["100", "101"]),
        (["1700000000000000000", "1700000060000000000"], "1700000120000000000 1700000180000000000"),
        (["2021-01-01", "2022-01-01", "2023-01-01", "2024-01-01"], ["2025-01-01", "2026-01-01"]),
    ],
)
def test_numbers_and_months(texts, expected):
    timestamps = Timestamps("t")
    for k, text in enumerate(texts):
        timestamps.add(text, k + 2)
    written = timestamps.future(len(texts), 2)[0]
    if isinstance(expected, str):  # their ends
        assert all(a.endswith(b) for a, b in zip(written, expected.split(" "), strict=True))
    else:
        assert written == expected


@pytest.mark.parametrize(
    "texts, message",
    [
        (["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], "line 4: gap in time"),
        (["2024-01-01", "2024-02-01", "2024-04-01", "2024-05-01"], "lead to 2024-03-01"),
        (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-10", "2024-01-11"], "to 2024-01-09"),
        (["2024-01-01", "2024-01-01"], "line 3: .* is repeated, after 2024-01-01 on line 2$"),
        (
            ["2024-10-27 02:00", "2024-10-27 02:00"],
            "repeated, .* line 2; if clocks went back there",
        ),
        (["2024-10-27 02:45", "2024-10-27 02:00"], "goes back in time, .*; if clocks went back"),
        (["2024-10-27 12:45", "2024-10-27 12:00"], "2024-10-27 12:45 on line 2$"),
        (["2024-01-02", "2024-01-01"], "line 3: .* goes back in time, .* line 2$"),
        (["2024-01-01", "2024-01-02"] * 2, "line 4: .* back in time, .* several series need --id"),
        (["2024-01-01"] * 2 + ["2024-01-02"] * 2, "line 3: .* repeated, .* need --id with the col"),
        (["2024-01-02", "03.01.2024"], "line 3: .* is not a date"),
        (["noon"], "line 2: .* is not a date .* of at most 64 bits$"),
        (["2024-01-01T10+01"], "line 2: .* is not a date"),
        (["2024-W01-8"], "line 2: .* is not a date"),
        (["2024-01-01 24:00"], "line 2: .* is not a date"),
        (["2024-01-01T00:00-00:00"], "line 2: .* is not a date"),
        (["2024-02-30"], "line 2: .* is not a date"),
        (["2024-01-01", "2024-1-2"], "line 3: .* is not a date .* in the format of the lines befo"),
        (["0001", "2"], "line 3: .* is not a date"),
        (["9223372036854775808"], "line 2: .* nor a number of at most 64 bits"),
        (
            [f"{day:02}/02/2024" for day in range(1, 13)],
            "column 't' can be read with the month first, which leads to 01/02/2025, or with the "
            "day first, which leads to 13/02/2024; write them like 2024-01-31",
        ),
        (["2024-01-02", ""], "line 3: .* is empty"),
        (["2024-01-01 23:00", "2024-01-01 24:00"], "line 3: .*; write 24:00 as 00:00 of the next"),
        (["Mon 2024-01-01"], "line 2: .* bits; leave out the day of the week$"),
        (["Tuesday, 2 January 2024"], "line 2: .* bits; leave out the day of the week$"),
        (["9999-12-30", "9999-12-31"], "beyond year 9999"),
        (["2024-01-01"], "at least two rows"),
    ],
)
def test_irregular_stamps_are_refused(texts, message):
    timestamps = Timestamps("t")
    with pytest.raises(UserError, match=message):
        for k, text in enumerate(texts):
            timestamps.add(text, k + 2)
        timestamps.future(len(texts), 2)


def continued(texts, n_steps=2, n_known=None):
    timestamps = Timestamps("t")
    for k, text in enumerate(texts):
        timestamps.add(text, k + 2)
    return timestamps.future(len(texts) if n_known is None else n_known, n_steps)[0]


def iso(index):
    return [stamp.isoformat() for stamp in index]


@pytest.mark.parametrize(
    "texts, expected",
    [
        (["202311", "202312"], ["202401", "202402"]),
        (["2016.11", "2016.12"], ["2017.01", "2017.02"]),
        (["2016.10", "2016.11", "2016.12"], ["2017.01", "2017.02"]),
        (["2016.9", "2016.10", "2016.11"], ["2016.12", "2017.1"]),
        (["2023123122", "2023123123"], ["2024010100", "2024010101"]),
        (["20234", "20241", "20242"], ["20243", "20244"]),
        (["991231", "000101"], ["000102", "000103"]),
        (["201111", "201112"], ["201201", "201202"]),
        (["1991 Jul", "1991 Aug"], ["1991 Sep", "1991 Oct"]),
        (["Nov 1991", "Dec 1991"], ["Jan 1992", "Feb 1992"]),
        (["November 1991", "December 1991"], ["January 1992", "February 1992"]),
        (["APR-2020", "MAY-2020"], ["JUN-2020", "JUL-2020"]),
        (["Nov-05", "Dec-05"], ["Jan-06", "Feb-06"]),
        (["30-12-2023", "31-12-2023"], ["01-01-2024", "02-01-2024"]),
        (["30-Dec-23", "31-Dec-23"], ["01-Jan-24", "02-Jan-24"]),
        (["2020-W52", "2020-W53"], ["2021-W01", "2021-W02"]),
        (["2020-W05", "2020-W09"], ["2020-W13", "2020-W17"]),
        (["30/12/23", "31/12/23"], ["01/01/24", "02/01/24"]),
        (["12/30/23", "12/31/23"], ["01/01/24", "01/02/24"]),
        (["2023-11-30", "2023-12-29", "2024-01-31", "2024-02-29"], ["2024-03-29", "2024-04-30"]),
        (["2016.08", "2016.09", "2016.1", "2016.11"], ["2016.12", "2017.01"]),
        (["2016.1", "2016.11", "2016.12", "2017.01"], ["2017.02", "2017.03"]),
        (["202311.0", "202312.0"], ["202401.0", "202402.0"]),
        (["30012024", "31012024"], ["01022024", "02022024"]),
        (["01302024", "01312024"], ["02012024", "02022024"]),
        (["112023", "122023"], ["012024", "022024"]),
        (["30012024", "31012024", "1022024"], ["2022024", "3022024"]),
        (["300124", "310124", "010224"], ["020224", "030224"]),
        (["20231231235958000", "20231231235959000"], ["20240101000000000", "20240101000001000"]),
        (["1Q20", "2Q20", "3Q20", "4Q20"], ["1Q21", "2Q21"]),
        (["Q3-2020", "Q4-2020"], ["Q1-2021", "Q2-2021"]),
        (["2020q3", "2020q4"], ["2021q1", "2021q2"]),
        (["2020m9", "2020m10"], ["2020m11", "2020m12"]),
        (["2020-W52", "2020-W53"], ["2021-W01", "2021-W02"]),
        (["2020 W8", "2020 W9"], ["2020 W10", "2020 W11"]),
        (["2020-W53-6", "2020-W53-7"], ["2021-W01-1", "2021-W01-2"]),
        (["30Dec2023", "31Dec2023"], ["01Jan2024", "02Jan2024"]),
        (["9. May 2023", "10. May 2023"], ["11. May 2023", "12. May 2023"]),
        (["December 31, 2023", "January 1, 2024"], ["January 2, 2024", "January 3, 2024"]),
        (["12/31/2023 10:00 PM", "12/31/2023 11:00 PM"], "01/01/2024 12:00 AM|01/01/2024 01:00 AM"),
        (["2023-12-31 10:30:00 am", "2023-12-31 11:30:00 am"], "31 12:30:00 pm|31 01:30:00 pm"),
        (["1.1.2024 9 a.m.", "1.1.2024 10 a.m.", "1.1.2024 11 a.m."], "24 12 p.m.|24 1 p.m."),
        (["1/13/2024 11:00PM", "1/14/2024 5:00AM"], "1/14/2024 11:00AM|1/14/2024 5:00PM"),
        (["2023-12-31 22:00 UTC", "2023-12-31 23:00 UTC"], "01 00:00 UTC|01 01:00 UTC"),
        (["2023-12-31 22:00 +0100", "2023-12-31 23:00 +0100"], "01 00:00 +0100|01 01:00 +0100"),
        (["2023-12-30", "2024-01-30", "2024-02-29", "2024-03-30"], ["2024-04-30", "2024-05-30"]),
    ],
)
def test_dates_of_more_forms_continue(texts, expected):
    written = continued(texts)
    if isinstance(expected, str):  # their ends
        assert all(a.endswith(b) for a, b in zip(written, expected.split("|"), strict=True))
    else:
        assert written == expected


@pytest.mark.parametrize(
    "texts, message",
    [
        (["202310", "202311", "202401", "202402"], "202311 is followed by 202401, .* to 202312"),
        (["20241", "20242", "20243", "20244"], "read as numbers, which leads to 20245, or as year"),
        (
            ["2016.7", "2016.8", "2016.9"],
            "read as dates, which leads to 2016.10, or as numbers, wh",
        ),
        ([f"{day:02}/02/24" for day in range(1, 13)], "with the (day|month|year) first, which lea"),
        (
            ["28-01-01", "29-01-01", "30-01-01", "31-01-01"],
            "with the year first, which leads to 32-01-01",
        ),
        ([f"{day}0125" for day in range(15, 32)], "which leads to 320125, or as .* to 10225"),
        (["2016.1", "2016.11"], "leads to 2017.9, or with .1 for October, which leads to 2016.12;"),
        (["29012024", "31012024", "01022024"], "29012024 is followed by 31012024, .* to 30012024"),
        (["Jan-01", "Jan-02", "Jan-03"], "such as Jan-01 may be days or years"),
        (["2020-W05", "2020-W06", "2020-W08", "2020-W09"], "W06 is followed by 2020-W08, .* -?W07"),
        (["2024-01-15", "2024-02-01", "2024-03-01", "2024-04-01"], "line 2: .* does not fit the"),
        ([f"{d}/01/2024" for d in (14, 15, 16, 18, 19)], "16/01/2024 is followed by 18/01/2024, w"),
    ],
)
def test_dates_of_more_forms_are_refused(texts, message):
    with pytest.raises(UserError, match=message.replace("-?W07", "2020-W07")):
        continued(texts, n_steps=12 if "/02/24" in texts[0] else 2)


def test_opening_hours_follow_the_rule_of_a_forecaster():
    hours = [f"2024-01-{day:02} {hour:02}:00" for day in range(1, 11) for hour in range(9, 17)]
    assert continued(hours)[0] == "2024-01-11 09:00"
    with pytest.raises(UserError, match="line 10: gap in time, 2024-01-01 16:00 is followed by"):
        continued(hours[:24])


@pytest.mark.parametrize(
    "zone", ["America/Santiago", "Africa/Cairo", "Asia/Beirut", "America/Havana", "Europe/Berlin"]
)
@pytest.mark.parametrize("start", ["2023-03-01", "2023-08-25", "2023-10-10", "2024-02-20"])
def test_local_midnights_with_offsets_continue(zone, start):
    days = pd.date_range(start, periods=80)
    index = days.tz_localize(zone, ambiguous=days == days, nonexistent="shift_forward")
    assert [text[:10] for text in continued(iso(index[:60]), 20)] == [
        str(day.date()) for day in index[60:]
    ]
    year = pd.date_range(start, periods=420)
    index = year.tz_localize(zone, ambiguous=year == year, nonexistent="shift_forward")
    if zone == "Europe/Berlin":  # others share their offsets with zones that change later
        assert continued(iso(index[:400]), 20) == iso(index[400:])


def test_offsets_of_several_zones_are_warned_of():
    texts = ["2012-04-01T05:00+02:00", "2012-07-01T05:00+02:00", "2012-10-01T05:00+02:00"]
    with pytest.warns(UserWarning, match="the offsets from UTC of the time stamps fit no single"):
        ahead = continued([*texts, "2013-01-01T05:00+01:00"])
    assert ahead == ["2013-04-01T05:00+01:00", "2013-07-01T05:00+01:00"]


def test_midnights_of_berlin_written_in_utc_continue():
    index = pd.date_range("2022-01-01", periods=800, tz="Europe/Berlin").tz_convert("UTC")
    texts = list(index.strftime("%Y-%m-%dT%H:%MZ"))
    assert continued(texts[:500], 300) == texts[500:]


def test_rows_of_the_future_that_stand_in_the_file_are_continued_by_those_after_them():
    texts = [f"2024-01-{day:02}" for day in range(1, 21)]
    assert continued(texts[:10], 15, n_known=5) == texts[5:20]


FORMATS = ["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%MZ", "%Y%m%d%H%M"]


@given(
    st.datetimes(pd.Timestamp("1975").to_pydatetime(), pd.Timestamp("2035").to_pydatetime()),
    st.integers(26, 50),
    st.sampled_from("D 2D W MS ME QS YE B 2B BMS BME SMS WOM-3FRI h 6h 15min".split()),
    st.sampled_from(FORMATS),
    st.booleans(),
    st.data(),
)
def test_texts_of_every_frequency_continue_or_name_the_gap(start, n_rows, freq, form, gap, data):
    start = pd.Timestamp(start).floor("15min")
    texts = list(pd.date_range(start, periods=n_rows + 10, freq=freq).strftime(form))
    if not gap:
        assert continued(texts[:n_rows], 10) == texts[n_rows:]
        return
    k = data.draw(st.integers(3, n_rows - 3))
    with pytest.raises(UserError) as error:
        continued(texts[:k] + texts[k + 1 : n_rows])
    message = f"line {k + 2}: gap in time, {texts[k - 1]} is followed by {texts[k + 1]}, where the "
    assert message + f"usual step would lead to {texts[k]};" in str(error.value)


def forecaster_says(index, n_steps):
    """Return the labels that a forecaster puts after an index, or the stamp before a gap."""
    try:
        labels = read_row_labels(read_index(index, "series"), "series")
        return labels.style.write(labels.after(n_steps))
    except ValueError as error:
        return pd.Timestamp(str(error).partition("got ")[2].partition(" followed by")[0])


@given(
    st.datetimes(pd.Timestamp("1975").to_pydatetime(), pd.Timestamp("2035").to_pydatetime()),
    st.integers(3, 50),
    st.sampled_from("D 2D W MS ME QS YE B 3B BMS BME SMS WOM-3FRI LWOM-MON h 7h bh 90min".split()),
    st.sampled_from([None, "UTC"]),
    st.sets(st.integers(1, 40), max_size=2),
)
def test_a_file_and_an_index_follow_one_rule(start, n_rows, freq, zone, gaps):
    start = pd.Timestamp(start).floor("15min")
    if freq == "LWOM-MON":  # which pandas before 3.0 does not read
        freq = pd.offsets.LastWeekOfMonth(weekday=0)
    index = pd.DatetimeIndex(pd.date_range(start, periods=n_rows, freq=freq, tz=zone), freq=None)
    index = index.delete([gap for gap in gaps if gap < n_rows - 1])
    form = "%Y-%m-%d %H:%M" + ("Z" if zone else "")
    expected = forecaster_says(index, 5)
    if isinstance(expected, pd.DatetimeIndex):
        assert continued(list(index.strftime(form)), 5) == list(expected.strftime(form))
        return
    with pytest.raises(UserError) as error:
        continued(list(index.strftime(form)))
    line = index.get_loc(expected) + 2
    assert f"line {line + 1}: gap" in str(error.value) or f"line {line}: time" in str(error.value)


def read_stamps(texts):
    stamps = Timestamps("t")
    for line, text in enumerate(texts, 2):
        stamps.add(text, line)
    return stamps


@pytest.mark.parametrize(
    "texts",
    [
        [f"2024-02-{day:02d}" for day in range(1, 30)],
        [f"{year}-{month:02d}-01" for year in range(2020, 2024) for month in range(1, 13)],
        [f"{year}{month:02d}" for year in range(2020, 2024) for month in range(1, 13)],
        [str(number) for number in range(100, 700, 5)],
        [f"2024-03-{30 + k // 24} {k % 24:02d}:00" for k in range(40)],
        [
            str(stamp).replace(" ", "T")  # across a change of clocks
            for stamp in pd.date_range("2024-03-29", periods=90, freq="h", tz="Europe/Berlin")
        ],
        [
            str(stamp).replace(" ", "T")
            for stamp in pd.date_range("2024-03-15", periods=30, freq="D", tz="Europe/Berlin")
        ],
    ],
)
def test_missing_rows_are_filled_in(texts):
    kept = [k for k in range(len(texts)) if k not in (4, 5, 11, len(texts) - 3)]
    stamps = read_stamps([texts[k] for k in kept])
    with pytest.raises(UserError, match="every time step needs its row, or --fill adds those"):
        stamps.future(len(kept), 2)
    found, whole = stamps.future(len(kept), 2, fill=True), read_stamps(texts).future(len(texts), 2)
    assert found.rows.tolist() == kept
    assert found.written == whole.written
    assert np.array_equal(found.known, whole.known)


@pytest.mark.parametrize(
    ("zone", "frequency"),
    [
        ("Europe/Berlin", "W-SUN"),
        ("Europe/Berlin", "D"),
        ("Europe/Berlin", "MS"),
        ("Europe/Berlin", "h"),
        ("America/New_York", "B"),
        ("Australia/Lord_Howe", "2B"),
        ("Asia/Kolkata", "2B"),  # midnights are of the day before in UTC
        ("Asia/Kolkata", "B"),
    ],
)
def test_missing_rows_in_local_time_are_filled_in(zone, frequency):
    n_rows = 24 * 70 if frequency == "h" else 70
    local = pd.date_range("2023-02-01", periods=n_rows, freq=frequency)
    if frequency == "h":
        local = local.tz_localize("UTC").tz_convert(zone)
    else:
        local = local.tz_localize(zone)
    kept = np.sort(np.random.default_rng(0).permutation(n_rows - 12)[: n_rows - 18])
    kept = np.union1d(kept, [0, n_rows - 11])
    texts = [stamp.isoformat() for stamp in local]
    found = read_stamps([texts[k] for k in kept]).future(len(kept), 10, fill=True)
    assert found.rows.tolist() == kept.tolist() and found.written == texts[n_rows - 10 :]


@pytest.mark.parametrize("offset", ["", "+01:00"])
def test_hours_of_no_day_are_not_filled_before_a_weekend_has_shown_that_they_are_closed(offset):
    days = pd.bdate_range("2024-01-03", periods=5)
    hours = [f"{day:%Y-%m-%d} {hour:02}:00{offset}" for day in days for hour in range(9, 18)]
    few = [hour for hour in hours[:27] if "12:00" not in hour]
    refused = "line 4: after 2024-01-03 11:00.* a gap at times of day that no row has, so that"
    with pytest.raises(UserError, match=refused):
        read_stamps(few).future(24, 2, fill=True)
    kept = [k for k in range(45) if k not in (4, 20)]
    found = read_stamps([hours[k] for k in kept]).future(43, 2, fill=True)
    assert found.rows.tolist() == kept and found.written[0] == f"2024-01-10 09:00{offset}"
    assert (found.n_filled, found.first_filled) == (2, f"2024-01-03 13:00{offset}")


def test_a_constant_offset_goes_on_with_fill_too():
    # Only Lord Howe has such an offset; its clocks change on 6 October.
    days = [f"2024-09-{day:02}T00:00:00+10:30" for day in range(1, 31) if day not in (5, 9)]
    ahead = read_stamps(days).future(len(days), 8, fill=True).written
    assert ahead[-1] == "2024-10-08T00:00:00+10:30"


def test_time_stamps_off_the_grid_are_not_filled():
    days = [f"2024-02-{day:02d} 00:00" for day in (1, 2, 3, 5, 6, 8)]
    with pytest.raises(UserError, match="line 5: .* 2024-02-05 03:00 does not fit the usual step"):
        read_stamps([*days[:3], "2024-02-05 03:00", *days[4:]]).future(6, 2, fill=True)
    with pytest.raises(UserError, match="too many for --fill"):
        read_stamps(["0", "1", "2", "5000000"]).future(4, 2, fill=True)
