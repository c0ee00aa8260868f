"""Exact leave-one-out errors of ridge regression in closed form, for several alphas at once."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Protocol

import numpy as np
from scipy.linalg import eigh

from esnkit.readouts._accumulator import ROWS_PER_PARTIAL_SUM, Accumulator
from esnkit.readouts._base import Block
from esnkit.readouts._least_squares import (
    EPS,
    RidgeSpectrum,
    SufficientStatistics,
    subtract_mean,
)
from esnkit.utils._threads import one_blas_thread, run_tasks

__all__ = ["leave_one_out"]

# The eigenvectors left out of the hat values have at most this many degrees of freedom per row.
MAX_DROPPED_FREEDOM_PER_ROW = 1e-9


class ErrorSums(Protocol):
    """Sums of weighted squared leave-one-out errors over a stream of rows."""

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Add rows with weights w > 0."""

    def sums(self) -> np.ndarray:
        """Return the sums (n_alphas, n_outputs)."""


def leave_one_out(
    accumulator: Accumulator, blocks: Iterable[Block], alphas: np.ndarray
) -> tuple[np.ndarray, list[RidgeSpectrum]]:
    """Return mean squared leave-one-out errors (n_alphas, n_outputs), and the spectra.

    The blocks must be those that the accumulator was filled with. Outputs that have no more rows
    than features and intercept use the dual form, which keeps all rows and loses no digits.
    """
    totals = accumulator.totals()
    scores = np.empty((len(alphas), len(accumulator.group_numbers())))
    with one_blas_thread():
        spectra = [statistics.spectrum() for _, statistics in totals]
        errors = [
            _error_sums(statistics, spectrum, alphas)
            for (_, statistics), spectrum in zip(totals, spectra, strict=True)
        ]
        for X, Y, w in blocks:
            Y = Y.reshape(len(Y), -1)
            for (outputs, _), group_errors in zip(totals, errors, strict=True):
                for rows in _rows_with_weight((X, Y, w), outputs):
                    group_errors.add(*rows)
        for (outputs, statistics), group_errors in zip(totals, errors, strict=True):
            scores[:, outputs] = group_errors.sums() / statistics.weight
    return scores, spectra


def _error_sums(
    statistics: SufficientStatistics, spectrum: RidgeSpectrum, alphas: np.ndarray
) -> ErrorSums:
    if statistics.n_rows <= len(spectrum.eigenvalues) + 1:
        return DualErrorSums(statistics, alphas)
    return HatValueErrorSums(statistics, spectrum, alphas)


def _rows_with_weight(
    block: Block, outputs: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the rows of positive weight for a group of outputs, in slices of bounded size."""
    X, Y, w = block
    w = np.ones(len(X)) if w is None else w if w.ndim == 1 else w[:, outputs[0]]
    for start in range(0, len(X), 2 * ROWS_PER_PARTIAL_SUM):
        rows = slice(start, start + 2 * ROWS_PER_PARTIAL_SUM)
        has_weight = w[rows] > 0
        yield X[rows][has_weight], Y[rows][has_weight][:, outputs], w[rows][has_weight]


class HatValueErrorSums:
    """Leave-one-out errors from the residuals and hat values of one fit on all rows.

    Without row i, its residual is r_i / (1 - h_i), with the hat value
    h_i = w_i (1 / sum(w) + x_i (X'X + alpha I)^-1 x_i') of the centred x_i (Golub et al. 1979).
    """

    def __init__(
        self, statistics: SufficientStatistics, spectrum: RidgeSpectrum, alphas: np.ndarray
    ):
        inverses = np.stack([spectrum.inverse(alpha) for alpha in alphas], axis=1)
        kept = _eigenvectors_that_count(spectrum.eigenvalues, inverses, statistics.n_rows)
        self.statistics = statistics
        self.eigenvectors = np.ascontiguousarray(spectrum.eigenvectors[:, kept])
        self.inverses = np.ascontiguousarray(inverses[kept])  # (n_kept, n_alphas)
        n_outputs = spectrum.cross.shape[1]
        solved = [
            spectrum.eigenvectors @ (inverse[:, None] * spectrum.cross) for inverse in inverses.T
        ]
        self.coef = np.concatenate(solved, axis=1)  # (n_features, n_alphas * n_outputs)
        self.total = np.zeros((len(alphas), n_outputs))
        self.rounding = len(inverses) * EPS  # of 1 - h_i

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Add rows with weights w > 0."""
        halves = slice(0, len(w) // 2), slice(len(w) // 2, len(w))
        for sums in run_tasks(partial(self._sums_of, X[s], Y[s], w[s]) for s in halves):
            self.total += sums

    def sums(self) -> np.ndarray:
        """Return the sums (n_alphas, n_outputs)."""
        return self.total

    def _sums_of(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> np.ndarray:
        centred = subtract_mean(X, self.statistics.mean_x)
        Z = centred @ self.eigenvectors
        np.multiply(Z, Z, out=Z)
        remainder = 1 - w[:, None] * (1 / self.statistics.weight + Z @ self.inverses)  # 1 - h_i
        target = subtract_mean(Y, self.statistics.mean_y)[:, None, :]
        residual = target - (centred @ self.coef).reshape(len(X), *self.total.shape)
        # If 1 - h_i is zero, the row alone determines its fit: the others cannot predict it.
        is_predictable = remainder > self.rounding
        errors = (residual / np.where(is_predictable, remainder, 1)[:, :, None]) ** 2
        return np.einsum("i,iko->ko", w, np.where(is_predictable[:, :, None], errors, np.inf))


def _eigenvectors_that_count(
    eigenvalues: np.ndarray, inverses: np.ndarray, n_rows: int
) -> np.ndarray:
    """Return the eigenvectors without those of next to no degrees of freedom, l / (l + alpha).

    They cost as much as the others and change nothing; the spectrum of reservoir states often has
    many.
    """
    freedom = eigenvalues * inverses.max(axis=1)  # of the smallest alpha
    order = np.argsort(freedom)
    is_dropped = np.cumsum(freedom[order]) <= MAX_DROPPED_FREEDOM_PER_ROW * n_rows
    return np.sort(order[~is_dropped])


class DualErrorSums:
    """Leave-one-out errors in the dual form, for no more rows than features.

    With S = (XX' + alpha I)^-1 on the complement of the intercept, and rows scaled by the square
    roots of their weights, the error of row i is (S y)_i / S_ii.
    """

    def __init__(self, statistics: SufficientStatistics, alphas: np.ndarray):
        self.statistics, self.alphas = statistics, alphas
        self.rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Keep rows with weights w > 0."""
        self.rows.append((X, Y, w))

    def sums(self) -> np.ndarray:
        """Return the sums (n_alphas, n_outputs)."""
        X, Y, w = (np.concatenate(arrays) for arrays in zip(*self.rows, strict=True))
        root = np.sqrt(w)[:, None]
        Z = root * subtract_mean(X, self.statistics.mean_x)
        target = root * subtract_mean(Y, self.statistics.mean_y)
        eigenvalues, U = self._complement_of_intercept(Z @ Z.T, root)
        sums = np.empty((len(self.alphas), target.shape[1]))
        for i, alpha in enumerate(self.alphas):
            S = U / (eigenvalues + max(alpha, np.finfo(float).tiny))  # without U' on the right
            diagonal = np.einsum("ij,ij->i", S, U)[:, None]
            errors = (S @ (U.T @ target)) / np.where(diagonal > 0, diagonal, 1)
            sums[i] = np.where(diagonal > 0, errors**2, np.inf).sum(axis=0)
        return sums

    def _complement_of_intercept(
        self, K: np.ndarray, root: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the eigenvalues and eigenvectors of K = XX' that are orthogonal to the intercept.

        A multiple of the intercept's direction is added to K, so that its eigenvalue is the largest
        one and can be removed.
        """
        shift = 2 * np.trace(K) or 1.0
        eigenvalues, U = eigh(
            K + shift / self.statistics.weight * (root @ root.T), check_finite=False
        )
        eigenvalues, U = eigenvalues[:-1], U[:, :-1]
        is_null = eigenvalues <= len(K) * EPS * shift
        eigenvalues[is_null] = 0
        # A row without a component in the null space has one by rounding, which a tiny alpha would
        # amplify: set it to zero.
        is_outside = np.einsum("ij,ij->i", U[:, is_null], U[:, is_null]) <= len(K) * EPS
        U[np.ix_(is_outside, is_null)] = 0
        return eigenvalues, U
