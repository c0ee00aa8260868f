"""Packed sequences: all time steps of all sequences as rows of one array, with offsets.

Three containers come in and the answer goes out in the one that came in: a 2-D array is one
series, a 3-D array sequences of equal length, a list of 2-D arrays ragged sequences. Below this
file nothing asks which it was.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

__all__ = [
    "Sequences",
    "pack",
    "restore",
]

FLOATS = (np.float64, np.float32)


class Sequences(NamedTuple):
    """Rows of all sequences, end to end; sequence i is ``values[offsets[i]:offsets[i + 1]]``."""

    values: np.ndarray  # (n_rows, n_features), C-contiguous float64 or float32
    offsets: np.ndarray  # (n_sequences + 1,) int64
    form: str  # "series", "batch" or "ragged"

    @property
    def lengths(self) -> np.ndarray:
        """Number of time steps of every sequence."""
        return np.diff(self.offsets)

    @property
    def n_sequences(self) -> int:
        """Number of sequences."""
        return self.offsets.size - 1

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """First row, and one past the last row, of every sequence."""
        edges = self.offsets.tolist()
        return list(zip(edges[:-1], edges[1:], strict=True))

    def part(self, start: int, stop: int) -> "Sequences":
        """Return the sequences from ``start`` to before ``stop``."""
        offsets = self.offsets[start : stop + 1]
        return Sequences(self.values[offsets[0] : offsets[-1]], offsets - offsets[0], self.form)


def is_ragged(X: Any) -> bool:
    """Tell whether ``X`` is a list (or object array) of 2-D arrays."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and X.size > 0 and ndim_of(X[0]) == 2
    return isinstance(X, (list, tuple)) and len(X) > 0 and ndim_of(X[0]) == 2


def ndim_of(item: Any) -> int | None:
    return getattr(item, "ndim", None)


def pack(estimator: Any, X: Any, *, reset: bool, dtype: Any = FLOATS) -> Sequences:
    """Validate ``X`` with scikit-learn's own checks and return it packed.

    Parameters
    ----------
    estimator : estimator
        Gets (``reset=True``) or must match ``n_features_in_`` and ``feature_names_in_``.
    X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
            or list of arrays of shape (n_timesteps_i, n_features); where the estimator hears \
            tokens, or list of integer arrays of shape (n_timesteps_i,)
    reset : bool
        True in ``fit``.
    dtype : dtype or sequence of dtypes
        As in :func:`sklearn.utils.check_array`.

    Returns
    -------
    Sequences
    """
    ndim = ndim_of(X)
    no_array = X is None or isinstance(X, (str, bytes, dict))
    if (ndim is None and no_array) or (ndim is not None and ndim > 3):
        got = repr(X) if ndim is None else f"an array with dim {ndim}"
        raise ValueError(
            "X must be an array (n_timesteps, n_features) or (n_sequences, n_timesteps, "
            f"n_features), or a list of arrays (n_timesteps_i, n_features), got {got}"
        )
    if isinstance(X, (list, tuple)) and len(X) == 0:
        raise ValueError(
            "X is an empty list: expected 2-D arrays (n_timesteps, n_features), 0 sample(s) found"
        )
    if getattr(estimator, "n_tokens", None) is not None:
        X = _as_columns(X)
    if _is_nested(X):
        with naming("X"):
            X = [np.asarray(item) for item in X]
    if is_ragged(X):
        rows, offsets, form = *_stack(X), "ragged"
    elif ndim_of(X) == 3:
        array = np.asarray(X)
        if 0 in array.shape:
            raise ValueError(
                f"X has shape {array.shape}: expected at least one sequence, one time step and "
                "one feature, 0 sample(s) found"
            )
        n_sequences, n_timesteps, n_features = array.shape
        rows, form = array.reshape(-1, n_features), "batch"
        offsets = np.arange(n_sequences + 1, dtype=np.int64) * n_timesteps
    else:
        rows, offsets, form = X, None, "series"
    refuse_times("X", rows)
    # What overflows float32 becomes infinite, and is refused as that.
    with naming("X"), np.errstate(over="ignore", invalid="ignore"):
        # Kernels would be compiled once more for arrays that may not be written to.
        values = validate_data(
            estimator, rows, reset=reset, dtype=list(dtype), order="C", force_writeable=True
        )
    if offsets is None:
        offsets = np.array([0, values.shape[0]], dtype=np.int64)
    return Sequences(values, offsets, form)


def _is_nested(X: Any) -> bool:
    """Tell whether ``X`` is lists within lists within a list, as of JSON: sequences of rows."""
    for _ in range(2):
        if not isinstance(X, (list, tuple)) or len(X) == 0:
            return False
        X = X[0]
    return isinstance(X, (list, tuple))


def _as_columns(X: Any) -> Any:
    """Return a list of vectors of tokens as ragged sequences of one column; all else as it is."""
    if not isinstance(X, (list, tuple)):
        return X
    vectors = all(ndim_of(item) == 1 and np.asarray(item).dtype.kind in "iu" for item in X)
    return [np.asarray(item)[:, None] for item in X] if vectors else X


def refuse_times(name: str, values: Any) -> None:
    """Raise where times would silently become numbers."""
    dtypes: Any = getattr(values, "dtypes", getattr(values, "dtype", None))
    kinds = {getattr(dtype, "kind", "") for dtype in (dtypes if np.ndim(dtypes) else [dtypes])}
    if kinds & {"m", "M"}:
        raise ValueError(
            f"{name} must hold numbers, got times: leave them out, or make them numbers yourself"
        )


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put the name of the argument into messages of scikit-learn that lack it."""
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{name} must be an array of real numbers: {error}") from error
    except ValueError as error:
        if str(error).startswith(("could not convert", "Complex data", "dtype='numeric'")):
            raise ValueError(f"{name} must hold real numbers: {error}") from error
        if "inhomogeneous shape" in str(error) or "with a sequence" in str(error):
            raise ValueError(
                f"{name} holds items of different lengths: sequences of a list are 2-D arrays "
                f"(n_timesteps_i, n_features), so that one of tokens is array[:, None] ({error})"
            ) from error
        if not re.search(rf"\b{name}\b", str(error)):
            raise ValueError(f"{name} is not as expected: {error}") from error
        raise


def _stack(items: Any) -> tuple[Any, np.ndarray]:
    for i, item in enumerate(items):
        refuse_times(f"X[{i}]", item)
        if ndim_of(item) != 2 or issparse(item):
            raise ValueError(
                f"X[{i}] must be a 2-D array (n_timesteps, n_features) like X[0], "
                f"got {type(item).__name__} with ndim {ndim_of(item)}"
            )
        if item.shape[0] == 0:
            raise ValueError(f"X[{i}] is an empty sequence: expected at least one time step")
        if item.shape[1] != items[0].shape[1]:
            raise ValueError(
                f"X[{i}] has {item.shape[1]} features but X[0] has {items[0].shape[1]}: all "
                "sequences must have the same features"
            )
    offsets = np.concatenate([[0], np.cumsum([item.shape[0] for item in items])]).astype(np.int64)
    pandas = sys.modules.get("pandas")
    if pandas is not None and all(isinstance(item, pandas.DataFrame) for item in items):
        for i, item in enumerate(items):
            if list(item.columns) != list(items[0].columns):
                raise ValueError(f"X[{i}] has other columns than X[0]: {list(item.columns)}")
        return pandas.concat(list(items), ignore_index=True), offsets
    return np.concatenate([np.asarray(item) for item in items]), offsets


def restore(rows: np.ndarray, sequences: Sequences) -> Any:
    """Give rows, one a time step, back in the container that came in."""
    if sequences.form == "series":
        return rows
    if sequences.form == "batch":
        return rows.reshape(sequences.n_sequences, -1, *rows.shape[1:])
    return np.split(rows, sequences.offsets[1:-1])
