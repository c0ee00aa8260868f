"""What the fits and predictions of a search share, if their inputs are equal.

Every function does the same as without a search; inside of one, it may find the result of an
earlier call. Fits share a drawn reservoir; the statistics of training rows, also of those that a
longer series begins with; and all of a fit to the same data with another penalty.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from esnkit.esn._features import Settings, Steps, features
from esnkit.readouts._accumulator import rows_added_at_once
from esnkit.readouts._base import BaseReadout, Block
from esnkit.readouts._shared_rows import SharedRows
from esnkit.reservoirs._base import BaseReservoir
from esnkit.sequences._packing import Sequences, pack
from esnkit.sequences._targets import Targets, pack_targets
from esnkit.utils._seeds import seed_names
from esnkit.utils._sharing import SharedWork, equal_data, equal_values, is_prefix, shared_work

__all__ = [
    "SHARED_IN_FOLD",
    "Fit",
    "find_fit",
    "fit_readout",
    "keep_fit",
    "pack_shared",
    "pack_shared_targets",
    "pack_to_fit",
    "packed_rows",
    "predict_features",
    "prepare_reservoir",
]


class Fit(NamedTuple):
    """A fitted estimator, and what it was fitted to."""

    params: tuple[str, ...]  # their names
    given: tuple[Any, ...]
    estimator: Any
    rows: SharedRows

    @property
    def n_bytes(self) -> int:
        """Bytes of the statistics of the rows."""
        return self.rows.n_bytes


class Packed(NamedTuple):
    """Sequences as they were given, and packed."""

    X: Any
    checks: tuple[Any, ...]
    sequences: Sequences
    names: np.ndarray | None  # of the features of a fit

    @property
    def n_bytes(self) -> int:
        """Bytes of the packed rows."""
        return self.sequences.values.nbytes


class PackedTargets(NamedTuple):
    """Targets as they were given, and packed."""

    y: Any
    sequences: Sequences
    kind: tuple[str, bool]
    targets: Targets

    @property
    def n_bytes(self) -> int:
        """Bytes of the rows."""
        return self.targets.values.nbytes


class Drawn(NamedTuple):
    """A reservoir with its weights, and what these were drawn for."""

    params: dict[str, Any]
    shape: tuple[Any, ...]
    inputs: np.ndarray | None
    reservoir: BaseReservoir

    @property
    def n_bytes(self) -> int:
        """Bytes of what it keeps: the weights are small beside the statistics of the states."""
        return 0 if self.inputs is None else self.inputs.nbytes


class Features(NamedTuple):
    """Features of sequences from a start state, and the state after them."""

    reservoir: BaseReservoir
    settings: Settings
    inputs: Sequences
    start: np.ndarray
    end: np.ndarray
    Z: np.ndarray

    @property
    def n_bytes(self) -> int:
        """Bytes of the features."""
        return self.Z.nbytes


class Taught(NamedTuple):
    """Training rows of one series, from which longer ones may start."""

    source: "SeriesRows"
    rows: SharedRows

    @property
    def n_bytes(self) -> int:
        """Bytes of the inputs and of the statistics."""
        return self.source.stream.inputs.values.nbytes + self.rows.n_bytes


class WholeRows:
    """Training rows that no longer stream begins with."""

    n_first = n_common = 0

    def __init__(self, stream: Any):
        self.stream = stream

    def __call__(self) -> Iterable[Block]:
        """Start the stream anew."""
        return self.stream()

    def after_common(self, other: Any) -> Iterable[Block]:
        """Raise: there are no common rows."""
        raise AssertionError("no stream begins with these rows")

    def ends_block(self, n_rows: int) -> bool:
        """Return True: no block is cut."""
        return True


class SeriesRows:
    """Training rows of one series, the first of which are common to longer series.

    A readout adds a number of rows at a time within each block: the sums of whole numbers of rows
    do not depend on those that follow.
    """

    def __init__(self, stream: Any):
        _, _, settings, _ = stream.parts
        values, self.stream = stream.inputs.values, stream
        n_extra = values.shape[1] if settings.include_input else 0
        block_rows = stream.parts.reservoir.block_rows(stream.inputs.lengths, n_extra)
        n_rows = len(values)
        last = (n_rows - 1) // block_rows * block_rows
        n_at_once = rows_added_at_once(stream.empty_block()[0].shape[1])
        self.n_common = last + (n_rows - last) // n_at_once * n_at_once
        self.n_first = min(block_rows, n_rows)
        self.block_ends = {*range(0, n_rows, block_rows), n_rows}
        self.edges = sorted({*self.block_ends, self.n_common})

    common_state: np.ndarray  # after the common rows

    def __call__(self) -> Iterator[Block]:
        """Start the stream anew."""
        return self._blocks(0, self.stream.start_state)

    def after_common(self, other: "SeriesRows") -> Iterator[Block]:
        """Return the blocks after the common rows of another stream, which this one begins with."""
        return self._blocks(other.n_common, other.common_state)

    def ends_block(self, n_rows: int) -> bool:
        """Return whether a block ends after these rows if a readout reads the stream alone."""
        return n_rows in self.block_ends

    def _blocks(self, first: int, start_state: np.ndarray) -> Iterator[Block]:
        """Yield the blocks from a row on."""
        reservoir, _, settings, _ = self.stream.parts
        _, Y, weights = self.stream.data
        state, edges = start_state.copy(), [edge for edge in self.edges if edge > first]
        for start, stop in pairwise([first, *edges]):
            if start == self.n_common:
                self.common_state = state.copy()
            rows = slice(start, stop)
            offsets = np.array([0, stop - start])
            part = Sequences(self.stream.inputs.values[rows], offsets, "series")
            for _, _, Z in features(reservoir, part, state, settings):
                yield Z, Y[rows], None if weights is None else weights[rows]
        if self.n_common == len(Y):
            self.common_state = state.copy()
        self.stream.end_state, self.stream.noise = state, None


SHARED_IN_FOLD = (Fit, Packed, PackedTargets, Features, Steps)  # what no other fold can use


def find_fit(estimator: Any, given: tuple[Any, ...]) -> Fit | None:
    """Return an estimator fitted to the same data with another penalty at most, or None."""
    work = shared_work()
    if work is None or getattr(estimator, "_skl_callbacks", None) or estimator.verbose:
        return None

    def matches(fit):
        is_alike = type(fit.estimator) is type(estimator) and all(map(equal_data, fit.given, given))
        return is_alike and _differ_in_penalty(fit.estimator, estimator, fit.params)

    return work.find(Fit, matches)


def keep_fit(estimator: Any, given: tuple[Any, ...], rows: SharedRows | None) -> None:
    """Keep a fit to the statistics of rows, for others with another penalty."""
    work = shared_work()
    if work is not None and rows is not None:
        work.keep(Fit(tuple(estimator.get_params(deep=False)), given, estimator, rows))


def _differ_in_penalty(a: Any, b: Any, names: Iterable[str]) -> bool:
    """Return whether parameters of two estimators of one class are equal but for the penalty."""
    penalty = getattr(a, "penalty", None)
    pairs = [(getattr(a, name), getattr(b, name)) for name in names if name != penalty]
    return all(_are_alike(x, y) for x, y in pairs if x is not y)


def _are_alike(a: Any, b: Any) -> bool:
    """Return whether two values of a parameter are equal, but for the penalty of a readout."""
    if a is b or not (hasattr(a, "penalty") and type(a) is type(b)):
        return equal_values(a, b)
    return _differ_in_penalty(a, b, a.get_params(deep=False))


def pack_to_fit(estimator: Any, X: Any) -> Sequences:
    """Return the sequences of a fit packed; the estimator gets the names of the features."""
    work, checks = shared_work(), ("fit", getattr(estimator, "n_tokens", None))
    if work is None:
        return pack(estimator, X, reset=True)
    found = work.find(Packed, lambda p: p.checks == checks and equal_data(p.X, X))
    if found is None:
        sequences = pack(estimator, X, reset=True)
        names = getattr(estimator, "feature_names_in_", None)
        work.keep(Packed(X, checks, sequences, names))
        return sequences
    estimator.n_features_in_ = found.sequences.values.shape[1]
    vars(estimator).pop("feature_names_in_", None)
    if found.names is not None:
        estimator.feature_names_in_ = found.names
    return found.sequences


def pack_shared(estimator: Any, X: Any) -> Sequences:
    """Return the sequences to predict packed."""
    work = shared_work()
    if work is None:
        return pack(estimator, X, reset=False, dtype=(estimator._dtype,))
    names = getattr(estimator, "feature_names_in_", None)
    checks = estimator._dtype, estimator.n_features_in_, None if names is None else tuple(names)
    found = work.find(Packed, lambda p: p.checks == checks and equal_data(p.X, X))
    if found is None:
        sequences = pack(estimator, X, reset=False, dtype=(estimator._dtype,))
        found = Packed(X, checks, sequences, names)
        work.keep(found)
    return found.sequences


def pack_shared_targets(y: Any, sequences: Sequences, target: str, *, numeric: bool) -> Targets:
    """Return targets packed."""
    work, kind = shared_work(), (target, numeric)
    if work is None:
        return pack_targets(y, sequences, target, numeric=numeric)

    def matches(packed):
        is_alike = packed.sequences is sequences and packed.kind == kind
        return is_alike and equal_data(packed.y, y)

    found = work.find(PackedTargets, matches)
    if found is None:
        targets = pack_targets(y, sequences, target, numeric=numeric)
        found = PackedTargets(y, sequences, kind, targets)
        work.keep(found)
    return found.targets


def packed_rows(work: SharedWork, X: Any, y: Any) -> list[Packed | PackedTargets]:
    """Return what is kept of these very sequences and targets, packed."""
    sequences = [packed for packed in work.all_of(Packed) if packed.X is X]
    return sequences + [packed for packed in work.all_of(PackedTargets) if packed.y is y]


def prepare_reservoir(
    reservoir: BaseReservoir, n_feedback: int, dtype: np.dtype, inputs: np.ndarray
) -> BaseReservoir:
    """Return a reservoir with the weights for these inputs."""
    work, shape = shared_work(), (inputs.shape[1], n_feedback, dtype)
    if work is None:
        return reservoir.prepare(*shape, inputs)
    params = reservoir.get_params()
    read = inputs if reservoir.reads_inputs else None

    def matches(drawn):
        return (
            type(drawn.reservoir) is type(reservoir)
            and drawn.shape == shape
            and equal_data(drawn.inputs, read)
            and drawn.params.keys() == params.keys()
            and all(equal_values(drawn.params[name], params[name]) for name in params)
        )

    drawn = work.find(Drawn, matches)
    if drawn is not None:
        return drawn.reservoir
    reservoir = reservoir.prepare(*shape, inputs)
    if _is_reproducible(reservoir, params):
        work.keep(Drawn(params, shape, read, reservoir))
    return reservoir


def _is_reproducible(reservoir: BaseReservoir, params: dict[str, Any]) -> bool:
    """Return whether a reservoir is known to draw the same weights every time."""
    if any("random_state" in value for value in params.values() if isinstance(value, Mapping)):
        return False
    if all(isinstance(params[name], Integral) for name in seed_names(params)):
        return True
    # Reservoirs of esnkit that hold another one use its seed if they have none.
    first = params.get("random_state")
    first = params.get("reservoir__random_state") if first is None else first
    return type(reservoir).__module__.startswith("esnkit.") and isinstance(first, Integral)


def fit_readout(
    readout: BaseReadout, stream: Any, n_rows: int
) -> tuple[BaseReadout, SharedRows | None]:
    """Fit a readout to a stream of rows; return it, and the rows if other readouts may use them."""
    work = shared_work()
    if work is None or not _can_share(work, readout, stream):
        return readout.fit_blocks(stream, n_rows=n_rows), None
    source = SeriesRows(stream) if _is_series(stream) else WholeRows(stream)
    use = readout.keeps_rows, readout.standardize
    rows = SharedRows(source, stream.empty_block(), n_rows, *use)
    if isinstance(source, SeriesRows):
        taught = work.all_of(Taught)
        rows.start_from(t.rows for t in taught if _begins_with(stream, t.source.stream))
        work.keep(Taught(source, rows))
    return readout.fit_shared(rows), rows


def _can_share(work: SharedWork, readout: BaseReadout, stream: Any) -> bool:
    """Return whether fits of other readouts may use the rows, and callbacks need not see them."""
    is_known = any(drawn.reservoir is stream.parts.reservoir for drawn in work.all_of(Drawn))
    return is_known and hasattr(readout, "fit_shared") and stream.task.callbacks is None


def _is_series(stream: Any) -> bool:
    """Return whether the rows are those of one series, and may begin a longer one."""
    reservoir, _, settings, _ = stream.parts
    is_series = settings.per_step and stream.inputs.n_sequences == 1 and reservoir.causal
    return is_series and stream.clamp is None and reservoir.noise_stream() is None


def _begins_with(stream: Any, first: Any) -> bool:
    """Return whether the rows of a series begin with those of another one."""
    return (
        first.parts.reservoir is stream.parts.reservoir
        and first.parts.settings.of_steps == stream.parts.settings.of_steps
        and np.array_equal(first.start_state, stream.start_state)
        and is_prefix(first.inputs.values, stream.inputs.values)
        and is_prefix(first.data.Y, stream.data.Y)
        and is_prefix(first.data.weights, stream.data.weights)
    )


def predict_features(
    reservoir: BaseReservoir, inputs: Sequences, state: np.ndarray, settings: Settings, clamp: Any
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (start, stop, features) as `features` does, for predictions."""
    work = shared_work()
    if work is None or clamp is not None:
        yield from features(reservoir, inputs, state, settings, clamp=clamp)
        return

    def matches(found):
        return (
            found.reservoir is reservoir
            and equal_values(found.settings, settings)
            and (found.inputs is inputs or _same_sequences(found.inputs, inputs))
            and np.array_equal(found.start, state)
        )

    found = work.find(Features, matches)
    if found is not None:
        state[:] = found.end
        yield 0, len(found.Z), found.Z
        return
    start, blocks = state.copy(), []
    n_rows = len(inputs.values) if settings.per_step else inputs.n_sequences
    for first, stop, Z in features(reservoir, inputs, state, settings):
        if work.has_room(n_rows * Z[0].nbytes):
            is_overwritten = settings.per_step and stop - first < n_rows
            blocks.append(Z.copy() if is_overwritten else Z)
        yield first, stop, Z
    if blocks:
        Z = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        work.keep(Features(reservoir, settings, inputs, start, state.copy(), Z))


def _same_sequences(a: Sequences, b: Sequences) -> bool:
    return np.array_equal(a.offsets, b.offsets) and equal_data(a.values, b.values)
