"""Containers of several series: read as packed rows, and forecasts written in the same form."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from esnkit.forecasting._frames import Library, Table, take_apart
from esnkit.forecasting._input import keep_columns, read_series
from esnkit.forecasting._labels import RowLabels, read_row_labels
from esnkit.forecasting._long_panel import LongRows, has_levels, is_long, read_long, write_long
from esnkit.forecasting._packed_series import PackedSeries, offsets_of, pack_series
from esnkit.forecasting._series_kind import (
    INTERVAL_SUFFIXES,
    SeriesKind,
    advance_labels,
    check_added_names,
    forecast_as,
    interval_names,
    read_kind,
)
from esnkit.utils._plain_state import plain_record

__all__ = ["Panel", "append_panel", "read_panel"]


@plain_record
class Timeline(NamedTuple):
    """The times that the rows of all series share."""

    stamps: np.ndarray
    labels: RowLabels  # of these rows
    last: np.ndarray  # (n_series,), place of the last row of each series

    def after(self, n_steps: int) -> np.ndarray:
        """Return the times (n_series, n_steps) that follow each series."""
        stamps = np.concatenate([self.stamps, self.labels.after(n_steps)])
        return stamps[self.last[:, None] + 1 + np.arange(n_steps)]


@plain_record
class Panel(NamedTuple):
    """Several series, and the container in which they were given."""

    packed: PackedSeries
    ids: list
    form: str  # "list", "dict", "wide", "long", or "levels" (of an index of pandas)
    kinds: tuple = ()  # of each series of a list or a dict; the one of a wide table
    columns: tuple = ()  # of a long frame: names of ids, times and values
    library: Library | None = None
    timeline: Timeline | None = None
    has_clock: bool = True  # whether rows of different series are known to be of the same time
    ndim: int = 2
    stamps: np.ndarray | None = None  # labels of the rows of one series, or of all

    @property
    def row_labels(self) -> RowLabels | None:
        """The labels of `stamps`."""
        return self.timeline.labels if self.timeline is not None else self.kinds[0].labels

    def write(self, values: np.ndarray, bounds: tuple = ()):
        """Return forecasts (n_series, n_steps), and the ends of intervals, in the same form."""
        if self.form == "wide":
            return _write(self.kinds[0], values.T, tuple(end.T for end in bounds))
        if self.timeline is None:
            found = [
                _write(kind, values[i][:, None], tuple(end[i][:, None] for end in bounds))
                for i, kind in enumerate(self.kinds)
            ]
            return found if self.form == "list" else dict(zip(self.ids, found, strict=True))
        n_steps, name = values.shape[1], self.columns[2]
        names = interval_names(name) if bounds else (name,)
        columns = [(key, v.ravel()) for key, v in zip(names, (values, *bounds), strict=True)]
        times = self.timeline.labels.style.write(self.timeline.after(n_steps).ravel())
        ids = [key for key in self.ids for _ in range(n_steps)]
        assert self.library is not None
        return write_long(
            self.form, self.columns, self.library, (ids, times, columns),
            as_series=self.ndim == 1 and not bounds,
        )  # fmt: skip

    def check_interval_names(self) -> None:
        """Raise if the columns that an interval adds have the names of others."""
        for kind in self.kinds:
            check_added_names(kind, "interval", INTERVAL_SUFFIXES)
        for name in interval_names(self.columns[2])[1:] if self.columns else ():
            if name in self.columns:
                raise ValueError(f"interval adds a column {name!r}, but panel has one: rename it")


def _write(kind: SeriesKind, rows: np.ndarray, bounds: tuple):
    return forecast_as(kind, rows, bounds or None)


def read_panel(
    container: Any, columns: tuple, argument: str, estimator: Any = None, reset: bool = True
) -> Panel:
    """Read several series from a list, a dict, a wide or a long table.

    Parameters
    ----------
    container : list, dict, array or frame
    columns : tuple of three
        Names of the columns of ids, times and values of a long frame; None for those to be found.
    argument : str
    estimator : estimator, default=None
        Gets (``reset=True``) or must have the number and names of the columns of a wide table.
    reset : bool, default=True
    """
    if is_long(container, columns[0]):
        return _from_long(read_long(container, columns, argument), container, argument)
    given = [name for name in columns if name is not None]
    if given:
        raise ValueError(
            f"{argument} must be a long frame for id, time and value to name its columns, got "
            f"{type(container).__name__} and {given}"
        )
    if isinstance(container, dict):
        return _from_items(list(container.values()), list(container), "dict", argument)
    if isinstance(container, list | tuple):
        return _from_items(list(container), list(range(len(container))), "list", argument)
    table = take_apart(container, argument)
    if table.ndim == 1:
        raise ValueError(
            f"{argument} must be several series, got one, a 1-D {type(container).__name__}: use "
            "AutoForecaster, or give a list of series"
        )
    found = _from_wide(table, argument)
    if estimator is not None:
        keep_columns(estimator, table, reset)
    return found


def _from_items(items: list, ids: list, form: str, argument: str) -> Panel:
    if not items:
        raise ValueError(f"{argument} must have at least one series, got none")
    arrays, kinds, stamps = [], [], []
    for key, item in zip(ids, items, strict=True):
        name = f"{argument}[{key!r}]"
        rows, table = read_series(item, name)
        if table.ndim != 1:
            raise ValueError(f"{name} must be 1-D, one series, got {type(item).__name__}")
        has_labels = table.library is not None or table.index is not None
        kind, labels = read_kind(table, name) if has_labels else (_ARRAY, None)
        arrays.append(rows[:, 0])
        kinds.append(kind)
        stamps.append(labels)
    packed, starts = pack_series(arrays), _shared_clock(stamps)
    if starts is not None:
        packed = packed._replace(starts=starts)
    return Panel(
        packed, ids, form, tuple(kinds), has_clock=starts is not None, stamps=stamps[0]
    )  # fmt: skip


_ARRAY = SeriesKind(1, None, None, None)


def _shared_clock(stamps: list) -> np.ndarray | None:
    """Return the numbers of the first rows among the labels of all series, if these fit together.

    They do if each series has all labels of all series from its first to its last.
    """
    if any(labels is None or labels.dtype.kind != stamps[0].dtype.kind for labels in stamps):
        return None
    clock = np.unique(np.concatenate(stamps))
    starts = np.searchsorted(clock, [labels[0] for labels in stamps])
    ends = np.searchsorted(clock, [labels[-1] for labels in stamps])
    lengths = np.array([len(labels) for labels in stamps])
    return starts if np.array_equal(ends - starts + 1, lengths) else None


def _from_wide(table: Table, argument: str) -> Panel:
    """Read a table with a column per series; in frames they may start late, after NaN."""
    finite: Any = True if table.library is None else "allow-nan"
    rows = check_array(
        table.numbers, dtype=np.float64, ensure_all_finite=finite, input_name=argument
    )
    kind, stamps = read_kind(table, argument)
    ids = list(kind.names or range(rows.shape[1]))
    if len(set(ids)) < len(ids):
        raise ValueError(f"{argument} must have distinct names of series, got {ids}")
    known = ~np.isnan(rows)
    first = np.where(known.any(axis=0), known.argmax(axis=0), len(rows))
    missing = ~known & (np.arange(len(rows))[:, None] >= first)
    if missing.any() or (first == len(rows)).any():
        j = int(np.argmax(missing.any(axis=0) | (first == len(rows))))
        raise ValueError(
            f"{argument} contains NaN in the series {ids[j]!r} after its first value, or no value: "
            "only rows before a series starts may be NaN; fill it, or give the series as a list, "
            "a dict or a long frame, where they may end at different times"
        )
    lengths = len(rows) - first
    packed = PackedSeries(rows.T[known.T], offsets_of(lengths), first, np.empty((len(ids), 0)))
    return Panel(packed, ids, "wide", (kind,), stamps=stamps)


def _from_long(rows: LongRows, container: Any, argument: str) -> Panel:
    labels = read_row_labels(rows.labels, argument)
    first, last = rows.places[rows.offsets[:-1]], rows.places[rows.offsets[1:] - 1]
    packed = PackedSeries(rows.values, rows.offsets, first, np.empty((len(rows.ids), 0)))
    return Panel(
        packed, rows.ids, form="levels" if has_levels(container) else "long",
        columns=rows.columns, library=rows.library, ndim=getattr(container, "ndim", 2),
        timeline=Timeline(rows.labels.values, labels, last), stamps=rows.labels.values,
    )  # fmt: skip


def append_panel(
    panel: Panel, container: Any, columns: tuple, argument: str, estimator: Any = None
) -> Panel:
    """Return a panel with the rows of a container of the same form after its own."""
    new = read_panel(container, columns, argument, estimator, reset=False)
    known = {key: i for i, key in enumerate(panel.ids)}
    unknown = [key for key in new.ids if key not in known]
    if new.form != panel.form or unknown or (not panel.columns and new.ids != panel.ids):
        raise ValueError(
            f"{argument} must have the form and the series of panel, {panel.form!r} of "
            f"{panel.packed.n_series} series, got {new.form!r} of {new.packed.n_series}"
            + (f" with {unknown[0]!r}, which is new: fit again" if unknown else "")
        )
    if not panel.columns:
        kinds = _continued_kinds(panel, container, argument)
        return panel._replace(packed=panel.packed.append(new.packed), kinds=kinds)
    series = np.array([known[key] for key in new.ids])
    timeline = _continue(panel, new, series, argument)
    packed = panel.packed.append(_spread(new.packed, series, len(panel.ids)))
    return panel._replace(packed=packed, timeline=timeline)


def _continued_kinds(panel: Panel, container: Any, argument: str) -> tuple:
    """Move the labels of a list, a dict or a wide table past new rows, which must continue them."""
    if panel.form == "wide":
        return (advance_labels(panel.kinds[0], take_apart(container, argument), argument)[0],)
    items = container.values() if panel.form == "dict" else container
    return tuple(
        advance_labels(kind, take_apart(item, argument), f"{argument}[{key!r}]")[0]
        for key, kind, item in zip(panel.ids, panel.kinds, items, strict=True)
    )


def _spread(packed: PackedSeries, series: np.ndarray, n_series: int) -> PackedSeries:
    """Return series at their numbers among `n_series`, of which the others have no rows."""
    lengths = np.zeros(n_series, dtype=np.int64)
    lengths[series] = packed.lengths
    return packed.take(np.argsort(series))._replace(offsets=offsets_of(lengths))


def _continue(panel: Panel, new: Panel, series: np.ndarray, argument: str) -> Timeline:
    """Move the times of some series past new rows, which must be at the next ones."""
    assert panel.timeline is not None and new.timeline is not None
    timeline, lengths = panel.timeline, new.packed.lengths
    expected = timeline.after(int(lengths.max()))[series]
    for key, times, length, end in zip(
        new.ids, expected, lengths, new.timeline.last + 1, strict=True
    ):
        found = new.timeline.stamps[end - length : end]
        if not np.array_equal(found, times[:length]):
            text = timeline.labels.style.text
            raise ValueError(
                f"{argument} must continue the times of every series: {key!r} is followed by "
                f"{text(times[0])}, got {text(found[0])} to {text(found[-1])}"
            )
    last = timeline.last.copy()
    last[series] += lengths
    n_more = int(last.max()) + 1 - len(timeline.stamps)
    if n_more <= 0:
        return timeline._replace(last=last)
    more = timeline.labels.after(n_more)
    return Timeline(np.concatenate([timeline.stamps, more]), timeline.labels.advance(more), last)
