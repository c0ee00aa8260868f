"""Emission distributions against SciPy, and their maximum likelihood estimates."""

import numpy as np
from scipy.stats import multivariate_normal

from esnkit.baselines._emissions import Categorical, Gaussian

RNG = np.random.default_rng(0)


def test_densities_are_those_of_scipy():
    factors = RNG.standard_normal((3, 2, 2))
    emission = Gaussian(RNG.standard_normal((3, 2)), factors @ factors.transpose(0, 2, 1))
    rows = RNG.standard_normal((9, 2))
    for state, column in enumerate(emission.log_density(rows).T):
        expected = multivariate_normal(emission.means[state], emission.covariances[state])
        np.testing.assert_allclose(column, expected.logpdf(rows))


def test_weighted_rows_give_weighted_moments():
    rows, weights = RNG.standard_normal((50, 2)), RNG.random((50, 3))
    emission = Gaussian.fit(rows, weights, np.zeros(2))
    for state, w in enumerate(weights.T):
        np.testing.assert_allclose(emission.means[state], np.average(rows, axis=0, weights=w))
        expected = np.cov(rows.T, aweights=w, ddof=0)
        np.testing.assert_allclose(emission.covariances[state], expected)
    floored = Gaussian.fit(np.ones((4, 1)), np.ones((4, 1)), np.array([0.5]))
    assert floored.covariances == 0.5


def test_weighted_symbols_give_shares():
    symbols, weights = np.array([0, 2, 2, 1]), np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 0], [0, 0]])
    emission = Categorical.fit(symbols, weights, 3)
    np.testing.assert_allclose(emission.probabilities, [[0.25, 0.0, 0.75], [1 / 3] * 3])
    assert emission.log_density(symbols)[3, 0] == -np.inf
