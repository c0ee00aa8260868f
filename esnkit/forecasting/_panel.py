"""Containers of several series: read as packed rows, and forecasts written in the same form."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from esnkit.forecasting._frames import Library, Table, take_apart
from esnkit.forecasting._input import keep_columns, read_series
from esnkit.forecasting._labels import RowLabels, read_row_labels
from esnkit.forecasting._long_panel import (
    LongRows,
    Wanted,
    has_levels,
    is_long,
    read_long,
    refuse_times,
    write_long,
)
from esnkit.forecasting._missing import check_observed, fill_forward
from esnkit.forecasting._packed_series import PackedSeries, offsets_of, pack_series
from esnkit.forecasting._panel_inputs import (
    NO_INPUTS,
    ExogForm,
    GivenInputs,
    inputs_from_calendar,
    read_long_exog_ahead,
    read_panel_exog,
    read_panel_exog_ahead,
)
from esnkit.forecasting._seasonality import as_times
from esnkit.forecasting._series_kind import (
    SeriesKind,
    advance_labels,
    check_added_names,
    names_with,
    parts_as,
    read_kind,
    rows_as,
)
from esnkit.utils._plain_state import plain_record

__all__ = ["Panel", "PanelReader", "append_panel", "read_panel"]


class PanelReader(NamedTuple):
    """How containers are read."""

    columns: tuple = (None, None, None)  # of ids, times and values of a long frame
    missing: str = "raise"
    calendar: tuple = ((), None)  # names of fields, and a country


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
    exog: ExogForm = ExogForm()
    past: ExogForm = ExogForm()  # past-only inputs
    stamps: list | None = None  # labels of the rows of each series, None without

    @property
    def row_labels(self) -> list:
        """The labels of each series, None without."""
        if self.timeline is not None:
            return [self.timeline.labels] * len(self.ids)
        kinds = self.kinds * len(self.ids) if self.form == "wide" else self.kinds
        return [kind.labels for kind in kinds]

    @property
    def mean_steps(self) -> np.ndarray | None:
        """The mean seconds from one row of each series to the next, None without times."""
        if self.stamps is None:
            return None
        pairs = zip(self.row_labels, self.stamps, strict=True)
        ends = [rows and as_times(rows, labels[[0, -1]]) for rows, labels in pairs]
        if any(times is None for times in ends):
            return None
        seconds = np.diff(np.array(ends), axis=1)[:, 0] / np.timedelta64(1, "s")
        return seconds / (self.packed.lengths - 1)

    def means_of_steps(self, series: int, n_steps: int) -> np.ndarray:
        """Return the mean seconds of every `n_steps` successive steps of a series with times."""
        assert self.stamps is not None
        times = as_times(self.row_labels[series], self.stamps[series])
        assert times is not None
        return (times[n_steps:] - times[:-n_steps]) / np.timedelta64(n_steps, "s")

    def stamps_after(self, n_steps: int) -> list:
        """Return the labels of the rows that follow each series, None without."""
        if self.timeline is not None:
            return list(self.timeline.after(n_steps))
        return [None if rows is None else rows.after(n_steps) for rows in self.row_labels]

    def inputs_ahead(self, exog: Any, n_steps: int, calendar: tuple) -> np.ndarray:
        """Check the inputs of the next rows, (n_series, n_steps, n_inputs) with the calendar."""
        if self.columns and not self.exog and exog is not None:
            raise ValueError("exog must be None: the model was fitted without such inputs")
        if self.columns and self.exog:
            assert self.exog.names is not None
            stamps = self.stamps_after(n_steps)
            found = read_long_exog_ahead(exog, self.columns, self.exog.names, self.ids, stamps)
        else:
            n_rows = np.full(len(self.ids), n_steps)
            found = read_panel_exog_ahead(
                exog, self.exog, self.ids, self.row_labels, n_rows, self.form == "wide"
            )
        return np.stack(self._with_calendar(found, calendar, n_steps))

    def _with_calendar(self, inputs: list, calendar: tuple, n_steps: int) -> list:
        """Put the calendar of the next rows beside their inputs (n_rows_i, n_exog)."""
        if not calendar[0]:
            return inputs
        stamps = [
            rows if rows is None else rows[: len(part)]
            for rows, part in zip(self.stamps_after(n_steps), inputs, strict=True)
        ]
        columns = inputs_from_calendar(calendar, self.row_labels, stamps)
        return [np.hstack(pair) for pair in zip(inputs, columns, strict=True)]

    def write(
        self, parts: list[np.ndarray], suffixes: tuple = ("",), combine: Callable | None = None
    ):
        """Return parts of forecasts, each (n_series, n_steps), in the same form.

        Parameters
        ----------
        parts : list of ndarray
        suffixes : tuple of str, default=("",)
            Of the columns of each part.
        combine : callable, default=None
            Puts arrays together; None is for a single part.
        """
        if self.form == "wide":
            return _write(self.kinds[0], [part.T for part in parts], suffixes, combine)
        if self.timeline is None:
            found = [
                _write(kind, [part[i][:, None] for part in parts], suffixes, combine)
                for i, kind in enumerate(self.kinds)
            ]
            return found if self.form == "list" else dict(zip(self.ids, found, strict=True))
        n_steps, names = parts[0].shape[1], names_with(self.columns[2], suffixes)
        columns = [(key, part.ravel()) for key, part in zip(names, parts, strict=True)]
        if combine is None:
            columns = [(self.columns[2], parts[0].ravel())]
        times = self.timeline.labels.style.write(self.timeline.after(n_steps).ravel())
        ids = [key for key in self.ids for _ in range(n_steps)]
        assert self.library is not None
        return write_long(
            self.form, self.columns, self.library, (ids, times, columns),
            as_series=self.ndim == 1 and combine is None,
        )  # fmt: skip

    def check_added_names(self, what: str, suffixes: tuple) -> None:
        """Raise if the columns that an interval or quantiles add have the names of others."""
        for kind in self.kinds:
            check_added_names(kind, what, suffixes)
        for name in names_with(self.columns[2], suffixes) if self.columns else ():
            if name in self.columns[:2]:
                raise ValueError(f"{what} adds a column {name!r}, but panel has one: rename it")

    def head(self, n_rows: np.ndarray) -> "Panel":
        """Return the panel with the first rows of each series, for `fit` alone."""
        stamps = self.stamps and [rows[:n] for rows, n in zip(self.stamps, n_rows, strict=True)]
        return self._replace(packed=self.packed.head(n_rows), stamps=stamps)

    def take(self, series: np.ndarray) -> "Panel":
        """Return the panel with some of the series, for `fit` alone."""
        stamps = self.stamps and [self.stamps[i] for i in series]
        one_kind = self.form == "wide" or not self.kinds
        return self._replace(
            packed=self.packed.take(series),
            ids=[self.ids[i] for i in series],
            kinds=self.kinds if one_kind else tuple(self.kinds[i] for i in series),
            stamps=stamps,
        )


def _write(kind: SeriesKind, parts: list[np.ndarray], suffixes: tuple, combine: Callable | None):
    if combine is not None:
        return parts_as(kind, parts, suffixes, combine)
    labels = None if kind.labels is None else kind.labels.after(len(parts[0]))
    return rows_as(kind, parts[0], labels)


def read_panel(
    container: Any,
    reader: PanelReader,
    argument: str,
    inputs: GivenInputs = NO_INPUTS,
    estimator: Any = None,
    reset: bool = True,
) -> Panel:
    """Read several series from a list, a dict, a wide or a long table.

    Missing values are NaN; rows before the first observed value of a series are left out.

    Parameters
    ----------
    container : list, dict, array or frame
    reader : PanelReader
    argument : str
    inputs : GivenInputs, default=NO_INPUTS
        Of the rows, in the same form.
    estimator : estimator, default=None
        Gets (``reset=True``) or must have the number and names of the columns of a wide table.
    reset : bool, default=True
    """
    panel = _read_rows(container, reader, argument, inputs, (estimator, reset))
    _check_missing(panel, reader.missing, argument)
    if reader.calendar[0]:
        stamps = panel.stamps or [None] * len(panel.ids)
        columns = inputs_from_calendar(reader.calendar, panel.row_labels, stamps)
        known = np.hstack([panel.packed.inputs, np.concatenate(columns)])
        panel = panel._replace(packed=panel.packed._replace(inputs=known))
    panel = panel._replace(packed=_without_missing_inputs(panel.packed, panel.ids))
    first = panel.packed.n_leading
    later = panel.stamps and [rows[n:] for rows, n in zip(panel.stamps, first, strict=True)]
    return panel._replace(packed=panel.packed.skip(first), stamps=later)


def _read_rows(
    container: Any,
    reader: PanelReader,
    argument: str,
    inputs: GivenInputs,
    columns_of: tuple = (None, True),
) -> Panel:
    """Read all rows of series, and their inputs."""
    columns = reader.columns
    if is_long(container, columns[0]):
        names = inputs.columns(argument)
        wanted = Wanted(columns[0], columns[1], columns[2], names[0] + names[1])
        return _from_long(read_long(container, wanted, argument), container, names, argument)
    given = [name for name in columns if name is not None]
    if given:
        raise ValueError(
            f"{argument} must be a long frame for id, time and value to name its columns, got "
            f"{type(container).__name__} and {given}"
        )
    if isinstance(container, dict):
        items = list(container.values()), list(container)
        return _from_items(*items, "dict", reader.missing, argument, inputs)
    if isinstance(container, list | tuple):
        items = list(container), list(range(len(container)))
        return _from_items(*items, "list", reader.missing, argument, inputs)
    refuse_times(container, argument)
    table = take_apart(container, argument)
    if table.ndim == 1:
        raise ValueError(
            f"{argument} must be several series, got one, a 1-D {type(container).__name__}: use "
            "AutoForecaster, or give a list of series"
        )
    found = _from_wide(table, reader.missing, argument, inputs)
    estimator, reset = columns_of
    if estimator is not None:
        keep_columns(estimator, table, reset)
    return found


def _from_items(
    items: list, ids: list, form: str, missing: str, argument: str, inputs: GivenInputs
) -> Panel:
    if not items:
        raise ValueError(f"{argument} must have at least one series, got none")
    arrays, kinds, stamps, tables = [], [], [], []
    for key, item in zip(ids, items, strict=True):
        name = f"{argument}[{key!r}]"
        rows, table = read_series(item, name, missing=missing)
        if table.ndim != 1:
            raise ValueError(f"{name} must be 1-D, one series, got {type(item).__name__}")
        has_labels = table.library is not None or table.index is not None
        kind, labels = read_kind(table, name) if has_labels else (_ARRAY, None)
        arrays.append(rows[:, 0])
        kinds.append(kind)
        stamps.append(labels)
        tables.append(table)
    exog, past = (
        read_panel_exog(given, ids, tables, False, missing, name)
        for name, given in inputs._asdict().items()
    )
    packed, starts = pack_series(arrays, exog[0], past[0]), _shared_clock(stamps)
    if starts is not None:
        packed = packed._replace(starts=starts)
    return Panel(
        packed, ids, form, tuple(kinds), has_clock=starts is not None, exog=exog[1],
        past=past[1], stamps=None if any(labels is None for labels in stamps) else stamps,
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


def _from_wide(table: Table, missing: str, argument: str, inputs: GivenInputs) -> Panel:
    """Read a table with a column per series."""
    rows = check_array(
        table.numbers, dtype=np.float64, ensure_all_finite="allow-nan", input_name=argument
    )
    kind, stamps = read_kind(table, argument)
    ids = list(kind.names or range(rows.shape[1]))
    if len(set(ids)) < len(ids):
        raise ValueError(f"{argument} must have distinct names of series, got {ids}")
    exog, past = (
        read_panel_exog(given, ids, [table] * len(ids), True, missing, name)
        for name, given in inputs._asdict().items()
    )
    packed = pack_series(list(rows.T), exog[0], past[0])
    every = None if stamps is None else [stamps] * len(ids)
    return Panel(packed, ids, "wide", (kind,), exog=exog[1], past=past[1], stamps=every)


def _from_long(rows: LongRows, container: Any, names: tuple, argument: str) -> Panel:
    """Read sorted rows of a long frame, with the named exogenous and past-only inputs."""
    labels = read_row_labels(rows.labels, argument)
    first, last = rows.places[rows.offsets[:-1]], rows.places[rows.offsets[1:] - 1]
    values, n_exog = rows.numbers[:, 0], len(names[0])
    packed = PackedSeries(
        values, rows.offsets, first, np.empty((len(rows.ids), 0)), ~np.isnan(values),
        *np.split(rows.numbers[:, 1:], [n_exog], axis=1),
    )  # fmt: skip
    exog, past = (ExogForm(len(columns), columns) for columns in names)
    return Panel(
        packed, rows.ids, form="levels" if has_levels(container) else "long",
        columns=rows.columns, library=rows.library, ndim=getattr(container, "ndim", 2),
        timeline=Timeline(rows.labels.values, labels, last), exog=exog, past=past,
        stamps=np.split(rows.labels.values[rows.places], rows.offsets[1:-1]),
    )  # fmt: skip


def _check_missing(panel: Panel, missing: str, argument: str) -> None:
    """Raise for series without a value, with ``missing="raise"`` for any missing value."""
    packed = panel.packed
    empty = packed.n_observed == 0
    if empty.any():
        raise ValueError(
            f"{argument} contains NaN only in the series {panel.ids[int(np.argmax(empty))]!r}: "
            "leave it out"
        )
    if missing == "predict":
        return
    first, owners = packed.positions >= packed.n_leading[packed.owners], packed.owners
    lacking = {
        argument: ~packed.observed & first,
        "exog": np.isnan(packed.inputs).any(axis=1),
        "past_exog": np.isnan(packed.past).any(axis=1),
    }
    for what, rows in lacking.items():
        if rows.any():
            k = int(np.argmax(rows))
            raise ValueError(
                f"{what} contains NaN in the series {panel.ids[owners[k]]!r}, row "
                f"{packed.positions[k]}: fill it in, or use missing='predict'"
            )


def _without_missing_inputs(packed: PackedSeries, ids: list) -> PackedSeries:
    """Return series whose last inputs stand for missing ones."""
    return packed._replace(
        inputs=_filled_forward(packed, packed.inputs, ids, "exog"),
        past=_filled_forward(packed, packed.past, ids, "past_exog"),
    )


def _filled_forward(packed: PackedSeries, inputs: np.ndarray, ids: list, name: str) -> np.ndarray:
    """Return inputs (n_rows, n_inputs) of series, of which each has observed values."""
    if not np.isnan(inputs).any():
        return inputs
    parts = np.split(inputs, packed.offsets[1:-1])
    for key, rows in zip(ids, parts, strict=True):
        check_observed(rows, f"{name} of {key!r}")
    return np.concatenate([fill_forward(rows) for rows in parts])


def append_panel(
    panel: Panel, container: Any, reader: PanelReader, argument: str,
    inputs: GivenInputs = NO_INPUTS, estimator: Any = None,
) -> Panel:  # fmt: skip
    """Return a panel with the rows of a container of the same form after its own."""
    own = GivenInputs(panel.exog.names, panel.past.names) if panel.columns else NO_INPUTS
    for name, columns, given in zip(own._fields, own, inputs, strict=True):
        if panel.columns and given is not None:
            has = f"has the columns {list(columns or ())}"
            raise ValueError(f"{name} must be None: {argument} {has}")
    new = _read_rows(container, reader, argument, own, (estimator, False))
    series = _places(panel, new, argument)
    unknown_inputs = np.isnan(new.packed.inputs).any() or np.isnan(new.packed.past).any()
    if reader.missing == "raise" and (unknown_inputs or not new.packed.observed.all()):
        raise ValueError(f"{argument} contains NaN: fill it in, or use missing='predict'")
    packed = _spread(new.packed, series, len(panel.ids))
    exog, past = (
        _new_inputs(panel, packed, name, given, reader) for name, given in inputs._asdict().items()
    )
    exog = panel._with_calendar(exog, reader.calendar, int(packed.lengths.max()))
    packed = packed._replace(inputs=np.concatenate(exog), past=np.concatenate(past))
    packed = panel.packed.append(packed)
    if panel.columns:
        timeline = _continue(panel, new, series, argument)
        return panel._replace(packed=packed, timeline=timeline)
    return panel._replace(packed=packed, kinds=_continued_kinds(panel, container, argument))


def _places(panel: Panel, new: Panel, argument: str) -> np.ndarray:
    """Return the places of the series of new rows in a panel.

    Raise unless they have its form and its series, of which long frames may lack some.
    """
    known = {key: i for i, key in enumerate(panel.ids)}
    unknown = [key for key in new.ids if key not in known]
    lacks_series = not panel.columns and len(new.ids) < len(panel.ids)
    if new.form != panel.form or unknown or lacks_series:
        raise ValueError(
            f"{argument} must have the form and the series of panel, {panel.form!r} of "
            f"{panel.packed.n_series} series, got {new.form!r} of {new.packed.n_series}"
            + (f" with {unknown[0]!r}, which is new: fit again" if unknown else "")
        )
    if not panel.columns and new.ids != panel.ids:
        raise ValueError(
            f"{argument} must have the series in the order of panel, {panel.ids}, got {new.ids}"
        )
    return np.array([known[key] for key in new.ids])


def _new_inputs(
    panel: Panel, new: PackedSeries, name: str, given: Any, reader: PanelReader
) -> list[np.ndarray]:
    """Return inputs of new rows of each series, in which the last value stands for missing ones.

    `name` is "exog" or "past_exog".
    """
    is_past = name == "past_exog"
    form, before = (panel.past, panel.packed.past) if is_past else (panel.exog, panel.packed.inputs)
    if panel.columns:
        found = np.split(new.past if is_past else new.inputs, new.offsets[1:-1])
    else:
        found = read_panel_exog_ahead(
            given, form, panel.ids, panel.row_labels, new.lengths, panel.form == "wide",
            reader.missing, name,
        )  # fmt: skip
    last = before[panel.packed.offsets[1:] - 1, : form.n_exog]
    return [
        fill_forward(rows, values) if len(rows) else rows
        for rows, values in zip(found, last, strict=True)
    ]


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
