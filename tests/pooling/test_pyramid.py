"""Means over segments against slices of rows."""

import numpy as np
from hypothesis import given
from pooling_problems import Problem, problems
from reference import pooled


@given(problems())
def test_pyramid_against_numpy(problem):
    wanted = [pooled(Z.astype(float), "pyramid") for Z in problem.sequences]
    limit = 100 * np.finfo(problem.rows.dtype).eps
    found, problem.block_rows = problem.pooled("pyramid"), 10**6
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit)
    np.testing.assert_array_equal(problem.pooled("pyramid"), found)  # however rows are cut


def test_whole_halves_and_quarters_in_this_order():
    problem = Problem([8], 1)
    problem.rows[:, 0] = np.arange(8)
    assert problem.pooled("pyramid").tolist() == [[3.5, 1.5, 5.5, 0.5, 2.5, 4.5, 6.5]]
