"""Errors that many series share: intervals, quantiles and sample paths of each."""

import numpy as np
import pytest

from esnkit.forecasting._panel_errors import PanelErrors
from esnkit.forecasting._pooled_errors import PooledErrors

ERRORS = np.cumsum(np.random.default_rng(0).normal(size=(60, 4)), axis=1)
SIZES = np.array([1.0, 10.0, 0.0])


@pytest.mark.parametrize("n_before", [0, 2])
def test_widths_are_those_of_pooled_errors_times_sizes(n_before):
    errors = PanelErrors(ERRORS, SIZES, np.array([n_before, 0, 0]), 6)
    pooled = PooledErrors(ERRORS[:, :, None], 6 + n_before)
    widths, wanted = errors.half_widths(0.9), pooled.half_widths(0.9)[:, 0]
    np.testing.assert_allclose(widths[0], wanted[n_before:])
    np.testing.assert_allclose(widths[1:], [10 * wanted[:6], np.zeros(6)])
    levels = np.array([0.1, 0.6])
    found, wanted = errors.quantiles(levels), pooled.quantiles(levels)[:, :, 0]
    np.testing.assert_allclose(found[:, 0], wanted[:, n_before:])
    np.testing.assert_allclose(found[:, 1], 10 * wanted[:, :6])


@pytest.mark.parametrize("missing", [False, True])
def test_shares_of_paths_below_quantiles_are_their_levels(missing):
    given = ERRORS.copy()
    if missing:
        given[::7, 2] = np.nan
    errors = PanelErrors(given, SIZES, np.array([1, 0, 0]), 6)
    paths = errors.paths(20_000, np.random.RandomState(0))
    levels = np.array([0.05, 0.3, 0.5, 0.9])
    below = (paths <= errors.quantiles(levels)[:, None]).mean(axis=1)
    np.testing.assert_allclose(below[:, :2], np.tile(levels[:, None, None], (1, 2, 6)), atol=0.02)
    assert (paths[:, 2] == 0).all()


def test_paths_keep_the_ranks_of_one_rolling_forecast():
    errors = np.column_stack([np.arange(50.0), -np.arange(50.0)])
    paths = PanelErrors(errors, np.ones(1), np.zeros(1, int), 2).paths(99, np.random.RandomState(0))
    first, second = np.argsort(np.argsort(paths[:, 0], axis=0), axis=0).T
    assert np.corrcoef(first, second)[0, 1] < -0.95
