"""Eigenvalues of linear recurrent units by exponents, which keep them inside the unit circle.

Of the exponents nu, theta and gamma of a complex state, an eigenvalue l and a factor s are

    l = exp(-exp(nu) + i exp(theta)),   s = exp(gamma)

so that |l| < 1 whatever training does. Initially s = sqrt(1 - |l|^2): inputs without memory of
their own then give states of the same variance for every l.
"""

import numpy as np

__all__ = [
    "EXPONENTS",
    "eigenvalue_gradient",
    "eigenvalue_tangent",
    "eigenvalues",
    "initial_exponents",
]

EXPONENTS = ("nu", "theta", "gamma")


def eigenvalues(exponents: np.ndarray) -> np.ndarray:
    """Return Re l, Im l and s as rows, given nu, theta and gamma as rows (3, n)."""
    nu, theta, gamma = np.exp(exponents)
    modulus = np.exp(-nu)
    return np.stack([modulus * np.cos(theta), modulus * np.sin(theta), gamma])


def eigenvalue_tangent(exponents: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return how the rows of :func:`eigenvalues` move where the exponents move."""
    nu, theta, _ = np.exp(exponents)
    re, im, s = eigenvalues(exponents)
    # d l = l (-nu d nu + i theta d theta), with the derivatives by the exponents
    shrink, turn = -nu * direction[0], theta * direction[1]
    return np.stack([re * shrink - im * turn, im * shrink + re * turn, s * direction[2]])


def eigenvalue_gradient(exponents: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the gradient by the exponents, given that by the rows of :func:`eigenvalues`."""
    nu, theta, _ = np.exp(exponents)
    re, im, s = eigenvalues(exponents)
    d_re, d_im, d_s = gradient
    return np.stack([-nu * (re * d_re + im * d_im), theta * (re * d_im - im * d_re), s * d_s])


def initial_exponents(
    rng: np.random.Generator, log_scales: np.ndarray, longest: float
) -> np.ndarray:
    """Return exponents (3, n) for moduli exp(-1 / T) and phases 2 pi / P, given the n log(T).

    P is log-uniform from 2 to ``longest`` time steps.
    """
    nu, shortest = -log_scales, 2.0
    log_periods = rng.uniform(np.log(shortest), np.log(max(longest, shortest)), nu.size)
    theta = np.log(2 * np.pi) - log_periods
    gamma = 0.5 * np.log(-np.expm1(-2 * np.exp(nu)))
    return np.stack([nu, theta, gamma])
