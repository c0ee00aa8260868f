"""Conformal quantiles: ranks of errors, with signs and with weights."""

import numpy as np
import pytest

from esnkit.forecasting._conformal import (
    StepErrors,
    errors_needed,
    signed_quantile,
    upper_quantile,
)


def test_quantiles_follow_the_finite_sample_rank():
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 100.0)).reshape(99, 1, 1)
    assert upper_quantile(errors, 0.9).item() == 90
    assert StepErrors(-errors).half_widths(0.99).item() == 99
    assert upper_quantile(errors, 0.995).item() == 99  # of no more errors than there are
    assert [errors_needed(level) for level in (0.5, 0.8, 0.95, 0.999)] == [1, 4, 19, 999]


def test_the_smallest_quantile_is_the_smallest_error():
    errors = np.arange(1.0, 20.0)
    assert upper_quantile(errors, 1e-15) == upper_quantile(errors, 0.05) == 1


def test_equal_weights_change_nothing():
    errors = np.random.default_rng(0).normal(size=(19, 3, 2))
    for level in (0.05, 0.3, 0.5, 0.9, 0.95):
        equal = upper_quantile(errors, level, np.full(19, 1 / 19))
        np.testing.assert_array_equal(upper_quantile(errors, level), equal)


def test_weighted_quantiles_are_those_of_errors_counted_one_by_one():
    rng = np.random.default_rng(1)
    errors, weights = rng.normal(size=40), rng.dirichlet(np.ones(40))
    for level in (0.1, 0.5, 0.8, 0.9):
        mass = level * (1 + (weights**2).sum())
        expected = min(x for x in errors if weights[errors <= x].sum() >= mass)
        assert upper_quantile(errors, level, weights) == expected


@pytest.mark.parametrize("weighted", [False, True])
def test_signed_quantiles_grow_with_the_level_and_mirror(weighted):
    rng = np.random.default_rng(2)
    errors = rng.exponential(size=(25, 2, 1))
    weights = rng.dirichlet(np.ones(25)) if weighted else None
    levels = np.arange(1, 20) / 20
    found = StepErrors(errors, weights).quantiles(levels)
    assert found.shape == (19, 2, 1) and (np.diff(found, axis=0) >= 0).all()
    mirrored = StepErrors(-errors, weights).quantiles(levels)
    np.testing.assert_allclose(found, -mirrored[::-1])
    assert (found[-1] - found[9] > 1.5 * (found[9] - found[0])).all()  # they are skewed
    assert signed_quantile(np.array([3.0, 1.0, 2.0]), 0.5) == 2.0
