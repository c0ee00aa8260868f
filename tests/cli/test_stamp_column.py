"""Time stamps read at once: the same as one by one, or left to be read so."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnkit.cli._date_formats import formats_of, write
from esnkit.cli._stamp_column import StampColumn, read_at_once


def one_by_one(texts, form):
    """Return what `StampColumn` reads, None if one text is not in the format."""
    column = StampColumn(form)
    return column.stamps if all([column.add(text) for text in texts]) else None


FORMS = [
    "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%3f", "%Y/%m",
    "%d.%m.%Y %H:%M", "%m/%d/%Y", "%-d.%-m.%Y %-H:%M", "%y-%m-%d", "%Y%m%d %H:%M:%S.%6f UTC",
    "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M%:z", "%Y-%m-%d %H:%M%:::z", "%YM%m",
]  # fmt: skip
CHANGES = ["0", "9", "1", "-", "+", ":", " ", "é", "٣", ""]  # the last but one is a digit too


@given(
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2060, 1, 1)), min_size=1, max_size=4),
    st.sampled_from(FORMS),
    st.integers(-24 * 60 + 1, 24 * 60 - 1),
    st.none() | st.tuples(st.integers(0, 30), st.sampled_from(CHANGES)),
)
def test_texts_read_at_once_are_those_read_one_by_one(dates, form, offset, change):
    if form.endswith("%:::z"):
        offset = int(offset / 60) * 60
    zone = timezone(timedelta(minutes=offset))
    texts = [write(date.replace(tzinfo=zone), form) for date in dates]
    if change is not None:
        position, character = change
        texts[-1] = texts[-1][:position] + character + texts[-1][position + 1 :]
    found, expected = read_at_once(texts, form), one_by_one(texts, form)
    if found is None:
        usual = change is None and {len(text) for text in texts} == {len(texts[0])} and offset
        assert not usual or "%-" in form
        return
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29", "2024-00-10", "2024-13-01", "2024-04-31", "0000-01-01", "2024-01-00",
        "2024-01-01 24:00", "2024-01-01 10:60", "2024-01-01T10:00-00:00", "2024-01-01T10:00+24:00",
        "01012024", "2020-W05", "5.50", "Jan 2020", "2024-01-01 5:00", "-0", "007", "1_0", "2e3",
        "9223372036854775808",
    ],
)  # fmt: skip
def test_what_does_not_exist_or_varies_in_width_is_left_to_be_read_one_by_one(text):
    forms = formats_of(text) or ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M%:z", "%1i"]
    assert all(read_at_once([text], form) is None for form in forms if form != "%1i")
    assert read_at_once([text], "%1i") is None or one_by_one([text], "%1i") is not None


def test_integers_are_read_at_once_as_they_are_written():
    assert read_at_once(["-5", "0", "1700000000"], "%1i").numbers.tolist() == [-5, 0, 1700000000]


def test_columns_grow_one_by_one_and_at_once():
    column = StampColumn("%Y-%m-%dT%H:%M%z")
    assert column.add("1970-01-01T01:00+0100") and not column.add("1970-01-01")
    column.extend(read_at_once(["1970-01-01T00:00+0000"], column.form))
    assert [part.tolist() for part in column.stamps] == [[3_600_000_000, 0], [3600, 0]]
