"""What all displays share."""

import sys

import numpy as np
import pandas as pd
import pytest

from esnkit.plotting import ForecastDisplay, GradientNormDisplay
from esnkit.plotting._common import (
    COLOURS,
    as_label,
    check_results,
    column_of,
    legend_beside,
    line_of,
    name_of,
    plain_times,
    plot_line,
    pyplot,
    reservoirs_by_name,
)

LOOK = {"color": "red", "linewidth": 1.0, "label": "a"}
WAVE = np.sin(np.arange(140) / 4)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"esnkit\[plot\]"):
        ForecastDisplay.from_predictions(WAVE[:50], WAVE[50:60])
    with pytest.raises(ImportError, match=r"plots need matplotlib, .* 'esnkit\[plot\]'"):
        GradientNormDisplay({"a": np.ones((1, 3))}).plot()


def test_colours_differ():
    assert len(set(COLOURS)) == len(COLOURS) == 7


def test_one_column_of_a_table_or_the_whole_of_a_series():
    table = np.arange(6).reshape(3, 2)
    assert column_of(table, 1).tolist() == [1, 3, 5]
    frame = pd.DataFrame(table, columns=["a", "b"])
    pd.testing.assert_series_equal(column_of(frame, 1), frame["b"])
    assert column_of(frame["a"], 1) is frame["a"] or column_of(frame["a"], 1).equals(frame["a"])


def test_lines_are_one_dimensional_floats():
    assert line_of("x", [[1], [2]]).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="x must be 1-D and not empty, got shape"):
        line_of("x", [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="x must have as many values as forecast, 3, got 2"):
        line_of("x", [1, 2], 3)


def test_values_between_missing_ones_are_drawn():
    _, ax = pyplot().subplots()
    plot_line(ax, [10, 11, 12, 13, 14, 15], np.array([1, np.nan, 2, 3, np.nan, 4]), **LOOK)
    line, dots = ax.get_lines()
    assert line.get_label() == "a" and dots.get_label().startswith("_")
    assert dots.get_xydata().tolist() == [[10, 1], [15, 4]]
    assert dots.get_color() == line.get_color() == "red"
    plot_line(ax, [1, 2], np.array([1.0, 2.0]), **LOOK)
    assert len(ax.get_lines()) == 3


def test_times_are_plain_whatever_the_index():
    assert plain_times(None) is None
    days = pd.date_range("2024", periods=3, tz="Europe/Berlin")
    assert plain_times(days).astype("M8[D]").astype(str).tolist() == [
        "2024-01-01", "2024-01-02", "2024-01-03",
    ]  # fmt: skip
    assert plain_times(pd.period_range("2024-01", periods=2, freq="M")).dtype.kind == "M"
    assert plain_times(pd.RangeIndex(2)).tolist() == [0, 1]


def test_names_of_reservoirs_and_results_by_name():
    assert name_of(3, None) == "int" and name_of(3, "x") == "x"
    assert reservoirs_by_name({"a": 1}) == {"a": 1}
    check_results({"a": 1, "b": 2}, int)
    for wrong in ({}, [1], None, {"a": "x"}):
        with pytest.raises(TypeError, match="results must be a dict of int by name"):
            check_results(wrong, int)


def test_timedeltas_are_seconds_on_an_axis():
    hours = pd.timedelta_range("0h", periods=3, freq="h")
    np.testing.assert_array_equal(plain_times(hours), [0.0, 3600.0, 7200.0])


def drawn_texts(texts):
    """Return what a user sees of texts of matplotlib, None for mathematics."""
    parsed = [text._preprocess_math(text.get_text()) for text in texts]
    return [None if is_math else shown.lstrip("\u200b") for shown, is_math in parsed]


def test_names_are_drawn_as_they_are_in_legends_and_beside_axes():
    plt = pytest.importorskip("matplotlib.pyplot")
    names = ["_hidden", "$5-$10", "a_$b^$", r"C:\$x", "plain"]
    _, ax = plt.subplots()
    for name in names:
        ax.plot([0, 1], label=as_label(name))
    ax.set_xticks(range(5), [as_label(name) for name in names])
    legend_beside(ax)
    assert drawn_texts(ax.get_legend().get_texts()) == names
    assert drawn_texts(ax.get_xticklabels()) == names
    ax.figure.canvas.draw()
    display = GradientNormDisplay({"_net of $": np.ones((1, 3))}).plot()
    assert drawn_texts(display.ax_.get_legend().get_texts()) == ["_net of $"]


def test_legends_beside_axes_have_columns_of_a_length_that_fits():
    display = GradientNormDisplay({f"net {k}": np.ones((1, 3)) for k in range(29)}).plot()
    assert display.ax_.get_legend()._ncols == 3
    display.figure_.canvas.draw()
    assert display.ax_.get_window_extent().height > 300
