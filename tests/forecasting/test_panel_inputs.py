"""Inputs of several series: one table of all or one per series, and columns of the calendar."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._calendar_features import calendar_inputs
from esnkit.forecasting._frames import take_apart
from esnkit.forecasting._panel_inputs import (
    exog_columns,
    inputs_from_calendar,
    read_long_exog_ahead,
    read_panel_exog,
    read_panel_exog_ahead,
)
from esnkit.forecasting._series_kind import read_kind

DAYS = pd.date_range("2024-01-01", periods=4)
FRAME = pd.DataFrame({"a": np.ones(4), "b": np.ones(4)}, DAYS)
TABLES = [take_apart(FRAME, "panel")] * 2
A, B = np.arange(8.0).reshape(4, 2), np.arange(8.0, 16.0).reshape(4, 2)
NAMES = pd.MultiIndex.from_tuples([("b", "p"), ("a", "q"), ("b", "q"), ("a", "p")])
MIXED = pd.DataFrame(np.column_stack([B[:, 0], A[:, 1], B[:, 1], A[:, 0]]), DAYS, NAMES)


@pytest.mark.parametrize(
    ("exog", "names"),
    [
        (MIXED, "pq"),
        (np.stack([A, B], axis=1), None),
        ({"b": B, "a": A}, None),
        ({"a": pd.DataFrame(A, DAYS, ["p", "q"]), "b": pd.DataFrame(B, DAYS, ["p", "q"])}, "pq"),
    ],
)
def test_inputs_of_a_wide_table_are_read_series_by_series(exog, names):
    found, form = read_panel_exog(exog, ["a", "b"], TABLES, True, "raise")
    assert form.n_exog == 2 and form.names == (None if names is None else tuple(names))
    np.testing.assert_array_equal(found, [A, B])
    labels = [read_kind(TABLES[0])[0].labels] * 2
    after = DAYS + pd.Timedelta(days=4)
    if isinstance(exog, dict):
        ahead = {k: v.set_axis(after) if hasattr(v, "index") else v for k, v in exog.items()}
    else:
        ahead = exog.set_axis(after) if hasattr(exog, "index") else exog
    again = read_panel_exog_ahead(ahead, form, ["a", "b"], labels, np.array([3, 3]), True)
    np.testing.assert_array_equal(again, [A[:3], B[:3]])


def test_inputs_of_other_rows_or_series_are_refused():
    with pytest.raises(ValueError, match="must have the index of its time steps"):
        read_panel_exog(MIXED.set_axis(DAYS + DAYS.freq), ["a", "b"], TABLES, True, "raise")
    with pytest.raises(ValueError, match="differs in 'b'"):
        read_panel_exog({"a": A}, ["a", "b"], TABLES, True, "raise")
    with pytest.raises(ValueError, match=r"the shape \(n_rows, 2, n_exog\) for 2 series"):
        read_panel_exog(np.ones((4, 3, 1)), ["a", "b"], TABLES, True, "raise")
    with pytest.raises(ValueError, match="same number of columns for each of the 2 series, got 3"):
        read_panel_exog(np.ones((4, 3)), ["a", "b"], TABLES, True, "raise")
    with pytest.raises(ValueError, match="got list of 3"):
        read_panel_exog([A, B, B], [0, 1], TABLES, False, "raise")


def test_inputs_of_a_long_frame_are_named():
    assert exog_columns(None, "panel") == () and exog_columns("p", "panel") == ("p",)
    with pytest.raises(ValueError, match="exog must name columns of panel"):
        exog_columns([1.0], "panel")
    with pytest.raises(ValueError, match="past_exog must name different columns of panel, got"):
        exog_columns(["p", "p"], "panel", "past_exog")


def test_rows_of_a_long_frame_that_follow_each_series_are_found():
    rows = pd.DataFrame(
        {"k": ["b", "a", "b", "a", "a"], "t": DAYS[[2, 1, 1, 3, 2]], "p": [22.0, 1, 21, 3, 2]}
    )
    stamps = [DAYS[1:3].to_numpy(), DAYS[1:2].to_numpy()]
    unit = rows["t"].to_numpy().dtype
    stamps = [part.astype(unit) for part in stamps]
    found = read_long_exog_ahead(rows, ("k", "t"), ("p",), ["a", "b"], stamps)
    assert [part.ravel().tolist() for part in found] == [[1.0, 2.0], [21.0]]
    with pytest.raises(ValueError, match="exog must be given: .* inputs .'p'."):
        read_long_exog_ahead(None, ("k", "t"), ("p",), ["a", "b"], stamps)
    with pytest.raises(ValueError, match="differs in 'b'"):
        read_long_exog_ahead(rows[rows["k"] == "a"], ("k", "t"), ("p",), ["a", "b"], stamps)
    with pytest.raises(ValueError, match="exog of 'a' contains NaN"):
        read_long_exog_ahead(rows.replace(1.0, np.nan), ("k", "t"), ("p",), ["a", "b"], stamps)


def test_the_calendar_is_that_of_each_series_in_its_zone():
    hours = pd.date_range("2024-01-01", periods=30, freq="h", tz="UTC")
    parts = [hours, hours[5:], hours[:20].tz_convert("Asia/Tokyo")]
    kinds, stamps = zip(
        *(read_kind(take_apart(pd.Series(1.0, index), "series")) for index in parts), strict=True
    )
    labels = [kind.labels for kind in kinds]
    found = inputs_from_calendar((("hour",), None), labels, list(stamps))
    for columns, rows, values, index in zip(found, labels, stamps, parts, strict=True):
        np.testing.assert_array_equal(columns, calendar_inputs(("hour",), None, rows, values))
        np.testing.assert_array_equal(columns.argmax(axis=1), index.hour)
    with pytest.raises(ValueError, match="calendar needs a series with time stamps"):
        inputs_from_calendar((("hour",), None), [labels[0], None], [stamps[0], None])
