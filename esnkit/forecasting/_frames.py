"""Containers of series: arrays, pandas, and the frames that narwhals reads (polars, pyarrow).

A container is taken apart into numbers, names of columns and labels of rows, and put together
again. Frames of polars and pyarrow have no index: their column of dates or times plays its part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._id_dtype import IdDtype, as_column, as_index, dtype_of_index
from esnkit.forecasting._index import read_index
from esnkit.forecasting._labels import Labels
from esnkit.utils._frames import frame_ndim, has_frames, ndim_of, read_frame, unwrap
from esnkit.utils._pandas import is_frame, is_pandas
from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import refuse_masked


@plain_record
class Library(NamedTuple):
    """What writes a container."""

    name: str  # "pandas" or "narwhals"
    backend: Any = None  # its name in narwhals
    wrapper: str = ""  # module of narwhals that the container itself is of, if it is of one
    times_at: int | None = None  # position of the column of times
    levels: tuple = (None,)  # names of the levels of the columns of pandas
    ids: IdDtype | None = None  # of a long frame, or of the columns of one of pandas


class Table(NamedTuple):
    """A container taken apart."""

    numbers: Any  # 2-D, as scikit-learn reads it
    ndim: int
    names: tuple | None = None  # of its columns
    library: Library | None = None  # None for arrays
    index: Any = None  # of pandas, or the column of times; of a LabelledSeries its labels

    def labels(self, argument: str) -> Labels | None:
        """Return the labels of the rows, None if they have none."""
        if self.index is None:
            return None
        if self.library is None:
            return self.index
        if self.library.name == "pandas":
            return read_index(self.index, argument)
        return _read_times(self.index, self.library, argument)


class NamedColumns(NamedTuple):
    """An array whose columns have names, for messages."""

    values: np.ndarray  # (n_rows, n_columns)
    names: tuple


def columns_or_none(values: np.ndarray, names: tuple | None):
    """Return columns with their names, if they have any; None if there is no column."""
    if not values.shape[1]:
        return None
    return values if names is None else NamedColumns(values, names)


class LabelledSeries(NamedTuple):
    """An array with labels of its rows, as of a file; what is forecast from it are arrays."""

    values: np.ndarray  # (n_rows,) or (n_rows, n_series)
    labels: Labels | None


def take_apart(container, argument: str) -> Table:
    """Return the parts of a series or of exogenous inputs."""
    if isinstance(container, NamedColumns):
        return Table(container.values, 2, container.names)
    if isinstance(container, LabelledSeries):
        return Table(_as_2d(container.values), container.values.ndim, index=container.labels)
    if is_pandas(container) or _has_labels(unwrap(container)):
        return _take_pandas_apart(unwrap(container), argument, _wrapper(container))
    if frame_ndim(container):
        return _take_frame_apart(container, argument)
    _refuse_lists_of_frames(container, argument)
    refuse_masked(argument, container)
    array = container
    if not hasattr(container, "ndim"):
        try:
            array = np.asarray(container)
        except ValueError as error:
            raise ValueError(f"{argument} must be 1-D or 2-D: {error}") from None
    _check_shape(array, argument)
    _refuse_times([getattr(array, "dtype", None)], argument)
    return Table(_as_2d(array), array.ndim)


def slice_rows(container, start: int, stop: int):
    """Return some rows of a container, in its kind."""
    if isinstance(container, NamedColumns):
        return container._replace(values=container.values[start:stop])
    if is_pandas(container):
        return container.iloc[start:stop]
    if frame_ndim(container):
        return _in_wrapper(_wrapper(container), read_frame("exog", unwrap(container))[start:stop])
    return np.asarray(container)[start:stop]


def n_dimensions(container) -> int:
    """Return the number of dimensions of a container, before it is read."""
    ndim = ndim_of(container)
    return np.ndim(container) if ndim is None else ndim


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


def _has_labels(container) -> bool:
    """Tell whether an object is one of pandas whose index is more than numbers of its rows."""
    return is_pandas(container) and getattr(container.index.dtype, "kind", "O") not in "iu"


def _take_pandas_apart(container, argument: str, wrapper: str = "") -> Table:
    _check_shape(container, argument)
    _refuse_times(list(container.dtypes) if is_frame(container) else [container.dtype], argument)
    names = tuple(container.columns) if container.ndim == 2 else (container.name,)
    numbers = container if container.ndim == 2 else _as_2d(np.asarray(container))
    levels, ids = (None,), None
    if container.ndim == 2:
        levels, ids = tuple(container.columns.names), dtype_of_index(container.columns.dtype)
    library = Library("pandas", wrapper=wrapper, levels=levels, ids=ids)
    return Table(numbers, container.ndim, names, library, container.index)


def _refuse_lists_of_frames(container, argument: str) -> None:
    if not isinstance(container, list | tuple) or not container:
        return
    if has_frames(container) or is_pandas(container[0]):
        library = type(container[0]).__module__.partition(".")[0]
        raise ValueError(
            f"{argument} must be one series, got a list of {len(container)} objects of {library}; "
            "give them to PanelForecaster, or concatenate their rows if they are one series"
        )


def _wrapper(container) -> str:
    """Return the module of narwhals whose frame or series a container is, or nothing."""
    parts = type(container).__module__.split(".")
    if parts[0] != "narwhals":
        return ""
    return ".".join(parts[:3]) if parts[1] == "stable" else "narwhals"


def _in_wrapper(wrapper: str, frame):
    """Return a frame or series of narwhals in the class of its own library, or of the wrapper."""
    native = frame.to_native()
    if not wrapper:
        return native
    return import_module(wrapper).from_native(native, allow_series=True)


def _take_frame_apart(container, argument: str) -> Table:
    frame = read_frame(argument, unwrap(container))
    is_series = frame_ndim(container) == 1
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
    times_at = times[0] if times else None
    library = Library("narwhals", frame.implementation.value, _wrapper(container), times_at)
    names = tuple(column.name for column in numbers)
    index = columns[times[0]] if times else None
    return Table(values, 1 if is_series else 2, names, library, index)


def _is_time(dtype) -> bool:
    import narwhals as nw

    return dtype == nw.Date or dtype == nw.Datetime


def _numbers_of(column, argument: str) -> np.ndarray:
    """Return a column as float64, missing values as NaN."""
    import narwhals as nw

    if not (column.dtype.is_numeric() or column.dtype == nw.Boolean):
        raise ValueError(
            f"{argument} must hold numbers, got the column '{column.name}' of {column.dtype}; "
            "convert it, or leave it out"
        )
    return column.cast(nw.Float64).to_numpy()


@plain_record
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
    names_zone = True

    def text(self, value) -> str:
        """Return a time as text."""
        return str(self.write(np.atleast_1d(value)).to_list()[0])

    def write(self, values: np.ndarray):
        """Return times as a series of narwhals."""
        import narwhals as nw

        column = nw.new_series(self.name, values.astype(f"M8[{self.unit}]"), backend=self.backend)
        if self.is_date:
            return column.cast(nw.Date)
        if self.zone_name is None:
            return column
        return column.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone_name)


def _read_times(column, library: Library, argument: str) -> Labels:
    """Return the times of a column as labels of rows."""
    import narwhals as nw

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
        return _put_pandas_together(columns, labels, library, as_series)
    import narwhals as nw

    parts = [_as_series(name, values, library) for name, values in columns]
    if labels is not None:
        parts.insert(library.times_at or 0, labels)
    frame = parts[0] if as_series else nw.from_dict({part.name: part for part in parts})
    return _in_wrapper(library.wrapper, frame)


def as_table(library: Library, columns: dict) -> Any:
    """Return a frame of columns: arrays, lists, indices of pandas or series of narwhals."""
    if library.name == "pandas":
        import pandas as pd

        return pd.DataFrame(columns)
    import narwhals as nw

    parts = {name: _as_series(name, values, library) for name, values in columns.items()}
    return _in_wrapper(library.wrapper, nw.from_dict(parts))


def _as_series(name: str, values: Any, library: Library) -> Any:
    """Return values, if they are no series of narwhals, as one."""
    import narwhals as nw

    if isinstance(values, nw.Series):
        return values.alias(name)
    return nw.new_series(name, values, backend=library.backend)


def ids_as_column(library: Library, name: Any, ids: list) -> Any:
    """Return ids of a long frame, one per row: an index of pandas, or a series of narwhals."""
    assert library.ids is not None
    if library.name == "pandas":
        return as_index(ids, library.ids, name)
    return as_column(name, ids, library.ids, library.backend)


def put_windows_together(library: Library, columns: list[tuple], origins: Any, labels: Any):
    """Return a frame of columns whose rows are labelled twice: by their origin, and by themselves.

    In pandas both are levels of the index, elsewhere the first two columns.
    """
    if library.name == "pandas":
        import pandas as pd

        names = ["origin", "time" if labels.name is None else labels.name]
        index = pd.MultiIndex.from_arrays([origins, labels], names=names)
        return _put_pandas_together(columns, index, library)
    import narwhals as nw

    parts = [nw.new_series(name, values, backend=library.backend) for name, values in columns]
    parts = [origins.alias("origin"), labels, *parts]
    return _in_wrapper(library.wrapper, nw.from_dict({part.name: part for part in parts}))


def _put_pandas_together(columns: list[tuple], labels, library: Library, as_series: bool = False):
    import pandas as pd

    names, values = zip(*columns, strict=True)
    if as_series:
        found: Any = pd.Series(values[0], index=labels, name=names[0])
    else:
        found = pd.DataFrame(np.stack(values, axis=1), labels, _columns_of(names, library))
    wrapper = library.wrapper
    return import_module(wrapper).from_native(found, allow_series=True) if wrapper else found


def _columns_of(names: tuple, library: Library):
    """Return the columns of a frame of pandas."""
    import pandas as pd

    levels = library.levels
    if library.ids is not None and len(levels) == 1:
        return as_index(list(names), library.ids, levels[0])
    if len(levels) > 1 and all(isinstance(name, tuple) for name in names):
        return pd.MultiIndex.from_tuples(names, names=levels)
    return pd.Index(list(names), name=levels[0] if len(levels) == 1 else None, tupleize_cols=False)
