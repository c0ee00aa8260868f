"""Formats of dates and numbers in text."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnkit.cli._date_formats import first_field, formats_of, is_number, read, write

FORMS = """%Y-%m-%d|%d-%m-%Y|%m-%d-%Y|%-d.%-m.%Y|%Y.%m.%d|%Y %b|%b %Y|%B %Y|%^b-%Y|%_b %Y|%YM%m
%d %b %Y|%d-%b-%Y|%B %d, %Y|%b-%y|%d/%m/%y|%y-%m-%d|%Y-Q%q|Q%q/%Y|%G-W%V|%G W%V|%Y-%m-%d %H:%M
%Y%m%d %H:%M|%-m/%-d/%Y %-H:%M|%d.%m.%y %H:%M:%S|%m/%d/%Y %I:%M %p|%-m/%-d/%Y %-I:%M:%S %_p
%d.%m.%Y %I %:p|%Y-%m-%dT%I:%M%p|%qQ%y|%qQ%Y|Q%q-%y|%Yq%q|%G-W%V-%u|%G W%-V|W%V %G|%Gw%V|%d%b%Y
%-d. %B %Y|%Y-%b-%d|%Y%b|%b %-d %Y|%Ym%-m|%Y-M%m|%Y.%0m|%d%m%Y|%m%d%Y|%m%Y|%d%m%y|%y%m%d
%Y-%m-%d %H:%M UTC|%d%m%Y %H:%M:%S|%t|%-t|%15t|%:15t|%_3t|%6t""".replace("\n", "|").split("|")


@given(st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1)), st.sampled_from(FORMS))
def test_what_is_written_is_recognised_and_read(stamp, form):
    stamp = stamp.replace(microsecond=0)
    text = write(stamp, form)
    assert form in formats_of(text)
    for other in formats_of(text):
        assert write(read(text, other), other) == text


@pytest.mark.parametrize("form", ["%Y/%n", "%Y-%n", "%Y/%N", "%Y-%N"])
def test_a_season_of_two_years_is_its_first_year(form):
    for year in (1983, 1999, 2011):
        text = write(datetime(year, 1, 1), form)
        assert form in formats_of(text)
        assert read(text, form) == datetime(year, 1, 1)
    assert text in ("2011/12", "2011-12", "2011/2012", "2011-2012")
    assert read(text.replace("12", "13"), form) is None


@pytest.mark.parametrize(
    "form, texts",
    [
        ("%t", ["1955.0", "1955.0833333333333", "1955.25"]),
        ("%-t", ["1955", "1955.0833333333333", "1955.25"]),
        ("%15t", ["1955", "1955.08333333333", "1955.08333333334", "1955.5", "1955.50000000001"]),
        ("%:7t", ["1955.0", "1955.083", "1955.25"]),
        ("%_2t", ["1955.00", "1955.08", "1955.17", "1955.25"]),
    ],
)
def test_a_year_with_a_fraction_is_the_start_of_a_month(form, texts):
    months = [read(text, form).month for text in texts]
    assert months == [1 + round(12 * (float(text) - 1955)) for text in texts]
    assert all(read(text, form).year == 1955 for text in texts)


@pytest.mark.parametrize(
    "form, text",
    [
        ("%t", "1955"),  # which `%-t` writes
        ("%-t", "1955.0"),
        ("%15t", "1955.0833333333333"),  # of too many digits
        ("%_2t", "1955.083"),
        ("%15t", "1955.09"),  # no month
        ("%15t", "955.25"),
        ("%t", "1601.25"),
    ],
)
def test_other_years_with_a_fraction_are_refused(form, text):
    assert read(text, form) is None


@pytest.mark.parametrize(
    "text, forms",
    [
        ("1991 Jul", ["%Y %b"]),
        ("Jul 1991", ["%b %Y"]),
        ("MAY-1991", ["%^b-%Y", "%^B-%Y"]),
        ("july 1991", ["%_B %Y"]),
        ("2020-W05", ["%G-W%V"]),
        ("13-02-2020", ["%d-%m-%Y", "%-d-%m-%Y"]),
        ("31-Jan-20", ["%d-%b-%y", "%-d-%b-%y", "%y-%b-%d", "%y-%b-%-d"]),
    ],
)
def test_formats_of_dates(text, forms):
    assert set(formats_of(text)) <= set(forms) and forms[0] in formats_of(text)


@pytest.mark.parametrize(
    "text",
    ["2021-W53", "2020-W54", "31-Feb-2020", "32 Jan 2020", "Juli 1991", "2020-Q5", "99/99/99"]
    + [
        "2024-W01-8",
        "2024-01-01 13:00 PM",
        "2024-01-01 00:00 AM",
        "2024-13 PM",
        "",
        "now",
        "jUl 1991",
        "1e5",
        "--5",
    ],
)
def test_other_texts_have_no_format(text):
    assert formats_of(text) == []


def test_fields():
    assert [first_field(form) for form in ("%-d.%m.%Y", "%b %Y", "%y-%m-%d")] == [
        "day",
        "month",
        "year",
    ]
    assert is_number("%1i") and is_number("%2r") and not is_number("%Y")
