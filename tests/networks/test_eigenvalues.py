"""Eigenvalues by exponents: inside the unit circle, with derivatives that are differences."""

import numpy as np
import pytest
from gradients import difference, slope

from esnkit.networks._eigenvalues import (
    EXPONENTS,
    eigenvalue_gradient,
    eigenvalue_tangent,
    eigenvalues,
    initial_exponents,
)


def test_eigenvalues_are_those_of_the_exponents_and_inside_the_unit_circle():
    exponents = np.random.default_rng(0).normal(0, 2, (3, 50))
    re, im, s = eigenvalues(exponents)
    expected = np.exp(-np.exp(exponents[0]) + 1j * np.exp(exponents[1]))
    np.testing.assert_allclose(re + 1j * im, expected, atol=1e-15)
    np.testing.assert_allclose(s, np.exp(exponents[2]))
    assert np.all(np.hypot(re, im) < 1) and len(EXPONENTS) == len(exponents)
    assert eigenvalues(exponents.astype(np.float32)).dtype == np.float32


def test_gradients_and_tangents_are_differences():
    rng = np.random.default_rng(1)
    exponents, direction, weights = rng.normal(size=(3, 3, 4))

    def loss():
        return np.sum(weights * eigenvalues(exponents))

    np.testing.assert_allclose(
        eigenvalue_gradient(exponents, weights), difference(loss, exponents), atol=1e-9
    )
    moved = np.sum(weights * eigenvalue_tangent(exponents, direction))
    assert moved == pytest.approx(slope(loss, exponents, direction), abs=1e-9)


@pytest.mark.parametrize("longest", [1.0, 2.0, 300.0])
def test_initial_moduli_have_given_time_scales_and_periods_are_log_uniform(longest):
    rng, most = np.random.default_rng(0), max(longest, 2.0)
    log_scales = rng.uniform(0, 5, 2000)
    exponents = initial_exponents(rng, log_scales, longest)
    re, im, s = eigenvalues(exponents)
    np.testing.assert_allclose(np.hypot(re, im), np.exp(-np.exp(-log_scales)))
    periods = 2 * np.pi / np.exp(exponents[1])
    assert periods.min() >= 2.0 - 1e-12 and periods.max() <= most + 1e-9
    assert np.median(np.log(periods)) == pytest.approx(np.log(2 * most) / 2, abs=0.15)
    # White noise gives states of variance one: s^2 / (1 - |l|^2).
    np.testing.assert_allclose(s**2 / (1 - re**2 - im**2), 1.0)
