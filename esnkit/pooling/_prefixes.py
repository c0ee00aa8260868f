"""Pooling of prefixes: the features that a sequence would have if it ended earlier."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from esnkit.pooling._base import Block, Pieces, Pooling, n_together, pieces_of

__all__ = ["pool_prefixes"]

SPAN = 16  # rows of the prefixes that go on from one state together: every one adds them anew


class _Piece(NamedTuple):
    """Rows of one sequence after the washout, which begins at the packed row ``begin``."""

    begin: int
    first: int  # packed row of rows[0]
    rows: np.ndarray

    @property
    def last(self) -> int:
        """One past the last packed row."""
        return self.first + len(self.rows)


def pool_prefixes(
    pooling: Pooling, blocks: Iterable[Block], offsets: np.ndarray, washout: int, ends: np.ndarray
) -> Iterator[Block]:
    """Yield (first prefix, one past the last, pooled rows) of many prefixes at a time.

    ``ends`` (n_prefixes,) are the packed rows before which the prefixes end, in ascending order.
    Every one has a row after the washout. A running pooling keeps its sums and adds every row about
    once; another one pools every prefix anew, and has all rows of one sequence in memory.
    """
    pieces = _pieces(blocks, offsets, washout)
    if pooling.is_running:
        yield from _run_on(pooling, pieces, ends)
    else:
        yield from _pool_anew(pooling, _whole(pieces, offsets), ends)


def _pieces(blocks: Iterable[Block], offsets: np.ndarray, washout: int) -> Iterator[_Piece]:
    """Cut blocks into the rows of one sequence each."""
    for start, stop, Z in blocks:
        first = int(np.searchsorted(offsets, start, side="right")) - 1
        last = int(np.searchsorted(offsets, stop, side="left"))
        pieces = pieces_of(offsets[first : last + 1], washout, start, stop)
        begins = (offsets[first:last] + washout).tolist()
        for begin, top, end in zip(begins, pieces.starts, pieces.stops, strict=True):
            if top < end:
                yield _Piece(begin, start + int(top), Z[top:end])


def _whole(pieces: Iterable[_Piece], offsets: np.ndarray) -> Iterator[_Piece]:
    """Join the pieces of every sequence."""
    parts: list[np.ndarray] = []
    for piece in pieces:
        is_last = piece.last == offsets[np.searchsorted(offsets, piece.begin, side="right")]
        if not is_last:
            parts.append(piece.rows.copy())  # the next block overwrites them
            continue
        rows = np.concatenate([*parts, piece.rows]) if parts else piece.rows
        yield _Piece(piece.begin, piece.begin, rows)
        parts = []


def _pool_anew(pooling: Pooling, wholes: Iterable[_Piece], ends: np.ndarray) -> Iterator[Block]:
    """Pool the prefixes of whole sequences as if they were sequences."""
    done = 0
    for begin, _, rows in wholes:
        group = n_together(pooling, rows.shape[1], rows.itemsize)
        n = int(np.searchsorted(ends, begin + len(rows), side="right"))
        for first in range(done, n, group):
            last = min(first + group, n)
            state = pooling.start(last - first, rows.shape[1], rows.dtype)
            yield first, last, _features(pooling, state, rows, ends[first:last] - begin, 0)
        done = n


def _run_on(pooling: Pooling, pieces: Iterable[_Piece], ends: np.ndarray) -> Iterator[Block]:
    """Pool prefixes from the state of the prefix before them."""
    done, state, n_seen = 0, None, 0
    for piece in pieces:
        rows, dtype = piece.rows, piece.rows.dtype
        if piece.first == piece.begin:
            state, n_seen = pooling.start(1, rows.shape[1], dtype), 0
        n = int(np.searchsorted(ends, piece.last, side="right"))
        group = n_together(pooling, rows.shape[1], rows.itemsize)
        while done < n:
            until = max(piece.begin + n_seen + SPAN, ends[done])
            last = min(int(np.searchsorted(ends[:n], until, side="right")), done + group)
            lengths = ends[done:last] - piece.begin
            left = rows[piece.begin + n_seen - piece.first :]
            states = _take(state, np.zeros(last - done, int))
            yield done, last, _features(pooling, states, left, lengths, n_seen)
            state, n_seen, done = _take(states, [-1]), int(lengths[-1]), last
        left = rows[piece.begin + n_seen - piece.first :]
        if len(left):
            _add(pooling, state, left, np.array([n_seen + len(left)]), n_seen)
            n_seen += len(left)


def _features(
    pooling: Pooling, states: Any, rows: np.ndarray, lengths: np.ndarray, n_seen: int
) -> np.ndarray:
    """Add rows of one sequence to the states of its prefixes, and return their features."""
    _add(pooling, states, rows, lengths, n_seen)
    return pooling.finish(states, lengths, rows.dtype)


def _add(pooling: Pooling, states: Any, rows: np.ndarray, lengths: np.ndarray, n_seen: int) -> None:
    """Add rows, before which every prefix has ``n_seen`` others."""
    zeros = np.zeros(len(lengths), np.int64)
    pieces = Pieces(zeros, lengths - n_seen, zeros + n_seen, lengths)
    pooling.add(states, rows[: lengths[-1] - n_seen], pieces)


def _take(state: Any, indices: Any) -> Any:
    """Return a copy of the states of some sequences; a state is an array, or several of them."""
    if isinstance(state, np.ndarray):
        return state[indices]
    return type(state)(_take(part, indices) for part in state)
