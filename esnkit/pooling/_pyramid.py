"""Means over the whole, the halves and the quarters of every sequence."""

from dataclasses import dataclass

import numpy as np

from esnkit.kernels.pooling import add_segments
from esnkit.pooling._base import Pieces, Pooling, share_out
from esnkit.utils._plain_state import plain_record

__all__ = ["Pyramid"]


@plain_record
@dataclass(frozen=True, eq=False)
class Pyramid(Pooling):
    """Means over equal segments: the whole sequence, its halves, its quarters.

    The features are all means over the whole, over the first half, the second, the first quarter,
    ... A segment of a short sequence has one row at least.

    References
    ----------
    S. Lazebnik, C. Schmid and J. Ponce (2006), Beyond bags of features: spatial pyramid matching
    for recognizing natural scene categories, CVPR.
    """

    divisions: tuple[int, ...] = (1, 2, 4)

    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""
        return sum(self.divisions) * n_columns

    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> np.ndarray:
        """Return the sums (n_sequences, n_segments, n_columns) of no rows."""
        return np.zeros((n_sequences, sum(self.divisions), n_columns))

    def add(self, state: np.ndarray, Z: np.ndarray, pieces: Pieces) -> None:
        """Add rows to the sums of their segments."""
        edges = self._edges(pieces.lengths)

        def add_some(first, last):
            starts, stops, seen, _ = pieces.part(first, last)
            add_segments(Z, starts, stops, seen, edges[first:last], state[first:last])

        share_out(add_some, len(state), Z.size)

    def finish(self, state: np.ndarray, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the means."""
        first, last = np.moveaxis(self._edges(lengths), 2, 0)
        return (state / (last - first)[:, :, None]).astype(dtype).reshape(len(state), -1)

    def _edges(self, lengths: np.ndarray) -> np.ndarray:
        """Return first row, and one past the last, of the segments (n_sequences, n_segments, 2)."""
        n = lengths[:, None]
        edges = []
        for parts in self.divisions:
            k = np.arange(parts)
            first = n * k // parts
            edges.append(np.stack([first, np.maximum(n * (k + 1) // parts, first + 1)], axis=2))
        return np.concatenate(edges, axis=1)
