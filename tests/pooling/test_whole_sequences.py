"""Quantiles against NumPy, and functions of users."""

import numpy as np
import pytest
from hypothesis import given
from pooling_problems import Problem, problems
from reference import pooled

from esnkit import ESNRegressor


@given(problems())
def test_quantiles_against_numpy(problem):
    wanted = [pooled(Z.astype(float), "quantiles") for Z in problem.sequences]
    limit = 4 * np.finfo(problem.rows.dtype).eps
    found = problem.pooled("quantiles")
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit)
    n = problem.rows.shape[1]
    np.testing.assert_array_equal(problem.pooled("median"), found[:, n : 2 * n])


@pytest.mark.parametrize("block_rows", [7, 64, 1000])
def test_a_function_gets_all_rows_of_one_sequence(block_rows):
    problem = Problem([9, 3, 130, 4], 3, washout=2, block_rows=block_rows)
    seen = []

    def first_and_length(rows):
        seen.append(rows)
        return np.append(rows[0], len(rows))

    found = problem.pooled(first_and_length)
    assert found[:, -1].tolist() == [len(Z) for Z in problem.sequences]
    for rows, Z in zip(seen[-len(found) :], problem.sequences, strict=True):
        np.testing.assert_array_equal(rows, Z)


def test_a_function_may_change_its_rows():
    def destroy(rows):
        rows[:] = 1
        return rows[0]

    problem = Problem([5, 5], 2)
    wanted = np.hstack([np.ones((2, 2)), problem.pooled("last")])
    np.testing.assert_array_equal(problem.pooled([destroy, "last"]), wanted)


def test_the_length_of_the_vectors_is_that_in_fit():
    width = [3]
    X, y = np.zeros((4, 6, 1)), np.arange(4.0)
    model = ESNRegressor(5, pooling=lambda rows: rows[: width[0], 0]).fit(X, y)
    width[0] = 2
    with pytest.raises(ValueError, match="pooling=<lambda> must return .* got 3 and 2 numbers"):
        model.predict(X)
