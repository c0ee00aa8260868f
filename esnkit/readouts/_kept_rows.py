"""Streams of rows that are read once if the rows are few, and again for every pass if not."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from esnkit.readouts._accumulator import Accumulator, accumulate_blocks
from esnkit.readouts._base import Block

__all__ = ["KeptRows", "are_few"]

# Numbers of features in all rows that are kept: 64 MB in float64.
MAX_KEPT = 2**23


class KeptRows:
    """A stream of blocks that every call starts anew, of which copies are kept if they are few.

    A second pass over the features of a reservoir would run it again.

    Parameters
    ----------
    make_blocks : callable () -> iterable of blocks
    n_rows : int or None
        Number of rows, if known.
    keep : bool
        Whether there may be a second pass.

    Attributes
    ----------
    first : Block
    n_rows : int or None
    are_kept : bool
        Whether the rows are few.
    """

    def __init__(self, make_blocks: Callable[[], Iterable[Block]], n_rows: int | None, keep: bool):
        self.make_blocks = make_blocks
        self.started: Iterator[Block] | None = iter(make_blocks())
        try:
            self.first = next(self.started)
        except StopIteration:
            raise ValueError("make_blocks must yield at least one block, got none") from None
        self.n_rows = n_rows
        self.are_kept = keep and are_few(n_rows, self.first[0].shape[1])
        self.kept: list[Block] = []
        self.is_complete = False

    def __call__(self) -> Iterator[Block]:
        """Return the blocks."""
        if self.is_complete:
            return iter(self.kept)
        if self.started is None:
            return iter(self.make_blocks())
        return self._rest()

    def accumulate(self, solver: str, alpha: float, standardize: bool) -> Accumulator:
        """Return the statistics of all rows in the form that suits the solver and alpha."""
        return accumulate_blocks(self(), solver, alpha, self.n_rows, standardize)

    def reduce(self, task: Callable[[Iterable[Block]], Any], merge: Callable) -> Any:
        """Return the result of a task for all blocks, which are one partition."""
        return task(self())

    def remember(self, name: str, compute: Callable[[], Any], anew: bool = False) -> Any:
        """Return what is computed from the rows: nothing else needs it again."""
        return compute()

    def _rest(self) -> Iterator[Block]:
        """Yield the blocks of the first pass, and keep copies of few."""
        blocks: Any = self.started
        block: Block | None = self.first
        self.started = None
        while block is not None:
            if self.are_kept:
                block = _copy(block)
                self.kept.append(block)
                # Who knows the number of rows may not ask for a block after the last one.
                following = next(blocks, None)
                self.is_complete = following is None
                yield block
            else:  # the stream may write over the block
                yield block
                following = next(blocks, None)
            block = following


def are_few(n_rows: int | None, n_features: int) -> bool:
    """Return whether rows are few enough to keep them."""
    return n_rows is not None and n_rows <= max(n_features, MAX_KEPT // n_features)


def _copy(block: Block) -> Block:
    X, Y, w = block
    return X.copy(), np.array(Y), None if w is None else np.array(w)
