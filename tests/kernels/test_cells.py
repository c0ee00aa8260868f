"""Recurrent cells forward, against loops over plain arrays."""

import numpy as np
import pytest
from cell_problems import (
    CELLS,
    N_FEATURES,
    N_UNITS,
    CellProblem,
    every_cell,
    every_length,
    free_or_clamped,
)
from reference import cell_states

from esnkit.kernels.cells import GRU_BEFORE, LSTM, N_GATES, forward, stream
from esnkit.kernels.linalg import LANES

WITH_CELL_STATE = ("lstm", "lru")


@every_cell
@every_length
@free_or_clamped
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_forward_is_that_of_the_equations(cell, lengths, units, dtype):
    run = CellProblem(cell, lengths, dtype, units)
    states, cells = run.forward(), []
    for j, (start, end) in enumerate(run.spans):
        expected, c = cell_states(
            cell, run.M, run.X[start:end], run.h0[:, j], run.c0[:, j], units,
            run.values[start:end], run.E,
        )  # fmt: skip
        np.testing.assert_allclose(states[start:end], expected, atol=50 * np.finfo(dtype).eps)
        cells.append(c)
    if cell in WITH_CELL_STATE:
        found = run.rows_of(run.C, N_UNITS)
        np.testing.assert_allclose(found, np.vstack(cells), atol=50 * np.finfo(dtype).eps)


@every_cell
def test_a_long_sequence_in_two_parts_has_the_same_bits(cell):
    whole = CellProblem(cell, [6, 6, 6])
    states = whole.forward().reshape(3, 6, N_UNITS)
    h, c = whole.h0, whole.c0
    for half in (slice(0, 2), slice(2, 6)):
        part = CellProblem(cell, [half.stop - half.start] * 3)
        part.M, part.E, part.h0, part.c0 = whole.M, whole.E, h, c
        part.X = whole.X.reshape(3, 6, -1)[:, half].reshape(-1, N_FEATURES).copy()
        found = part.forward().reshape(3, -1, N_UNITS)
        assert np.array_equal(found, states[:, half])
        h = c = np.ascontiguousarray(found[:, -1].T)
        if cell in WITH_CELL_STATE:
            c = part.C[-3 * N_UNITS :].reshape(N_UNITS, 3)


@every_cell
def test_room_for_one_block_of_outputs_suffices_for_the_last(cell):
    run = CellProblem(cell, [6, 6, 6])
    states = run.forward().reshape(3, 6, N_UNITS)
    if run.carries_h:
        return  # its C, which the backward pass needs, is H
    H = np.empty(N_UNITS * 3)
    A = H if cell in ("rnn", "relu") else run.A
    clamped = run.units, np.empty(0)
    forward(run.code, run.weights, run.n, (run.h0, run.c0), clamped, (run.S, A, run.C, H))
    assert np.array_equal(H.reshape(N_UNITS, 3).T, states[:, -1])


@every_cell
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_step_of_a_stream_has_the_bits_of_a_batch(cell, dtype):
    run = CellProblem(cell, [7], dtype)
    states, n_cells = run.forward(), N_UNITS if cell in WITH_CELL_STATE else 0
    head = np.random.default_rng(1).normal(size=(2, N_UNITS + 1)).astype(dtype)
    weights = [run.M.ravel(), run.M.T.ravel(), run.E.ravel(), head[:, :-1].ravel(), head[:, -1]]
    state = [run.h0.ravel(), run.c0.ravel()[:n_cells]]
    room = np.zeros(N_FEATURES + 2 + LANES + sum(run.M.shape) + N_UNITS, dtype)
    work = np.concatenate([*weights, *state, room])
    at_state = sum(part.size for part in weights)
    inputs = at_state + N_UNITS + n_cells
    outputs = inputs + N_FEATURES
    for x, h in zip(run.X, states, strict=True):
        work[inputs:outputs] = x
        assert stream(run.code, 1, N_UNITS, N_FEATURES, 2, at_state, inputs, work)
        assert np.array_equal(work[at_state : at_state + N_UNITS], h)
        expected = head[:, :-1] @ h + head[:, -1]
        np.testing.assert_allclose(work[outputs : outputs + 2], expected, rtol=1e-5)


def test_a_stream_refuses_inputs_that_are_not_finite():
    run = CellProblem("rnn", [1])
    state = np.full(N_UNITS, 0.5)
    room = np.zeros(LANES + sum(run.M.shape) + N_UNITS)
    work = np.concatenate([run.M.ravel(), run.M.T.ravel(), state, [0.1, np.nan, 0.2], room])
    before, at_state = work.copy(), 2 * run.M.size
    assert not stream(run.code, 1, N_UNITS, N_FEATURES, 0, at_state, at_state + N_UNITS, work)
    np.testing.assert_array_equal(work, before)


def test_every_cell_has_a_number_of_gates():
    assert len(N_GATES) == len(CELLS) and {LSTM, GRU_BEFORE} < set(CELLS.values())


@pytest.mark.parametrize("cell", ["mingru", "minlstm"])
def test_gates_that_are_closed_keep_the_state(cell):
    run = CellProblem(cell, [3, 3], np.float32)
    run.M[:] = 0
    run.M[:-N_UNITS, -1] = 60.0 if cell == "mingru" else -60.0  # both gates of a min lstm
    found = run.forward().reshape(2, 3, N_UNITS)
    share = 0.5 if cell == "minlstm" else 1.0  # f / (f + i) of numbers near zero
    np.testing.assert_allclose(found[:, 2], share**3 * run.h0.T, rtol=1e-6)


def test_states_of_an_lru_do_not_become_subnormal():
    run = CellProblem("lru", [400], np.float32)
    run.M[:], run.X[:] = 0, 0
    run.forward()
    assert np.all((run.C == 0) | (np.abs(run.C) >= 2.0**-101)) and np.any(run.C == 0)
