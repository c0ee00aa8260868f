"""Frames and columns of polars and pyarrow as arrays; they are read through narwhals.

Frames of pandas are not converted here: NumPy and scikit-learn read them themselves.
"""

import sys
from functools import lru_cache
from typing import Any

import numpy as np
import sklearn
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import check_array, validate_data

from esnkit.utils._pandas import is_frame

__all__ = [
    "column_names",
    "frame_ndim",
    "has_frames",
    "ndim_of",
    "read_frame",
    "to_array",
    "unwrap",
    "validate_rows",
]

# Number of dimensions of the classes that are read, by library and name.
NDIM = {
    ("polars", "DataFrame"): 2,
    ("polars", "LazyFrame"): 2,
    ("polars", "Series"): 1,
    ("pyarrow", "Table"): 2,
    ("pyarrow", "RecordBatch"): 2,
    ("pyarrow", "Array"): 1,
    ("pyarrow", "ChunkedArray"): 1,
    ("narwhals", "DataFrame"): 2,
    ("narwhals", "LazyFrame"): 2,
    ("narwhals", "Series"): 1,
}


def frame_ndim(obj: Any) -> int | None:
    """Return 2 for a frame and 1 for a column of polars, pyarrow or narwhals; None for others."""
    return _class_ndim(type(obj))  # type: ignore[arg-type]  # all classes are hashable


def has_frames(items: Any) -> bool:
    """Return whether a list has an item of polars, pyarrow or narwhals."""
    return any(map(_class_ndim, set(map(type, items))))


@lru_cache(maxsize=256)
def _class_ndim(cls: type) -> int | None:
    for base in cls.__mro__:
        ndim = NDIM.get((base.__module__.partition(".")[0], base.__name__))
        if ndim is not None:
            return ndim
    return None


def ndim_of(obj: Any) -> int | None:
    """Return the number of dimensions of an array, frame or column; None for all others."""
    ndim = getattr(obj, "ndim", None)
    return frame_ndim(obj) if ndim is None else ndim


def unwrap(obj: Any) -> Any:
    """Return the frame or column inside one of narwhals; others unchanged."""
    is_narwhals = frame_ndim(obj) and type(obj).__module__.partition(".")[0] == "narwhals"
    return obj.to_native() if is_narwhals else obj


def column_names(obj: Any) -> list | None:
    """Return the names of the columns of a frame; None for all others."""
    if is_frame(obj):
        return list(obj.columns)
    if frame_ndim(obj) != 2:
        return None
    return list(obj.column_names if hasattr(obj, "column_names") else obj.columns)


class _Columns:
    """The names of columns in the form that scikit-learn before 1.9 reads from any frame."""

    def __init__(self, frame: Any):
        self.shape, self._names = frame.shape, column_names(frame)

    def __dataframe__(self) -> "_Columns":
        return self

    def column_names(self) -> list | None:
        return self._names


def _names_for_sklearn(frame: Any) -> Any:
    """Return an object from which scikit-learn of any version reads the names of the columns."""
    if is_frame(frame):
        return frame
    if type(frame).__name__ == "RecordBatch":
        frame = _as_chunked("X", frame)
    is_old = parse_version(sklearn.__version__) < parse_version("1.9")
    return _Columns(frame) if is_old else frame


def validate_rows(
    estimator: Any, rows: Any, frame: Any, *, reset: bool, **params: Any
) -> np.ndarray:
    """Return rows validated by scikit-learn, as a C-contiguous array.

    ``frame`` has the names of their columns, where the rows have lost them; else it is None.
    """
    params["order"] = "C"
    if frame is None:
        return validate_data(estimator, rows, reset=reset, **params)
    validate_data(estimator, _names_for_sklearn(frame), reset=reset, skip_check_array=True)
    return check_array(rows, estimator=estimator, input_name="X", **params)


def to_array(name: str, obj: Any, *, numeric: bool = True) -> np.ndarray:
    """Return a frame as a 2-D array and a column as a 1-D array; others unchanged.

    Missing numbers become NaN, other missing values None. With ``numeric`` time stamps and
    durations are refused, which would silently become numbers.
    """
    obj = unwrap(obj)
    ndim = frame_ndim(obj)
    if ndim is None:
        return obj
    frame = read_frame(name, obj)
    if ndim == 1:
        return _column_to_array(name, frame, numeric)
    columns = [
        _column_to_array(name, column, numeric, f" in column {column.name!r}")
        for column in frame.iter_columns()
    ]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def read_frame(name: str, obj: Any) -> Any:
    """Return a frame or column in the form of narwhals, or raise."""
    kind = f"{type(obj).__module__.partition('.')[0]} {type(obj).__name__}"
    if type(obj).__name__ == "LazyFrame":
        raise TypeError(f"{name} is a {kind}, which holds no values yet: give {name}.collect()")
    try:
        import narwhals
    except ImportError as error:
        raise ImportError(
            f"{name} is a {kind}, which is read through narwhals: install it with "
            f"pip install 'esnkit[dataframe]', or give {name} as a NumPy array"
        ) from error
    if kind.startswith("pyarrow"):
        obj = _as_chunked(name, obj)
    return narwhals.from_native(obj, eager_only=frame_ndim(obj) == 2, allow_series=True)


def _as_chunked(name: str, obj: Any) -> Any:
    """Return a table or a chunked array of pyarrow, which narwhals reads."""
    pyarrow: Any = sys.modules["pyarrow"]
    if isinstance(obj, pyarrow.Array):
        return pyarrow.chunked_array([obj])
    if isinstance(obj, pyarrow.ChunkedArray):
        return obj
    if len(set(obj.schema.names)) < len(obj.schema.names):
        raise ValueError(f"{name} must have distinct names of columns, got {obj.schema.names}")
    return pyarrow.Table.from_batches([obj]) if isinstance(obj, pyarrow.RecordBatch) else obj


def _column_to_array(name: str, column: Any, numeric: bool, where: str = "") -> np.ndarray:
    dtype = column.dtype
    if numeric and dtype.is_temporal():
        raise ValueError(
            f"{name} must hold numbers, got times{where}: remove them or convert them to numbers"
        )
    if dtype.is_nested():
        raise ValueError(f"{name} must hold one value per row, got {dtype}{where}")
    if dtype.is_decimal() or dtype in _wide_integers():
        import narwhals

        column = column.cast(narwhals.Float64)
    return column.to_numpy()


def _wide_integers() -> tuple:
    """Return the types of integers that NumPy does not have."""
    import narwhals

    return narwhals.Int128, narwhals.UInt128
