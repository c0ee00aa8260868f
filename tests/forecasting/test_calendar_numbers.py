"""Numbers that write dates."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnkit.forecasting._calendar_numbers import NAMES, NumberForm, number_forms

dates = st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1))


@given(st.lists(dates, min_size=1, max_size=5), st.sampled_from(sorted(NAMES)))
def test_what_is_written_is_read(stamps, fields):
    stamps = np.array(stamps, "M8[s]")
    form = NumberForm(fields)
    numbers = form.write(stamps)
    read = form.read(numbers)
    if fields == "ymd" and numbers.min() < 10_000:  # of the year 2000
        assert read is None
    elif read is not None:
        np.testing.assert_array_equal(form.write(read), numbers)
        assert (np.abs(read - stamps) < np.timedelta64(93, "D")).all()


@pytest.mark.parametrize(
    "numbers, fields",
    [
        ([31122023, 1012024], ["dmY"]),
        ([12312023, 1012024], ["mdY"]),
        ([122023, 12024], ["mY", "mdy"]),
        ([42023, 12024], ["mY", "qY", "mdy"]),
        ([311223, 10124], ["ymd", "dmy"]),
        ([80131, 80201], ["ymd", "dmy", "mdy"]),
        ([20231231235959999], ["YmdHMSf"]),
        ([20231231235960000], []),
        ([202312.0, 202401.0], ["Ym", "GV"]),
        ([202312.5], []),
        ([202312, 202401], ["Ym", "GV"]),
        ([202313], ["GV"]),
        ([202354], []),
        ([20230228], ["Ymd"]),
        ([20230229], []),
        ([2023010124], []),
        ([170012], []),
        ([1700000000], []),
        ([1990, 1991], []),
        ([-202312], []),
        ([2**63 - 1], []),
        ([2016.12], ["Ym"]),
        ([2016.25], []),
        ([2016.0], []),
        ([1e300, 2016.12], []),
    ],
)
def test_forms_of_numbers(numbers, fields):
    assert [form.fields for form in number_forms(np.array(numbers))] == fields
