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
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from esnkit.validation import finite_array

__all__ = [
    "Sequences",
    "Targets",
    "pack",
    "pack_targets",
    "pack_weights",
    "pool",
    "restore",
    "has_row_per_step",
    "stack_answers",
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

    def part(self, start: int, stop: int) -> "Sequences":
        """Return the sequences from ``start`` to before ``stop``."""
        offsets = self.offsets[start : stop + 1]
        return Sequences(self.values[offsets[0] : offsets[-1]], offsets - offsets[0], self.form)


class Targets(NamedTuple):
    """Targets as rows, one a time step or one a sequence."""

    values: np.ndarray  # (n_rows or n_sequences, n_outputs)
    kind: str  # "steps" or "sequence"
    flat: bool  # True where y had no axis for the outputs


def is_ragged(X: Any) -> bool:
    """Tell whether ``X`` is a list (or object array) of 2-D arrays."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and X.size > 0 and _ndim(X[0]) == 2
    return isinstance(X, (list, tuple)) and len(X) > 0 and _ndim(X[0]) == 2


def _ndim(item: Any) -> int | None:
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
    ndim = _ndim(X)
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
    elif _ndim(X) == 3:
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
    vectors = all(_ndim(item) == 1 and np.asarray(item).dtype.kind in "iu" for item in X)
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
        if _ndim(item) != 2 or issparse(item):
            raise ValueError(
                f"X[{i}] must be a 2-D array (n_timesteps, n_features) like X[0], "
                f"got {type(item).__name__} with ndim {_ndim(item)}"
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


def stack_answers(values: Any, n_rows: int) -> np.ndarray:
    """Stack the answers of a model to ``n_rows`` rows, whatever the container."""
    rows = np.concatenate(values) if isinstance(values, list) else values
    return rows.reshape(n_rows, -1)


def pool(rows: np.ndarray, offsets: np.ndarray, pooling: str, washout: int = 0) -> np.ndarray:
    """Reduce the rows of every sequence to one: the last, or the mean of those after the washout.

    Every sequence must be longer than ``washout``.
    """
    if pooling == "last":
        return rows[offsets[1:] - 1]
    starts = offsets[:-1] + washout
    sums = np.empty((starts.size, rows.shape[1]), rows.dtype)
    # One call a sequence: reduceat does the same in one, several times slower.
    for total, start, stop in zip(sums, starts, offsets[1:], strict=True):
        np.add.reduce(rows[start:stop], axis=0, out=total)
    return sums / (offsets[1:] - starts)[:, None].astype(rows.dtype)


def pack_targets(y: Any, sequences: Sequences, target: str, *, numeric: bool) -> Targets:
    """Return ``y`` as one row a time step or a sequence.

    Parameters
    ----------
    y : array-like or list of array-likes
    sequences : Sequences
    target : {"auto", "steps", "sequence"}
        What the rows of ``y`` belong to; "auto" tells from the shape and raises where it could
        mean both.
    numeric : bool
        True for numbers (refuses NaN and infinity), False for labels of any type.

    Returns
    -------
    Targets
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if sequences.form == "series":
        values = _as_values(y, numeric)
        kind = "sequence" if target == "sequence" else "steps"
        expected = sequences.n_sequences if kind == "sequence" else sequences.values.shape[0]
        _check_rows(values, expected, "sequence" if kind == "sequence" else "time step")
        return _targets(values, kind)
    if sequences.form == "ragged" and _is_list_of_rows(y):
        return _pack_ragged_targets(y, sequences, target, numeric)
    values = _as_values(y, numeric, max_ndim=3)
    n_sequences = sequences.n_sequences
    _check_rows(values, n_sequences, "sequence")
    n_timesteps = int(sequences.lengths[0])
    per_step = values.ndim > 1 and bool(np.all(sequences.lengths == values.shape[1]))
    if values.ndim == 3 or (per_step and target == "steps"):
        if not per_step or target == "sequence":
            raise ValueError(
                f"y has shape {values.shape}, which does not fit {n_sequences} sequences of "
                f"{n_timesteps} time steps with target={target!r}"
            )
        return _targets(values.reshape(-1, *values.shape[2:]), "steps")
    if target == "steps":
        raise ValueError(
            f"target='steps' needs a row of y for every time step, got y of shape {values.shape} "
            f"for {n_sequences} sequences"
        )
    if per_step and target == "auto":
        raise ValueError(
            f"y of shape {values.shape} could hold one value a time step or {n_timesteps} outputs "
            "a sequence: set target='steps' or target='sequence'"
        )
    return _targets(values, "sequence")


def _pack_ragged_targets(y: Any, sequences: Sequences, target: str, numeric: bool) -> Targets:
    lengths = sequences.lengths
    if len(y) != lengths.size:
        raise ValueError(f"y has {len(y)} items but X has {lengths.size} sequences")
    items = [_as_values(item, numeric, name=f"y[{i}]") for i, item in enumerate(y)]
    fits_steps = all(item.shape[0] == n for item, n in zip(items, lengths, strict=True))
    same_width = all(item.ndim == 1 and item.size == items[0].size for item in items)
    if target == "auto" and fits_steps and same_width and lengths.size > 1:
        raise ValueError(
            f"y could hold one value a time step or {items[0].size} outputs a sequence: set "
            "target='steps' or target='sequence'"
        )
    if target != "sequence" and fits_steps:
        if any(item.shape[1:] != items[0].shape[1:] for item in items):
            raise ValueError("all items of y must have the same number of outputs")
        return _targets(np.concatenate(items), "steps")
    if target != "steps" and same_width:
        return _targets(np.stack(items), "sequence")
    if fits_steps:
        raise ValueError(
            f"target={target!r} needs one target for every sequence, got y with a row for every "
            "time step"
        )
    wrong = next(i for i, n in enumerate(lengths) if items[i].shape[0] != n)
    raise ValueError(
        f"y[{wrong}] has {items[wrong].shape[0]} rows but X[{wrong}] has {lengths[wrong]} time "
        "steps; give a row a time step, or one target a sequence"
    )


def has_row_per_step(y: Any, sequences: Sequences) -> bool:
    """Tell whether the second axis of ``y`` is as long as every sequence."""
    expected = [(n,) for n in sequences.lengths.tolist()]
    if _is_list_of_rows(y):
        return [np.shape(item)[:1] for item in y] == expected
    return np.ndim(y) == 2 and [np.shape(y)[1:]] * len(y) == expected


def _is_list_of_rows(y: Any) -> bool:
    if isinstance(y, np.ndarray) and not (y.dtype == object and y.ndim == 1):
        return False
    return (
        isinstance(y, (list, tuple, np.ndarray))
        and len(y) > 0
        and (isinstance(y[0], (list, tuple)) or (_ndim(y[0]) or 0) > 0)
    )


def _own_type(labels: np.ndarray) -> np.ndarray:
    """Return numbers that lie in an array of objects, but are of one type, as that type."""
    kinds = {type(label) for label in labels.flat} if labels.dtype == object else set()
    return np.array(labels.tolist()) if kinds in ({int}, {bool}, {float}) else labels


def _as_values(y: Any, numeric: bool, max_ndim: int = 2, name: str = "y") -> np.ndarray:
    if hasattr(y, "toarray"):
        raise TypeError(f"{name} is sparse, but dense targets are required")
    if numeric:
        refuse_times(name, y)
    elif isinstance(y, np.ndarray) or hasattr(y, "iloc"):
        y = _own_type(np.asarray(y))
    with naming(name):
        values = check_array(
            y,
            dtype="numeric" if numeric else None,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=True,
            ensure_min_samples=0,
            ensure_min_features=0,
            input_name=name,
        )
    if values.ndim == 0 or values.ndim > max_ndim:
        raise ValueError(f"{name} has {values.ndim} dimensions, expected 1 to {max_ndim}")
    if values.size == 0 and values.ndim > 1:
        raise ValueError(f"{name} has shape {values.shape}: expected at least one output")
    return values


def _check_rows(values: np.ndarray, expected: int, what: str) -> None:
    if values.shape[0] != expected:
        raise ValueError(
            f"inconsistent numbers of samples: y has {values.shape[0]} rows but X has {expected} "
            f"{what}s, expected one row of y for every {what}"
        )


def _targets(values: np.ndarray, kind: str) -> Targets:
    return Targets(values.reshape(values.shape[0], -1), kind, values.ndim == 1)


def pack_weights(
    sample_weight: Any, sequences: Sequences, targets: Targets, washout: int = 0
) -> np.ndarray | None:
    """Return the teaching signal as weights of rows, or of rows and outputs; None where all count.

    A weight may be given per row, per sequence, or per row and output; the first ``washout`` rows
    of every sequence count for nothing where targets are a row a time step.
    """
    n_rows, n_outputs = targets.values.shape
    weights = None
    if sample_weight is not None:
        weights = _weight_rows(sample_weight, sequences, targets)
        if np.any(weights < 0):
            raise ValueError(
                f"sample_weight must be finite and >= 0 everywhere, got {weights.min()}"
            )
        if not np.any(weights):
            raise ValueError("sample_weight is zero everywhere: nothing is left to be taught")
    if washout and targets.kind == "steps":
        if np.all(sequences.lengths <= washout):
            raise ValueError(
                f"washout={washout} leaves no time step: the longest sequence has "
                f"n_samples={sequences.lengths.max()}"
            )
        weights = np.ones(n_rows) if weights is None else weights.copy()
        for start, stop in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
            weights[start : min(start + washout, stop)] = 0.0
        if not np.any(weights):
            raise ValueError(
                f"washout={washout} and sample_weight together leave nothing to be taught"
            )
    return weights


def _weight_rows(sample_weight: Any, sequences: Sequences, targets: Targets) -> np.ndarray:
    n_rows, n_outputs = targets.values.shape
    if sequences.form == "ragged" and targets.kind == "steps" and _is_list_of_rows(sample_weight):
        items = [finite_array("sample_weight", item) for item in sample_weight]
        if [item.shape[0] for item in items] != sequences.lengths.tolist():
            raise ValueError("sample_weight must have one item a sequence, one row a time step")
        for i, item in enumerate(items):
            if item.shape[1:] != items[0].shape[1:]:
                raise ValueError(
                    f"sample_weight[{i}] has shape {item.shape}, which does not go with "
                    f"{items[0].shape} of sample_weight[0]"
                )
        weights = np.concatenate(items)
    else:
        weights = finite_array("sample_weight", sample_weight)
        per_sequence = weights.ndim == 1 and weights.size == sequences.n_sequences
        if targets.kind == "steps" and sequences.form != "series":
            if per_sequence:
                weights = np.repeat(weights, sequences.lengths)
            elif weights.shape == (n_rows, n_outputs):
                pass
            elif weights.ndim > 1 and np.all(sequences.lengths == weights.shape[1]):
                weights = weights.reshape(-1, *weights.shape[2:])
    if weights.shape == (n_rows, 1):
        weights = weights[:, 0]
    if weights.shape not in ((n_rows,), (n_rows, n_outputs)):
        got, expected = weights.shape, f"({n_rows},) or ({n_rows}, {n_outputs})"
        if sequences.form == "batch" and targets.kind == "steps":
            n, n_steps = sequences.n_sequences, int(sequences.lengths[0])
            got = np.shape(sample_weight)
            expected = f"({n},), ({n}, {n_steps}) or ({n}, {n_steps}, {n_outputs})"
        raise ValueError(
            f"sample_weight has shape {got}, expected {expected}: a weight for every "
            "row, every sequence, or every row and output"
        )
    return weights
