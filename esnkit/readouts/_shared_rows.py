"""Rows that several ridge readouts are fitted to, of whatever penalty: their statistics are shared.

Sums are those of a readout that reads the rows alone, to the last bit: rounding errors of a Gram
matrix reach the eighth digit of predictions where the penalty is tiny.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from esnkit.readouts._accumulator import (
    Accumulator,
    has_enough_rows,
    is_enough,
    is_well_conditioned,
    suits_gram,
)
from esnkit.readouts._base import Block, n_outputs_of
from esnkit.readouts._kept_rows import KeptRows, are_few
from esnkit.utils._sharing import SharedWork, is_prefix

__all__ = ["SharedRows", "share_arrays"]


class Source(Protocol):
    """A stream of blocks.

    Attributes
    ----------
    n_first : int
        Rows that a readout sees first: from them it chooses the form of the statistics.
    n_common : int
        First rows whose sums are those of every stream that begins with all rows of this one.
    """

    n_first: int
    n_common: int

    def __call__(self) -> Iterable[Block]:
        """Start the stream anew."""

    def after_common(self, other: Any) -> Iterable[Block]:
        """Return the blocks after the common rows of another stream, which this one begins with."""

    def ends_block(self, n_rows: int) -> bool:
        """Return whether a block ends after these rows if a readout reads the stream alone."""


class Reading:
    """Statistics of the rows of a stream so far, and the blocks that follow."""

    def __init__(self, accumulator: Accumulator, blocks: Iterable[Block], n_rows: int = 0):
        self.accumulator, self.blocks, self.n_rows = accumulator, iter(blocks), n_rows

    def fork(self) -> Accumulator:
        """Return the statistics so far, which later rows do not change."""
        fixed, self.accumulator = self.accumulator, self.accumulator.share()
        return fixed


def _has_rows(reading: Reading) -> bool:
    return reading.accumulator.n_rows > 0


class SharedRows:
    """A stream of rows whose statistics are computed once for all penalties.

    Parameters
    ----------
    source : Source
    first : Block
        A block of any number of rows, which shows the shapes and the dtype.
    n_rows : int
    keep : bool
        Whether to keep copies of the rows, if they are few.
    standardize : bool
        As of the readouts.

    Attributes
    ----------
    before : SharedRows or None
        Rows that these begin with, whose statistics are the start of those of all rows.
    """

    def __init__(
        self, source: Source, first: Block, n_rows: int, keep: bool, standardize: bool = False
    ):
        self.source, self.first, self.n_rows = source, first, n_rows
        self.keep, self.standardize = keep, standardize
        n_features = first[0].shape[1]
        self.are_kept = (keep or not is_enough(n_rows, n_features)) and are_few(n_rows, n_features)
        self.kept: KeptRows | None = None
        self.before: SharedRows | None = None
        self.started: Reading | None = None  # after the leading rows
        self.leading: Accumulator | None = None  # Gram form of the first block, merged
        self.turning: Accumulator | None = None  # QR form of the first blocks, if one is too few
        self.gram_from = np.inf  # the Gram form suits this alpha and larger ones
        self.common: dict[str, Accumulator] = {}  # of the common rows
        self.all: dict[str, Accumulator] = {}
        self.remembered: dict[str, Any] = {}

    @property
    def n_bytes(self) -> int:
        """Bytes of all statistics, and of the rows that are kept."""
        n_features = self.first[0].shape[1]
        if self.are_kept:  # in the dual form, there is another copy in float64
            return 8 * self.n_rows * n_features * 3
        return 8 * n_features**2 * (2 * len(self.common) + len(self.all) + 1)

    def __call__(self) -> Iterator[Block]:
        """Return the blocks."""
        if not self.are_kept:
            return iter(self.source())
        if self.kept is None:
            self.kept = KeptRows(self.source, self.n_rows, True)
        return self.kept()

    def reduce(self, task: Callable[[Iterable[Block]], Any], merge: Callable) -> Any:
        """Return the result of a task for all blocks, which are one partition."""
        return task(self())

    def start_from(self, known: Iterable["SharedRows"]) -> None:
        """Start from the longest of those rows that these are known to begin with."""
        alike = [rows for rows in known if rows.standardize == self.standardize]
        self.before = max(alike, key=lambda rows: rows.n_rows, default=None)

    def remember(self, name: str, compute: Callable[[], Any], anew: bool = False) -> Any:
        """Return what is computed from the rows, at the first time or anew."""
        if anew or name not in self.remembered:
            self.remembered[name] = compute()
        return self.remembered[name]

    def accumulate(self, solver: str, alpha: float, standardize: bool) -> Accumulator:
        """Return the statistics of all rows in the form that suits the solver and alpha."""
        form = self._choose_form(alpha) if solver == "auto" else solver
        if form not in self.all:
            self.all[form] = self._all_rows(form).merge_partial_sums()
        return self.all[form]

    def _choose_form(self, alpha: float) -> str:
        """Return the form by the rule of a readout that reads the stream alone."""
        if alpha >= self.gram_from:
            return "gram"
        leading = self._leading()
        if suits_gram(alpha, leading, self.n_rows):
            self.gram_from = alpha
            return "gram"
        if has_enough_rows(leading):
            return "qr"
        turning = self._turning()
        turns = "qr to gram" in self.all and is_well_conditioned(alpha, turning, self.n_rows)
        return "qr to gram" if turns else "qr"

    def _leading(self) -> Accumulator:
        """Return the Gram form of the first block with rows."""
        before, n_first = self.before, self.source.n_first
        if self.leading is None and before is not None and before.n_rows >= n_first:
            self.leading = before.leading  # the rows are the same
        if self.leading is None:
            reading = self._begin("gram")
            self._read(reading, "gram", lambda: reading.n_rows >= n_first and _has_rows(reading))
            if reading.n_rows < self.n_rows:
                self.leading, self.started = reading.fork().merged(), reading
            else:
                self._read(reading, "gram", lambda: False)  # up to the end of the stream
                self.leading = self.all["gram"] = reading.accumulator.merge_partial_sums()
        return self.leading

    def _turning(self) -> Accumulator:
        """Return the QR form of the first blocks that show the condition, or of all rows."""
        if self.turning is None:
            reading = Reading(self._empty("qr"), self())
            self._read(reading, "", lambda: has_enough_rows(reading.accumulator))
            self.turning, form = reading.fork(), "qr"
            gram = self.turning.to_gram()
            if has_enough_rows(self.turning) and gram.is_moderate():
                reading.accumulator, form = gram, "qr to gram"
            self._read(reading, "", lambda: False)
            self.all[form] = reading.accumulator.merge_partial_sums()
        return self.turning

    def _all_rows(self, form: str) -> Accumulator:
        """Return the statistics of all rows."""
        reading = self.started if form == "gram" else None
        if reading is None:
            reading = self._begin(form)
        else:
            self.started = None
        self._read(reading, form, lambda: False)
        return reading.accumulator

    def _read(self, reading: Reading, form: str, is_done: Callable[[], bool]) -> None:
        """Add blocks to the statistics, up to the end of one after which it is done."""
        for X, Y, w in reading.blocks:
            reading.accumulator.add(X, Y.reshape(len(Y), -1), w)
            reading.n_rows += len(X)
            if form and reading.n_rows == self.source.n_common:
                self.common[form] = reading.fork()
            if self.source.ends_block(reading.n_rows) and is_done():
                return

    def _begin(self, form: str) -> Reading:
        """Begin to read, after those first rows whose statistics exist."""
        before = self.before
        if before is None or form not in before.common:
            return Reading(self._empty(form), self())
        n_rows, accumulator = before.source.n_common, before.common[form]
        if n_rows == self.source.n_common:
            self.common[form] = accumulator
        return Reading(accumulator.share(), self.source.after_common(before.source), n_rows)

    def _empty(self, form: str) -> Accumulator:
        X, Y, _ = self.first
        return Accumulator(form, X.shape[1], n_outputs_of(Y), standardize=self.standardize)


class ArrayRows:
    """Rows of arrays, in blocks of a fixed size."""

    def __init__(self, block: Block, block_rows: int):
        self.block, self.block_rows, n_rows = block, block_rows, len(block[0])
        self.n_first, self.n_common = min(block_rows, n_rows), n_rows // block_rows * block_rows

    def __call__(self) -> Iterator[Block]:
        """Start the stream anew."""
        return self._blocks(0)

    def after_common(self, other: "ArrayRows") -> Iterator[Block]:
        """Return the blocks after the common rows of another stream, which this one begins with."""
        return self._blocks(other.n_common)

    def _blocks(self, first: int) -> Iterator[Block]:
        X, y, w = self.block
        for start in range(first, len(X), self.block_rows):
            rows = slice(start, start + self.block_rows)
            yield X[rows], y[rows], None if w is None else w[rows]

    def ends_block(self, n_rows: int) -> bool:
        """Return whether a block ends after these rows."""
        return n_rows % self.block_rows == 0 or n_rows == len(self.block[0])

    def begins_with(self, other: "ArrayRows") -> bool:
        """Return whether the rows begin with those of another stream."""
        return all(map(is_prefix, other.block, self.block))


class Given(NamedTuple):
    """Rows of arrays that readouts were fitted to."""

    source: ArrayRows
    rows: SharedRows

    @property
    def n_bytes(self) -> int:
        """Bytes of the arrays and the statistics."""
        arrays = [array for array in self.source.block if array is not None]
        return sum(array.nbytes for array in arrays) + self.rows.n_bytes


def share_arrays(
    work: SharedWork, block: Block, block_rows: int, keep: bool, standardize: bool
) -> SharedRows:
    """Return the rows of arrays, with the statistics that fits to equal ones have left."""
    source = ArrayRows(block, block_rows)

    def matches(given):
        rows, is_prefix_of_it = given.rows, source.begins_with(given.source)
        same_use = rows.keep == keep and rows.standardize == standardize
        return same_use and is_prefix_of_it and rows.n_rows == len(block[0])

    found = work.find(Given, matches)
    if found is not None:
        return found.rows
    X, y, _ = block
    rows = SharedRows(source, (X[:0], y[:0], None), len(X), keep, standardize)
    rows.start_from(g.rows for g in work.all_of(Given) if source.begins_with(g.source))
    work.keep(Given(source, rows))
    return rows
