"""Packed feature rows, cut into blocks as a reservoir yields them, for the tests of pooling."""

import numpy as np
from hypothesis import strategies as st

from esnkit.pooling._base import Training, pool
from esnkit.pooling._table import check_pooling
from esnkit.reservoirs._blocks import segments


class Problem:
    """Rows of several sequences, the washout, and the number of rows of a block."""

    def __init__(self, lengths, n_columns, dtype=float, washout=0, block_rows=10**6, seed=0):
        rng = np.random.default_rng(seed)
        self.rows = np.tanh(rng.normal(size=(sum(lengths), n_columns))).astype(dtype)
        self.offsets = np.cumsum([0, *lengths])
        self.washout, self.block_rows = washout, block_rows

    @property
    def sequences(self):
        """The rows of every sequence after the washout."""
        return [part[self.washout :] for part in np.split(self.rows, self.offsets[1:-1])]

    def blocks(self):
        """Yield (start, stop, rows), each overwritten by the next."""
        buffer = np.full((len(self.rows), self.rows.shape[1] + 3), np.nan, self.rows.dtype)
        for _, _, start, stop in segments(self.offsets, self.block_rows):
            block = buffer[: stop - start, : self.rows.shape[1]]
            block[:] = self.rows[start:stop]
            yield start, stop, np.ascontiguousarray(block)
            block[:] = np.nan

    @property
    def training(self):
        """The rows, as poolings are fitted to them."""
        return Training(self.blocks, self.offsets, self.washout)

    def pooled(self, pooling):
        """Return the pooled rows (n_sequences, width), of a pooling fitted to them."""
        pooling = check_pooling(pooling)
        if pooling.needs_fit:
            pooling = pooling.fit(self.training)
        parts, stop = [], 0
        for first, last, rows in pool(pooling, self.blocks(), self.offsets, self.washout):
            assert first == stop and len(rows) == last - first and rows.dtype == self.rows.dtype
            assert rows.shape[1] == pooling.width(self.rows.shape[1])
            parts.append(rows)
            stop = last
        assert stop == self.offsets.size - 1
        return np.concatenate(parts)

    def __repr__(self):
        return f"{self.rows.shape} {self.offsets} washout {self.washout}, block {self.block_rows}"


@st.composite
def problems(draw):
    """Draw ragged sequences, from one step on, in blocks that hold many or a piece of one."""
    washout = draw(st.sampled_from([0, 0, 1, 7]))
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=9))
    if draw(st.booleans()):
        lengths.insert(len(lengths) // 2, 300)
    return Problem(
        [n + washout for n in lengths],
        draw(st.sampled_from([1, 2, 7, 33])),
        draw(st.sampled_from([np.float64, np.float32])),
        washout,
        draw(st.sampled_from([1, 5, 64, 1000])),
        draw(st.integers(0, 100)),
    )
