"""Intervals between those of errors of rolling forecasts and those of sample paths."""

import numpy as np
import pytest
from scipy.stats import norm, t

from esnkit.forecasting._blended_errors import BlendedErrors


def blended(n_windows=3.0):
    rng = np.random.default_rng(0)
    sizes = np.linspace(1.0, 2.0, 5)[:, None]
    return BlendedErrors(sizes, rng.exponential(size=(400, 5, 1)).cumsum(axis=1), n_windows)


def test_widths_are_geometric_means_of_normal_ones_with_the_quantile_of_student():
    errors = blended()
    spread = [np.ptp(np.quantile(rows, [0.1, 0.9])) / 2 for rows in errors.paths[:, :, 0].T]
    assert (np.diff(spread) > 0).all()
    normal = norm(scale=errors.sizes[:, 0] * np.sqrt(np.pi / 2)).ppf(0.9)
    expected = np.sqrt(normal * spread) * t(4).ppf(0.9) / norm.ppf(0.9)
    np.testing.assert_allclose(errors.half_widths(0.8)[:, 0], expected)


def test_few_windows_make_intervals_wide():
    few, many = (blended(n).half_widths(0.9) for n in (1.0, 1e6))
    np.testing.assert_allclose(few / many, t(2).ppf(0.95) / norm.ppf(0.95), rtol=1e-5)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_intervals_of_normal_errors_have_their_coverage(level):
    paths = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None, None]
    ones = BlendedErrors(np.full((1, 1), np.sqrt(2 / np.pi)), paths, 4.0)
    # The scale, here 1, comes from as many errors as there are degrees of freedom.
    scales = np.sqrt(np.mean(np.random.default_rng(0).normal(size=(20_000, 5)) ** 2, axis=1))
    coverage = np.mean(2 * norm.cdf(scales * ones.half_widths(level)[0, 0]) - 1)
    assert coverage == pytest.approx(level, abs=0.1 * (1 - level))


def test_quantiles_grow_with_the_level_and_are_zero_in_the_middle():
    found = blended().quantiles(np.array([0.05, 0.3, 0.5, 0.7, 0.95]))[:, :, 0]
    assert found.shape == (5, 5) and (np.diff(found, axis=0) > 0).all() and not found[2].any()
    assert (found[4] > -found[0]).all()  # skewed as the paths


def test_widths_grow_where_the_paths_do_not():
    errors = blended()
    narrower = errors._replace(paths=errors.paths[:, ::-1] - errors.paths[:, -1:])
    assert (np.diff(narrower.half_widths(0.9)[:, 0]) >= 0).all()
