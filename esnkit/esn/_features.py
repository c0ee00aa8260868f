"""Features of the readout: reservoir features, with the inputs beside them, pooled if asked for."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from esnkit.esn._differences import ValuesAndDifferences
from esnkit.pooling._base import Block, Pooling, Training, count_pooled, n_together, pool
from esnkit.pooling._statistics import RunningStatistics
from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._blocks import BLOCK_BYTES, segments
from esnkit.sequences._initial_state import Clamp, clamp_rows
from esnkit.sequences._packing import Sequences
from esnkit.utils._plain_state import plain_record
from esnkit.utils._sharing import shared_work
from esnkit.utils._validation import for_kernels, range_of_float
from esnkit.utils._workspace import CACHE_LINE

__all__ = [
    "Settings",
    "Steps",
    "check_longer",
    "count_blocks",
    "features",
    "fit_pooling",
    "pooled_washout",
    "step_features",
]

MIN_SEQUENCES = 4  # that run side by side
MAX_SEQUENCES = 256  # whose sums are in memory: more leave the cache before they are read


@plain_record
class Settings(NamedTuple):
    """Parameters as they were in ``fit``: a value that is set later waits for the next ``fit``."""

    include_input: bool
    feedback: bool | str  # False, True or "force"
    pooling: Pooling  # fitted, where there is one target for every sequence
    washout: int
    per_step: bool  # whether there is a target for every time step, or one for every sequence
    differences: ValuesAndDifferences | None = None  # that the reservoir reads instead of values
    quadratic: bool = False  # whether every second feature of the reservoir is squared

    @property
    def of_steps(self) -> tuple[bool, bool]:
        """What the features of time steps depend on."""
        return self.include_input, self.quadratic


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
    pooled, washout = not settings.per_step, pooled_washout(settings)
    if pooled:
        check_longer(inputs.lengths, washout)
    if _last_states_suffice(reservoir, settings, noise):
        yield from _last_features(reservoir, inputs, state, settings, clamp)
        return
    if clamp is None and noise is None and _adds_statistics(reservoir, inputs, settings):
        yield from _statistics(reservoir, inputs, state, settings, washout)
        return
    blocks = step_features(reservoir, inputs, state, settings, clamp=clamp, noise=noise)
    if pooled and clamp is None and noise is None:
        blocks = iter(_kept_steps(reservoir, inputs, state, settings) or blocks)
    yield from pool(settings.pooling, blocks, inputs.offsets, washout) if pooled else blocks


def pooled_washout(settings: Settings) -> int:
    """Return how many steps at the start of a sequence are not pooled."""
    return 0 if _is_last(settings) else settings.washout


def fit_pooling(
    reservoir: BaseReservoir,
    inputs: Sequences,
    state: np.ndarray,
    settings: Settings,
    *,
    clamp: Clamp | None = None,
    noise: Callable[[], np.random.Generator | None] = lambda: None,
) -> Settings:
    """Return the settings with the pooling fitted to training sequences, if it must be.

    ``noise`` returns its random numbers from the start; ``state`` stays as it is.
    """
    pooling = settings.pooling
    if settings.per_step or not pooling.needs_fit:
        return settings

    def run():
        start, random = state.copy(), noise()
        if shared_work() is not None and clamp is None and random is None:
            return _keep_steps(reservoir, inputs, start, settings)
        return step_features(reservoir, inputs, start, settings, clamp=clamp, noise=random)

    training = Training(run, inputs.offsets, settings.washout)
    return settings._replace(pooling=pooling.fit(training))


def step_features(
    reservoir: BaseReservoir,
    inputs: Sequences,
    state: np.ndarray,
    settings: Settings,
    *,
    clamp: Clamp | None = None,
    noise: np.random.Generator | None = None,
    reuse: bool = True,
) -> Iterator[Block]:
    """Yield (start, stop, features) of time steps."""
    n_extra = inputs.values.shape[1] if settings.include_input else 0
    blocks = reservoir.blocks(inputs, state, clamp=clamp, noise=noise, n_extra=n_extra, reuse=reuse)
    for start, stop, Z in blocks:
        if settings.quadratic:
            _square_half(Z[:, : reservoir.n_features_out_])
        if n_extra:
            rows = inputs.values[start:stop]
            Z[:, reservoir.n_features_out_ :] = _input_features(reservoir, rows, settings)
        yield start, stop, Z


def _square_half(Z: np.ndarray) -> None:
    """Square every second feature: the readout of an odd network gets even terms too."""
    with range_of_float("squares of features, which quadratic=True takes,", Z.dtype):
        np.square(Z[:, 1::2], out=Z[:, 1::2])


class Steps(NamedTuple):
    """Features of all time steps that a search keeps: fits of poolings, and pools, read them."""

    reservoir: BaseReservoir
    inputs: Sequences
    of_steps: tuple[bool, bool]
    start: np.ndarray
    end: np.ndarray
    blocks: list[Block]

    @property
    def n_bytes(self) -> int:
        """Bytes of the features."""
        return sum(Z.nbytes for _, _, Z in self.blocks)


def _keep_steps(
    reservoir: BaseReservoir, inputs: Sequences, state: np.ndarray, settings: Settings
) -> Iterator[Block]:
    """Yield (start, stop, features) of time steps, and keep them if there is room."""
    work, start = shared_work(), state.copy()
    blocks: list[Block] = []
    n_columns = reservoir.n_features_out_ + inputs.values.shape[1]
    keep = work is not None and work.has_room(len(inputs.values) * n_columns * state.itemsize)
    for block in step_features(reservoir, inputs, state, settings, reuse=not keep):
        blocks += [block] if keep else []
        yield block
    if work is not None and keep:
        work.keep(Steps(reservoir, inputs, settings.of_steps, start, state.copy(), blocks))


def _kept_steps(
    reservoir: BaseReservoir, inputs: Sequences, state: np.ndarray, settings: Settings
) -> list[Block] | None:
    """Return the features of time steps that are kept, for the last time, and move the state."""

    def matches(kept):
        is_start = kept.reservoir is reservoir and np.array_equal(kept.start, state)
        return is_start and kept.inputs is inputs and kept.of_steps == settings.of_steps

    work = shared_work()
    found = None if work is None else work.find(Steps, matches)
    if work is None or found is None:
        return None
    work.forget(Steps)
    state[:] = found.end
    return found.blocks


def _input_features(reservoir: BaseReservoir, rows: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the inputs as features: standardised for pooling, where the reservoir knows how.

    Else large inputs would be the principal components of a model space.
    """
    scale = getattr(reservoir, "input_scale_", None)
    if settings.per_step or scale is None:
        return rows
    return (rows - reservoir.input_mean_) / scale


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
    blocks = segments(inputs.offsets, block_rows, reservoir.causal)
    if settings.per_step:
        return sum(1 for _ in blocks)
    n_columns, itemsize = reservoir.n_features_out_ + n_extra, inputs.values.itemsize
    sequences = ((first, last) for first, last, _, stop in blocks if stop >= inputs.offsets[last])
    count = count_pooled(settings.pooling, sequences, n_columns, itemsize)
    if _adds_statistics(reservoir, inputs, settings):
        size = _n_statistics(settings.pooling, n_columns, itemsize)
        count = max(count, -(-inputs.n_sequences // size))
    return count


def _last_states_suffice(reservoir, settings, noise) -> bool:
    """Return whether the last states are all that features are made of."""
    whole_states = reservoir.n_state_ == reservoir.n_features_out_ and reservoir.state_is_features
    return not settings.per_step and _is_last(settings) and noise is None and whole_states


def _adds_statistics(reservoir, inputs, settings) -> bool:
    """Return whether the reservoir itself adds states to running statistics."""
    statistics = not settings.per_step and isinstance(settings.pooling, RunningStatistics)
    statistics &= not settings.quadratic  # of the states alone
    return statistics and inputs.n_sequences >= MIN_SEQUENCES and reservoir.adds_statistics


def _is_last(settings) -> bool:
    """Return whether the last row of a sequence is all that is pooled."""
    return getattr(settings.pooling, "names", None) == ("last",)


def _n_last_rows(row_bytes: int) -> int:
    """Return how many sequences a block of last features has."""
    return max(1, BLOCK_BYTES // row_bytes)


def _last_features(reservoir, inputs, state, settings, clamp):
    """Yield the features of the last time steps alone, where these are the last states."""
    offsets = inputs.offsets
    n_units, n_extra = state.shape[1], inputs.values.shape[1] if settings.include_input else 0
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
        if settings.quadratic:
            _square_half(Z[:, :n_units])
        if n_extra:
            rows = inputs.values[offsets[start + 1 : stop + 1] - 1]
            Z[:, n_units:] = _input_features(reservoir, rows, settings)
        yield start, stop, Z


def _statistics(reservoir, inputs, state, settings, washout) -> Iterator[Block]:
    """Yield statistics of some sequences at a time, whose states are never all in memory."""
    n_extra = inputs.values.shape[1] if settings.include_input else 0
    n_columns, pooling, dtype = state.shape[1] + n_extra, settings.pooling, state.dtype
    in_line = CACHE_LINE // dtype.itemsize
    padded = -(-n_columns // in_line) * in_line  # every row begins on a cache line
    size = _n_statistics(pooling, n_columns, dtype.itemsize)
    for start in range(0, inputs.n_sequences, size):
        part = inputs.part(start, min(start + size, inputs.n_sequences))
        stop = start + part.n_sequences
        rows = part.values[:, :n_extra]
        extra = for_kernels(_input_features(reservoir, rows, settings) if n_extra else rows, dtype)
        sums = pooling.start(part.n_sequences, padded, dtype)
        reservoir.add_statistics(part, extra, washout, state[start:stop], sums)
        yield start, stop, pooling.finish(sums[:, :, :n_columns], part.lengths - washout, dtype)


def _n_statistics(pooling, n_columns, itemsize) -> int:
    """Return how many sequences a block of statistics has."""
    return min(n_together(pooling, n_columns, itemsize), MAX_SEQUENCES)


def check_longer(lengths: np.ndarray, washout: int) -> None:
    """Raise if a sequence has no time step after the washout."""
    shortest = int(np.argmin(lengths))
    if lengths[shortest] <= washout:
        raise ValueError(
            f"washout={washout} leaves no time step of X[{shortest}]: it has {lengths[shortest]}"
        )
