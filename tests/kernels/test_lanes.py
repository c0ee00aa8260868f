"""Sequences in SIMD lanes against the same sequences one by one, bit for bit."""

import numpy as np
import pytest
from reservoir_problems import SIZES, ReservoirProblem, assert_close, both_dtypes, every_layout

from esnkit.kernels.activations import CODES
from esnkit.kernels.lanes import LANES, run_lanes


@every_layout
@both_dtypes
@pytest.mark.parametrize("n_units", SIZES)
def test_lanes_equal_run_bit_for_bit(layout, dtype, n_units):
    lengths = np.random.default_rng(0).integers(1, 9, 2 * LANES + 3)
    problem = ReservoirProblem(layout, n_units, 3, lengths, dtype).force(0.1, [n_units - 1])
    for one, other in zip(problem.run(), problem.run(run_lanes), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("n_sequences", [1, 2, LANES - 1, LANES, LANES + 1])
@pytest.mark.parametrize("activation", sorted(CODES))
def test_lanes_equal_run_for_any_number_of_sequences(n_sequences, activation):
    lengths = 1 + np.arange(n_sequences) % 4
    problem = ReservoirProblem("csr", 6, 5, lengths, np.float64)
    alone = problem.run(activation=activation)[0]
    states, last = problem.run(run_lanes, activation)
    assert_close(states, problem.reference(activation))
    assert np.array_equal(last, states[problem.starts + problem.lengths - 1])
    assert np.array_equal(alone, states)


@pytest.mark.parametrize("per_row", [True, False])
def test_noise_and_clamped_units_come_after_the_step(per_row):
    problem = ReservoirProblem("csr", 9, 2, [7, 5], np.float64).force(0.1, [4, 0], per_row)
    assert_close(problem.run(run_lanes)[0], problem.reference())


@both_dtypes
@pytest.mark.parametrize("forcing", [{}, {"units": [2, 0], "per_row": True}, {"noise": 0.1}])
def test_last_states_alone_have_the_same_bits(dtype, forcing):
    for n_units in (5, 40):
        problem = ReservoirProblem("csr", n_units, 3, [9, 9, 1, 20, 4, 4, 7], dtype)
        if forcing:
            problem.force(**forcing)
        _, last = problem.run(run_lanes)
        assert np.array_equal(problem.run(run_lanes, every=False)[1], last)
