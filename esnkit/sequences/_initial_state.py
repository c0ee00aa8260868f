"""Where units start from, and which are held to what: states and clamps for packed sequences."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.sequences._packing import Sequences, is_ragged
from esnkit.utils._validation import finite_array

__all__ = ["Clamp", "clamp_rows", "no_clamp", "resolve_clamp", "resolve_initial_state"]


class Clamp(NamedTuple):
    """Units that are held at given values at every time step."""

    units: np.ndarray  # (n_clamped,) int64, positions in the state vector
    values: np.ndarray  # (n_rows, n_clamped), or one row for all time steps


def resolve_initial_state(
    initial_state: Any, n_sequences: int, n_units: int, dtype: Any
) -> np.ndarray:
    """Return the state every sequence starts from, ``(n_sequences, n_units)``, newly allocated.

    ``initial_state`` is None (zeros), a vector for all units, one row a sequence, or a pair
    ``(indices, values)`` for a subset of the units.
    """
    states = np.zeros((n_sequences, n_units), dtype=dtype)
    if initial_state is None:
        return states
    if isinstance(initial_state, tuple):
        units, values = _subset("initial_state", initial_state, n_units, dtype)
        if values.shape[0] not in (1, n_sequences):
            raise ValueError(
                f"initial_state has values of shape {values.shape}, expected ({units.size},) or "
                f"({n_sequences}, {units.size})"
            )
        states[:, units] = values
        return states
    values = finite_array("initial_state", initial_state, dtype)
    if values.shape not in ((n_units,), (1, n_units), (n_sequences, n_units)):
        raise ValueError(
            f"initial_state has shape {values.shape}, expected ({n_units},) or "
            f"({n_sequences}, {n_units})"
        )
    states[:] = values
    return states


def no_clamp(dtype: Any) -> Clamp:
    """Return a clamp of no units."""
    return Clamp(np.empty(0, dtype=np.int64), np.empty((1, 0), dtype=dtype))


def clamp_rows(values: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return what units are held to in some rows, of values in the form of `resolve_clamp`."""
    return values[start:stop] if len(values) > 1 else values


def resolve_clamp(clamp: Any, sequences: Sequences, n_units: int, dtype: Any) -> Clamp:
    """Return the units held at every time step and their values, one row or one a time step.

    ``clamp`` is None or a pair ``(indices, values)``: values of shape (n_held,), (n_rows, n_held),
    or sequence by sequence, as a list of arrays (n_timesteps_i, n_held) or a 3-D array.
    """
    if clamp is None:
        return no_clamp(dtype)
    if not isinstance(clamp, tuple):
        raise TypeError(f"clamp must be a pair (indices, values), got {type(clamp).__name__}")
    if len(clamp) == 2:
        clamp = clamp[0], _end_to_end(clamp[1], sequences)
    units, values = _subset("clamp", clamp, n_units, dtype)
    n_rows = sequences.values.shape[0]
    if values.shape[0] not in (1, n_rows):
        raise ValueError(
            f"clamp has values of shape {values.shape}, expected ({units.size},) or "
            f"({n_rows}, {units.size}), a row for every time step"
        )
    return Clamp(units, np.ascontiguousarray(values))


def _end_to_end(values: Any, sequences: Sequences) -> Any:
    """Stack values that come sequence by sequence; all others stay as they are."""
    given_apart = is_ragged(values) or getattr(values, "ndim", 0) == 3
    if sequences.form == "series" or not given_apart:
        return values
    if len(values) != sequences.n_sequences:
        raise ValueError(
            f"clamp has values for {len(values)} sequences, expected {sequences.n_sequences}"
        )
    items = [np.asarray(item) for item in values]
    for i, (item, length) in enumerate(zip(items, sequences.lengths, strict=True)):
        if item.ndim != 2 or item.shape != (length, items[0].shape[1]):
            raise ValueError(
                f"clamp has values of shape {item.shape} for sequence {i}, expected "
                f"({length}, {items[0].shape[1]}), a row for every time step"
            )
    return np.concatenate(items)


def _subset(name: str, pair: tuple, n_units: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    if len(pair) != 2:
        raise ValueError(f"{name} must be a pair (indices, values), got {len(pair)} items")
    units = np.atleast_1d(np.asarray(pair[0]))
    if units.ndim != 1 or units.dtype.kind not in "iu":
        raise ValueError(f"{name} needs a vector of unit indices, got {pair[0]!r}")
    units = units.astype(np.int64)
    if np.any(units < 0) or np.any(units >= n_units) or np.unique(units).size != units.size:
        raise ValueError(
            f"{name} needs distinct unit indices in [0, {n_units - 1}], got {units.tolist()}"
        )
    values = finite_array(name, pair[1], dtype)
    if values.shape in ((), (1,)):
        values = np.full((1, units.size), values.item())
    elif values.ndim == 1:
        values = values[:, None] if units.size == 1 else values[None]
    if values.ndim != 2 or values.shape[1] != units.size:
        raise ValueError(
            f"{name} has values of shape {np.shape(pair[1])}, expected ({units.size},) or rows of "
            f"{units.size} values, one for each unit"
        )
    return units, values
