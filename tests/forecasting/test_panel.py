"""Panels: every container gives the same packed rows, and times continue for each series."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._panel import PanelReader, append_panel, read_panel

DAYS = pd.date_range("2024-01-01", periods=6, name="day")
WIDE = pd.DataFrame({"a": np.arange(6.0), "b": [np.nan, np.nan, 5.0, 6.0, 7.0, 8.0]}, DAYS)
LONG = WIDE.reset_index().melt("day", var_name="k", value_name="y").dropna()
ITEMS = {"a": WIDE["a"], "b": WIDE["b"][2:]}
NONE = PanelReader()


@pytest.mark.parametrize("container", [WIDE, LONG, ITEMS, list(ITEMS.values())], ids=type)
def test_every_container_gives_the_same_rows(container):
    panel = read_panel(container, NONE, "panel")
    assert panel.packed.values.tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8]
    assert panel.packed.offsets.tolist() == [0, 6, 10] and panel.packed.starts.tolist() == [0, 2]
    assert panel.ids == (["a", "b"] if not isinstance(container, list) else [0, 1])
    assert panel.has_clock and [len(rows) for rows in panel.stamps] == [6, 4]


def test_series_of_a_list_share_a_clock_if_their_times_fit_together():
    early, odd = WIDE["a"][:3], WIDE["a"].set_axis(DAYS + pd.Timedelta(hours=1))
    panel = read_panel([WIDE["a"][2:], early], NONE, "panel")
    assert panel.has_clock and panel.packed.starts.tolist() == [2, 0]
    for items in ([WIDE["a"], odd], [np.arange(6.0), np.arange(4.0)]):
        panel = read_panel(items, NONE, "panel")
        assert not panel.has_clock and panel.packed.starts.tolist() == [0, 6 - len(items[1])]


def test_forecasts_are_written_after_the_last_row_of_each_series():
    panel = read_panel(LONG[LONG["day"] < DAYS[5]].iloc[:-1], NONE, "panel")  # b ends on day 3
    written = panel.write([np.array([[1.0, 2.0], [3.0, 4.0]])])
    assert written["day"].tolist() == [*DAYS[[5]], DAYS[5] + DAYS.freq, *DAYS[4:6]]
    assert written["k"].tolist() == ["a", "a", "b", "b"] and written["y"].tolist() == [1, 2, 3, 4]


def test_rows_are_appended_to_the_series_that_have_new_ones():
    panel = read_panel(LONG[LONG["day"] < DAYS[4]], NONE, "panel")
    new = LONG[(LONG["k"] == "b") & (LONG["day"] >= DAYS[4])]
    longer = append_panel(panel, new, NONE, "new")
    assert longer.packed.lengths.tolist() == [4, 4] and panel.packed.lengths.tolist() == [4, 2]
    assert longer.packed.values[4:].tolist() == [5, 6, 7, 8]
    assert longer.timeline.last.tolist() == [3, 5] and len(longer.timeline.stamps) == 6
    behind = LONG[(LONG["k"] == "a") & (LONG["day"] == DAYS[4])]
    assert append_panel(longer, behind, NONE, "new").timeline.last.tolist() == [4, 5]
    with pytest.raises(ValueError, match="'b' is followed by 2024-01-07"):
        append_panel(longer, new, NONE, "new")


def test_new_rows_of_tables_continue_all_series():
    for container in (WIDE, ITEMS):
        part = {k: v[:-1] for k, v in container.items()} if container is ITEMS else WIDE[:-1]
        last = {k: v[-1:] for k, v in container.items()} if container is ITEMS else WIDE[-1:]
        panel = append_panel(read_panel(part, NONE, "panel"), last, NONE, "new")
        assert panel.packed.values.tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8]
        with pytest.raises(ValueError, match="must continue the index"):
            append_panel(panel, last, NONE, "new")


def test_numbers_of_steps_are_times_too():
    rows = LONG.assign(day=(LONG["day"] - DAYS[0]).dt.days + 7)
    panel = read_panel(rows, PanelReader(("k", "day", "y")), "panel")
    assert panel.write([np.zeros((2, 1))])["day"].tolist() == [13, 13]


def test_a_column_of_times_without_ids_names_the_ways_out():
    long = pd.DataFrame({"id": [1, 1, 2, 2], "t": [*DAYS[:2]] * 2, "y": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(ValueError, match="times in the column 't'.*make .* its index, or name"):
        read_panel(long, PanelReader(), "panel")
    assert read_panel(long, PanelReader(("id", "t", "y")), "panel").ids == [1, 2]


def test_a_long_frame_without_inputs_has_none_ahead():
    panel = read_panel(LONG, NONE, "panel")
    assert panel.inputs_ahead(None, 2, ((), None)).shape == (2, 2, 0)
    with pytest.raises(ValueError, match="exog must be None: the model was fitted without"):
        panel.inputs_ahead(LONG, 2, ((), None))
