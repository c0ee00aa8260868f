"""A drawn reservoir as the kernels take it, and its runs spread over threads."""

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp

from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Csr, Diagonals, Ell, InputWeights, lay_out
from esnkit.kernels.linalg import n_threads
from esnkit.kernels.reservoir import LANES, run, run_lanes
from esnkit.reservoirs._blocks import BLOCK_BYTES
from esnkit.reservoirs._unit_threads import run_one
from esnkit.utils._threads import run_tasks
from esnkit.utils._validation import for_kernels


class Network(NamedTuple):
    """A drawn reservoir as the kernels want it."""

    W: Diagonals | Ell | Csr
    in_lanes: Csr | None  # the entries in the order of W, where lanes are worth their while
    drive: InputWeights
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
        """Choose the fastest layout for W; ``rates`` are the gains and what is kept of a state."""
        drive = InputWeights(*(for_kernels(part) for part in (W_in.T, b, *rates)))
        return cls(*lay_out(W), drive, activation)

    def block_rows(self, lengths: np.ndarray, n_extra: int) -> int:
        """Return how many rows to run before the readout sees them."""
        row_bytes = self.drive.b.itemsize * (self.drive.b.size + n_extra)
        rows = min(max(BLOCK_BYTES // row_bytes, 512), 8192)
        if self.in_lanes is not None and lengths.size >= LANES // 2:
            wanted = 4 * LANES * int(lengths.max())  # for two threads, two groups of lanes each
            rows = max(rows, min(wanted, 4 * BLOCK_BYTES // row_bytes))
        return rows

    def advance(self, held, U, starts, lengths, state, out) -> None:
        """Run sequences from ``state``, which moves along, spread over threads."""
        arrays = (CODES[self.activation], held, U)
        if starts.size == 1:
            return run_one(self.W, self.drive, *arrays, starts, lengths, state, out)
        kernel: Callable = run
        W = self.W
        multiple = 4
        if self.in_lanes is not None and starts.size >= LANES // 2:
            kernel, W, multiple = run_lanes, self.in_lanes, LANES
        states, order = state, None
        if np.any(np.diff(lengths) > 0):  # those that run side by side should end together
            order = np.argsort(-lengths, kind="stable")
            starts, lengths, states = starts[order], lengths[order], state[order]
        tasks = [
            (lambda a=a, z=z: kernel(
                W, self.drive, *arrays, starts[a:z], lengths[a:z], states[a:z], out
            ))
            for a, z in _shares(lengths, multiple)
        ]  # fmt: skip
        run_tasks(tasks)
        if order is not None:
            state[order] = states


def _shares(lengths: np.ndarray, multiple: int) -> list[tuple[int, int]]:
    """Cut the sequences into pieces of about equal work, two for every thread."""
    n_pieces = min(2 * n_threads(), -(-lengths.size // multiple))
    if n_pieces < 2 or n_threads() < 2:
        return [(0, lengths.size)]
    done = np.cumsum(lengths) / lengths.sum()
    cuts = np.searchsorted(done, np.arange(1, n_pieces) / n_pieces)
    cuts = np.unique((cuts + multiple - 1) // multiple * multiple)
    edges = [0, *(int(c) for c in cuts if 0 < c < lengths.size), lengths.size]
    return list(zip(edges[:-1], edges[1:], strict=True))
