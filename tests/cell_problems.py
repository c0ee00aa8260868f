"""Random recurrent cells on random sequences, with the buffers that their kernels need."""

import numpy as np
import pytest

from esnkit.kernels.blocks import gather, scatter
from esnkit.kernels.cell_equations import (
    CARRIES_C,
    GRU_AFTER,
    GRU_BEFORE,
    LRU,
    LSTM,
    MIN_GRU,
    MIN_LSTM,
    MULTIPLIES_STATES,
    N_GATES,
    RNN_RELU,
    RNN_TANH,
)
from esnkit.kernels.cells import forward
from esnkit.kernels.cells_backward import backward

CELLS = {"rnn": RNN_TANH, "relu": RNN_RELU, "lstm": LSTM, "gru": GRU_AFTER, "before": GRU_BEFORE}
CELLS |= {"mingru": MIN_GRU, "minlstm": MIN_LSTM, "lru": LRU}
LENGTHS = {"one": [1], "equal": [6, 6, 6], "ragged": [7, 7, 4, 1]}
N_UNITS, N_FEATURES = 6, 3
every_cell = pytest.mark.parametrize("cell", CELLS)
every_length = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
free_or_clamped = pytest.mark.parametrize("units", [(), (3, 1)], ids=["free", "clamped"])


class CellProblem:
    """A random cell on random sequences, longest first."""

    def __init__(self, cell, lengths, dtype=np.float64, units=(), seed=0):
        rng = np.random.default_rng(seed)
        self.code, self.dtype = CELLS[cell], dtype
        self.n = np.array([np.sum(np.array(lengths) > t) for t in range(max(lengths))])
        ends = np.cumsum(lengths)
        starts = ends - lengths
        self.rows = np.concatenate([starts[:m] + t for t, m in enumerate(self.n)])
        self.spans = list(zip(starts, ends, strict=True))
        self.n_rows = N_FEATURES + MULTIPLIES_STATES[self.code] * N_UNITS + 1
        M = rng.normal(0, 0.6, (N_GATES[self.code] * N_UNITS, self.n_rows)).astype(dtype)
        self.M = without_unused_blocks(cell, M)
        self.X = rng.normal(size=(ends[-1], N_FEATURES)).astype(dtype)
        self.h0, self.c0 = rng.normal(0, 0.5, (2, N_UNITS, len(lengths))).astype(dtype)
        if self.carries_h:
            self.c0 = self.h0
        n_pairs = N_UNITS // 2 if cell == "lru" else 0
        self.E = rng.uniform(-0.6, 0.6, (3, n_pairs)).astype(dtype)
        self.units = np.array(units, dtype=np.int64)
        self.values = rng.normal(size=(ends[-1], len(units))).astype(dtype)
        self.slopes = rng.normal(size=(ends[-1], N_UNITS)).astype(dtype)  # of the loss below

    def empty(self, n_rows):
        """Return uninitialised blocks of n_rows rows."""
        return np.empty(n_rows * len(self.X), self.dtype)

    def blocks_of(self, packed):
        """Return packed rows as blocks."""
        blocks, k = np.empty(packed.size, packed.dtype), packed.shape[1]
        gather(packed, 0, k, self.rows, self.n, k, blocks)
        return blocks

    def rows_of(self, blocks, k):
        """Return blocks of k rows as packed rows."""
        packed = np.empty((len(self.X), k), blocks.dtype)
        scatter(blocks, self.rows, self.n, k, packed, 0, k)
        return packed

    @property
    def carries_h(self):
        """Whether the blocks C are the blocks H."""
        return CARRIES_C[self.code] and self.code not in (LSTM, LRU)

    @property
    def weights(self):
        """The weights, their transpose, and the eigenvalues of an lru."""
        return self.M, np.ascontiguousarray(self.M.T), self.E

    @property
    def tape(self):
        """What the backward pass needs of the last `forward`."""
        return self.S, self.A, self.C, self.c0, self.units

    def forward(self):
        """Return all states, as packed rows."""
        self.S, self.A = np.zeros(self.n_rows * len(self.X), self.dtype), self.empty(len(self.M))
        self.H = self.A if self.code in (RNN_TANH, RNN_RELU) else self.empty(N_UNITS)
        self.C = self.empty(N_UNITS if self.code in (LSTM, GRU_BEFORE, LRU) else 0)
        if self.carries_h:
            self.C = self.H
        gather(self.X, 0, N_FEATURES, self.rows, self.n, self.n_rows, self.S)
        forward(
            self.code, self.weights, self.n, (self.h0, self.c0),
            (self.units, self.blocks_of(self.values)), (self.S, self.A, self.C, self.H),
        )  # fmt: skip
        return self.rows_of(self.H, N_UNITS)

    def loss(self):
        """Return a sum of all states, each with a slope."""
        return np.sum(self.forward() * self.slopes)

    def backward(self, last=()):
        """Return the gradients of the loss, by the names of the arrays."""
        self.forward()
        dH = self.blocks_of(self.slopes)
        if len(last):
            dH[:] = np.nan
        d = {name: np.zeros_like(getattr(self, name)) for name in ("M", "E", "h0", "c0")}
        dX = self.empty(N_FEATURES)
        backward(
            self.code, self.weights, self.n, self.tape, (dH, np.array(last, self.dtype)),
            ((d["M"], d["E"]), (d["M"], d["E"]), dX, d["h0"], d["c0"]), (2, self.n[0]),
        )  # fmt: skip
        return d | {"X": self.rows_of(dX, N_FEATURES), "H": dH}


def without_unused_blocks(cell, M):
    """Return weights, or their gradient, with zeros where a gru has no weights."""
    if cell == "gru":
        M[2 * N_UNITS : 3 * N_UNITS, N_FEATURES:-1] = 0
        M[3 * N_UNITS :, :N_FEATURES] = 0
    return M
