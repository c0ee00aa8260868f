"""Long frames of several series, a row for each value: columns id, time, value and inputs.

Of pandas, id and time may also be the levels of the index.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._frames import (
    Library,
    _is_time,
    _read_times,
    ids_as_column,
    put_together,
)
from esnkit.forecasting._id_dtype import dtype_of_column, dtype_of_index
from esnkit.forecasting._index import read_index
from esnkit.forecasting._labels import Labels
from esnkit.forecasting._packed_series import offsets_of
from esnkit.utils._frames import frame_ndim, read_frame, unwrap
from esnkit.utils._pandas import is_frame, is_pandas

__all__ = ["LongRows", "Wanted", "has_levels", "is_long", "read_long", "refuse_times", "write_long"]


class LongRows(NamedTuple):
    """Rows of series, sorted by series and time."""

    numbers: np.ndarray  # (n_rows, n_columns): the value, if it was asked for, and the inputs
    offsets: np.ndarray
    ids: list
    labels: Labels  # of all different times, sorted
    places: np.ndarray  # of each row among the labels
    columns: tuple  # names of id, time and value
    library: Library


class Wanted(NamedTuple):
    """The columns to read of a long frame; None for those to be found."""

    id: Any
    time: Any
    value: Any
    exog: tuple = ()  # names of the inputs
    has_value: bool = True  # False for rows of the future, which have inputs only

    @property
    def names(self) -> tuple:
        """Names of all columns."""
        return (self.id, self.time, *self.numbers)

    @property
    def numbers(self) -> tuple:
        """Names of the columns of numbers."""
        return ((self.value,) if self.has_value else ()) + self.exog


class _Columns(NamedTuple):
    """The columns of a long frame, before they are sorted."""

    wanted: Wanted
    ids: list
    times: Any  # index of pandas, or column of narwhals
    numbers: np.ndarray
    library: Library


def has_levels(container: Any) -> bool:
    """Tell whether a container is one of pandas whose index has several levels."""
    return getattr(getattr(unwrap(container), "index", None), "nlevels", 1) > 1


def is_long(container: Any, id_column: Any) -> bool:
    """Tell whether a container is a long frame: id and time in the index, or a column of text."""
    if has_levels(container):
        return True
    container = unwrap(container)
    if not is_frame(container) and frame_ndim(container) != 2:
        return False
    return id_column is not None or any(
        kind == "text" for kind in _kinds(container, "panel").values()
    )


def refuse_times(container: Any, argument: str) -> None:
    """Raise for a frame of pandas that has times in a column, and no column of text for ids."""
    container = unwrap(container)
    kinds = _kinds(container, argument) if is_frame(container) else {}
    times = [name for name, kind in kinds.items() if kind == "time"]
    if times:
        raise ValueError(
            f"{argument} has times in the column {times[0]!r}, and no column of text for ids: make "
            "the times of a wide frame its index, or name the columns of a long frame, "
            "PanelForecaster(id=..., time=..., value=...)"
        )


def read_long(container: Any, wanted: Wanted, argument: str) -> LongRows:
    """Read a long frame, or a Series or frame of pandas with the index (id, time).

    Parameters
    ----------
    container : frame, or Series with an index of two levels
    wanted : Wanted
    argument : str
    """
    container = unwrap(container)
    if has_levels(container):
        columns = _read_levels(container, wanted, argument)
    else:
        columns = _read_columns(container, _find_columns(container, wanted, argument), argument)
    names = columns.wanted[:3]
    taken = [name for name in columns.wanted.exog if name in names]
    if taken:
        raise ValueError(
            f"{argument} must have columns of inputs beside those of ids, times and values, "
            f"{list(names)}, got {taken[0]!r} as an input"
        )
    codes, ids = _number(columns.ids, columns.wanted.id, argument)
    labels, places = _read_labels(columns, argument)
    order = np.lexsort((places, codes))
    offsets = offsets_of(np.bincount(codes, minlength=len(ids)))
    rows = LongRows(
        columns.numbers[order], offsets, ids, labels, places[order], names, columns.library
    )
    _check_rows(rows, codes[order], argument)
    return rows


def _read_levels(container: Any, wanted: Wanted, argument: str) -> _Columns:
    index = container.index
    if index.nlevels != 2:
        raise ValueError(
            f"{argument} must have an index of two levels, id and time, got {list(index.names)}"
        )
    if not is_frame(container):
        container = container.to_frame(container.name)
    others = [name for name in container.columns if name not in wanted.exog]
    if wanted.has_value and wanted.value is None:
        if len(others) != 1:
            raise ValueError(
                f"{argument} must have one column of values, got {list(container.columns)}; say "
                "which with value=..."
            )
        wanted = wanted._replace(value=others[0])
    _check_columns([*wanted.numbers], list(container.columns), argument)
    ids, times = (index.get_level_values(k) for k in (0, 1))
    is_time = [_kind_of_pandas(level.dtype) == "time" for level in (ids, times)]
    if is_time == [True, False]:  # as those of stack()
        raise ValueError(
            f"{argument} must have ids in the first level of its index, got times: use "
            f"{argument}.swaplevel().sort_index(); times that are ids must be text"
        )
    wanted = wanted._replace(id=index.names[0], time=index.names[1])
    numbers = [_as_floats(container[name], name, argument) for name in wanted.numbers]
    library = Library("pandas", ids=dtype_of_index(ids.dtype))
    return _Columns(wanted, ids.tolist(), times, np.stack(numbers, axis=1), library)


def _read_columns(container: Any, wanted: Wanted, argument: str) -> _Columns:
    if is_frame(container):
        import pandas as pd

        column, times = container[wanted.id], pd.Index(container[wanted.time])
        ids, library = column.tolist(), Library("pandas", ids=dtype_of_index(column.dtype))
    else:
        container = read_frame(argument, container)
        column, times = container[wanted.id], container[wanted.time]
        ids, backend = column.to_list(), container.implementation.value
        library = Library("narwhals", backend, times_at=1, ids=dtype_of_column(column.dtype))
    numbers = [_as_floats(container[name], name, argument) for name in wanted.numbers]
    return _Columns(wanted, ids, times, np.stack(numbers, axis=1), library)


def _kinds(frame: Any, argument: str) -> dict:
    """Return the columns of a frame, each "time", "number" or "text"."""
    if is_frame(frame):
        return dict(zip(frame.columns, map(_kind_of_pandas, frame.dtypes), strict=True))
    read = read_frame(argument, frame)
    return {name: _kind_of_column(read[name].dtype) for name in read.columns}


def _kind_of_pandas(dtype: Any) -> str:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    is_time = getattr(dtype, "kind", "") in ("M", "m")
    return "time" if is_time or isinstance(dtype, pd.PeriodDtype) else "text"


def _kind_of_column(dtype: Any) -> str:
    import narwhals as nw

    if dtype.is_numeric() or dtype == nw.Boolean:
        return "number"
    return "time" if _is_time(dtype) else "text"


def _check_columns(names: list, found: list, argument: str) -> None:
    unknown = [name for name in names if name not in found]
    if unknown:
        raise ValueError(f"{argument} has no column {unknown[0]!r}, got {found}")


def _find_columns(container: Any, wanted: Wanted, argument: str) -> Wanted:
    """Find the columns of ids, times and values that are not named."""
    kinds = _kinds(container, argument)
    _check_columns([name for name in wanted.names if name is not None], list(kinds), argument)
    roles = {"id": ("text", "id, a text"), "time": ("time", "time, dates or periods")}
    if wanted.has_value:
        roles["value"] = ("number", "value, a number")
    found = {}
    for role, (kind, description) in roles.items():
        possible = [key for key in kinds if kinds[key] == kind and key not in wanted.names]
        name = getattr(wanted, role)
        if name is None and len(possible) != 1:
            raise ValueError(
                f"{argument} has the columns {list(kinds)}, of which {len(possible)} can be the "
                f"{description}: name the columns, PanelForecaster(id=..., time=..., value=...)"
            )
        found[role] = possible[0] if name is None else name
    if kinds[found["time"]] == "text":
        raise ValueError(
            f"{argument} must have times, periods or numbers in the column {found['time']!r}, got "
            "text; convert it (pd.to_datetime, or str.to_date of polars)"
        )
    return wanted._replace(**found)


def _as_floats(column: Any, name: Any, argument: str) -> np.ndarray:
    """Return a column of numbers, missing ones as NaN."""
    if is_pandas(column):
        if _kind_of_pandas(column.dtype) != "number":
            raise ValueError(
                f"{argument} must have numbers in the column {name!r}, got {column.dtype}"
            )
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if _kind_of_column(column.dtype) != "number":
        raise ValueError(f"{argument} must have numbers in the column {name!r}, got {column.dtype}")
    import narwhals as nw

    return np.array(column.cast(nw.Float64).to_numpy())


def _number(keys: Iterable, name: Any, argument: str) -> tuple[np.ndarray, list]:
    """Number ids in the order in which they appear."""
    numbers: dict = {}
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
    if not len(codes):
        raise ValueError(f"{argument} must have at least one row, got none")
    if any(key is None or key != key for key in numbers):
        raise ValueError(f"{argument} must have an id in every row of {name!r}, got a missing one")
    return codes, list(numbers)


def _read_labels(columns: _Columns, argument: str) -> tuple[Labels, np.ndarray]:
    """Return the labels of all different times, and the place of each row among them."""
    where = f"column {columns.wanted.time!r}"
    if columns.library.name == "pandas":
        times = columns.times
        labels = read_index(times.unique().sort_values(), argument)
        places = times.unique().sort_values().get_indexer(times)
    else:
        if _kind_of_column(columns.times.dtype) != "time":
            raise ValueError(
                f"{argument} must have dates or times in the {where}, got {columns.times.dtype}"
            )
        labels = _read_times(columns.times, columns.library, argument)
        unique, places = np.unique(labels.values, return_inverse=True)
        labels = labels._replace(values=unique)
    return labels, places


def _check_rows(rows: LongRows, codes: np.ndarray, argument: str) -> None:
    """Raise for infinite numbers, and for times that are repeated or missing within a series."""
    infinite = np.flatnonzero(np.isinf(rows.numbers).any(axis=1))
    if len(infinite):
        k = infinite[0]
        raise ValueError(
            f"{argument} has an infinite value (inf), in the series {rows.ids[codes[k]]!r} at "
            f"{rows.labels.text(rows.places[k])}"
        )
    steps = np.where(np.diff(codes) == 0, np.diff(rows.places), 1)
    wrong = np.flatnonzero(steps != 1)
    if len(wrong):
        k = wrong[0]
        before, after = (rows.labels.text(rows.places[j]) for j in (k, k + 1))
        reason = "is repeated" if steps[k] == 0 else f"is followed by {after}"
        remedy = "keep one row" if steps[k] == 0 else "add the rows between, as missing values"
        raise ValueError(
            f"{argument} must have regular times in every series: in {rows.ids[codes[k]]!r} "
            f"{before} {reason}; {remedy}"
        )


def write_long(form: str, names: tuple, library: Library, rows: tuple, as_series: bool):
    """Return a long frame.

    Parameters
    ----------
    form : {"long", "levels"}
    names : tuple
        Of the columns of ids and times.
    library : Library
    rows : tuple
        ids (list), times (index or column) and a list of columns (name, values).
    as_series : bool
    """
    keys, times, columns = rows
    ids = ids_as_column(library, names[0], keys)
    if library.name != "pandas":
        return put_together(library, [(names[0], ids), *columns], times)
    import pandas as pd

    if form == "long":
        return pd.DataFrame({names[0]: ids, names[1]: times, **dict(columns)})
    index = pd.MultiIndex.from_arrays([ids, times], names=names[:2])
    if as_series:
        return pd.Series(columns[0][1], index=index, name=columns[0][0])
    return pd.DataFrame(dict(columns), index=index)
