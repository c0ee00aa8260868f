"""Features of the readout: reservoir features, with the inputs beside them, pooled if asked for."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._blocks import BLOCK_BYTES, segments
from esnkit.sequences._initial_state import Clamp, clamp_rows
from esnkit.sequences._packing import Sequences
from esnkit.utils._plain_state import plain_record

__all__ = ["Settings", "check_longer", "count_blocks", "features"]


@plain_record
class Settings(NamedTuple):
    """Parameters as they were in ``fit``: a value that is set later waits for the next ``fit``."""

    include_input: bool
    feedback: bool
    pooling: str
    washout: int
    per_step: bool  # whether there is a target for every time step, or one for every sequence


def features(
    reservoir: BaseReservoir,
    inputs: Sequences,
    state: np.ndarray,
    settings: Settings,
    *,
    clamp: Clamp | None = None,
    noise: np.random.Generator | None = None,
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Run the reservoir; yield (start, stop, features) of time steps, or of sequences if pooled.

    ``state`` (n_sequences, n_state_) moves along. A block is written over by the next one.
    """
    pooled = not settings.per_step
    if pooled and settings.pooling == "mean":
        check_longer(inputs.lengths, settings.washout)
    if _last_states_suffice(reservoir, settings, noise):
        yield from _last_features(reservoir, inputs, state, settings.include_input, clamp)
        return
    n_extra = inputs.values.shape[1] if settings.include_input else 0
    blocks = reservoir.blocks(inputs, state, clamp=clamp, noise=noise, n_extra=n_extra)
    pooling = _Pooling(settings.pooling, inputs.offsets, settings.washout) if pooled else None
    for start, stop, Z in blocks:
        if n_extra:
            Z[:, reservoir.n_features_out_ :] = inputs.values[start:stop]
        if pooling is None:
            yield start, stop, Z
        else:
            yield from pooling.add(start, stop, Z)


def count_blocks(
    reservoir: BaseReservoir,
    inputs: Sequences,
    settings: Settings,
    noise: np.random.Generator | None = None,
) -> int:
    """Return how many blocks :func:`features` yields at most."""
    n_extra = inputs.values.shape[1] if settings.include_input else 0
    if _last_states_suffice(reservoir, settings, noise):
        row_bytes = inputs.values.itemsize * (reservoir.n_state_ + n_extra)
        return -(-inputs.n_sequences // _n_last_rows(row_bytes))
    block_rows = reservoir.block_rows(inputs.lengths, n_extra)
    return sum(1 for _ in segments(inputs.offsets, block_rows, reservoir.causal))


def _last_states_suffice(reservoir, settings, noise) -> bool:
    """Return whether the last states are all that features are made of."""
    whole_states = reservoir.n_state_ == reservoir.n_features_out_ and reservoir.state_is_features
    pooled = not settings.per_step and settings.pooling == "last"
    return pooled and noise is None and whole_states


def _n_last_rows(row_bytes: int) -> int:
    """Return how many sequences a block of last features has."""
    return max(1, BLOCK_BYTES // row_bytes)


def _last_features(reservoir, inputs, state, include_input, clamp):
    """Yield the features of the last time steps alone, where these are the last states."""
    offsets = inputs.offsets
    n_units, n_extra = state.shape[1], inputs.values.shape[1] if include_input else 0
    size = _n_last_rows(state.itemsize * (n_units + n_extra))
    for start in range(0, inputs.n_sequences, size):
        stop = min(start + size, inputs.n_sequences)
        clamped = clamp
        if clamp is not None:
            values = clamp_rows(clamp.values, offsets[start], offsets[stop])
            clamped = Clamp(clamp.units, values)
        reservoir.advance(inputs.part(start, stop), state[start:stop], clamp=clamped)
        Z = np.empty((stop - start, n_units + n_extra), state.dtype)
        Z[:, :n_units] = state[start:stop]
        if n_extra:
            Z[:, n_units:] = inputs.values[offsets[start + 1 : stop + 1] - 1]
        yield start, stop, Z


def check_longer(lengths: np.ndarray, washout: int) -> None:
    """Raise if a sequence has no time step after the washout."""
    shortest = int(np.argmin(lengths))
    if lengths[shortest] <= washout:
        raise ValueError(
            f"washout={washout} leaves no time step of X[{shortest}]: it has {lengths[shortest]}"
        )


class _Pooling:
    """Collects blocks of time steps and returns one row for every complete sequence."""

    def __init__(self, pooling: str, offsets: np.ndarray, washout: int):
        self.pooling, self.offsets, self.washout = pooling, offsets, washout
        self.n_complete = 0
        self.sums: np.ndarray | None = None

    def add(self, start: int, stop: int, Z: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield (first sequence, one past the last, pooled rows) of those that end in a block."""
        offsets, first = self.offsets, self.n_complete
        last = int(np.searchsorted(offsets, stop, side="right")) - 1
        if last > first and offsets[first] >= start:
            ends = offsets[first : last + 1] - start
            yield first, last, _pool(Z, ends, self.pooling, self.washout)
        elif self.pooling == "mean":
            total = Z[max(0, offsets[first] + self.washout - start) :].sum(axis=0)
            self.sums = total if self.sums is None else self.sums + total
            if last > first:
                length = offsets[first + 1] - offsets[first] - self.washout
                yield first, last, (self.sums / Z.dtype.type(length))[None]
                self.sums = None
        elif last > first:
            yield first, last, Z[-1:]
        self.n_complete = last


def _pool(rows: np.ndarray, offsets: np.ndarray, pooling: str, washout: int) -> np.ndarray:
    """Return the last row of every sequence, or the mean of those after the washout."""
    if pooling == "last":
        return rows[offsets[1:] - 1]
    starts = offsets[:-1] + washout
    sums = np.empty((starts.size, rows.shape[1]), rows.dtype)
    # One call a sequence: reduceat does the same in one, several times slower.
    for total, start, stop in zip(sums, starts, offsets[1:], strict=True):
        np.add.reduce(rows[start:stop], axis=0, out=total)
    return sums / (offsets[1:] - starts)[:, None].astype(rows.dtype)
