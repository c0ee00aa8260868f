"""Linear dynamical systems, and the joint normal distribution of their states and rows."""

import numpy as np
from scipy.stats import multivariate_normal

from esnkit.baselines._kalman import System

RNG = np.random.default_rng(0)
ROTATION = 0.98 * np.array([[0.95, 0.2], [-0.2, 0.95]])


def random_system(n_states, n_columns):
    def normal(*shape):
        return RNG.standard_normal(shape)

    def positive(n):
        factor = normal(n, n)
        return factor @ factor.T + 0.1 * np.eye(n)

    A = normal(n_states, n_states)
    A *= 0.9 / np.abs(np.linalg.eigvals(A)).max()
    C, d, m = normal(n_columns, n_states), normal(n_columns), normal(n_states)
    return System(A, C, d, positive(n_states), positive(n_columns), m, positive(n_states))


def joint(system, y):
    """Return log-likelihood, and mean (T, n) and covariance (T, n, T, n) of the states given y."""
    A, C, d, Q, R, m, P = system
    n_steps, n = len(y), len(A)
    mean, covariance = np.zeros((n_steps, n)), np.zeros((n_steps, n, n_steps, n))
    mean[0], covariance[0, :, 0] = m, P
    for t in range(1, n_steps):
        mean[t] = A @ mean[t - 1]
        for s in range(t):
            covariance[t, :, s] = A @ covariance[t - 1, :, s]
            covariance[s, :, t] = covariance[t, :, s].T
        covariance[t, :, t] = A @ covariance[t - 1, :, t - 1] @ A.T + Q
    S, big_C = covariance.reshape(n_steps * n, -1), np.kron(np.eye(n_steps), C)
    expected = big_C @ mean.ravel() + np.tile(d, n_steps)
    of_rows = big_C @ S @ big_C.T + np.kron(np.eye(n_steps), R)
    gain = S @ big_C.T @ np.linalg.inv(of_rows)
    posterior = mean.ravel() + gain @ (y.ravel() - expected)
    rest = (S - gain @ big_C @ S).reshape(covariance.shape)
    likelihood = multivariate_normal(expected, of_rows).logpdf(y.ravel())
    return likelihood, posterior.reshape(n_steps, n), rest


TRUE = System(
    ROTATION, 10 * np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([100.0, 0.0, 5.0]),
    0.1 * np.eye(2), 3 * np.eye(3), np.zeros(2), np.eye(2),
)  # fmt: skip
