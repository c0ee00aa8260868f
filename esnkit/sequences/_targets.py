"""Targets as rows: one for every time step, or one for every sequence."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from esnkit.sequences._packing import Sequences, naming, ndim_of, refuse_times


class Targets(NamedTuple):
    """Targets as rows, one a time step or one a sequence."""

    values: np.ndarray  # (n_rows or n_sequences, n_outputs)
    kind: str  # "steps" or "sequence"
    flat: bool  # True where y had no axis for the outputs


class Encoded(NamedTuple):
    """Targets as the numbers that a model is fitted to."""

    targets: Targets  # of a classifier the indicators of the classes
    weights: np.ndarray | None = None  # (n_targets,) class weights
    classes: np.ndarray | None = None  # the sorted labels of a classifier


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
    if sequences.form == "ragged" and is_list_of_rows(y):
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
    if is_list_of_rows(y):
        return [np.shape(item)[:1] for item in y] == expected
    return np.ndim(y) == 2 and [np.shape(y)[1:]] * len(y) == expected


def is_list_of_rows(y: Any) -> bool:
    if isinstance(y, np.ndarray) and not (y.dtype == object and y.ndim == 1):
        return False
    return (
        isinstance(y, (list, tuple, np.ndarray))
        and len(y) > 0
        and (isinstance(y[0], (list, tuple)) or (ndim_of(y[0]) or 0) > 0)
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


def stack_predictions(values: Any, n_rows: int) -> np.ndarray:
    """Stack the answers of a model to ``n_rows`` rows, whatever the container."""
    rows = np.concatenate(values) if isinstance(values, list) else values
    return rows.reshape(n_rows, -1)
