"""Time stamps of a CSV column: continued, or refused with the line."""

import numpy as np
import pandas as pd
import pytest

from esnkit.cli._errors import UserError
from esnkit.cli._timestamps import Timestamps

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


@pytest.mark.parametrize("start, step, digits", [(-5, 25, 2), (0, 1, 1), (90, 1, 1), (7, 500, 3)])
def test_fractions_continue(start, step, digits):
    numbers = start + step * np.arange(40)
    texts = [f"{number / 10**digits:.{digits}f}" for number in numbers]
    timestamps = Timestamps("t")
    for k, text in enumerate(texts[:30]):
        timestamps.add(text, k + 2)
    written, known, ahead = timestamps.future(30, 10)
    assert written == texts[30:]
    np.testing.assert_array_equal(known + ahead, numbers / 10**digits)
    for other in ("1e3", "-0.0", "01.5", "1.23456"):
        with pytest.raises(UserError, match="is not a date"):
            timestamps.add(other, 33)


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
        (["2024-01-01", "2024-01-01"], "line 3: .* is repeated"),
        (["2024-01-02", "2024-01-01"], "line 3: .* goes back in time"),
        (["2024-01-02", "03.01.2024"], "line 3: .* is not a date"),
        (["noon"], "line 2: .* is not a date .* of at most 64 bits$"),
        (["2024-01-01T10+01"], "line 2: .* is not a date"),
        (["2024-W01-1"], "line 2: .* is not a date"),
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
