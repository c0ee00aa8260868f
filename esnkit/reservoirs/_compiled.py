"""The weights of a reservoir in the layouts of the kernels, and its runs spread over threads."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.activations import CODES
from esnkit.kernels.lanes import LANES, run_lanes
from esnkit.kernels.layouts import Csr, Diagonals, Ell, Forcing, InputWeights, lay_out
from esnkit.kernels.linalg import n_threads
from esnkit.kernels.reservoir import InputSequences, LinearReadout, LoopInputs, closed_loop, run
from esnkit.reservoirs._blocks import BLOCK_BYTES
from esnkit.reservoirs._unit_threads import run_one
from esnkit.utils._threads import run_tasks
from esnkit.utils._validation import for_kernels

MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 512, 8192


class Network(NamedTuple):
    """The weights of a drawn reservoir in the layouts of the kernels."""

    W: Diagonals | Ell | Csr
    W_lanes: Csr | None  # the same entries in the same order, if SIMD lanes can be faster
    input_weights: InputWeights
    activation: str

    @classmethod
    def build(
        cls,
        W: sp.csr_array,
        W_in: np.ndarray,
        b: np.ndarray,
        rates: tuple[np.ndarray, np.ndarray],
        activation: str,
    ) -> Self:
        """Choose the fastest layout for W.

        ``rates`` are the gains g and the coefficients k of x(t) = k x(t-1) + g f(pre(t)).
        """
        input_weights = InputWeights(*(for_kernels(array) for array in (W_in.T, b, *rates)))
        return cls(*lay_out(W), input_weights, activation)

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
        kernel, W, n_side_by_side = self._kernel_for(starts.size)
        states, order = state, None
        if np.any(np.diff(lengths) > 0):  # sequences that run side by side should end together
            order = np.argsort(-lengths, kind="stable")
            starts, lengths, states = starts[order], lengths[order], state[order]

        def run_share(first, last):
            inputs = InputSequences(rows, starts[first:last], lengths[first:last])
            kernel(W, *fixed, inputs, states[first:last], out)

        run_tasks([partial(run_share, *share) for share in _shares(lengths, n_side_by_side)])
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

    def _kernel_for(self, n_sequences: int) -> tuple[Callable, Any, int]:
        """Return the fastest kernel, the W it takes, and how many sequences it runs at a time."""
        if self._in_lanes(n_sequences):
            return run_lanes, self.W_lanes, LANES
        return run, self.W, 4

    def _in_lanes(self, n_sequences: int) -> bool:
        return self.W_lanes is not None and n_sequences >= LANES // 2


def _shares(lengths: np.ndarray, n_side_by_side: int) -> list[tuple[int, int]]:
    """Cut the sequences into ranges of about equal work, two for every thread.

    Every cut is a multiple of the number of sequences that the kernel runs side by side.
    """
    n_ranges = min(2 * n_threads(), -(-lengths.size // n_side_by_side))
    if n_ranges < 2 or n_threads() < 2:
        return [(0, lengths.size)]
    done = np.cumsum(lengths) / lengths.sum()
    cuts = np.searchsorted(done, np.arange(1, n_ranges) / n_ranges)
    cuts = np.unique((cuts + n_side_by_side - 1) // n_side_by_side * n_side_by_side)
    edges = [0, *(int(c) for c in cuts if 0 < c < lengths.size), lengths.size]
    return list(zip(edges[:-1], edges[1:], strict=True))
