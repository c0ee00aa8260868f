"""Long frames: which columns are what, and the order of the rows."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._frames import Library
from esnkit.forecasting._id_dtype import IdDtype
from esnkit.forecasting._long_panel import Wanted, is_long, read_long, write_long

DAYS = pd.date_range("2024-01-01", periods=4)
FRAME = pd.DataFrame(
    {"t": DAYS[[1, 0, 2, 2, 1, 3]], "y": np.arange(6.0), "k": ["b", "b", "a", "b", "a", "a"]}
)
NONE = Wanted(None, None, None)
LIBRARY = Library("pandas", ids=IdDtype("object"))


def test_rows_are_sorted_by_series_in_order_of_appearance_and_by_time():
    rows = read_long(FRAME, NONE, "panel")
    assert rows.ids == ["b", "a"] and rows.columns == ("k", "t", "y")
    assert rows.numbers[:, 0].tolist() == [1, 0, 3, 4, 2, 5] and rows.offsets.tolist() == [0, 3, 6]
    assert rows.places.tolist() == [0, 1, 2, 1, 2, 3]
    assert rows.labels.values.tolist() == DAYS.to_numpy().astype(rows.labels.values.dtype).tolist()


def test_the_same_rows_are_read_from_other_forms():
    pl = pytest.importorskip("polars")
    levels = FRAME.set_index(["k", "t"])["y"]
    for container in (levels, levels.to_frame(), pl.from_pandas(FRAME)):
        rows = read_long(container, NONE, "panel")
        assert rows.numbers[:, 0].tolist() == [1, 0, 3, 4, 2, 5] and rows.ids == ["b", "a"]
        assert rows.columns == ("k", "t", "y")


def test_a_column_of_text_or_a_name_makes_a_frame_long():
    numbers = FRAME.assign(k=FRAME["k"] == "a")
    assert is_long(FRAME, None) and not is_long(numbers, None) and is_long(numbers, "k")
    assert not is_long([1.0], None) and is_long(FRAME.set_index(["k", "t"]), None)


@pytest.mark.parametrize(
    ("frame", "names", "message"),
    [
        (FRAME.assign(z=1.0), NONE, "of which 2 can be the value, a number: name the columns"),
        (
            FRAME.drop(columns="t"),
            NONE,
            "of which 0 can be the time, dates or periods",
        ),
        (
            FRAME.astype({"t": str}),
            Wanted("k", "t", None),
            "times, periods or numbers in the column 't'",
        ),
        (FRAME.astype({"y": str}), Wanted("k", "t", "y"), "must have numbers in the column 'y'"),
        (FRAME.set_index(["k", "t"]).assign(z=1), NONE, "must have one column of values"),
        (FRAME.set_index(["k", "t", "y"]), NONE, "an index of two levels, id and time"),
        (FRAME.set_index(["t", "k"]), NONE, r"panel.swaplevel\(\).sort_index\(\); times that are"),
        (FRAME[:0], NONE, "at least one row"),
        (FRAME, Wanted("k", "t", "y", ("y",)), "beside those of ids, times .* got 'y' as an input"),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(frame, names, message):
    with pytest.raises(ValueError, match=message):
        read_long(frame, names, "panel")


def test_polars_frames_need_dates_or_times():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"k": ["a", "a"], "t": [1, 2], "y": [1.0, 2.0]})
    with pytest.raises(ValueError, match="dates or times in the column 't', got Int64"):
        read_long(frame, Wanted("k", "t", "y"), "panel")


def test_frames_are_written_with_three_columns_or_two_levels():
    rows = (["a", "b"], DAYS[:2], [("y", np.array([1.0, 2.0]))])
    frame = write_long("long", ("k", "t", "y"), LIBRARY, rows, as_series=False)
    assert list(frame.columns) == ["k", "t", "y"] and frame["y"].tolist() == [1, 2]
    series = write_long("levels", ("k", "t", "y"), LIBRARY, rows, as_series=True)
    assert series.index.names == ["k", "t"] and series.name == "y"
