"""Inputs of several series that are known in advance: exogenous ones, and those of the calendar."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._calendar_features import calendar_inputs
from esnkit.forecasting._frames import Table
from esnkit.forecasting._input import read_exog, read_future_exog
from esnkit.forecasting._labels import RowLabels
from esnkit.forecasting._long_panel import Wanted, read_long
from esnkit.forecasting._missing import refuse_missing_values
from esnkit.utils._plain_state import plain_record

__all__ = [
    "NO_INPUTS",
    "ExogForm",
    "GivenInputs",
    "exog_columns",
    "inputs_from_calendar",
    "read_long_exog_ahead",
    "read_panel_exog",
    "read_panel_exog_ahead",
]


class GivenInputs(NamedTuple):
    """Inputs of series as a caller gives them; of a long frame, the names of their columns."""

    exog: Any = None  # known in advance
    past_exog: Any = None  # known up to the present

    def columns(self, argument: str) -> tuple[tuple, tuple]:
        """Return the names of the columns of both."""
        exog = exog_columns(self.exog, argument)
        past = exog_columns(self.past_exog, argument, "past_exog")
        twice = [name for name in past if name in exog]
        if twice:
            raise ValueError(f"past_exog and exog both name the column {twice[0]!r}: choose one")
        return exog, past


NO_INPUTS = GivenInputs()


@plain_record
class ExogForm(NamedTuple):
    """What inputs of a kind, exogenous or past-only, a panel was fitted with."""

    n_exog: int = 0
    names: tuple | None = None  # of the inputs of each series
    columns: tuple | None = None  # of a wide table with those of all series

    def __bool__(self) -> bool:
        return self.n_exog > 0


def exog_columns(exog: Any, argument: str, name: str = "exog") -> tuple:
    """Return the names that inputs, the argument `name`, give to columns of a long frame."""
    if exog is None:
        return ()
    names = [exog] if isinstance(exog, str) else exog
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"{name} must name columns of {argument}, a long frame, such as {name}=['price'], got "
            f"{type(exog).__name__}"
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{name} must name different columns of {argument}, got {list(names)}")
    return tuple(names)


def read_panel_exog(
    exog: Any,
    ids: list,
    tables: list[Table],
    is_wide: bool,
    missing: str,
    argument: str = "exog",
) -> tuple[list[np.ndarray], ExogForm]:
    """Return the inputs (n_rows_i, n_exog) of the rows of each series, and their form.

    Parameters
    ----------
    exog : list, dict, array or frame, or None
        Of each series, or of a wide table one table.
    ids : list
    tables : list of Table
        Of each series; a wide table once for each.
    is_wide : bool
    missing : {"predict", "raise"}
    argument : str, default="exog"
    """
    lengths = [len(table.numbers) for table in tables]
    if exog is None:
        return [np.empty((n_rows, 0)) for n_rows in lengths], ExogForm()
    if is_wide and not isinstance(exog, dict):
        flat = _flat(exog, ids, argument)
        read = read_exog(flat, lengths[0], tables[0], True, missing, argument)
        return _split_columns(read.values, read.names, ids, argument)
    found = [
        read_exog(item, len(table.numbers), table, True, missing, f"{argument}[{key!r}]")
        for key, item, table in zip(ids, _items_of(exog, ids, argument), tables, strict=True)
    ]
    values = [part.values for part in found]
    names = found[0].names
    for key, part in zip(ids, found, strict=True):
        if part.values.shape[1] != values[0].shape[1] or part.names != names:
            raise ValueError(
                f"{argument} must have the same columns for all series, "
                f"{names or values[0].shape[1]}, "
                f"got {part.names or part.values.shape[1]} of {key!r}"
            )
    return values, ExogForm(values[0].shape[1], names)


def read_panel_exog_ahead(
    exog: Any,
    form: ExogForm,
    ids: list,
    labels: list,
    n_rows: np.ndarray,
    is_wide: bool,
    missing: str | None = None,
    argument: str = "exog",
) -> list[np.ndarray]:
    """Return the inputs (n_rows_i, n_exog) of the rows that follow each series.

    Parameters
    ----------
    exog, ids, is_wide
        See `read_panel_exog`.
    form : ExogForm
    labels : list
        `RowLabels` of each series, or None.
    n_rows : ndarray of int, shape (n_series,)
        A wide table has the same for all.
    missing : {"predict", "raise"}, default=None
        None is for forecasts, whose inputs have no missing values and may have further rows.
    argument : str, default="exog"
    """
    rest = (missing is not None, missing or "raise")
    if is_wide and not isinstance(exog, dict):
        n_columns = len(ids) * form.n_exog
        rows = read_future_exog(
            _flat(exog, ids, argument), int(n_rows[0]), labels[0], n_columns, form.columns, *rest,
            argument,
        )  # fmt: skip
        return list(rows.reshape(len(rows), len(ids), form.n_exog).swapaxes(0, 1))
    return [
        read_future_exog(item, int(n), rows, form.n_exog, form.names, *rest, f"{argument}[{key!r}]")
        for key, item, rows, n in zip(
            ids, _items_of(exog, ids, argument), labels, n_rows, strict=True
        )
    ]


def _flat(exog: Any, ids: list, argument: str) -> Any:
    """Return an array (n_rows, n_series, n_exog) as a table, series by series."""
    if getattr(exog, "ndim", 2) != 3:
        return exog
    if exog.shape[1] != len(ids):
        raise ValueError(
            f"{argument} must have the shape (n_rows, {len(ids)}, n_{argument}) for {len(ids)} "
            f"series, got {exog.shape}"
        )
    return exog.reshape(len(exog), -1)


def _items_of(exog: Any, ids: list, argument: str) -> Iterable:
    """Return the inputs of each series."""
    if exog is None:
        return [None] * len(ids)
    if isinstance(exog, dict):
        _check_ids(exog, ids, argument)
        return [exog[key] for key in ids]
    if not isinstance(exog, list | tuple) or len(exog) != len(ids):
        n_items = len(exog) if hasattr(exog, "__len__") else "one object"
        raise ValueError(
            f"{argument} must be a list or dict with the inputs of each of the {len(ids)} series, "
            f"got {type(exog).__name__} of {n_items}"
        )
    return exog


def _check_ids(found: Iterable, ids: list, argument: str = "exog") -> None:
    """Raise if inputs are those of other series."""
    odd = set(found) ^ set(ids)
    if odd:
        raise ValueError(
            f"{argument} must have the {len(ids)} series of panel, differs in {min(map(repr, odd))}"
        )


def _split_columns(values: np.ndarray, names: tuple | None, ids: list, argument: str):
    """Split a wide table into the inputs of each series."""
    n_exog, rest = divmod(values.shape[1], len(ids))
    if rest or not n_exog:
        raise ValueError(
            f"{argument} must have the same number of columns for each of the {len(ids)} series, "
            f"got {values.shape[1]} columns"
        )
    variables: tuple | None = None
    if names is not None:
        pairs = [name if isinstance(name, tuple) else (name, None) for name in names]
        variables = tuple(dict.fromkeys(pair[1:] for pair in pairs))
        order = [(key, *variable) for key in ids for variable in variables]
        if set(pairs) != set(order):
            raise ValueError(
                f"{argument} must have columns named as the series, or by two levels, series and "
                f"input, got {list(names)[:6]}"
            )
        values = values[:, [pairs.index(pair) for pair in order]]
        names = tuple(pair[0] if pair[1:] == (None,) else pair for pair in order)
        variables = tuple(variable[-1] for variable in variables)
    parts = values.reshape(len(values), len(ids), n_exog).swapaxes(0, 1)
    return list(parts), ExogForm(n_exog, None if variables == (None,) else variables, names)


def read_long_exog_ahead(
    exog: Any, columns: tuple, names: tuple, ids: list, stamps: list[np.ndarray]
) -> list[np.ndarray]:
    """Return the inputs of the rows that follow each series, from a long frame.

    Parameters
    ----------
    exog : frame
        With columns, or an index, of ids and times, and columns of the inputs.
    columns : tuple
        Names of the columns of ids and times.
    names : tuple of str
        Of the inputs.
    ids : list
    stamps : list of ndarray
        The times that follow each series.
    """
    if exog is None:
        raise ValueError(
            f"exog must be given: the model was fitted with the inputs {list(names)}, their values "
            "for the next time steps of every series are needed"
        )
    rows = read_long(exog, Wanted(columns[0], columns[1], None, names, has_value=False), "exog")
    places = {key: i for i, key in enumerate(rows.ids)}
    _check_ids(rows.ids, ids)
    found = []
    for key, expected in zip(ids, stamps, strict=True):
        start, stop = rows.offsets[places[key]], rows.offsets[places[key] + 1]
        times = rows.labels.values[rows.places[start:stop]]
        if not np.array_equal(times[: len(expected)], expected):
            text = rows.labels.style.text
            raise ValueError(
                f"exog must have the {len(expected)} times after those of {key!r}, "
                f"{text(expected[0])} to {text(expected[-1])}, got {text(times[0])} to "
                f"{text(times[-1])}"
            )
        part = rows.numbers[start : start + len(expected)]
        refuse_missing_values(part, f"exog of {key!r}", names, "fill them in")
        found.append(part)
    return found


def inputs_from_calendar(calendar: tuple, labels: list, stamps: list) -> list[np.ndarray]:
    """Return columns of the calendar at the time stamps of each series.

    Parameters
    ----------
    calendar : tuple
        Names of the fields, and a country or None.
    labels : list
        `RowLabels` of each series, or None.
    stamps : list of ndarray
    """
    names, country = calendar
    if not names:
        return [np.empty((0, 0))] * len(stamps)
    groups: dict[str, list[int]] = {}
    for i, rows in enumerate(labels):
        groups.setdefault(_way_of(rows), []).append(i)
    found: dict[int, np.ndarray] = {}
    for series in groups.values():
        first = labels[series[0]]
        if first is None:
            calendar_inputs(names, country, None, None)  # raises
        clock = np.unique(np.concatenate([stamps[i] for i in series]))
        columns = calendar_inputs(names, country, first, clock)
        found |= {i: columns[np.searchsorted(clock, stamps[i])] for i in series}
    return [found[i] for i in range(len(stamps))]


def _way_of(labels: RowLabels | None) -> str:
    """Return how labels are read as local times."""
    if labels is None:
        return ""
    form = getattr(labels.axis, "form", None)
    return f"{labels.kind} {labels.dtype} {labels.style.zone} {form}"
