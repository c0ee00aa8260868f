"""Targets as rows: one per time step, or one per sequence."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from esnkit.sequences._packing import ROWS_AS_SEQUENCES, Sequences
from esnkit.utils._frames import ndim_of, to_array
from esnkit.utils._validation import (
    name_in_errors,
    refuse_datetimes,
    refuse_masked,
    refuse_missing,
    refuse_panel,
)

__all__ = [
    "Encoded",
    "Targets",
    "has_row_per_step",
    "is_list_of_rows",
    "labels_of",
    "pack_targets",
    "stack_predictions",
]


class Targets(NamedTuple):
    """Targets as rows, one per time step or one per sequence.

    Parameters
    ----------
    values : ndarray of shape (n_rows or n_sequences, n_outputs)
    kind : {"steps", "sequence"}
        Whether a row belongs to a time step or to a sequence.
    flat : bool
        True if ``y`` had no axis for the outputs, so that predictions must not have one either.
    """

    values: np.ndarray
    kind: str
    flat: bool


class Encoded(NamedTuple):
    """Targets as the numbers that a model is fitted to."""

    targets: Targets  # for a classifier, the indicators of the classes
    weights: np.ndarray | None = None  # (n_targets,) class weights
    classes: np.ndarray | None = None  # the sorted labels of a classifier


def pack_targets(y: Any, sequences: Sequences, target: str, *, numeric: bool) -> Targets:
    """Return ``y`` with one row per time step or per sequence.

    Parameters
    ----------
    y : array-like or list of array-likes
    sequences : Sequences
    target : {"auto", "steps", "sequence"}
        What the rows of ``y`` belong to; "auto" decides by the shape, and raises if the shape fits
        both.
    numeric : bool
        True for numbers (refuses NaN and infinity), False for labels of any type.

    Returns
    -------
    Targets

    Raises
    ------
    TypeError, ValueError
        If ``y`` does not fit the sequences or the kind of target.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.sequences import Sequences, pack_targets
    >>> sequences = Sequences(np.zeros((6, 1)), np.array([0, 3, 6]), "batch")
    >>> pack_targets([1.0, 2.0], sequences, "auto", numeric=True).kind
    'sequence'
    >>> pack_targets(np.zeros((2, 3, 1)), sequences, "auto", numeric=True).kind
    'steps'
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    refuse_masked("y", y)
    y = _without_frames(y, numeric)
    if sequences.form == "series":
        if target != "sequence":
            refuse_panel("y", y)
        return _pack_series_targets(_as_values(y, numeric), sequences, target)
    if sequences.form == "ragged" and is_list_of_rows(y):
        return _pack_ragged_targets(y, sequences, target, numeric)
    return _pack_batch_targets(_as_values(y, numeric, max_ndim=3), sequences, target)


def _without_frames(y: Any, numeric: bool) -> Any:
    """Return y with arrays for the frames and columns of polars and pyarrow."""
    if is_list_of_rows(y):
        return [to_array(f"y[{i}]", item, numeric=numeric) for i, item in enumerate(y)]
    return to_array("y", y, numeric=numeric)


def _pack_series_targets(values: np.ndarray, sequences: Sequences, target: str) -> Targets:
    if target == "sequence":
        if len(values) != 1:
            raise ValueError(
                f"X of shape {sequences.values.shape} is one series, but y has {len(values)} rows "
                "with target='sequence', expected one row of y for every sequence: "
                f"{ROWS_AS_SEQUENCES}"
            )
        return _as_targets(values, "sequence")
    _check_n_rows(values, sequences.values.shape[0], "time step")
    return _as_targets(values, "steps")


def _pack_batch_targets(values: np.ndarray, sequences: Sequences, target: str) -> Targets:
    """Pack an array whose first axis is that of the sequences."""
    n_sequences = sequences.n_sequences
    _check_n_rows(values, n_sequences, "sequence")
    n_timesteps = int(sequences.lengths[0])
    fits_steps = values.ndim > 1 and bool(np.all(sequences.lengths == values.shape[1]))
    if values.ndim == 3 or (fits_steps and target == "steps"):
        if not fits_steps or target == "sequence":
            raise ValueError(
                f"y has shape {values.shape}, which does not fit {n_sequences} sequences of "
                f"{n_timesteps} time steps with target={target!r}"
            )
        return _as_targets(values.reshape(-1, *values.shape[2:]), "steps")
    if target == "steps":
        raise ValueError(
            f"target='steps' needs a row of y for every time step, got y of shape {values.shape} "
            f"for {n_sequences} sequences"
        )
    if fits_steps and target == "auto":
        raise ValueError(
            f"y of shape {values.shape} could hold one value per time step or {n_timesteps} "
            "outputs per sequence: set target='steps' or target='sequence'"
        )
    return _as_targets(values, "sequence")


def _pack_ragged_targets(y: Any, sequences: Sequences, target: str, numeric: bool) -> Targets:
    """Pack a list with one item per sequence."""
    lengths = sequences.lengths
    if len(y) != lengths.size:
        raise ValueError(f"y has {len(y)} items but X has {lengths.size} sequences")
    items = [_as_values(item, numeric, name=f"y[{i}]") for i, item in enumerate(y)]
    fits_steps = all(item.shape[0] == n for item, n in zip(items, lengths, strict=True))
    fits_sequence = all(item.ndim == 1 and item.size == items[0].size for item in items)
    if target == "auto" and fits_steps and fits_sequence and lengths.size > 1:
        raise ValueError(
            f"y could hold one value per time step or {items[0].size} outputs per sequence: set "
            "target='steps' or target='sequence'"
        )
    if target != "sequence" and fits_steps:
        if any(item.shape[1:] != items[0].shape[1:] for item in items):
            raise ValueError("all items of y must have the same number of outputs")
        return _as_targets(np.concatenate(items), "steps")
    if target != "steps" and fits_sequence:
        return _as_targets(np.stack(items), "sequence")
    raise ValueError(_ragged_mismatch(items, lengths, target, fits_steps))


def _ragged_mismatch(items: list, lengths: np.ndarray, target: str, fits_steps: bool) -> str:
    """Return the message for items that fit neither time steps nor sequences."""
    if fits_steps:
        return (
            f"target={target!r} needs one target for every sequence, got y with a row for every "
            "time step"
        )
    wrong = next(i for i, n in enumerate(lengths) if items[i].shape[0] != n)
    return (
        f"y[{wrong}] has {items[wrong].shape[0]} rows but X[{wrong}] has {lengths[wrong]} time "
        "steps: give one row per time step, or one target per sequence"
    )


def has_row_per_step(y: Any, sequences: Sequences) -> bool:
    """Return whether the second axis of ``y`` is as long as every sequence."""
    expected = [(n,) for n in sequences.lengths.tolist()]
    if is_list_of_rows(y):
        return [np.shape(item)[:1] for item in y] == expected
    return np.ndim(y) == 2 and [np.shape(y)[1:]] * len(y) == expected


def is_list_of_rows(y: Any) -> bool:
    """Return whether ``y`` is a list (or object array) whose first item is itself a sequence."""
    if isinstance(y, np.ndarray) and not (y.dtype == object and y.ndim == 1):
        return False
    return (
        isinstance(y, (list, tuple, np.ndarray))
        and len(y) > 0
        and (isinstance(y[0], (list, tuple)) or (ndim_of(y[0]) or 0) > 0)
    )


def _as_plain_dtype(labels: np.ndarray) -> np.ndarray:
    """Return an object array of ints, bools or floats as an array of that type."""
    kinds = {type(label) for label in labels.flat} if labels.dtype == object else set()
    return np.array(labels.tolist()) if kinds in ({int}, {bool}, {float}) else labels


def _as_values(y: Any, numeric: bool, max_ndim: int = 2, name: str = "y") -> np.ndarray:
    """Return targets as an array of 1 to ``max_ndim`` dimensions, or raise."""
    if hasattr(y, "toarray"):
        raise TypeError(f"{name} is sparse, but dense targets are required: use {name}.toarray()")
    if numeric:
        refuse_datetimes(name, y)
    elif isinstance(y, np.ndarray) or hasattr(y, "iloc"):
        y = _as_plain_dtype(np.asarray(y))
    if not numeric:
        remedy = "leave its row out, or give it any label and sample_weight=0"
        refuse_missing(name, y, remedy)
    with name_in_errors(name):
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


def _check_n_rows(values: np.ndarray, expected: int, unit: str) -> None:
    if values.shape[0] != expected:
        raise ValueError(
            f"inconsistent numbers of samples: y has {values.shape[0]} rows but X has {expected} "
            f"{unit}s, expected one row of y for every {unit}"
        )


def _as_targets(values: np.ndarray, kind: str) -> Targets:
    return Targets(values.reshape(values.shape[0], -1), kind, values.ndim == 1)


def labels_of(rows: np.ndarray) -> np.ndarray:
    """Return the labels (n_rows,) of rows with one column, or raise."""
    if rows.shape[1] > 1:
        raise ValueError(f"y must hold one label each, got {rows.shape[1]} columns")
    return rows[:, 0]


def stack_predictions(values: Any, n_rows: int) -> np.ndarray:
    """Return predictions in any container as rows (n_rows, n_outputs)."""
    rows = np.concatenate(values) if isinstance(values, list) else values
    return rows.reshape(n_rows, -1)
