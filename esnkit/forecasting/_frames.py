"""Containers of series: arrays, pandas, and the frames that narwhals reads (polars, pyarrow).

A container is taken apart into numbers, names of columns and labels of rows, and put together
again. Frames of polars and pyarrow have no index: their column of dates or times plays its part.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._index import read_index
from esnkit.forecasting._labels import Labels
from esnkit.utils._pandas import is_frame, is_pandas


class Library(NamedTuple):
    """What writes a container."""

    name: str  # "pandas" or "narwhals"
    backend: Any = None  # of narwhals
    wrapped: bool = False  # whether the container is one of narwhals itself
    times_at: int | None = None  # position of the column of times


class Table(NamedTuple):
    """A container taken apart."""

    numbers: Any  # 2-D, as scikit-learn reads it
    ndim: int
    names: tuple | None = None  # of its columns
    library: Library | None = None  # None for arrays
    index: Any = None  # of pandas, or the column of times

    def labels(self, argument: str) -> Labels | None:
        """Return the labels of the rows, None if they have none."""
        if self.index is None or self.library is None:
            return None
        if self.library.name == "pandas":
            return read_index(self.index, argument)
        return _read_times(self.index, self.library, argument)


class NamedColumns(NamedTuple):
    """An array whose columns have names, for messages."""

    values: np.ndarray  # (n_rows, n_columns)
    names: tuple


def take_apart(container, argument: str) -> Table:
    """Return the parts of a series or of exogenous inputs."""
    if isinstance(container, NamedColumns):
        return Table(container.values, 2, container.names)
    if is_pandas(container):
        return _take_pandas_apart(container, argument)
    if is_narwhals_like(container):
        return _take_frame_apart(container, argument)
    _refuse_lists_of_frames(container, argument)
    array = container
    if not hasattr(container, "ndim"):
        try:
            array = np.asarray(container)
        except ValueError as error:
            raise ValueError(f"{argument} must be 1-D or 2-D: {error}") from None
    _check_shape(array, argument)
    _refuse_times([getattr(array, "dtype", None)], argument)
    return Table(_as_2d(container if array.ndim == 2 else array), array.ndim)


def slice_rows(container, start: int, stop: int):
    """Return some rows of a container, in its kind."""
    if isinstance(container, NamedColumns):
        return container._replace(values=container.values[start:stop])
    if is_pandas(container):
        return container.iloc[start:stop]
    if is_narwhals_like(container):
        frame = _narwhals(container, "exog")
        rows = frame[start:stop]
        return rows if frame is container else rows.to_native()
    return np.asarray(container)[start:stop]


def n_dimensions(container) -> int:
    """Return the number of dimensions of a container, before it is read."""
    if is_narwhals_like(container):
        return 2 if hasattr(container, "columns") else 1
    return np.ndim(container)


def is_narwhals_like(container) -> bool:
    """Tell whether a container is one that narwhals reads, other than of pandas."""
    kind = type(container)
    library = kind.__module__.partition(".")[0]
    return library in ("polars", "pyarrow", "narwhals") or hasattr(kind, "__arrow_c_stream__")


def _as_2d(array):
    return array if array.ndim == 2 else np.reshape(array, (-1, 1))


def _check_shape(array, argument: str) -> None:
    if array.ndim not in (1, 2):
        raise ValueError(f"{argument} must be 1-D or 2-D, got {array.ndim} dimensions")
    if array.shape[0] == 0:
        raise ValueError(f"{argument} must have at least one time step, got none")


def _refuse_times(dtypes: Sequence, argument: str) -> None:
    if any(getattr(dtype, "kind", "") in ("m", "M") for dtype in dtypes):
        raise ValueError(
            f"{argument} must hold numbers, got times; convert them to numbers, or make them the "
            "index"
        )


def _take_pandas_apart(container, argument: str) -> Table:
    _check_shape(container, argument)
    _refuse_times(list(container.dtypes) if is_frame(container) else [container.dtype], argument)
    names = tuple(container.columns) if container.ndim == 2 else (container.name,)
    numbers = container if container.ndim == 2 else _as_2d(np.asarray(container))
    return Table(numbers, container.ndim, names, Library("pandas"), container.index)


def _refuse_lists_of_frames(container, argument: str) -> None:
    if not isinstance(container, list | tuple) or not container:
        return
    if is_pandas(container[0]) or is_narwhals_like(container[0]):
        library = type(container[0]).__module__.partition(".")[0]
        raise ValueError(
            f"{argument} must be one series, got a list of {len(container)} objects of {library}; "
            "fit a forecaster for each, or concatenate their rows if they are one series"
        )


def _narwhals(container, argument: str):
    """Return a frame or a series of narwhals."""
    library = type(container).__module__.partition(".")[0]
    try:
        import narwhals.stable.v2 as nw
    except ImportError:
        raise ImportError(
            f"{argument} is a {type(container).__name__} of {library}, which narwhals reads: "
            "pip install 'esnkit[dataframe]'"
        ) from None
    if library == "pyarrow" and not hasattr(container, "to_pandas"):
        raise TypeError(f"{argument} must hold numbers, got {container!r}")
    if library == "pyarrow":
        pyarrow = sys.modules["pyarrow"]
        if isinstance(container, pyarrow.Array):
            container = pyarrow.chunked_array([container])
        if isinstance(container, pyarrow.RecordBatch):
            container = pyarrow.Table.from_batches([container])
    try:
        return nw.from_native(container, eager_only=True, allow_series=True)
    except TypeError:
        raise TypeError(
            f"{argument} must hold its rows, got a {type(container).__name__} of {library}; "
            "collect it first"
        ) from None


def _take_frame_apart(container, argument: str) -> Table:
    frame = _narwhals(container, argument)
    is_series = not hasattr(frame, "columns")
    columns = [frame] if is_series else [frame[name] for name in frame.columns]
    if not len(frame):
        raise ValueError(f"{argument} must have at least one time step, got none")
    times = [k for k, column in enumerate(columns) if _is_time(column.dtype)]
    if is_series and times:
        _refuse_times([np.dtype("M8[s]")], argument)
    if len(times) > 1:
        several = [columns[k].name for k in times]
        raise ValueError(f"{argument} must have one column of times at most, got {several}")
    numbers = [column for column in columns if not _is_time(column.dtype)]
    if not numbers:
        raise ValueError(f"{argument} must hold numbers, got times only")
    values = np.stack([_numbers_of(column, argument) for column in numbers], axis=1)
    library = Library("narwhals", frame.implementation, frame is container, *times)
    names = tuple(column.name for column in numbers)
    index = columns[times[0]] if times else None
    return Table(values, 1 if is_series else 2, names, library, index)


def _is_time(dtype) -> bool:
    import narwhals.stable.v2 as nw

    return dtype == nw.Date or dtype == nw.Datetime


def _numbers_of(column, argument: str) -> np.ndarray:
    """Return a column as float64, missing values as NaN."""
    import narwhals.stable.v2 as nw

    if not (column.dtype.is_numeric() or column.dtype == nw.Boolean):
        raise ValueError(
            f"{argument} must hold numbers, got the column '{column.name}' of {column.dtype}; "
            "convert it, or leave it out"
        )
    return column.cast(nw.Float64).to_numpy()


@dataclass(frozen=True)
class TimesStyle:
    """How a frame writes times: in a column."""

    name: str
    backend: Any
    unit: str  # of datetime64
    is_date: bool
    zone: tzinfo | None
    zone_name: str | None
    way_out: str
    place: str
    fill_in: str = "add the missing rows"

    def text(self, value) -> str:
        """Return a time as text."""
        return str(self.write(np.atleast_1d(value)).to_list()[0])

    def write(self, values: np.ndarray):
        """Return times as a series of narwhals."""
        import narwhals.stable.v2 as nw

        column = nw.new_series(self.name, values.astype(f"M8[{self.unit}]"), backend=self.backend)
        if self.is_date:
            return column.cast(nw.Date)
        if self.zone_name is None:
            return column
        return column.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone_name)


def _read_times(column, library: Library, argument: str) -> Labels:
    """Return the times of a column as labels of rows."""
    import narwhals.stable.v2 as nw

    is_date, zone_name = column.dtype == nw.Date, getattr(column.dtype, "time_zone", None)
    unit = "us" if is_date else column.dtype.time_unit
    if is_date:
        values = column.cast(nw.Datetime("us")).to_numpy()
    elif zone_name is None:
        values = column.to_numpy()
    else:
        values = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy()
    zone = None if zone_name is None else _zone_named(zone_name)
    place, way_out = f"column '{column.name}'", f"leave out the column '{column.name}'"
    style = TimesStyle(column.name, library.backend, unit, is_date, zone, zone_name, way_out, place)
    return Labels("times", values.astype(f"M8[{unit}]"), style, zone)


def _zone_named(name: str) -> tzinfo:
    """Return the zone of a name or of an offset such as +01:00."""
    from zoneinfo import ZoneInfo

    if name[0] in "+-":
        hours, minutes = int(name[1:3]), int(name[-2:])
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(offset if name[0] == "+" else -offset)
    return ZoneInfo(name)


def put_together(library: Library, columns: list[tuple], labels: Any, as_series: bool = False):
    """Return a Series or a frame of columns, (name, values), beside their labels if they have any.

    `labels` is an index of pandas or a column of times.
    """
    if library.name == "pandas":
        return _put_pandas_together(columns, labels, as_series)
    import narwhals.stable.v2 as nw

    parts = [nw.new_series(name, values, backend=library.backend) for name, values in columns]
    if labels is not None:
        parts.insert(library.times_at or 0, labels)
    frame = parts[0] if as_series else nw.from_dict({part.name: part for part in parts})
    return frame if library.wrapped else frame.to_native()


def _put_pandas_together(columns: list[tuple], labels, as_series: bool):
    import pandas as pd

    names, values = zip(*columns, strict=True)
    if as_series:
        return pd.Series(values[0], index=labels, name=names[0])
    return pd.DataFrame(np.stack(values, axis=1), index=labels, columns=list(names))
