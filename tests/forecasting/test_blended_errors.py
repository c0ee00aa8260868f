"""Intervals between those of errors of rolling forecasts and those of sample paths."""

import numpy as np
import pytest
from scipy.stats import norm, t

from esnkit.forecasting._blended_errors import (
    MAX_NAIVE_RATIO,
    NAIVE_RATIO,
    BlendedErrors,
    naive_sizes,
)


def blended(n_windows=3.0):
    rng = np.random.default_rng(0)
    sizes = np.linspace(1.0, 2.0, 5)[:, None]
    return BlendedErrors(sizes, rng.exponential(size=(400, 5, 1)).cumsum(axis=1), n_windows)


def test_widths_are_geometric_means_of_normal_ones_with_the_quantile_of_student():
    errors = blended()
    spread = [np.ptp(np.quantile(rows, [0.1, 0.9])) / 2 for rows in errors.paths[:, :, 0].T]
    assert (np.diff(spread) > 0).all()
    normal = norm(scale=errors.sizes[:, 0] * np.sqrt(np.pi / 2)).ppf(0.9)
    expected = np.sqrt(normal * spread) * t(6).ppf(0.9) / norm.ppf(0.9)
    np.testing.assert_allclose(errors.half_widths(0.8)[:, 0], expected)


def test_few_windows_make_intervals_wide():
    few, many = (blended(n).half_widths(0.9) for n in (1.0, 1e6))
    np.testing.assert_allclose(few / many, t(4).ppf(0.95) / norm.ppf(0.95), rtol=1e-5)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_intervals_of_normal_errors_have_their_coverage(level):
    paths = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None, None]
    ones = BlendedErrors(np.full((1, 1), np.sqrt(2 / np.pi)), paths, 4.0)
    # The scale, here 1, comes from as many errors as there are degrees of freedom.
    scales = np.sqrt(np.mean(np.random.default_rng(0).normal(size=(20_000, 7)) ** 2, axis=1))
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


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_errors_of_the_naive_forecast_are_the_third_of_three_sources(level):
    two = blended()
    width = two.half_widths(level)
    ratio = NAIVE_RATIO * two.sizes * norm.ppf((1 + level) / 2) * np.sqrt(np.pi / 2) / width
    ratio *= t(6).ppf((1 + level) / 2) / norm.ppf((1 + level) / 2)
    three = two._replace(naive=two.sizes)
    np.testing.assert_allclose(three.half_widths(level), width * np.cbrt(ratio))
    ends = np.array([0.5 - level / 2, 0.5 + level / 2])
    expected = two.quantiles(ends)
    assert (abs(three.quantiles(ends)) <= np.cbrt(MAX_NAIVE_RATIO) * abs(expected) + 1e-12).all()


@pytest.mark.parametrize(("factor", "expected"), [(1e6, MAX_NAIVE_RATIO), (0, 1 / MAX_NAIVE_RATIO)])
def test_a_very_different_naive_forecast_counts_as_a_less_different_one(factor, expected):
    two = blended()
    three = two._replace(naive=factor * two.sizes)
    np.testing.assert_allclose(three.half_widths(0.9) / two.half_widths(0.9), np.cbrt(expected))


def test_widths_of_zero_stay_zero():
    nothing = BlendedErrors(np.zeros((2, 1)), np.zeros((9, 2, 1)), 3.0, np.ones((2, 1)))
    assert not nothing.half_widths(0.9).any()


@pytest.mark.parametrize(("season", "n_steps"), [(1, 4), (3, 2), (3, 7), (5, 20)])
def test_naive_sizes_are_mean_errors_of_all_naive_forecasts(season, n_steps):
    values = np.cumsum(1 + 0.3 * np.random.default_rng(n_steps).normal(size=60))
    values[[7, 31]] = np.nan
    expected = []
    for step in range(n_steps):  # the forecast repeats the last season
        n_back = season * (step // season + 1)
        errors = [abs(values[t] - values[t - n_back]) for t in range(n_back, len(values))]
        expected.append(np.nanmean(errors))
    found = naive_sizes(values, [season, 80], n_steps)
    np.testing.assert_allclose(found[:, 0], expected)


def test_naive_sizes_are_those_of_the_season_with_the_smallest_errors():
    weeks = np.tile([3.0, 1.0, 4.0, 1.0, 5.0, 9.0], 8) + np.arange(48) / 8
    assert naive_sizes(weeks, [2, 6], 7)[:, 0].tolist() == [0.75] * 6 + [1.5]


def test_naive_sizes_of_short_and_of_constant_series():
    assert naive_sizes(np.array([1.0, 3.0]), [12], 3)[:, 0] == pytest.approx(2 * np.sqrt([1, 2, 3]))
    assert not naive_sizes(np.full(9, 5.0), [4], 9).any()
    assert not naive_sizes(np.array([1.0, np.nan, 3.0]), [], 1).any()
