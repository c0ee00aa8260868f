"""Dask collections as lists of partitions: rows of one series, or whole sequences."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.distributed._dask import dask

__all__ = ["Part", "Partitions", "as_sequences", "partitions", "size_of"]


class Part(NamedTuple):
    """What one partition holds, as delayed objects or, in a task, as data."""

    X: Any
    y: Any = None
    weights: Any = None


class Partitions(NamedTuple):
    """The partitions of a collection.

    ``kind`` is "rows" (a 2-D array or a data frame: one series, or the rows of a readout), "batch"
    (a 3-D array), "bag" (lists of sequences) or "items" (each a sequence, or a list of them).
    """

    parts: list[Part]
    kind: str

    @property
    def are_rows(self) -> bool:
        """Whether the partitions are rows of one array."""
        return self.kind == "rows"


def partitions(X: Any, y: Any = None, weights: Any = None) -> Partitions:
    """Return the partitions of X, with those of the targets and the weights beside them."""
    kind = _kind(X)
    of_X = _delayed("X", X, kind)
    beside = [
        [None] * len(of_X) if other is None else _like(name, other, X, kind)
        for name, other in (("y", y), ("sample_weight", weights))
    ]
    for name, found in zip(("y", "sample_weight"), beside, strict=True):
        if len(found) != len(of_X):
            raise ValueError(
                f"{name} must have the {len(of_X)} partitions of X, got {len(found)}: of arrays "
                f"{name}.rechunk, of data frames and bags repartition"
            )
    return Partitions([Part(*part) for part in zip(of_X, *beside, strict=True)], kind)


def _kind(X: Any) -> str:
    if isinstance(X, (list, tuple)):
        return "items"
    if hasattr(X, "to_delayed") and not hasattr(X, "ndim"):
        return "bag"
    if not hasattr(X, "to_delayed") or X.ndim not in (2, 3):
        raise TypeError(
            "X must be a dask array (n_timesteps, n_features) or (n_sequences, n_timesteps, "
            "n_features), a dask data frame, a bag of sequences, or a list of delayed sequences or "
            f"of delayed lists of sequences, got {X!r}"
        )
    return "rows" if X.ndim == 2 else "batch"


def _like(name: str, other: Any, X: Any, kind: str) -> list[Any]:
    """Return the partitions of the targets or weights of X."""
    if kind == "items" and isinstance(other, (list, tuple, np.ndarray)):
        return [dask().delayed(item) for item in other]
    if hasattr(X, "chunks"):
        chunks = X.chunks[0]
        if isinstance(other, np.ndarray) and not np.isnan(chunks).any():
            import dask.array as da

            _check_length(name, len(other), X)
            other = da.from_array(other, chunks=(chunks, *other.shape[1:]))
        if hasattr(other, "chunks") and not np.isnan([*chunks, *other.chunks[0]]).any():
            _check_length(name, other.shape[0], X)
            other = other.rechunk({0: chunks, **{axis: -1 for axis in range(1, other.ndim)}})
    return _delayed(name, other, kind)


def _check_length(name: str, n: int, X: Any) -> None:
    if n != X.shape[0]:
        raise ValueError(
            f"{name} must have as many rows as X, {X.shape[0]}, got {n}: inconsistent numbers of "
            "samples"
        )


def _delayed(name: str, collection: Any, kind: str) -> list[Any]:
    """Return the partitions of a collection as delayed objects."""
    if kind == "items":
        if not isinstance(collection, (list, tuple)):
            raise TypeError(f"{name} must be a list of delayed objects like X, got {collection!r}")
        return list(collection)
    if not hasattr(collection, "to_delayed"):
        raise TypeError(
            f"{name} must be a dask collection with the partitions of X, got "
            f"{type(collection).__name__}"
        )
    if any(n > 1 for n in getattr(collection, "numblocks", ())[1:]):
        axes = ", ".join(f"{axis}: -1" for axis in range(1, collection.ndim))
        raise ValueError(
            f"{name} must be cut along its first axis only, as rows and sequences are never cut, "
            f"got chunks {collection.chunks}: use {name}.rechunk({{{axes}}})"
        )
    delayed = collection.to_delayed()
    return list(delayed.ravel() if isinstance(delayed, np.ndarray) else delayed)


def as_sequences(part: Part) -> tuple[Part, bool]:
    """Return a part that holds lists, and whether it was a single sequence: of bags and items."""
    if getattr(part.X, "ndim", None) == 2:
        return Part(*(None if value is None else [value] for value in part)), True
    return Part(*(_as_list(value) for value in part)), False


def _as_list(values: Any) -> Any:
    return values if values is None or hasattr(values, "ndim") else list(values)


def size_of(X: Any) -> int:
    """Return how many rows, or sequences, a partition has."""
    return len(X)
