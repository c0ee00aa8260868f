"""Equations of the cells for one step, against plain arrays, and their slopes by differences."""

import numpy as np
import pytest
from cell_problems import CELLS
from compiled import compiled
from gradients import difference
from reference import CELL_EQUATIONS, sigmoid

from esnkit.kernels.cell_equations import (
    GRU_AFTER,
    LSTM,
    MIN_GRU,
    MIN_LSTM,
    N_GATES,
    BackwardBuffers,
    BackwardOffsets,
    Buffers,
    Offsets,
    gru_after_back,
    gru_after_step,
    gru_before_back,
    gru_before_step,
    lstm_back,
    lstm_step,
    min_gru_back,
    min_gru_step,
    min_lstm_back,
    min_lstm_step,
    reset_back,
    reset_step,
    rnn_back,
    rnn_step,
)
from esnkit.kernels.simd.vectors import address

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])
every_equation = pytest.mark.parametrize("cell", CELL_EQUATIONS)
SIZES = [1, 8, 37]


@compiled
def step(cell, size, A, C, h, H):
    """Make the step of a cell; blocks begin one number late."""
    buffers = Buffers(address(h), address(A), address(C), address(H), address(h))
    at = Offsets(0, 1, 1, 1, 1, 0)
    if cell == LSTM:
        lstm_step(size, buffers, at)
    elif cell == MIN_GRU:
        min_gru_step(size, buffers, at)
    elif cell == MIN_LSTM:
        min_lstm_step(size, buffers, at)
    elif cell == GRU_AFTER:
        gru_after_step(size, buffers, at)
    else:
        rnn_step(cell, size, buffers, at)


@compiled
def step_back(cell, size, A, C, c_before, h, dH, dZ, dh, dc):
    buffers = BackwardBuffers(
        address(h), address(A), address(C), address(c_before), address(dH), address(dZ),
        address(dh), address(dc), address(h), address(h),
    )  # fmt: skip
    at = BackwardOffsets(0, 1, 1, 1, 1, 1, 1)
    if cell == LSTM:
        lstm_back(size, buffers, at)
    elif cell == MIN_GRU:
        min_gru_back(size, buffers, at)
    elif cell == MIN_LSTM:
        min_lstm_back(size, buffers, at)
    elif cell == GRU_AFTER:
        gru_after_back(size, buffers, at)
    else:
        rnn_back(cell, size, buffers, at)


@compiled
def gru_before(size, A, C, h, H, reset_only):
    buffers = Buffers(address(h), address(A), address(C), address(H), address(h))
    at = Offsets(0, 1, 1, 1, 1, 0)
    if reset_only:
        reset_step(size, buffers, at)
    else:
        gru_before_step(size, buffers, at)


@compiled
def gru_before_gradient(size, A, h, dH, dZ, dh, reset_only):
    buffers = BackwardBuffers(
        address(h), address(A), address(h), address(h), address(dH), address(dZ), address(dh),
        address(dh), address(h), address(h),
    )  # fmt: skip
    at = BackwardOffsets(0, 1, 1, 1, 1, 1, 1)
    if reset_only:
        reset_back(size, buffers, at)
    else:
        gru_before_back(size, buffers, at)


def late(values, dtype=np.float64):
    """Return the values flat, between two numbers that must not change."""
    flat = np.concatenate([[7.0], np.ravel(values), [7.0]])
    return flat.astype(dtype)


def inner(flat):
    assert flat[0] == flat[-1] == 7.0
    return flat[1:-1]


@both
@every_equation
@pytest.mark.parametrize("size", SIZES)
def test_steps_are_those_of_plain_arrays(cell, size, dtype):
    rng = np.random.default_rng(0)
    z, (h, c) = rng.normal(size=(N_GATES[CELLS[cell]], size)), rng.normal(size=(2, size))
    A, C, H = late(z, dtype), late(c, dtype), late(np.zeros(size), dtype)
    step(CELLS[cell], size, A, C, late(h, dtype), H)
    gates, h, c = CELL_EQUATIONS[cell](z, h, c)
    exact = {"atol": 50 * np.finfo(dtype).eps}
    np.testing.assert_allclose(inner(H), h, **exact)
    if cell not in ("rnn", "relu"):  # whose H may be A
        np.testing.assert_allclose(inner(A), np.ravel(gates), **exact)
    if cell == "lstm":
        np.testing.assert_allclose(inner(C), c, **exact)


@every_equation
@pytest.mark.parametrize("size", SIZES)
def test_slopes_of_steps_are_differences(cell, size):
    rng = np.random.default_rng(1)
    z, (h, c, dh, dc) = rng.normal(size=(N_GATES[CELLS[cell]], size)), rng.normal(size=(4, size))
    gates, _, c_after = CELL_EQUATIONS[cell](z, h, c)

    def loss():
        _, h_after, c_now = CELL_EQUATIONS[cell](z, h, c)
        return dh @ h_after + (dc @ c_now if cell == "lstm" else 0)

    dZ, d_before, d_cell = late(np.zeros_like(z)), np.zeros(size), dc.copy()
    buffers = late(gates), late(c_after), late(c), late(h), late(dh)
    step_back(CELLS[cell], size, *buffers, dZ, d_before, d_cell)
    np.testing.assert_allclose(inner(dZ).reshape(z.shape), difference(loss, z), atol=1e-8)
    if cell == "lstm":
        np.testing.assert_allclose(d_cell, difference(loss, c), atol=1e-8)
    if cell in ("mingru", "minlstm"):  # whose c is h
        np.testing.assert_allclose(d_before, difference(loss, c), atol=1e-8)
    if cell == "gru":
        np.testing.assert_allclose(d_before, difference(loss, h), atol=1e-8)


@pytest.mark.parametrize("size", SIZES)
def test_a_gru_that_resets_before_makes_its_step_in_two(size):
    rng = np.random.default_rng(2)
    z, (h, dh) = rng.normal(size=(3, size)), rng.normal(size=(2, size))

    def states(reset):
        return sigmoid(z[1]) * h + (1 - sigmoid(z[1])) * np.tanh(z[2] + reset)

    A, C, H = late(z), late(np.zeros(size)), late(np.zeros(size))
    gru_before(size, A, C, late(h), H, True)
    reset = sigmoid(z[0]) * h
    np.testing.assert_allclose(inner(C), reset, atol=1e-14)
    A[1 + 2 * size : 1 + 3 * size] += inner(C)  # in place of the product with the weights of n
    gru_before(size, A, C, late(h), H, False)
    np.testing.assert_allclose(inner(H), states(reset), atol=1e-14)

    def loss():
        return dh @ states(sigmoid(z[0]) * h)

    dZ, d_before = late(np.zeros_like(z)), np.zeros(size)
    gru_before_gradient(size, A, late(h), late(dh), dZ, d_before, False)
    d_before[:] = inner(dZ)[2 * size :]  # the same in place of the product
    gru_before_gradient(size, A, late(h), late(dh), dZ, d_before, True)
    np.testing.assert_allclose(inner(dZ).reshape(3, size), difference(loss, z), atol=1e-8)
    np.testing.assert_allclose(d_before, difference(loss, h), atol=1e-8)
