"""Intervals from few rolling forecasts: they grow with the step, and keep their level."""

import numpy as np
import pytest

from esnkit.forecasting._pooled_errors import FACTOR, pooled_half_widths


def test_widths_grow_with_the_step_and_beyond_the_horizon():
    errors = np.abs(np.random.default_rng(0).normal(size=(8, 12)))
    widths = pooled_half_widths(errors, 48, 0.9)
    assert (np.diff(widths) >= 0).all() and widths[47] == pytest.approx(2 * widths[11])
    wider = pooled_half_widths(errors, 12, 0.99)
    assert (wider >= widths[:12]).all()


def test_one_forecast_and_no_errors_suffice():
    assert pooled_half_widths(np.zeros((3, 4)), 6, 0.9).tolist() == [0.0] * 6
    np.testing.assert_allclose(
        pooled_half_widths(np.ones((1, 1)), 2, 0.9), FACTOR * np.sqrt([1, 2])
    )


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_errors_of_the_same_distribution_are_covered(level):
    rng, scale = np.random.default_rng(0), np.sqrt(np.arange(1, 13))
    covered = []
    for _ in range(300):
        errors = np.abs(rng.normal(size=(8, 12))) * scale
        widths = pooled_half_widths(errors, 12, level) / FACTOR
        covered.append((np.abs(rng.normal(size=12)) * scale <= widths).mean())
    assert np.mean(covered) == pytest.approx(level, abs=0.03)
