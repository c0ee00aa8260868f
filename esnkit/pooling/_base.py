"""The contract of pooling: rows of a sequence in, one vector of features out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from esnkit.utils._threads import n_threads, run_tasks

__all__ = [
    "Block",
    "Pieces",
    "Pooling",
    "Run",
    "Training",
    "count_pooled",
    "kept_rows",
    "n_together",
    "pieces_of",
    "pool",
    "share_out",
]

Block = tuple[int, int, np.ndarray]  # first row, one past the last row, feature rows
Run = Callable[[], Iterable[Block]]  # runs the reservoir anew over all sequences
MAX_POOLED_BYTES = 2**24  # of pooled rows that are handed on at once
MAX_SAMPLED = 2**14  # rows that poolings are fitted to, about
MIN_POOLED = 64  # sequences that a readout learns from at a time: fewer take as long
GOLDEN_RATIO = (5**0.5 - 1) / 2  # its multiples, modulo one, are spread evenly
MIN_SHARE = 2**14  # numbers that are worth a second thread


class Pieces(NamedTuple):
    """The rows of a block, one piece of it for each of several sequences.

    Rows of the washout count nowhere: the first row after it is row 0 of its sequence.
    """

    starts: np.ndarray  # (n,) int64, first row of the piece, in the block
    stops: np.ndarray  # (n,) int64, one past its last row
    seen: np.ndarray  # (n,) int64, rows of the sequence in blocks before
    lengths: np.ndarray  # (n,) int64, all rows of the sequence

    def part(self, first: int, last: int) -> "Pieces":
        """Return the pieces from ``first`` up to, but not including, ``last``."""
        return Pieces(*(array[first:last] for array in self))


class Training(NamedTuple):
    """Rows of the training sequences, which poolings are fitted to."""

    run: Run
    offsets: np.ndarray  # (n_sequences + 1,)
    washout: int
    kept: list[np.ndarray] | None = None  # the sample, if several poolings are fitted to it

    def sample(self) -> Iterable[np.ndarray]:
        """Return all rows after the washout, or about MAX_SAMPLED of them, in several arrays."""
        if self.kept is not None:
            return self.kept
        return kept_rows(self.run, self.offsets, self.washout, MAX_SAMPLED)

    def keep_sample(self) -> "Training":
        """Return the same with the sample in memory, for which the reservoir runs now."""
        return self._replace(kept=list(self.sample()))


class Pooling(ABC):
    """What turns the rows of every sequence into one vector, block by block.

    An instance does not change; ``fit`` returns another one. What it sums up stands in the state
    that ``start`` returns.
    """

    needs_fit: bool = False  # whether ``fit`` must read the training sequences first
    is_running: bool = False  # whether a state depends on the rows so far, not on later ones

    def fit(self, training: Training) -> "Pooling":
        """Return the pooling fitted to the rows of the training sequences."""
        return self

    @abstractmethod
    def width(self, n_columns: int) -> int:
        """Return how many features a sequence has."""

    @abstractmethod
    def start(self, n_sequences: int, n_columns: int, dtype: np.dtype) -> Any:
        """Return the state of sequences none of whose rows has been added."""

    @abstractmethod
    def add(self, state: Any, Z: np.ndarray, pieces: Pieces) -> None:
        """Add a piece of every sequence to the state."""

    @abstractmethod
    def finish(self, state: Any, lengths: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the features (n_sequences, width); the state stays as it is."""


def pool(
    pooling: Pooling, blocks: Iterable[Block], offsets: np.ndarray, washout: int
) -> Iterator[Block]:
    """Yield (first sequence, one past the last, pooled rows), many sequences at a time.

    A block holds whole sequences or a piece of one.
    """
    waiting: list[Block] = []
    for block in _pool_blocks(pooling, blocks, offsets, washout):
        waiting.append(block)
        if block[1] - waiting[0][0] >= MIN_POOLED:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(blocks: list[Block]) -> Block:
    rows = [rows for _, _, rows in blocks]
    return blocks[0][0], blocks[-1][1], rows[0] if len(rows) == 1 else np.concatenate(rows)


def count_pooled(
    pooling: Pooling, segments: Iterable[tuple[int, int]], n_columns: int, itemsize: int
) -> int:
    """Return how often `pool` yields at most, for the (first, last) sequences of every block."""
    group, count, n_waiting = n_together(pooling, n_columns, itemsize), 0, 0
    for first, last in segments:
        for start in range(first, last, group):
            n_waiting += min(group, last - start)
            if n_waiting >= MIN_POOLED:
                count, n_waiting = count + 1, 0
    return count + (n_waiting > 0)


def _pool_blocks(
    pooling: Pooling, blocks: Iterable[Block], offsets: np.ndarray, washout: int
) -> Iterator[Block]:
    """Yield (first sequence, one past the last, pooled rows) of those that end in a block."""
    n_complete, state = 0, None
    for start, stop, Z in blocks:
        last = int(np.searchsorted(offsets, stop, side="right")) - 1
        group = n_together(pooling, Z.shape[1], Z.itemsize)
        for first in range(n_complete, max(last, n_complete + 1), group):
            n = max(min(group, last - first), 1)
            pieces = pieces_of(offsets[first : first + n + 1], washout, start, stop)
            if state is None:
                state = pooling.start(n, Z.shape[1], Z.dtype)
            pooling.add(state, Z, pieces)
            if last > first:
                yield first, first + n, pooling.finish(state, pieces.lengths, Z.dtype)
                state = None
        n_complete = last


def n_together(pooling: Pooling, n_columns: int, itemsize: int) -> int:
    """Return how many sequences are pooled at a time, at most."""
    return max(1, MAX_POOLED_BYTES // (itemsize * pooling.width(n_columns)))


def pieces_of(edges: np.ndarray, washout: int, start: int, stop: int) -> Pieces:
    """Return the pieces of some sequences in a block; ``edges`` (n + 1,) are their offsets."""
    begins, ends = edges[:-1] + washout, edges[1:]
    starts = np.clip(begins, start, stop) - start
    stops = np.clip(ends, start, stop) - start
    return Pieces(starts, stops, np.maximum(start - begins, 0), ends - begins)


def kept_rows(
    run: Run,
    offsets: np.ndarray,
    washout: int,
    max_rows: int,
    n_before: int = 0,
    n_after_washout: int = 0,
) -> Iterator[np.ndarray]:
    """Yield copies of the rows of every block after the washout, or about ``max_rows`` of all.

    If these are not all sequences, there are ``n_before`` rows before them, and
    ``n_after_washout`` in all.
    """
    share = max_rows / (n_after_washout or int(offsets[-1]) - washout * (offsets.size - 1))
    for start, stop, Z in run():
        rows = Z[_is_kept(offsets, washout, (start, stop), share, n_before)]
        if len(rows):
            yield rows


def _is_kept(
    offsets: np.ndarray, washout: int, block: tuple[int, int], share: float, n_before: int
) -> np.ndarray:
    """Return which rows of a block come after the washout and are in a given share of all rows."""
    start, stop = block
    if share >= 1:
        kept = np.ones(stop - start, bool)
    else:  # every k-th row would be the same step of every sequence where k divides their length
        kept = (n_before + np.arange(start, stop)) * GOLDEN_RATIO % 1.0 < share
    if washout:
        first = max(int(np.searchsorted(offsets, start, side="right")) - 1, 0)
        last = int(np.searchsorted(offsets, stop, side="left"))
        pieces = pieces_of(offsets[first : last + 1], washout, start, stop)
        is_after = np.zeros(stop - start, bool)
        for begin, end in zip(pieces.starts, pieces.stops, strict=True):
            is_after[begin:end] = True
        kept &= is_after
    return kept


def share_out(task: Callable[[int, int], object], n: int, work: float) -> None:
    """Run ``task(first, last)`` for ranges that cover n sequences, in threads if it is worth it."""
    n_shares = int(min(2 * n_threads(), n, max(work // MIN_SHARE, 1))) if n_threads() > 1 else 1
    edges = np.linspace(0, n, n_shares + 1).astype(int).tolist()
    run_tasks([partial(task, *edge) for edge in zip(edges[:-1], edges[1:], strict=True)])
