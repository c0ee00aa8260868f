"""Predictions of dask collections, partition by partition and not before they are asked for."""

from functools import partial
from typing import Any

import numpy as np

from esnkit.distributed._dask import dask
from esnkit.distributed._partitions import Partitions, as_sequences, partitions, size_of
from esnkit.distributed._start_states import Start, end_of
from esnkit.distributed._tasks import in_partition
from esnkit.sequences._packing import pack
from esnkit.utils._validation import check_fitted

__all__ = ["predict_reservoir", "predict_rows"]


def predict_rows(readout: Any, X: Any, method: str) -> Any:
    """Predict rows by a readout."""
    check_fitted(readout, "n_features_in_")
    found = partitions(X)
    _check_width(readout, X)
    example = getattr(readout, method)(_zeros(readout, X, (1,)))
    sent, task = dask().delayed(readout, pure=False), dask().delayed(_of_rows, pure=False)
    parts = [task(i, method, sent, part.X, example[:0]) for i, part in enumerate(found.parts)]
    return _array(parts, X, example)


def predict_reservoir(estimator: Any, X: Any, method: str, initial_state: Any) -> Any:
    """Predict sequences, or one series, by an estimator with a reservoir."""
    check_fitted(estimator, "reservoir_")
    found = partitions(X)
    sent, delayed = dask().delayed(estimator, pure=False), partial(dask().delayed, pure=False)
    if found.kind in ("bag", "items"):
        task = delayed(_of_sequences)
        parts = [
            task(i, method, sent, part, initial_state, found.kind)
            for i, part in enumerate(found.parts)
        ]
        return parts if found.kind == "items" else _bag(parts)
    _check_width(estimator, X)
    example = _example(estimator, X, method)
    if found.are_rows:
        parts = _of_series(estimator, sent, found, method, initial_state, example[:0])
    else:
        task = delayed(_of_batch)
        parts = [
            task(i, method, sent, part.X, initial_state, example[:0])
            for i, part in enumerate(found.parts)
        ]
    return _array(parts, X, example)


def _check_width(estimator: Any, X: Any) -> None:
    """Raise if a collection has other columns than that of ``fit``."""
    if X.shape[-1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[-1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )


def _example(estimator: Any, X: Any, method: str) -> np.ndarray:
    """Return the prediction of zeros, of which all others have the dtype and the last axes."""
    if X.ndim == 2:
        state = np.zeros((1, estimator.reservoir_.n_state_), estimator._dtype)
        return getattr(estimator, method)(_zeros(estimator, X, (1,)), initial_state=state)
    return getattr(estimator, method)(_zeros(estimator, X, (1, X.shape[1])))


def _zeros(estimator: Any, X: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros, with the names of the features where X has some."""
    zeros = np.zeros((*shape, estimator.n_features_in_), estimator._dtype)
    columns = getattr(X, "columns", None)
    if columns is None:
        return zeros
    import pandas

    return pandas.DataFrame(zeros, columns=columns)


def _of_series(
    estimator: Any, sent: Any, found: Partitions, method: str, initial_state: Any, empty: Any
) -> list[Any]:
    """Return delayed predictions of a series, each of which starts where the one before ends."""
    estimator.reservoir_.check_causal("a series in partitions")
    delayed = partial(dask().delayed, pure=False)
    feeds_back = estimator._settings.feedback
    start: Any = Start(estimator._initial_state(initial_state, 1))
    parts = []
    for i, part in enumerate(found.parts):
        pair = delayed(_of_piece)(i, method, sent, part.X, start, empty)
        parts.append(pair[0])
        start = pair[1] if feeds_back else delayed(_next_start)(i, sent, part.X, start)
    return parts


@in_partition
def _of_rows(method: str, readout: Any, X: Any, empty: np.ndarray) -> np.ndarray:
    return getattr(readout, method)(X) if size_of(X) else empty


@in_partition
def _of_batch(
    method: str, estimator: Any, X: Any, initial_state: Any, empty: np.ndarray
) -> np.ndarray:
    if size_of(X) == 0:
        return empty
    return getattr(estimator, method)(X, initial_state=initial_state)


@in_partition
def _of_sequences(method: str, estimator: Any, part: Any, initial_state: Any, kind: str) -> Any:
    """Return predictions as a list; of a delayed single sequence, its prediction."""
    taken, is_single = as_sequences(part)
    if size_of(taken.X) == 0:
        return []
    values = getattr(estimator, method)(taken.X, initial_state=initial_state)
    if kind == "items":
        return values[0] if is_single else values
    return list(values)


@in_partition
def _of_piece(
    method: str, estimator: Any, X: Any, start: Start, empty: np.ndarray
) -> tuple[np.ndarray, Start]:
    """Return the predictions of a piece of a series, and where the next one starts if fed back."""
    if size_of(X) == 0:
        return empty, start
    run = getattr(estimator, method)
    if not estimator._settings.feedback:
        return run(X, initial_state=start.state), start
    values, state = run(X, initial_state=start.state, return_state=True)
    return values, Start(state)


@in_partition
def _next_start(estimator: Any, X: Any, start: Start) -> Start:
    """Return where the next partition of a series starts."""
    if size_of(X) == 0:
        return start
    sequences = pack(estimator, X, reset=False, dtype=(estimator._dtype,))
    return end_of(estimator.reservoir_, sequences, start, warm_up=True)


def _array(parts: list[Any], X: Any, example: np.ndarray) -> Any:
    """Return predictions as a dask array."""
    import dask.array as da

    lengths = X.chunks[0] if hasattr(X, "chunks") else [np.nan] * len(parts)
    blocks = [
        da.from_delayed(part, (n, *example.shape[1:]), dtype=example.dtype)
        for part, n in zip(parts, lengths, strict=True)
    ]
    return da.concatenate(blocks, allow_unknown_chunksizes=True)


def _bag(parts: list[Any]) -> Any:
    """Return predictions as a bag, one item for every sequence."""
    import dask.bag as db

    return db.from_delayed(parts)
