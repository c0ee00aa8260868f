"""Intervals between those of pooled errors and those of sample paths."""

import numpy as np

from esnkit.forecasting._blended_errors import BlendedErrors
from esnkit.forecasting._pooled_errors import PooledErrors


def blended(factor=1.0):
    rng = np.random.default_rng(0)
    pooled = PooledErrors(rng.normal(size=(6, 3, 1)), 5)
    return BlendedErrors(pooled, rng.exponential(size=(400, 5, 1)).cumsum(axis=1), factor)


def test_widths_are_geometric_means():
    errors = blended(1.5)
    spread = [np.ptp(np.quantile(rows, [0.1, 0.9])) / 2 for rows in errors.paths[:, :, 0].T]
    assert (np.diff(spread) > 0).all()
    expected = 1.5 * np.sqrt(errors.pooled.half_widths(0.8)[:, 0] * spread)
    np.testing.assert_allclose(errors.half_widths(0.8)[:, 0], expected)


def test_quantiles_grow_with_the_level_and_are_zero_in_the_middle():
    found = blended().quantiles(np.array([0.05, 0.3, 0.5, 0.7, 0.95]))[:, :, 0]
    assert found.shape == (5, 5) and (np.diff(found, axis=0) > 0).all() and not found[2].any()
    assert (found[4] > -found[0]).all()  # skewed as the paths


def test_widths_grow_where_the_paths_do_not():
    errors = blended()
    narrower = errors._replace(paths=errors.paths[:, ::-1] - errors.paths[:, -1:])
    assert (np.diff(narrower.half_widths(0.9)[:, 0]) >= 0).all()
