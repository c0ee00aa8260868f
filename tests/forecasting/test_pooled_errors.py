"""Intervals and quantiles from few forecasts: they grow with the step, and keep their level."""

import numpy as np

from esnkit.forecasting._conformal import signed_quantile
from esnkit.forecasting._pooled_errors import PooledErrors, SeparateErrors


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_widths_grow_with_the_step_and_beyond_the_horizon():
    errors = normal(8, 12, 2)
    widths = PooledErrors(errors, 48).half_widths(0.9)
    assert (np.diff(widths, axis=0) >= 0).all()
    np.testing.assert_allclose(widths[47], 2 * widths[11])
    wider = PooledErrors(errors, 12).half_widths(0.99)
    assert (wider >= widths[:12]).all()


def test_a_width_is_the_size_of_the_step_times_a_rank_of_all_relative_errors():
    errors = normal(5, 4, 1) * np.array([[1.0], [2.0], [4.0], [8.0]])
    sizes = np.abs(errors[:, :, 0]).mean(axis=0)
    assert (np.diff(sizes) > 0).all()
    ratios = sorted(abs(errors[j, k, 0]) / sizes[k] for j in range(5) for k in range(4))
    widths = PooledErrors(errors, 4, 1.5).half_widths(0.8)[:, 0]
    np.testing.assert_allclose(widths, 1.5 * sizes * ratios[16])  # the 17th of 20, ceil(21 * 0.8)
    signed = (errors[:, :, 0] / sizes).ravel()
    upper = signed_quantile(signed - np.median(signed), 0.9)
    found = PooledErrors(errors, 4, 1.5).quantiles(np.array([0.5, 0.9]))[:, :, 0]
    np.testing.assert_allclose(found, 1.5 * sizes * np.array([[0.0], [upper]]), atol=1e-12)


def test_one_forecast_and_no_errors_suffice():
    assert not PooledErrors(np.zeros((3, 4, 1)), 6).half_widths(0.9).any()
    np.testing.assert_allclose(
        PooledErrors(np.ones((1, 1, 1)), 2).half_widths(0.9), np.sqrt([[1], [2]])
    )


def test_errors_of_the_same_distribution_are_covered():
    rng, scale = np.random.default_rng(0), np.sqrt(np.arange(1, 13))[:, None]
    levels, covered, below = np.array([0.5, 0.8, 0.9]), [], []
    for _ in range(150):
        errors = PooledErrors(rng.normal(size=(8, 12, 1)) * scale, 12)
        new = rng.normal(size=(12, 1)) * scale
        widths = np.stack([errors.half_widths(level) for level in levels])
        covered.append((np.abs(new) <= widths).mean(axis=(1, 2)))
        below.append((new <= errors.quantiles(levels)).mean(axis=(1, 2)))
    np.testing.assert_allclose(np.mean(covered, axis=0), levels, rtol=0, atol=0.03)
    np.testing.assert_allclose(np.mean(below, axis=0), levels, rtol=0, atol=0.03)


def test_series_with_other_numbers_of_forecasts_stand_side_by_side():
    parts = [PooledErrors(normal(n, 3, 1), 4) for n in (2, 5)]
    both, levels = SeparateErrors(parts), np.array([0.2, 0.7])
    for j, part in enumerate(parts):
        np.testing.assert_array_equal(both.half_widths(0.8)[:, [j]], part.half_widths(0.8))
        np.testing.assert_array_equal(both.quantiles(levels)[:, :, [j]], part.quantiles(levels))
