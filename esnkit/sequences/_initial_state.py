"""Initial states and clamps of packed sequences."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.sequences._packing import Sequences, is_ragged
from esnkit.utils._validation import finite_array, refuse_masked

__all__ = ["Clamp", "clamp_rows", "no_clamp", "resolve_clamp", "resolve_initial_state"]


class Clamp(NamedTuple):
    """Units that are held at given values at every time step.

    Parameters
    ----------
    units : ndarray of shape (n_clamped,), int64
        Positions in the state vector.
    values : ndarray of shape (n_rows, n_clamped) or (1, n_clamped)
        Values of every time step, or one row for all time steps.
    """

    units: np.ndarray
    values: np.ndarray


def resolve_initial_state(
    initial_state: Any, n_sequences: int, n_units: int, dtype: Any
) -> np.ndarray:
    """Return the initial state of every sequence in a new array.

    Parameters
    ----------
    initial_state : None, array-like or tuple (indices, values)
        None for zeros, a vector (n_units,) for all sequences, one row per sequence, or a pair
        (indices, values) for a subset of the units; the others start from zero.
    n_sequences, n_units : int
    dtype : dtype

    Returns
    -------
    ndarray of shape (n_sequences, n_units)

    Raises
    ------
    ValueError
        If shapes do not fit, or values are not finite.

    Examples
    --------
    >>> from esnkit.sequences import resolve_initial_state
    >>> resolve_initial_state(([2], [0.5]), 2, 3, float)
    array([[0. , 0. , 0.5],
           [0. , 0. , 0.5]])
    """
    states = np.zeros((n_sequences, n_units), dtype=dtype)
    if initial_state is None:
        return states
    refuse_masked("initial_state", initial_state)
    if isinstance(initial_state, tuple):
        units, values = _check_subset("initial_state", initial_state, n_units, dtype)
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
    """Return the values of a clamp for the time steps from ``start`` to before ``stop``."""
    return values[start:stop] if len(values) > 1 else values


def resolve_clamp(clamp: Any, sequences: Sequences, n_units: int, dtype: Any) -> Clamp:
    """Return a clamp with checked units, and values as one row or one row per time step.

    Parameters
    ----------
    clamp : None or tuple (indices, values)
        Values of shape (n_clamped,), (n_rows, n_clamped), or one item per sequence: a list of
        arrays (n_timesteps_i, n_clamped) or a 3-D array.
    sequences : Sequences
    n_units : int
    dtype : dtype

    Returns
    -------
    Clamp

    Raises
    ------
    TypeError
        If ``clamp`` is no pair.
    ValueError
        If units or shapes do not fit, or values are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.sequences import Sequences, resolve_clamp
    >>> sequences = Sequences(np.zeros((5, 1)), np.array([0, 2, 5]), "ragged")
    >>> resolve_clamp(([3, 0], [1.0, -1.0]), sequences, 4, float)
    Clamp(units=array([3, 0]), values=array([[ 1., -1.]]))
    """
    if clamp is None:
        return no_clamp(dtype)
    refuse_masked("clamp", clamp)
    if not isinstance(clamp, tuple):
        raise TypeError(f"clamp must be a pair (indices, values), got {type(clamp).__name__}")
    if len(clamp) == 2:
        clamp = clamp[0], _stack_clamp_values(clamp[1], sequences)
    units, values = _check_subset("clamp", clamp, n_units, dtype)
    n_rows = sequences.values.shape[0]
    if values.shape[0] not in (1, n_rows):
        raise ValueError(
            f"clamp has values of shape {values.shape}, expected ({units.size},) or "
            f"({n_rows}, {units.size}), a row for every time step"
        )
    return Clamp(units, np.ascontiguousarray(values))


def _stack_clamp_values(values: Any, sequences: Sequences) -> Any:
    """Stack values that are given per sequence; return others unchanged."""
    is_per_sequence = is_ragged(values) or getattr(values, "ndim", 0) == 3
    if sequences.form == "series" or not is_per_sequence:
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


def _check_subset(
    name: str, pair: tuple, n_units: int, dtype: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Return the units and values (1 or more rows, n_subset) of a pair, or raise."""
    if len(pair) != 2:
        raise ValueError(f"{name} must be a pair (indices, values), got {len(pair)} items")
    units = _check_units(name, pair[0], n_units)
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


def _check_units(name: str, indices: Any, n_units: int) -> np.ndarray:
    units = np.atleast_1d(np.asarray(indices))
    if units.ndim != 1 or units.dtype.kind not in "iu":
        raise ValueError(f"{name} needs a vector of unit indices, got {indices!r}")
    units = units.astype(np.int64)
    if np.any(units < 0) or np.any(units >= n_units) or np.unique(units).size != units.size:
        raise ValueError(
            f"{name} needs distinct unit indices in [0, {n_units - 1}], got {units.tolist()}"
        )
    return units
