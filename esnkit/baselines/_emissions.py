"""Emission distributions of hidden Markov models: one density of the rows per hidden state."""

from typing import NamedTuple, Self

import numpy as np
from scipy.linalg import solve_triangular

from esnkit.utils._plain_state import plain_record

__all__ = ["Categorical", "Gaussian"]


@plain_record
class Gaussian(NamedTuple):
    """A normal distribution per state."""

    means: np.ndarray  # (n_states, n_features)
    covariances: np.ndarray  # (n_states, n_features, n_features)

    @classmethod
    def fit(cls, rows: np.ndarray, weights: np.ndarray, floor: np.ndarray) -> Self:
        """Return the distributions of most likelihood for weighted rows (maximisation step).

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
        weights : ndarray of shape (n_rows, n_states)
        floor : ndarray of shape (n_features,)
            Added to the variances.
        """
        totals = np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
        means = weights.T @ rows / totals[:, None]
        covariances = np.empty((len(means), rows.shape[1], rows.shape[1]))
        for state, mean in enumerate(means):
            centred = rows - mean
            covariances[state] = (weights[:, state] * centred.T) @ centred / totals[state]
        return cls(means, covariances + np.diag(floor))

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """Return the logarithms of the densities (n_rows, n_states)."""
        out = np.empty((len(rows), len(self.means)))
        for state, (mean, covariance) in enumerate(zip(*self, strict=True)):
            L = np.linalg.cholesky(covariance)
            white = solve_triangular(L, (rows - mean).T, lower=True)
            normaliser = rows.shape[1] * np.log(2 * np.pi) / 2 + np.log(np.diag(L)).sum()
            with np.errstate(over="ignore"):  # a density of zero
                out[:, state] = -0.5 * (white**2).sum(axis=0) - normaliser
        return out

    def sample(self, states: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Draw a row per state of a path."""
        factors = np.linalg.cholesky(self.covariances)
        noise = rng.standard_normal((len(states), self.means.shape[1]))
        return self.means[states] + np.einsum("tij,tj->ti", factors[states], noise)

    def expected(self, probabilities: np.ndarray) -> np.ndarray:
        """Return expected rows under probabilities of the states (n_steps, n_states)."""
        return probabilities @ self.means


@plain_record
class Categorical(NamedTuple):
    """Probabilities of the symbols 0, 1, ... per state."""

    probabilities: np.ndarray  # (n_states, n_symbols)

    @classmethod
    def fit(cls, symbols: np.ndarray, weights: np.ndarray, n_symbols: int) -> Self:
        """Return the distributions of most likelihood for weighted symbols (n_rows,)."""
        counts = np.stack([np.bincount(symbols, column, n_symbols) for column in weights.T])
        totals = counts.sum(axis=1, keepdims=True)
        # A state that no row belongs to keeps no count: all symbols are equally likely in it.
        shares = counts / np.where(totals > 0, totals, 1.0)
        return cls(np.where(totals > 0, shares, 1 / n_symbols))

    def log_density(self, symbols: np.ndarray) -> np.ndarray:
        """Return the logarithms of the probabilities (n_rows, n_states)."""
        with np.errstate(divide="ignore"):
            return np.log(self.probabilities)[:, symbols].T.copy()

    def sample(self, states: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Draw a symbol per state of a path, as rows (n_steps, 1)."""
        edges = np.cumsum(self.probabilities, axis=1)[states]
        draws = rng.random_sample((len(states), 1)) * edges[:, -1:]
        return (edges <= draws).sum(axis=1)[:, None]

    def expected(self, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities of the symbols under those of the states (n_steps, n_states)."""
        return probabilities @ self.probabilities
