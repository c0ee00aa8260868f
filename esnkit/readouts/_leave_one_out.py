"""Exact leave-one-out errors of ridge regression in closed form, for several penalties at once."""

from collections.abc import Iterable
from functools import partial

import numpy as np
from scipy.linalg import eigh

from esnkit.readouts._accumulator import LANE_ROWS, Accumulator, Block
from esnkit.readouts._least_squares import EPS, Moments, Spectrum, centre
from esnkit.utils._threads import one_blas_thread, run_tasks

# Directions left out of the hat values hold at most this many degrees of freedom per row.
LEFT_OUT = 1e-9


def leave_one_out(
    moments: Accumulator, blocks: Iterable[Block], alphas: np.ndarray
) -> tuple[np.ndarray, list[Spectrum]]:
    """Return mean squared leave-one-out errors (n_alphas, n_outputs), and the spectra used.

    The blocks are those that the moments were made of, once more. Where the rows of an output are
    no more than features and one, they are kept, and judged in the dual form, where no digits
    cancel.
    """
    totals = moments.totals()
    scores = np.empty((len(alphas), len(moments.labels())))
    with one_blas_thread():
        spectra = [m.spectrum() for _, m in totals]
        judges: list[_LeftOut | _LeftOutOfFew] = [
            _LeftOutOfFew(m, alphas) if m.n_rows <= len(s.values) + 1 else _LeftOut(m, s, alphas)
            for (_, m), s in zip(totals, spectra, strict=True)
        ]
        for X, Y, w in blocks:
            Y = Y.reshape(len(Y), -1)
            for (outputs, _), judge in zip(totals, judges, strict=True):
                v = np.ones(len(X)) if w is None else w if w.ndim == 1 else w[:, outputs[0]]
                for start in range(0, len(X), 2 * LANE_ROWS):
                    s = slice(start, start + 2 * LANE_ROWS)
                    taught = v[s] > 0
                    judge.add(X[s][taught], Y[s][taught][:, outputs], v[s][taught])
        for (outputs, m), judge in zip(totals, judges, strict=True):
            scores[:, outputs] = judge.sums() / m.weight
    return scores, spectra


class _LeftOut:
    """Leave-one-out errors of rows, for several alphas at once.

    Leaving row i out multiplies its residual by 1 / (1 - h_i), where the hat value h_i is
    w_i (1 / sum(w) + x_i (X'X + alpha I)^-1 x_i') for centred x_i.
    """

    def __init__(self, moments: Moments, spectrum: Spectrum, alphas: np.ndarray):
        filters = np.stack([spectrum.filters(a) for a in alphas], axis=1)  # (n, n_alphas)
        # Directions with next to no degrees of freedom at the smallest alpha cost as much as
        # others and count for nothing; the spectrum of a reservoir often has many.
        freedom = spectrum.values * filters.max(axis=1)
        order = np.argsort(freedom)
        dropped = np.cumsum(freedom[order]) <= LEFT_OUT * moments.n_rows
        kept = np.sort(order[~dropped])
        self.moments = moments
        self.vectors = np.ascontiguousarray(spectrum.vectors[:, kept])
        self.filters = np.ascontiguousarray(filters[kept])
        p = spectrum.cross.shape[1]
        solved = [spectrum.vectors @ (f[:, None] * spectrum.cross) for f in filters.T]
        self.coef = np.concatenate(solved, axis=1)  # (n, n_alphas * p)
        self.total = np.zeros((len(alphas), p))
        self.null = len(filters) * EPS

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Judge rows with weights w > 0."""
        halves = slice(0, len(w) // 2), slice(len(w) // 2, len(w))
        for errors in run_tasks(partial(self._errors, X[s], Y[s], w[s]) for s in halves):
            self.total += errors

    def sums(self) -> np.ndarray:
        """Return sums of weights times squared errors (n_alphas, n_outputs)."""
        return self.total

    def _errors(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> np.ndarray:
        centred = centre(X, self.moments.mean_x)
        Z = centred @ self.vectors
        np.multiply(Z, Z, out=Z)
        left = 1 - w[:, None] * (1 / self.moments.weight + Z @ self.filters)  # (m, n_alphas)
        target = centre(Y, self.moments.mean_y)[:, None, :]
        residual = target - (centred @ self.coef).reshape(len(X), *self.total.shape)
        # a row that decides its own fit alone cannot be foretold from the others
        known = left > self.null
        errors = (residual / np.where(known, left, 1)[:, :, None]) ** 2
        return np.einsum("i,iko->ko", w, np.where(known[:, :, None], errors, np.inf))


class _LeftOutOfFew:
    """The same of all rows at once, where they are no more than the features.

    With S = (XX' + alpha I)^-1 on what is orthogonal to the intercept, and rows scaled by the roots
    of their weights, the error is (S y)_i / S_ii.
    """

    def __init__(self, moments: Moments, alphas: np.ndarray):
        self.moments, self.alphas = moments, alphas
        self.rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Keep rows with weights w > 0."""
        self.rows.append((X, Y, w))

    def sums(self) -> np.ndarray:
        """Return sums of weights times squared errors (n_alphas, n_outputs)."""
        X, Y, w = (np.concatenate(part) for part in zip(*self.rows, strict=True))
        root = np.sqrt(w)[:, None]
        Z = root * centre(X, self.moments.mean_x)
        target = root * centre(Y, self.moments.mean_y)
        K = Z @ Z.T
        # The intercept goes to an eigenvalue of its own, above all others, and is left out.
        aside = 2 * np.trace(K) or 1.0
        values, U = eigh(K + aside / self.moments.weight * (root @ root.T), check_finite=False)
        values, U = values[:-1], U[:, :-1]
        zero = values <= len(K) * EPS * aside
        values[zero] = 0
        # Rounding, which a tiny alpha would make much of, puts rows into directions without any.
        outside = np.einsum("ij,ij->i", U[:, zero], U[:, zero]) <= len(K) * EPS
        U[np.ix_(outside, zero)] = 0
        sums = np.empty((len(self.alphas), target.shape[1]))
        for i, alpha in enumerate(self.alphas):
            S = U / (values + max(alpha, np.finfo(float).tiny))
            own = np.einsum("ij,ij->i", S, U)[:, None]
            errors = (S @ (U.T @ target)) / np.where(own > 0, own, 1)
            sums[i] = np.where(own > 0, errors**2, np.inf).sum(axis=0)
        return sums
