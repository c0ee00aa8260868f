"""Kernels of online learning against plain recursions, and the published ones of reservoirpy."""

import numpy as np
import pytest
import reference

from esnkit.kernels.online import Covariance, LinearMap, least_mean_squares, recursive_least_squares


def empty_map(n_features, n_outputs):
    """Return a map without intercept: means of infinite weight stay zero."""
    shapes = (n_outputs, n_features), n_features, n_outputs
    return LinearMap(*map(np.zeros, shapes), np.full(1, 1e300))


def prior(n, alpha):
    return Covariance(
        np.zeros(n * (n - 1) // 2), np.full(n, 1 / alpha), np.full(n, alpha), np.zeros(1, np.int64)
    )


def full(covariance):
    n = covariance.diagonal.size
    U = np.eye(n)
    for j in range(n):
        U[:j, j] = covariance.factor[j * (j - 1) // 2 :][:j]
    return U * covariance.diagonal @ U.T


def problem(n_rows=60, n_features=21, n_outputs=2):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features))
    return X, X @ rng.standard_normal((n_features, n_outputs)) + 0.1 * rng.standard_normal(
        (n_rows, n_outputs)
    )


@pytest.mark.parametrize("forgetting", [1.0, 0.97])
def test_factors_and_coefficients_are_those_of_the_covariance_recursion(forgetting):
    X, Y = problem()
    n = X.shape[1]
    linear, covariance = empty_map(n, 2), prior(n, 0.1)
    recursive_least_squares(linear, covariance, X, Y, np.ones(len(X)), (forgetting, 0.1, 0))
    P, coef = reference.covariance_recursion(np.eye(n) / 0.1, np.zeros((2, n)), X, Y, forgetting)
    np.testing.assert_allclose(full(covariance), P, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(linear.coef, coef, rtol=1e-9)


@pytest.mark.parametrize("forgetting", [1.0, 0.97])
def test_coefficients_are_those_of_reservoirpy(forgetting):
    nodes = pytest.importorskip("reservoirpy.nodes")
    X, Y = problem()
    linear, covariance = empty_map(X.shape[1], 2), prior(X.shape[1], 0.1)
    recursive_least_squares(linear, covariance, X, Y, np.ones(len(X)), (forgetting, 0.1, 0))
    peer = nodes.RLS(alpha=0.1, fit_bias=False, forgetting=forgetting)
    peer.partial_fit(X, Y)
    np.testing.assert_allclose(linear.coef, peer.Wout.T, rtol=1e-9)


@pytest.mark.parametrize("normalized", [True, False])
def test_least_mean_squares_is_its_plain_recursion(normalized):
    X, Y = problem()
    w = np.random.default_rng(1).uniform(0, 1, len(X))
    coef, intercept = np.zeros((2, X.shape[1])), np.zeros(2)
    least_mean_squares(coef, intercept, X, Y, w, (0.01, normalized))
    B, c = np.zeros_like(coef), np.zeros(2)
    for x, y, weight in zip(X, Y, w, strict=True):
        step = 0.01 * weight * (y - B @ x - c) / (1 + x @ x if normalized else 1)
        B, c = B + np.outer(step, x), c + step
    np.testing.assert_allclose(coef, B, rtol=1e-10)
    np.testing.assert_allclose(intercept, c, rtol=1e-10)
