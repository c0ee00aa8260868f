"""The weights of a reservoir in the layouts of the kernels, and its runs spread over threads."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.activations import CODES
from esnkit.kernels.lanes import LANES, run_lanes
from esnkit.kernels.layouts import (
    Csr,
    Diagonals,
    Ell,
    Forcing,
    InputWeights,
    lay_out,
    lay_out_inputs,
)
from esnkit.kernels.member_loops import join_members, run_member_loop
from esnkit.kernels.packed_weights import is_packed
from esnkit.kernels.pooled_runs import run_statistics
from esnkit.kernels.reservoir import (
    InputSequences,
    LinearReadout,
    LoopInputs,
    all_packed,
    closed_loop,
    run,
)
from esnkit.reservoirs._blocks import BLOCK_BYTES, calls
from esnkit.reservoirs._unit_threads import MIN_STATES, run_one
from esnkit.reservoirs._updates import Rates
from esnkit.sequences._initial_state import clamp_rows
from esnkit.utils._progress import Task
from esnkit.utils._threads import MAX_CALL_WORK, n_threads, run_tasks
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
        rates: Rates,
        activation: str,
    ) -> Self:
        """Choose the fastest layout for W."""
        w_in, b, gain, keep = map(for_kernels, (W_in.T, b, rates.gain, rates.keep))
        input_weights = lay_out_inputs(w_in, b, gain, keep, rates.shift)
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

        Long runs are several calls of a kernel, between which Python can raise an interrupt.

        Parameters
        ----------
        forcing : Forcing
        rows : (n_rows, n_features), inputs
        starts, lengths : (n_sequences,) int64, first row and number of rows of each sequence
        state : (n_sequences, n_units), updated in place
        out : (n_rows, >= n_units), all states; without rows if only the last are wanted
        """
        if starts.size == 1:
            return self._advance_one(forcing, rows, starts, lengths, state, out)
        kernel, W, n_side_by_side = self._kernel_for(starts.size)
        fixed = W, self.input_weights, CODES[self.activation], forcing

        def run_share(inputs, start, state):
            kernel(*fixed, inputs, state, out)

        self._in_calls(run_share, InputSequences(rows, starts, lengths), n_side_by_side, [state])

    @property
    def adds_statistics(self) -> bool:
        """Whether `add_statistics` has a kernel for these weights."""
        return isinstance(self.W, Diagonals) and all_packed(self.W, self.input_weights)

    def add_statistics(
        self,
        inputs: InputSequences,
        extra: np.ndarray,
        washout: int,
        state: np.ndarray,
        sums: np.ndarray,
    ) -> None:
        """Advance ``state``, and add all states to ``sums``; see the kernel `run_statistics`."""
        fixed = self.W, self.input_weights, CODES[self.activation]

        def run_share(inputs, start, state, sums):
            run_statistics(*fixed, inputs, extra, (start, washout), state, sums)

        self._in_calls(run_share, inputs, 4, [state, sums])

    def _in_calls(self, run_share, inputs: InputSequences, n_side_by_side: int, arrays) -> None:
        """Call ``run_share(part of the inputs, first step, *parts of the arrays)`` on threads.

        The arrays have a row for every sequence, which is updated in place.
        """
        rows, starts, lengths = inputs
        own, order = arrays, None
        if np.any(np.diff(lengths) > 0):  # sequences that run side by side should end together
            order = np.argsort(-lengths, kind="stable")
            starts, lengths, own = starts[order], lengths[order], [a[order] for a in arrays]
        n_together = 2 * n_threads() * n_side_by_side
        max_rows = max(MAX_CALL_WORK // self.row_work, 1)
        report = _reporter(int(lengths.sum()), max_rows)
        for first, last, start, stop in calls(lengths, max_rows, n_together):
            part = slice(first, last)
            counts = np.minimum(lengths[part], stop) - start
            piece = InputSequences(rows, starts[part] + start, counts)
            _run_shares(run_share, n_side_by_side, piece, start, [a[part] for a in own])
            report(int(counts.sum()))
        if order is not None:
            for array, sorted_array in zip(arrays, own, strict=True):
                array[order] = sorted_array

    def closed_loop(
        self,
        forcing: Forcing,
        readout: LinearReadout,
        inputs: LoopInputs,
        state: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Run one sequence with the outputs fed back; see the kernel `closed_loop`."""
        fixed = self.W, self.input_weights, CODES[self.activation]
        step = max(MAX_CALL_WORK // (self.row_work + readout.coef.size), 1)
        report = _reporter(len(out), step)
        for start in range(0, len(out), step):
            rows = slice(start, start + step)
            values = clamp_rows(forcing.values, start, start + step)
            piece = LoopInputs(inputs.first, inputs.exogenous[rows])
            closed_loop(*fixed, forcing._replace(values=values), readout, piece, state, out[rows])
            report(step)

    @property
    def is_packed(self) -> bool:
        """Whether W has rows of units that can be packed, as loops of several networks need it."""
        return is_packed(self.W)

    def _advance_one(self, forcing, rows, starts, lengths, state, out):
        fixed = self.W, self.input_weights, CODES[self.activation], forcing
        # Threads that divide the units need as many states as are worth their start.
        least = 2 * MIN_STATES // self.input_weights.b.size
        step = max(MAX_CALL_WORK // self.row_work, least, 1)
        n_rows = int(lengths[0])
        report = _reporter(n_rows, step)
        for start in range(0, n_rows, step):
            count = np.array([min(step, n_rows - start)])
            run_one(*fixed, InputSequences(rows, starts + start, count), state, out)
            report(step)

    @property
    def row_work(self) -> int:
        """Number of multiply-adds of a time step, about 8 for an activation among them."""
        weights = self.input_weights
        return self.W.weights.size + weights.w_in.size + 8 * weights.b.size

    def _kernel_for(self, n_sequences: int) -> tuple[Callable, Any, int]:
        """Return the fastest kernel, the W it takes, and how many sequences it runs at a time."""
        if self._in_lanes(n_sequences):
            return run_lanes, self.W_lanes, LANES
        return run, self.W, 4

    def _in_lanes(self, n_sequences: int) -> bool:
        return self.W_lanes is not None and n_sequences >= LANES // 2


def run_member_loops(
    networks: Sequence[Network],
    is_chain: bool,
    readout: tuple[np.ndarray, np.ndarray, bool],
    inputs: np.ndarray,
    exog: np.ndarray,
    state: np.ndarray,
    out: np.ndarray,
    clamp: None = None,
) -> None:
    """Run a closed loop of several networks, as :meth:`Reservoir.run_closed_loop` does of one.

    In a chain, each receives the states of the one before it, else all receive the inputs.
    ``state`` and the features of the readout have those of all networks side by side.
    """
    weights = [(n.W, n.input_weights, CODES[n.activation]) for n in networks]
    members, exog = join_members(weights, is_chain), np.ascontiguousarray(exog)
    work = sum(network.row_work for network in networks) + readout[0].size
    step = max(MAX_CALL_WORK // work, 1)
    report = _reporter(len(out), step)
    for start in range(0, len(out), step):
        rows = slice(start, start + step)
        piece = LoopInputs(inputs, exog[rows])
        run_member_loop(members, LinearReadout(*readout), piece, state, out[rows])
        report(step)


def _reporter(n_rows: int, rows_per_call: int) -> Callable[[int], object]:
    """Return a function that reports rows that are done, if they take several calls."""
    if n_rows <= rows_per_call:
        return _report_nothing
    task = Task("reservoir", n_rows, "time steps", step_size=0)
    return lambda count: task.step(min(task.done + count, n_rows))


def _report_nothing(count: int) -> None:
    """Do nothing."""


def _run_shares(run_share, n_side_by_side, inputs, start, arrays):
    """Run ranges of sequences on several threads."""

    def run_range(first, last):
        part = slice(first, last)
        share = InputSequences(inputs.rows, inputs.starts[part], inputs.lengths[part])
        run_share(share, start, *(array[part] for array in arrays))

    shares = _shares(inputs.lengths, n_side_by_side)
    run_tasks([partial(run_range, *share) for share in shares])


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
