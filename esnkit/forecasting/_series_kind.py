"""The kind of container a series came in, which forecasts have too.

Arrays are given for arrays, and a Series or a frame of the same library for one of these, whose
labels (index, or column of times) continue.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._frames import Library, Table, put_together
from esnkit.forecasting._labels import RowLabels, read_row_labels
from esnkit.utils._plain_state import plain_record

INTERVAL_SUFFIXES = ("", "_lower", "_upper")  # of the columns of a forecast and its interval


@plain_record
class SeriesKind(NamedTuple):
    """The kind of a series: its dimensions, the names of its columns, the labels of its rows."""

    ndim: int  # 1: one series, 2: a table
    names: tuple | None  # None for arrays
    library: Library | None  # None for arrays
    labels: RowLabels | None  # None without an index and without a column of times


def read_kind(table: Table, argument: str = "series") -> tuple[SeriesKind, np.ndarray | None]:
    """Return the kind of a series, and the labels of its rows, which must be regular."""
    labels = table.labels(argument)
    rows = None if labels is None else read_row_labels(labels, argument)
    names = table.names if table.library is not None else None
    kind = SeriesKind(table.ndim, names, table.library, rows)
    return kind, None if labels is None else labels.values


def advance_labels(
    kind: SeriesKind, new: Table, argument: str = "new"
) -> tuple[SeriesKind, np.ndarray | None]:
    """Move the labels past the rows of `new`, whose labels, if it has any, must continue them.

    Returns the kind after these rows, and their labels.
    """
    if kind.labels is None:
        return kind, None
    n_rows = len(new.numbers)
    given = new.labels(argument)
    if given is None:
        values = kind.labels.after(n_rows)
    elif kind.labels.are_continued_by(given):
        values = given.values
    else:
        expected = kind.labels.style.text(kind.labels.after(1)[0])
        raise ValueError(
            f"{argument} must continue the index of the series, which is followed by "
            f"{expected}, got an index from {given.text(0)} to {given.text(-1)}"
        )
    return kind._replace(labels=kind.labels.advance(values)), values


def check_added_names(kind: SeriesKind, what: str, suffixes: tuple) -> None:
    """Raise if the columns that an interval or quantiles add have the names of others."""
    names = [column for name in kind.names or () for column in names_with(name, suffixes)]
    if kind.labels is not None and kind.library is not None and kind.library.name != "pandas":
        names.append(kind.labels.style.name)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{what} adds a column {repeated[0]!r}, but the columns of series, "
            f"{list(kind.names or ())}, already give one of that name; rename them"
        )


def interval_names(name) -> tuple:
    """Names of the columns of a forecast and of the ends of its interval."""
    return names_with(name, INTERVAL_SUFFIXES)


def names_with(name, suffixes: tuple) -> tuple:
    """Names of the columns that a series becomes, one per suffix.

    Examples
    --------
    >>> names_with("sales", ("", "_lower")), names_with(("a", "b"), ("_0.1",))
    (('sales', 'sales_lower'), (('a', 'b_0.1'),))
    """
    if isinstance(name, tuple):  # of columns of several levels
        return tuple((*name[:-1], last) for last in names_with(name[-1], suffixes))
    name = "forecast" if name in (None, "") else name
    return tuple(f"{name}{suffix}" if suffix else name for suffix in suffixes)


def quantile_suffixes(levels: np.ndarray) -> tuple:
    """Suffixes of the columns of quantiles.

    Examples
    --------
    >>> quantile_suffixes(np.array([0.05, 0.5]))
    ('_0.05', '_0.5')
    """
    return tuple(f"_{float(level)!r}" for level in levels)


def forecast_as(kind: SeriesKind, forecast: np.ndarray, bounds: tuple | None = None):
    """Return a forecast in the kind of the series fitted on.

    Parameters
    ----------
    kind : SeriesKind
    forecast : ndarray of shape (n_steps, n_series)
    bounds : tuple of two ndarrays of the same shape, default=None
        Lower and upper ends of an interval.

    Returns
    -------
    ndarray, tuple of three ndarrays, Series or frame
    """
    if bounds is not None:
        return parts_as(kind, [forecast, *bounds], INTERVAL_SUFFIXES, tuple)
    labels = None if kind.labels is None else kind.labels.after(len(forecast))
    return rows_as(kind, forecast, labels)


def quantiles_as(kind: SeriesKind, quantiles: list[np.ndarray], levels: np.ndarray):
    """Return quantiles, each (n_steps, n_series), in the kind of the series fitted on.

    Returns
    -------
    ndarray of shape (n_steps, n_quantiles) or (n_steps, n_series, n_quantiles), or frame
    """
    return parts_as(kind, quantiles, quantile_suffixes(levels), stack_last)


def stack_last(arrays: list[np.ndarray]) -> np.ndarray:
    """Stack arrays along a new last axis."""
    return np.stack(arrays, axis=-1)


def parts_as(kind: SeriesKind, parts: list[np.ndarray], suffixes: tuple, combine: Callable):
    """Return parts of a forecast, each (n_steps, n_series), in the kind of the series fitted on.

    They are columns whose names have the suffixes, or arrays that `combine` puts together.
    """
    if kind.library is not None:
        return _as_columns(kind, parts, suffixes)
    return combine([rows[:, 0] if kind.ndim == 1 else rows for rows in parts])


def _as_columns(kind: SeriesKind, parts: list[np.ndarray], suffixes: tuple):
    """Return a frame with a column per series and part, whose labels continue the series."""
    assert kind.library is not None
    labels = None if kind.labels is None else kind.labels.after(len(parts[0]))
    columns: dict = {}
    for j, name in enumerate(kind.names or ()):
        columns |= dict(zip(names_with(name, suffixes), (p[:, j] for p in parts), strict=True))
    library = kind.library._replace(ids=None)  # a category has no suffix
    return put_together(library, list(columns.items()), _written(kind, labels))


def rows_as(kind: SeriesKind, rows: np.ndarray, labels: np.ndarray | None):
    """Return rows (n_rows, n_series) in the kind of the series, with the given labels."""
    if kind.library is None:
        return rows[:, 0] if kind.ndim == 1 else rows
    columns = list(zip(kind.names or (), rows.T, strict=True))
    return put_together(kind.library, columns, _written(kind, labels), kind.ndim == 1)


def _written(kind: SeriesKind, labels: np.ndarray | None) -> Any:
    return None if labels is None or kind.labels is None else kind.labels.style.write(labels)
