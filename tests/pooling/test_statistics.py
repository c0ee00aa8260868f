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
    np.testing.assert_array_equal(problem.pooled("statistics"), found)  # however rows are cut


def test_a_list_of_names_has_the_bits_of_each_alone():
    problem = Problem([9, 1, 130, 4], 33, block_rows=64)
    names = ["last", "std", "mean", "min"]
    wanted = np.hstack([problem.pooled(name) for name in names])
    np.testing.assert_array_equal(problem.pooled(names), wanted)


@pytest.mark.parametrize("n", [7, 1000, 20_000])
@pytest.mark.parametrize("kind", ["normal", "far from zero", "first far", "drift"])
def test_sums_in_float32_lose_few_digits(kind, n):
    problem = Problem([n], 20, block_rows=999)
    problem.rows = {
        "normal": problem.rows,
        "far from zero": problem.rows + 1000,
        "first far": np.where(np.arange(n)[:, None] < 5, 0, 0.9 + 0.01 * problem.rows),
        "drift": 0.01 * problem.rows + np.linspace(0, 1, n)[:, None],
    }[kind].astype(np.float32)
    wanted = problem.rows.astype(float)
    scale = np.abs(wanted).max(axis=0)
    assert np.abs(problem.pooled("mean") - wanted.mean(axis=0)).max() < 1e-7 * scale.max()
    np.testing.assert_allclose(problem.pooled("std")[0], wanted.std(axis=0), rtol=1e-6)


def test_the_deviation_of_a_long_sequence_far_from_zero_keeps_its_digits():
    problem = Problem([20_000], 3, block_rows=999)
    problem.rows = 1 + 1e-6 * problem.rows
    wanted = problem.rows.std(axis=0)[None]
    np.testing.assert_allclose(problem.pooled("std"), wanted, rtol=1e-9)


def test_a_single_step():
    rows = Problem([1], 3)
    z, zero = rows.rows[0], np.zeros(3)
    np.testing.assert_array_equal(
        rows.pooled("statistics"), np.concatenate([z, zero, z, z, z, zero])[None]
    )
