"""Sequences side by side, laid out for the recurrent kernels."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from esnkit.sequences._initial_state import Clamp

__all__ = ["Batch", "InitialState", "halves", "make_batch"]


class InitialState(NamedTuple):
    """States before the first step that the caller gives; the network has the others."""

    values: np.ndarray  # (n_sequences, n_state)
    given: np.ndarray  # (n_state,) bool, or a single bool for all


class Batch(NamedTuple):
    """Sequences side by side; rows are in the order of the caller, columns longest first."""

    inputs: np.ndarray  # (n_rows, n_features), or (n_rows,) int64 tokens
    offsets: np.ndarray  # (n_sequences + 1,)
    order: np.ndarray  # (n_sequences,) the sequence of every column
    n: np.ndarray  # (n_timesteps,) sequences that still run at each step
    rows: np.ndarray  # (n_rows,) the row of every column of every step
    rows_reversed: np.ndarray  # the same where every sequence is read from its end
    initial_state: InitialState | None
    clamp: Clamp | None
    n_whole: int  # sequences of the whole batch, of which this may be a half


def make_batch(
    inputs: np.ndarray,
    offsets: np.ndarray,
    initial_state: InitialState | None = None,
    clamp: Clamp | None = None,
) -> Batch:
    """Lay out packed sequences for the kernels."""
    columns = _columns(offsets.astype(np.int64).tobytes())
    return Batch(inputs, offsets, *columns, initial_state, clamp, len(offsets) - 1)


@lru_cache(maxsize=8)  # batches of equal lengths differ in nothing but their inputs
def _columns(offsets_as_bytes: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return order, n, rows and rows_reversed, which depend on the offsets alone."""
    offsets = np.frombuffer(offsets_as_bytes, np.int64)
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")
    sorted_lengths = lengths[order]
    steps = np.arange(sorted_lengths[0])
    n = np.searchsorted(-sorted_lengths, -steps, side="left").astype(np.int64)
    column = np.arange(offsets[-1]) - np.repeat(np.cumsum(n) - n, n)
    step = np.repeat(steps, n)
    rows = offsets[:-1][order][column] + step
    rows_reversed = offsets[1:][order][column] - 1 - step
    return order, n, rows, rows_reversed


def halves(batch: Batch, n_first: int) -> list[Batch]:
    """Return the first n_first sequences of a batch, and the others."""
    offsets, parts = batch.offsets, []
    n, row = len(offsets) - 1, int(offsets[n_first])
    for first, last, rows in ((0, n_first, slice(0, row)), (n_first, n, slice(row, None))):
        start, clamp = batch.initial_state, batch.clamp
        half = make_batch(
            batch.inputs[rows],
            offsets[first : last + 1] - offsets[first],
            start and InitialState(start.values[first:last], start.given),
            clamp and Clamp(clamp.units, clamp.values[rows]),
        )
        parts.append(half._replace(n_whole=n))
    return parts
