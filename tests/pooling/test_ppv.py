"""Proportions of values above quantiles of the training rows against NumPy."""

import numpy as np
from hypothesis import given
from pooling_problems import Problem, problems

from esnkit.pooling import _base as pooling_base


@given(problems())
def test_ppv_against_numpy(problem):
    training = np.vstack(problem.sequences)
    thresholds = np.quantile(training, [0.25, 0.5, 0.75], axis=0, method="lower")
    wanted = [
        np.concatenate([(rows > level).mean(axis=0) for level in thresholds])
        for rows in problem.sequences
    ]
    limit = 10 * np.finfo(problem.rows.dtype).eps
    np.testing.assert_allclose(problem.pooled("ppv"), wanted, rtol=limit, atol=limit)


@given(problems())
def test_how_rows_are_cut_changes_no_bit(problem):
    cut, problem.block_rows = problem.pooled("ppv"), 10**6
    np.testing.assert_array_equal(cut, problem.pooled("ppv"))


def test_thresholds_of_very_many_rows_come_from_some_of_them(monkeypatch):
    problem = Problem([50, 30], 3, block_rows=7)
    monkeypatch.setattr(pooling_base, "MAX_SAMPLED", 20)
    kept = problem.rows[np.arange(80) * 0.6180339887498949 % 1 < 0.25]
    threshold = np.quantile(kept, 0.25, axis=0, method="lower")
    wanted = [(rows > threshold).mean(axis=0) for rows in problem.sequences]
    np.testing.assert_array_equal(problem.pooled("ppv")[:, :3], wanted)
