"""The kind of a series, and forecasts in it."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._frames import take_apart
from esnkit.forecasting._series_kind import (
    INTERVAL_SUFFIXES,
    advance_labels,
    check_added_names,
    forecast_as,
    interval_names,
    names_with,
    quantile_suffixes,
    quantiles_as,
    read_kind,
    rows_as,
)

DAYS = pd.date_range("2024-01-01", periods=6, freq="D")


def kind_of(series):
    return read_kind(take_apart(series, "series"))[0]


def test_arrays_give_arrays():
    rows = np.arange(6.0)
    kind = kind_of(rows)
    assert kind.library is None and kind.labels is None
    assert rows_as(kind, rows[:2, None], None).shape == (2,)
    center, lower, upper = forecast_as(kind, rows[:, None], (rows[:, None] - 1, rows[:, None] + 1))
    np.testing.assert_array_equal([lower, upper], [center - 1, center + 1])
    assert forecast_as(kind_of(np.ones((6, 2))), np.ones((3, 2))).shape == (3, 2)


def test_a_forecast_continues_the_index_and_the_name():
    kind = kind_of(pd.Series(np.arange(6.0), DAYS, name="x"))
    expected = pd.Series([6.0, 7.0], pd.date_range("2024-01-07", periods=2, freq="D"), name="x")
    pd.testing.assert_series_equal(forecast_as(kind, np.array([[6.0], [7.0]])), expected)
    bounds = np.array([[5.0]]), np.array([[8.0]])
    table = forecast_as(kind, np.array([[6.0]]), bounds)
    assert list(table) == ["x", "x_lower", "x_upper"] and table.iloc[0].tolist() == [6.0, 5.0, 8.0]


def test_labels_advance_past_new_rows_that_continue_them():
    series = pd.Series(np.arange(6.0), DAYS)
    kind = kind_of(series[:3])
    for new in (series[3:], series[3:].to_numpy()):
        moved, values = advance_labels(kind, take_apart(new, "new"))
        np.testing.assert_array_equal(values, DAYS[3:])
        assert forecast_as(moved, np.ones((1, 1))).index[0] == pd.Timestamp("2024-01-07")
    with pytest.raises(ValueError, match="followed by 2024-01-04.*from 2024-01-05"):
        advance_labels(kind, take_apart(series[4:], "new"))


def test_names_that_are_added_must_differ_from_those_of_the_series():
    suffixes = INTERVAL_SUFFIXES
    check_added_names(kind_of(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]})), "x", suffixes)
    with pytest.raises(ValueError, match="interval adds a column 'a_lower'"):
        kind = kind_of(pd.DataFrame({"a": [1.0, 2.0], "a_lower": [1.0, 2.0]}))
        check_added_names(kind, "interval", suffixes)
    assert names_with("", suffixes) == interval_names(None)
    assert names_with(("top", 3), ("", "_0.1")) == (("top", 3), ("top", "3_0.1"))


def test_quantiles_are_columns_of_frames_and_the_last_axis_of_arrays():
    levels, parts = np.array([0.1, 0.5]), [np.zeros((3, 1)), np.ones((3, 1))]
    assert quantiles_as(kind_of(np.ones(6)), parts, levels).tolist() == [[0.0, 1.0]] * 3
    pairs = [np.zeros((3, 2)), np.ones((3, 2))]
    assert quantiles_as(kind_of(np.ones((6, 2))), pairs, levels).shape == (3, 2, 2)
    frame = quantiles_as(kind_of(pd.Series(np.ones(6), DAYS, name="x")), parts, levels)
    assert list(frame) == ["x_0.1", "x_0.5"] and frame.index[0] == pd.Timestamp("2024-01-07")
    assert quantile_suffixes(np.array([1 / 3])) == ("_0.3333333333333333",)
