"""What a task computes from one partition: functions of their arguments alone.

A task that is lost with a worker is therefore computed again, with the same result.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from esnkit.distributed._partitions import Part, as_sequences, size_of
from esnkit.distributed._start_states import Start, end_of
from esnkit.esn._base import StreamEnd, TaughtRows, TrainingData
from esnkit.esn._closed_loop import teacher_forced
from esnkit.esn._differences import side_by_side
from esnkit.esn._features import step_features
from esnkit.pooling._base import MAX_SAMPLED, Pooling, Run, Training, kept_rows
from esnkit.readouts._base import Block
from esnkit.sequences._packing import Sequences
from esnkit.sequences._sample_weight import weight_rows
from esnkit.sequences._targets import Targets
from esnkit.utils._moments import Moments, moments_of
from esnkit.utils._threads import one_thread

__all__ = [
    "Model",
    "Ran",
    "Summary",
    "fit_pooling",
    "in_partition",
    "merge_runs",
    "next_start",
    "run",
    "sample_rows",
    "summarise",
]


class Model(NamedTuple):
    """What all tasks of a pass share."""

    estimator: Any  # with its reservoir, before or after the readout is fitted
    kind: str  # of the partitions
    class_weights: np.ndarray | None = None  # (n_classes,)
    initial_state: np.ndarray | None = None


class Summary(NamedTuple):
    """What all partitions must agree on, and sums over each."""

    attributes: dict[str, Any]  # that `fit` sets before it draws weights
    target: str  # "steps" or "sequence"
    dtype: np.dtype
    n_features: int
    n_outputs: int | None  # None for labels
    n_sequences: int
    n_targets: int
    longest: int
    labels: tuple[np.ndarray, np.ndarray] | None  # classes, and the number of rows of each
    has_weight: bool
    moments: Moments  # of the inputs
    with_differences: Moments | None  # of inputs and differences, where these may be wanted


class Ran(NamedTuple):
    """The result of a pass over some neighbouring partitions."""

    result: Any
    starts: list[Start | None]
    ends: list[Start | None]  # as computed, with the last target appended where it is fed back


def in_partition(task: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a task (i, ...): it uses one thread, and its errors name the partition i."""

    @wraps(task)
    def running(i: int, *args: Any) -> Any:
        with one_thread(), _naming(i):
            return task(*args)

    return running


@contextmanager
def _naming(i: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"in partition {i} of X, whose items and rows are counted from its start")
        raise


def _as_taken(part: Part, kind: str) -> Part:
    """Return a partition in a container that estimators take."""
    return part if kind in ("rows", "batch") else as_sequences(part)[0]


@in_partition
def summarise(estimator: Any, part: Part, kind: str) -> Summary | None:
    """Check a partition and return what there is to know of it; None if it is empty."""
    X, y, weights = _as_taken(part, kind)
    if size_of(X) == 0:
        return None
    params = estimator.get_params(deep=False)
    known = _without_class_weight(estimator)
    may_want = hasattr(known, "differences")
    if may_want:
        known.differences = False  # it depends on all partitions
    data = known._prepare(X, y, None, stream=True)
    sequences = data.sequences
    labels = None
    if not known._numeric:
        labels = known.classes_, data.Y.sum(axis=0).astype(np.int64)
    attributes = {name: value for name, value in vars(known).items() if name not in params}
    found = _weights(known, weights, data)
    return Summary(
        attributes=attributes,
        target="steps" if known._settings.per_step else "sequence",
        dtype=sequences.values.dtype,
        n_features=known.n_features_in_,
        n_outputs=data.Y.shape[1] if labels is None else None,
        n_sequences=sequences.n_sequences,
        n_targets=len(data.Y),
        longest=int(sequences.lengths.max()),
        labels=labels,
        has_weight=found is None or bool(found.any()),
        moments=moments_of(sequences.values),
        with_differences=(
            moments_of(side_by_side(sequences))
            if may_want and not known._settings.per_step
            else None
        ),
    )


def _weights(estimator: Any, sample_weight: Any, data: TrainingData) -> np.ndarray | None:
    """Return the weights of the targets; those of a partition may all be zero."""
    if sample_weight is None:
        return None
    kind = "steps" if estimator._settings.per_step else "sequence"
    targets = Targets(data.Y, kind, estimator._flat)
    return weight_rows(sample_weight, data.sequences, targets)


def _without_class_weight(estimator: Any) -> Any:
    """Return a copy that leaves the weights of the classes, those of all partitions, to others."""
    known = copy(estimator)
    if hasattr(known, "class_weight"):
        known.class_weight = None
    return known


def _prepared(model: Model, part: Part) -> TrainingData:
    """Return the checked data of a partition, with the weights of the classes."""
    X, y, sample_weight = _as_taken(part, model.kind)
    known = _without_class_weight(model.estimator)
    classes = getattr(known, "classes_", None)
    data = known._prepare(X, y, None, classes, stream=True, first=False)
    weights = _weights(known, sample_weight, data)
    if model.class_weights is not None:
        of_class = data.Y @ model.class_weights
        if weights is None:
            weights = of_class
        else:
            weights = weights * (of_class if weights.ndim == 1 else of_class[:, None])
    return data._replace(weights=weights)


def _inputs(estimator: Any, data: TrainingData, state: np.ndarray) -> Sequences:
    """Return the rows that the reservoir takes."""
    if not estimator._settings.feedback:
        return data.sequences
    return teacher_forced(data.sequences, data.Y, state[:, estimator.reservoir_.n_state_ :])


@in_partition
def next_start(model: Model, part: Part, start: Start, warm_up: bool) -> Start:
    """Return where the next partition of a series starts."""
    data, estimator = _prepared(model, part), model.estimator
    inputs = _inputs(estimator, data, start.state)
    end = end_of(estimator.reservoir_, inputs, start, warm_up)
    return end._replace(state=estimator._with_feedback(end.state, data.Y[-1:]))


@in_partition
def run(
    task: Callable[[Iterable[Block]], Any], model: Model, part: Part, start: Start | None
) -> Ran:
    """Return what a task of a readout makes of the features of a partition."""
    data, estimator = _prepared(model, part), model.estimator
    n_state, n_sequences = estimator.reservoir_.n_state_, data.sequences.n_sequences
    n_before = 0 if start is None else start.n_rows
    if start is None:
        state = estimator._initial_state(model.initial_state, n_sequences)
    else:
        state = start.state.copy()
    if estimator._settings.per_step:
        before = StreamEnd(state, None, n_before)
        data = data._replace(weights=estimator._without_washout(data, before))
    rows = TaughtRows(estimator._parts, _inputs(estimator, data, state), data, None)
    rows.start_state = state[:, :n_state]
    result, end = task(rows()), None
    if n_sequences == 1:
        last = estimator._with_feedback(rows.end_state, data.Y[-1:])
        end = Start(last, n_before + len(data.sequences.values), target=data.Y[-1:].copy())
    return Ran(result, [start], [end])


def merge_runs(merge: Callable[[Any, Any], Any], first: Ran, second: Ran) -> Ran:
    """Merge the results of neighbouring partitions."""
    with one_thread():
        result = merge(first.result, second.result)
    return Ran(result, first.starts + second.starts, first.ends + second.ends)


@in_partition
def sample_rows(model: Model, part: Part, n_before: int, n_after_washout: int) -> list[np.ndarray]:
    """Return those of the rows that the pooling is fitted to which a partition has."""
    data, washout = _prepared(model, part), model.estimator._settings.washout
    shares = n_before, n_after_washout
    offsets = data.sequences.offsets
    return list(kept_rows(_runs(model, data), offsets, washout, MAX_SAMPLED, *shares))


@in_partition
def fit_pooling(model: Model, part: Part, sample: list[np.ndarray]) -> Pooling:
    """Return the pooling fitted to a sample of all rows; a function sees the first partition."""
    data, settings = _prepared(model, part), model.estimator._settings
    training = Training(_runs(model, data), data.sequences.offsets, settings.washout, sample)
    return settings.pooling.fit(training)


def _runs(model: Model, data: TrainingData) -> Run:
    """Return a function that runs the reservoir over whole sequences."""
    estimator = model.estimator
    reservoir, n_sequences = estimator.reservoir_, data.sequences.n_sequences

    def blocks() -> Iterable[tuple[int, int, np.ndarray]]:
        state = estimator._initial_state(model.initial_state, n_sequences)
        return step_features(reservoir, data.sequences, state, estimator._settings)

    return blocks
