"""Running statistics of a reservoir run against those of its stored states, bit for bit."""

import numpy as np
import pytest
from reservoir_problems import ReservoirProblem, both_dtypes

from esnkit.kernels.activations import CODES
from esnkit.kernels.pooled_runs import STEPS, run_statistics
from esnkit.kernels.pooling import HIGH, LOW, N_SUMS, add_statistics
from esnkit.kernels.reservoir import InputSequences


def no_sums(n_sequences, n_columns, dtype):
    sums = np.zeros((n_sequences, N_SUMS, n_columns), dtype)
    sums[:, LOW], sums[:, HIGH] = np.inf, -np.inf
    return sums


@both_dtypes
@pytest.mark.parametrize("n_extra", [0, 3, 8])
@pytest.mark.parametrize("washout", [0, 5, STEPS + 3])
def test_sums_are_those_of_stored_states(dtype, n_extra, washout):
    lengths = np.array([3 * STEPS, 2 * STEPS + 1, 70, 70, 40, 40, 37]) + washout
    problem = ReservoirProblem("diagonals", 21, 3, lengths, dtype)
    states, last = problem.run()
    Z = np.zeros((len(states), 21 + n_extra), dtype)
    Z[:, :21] = states
    if n_extra:
        Z[:, 21:24] = problem.U
    wanted = no_sums(7, 21 + n_extra, dtype)
    starts, stops = problem.starts + washout, problem.starts + lengths
    add_statistics(Z, starts, stops, np.zeros(7, np.int64), wanted)

    found, state = no_sums(7, 21 + n_extra, dtype), problem.x0.copy()
    extra = problem.U[:, : min(3, n_extra)].copy()
    fixed = problem.W, problem.input_weights, CODES["tanh"]
    for begin, end in ((0, 11), (11, 10**6)):  # in two calls
        counts = np.minimum(lengths, end) - begin
        inputs = InputSequences(problem.U, problem.starts + begin, counts)
        run_statistics(*fixed, inputs, extra, (begin, washout), state, found)
    np.testing.assert_array_equal(state, last)
    np.testing.assert_array_equal(found, wanted)
