"""Running statistics against NumPy, however rows are cut."""

import numpy as np
import pytest
from hypothesis import given
from pooling_problems import Problem, problems
from reference import STATISTICS, pooled

from esnkit.pooling._statistics import STATISTICS as TABLE
from esnkit.pooling._table import DEFAULT_STATISTICS


def test_every_statistic_has_a_twin():
    assert tuple(TABLE) == DEFAULT_STATISTICS == STATISTICS


@given(problems())
def test_statistics_against_numpy(problem):
    wanted = [pooled(Z.astype(float), "statistics") for Z in problem.sequences]
    limit = 400 * np.finfo(problem.rows.dtype).eps
    found, problem.block_rows = problem.pooled("statistics"), 10**6
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit)
    # However rows are cut, but for means, the bits are the same.
    n = problem.rows.shape[1]
    np.testing.assert_array_equal(problem.pooled("statistics")[:, n:], found[:, n:])


def test_a_list_of_names_has_the_bits_of_each_alone():
    problem = Problem([9, 1, 130, 4], 33, block_rows=64)
    names = ["last", "std", "mean", "min"]
    wanted = np.hstack([problem.pooled(name) for name in names])
    np.testing.assert_array_equal(problem.pooled(names), wanted)


def test_the_mean_has_the_bits_of_numpy():
    for dtype in (np.float64, np.float32):
        problem = Problem([30, 7, 1], 5, dtype)
        wanted = [np.add.reduce(Z, axis=0) / dtype(len(Z)) for Z in problem.sequences]
        np.testing.assert_array_equal(problem.pooled("mean"), wanted)


@pytest.mark.parametrize(("dtype", "limit"), [(np.float64, 1e-7), (np.float32, 1e-6)])
def test_the_deviation_of_a_long_sequence_far_from_zero_keeps_its_digits(dtype, limit):
    problem = Problem([20_000], 3, block_rows=999)
    problem.rows = (1 + 1e-6 * problem.rows if dtype == np.float64 else problem.rows + 9).astype(
        dtype
    )
    wanted = problem.rows.astype(float).std(axis=0)[None]
    np.testing.assert_allclose(problem.pooled("std"), wanted, rtol=limit)


def test_a_single_step():
    rows = Problem([1], 3)
    z, zero = rows.rows[0], np.zeros(3)
    np.testing.assert_array_equal(
        rows.pooled("statistics"), np.concatenate([z, zero, z, z, z, zero])[None]
    )
