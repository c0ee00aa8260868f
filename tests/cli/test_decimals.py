"""Points and commas in numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esnkit.cli._decimals import DecimalReader, is_missing
from esnkit.cli._errors import UserError


def values_of(texts, separator=";"):
    reader = DecimalReader(separator)
    for k, text in enumerate(texts):
        reader.add(text, "x", k + 2)
    return reader.values().tolist()


@pytest.mark.parametrize(
    "texts, expected",
    [
        (["1,5", "2", "0,25"], [1.5, 2, 0.25]),
        (["1.5", "2", ".25"], [1.5, 2, 0.25]),
        (["995", "1.010", "1.025,5"], [995, 1010, 1025.5]),
        (["995", "1,010", "1,025.5"], [995, 1010, 1025.5]),
        (["995", "1.010", "1.5"], [995, 1.01, 1.5]),
        (["1.010", "1005"], [1.01, 1005]),
        (["0.995", "1.010"], [0.995, 1.01]),
        (["0,995", "1,010", "2"], [0.995, 1.01, 2]),
        (["1.234.567", "12"], [1234567, 12]),
        (["10,532", "11,204"], [10.532, 11.204]),
        (["-1,5e3", "+2"], [-1500, 2]),
        (["1e3", "1.25E-2"], [1000, 0.0125]),
        (["1234567", "995"], [1234567, 995]),
        (["1 234,5", "12 345 678", "7"], [1234.5, 12345678, 7]),
        (["1'234.5", "-12'345'678.25", "1234"], [1234.5, -12345678.25, 1234]),
        (["1\u202f234", "1\u00a0234"], [1234, 1234]),
        (["12.50 EUR", "-1 234.00 EUR", "EUR 7"], [12.5, -1234, 7]),
        (["$12", "-$1,234.50", "$-3"], [12, -1234.5, -3]),
        (["12%", "3,5 %"], [12, 3.5]),
        (["\u22121,5", "2"], [-1.5, 2]),
    ],
)
def test_points_and_commas_are_told_by_all_cells(texts, expected):
    assert values_of(texts) == expected


@pytest.mark.parametrize(
    "texts, message",
    [
        (
            ["995", "1.010", "1.025"],
            "line 3: column 'x' holds '1.010', which is 1010 if the point separates thousands and "
            "1.01 if it is decimal, and no other line tells; write 1010, or more or fewer digits",
        ),
        (["995", "1,010", "1,025"], "'1,010', which is 1010 if the comma separates thousands and"),
        (["10.532", "11.204"], "'10.532', which is 10532 if the point separates"),
        (["1.000", "1,000"], "line 2: .* '1.000', which is 1000 if the point separates thousands"),
        (
            ["-1.010", "5"],
            "holds '-1.010', which is -1010 if the point separates thousands and -1.0",
        ),
        (
            ["1,5", "2.5"],
            "line 3: .* holds '2.5', not a number; it is written unlike '1,5' on line 2",
        ),
        (["1,5", "inf"], "line 3: .* holds 'inf', not a number$"),
        (["1.010,5", "2.5"], "line 3: .* holds '2.5', not a number; it is written unlike"),
        (["1.01.0"], "line 2: column 'x' holds '1.01.0', not a number$"),
        (["1 00"], "holds '1 00', not a number$"),
        (["12 3456"], "holds '12 3456', not a number$"),
        (["1 234'567"], "not a number$"),
        (["0 123"], "not a number$"),
        (["$12%"], "holds '.12%', not a number$"),
        (["12 kWh"], "holds '12 kWh', not a number$"),
        (["12%", "0.12"], "line 3: .* '0.12', without a unit where the lines before are in %$"),
        (["7", "12 USD"], "line 3: .* '12 USD', in USD where the lines before are without a unit$"),
        (["7 EUR", "12 USD"], "line 3: .* in USD where the lines before are in EUR$"),
        (["1_000"], "holds '1_000', not a number$"),
        (["1,2,3"], "not a number"),
        (["7", "NA"], "line 3: column 'x' holds 'NA', a missing value; fill in every time step"),
        (["N.A."], "holds 'N.A.', not a number$"),
        (["1e999"], "not a finite number"),
        ([""], "line 2: column 'x' is empty"),
    ],
)
def test_ambiguous_and_mixed_numbers_are_refused(texts, message):
    with pytest.raises(UserError, match=message):
        values_of(texts)


def test_missing_values_are_those_of_pandas():
    words = pytest.importorskip("pandas._libs.parsers").STR_NA_VALUES
    assert len(words) > 15 and all(map(is_missing, words))
    assert not any(map(is_missing, ("0", "-0", "inf", "x", "nope", "--")))


def test_between_commas_a_point_is_decimal():
    assert values_of(["995", "1.010", "1.025"], ",") == [995, 1.01, 1.025]


@pytest.mark.parametrize(
    "texts, expected",
    [
        (["995.5", "12,021.52", "-1,010", "2"], [995.5, 12021.52, -1010, 2]),
        (["995", "1,010", "1,234,567"], [995, 1010, 1234567]),
        (["995", "1,010", "1,5"], [995, 1.01, 1.5]),
        (["1234", "1,010"], [1234, 1.01]),
    ],
)
def test_between_commas_quoted_commas_are_told_by_all_cells(texts, expected):
    assert values_of(texts, ",") == expected


@pytest.mark.parametrize(
    "texts, message",
    [
        (["995", "1,010", "12,021"], "'1,010', which is 1010 if the comma separates thousands and"),
        (["2.5", "1,5"], "line 3: .* holds '1,5', not a number$"),
        (["1234.5", "1,010"], "line 3: .* holds '1,010', not a number$"),
        (["1,010.5", "1010"], "holds '1010', not a number; it is written unlike '1,010.5'"),
    ],
)
def test_between_commas_ambiguous_and_mixed_numbers_are_refused(texts, message):
    with pytest.raises(UserError, match=message):
        values_of(texts, ",")


def test_between_tabs_three_decimals_throughout_are_decimals():
    assert values_of(["10.532", "11.204"], "\t") == [10.532, 11.204]
    with pytest.raises(UserError, match="'1.010', which is 1010 if"):
        values_of(["995", "1.010"], "\t")


numbers = st.lists(st.decimals(-(10**7), 10**7, places=3) | st.integers(-2000, 10**6), min_size=1)


@given(numbers, st.sampled_from([".", ","]), st.booleans(), st.sampled_from(";\t|"))
def test_numbers_are_read_as_they_were_written_or_refused(values, decimal, grouped, separator):
    other = {".": ",", ",": "."}[decimal]
    texts = [f"{value:{',' if grouped else ''}}" for value in values]
    texts = [text.translate(str.maketrans({".": decimal, ",": other})) for text in texts]
    try:
        read = values_of(texts, separator)
    except UserError as error:
        assert "if it is decimal, and no other line tells" in str(error)
        assert all(abs(value) < 1000 or grouped or abs(value) % 1 for value in values)
        return
    if read != [float(value) for value in values]:
        # Only where nothing but groups of three digits is there, which also could be decimals.
        assert grouped and all(text.count(other) == 1 for text in texts)
        assert separator != ";" or other == ","
