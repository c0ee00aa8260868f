"""Sequences four at a time against the same sequences one by one, bit for bit."""

import numpy as np
import pytest
from reservoir_problems import ReservoirProblem, both_dtypes, every_layout

from esnkit.kernels import reservoir
from esnkit.kernels.activations import CODES
from esnkit.kernels.simd.vectors import aligned


@every_layout
@both_dtypes
@pytest.mark.parametrize("n_units, n_features", [(17, 3), (40, 12), (70, 40), (128, 5)])
@pytest.mark.parametrize("lengths", [[9, 9, 6, 20, 4, 4, 7], [5] * 8, [1, 3, 3, 3]])
def test_sequences_side_by_side_have_the_bits_of_each_alone(
    layout, dtype, n_units, n_features, lengths
):
    problem = ReservoirProblem(layout, n_units, n_features, lengths, dtype)
    states, last = problem.run()
    starts, lengths, x0 = problem.starts, problem.lengths, problem.x0
    for s in range(len(lengths)):
        one = slice(s, s + 1)
        problem.starts, problem.lengths, problem.x0 = starts[one], lengths[one], x0[one]
        alone, end = problem.run()
        rows = slice(starts[s], starts[s] + lengths[s])
        assert np.array_equal(alone[rows], states[rows]) and np.array_equal(end[0], last[s])


@both_dtypes
def test_states_written_past_the_caches_are_the_same(dtype):
    n_rows = reservoir.MAX_CACHED_BYTES // (128 * np.dtype(dtype).itemsize) // 4
    problem = ReservoirProblem("diagonals", 128, 1, [n_rows] * 4, dtype, degree=2)
    states = aligned(4 * n_rows * 128, problem.b).reshape(-1, 128)
    assert reservoir.output_rows(states, 128).nontemporal
    inputs = reservoir.InputSequences(problem.U, problem.starts, problem.lengths)
    weights = problem.W, problem.input_weights, CODES["tanh"]
    reservoir.run(*weights, problem.forcing, inputs, problem.x0.copy(), states)
    problem.lengths = np.full(4, 50)
    small = problem.run()[0]
    for first in problem.starts:
        assert np.array_equal(small[first : first + 50], states[first : first + 50])
