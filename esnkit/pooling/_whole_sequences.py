"""Pooling that needs all rows of a sequence at a time: quantiles, and functions of users."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from esnkit.pooling._base import Pieces, Pooling, Training, pool, share_out
from esnkit.utils._plain_state import plain_record

__all__ = ["FunctionPooling", "Quantiles"]


class _Rows(NamedTuple):
    """Vectors of the sequences that are complete, and the rows so far of one that is not."""

    vectors: list[Any]
    rows: list[np.ndarray]


def _add(function, state: _Rows, Z: np.ndarray, pieces: Pieces, first: int, last: int) -> None:
    """Put the vectors of the sequences from ``first`` to ``last`` into the state."""
    for i in range(first, last):
        start, stop, seen, length = (int(array[i]) for array in pieces)
        rows = Z[start:stop]
        if stop - start < length:
            state.rows.append(rows.copy())
            if seen + stop - start < length:
                return
            rows = np.concatenate(state.rows)
        state.vectors[i] = function(rows)


@plain_record
@dataclass(frozen=True, eq=False)
class Quantiles(Pooling):
    """Quantiles of every feature, interpolated linearly as those of :func:`numpy.quantile`.

    The features are all first quantiles, all second ones, ... The rows of a sequence are in memory
    at a time.
    """

    levels: tuple[float, ...]

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        return len(self.levels) * n_columns

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> _Rows:
        """Return room for the vectors."""
        return _Rows([None] * n_sequences, [])

    def add(self, state: _Rows, Z: np.ndarray, pieces: Pieces) -> None:
        """Compute the quantiles of complete sequences."""

        def add_some(first, last):
            _add(self._of_rows, state, Z, pieces, first, last)

        share_out(add_some, len(state.vectors), Z.size)

    def finish(self, state: _Rows, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the quantiles."""
        return np.array(state.vectors, dtype)

    def _of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the quantiles of the columns, one level after another."""
        ordered = np.sort(rows, axis=0)
        place = np.multiply(self.levels, len(rows) - 1)
        low = np.floor(place).astype(int)
        below, above = ordered[low], ordered[np.minimum(low + 1, len(rows) - 1)]
        return (below + (above - below) * (place - low)[:, None].astype(rows.dtype)).ravel()


@plain_record
@dataclass(frozen=True, eq=False)
class FunctionPooling(Pooling):
    """A function of a user: the rows of a sequence (n_timesteps, n_features) -> a vector.

    The rows of a sequence are in memory at a time. ``n_out`` is the length of the vectors in
    ``fit``, None before it.
    """

    function: Callable[[np.ndarray], Any]
    n_out: int | None = None

    @property
    def needs_fit(self) -> bool:  # type: ignore[override]
        """Whether the length of the vectors is unknown."""
        return self.n_out is None

    def fit(self, training: Training) -> Self:
        """Return the pooling with the length of the vector of the first sequence."""
        _, _, rows = next(pool(self, training.run(), training.offsets, training.washout))
        return replace(self, n_out=rows.shape[1])

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has, or 1 before ``fit``."""
        return self.n_out or 1

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> _Rows:
        """Return room for the vectors."""
        return _Rows([None] * n_sequences, [])

    def add(self, state: _Rows, Z: np.ndarray, pieces: Pieces) -> None:
        """Call the function for complete sequences."""
        _add(self._of_rows, state, Z, pieces, 0, len(state.vectors))

    def finish(self, state: _Rows, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the vectors."""
        sizes = [vector.size for vector in state.vectors]
        wanted = self.n_out or sizes[0]
        for size in sizes:
            if size != wanted:
                raise ValueError(
                    f"pooling={self._name} must return vectors of one length for all sequences, "
                    f"got {wanted} and {size} numbers: return a number of features that does not "
                    "depend on the length of a sequence"
                )
        return np.array(state.vectors, dtype)

    def _of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the vector of a sequence, checked."""
        # A copy: the next block overwrites the rows, which a function may keep or change.
        vector = np.asarray(self.function(rows.copy()))
        if vector.ndim != 1 or vector.size == 0 or vector.dtype.kind not in "biuf":
            raise ValueError(
                f"pooling={self._name} must return a vector of numbers for the states "
                f"{rows.shape} of a sequence, got an array of shape {vector.shape} and dtype "
                f"{vector.dtype}"
            )
        vector = vector.astype(rows.dtype)
        if not np.isfinite(vector).all():
            raise ValueError(
                f"pooling={self._name} must return finite numbers, got NaN or infinity for a "
                f"sequence of {len(rows)} time steps"
            )
        return vector

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))
