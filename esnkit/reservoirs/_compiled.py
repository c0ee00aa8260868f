"""The weights of a reservoir in the layouts of the kernels, and its runs spread over threads."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.activations import CODES
from esnkit.kernels.lanes import LANES, run_lanes
from esnkit.kernels.layouts import Csr, Diagonals, Ell, Forcing, InputWeights, lay_out
from esnkit.kernels.linalg import n_threads
from esnkit.kernels.reservoir import InputSequences, LinearReadout, LoopInputs, closed_loop, run
from esnkit.reservoirs._unit_threads import run_one
from esnkit.utils._threads import run_tasks
from esnkit.utils._validation import for_kernels

BLOCK_BYTES = 2**24  # of states; a block of them stays in the cache until the readout has read it
MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 512, 8192


class Network(NamedTuple):
    """The weights of a drawn reservoir in the layouts of the kernels."""

    W: Diagonals | Ell | Csr
    W_lanes: Csr | None  # the same entries in the same order, if SIMD lanes can be faster
    input_weights: InputWeights
    activation: str

    @classmethod
    def build(
        cls, W: sp.csr_array, W_in: np.ndarray, b: np.ndarray, leak: np.ndarray, activation: str
    ) -> Self:
        """Choose the fastest layout for W."""
        W_in, b, leak = (for_kernels(array) for array in (W_in.T, b, leak))
        return cls(*lay_out(W), InputWeights(W_in, b, leak, 1 - leak), activation)

    def block_rows(self, lengths: np.ndarray, n_extra: int) -> int:
        """Return how many rows to run before the readout sees them."""
        b = self.input_weights.b
        row_bytes = b.itemsize * (b.size + n_extra)
        rows = min(max(BLOCK_BYTES // row_bytes, MIN_BLOCK_ROWS), MAX_BLOCK_ROWS)
        if self._in_lanes(lengths.size):
            wanted = 4 * LANES * int(lengths.max())  # for two threads, two groups of lanes each
            rows = max(rows, min(wanted, 4 * BLOCK_BYTES // row_bytes))
        return rows

    def advance(
        self,
        forcing: Forcing,
        rows: np.ndarray,
        starts: np.ndarray,
        lengths: np.ndarray,
        state: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Advance ``state`` over sequences of input rows, spread over threads.

        Parameters
        ----------
        forcing : Forcing
        rows : (n_rows, n_features), inputs
        starts, lengths : (n_sequences,) int64, first row and number of rows of each sequence
        state : (n_sequences, n_units), updated in place
        out : (n_rows, >= n_units), all states; without rows if only the last are wanted
        """
        fixed = self.input_weights, CODES[self.activation], forcing
        if starts.size == 1:
            return run_one(self.W, *fixed, InputSequences(rows, starts, lengths), state, out)
        kernel: Callable = run
        W, multiple = self.W, 4
        if self._in_lanes(starts.size):
            kernel, W, multiple = run_lanes, self.W_lanes, LANES
        states, order = state, None
        if np.any(np.diff(lengths) > 0):  # sequences that run side by side should end together
            order = np.argsort(-lengths, kind="stable")
            starts, lengths, states = starts[order], lengths[order], state[order]

        def run_share(first, last):
            inputs = InputSequences(rows, starts[first:last], lengths[first:last])
            kernel(W, *fixed, inputs, states[first:last], out)

        run_tasks([partial(run_share, *share) for share in _shares(lengths, multiple)])
        if order is not None:
            state[order] = states

    def closed_loop(
        self,
        forcing: Forcing,
        readout: LinearReadout,
        inputs: LoopInputs,
        state: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Run one sequence with the outputs fed back; see the kernel `closed_loop`."""
        code = CODES[self.activation]
        closed_loop(self.W, self.input_weights, code, forcing, readout, inputs, state, out)

    def _in_lanes(self, n_sequences):
        return self.W_lanes is not None and n_sequences >= LANES // 2


def _shares(lengths: np.ndarray, multiple: int) -> list[tuple[int, int]]:
    """Cut the sequences into ranges of about equal work, two for every thread.

    All cuts are multiples of ``multiple``, the number of sequences that a kernel runs side by side.
    """
    n_pieces = min(2 * n_threads(), -(-lengths.size // multiple))
    if n_pieces < 2 or n_threads() < 2:
        return [(0, lengths.size)]
    done = np.cumsum(lengths) / lengths.sum()
    cuts = np.searchsorted(done, np.arange(1, n_pieces) / n_pieces)
    cuts = np.unique((cuts + multiple - 1) // multiple * multiple)
    edges = [0, *(int(c) for c in cuts if 0 < c < lengths.size), lengths.size]
    return list(zip(edges[:-1], edges[1:], strict=True))


def segments(offsets: np.ndarray, block_rows: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut packed rows into blocks: whole sequences together, or a piece of one long sequence.

    Yields (first sequence, one past the last, first row, one past the last row).
    """
    n_sequences = offsets.size - 1
    first = 0
    while first < n_sequences:
        start = int(offsets[first])
        last = int(np.searchsorted(offsets, start + block_rows, side="right")) - 1
        if last > first:
            yield first, last, start, int(offsets[last])
            first = last
            continue
        stop = int(offsets[first + 1])
        for piece in range(start, stop, block_rows):
            yield first, first + 1, piece, min(piece + block_rows, stop)
        first += 1
