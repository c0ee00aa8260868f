"""Fit estimators with a reservoir to dask collections."""

from copy import copy
from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.distributed._dask import compute, dask, tree
from esnkit.distributed._partitions import Part, Partitions, partitions
from esnkit.distributed._reduction import Passes
from esnkit.distributed._start_states import Start
from esnkit.distributed._tasks import (
    Model,
    Summary,
    fit_pooling,
    sample_rows,
    summarise,
)
from esnkit.esn._base import StreamEnd
from esnkit.esn._differences import ValuesAndDifferences
from esnkit.readouts._base import Block
from esnkit.readouts._estimator import estimator_of
from esnkit.utils._moments import merge_moments

__all__ = ["MAX_GATHERED", "copies_of", "fit_reservoir", "joined"]

# Numbers of features in all rows that are gathered and fitted as on one machine: 64 MB in float64.
MAX_GATHERED = 2**23


def fit_reservoir(
    estimator: Any, X: Any, y: Any, sample_weight: Any, initial_state: Any, clamp: Any
) -> Any:
    """Fit an estimator with a reservoir; see :func:`esnkit.distributed.fit`."""
    if clamp is not None:
        raise ValueError("clamp must be None for dask collections, whose rows are in partitions")
    found = partitions(X, y, sample_weight)
    summaries, parts = _summaries(estimator, found)
    class_weights = _store_summaries(estimator, summaries, found)
    _check_shared(estimator, found, initial_state)
    model = Model(copy(estimator), found.kind, class_weights, initial_state)
    model = _with_fitted_pooling(model, parts, summaries)
    estimator._settings = model.estimator._settings
    start = None
    if found.are_rows:
        start = Start(estimator._initial_state(initial_state, 1))
    passes = Passes(model, parts, start)
    estimator.readout_ = _fit_readout(estimator, passes, sum(s.n_targets for s in summaries))
    _store_end(estimator, passes.end, found.are_rows)
    return estimator


def _summaries(estimator: Any, found: Partitions) -> tuple[list[Summary], list[Part]]:
    """Check all partitions; return the summaries and the partitions that are not empty."""
    delayed, empty = dask().delayed, clone(estimator)
    tasks = [
        delayed(summarise, pure=False)(i, empty, part, found.kind)
        for i, part in enumerate(found.parts)
    ]
    results = compute(tasks)[0]
    kept = [(s, part) for s, part in zip(results, found.parts, strict=True) if s is not None]
    if not kept:
        raise ValueError("X must have at least one row, got empty partitions only: 0 sample(s)")
    return [s for s, _ in kept], [part for _, part in kept]


def _store_summaries(
    estimator: Any, summaries: list[Summary], found: Partitions
) -> np.ndarray | None:
    """Set the attributes that do not depend on weights, and return the weights of the classes."""
    for name in ("target", "n_features", "n_outputs"):
        _check_equal(name, summaries)
    first = summaries[0]
    estimator.__dict__.pop("feature_names_in_", None)  # of an earlier fit
    estimator.__dict__.update(first.attributes)
    estimator._settings = first.attributes["_settings"]._replace(per_step=first.target == "steps")
    lengths = [s.attributes["_shortest"] for s in summaries]
    n_rows = [s.moments.n_rows for s in summaries]
    estimator._shortest = sum(n_rows) if found.are_rows else min(lengths)
    _check_any_row_counts(estimator, summaries, found)
    estimator._dtype = np.result_type(*(s.dtype for s in summaries))
    class_weights = None
    if first.labels is None:
        estimator.n_outputs_ = first.n_outputs
    else:
        class_weights = _store_classes(estimator, summaries)
    estimator._draw(_example_inputs(estimator, summaries))
    estimator._stream_end = None
    return class_weights


def _example_inputs(estimator: Any, summaries: list[Summary]) -> np.ndarray:
    """Return two rows of the mean and deviation of all inputs, with differences if wanted."""
    n_sequences = sum(s.n_sequences for s in summaries)
    if not estimator._wants_differences(n_sequences, estimator._settings.per_step):
        return merge_moments([s.moments for s in summaries]).example()
    found = [s.with_differences for s in summaries if s.with_differences is not None]
    moments = merge_moments(found)
    record = ValuesAndDifferences.of_moments(moments.mean, moments.deviation)
    estimator._settings = estimator._settings._replace(differences=record)
    return (moments.example() - record.mean) / record.scale


def _check_equal(name: str, summaries: list[Summary]) -> None:
    """Raise if partitions differ."""
    values = [getattr(s, name) for s in summaries]
    for i, value in enumerate(values):
        if value != values[0]:
            hint = ": set target" if name == "target" else ""
            raise ValueError(
                f"all partitions must have the same {name}, got {values[0]} and in partition {i} "
                f"{value}{hint}"
            )


def _check_any_row_counts(estimator: Any, summaries: list[Summary], found: Partitions) -> None:
    """Raise if all rows have the weight zero, or are in the washout."""
    if not any(s.has_weight for s in summaries):
        raise ValueError(
            "sample_weight is zero everywhere: give at least one row a positive weight"
        )
    washout = estimator._settings.washout
    longest = max(s.longest for s in summaries)
    if found.are_rows:
        longest = sum(s.moments.n_rows for s in summaries)
    if estimator._settings.per_step and longest <= washout:
        raise ValueError(
            f"washout={washout} leaves no time step: the longest sequence has n_samples={longest}"
        )


def _store_classes(estimator: Any, summaries: list[Summary]) -> np.ndarray | None:
    """Set the classes of all partitions, and return their weights."""
    found = [s.labels for s in summaries if s.labels is not None]
    estimator.classes_ = classes = np.unique(np.concatenate([labels for labels, _ in found]))
    estimator.n_outputs_ = len(classes)
    if estimator.class_weight is None:
        return None
    weights = estimator._class_weights(classes, classes)
    if isinstance(estimator.class_weight, str):  # "balanced", of which the line above has one row
        counts = np.zeros(len(classes))
        for labels, n in found:
            counts[np.searchsorted(classes, labels)] += n
        weights = counts.sum() / (len(classes) * counts)
    return weights


def _check_shared(estimator: Any, found: Partitions, initial_state: Any) -> None:
    """Raise for what tasks on other machines cannot do like one machine."""
    if found.are_rows and not estimator._settings.per_step:
        raise ValueError(
            "X of two dimensions is one series, which needs a target for every time step: give "
            "sequences as X[:, :, None] or as a bag of arrays (n_timesteps_i, n_features)"
        )
    reservoir = estimator.reservoir_
    if getattr(reservoir, "adapts_to_inputs", False):
        raise ValueError(
            "reservoir must not adapt to all inputs for dask collections, as "
            f"{type(reservoir).__name__} does: use the reservoir within, or fit to arrays"
        )
    if reservoir.noise_stream() is not None:
        raise ValueError(
            "noise must be 0 for dask collections, as its random numbers follow one another from "
            "row to row: use a larger alpha, or partial_fit on one partition after another"
        )
    if found.are_rows:
        reservoir.check_causal("a series in partitions")
    if np.ndim(initial_state) > 1 + found.are_rows or isinstance(initial_state, tuple):
        raise ValueError(
            "initial_state must be a vector (n_units,), the same for all sequences, for dask "
            f"collections, got {initial_state!r}"
        )


def _with_fitted_pooling(model: Model, parts: list[Part], summaries: list[Summary]) -> Model:
    """Return the model with its pooling fitted to some rows of all partitions."""
    settings = model.estimator._settings
    if settings.per_step or not settings.pooling.needs_fit:
        return model
    delayed = dask().delayed
    n_rows = np.array([s.moments.n_rows for s in summaries])
    n_kept = int(n_rows.sum()) - settings.washout * sum(s.n_sequences for s in summaries)
    before = np.concatenate([[0], np.cumsum(n_rows)[:-1]]).tolist()
    sent = delayed(model, pure=False)
    samples = [
        delayed(sample_rows, pure=False)(i, sent, part, n, n_kept)
        for i, (part, n) in enumerate(zip(parts, before, strict=True))
    ]
    task = delayed(fit_pooling, pure=False)(0, sent, parts[0], tree(joined, samples))
    estimator = copy(model.estimator)
    estimator._settings = settings._replace(pooling=compute(task)[0])
    return model._replace(estimator=estimator)


def _fit_readout(estimator: Any, passes: Passes, n_targets: int) -> Any:
    """Return the readout, fitted to few rows in one place or to the sums of all partitions."""
    readout = estimator._parts.readout
    width = _n_features(estimator)
    if n_targets <= max(width, MAX_GATHERED // width):
        blocks = passes(copies_of, joined)
        return estimator_of(readout.fit_blocks(lambda: iter(blocks), n_rows=n_targets))
    if not hasattr(readout, "fit_partitions"):
        raise TypeError(
            f"readout must have fit_partitions for dask collections of so many rows ({n_targets}), "
            f"as RidgeReadout has: {type(estimator_of(readout)).__name__} needs all rows in memory"
        )
    example = np.empty((0, width), estimator._dtype), np.empty((0, estimator.n_outputs_)), None
    return estimator_of(readout.fit_partitions(passes, example, n_targets))


def _n_features(estimator: Any) -> int:
    """Return the number of features that the readout reads."""
    settings = estimator._settings
    width = estimator.reservoir_.n_features_out_
    width += estimator.reservoir_.n_features_in_ if settings.include_input else 0
    return width if settings.per_step else settings.pooling.width(width)


def copies_of(blocks: Any) -> list[Block]:
    """Return copies of blocks, which the next one may overwrite."""
    return [(X.copy(), Y.copy(), None if w is None else w.copy()) for X, Y, w in blocks]


def joined(first: list[Any], second: list[Any]) -> list[Any]:
    """Return two lists in one."""
    return first + second


def _store_end(estimator: Any, end: Start | None, is_series: bool) -> None:
    """Keep where a single sequence ended, for forecasts and for more data."""
    estimator.__dict__.pop("last_state_", None)
    if end is None or not estimator.reservoir_.causal:
        return
    if is_series:
        n_state = estimator.reservoir_.n_state_
        estimator._stream_end = StreamEnd(end.state[:, :n_state].copy(), None, end.n_rows)
    estimator.last_state_, estimator._last_target = end.state.copy(), end.target
