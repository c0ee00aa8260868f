"""The recurrent cells: forward against loops over plain arrays, backward against differences."""

import numpy as np
import pytest
from gradients import difference
from reference import cell_states

from esnkit.kernels.blocks import (
    add_last,
    add_products,
    block_product,
    gather,
    product,
    scatter,
    take_last,
)
from esnkit.kernels.cells import (
    GRU_AFTER,
    GRU_BEFORE,
    LSTM,
    N_GATES,
    RNN_RELU,
    RNN_TANH,
    backward,
    forward,
)

CELLS = {"rnn": RNN_TANH, "relu": RNN_RELU, "lstm": LSTM, "gru": GRU_AFTER, "before": GRU_BEFORE}
LENGTHS = {"one": [1], "equal": [6, 6, 6], "ragged": [7, 7, 4, 1]}
N_UNITS, N_FEATURES = 5, 3
every_cell = pytest.mark.parametrize("cell", CELLS)
every_length = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)


class Run:
    """A random cell on random sequences, longest first, with all buffers of a pass."""

    def __init__(self, cell, lengths, dtype=np.float64, held=(), seed=0):
        rng = np.random.default_rng(seed)
        self.code, self.dtype = CELLS[cell], dtype
        self.lengths = np.array(lengths)
        self.n = np.array([np.sum(self.lengths > t) for t in range(max(lengths))])
        ends = np.cumsum(lengths)
        starts = ends - lengths
        self.rows = np.concatenate([starts[:m] + t for t, m in enumerate(self.n)])
        self.spans = list(zip(starts, ends, strict=True))
        total, rows = ends[-1], N_GATES[self.code] * N_UNITS
        self.width = N_FEATURES + N_UNITS + 1
        self.M = rng.normal(0, 0.6, (rows, self.width)).astype(dtype)
        if cell == "gru":
            self.M[2 * N_UNITS : 3 * N_UNITS, N_FEATURES:-1] = 0
            self.M[3 * N_UNITS :, :N_FEATURES] = 0
        self.X = rng.normal(size=(total, N_FEATURES)).astype(dtype)
        self.h0, self.c0 = rng.normal(0, 0.5, (2, N_UNITS, len(lengths))).astype(dtype)
        self.held = np.array(held, dtype=np.int64)
        self.values = rng.normal(size=(total, len(held))).astype(dtype)
        self.taught = rng.normal(size=(total, N_UNITS)).astype(dtype)

    def forward(self):
        total, code = len(self.X), self.code
        self.S = np.zeros(self.width * total, self.dtype)
        self.A = np.empty(len(self.M) * total, self.dtype)
        stored = code in (LSTM, GRU_BEFORE)
        self.C = np.empty(N_UNITS * total if stored else 0, self.dtype)
        plain = code in (RNN_TANH, RNN_RELU)
        H = self.A if plain else np.empty(N_UNITS * total, self.dtype)
        imposed = np.empty(self.values.size, self.dtype)
        gather(self.X, 0, N_FEATURES, self.rows, self.n, self.width, self.S)
        gather(self.values, 0, self.held.size, self.rows, self.n, self.held.size, imposed)
        turned = np.ascontiguousarray(self.M.T)
        forward(
            code, self.M, turned, self.n, self.h0, self.c0, self.held, imposed, self.S, self.A,
            self.C, H,
        )  # fmt: skip
        states = np.empty((total, N_UNITS), self.dtype)
        scatter(H, self.rows, self.n, N_UNITS, states, 0, N_UNITS)
        return states

    def loss(self):
        return np.sum(self.forward() * self.taught)

    def backward(self, last=()):
        """Return the gradients of the loss, by the names of the arrays."""
        self.forward()
        dH = np.full(N_UNITS * len(self.X), np.nan, self.dtype)
        if not len(last):
            gather(self.taught, 0, N_UNITS, self.rows, self.n, N_UNITS, dH)
        d = {name: np.zeros_like(getattr(self, name)) for name in ("M", "X", "h0", "c0")}
        dX = np.empty(self.X.size, self.dtype)
        backward(
            self.code, self.M, self.M.T.copy(), self.n, self.c0, self.held, self.S, self.A, self.C,
            np.array(last, self.dtype), dH, 2, self.n[0], d["M"], d["M"], dX, d["h0"], d["c0"],
        )  # fmt: skip
        scatter(dX, self.rows, self.n, N_FEATURES, d["X"], 0, N_FEATURES)
        d["H"] = dH
        return d


@every_cell
@every_length
@pytest.mark.parametrize("held", [(), (3, 1)], ids=["free", "held"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_forward_is_that_of_the_equations(cell, lengths, held, dtype):
    run = Run(cell, lengths, dtype, held)
    states, cells = run.forward(), []
    for j, (start, end) in enumerate(run.spans):
        expected, c = cell_states(
            cell, run.M, run.X[start:end], run.h0[:, j], run.c0[:, j], held, run.values[start:end]
        )
        np.testing.assert_allclose(states[start:end], expected, atol=50 * np.finfo(dtype).eps)
        cells.append(c)
    if cell == "lstm":
        found = np.empty_like(states)
        scatter(run.C, run.rows, run.n, N_UNITS, found, 0, N_UNITS)
        np.testing.assert_allclose(found, np.vstack(cells), atol=50 * np.finfo(dtype).eps)


@every_cell
@every_length
@pytest.mark.parametrize("held", [(), (3, 1)], ids=["free", "held"])
def test_backward_is_the_gradient(cell, lengths, held):
    run = Run(cell, lengths, held=held)
    found = run.backward()
    for name in ("M", "X", "h0", "c0"):
        expected = difference(run.loss, getattr(run, name))
        if cell == "gru" and name == "M":  # the forward pass has no product there
            expected[2 * N_UNITS : 3 * N_UNITS, N_FEATURES:-1] = 0
            expected[3 * N_UNITS :, :N_FEATURES] = 0
            found[name][2 * N_UNITS : 3 * N_UNITS, N_FEATURES:-1] = 0
            found[name][3 * N_UNITS :, :N_FEATURES] = 0
        scale = max(np.abs(expected).max(), 1e-3)
        np.testing.assert_allclose(found[name] / scale, expected / scale, atol=1e-8)


@every_cell
@pytest.mark.parametrize(
    "lengths", [*LENGTHS.values(), [9] * 20 + [8] * 3 + [4] * 17 + [1] * 5], ids=[*LENGTHS, "many"]
)
@pytest.mark.parametrize("held", [(), (3, 1)], ids=["free", "held"])
def test_a_loss_of_the_last_states_needs_no_zeros_for_the_others(cell, lengths, held):
    run = Run(cell, lengths, held=held)
    ends = np.cumsum(lengths) - 1
    taught = run.taught[ends]
    run.taught = np.zeros_like(run.taught)
    run.taught[ends] = taught
    found, expected = run.backward(last=taught.T.ravel()), run.backward()
    for name, gradient in expected.items():
        assert np.array_equal(found[name], gradient), name


@every_cell
def test_gradients_in_single_precision_are_those_in_double(cell):
    run, exact = Run(cell, [7, 7, 4, 1], np.float32), Run(cell, [7, 7, 4, 1])
    for name in ("M", "X", "h0", "c0", "values", "taught"):
        setattr(exact, name, getattr(run, name).astype(float))
    found, expected = run.backward(), exact.backward()
    for name in ("M", "X", "h0", "c0"):
        scale = max(np.abs(expected[name]).max(), 1e-3)
        np.testing.assert_allclose(found[name] / scale, expected[name] / scale, atol=1e-5)


@every_cell
def test_a_long_sequence_in_two_parts_has_the_same_bits(cell):
    whole = Run(cell, [6, 6, 6])
    states = whole.forward().reshape(3, 6, N_UNITS)
    h, c = whole.h0, whole.c0
    for half in (slice(0, 2), slice(2, 6)):
        part = Run(cell, [half.stop - half.start] * 3)
        part.M, part.h0, part.c0 = whole.M, h, c
        part.X = whole.X.reshape(3, 6, -1)[:, half].reshape(-1, N_FEATURES).copy()
        found = part.forward().reshape(3, -1, N_UNITS)
        assert np.array_equal(found, states[:, half])
        h = np.ascontiguousarray(found[:, -1].T)
        if cell == "lstm":
            c = part.C[-3 * N_UNITS :].reshape(N_UNITS, 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (9, 40, 16), (16, 3, 33), (33, 20, 70)])
def test_products_of_blocks(dtype, shape):
    rng, (n_rows, n, m) = np.random.default_rng(0), shape
    A, B = rng.normal(size=(n_rows, n)).astype(dtype), rng.normal(size=(n, m)).astype(dtype)
    whole = np.full((n_rows + 2, m + 2), 2.0, dtype)
    C = whole[1:-1, 1:-1]
    product(A, B, True, C)
    np.testing.assert_allclose(C, A @ B + 2, atol=50 * np.finfo(dtype).eps)
    C[:] = np.nan
    product(A, B, False, C)
    np.testing.assert_allclose(C, A @ B, atol=50 * np.finfo(dtype).eps)
    C[:] = 2.0
    assert np.all(whole == 2.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_rows", [12, 300])
def test_a_column_of_a_product_does_not_depend_on_the_others(dtype, n_rows):
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(n_rows, 50)).astype(dtype), rng.normal(size=(50, 70)).astype(dtype)
    whole, part = np.ones((2, n_rows, 70), dtype), np.ones((2, n_rows, 1), dtype)
    turned = np.ascontiguousarray(A.T)
    for add in (0, 1):
        product(A, B, bool(add), whole[add])
    for j in range(70):
        column = B[:, j].copy()
        for by_rows in (True, False):
            part[1] = 1
            for add in (0, 1):
                block_product(
                    dtype(1), A.ctypes.data, 50, turned.ctypes.data * by_rows, n_rows, n_rows, 50,
                    column.ctypes.data, 1, bool(add), part[add].ctypes.data,
                )  # fmt: skip
            assert np.array_equal(part[:, :, 0], whole[:, :, j])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 5, 32, 100])
@pytest.mark.parametrize("k", [1, 3, 35, 45])
def test_products_of_blocks_are_added_up(dtype, n, k):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=(3, rows, n)).astype(dtype) for rows in (9, k))
    C = rng.normal(size=(9, k + 1)).astype(dtype)
    expected, B = C.copy(), B[::-1]
    expected[:, :k] += np.einsum("tin,tkn->ik", A, B)
    turned = np.ascontiguousarray(B.transpose(0, 2, 1)).reshape(-1, k)
    add_products(A, B, turned, C[:, :k])
    np.testing.assert_allclose(C, expected, rtol=0, atol=1e3 * np.finfo(dtype).eps)
    assert np.array_equal(C[:, k], expected[:, k])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("k", [1, 5, 16, 33])
@pytest.mark.parametrize("n", [[1], [40, 40], [17, 3, 1]], ids=["one", "equal", "ragged"])
def test_rows_go_to_blocks_and_back(dtype, k, n):
    rng, n = np.random.default_rng(0), np.array(n)
    rows = rng.permutation(n.sum())
    X = rng.normal(size=(n.sum(), k + 3)).astype(dtype)
    blocks, there = np.full((k + 2) * n.sum(), 9.0, dtype), np.full_like(X, 9.0)
    gather(X, 1, k, rows, n, k + 2, blocks)
    start = 0
    for m in n:
        block = blocks[(k + 2) * start : (k + 2) * (start + m)].reshape(k + 2, m)
        assert np.array_equal(block[:k], X[rows[start : start + m], 1 : k + 1].T)
        assert np.all(block[k:] == 9.0)
        start += m
    scatter(blocks, rows, n, k + 2, there, 1, k)
    assert np.array_equal(there[:, 1 : k + 1], X[:, 1 : k + 1])
    assert np.all(there[:, 0] == 9.0) and np.all(there[:, k + 1 :] == 9.0)


@pytest.mark.parametrize("n", [[2], [3, 3], [4, 4, 2, 1, 1]], ids=["one", "equal", "ragged"])
def test_last_columns_go_to_rows_and_back(n):
    rng, n, k = np.random.default_rng(0), np.array(n), 3
    order = rng.permutation(n[0])
    steps = [rng.normal(size=(k, m)) for m in n]
    X, S = np.full((n[0], k + 2), 9.0), np.concatenate([step.ravel() for step in steps])
    take_last(S, order, n, k, X, 1)
    for j, row in enumerate(order):
        assert np.array_equal(X[row, 1 : k + 1], steps[np.sum(n > j) - 1][:, j])
    assert np.all(X[:, [0, -1]] == 9.0)
    last = rng.normal(size=(k, n[0]))
    add_last(last.ravel(), n, k, S)
    for t, step in enumerate(steps):
        ended = n[t + 1] if t + 1 < len(n) else 0
        step[:, ended:] += last[:, ended : n[t]]
    assert np.array_equal(S, np.concatenate([step.ravel() for step in steps]))
