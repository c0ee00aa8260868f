"""Random reservoirs in the layouts of the kernels, with inputs and states to run them on."""

import numpy as np
import pytest
from reference import reservoir_states

from esnkit.kernels.activations import CODES
from esnkit.kernels.lanes import run_lanes
from esnkit.kernels.layouts import Csr, Diagonals, Ell, Forcing, lay_out_inputs
from esnkit.kernels.reservoir import InputSequences, run

DTYPES = [np.float64, np.float32]
SIZES = [1, 2, 3, 7, 64, 65]
every_layout = pytest.mark.parametrize("layout", ["diagonals", "ell", "csr"])
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)


def tolerance(dtype):
    return 200 * np.finfo(dtype).eps


def assert_close(got, wanted):
    # Every unit sums about twenty terms; W is a contraction, so errors do not grow with time.
    assert got.dtype in DTYPES
    limit = tolerance(got.dtype)
    np.testing.assert_allclose(got, wanted, rtol=limit, atol=limit * np.abs(wanted).max(initial=1))


def as_layout(layout, W):
    """Return a dense W in a layout, and its entries as Csr in the order in which it sums them."""
    n = len(W)
    rows, columns = np.nonzero(W)
    shift = (columns - rows) % n
    order = np.lexsort((shift if layout == "diagonals" else columns, rows))
    rows, columns, shift = rows[order], columns[order], shift[order]
    counts = np.bincount(rows, minlength=n)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    csr = Csr(W[rows, columns], columns.astype(np.uint32), indptr)
    if layout == "csr":
        return csr, csr
    if layout == "diagonals":
        shifts = np.unique(shift)
        weights = np.zeros((shifts.size, n), W.dtype)
        weights[np.searchsorted(shifts, shift), rows] = W[rows, columns]
        return Diagonals(weights, shifts.astype(np.uint64)), csr
    entry = np.arange(rows.size) - indptr[rows]
    weights = np.zeros((counts.max(initial=0), n), W.dtype)
    padded = np.zeros(weights.shape, np.uint32)
    weights[entry, rows], padded[entry, rows] = W[rows, columns], columns
    return Ell(weights, padded), csr


def as_dense(W, n_units):
    """Return a W of any layout as a dense matrix."""
    dense, rows = np.zeros((n_units, n_units), W.weights.dtype), np.arange(n_units)
    if isinstance(W, Diagonals):
        for weights, shift in zip(W.weights, W.shifts, strict=True):
            dense[rows, (rows + int(shift)) % n_units] += weights
    elif isinstance(W, Ell):
        for weights, columns in zip(W.weights, W.columns, strict=True):
            dense[rows, columns] += weights
    else:
        dense[np.repeat(rows, np.diff(W.indptr)), W.columns] = W.weights
    return dense


def random_matrix(layout, n_units, degree, rng):
    """Draw a contraction with entries that fit the layout; for "csr", its first row is full."""
    W, rows = np.zeros((n_units, n_units)), np.arange(n_units)
    for _ in range(min(degree, n_units)):
        shifted = (rows + rng.integers(n_units)) % n_units
        W[rows, shifted if layout == "diagonals" else rng.permutation(n_units)] = 1
    if layout == "csr":
        W[0] = 1
    W *= rng.normal(size=(n_units, n_units))
    return W / max(1, np.abs(W).sum(axis=1).max())


class ReservoirProblem:
    """A random reservoir with inputs for sequences of the given lengths, in one precision."""

    def __init__(self, layout, n_units, n_features, lengths, dtype, *, degree=6, seed=0):
        rng = np.random.default_rng([seed, n_units, n_features, degree, len(lengths)])
        self.dtype, self.rng = dtype, rng
        self.W_dense = random_matrix(layout, n_units, degree, rng).astype(dtype)
        self.W, self.csr = as_layout(layout, self.W_dense)
        self.W_in, self.b = self.draw(n_units, n_features), self.draw(n_units)
        gain = rng.uniform(0.1, 1.0, n_units).astype(dtype)
        self.input_weights = lay_out_inputs(
            np.ascontiguousarray(self.W_in.T), self.b, gain, 1 - gain
        )
        self.lengths = np.array(lengths, dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.U = self.draw(self.lengths.sum(), n_features)
        self.x0 = self.draw(len(lengths), n_units)
        self.forcing = Forcing(
            *(np.empty((0, n_units), dtype), np.empty(0, np.int64), self.draw(1, 0))
        )

    def draw(self, *shape):
        return self.rng.normal(size=shape).astype(self.dtype)

    def force(self, noise=0.0, units=(), per_row=True):
        """Add noise to the states and clamp units, to one value for all rows or one for each."""
        n_rows, n_units = len(self.U), len(self.b)
        added = noise * self.draw(n_rows if noise else 0, n_units)
        values = self.draw(n_rows if per_row and len(units) else 1, len(units))
        self.forcing = Forcing(added.astype(self.dtype), np.array(units, np.int64), values)
        return self

    def run(self, kernel=run, activation="tanh", every=True):
        """Return (states, last states); sequences are run from the longest to the shortest."""
        order = np.argsort(-self.lengths, kind="stable")
        W = self.csr if kernel is run_lanes else self.W
        out = np.full((len(self.U) if every else 0, len(self.b)), np.nan, self.dtype)
        last = self.x0[order].copy()
        inputs = InputSequences(self.U, self.starts[order], self.lengths[order])
        kernel(W, self.input_weights, CODES[activation], self.forcing, inputs, last, out)
        last[order] = last.copy()
        return out, last

    def reference(self, activation="tanh"):
        """Return the states of all sequences by loops over dense arrays."""
        states = []
        values = np.broadcast_to(self.forcing.values, (len(self.U), self.forcing.units.size))
        for s, (a, n) in enumerate(zip(self.starts, self.lengths, strict=True)):
            rows = slice(a, a + n)
            noise = self.forcing.noise[rows] if len(self.forcing.noise) else None
            states.append(
                reservoir_states(
                    self.W_dense, self.W_in, self.b, self.input_weights.gain, activation,
                    self.U[rows], self.x0[s], noise, self.forcing.units, values[rows],
                )
            )  # fmt: skip
        return np.vstack(states)
