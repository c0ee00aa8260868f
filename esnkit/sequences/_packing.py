"""Packed sequences: the time steps of all sequences as rows of one array, with offsets.

Three containers are accepted, and predictions are returned in the container of the inputs: a 2-D
array is one series, a 3-D array is a batch of sequences of equal length, a list of 2-D arrays
holds ragged sequences. Code that works on packed rows does not depend on the container.
"""

import sys
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from esnkit.utils._frames import (
    column_names,
    frame_ndim,
    has_frames,
    ndim_of,
    to_array,
    unwrap,
    validate_rows,
)
from esnkit.utils._validation import (
    name_in_errors,
    refuse_datetimes,
    refuse_masked,
    refuse_panel,
)

__all__ = [
    "FLOATS",
    "ROWS_AS_SEQUENCES",
    "Sequences",
    "are_vectors_of_integers",
    "is_ragged",
    "pack",
    "restore",
]

FLOATS = (np.float64, np.float32)
MIN_TOKENS_IN_LIST = 20  # shorter lists of integers may be rows of a table
ROWS_AS_SEQUENCES = (
    "if every row of X is a sequence, give X[:, :, None], or of a list of vectors "
    "[x[:, None] for x in X]"
)


class Sequences(NamedTuple):
    """Rows of all sequences, end to end; sequence i is ``values[offsets[i]:offsets[i + 1]]``.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
        C-contiguous, float64 or float32.
    offsets : ndarray of shape (n_sequences + 1,), int64
        First row of every sequence, and the number of rows.
    form : {"series", "batch", "ragged"}
        The container: a 2-D array, a 3-D array, or a list of 2-D arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.sequences import Sequences
    >>> sequences = Sequences(np.zeros((5, 1)), np.array([0, 2, 5]), "ragged")
    >>> sequences.n_sequences, sequences.lengths.tolist(), sequences.bounds
    (2, [2, 3], [(0, 2), (2, 5)])
    """

    values: np.ndarray
    offsets: np.ndarray
    form: str

    @property
    def lengths(self) -> np.ndarray:
        """Number of time steps of every sequence."""
        return self.offsets[1:] - self.offsets[:-1]  # np.diff takes five times as long

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
        """Return the sequences from ``start`` up to, but not including, ``stop``.

        Parameters
        ----------
        start, stop : int

        Returns
        -------
        Sequences
            Its rows are a view.
        """
        offsets = self.offsets[start : stop + 1]
        return Sequences(self.values[offsets[0] : offsets[-1]], offsets - offsets[0], self.form)

    def rows(self, first: int, last: int, start: int, stop: int) -> "Sequences":
        """Return the rows from ``start`` to ``stop`` of the sequences from ``first`` to ``last``.

        Parameters
        ----------
        first, last, start, stop : int
            Without the last of each.

        Returns
        -------
        Sequences
            These very ones if all rows are asked for; else its rows are a view.
        """
        if stop - start == len(self.values):
            return self
        offsets = np.clip(self.offsets[first : last + 1], start, stop) - start
        return Sequences(self.values[start:stop], offsets, self.form)


def is_ragged(X: Any) -> bool:
    """Return whether ``X`` is a list (or object array) of 2-D arrays."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and X.size > 0 and ndim_of(X[0]) == 2
    return isinstance(X, (list, tuple)) and len(X) > 0 and ndim_of(X[0]) == 2


def pack(estimator: Any, X: Any, *, reset: bool, dtype: Any = FLOATS) -> Sequences:
    """Validate ``X`` with scikit-learn's own checks and return it packed.

    Parameters
    ----------
    estimator : estimator
        Gets (``reset=True``) or must match ``n_features_in_`` and ``feature_names_in_``.
    X : array of shape (n_timesteps, n_features) or (n_sequences, n_timesteps, n_features), \
            or list of arrays of shape (n_timesteps_i, n_features); where the estimator has a \
            parameter ``n_tokens``, also a list of integer arrays of shape (n_timesteps_i,)
        Frames of pandas, polars and pyarrow are arrays with names of features.
    reset : bool
        True in ``fit``.
    dtype : sequence of dtypes, default=(float64, float32)
        As in :func:`sklearn.utils.check_array`: others become the first.

    Returns
    -------
    Sequences

    Raises
    ------
    TypeError, ValueError
        If ``X`` is in none of these forms, or its values are not real and finite.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from esnkit.sequences import pack
    >>> sequences = pack(BaseEstimator(), [np.zeros((2, 1)), np.ones((3, 1))], reset=True)
    >>> sequences.offsets.tolist(), sequences.form
    ([0, 2, 5], 'ragged')
    """
    if not reset and _is_valid(estimator, X, dtype):
        return Sequences(X, np.array([0, len(X)], dtype=np.int64), "series")
    _check_container(X)
    refuse_masked("X", X)
    X, named = _as_arrays(X)
    if getattr(estimator, "n_tokens", None) is not None:
        X = _tokens_as_columns(X)
    if _is_nested_list(X):
        with name_in_errors("X"):
            X = [np.asarray(item) for item in X]
    rows, offsets, form = _stack(X)
    refuse_datetimes("X", rows)
    if form == "series" and not reset:
        _refuse_rows_as_sequences(estimator, rows)
    # A number beyond the range of float32 becomes infinite, and is refused as infinite.
    with name_in_errors("X"), np.errstate(over="ignore", invalid="ignore"):
        # Read-only arrays would compile every kernel a second time.
        values = validate_rows(
            estimator, rows, named, reset=reset, dtype=list(dtype), force_writeable=True
        )
    if offsets is None:
        offsets = np.array([0, values.shape[0]], dtype=np.int64)
    return Sequences(values, offsets, form)


def _is_valid(estimator: Any, X: Any, dtype: Any) -> bool:
    """Return whether ``X`` is an array that all checks would return as it is.

    For a call with a single row, the checks would take longer than all the rest.
    """
    return (
        type(X) is np.ndarray
        and X.dtype in dtype
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and X.flags.c_contiguous
        and X.flags.writeable
        and getattr(estimator, "n_tokens", None) is None
        and not hasattr(estimator, "feature_names_in_")
        and bool(np.isfinite(X).all())
    )


def _as_arrays(X: Any) -> tuple[Any, Any]:
    """Return X without frames of polars and pyarrow, and a frame that names its columns or None.

    The frame is None where X itself names them.
    """
    if not isinstance(X, (list, tuple)) and not is_ragged(X):
        frame = unwrap(X)
        return to_array("X", frame), frame if frame_ndim(frame) == 2 else None
    if not has_frames(X):
        return X, None
    items = [unwrap(item) for item in X]
    named = items[0] if _have_names(items) else None
    return [to_array(f"X[{i}]", item) for i, item in enumerate(items)], named


def _have_names(items: Any) -> bool:
    """Return whether all sequences are frames; raise if their columns differ."""
    names = [column_names(item) for item in items]
    if any(columns is None for columns in names):
        return False
    for i, columns in enumerate(names):
        if columns != names[0]:
            raise ValueError(f"X[{i}] has other columns than X[0]: {columns}")
    return True


def _check_container(X: Any) -> None:
    """Raise if ``X`` is no array of at most three dimensions, no array-like and no list."""
    ndim = ndim_of(X)
    is_other = X is None or isinstance(X, (str, bytes, dict))
    if (ndim is None and is_other) or (ndim is not None and ndim > 3):
        got = repr(X) if ndim is None else f"an array with dim {ndim}"
        raise ValueError(
            "X must be an array (n_timesteps, n_features) or (n_sequences, n_timesteps, "
            f"n_features), or a list of arrays (n_timesteps_i, n_features), got {got}"
        )
    if isinstance(X, (list, tuple)) and len(X) == 0:
        raise ValueError(
            "X is an empty list: expected 2-D arrays (n_timesteps, n_features), 0 sample(s) found"
        )


def _refuse_rows_as_sequences(estimator: Any, rows: Any) -> None:
    """Raise if a series has many features, where one was fitted: its rows may be sequences."""
    n_features = rows.shape[1] if ndim_of(rows) == 2 else 1
    if n_features > getattr(estimator, "n_features_in_", 0) == 1:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting 1 features "
            f"as input: {ROWS_AS_SEQUENCES}"
        )


def _is_nested_list(X: Any) -> bool:
    """Return whether ``X`` is a list of lists of lists, as read from JSON: sequences of rows."""
    for _ in range(2):
        if not isinstance(X, (list, tuple)) or len(X) == 0:
            return False
        X = X[0]
    return isinstance(X, (list, tuple))


def _tokens_as_columns(X: Any) -> Any:
    """Return a list of token vectors as ragged sequences of one column; others unchanged."""
    return [np.asarray(item)[:, None] for item in X] if are_vectors_of_integers(X) else X


def are_vectors_of_integers(X: Any) -> bool:
    """Return whether ``X`` is a list of vectors of integers.

    Lists of integers are vectors, unless they are short and of equal length: rows of a table.

    Parameters
    ----------
    X : object

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.sequences._packing import are_vectors_of_integers
    >>> [are_vectors_of_integers(X) for X in ([np.arange(3)], [[1, 2, 3], [2]], [[1, 2], [3, 4]])]
    [True, True, False]
    """
    if not isinstance(X, (list, tuple)) or not X:
        return False
    if not all(isinstance(item, (list, tuple)) for item in X):
        return all(ndim_of(item) == 1 and _kind(item) in "iu" for item in X)
    is_table = len(X[0]) < MIN_TOKENS_IN_LIST and len({len(item) for item in X}) == 1
    return not is_table and all(_is_integer(number) for item in X for number in item)


def _kind(vector: Any) -> str:
    kind = getattr(getattr(vector, "dtype", None), "kind", None)
    return np.asarray(vector).dtype.kind if kind is None else kind


def _is_integer(number: Any) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)


def _stack(X: Any) -> tuple[Any, np.ndarray | None, str]:
    """Return all rows, the offsets of the sequences (None for one series), and the form."""
    if is_ragged(X):
        return *_stack_ragged(X), "ragged"
    if ndim_of(X) == 3:
        return *_stack_batch(np.asarray(X)), "batch"
    refuse_panel("X", X)
    _refuse_nested_frame(X)
    return X, None, "series"


def _refuse_nested_frame(X: Any) -> None:
    """Raise if the cells of a frame hold series, as in sktime."""
    if hasattr(X, "iloc") and X.ndim == 2 and X.size > 0 and ndim_of(X.iloc[0, 0]) == 1:
        raise ValueError(
            "X is a nested frame, whose cells hold series, as in sktime: give a list of sequences, "
            "[np.column_stack(list(row)) for row in X.to_numpy()]"
        )


def _stack_batch(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if 0 in array.shape:
        raise ValueError(
            f"X has shape {array.shape}: expected at least one sequence, one time step and "
            "one feature, 0 sample(s) found"
        )
    n_sequences, n_timesteps, n_features = array.shape
    offsets = np.arange(n_sequences + 1, dtype=np.int64) * n_timesteps
    return array.reshape(-1, n_features), offsets


def _stack_ragged(items: Any) -> tuple[Any, np.ndarray]:
    for i, item in enumerate(items):
        _check_item(i, item, items[0])
    offsets = np.concatenate([[0], np.cumsum([item.shape[0] for item in items])]).astype(np.int64)
    pandas = sys.modules.get("pandas")
    if pandas is None or not all(isinstance(item, pandas.DataFrame) for item in items):
        return np.concatenate([np.asarray(item) for item in items]), offsets
    _have_names(items)
    return pandas.concat(list(items), ignore_index=True), offsets


def _check_item(i: int, item: Any, first: Any) -> None:
    """Raise if sequence i is no 2-D array with the features of the first one."""
    refuse_datetimes(f"X[{i}]", item)
    refuse_panel(f"X[{i}]", item)
    if ndim_of(item) != 2 or issparse(item):
        raise ValueError(
            f"X[{i}] must be a 2-D array (n_timesteps, n_features) like X[0], "
            f"got {type(item).__name__} with ndim {ndim_of(item)}"
        )
    if item.shape[0] == 0:
        raise ValueError(f"X[{i}] is an empty sequence: expected at least one time step")
    if item.shape[1] != first.shape[1]:
        swapped = item.shape[0] == first.shape[0]
        hint = "; FromChannelsFirst() takes arrays (n_channels, n_timesteps_i)" if swapped else ""
        raise ValueError(
            f"X[{i}] has {item.shape[1]} features but X[0] has {first.shape[1]}: all "
            "sequences must have the same features" + hint
        )


def restore(rows: np.ndarray, sequences: Sequences) -> Any:
    """Return rows, one per time step, in the container that ``sequences`` was packed from.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, ...)
    sequences : Sequences

    Returns
    -------
    ndarray of shape (n_timesteps, ...) or (n_sequences, n_timesteps, ...), or list of arrays

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.sequences import Sequences, restore
    >>> sequences = Sequences(np.zeros((5, 1)), np.array([0, 2, 5]), "ragged")
    >>> [rows.tolist() for rows in restore(np.arange(5), sequences)]
    [[0, 1], [2, 3, 4]]
    """
    if sequences.form == "series":
        return rows
    if sequences.form == "batch":
        return rows.reshape(sequences.n_sequences, -1, *rows.shape[1:])
    return np.split(rows, sequences.offsets[1:-1])
