"""Exact leave-one-out errors of ridge regression in closed form, for several alphas at once."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from esnkit.readouts._accumulator import ROWS_PER_PARTIAL_SUM, Accumulator
from esnkit.readouts._base import Block, Reduce
from esnkit.readouts._dual_inverses import dual_errors, dual_inverses
from esnkit.readouts._dual_ridge import DualRidge
from esnkit.readouts._hat_values import hat_directions
from esnkit.readouts._least_squares import (
    EPS,
    MAX_SQUARE_EXPONENT,
    MIN_EXPONENT,
    SufficientStatistics,
    subtract_mean,
)
from esnkit.utils._threads import interruptible, one_blas_thread, run_tasks

__all__ = ["LeaveOneOut", "dual_leave_one_out", "leave_one_out"]

# Leave-one-out errors of a larger relative rounding error than this are imprecise: the squares have
# fewer than two correct digits.
MAX_ERROR = 5e-3
# Rows that determine their own predictions less than this divided by the rounding of 1 - h lose few
# digits: the errors of a noiseless target are all rounding errors, and none is to blame.
MIN_DOUBT = 1e-8

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # features, targets, weights


class ErrorSums(Protocol):
    """Sums of weighted squared leave-one-out errors over a stream of rows."""

    def start(self) -> Any:
        """Return the part of no rows; parts of different rows can be added."""

    def add(self, part: Any, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Add rows with weights w > 0 to a part."""

    def sums(self, total: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums (n_alphas, n_outputs), and whether each has few correct digits."""


class LeaveOneOut(NamedTuple):
    """Mean squared leave-one-out errors."""

    errors: np.ndarray  # (n_alphas, n_outputs), over 2**exponent
    exponent: int
    is_imprecise: np.ndarray  # (n_alphas,) whether few digits are correct


def leave_one_out(accumulator: Accumulator, reduce: Reduce, alphas: np.ndarray) -> LeaveOneOut:
    """Return the mean squared leave-one-out errors of every alpha.

    The rows must be those that the accumulator was filled with. Outputs that have no more rows
    than features and intercept use the dual form, which keeps all rows and loses no digits.
    """
    totals = accumulator.penalised_totals()
    groups = [statistics for _, statistics in totals]
    target_exponent = _exponent(max(group.largest_target.max(initial=0.0) for group in groups))
    weight_exponent = _exponent(max(group.weight for group in groups))
    distinct, positions = np.unique(alphas, return_inverse=True)
    errors = np.empty((len(distinct), len(accumulator.group_numbers())))
    is_imprecise = np.zeros(len(distinct), bool)
    with one_blas_thread():
        sums = [_error_sums(group, distinct, target_exponent) for group in groups]
        add = partial(_parts_of, sums, [outputs for outputs, _ in totals])
        found = reduce(add, _add_parts)
        for (outputs, statistics), group_sums, part in zip(totals, sums, found, strict=True):
            weight = np.ldexp(statistics.weight, -weight_exponent)
            squares, imprecise = group_sums.sums(part)
            errors[:, outputs] = squares / weight
            is_imprecise |= imprecise.any(axis=1)
            is_imprecise |= statistics.n_heavy_rows == 1 < statistics.n_rows
    exponent = 2 * target_exponent - weight_exponent
    return LeaveOneOut(errors[positions], exponent, is_imprecise[positions])


def _parts_of(
    sums: list[ErrorSums], outputs: list[np.ndarray], blocks: Iterable[Block]
) -> list[Any]:
    """Return the parts of the rows of blocks, one for every group of outputs."""
    parts = [group_sums.start() for group_sums in sums]
    with one_blas_thread():
        for X, Y, w in blocks:
            Y = Y.reshape(len(Y), -1)
            for i, group_sums in enumerate(sums):
                for rows in _rows_with_weight((X, Y, w), outputs[i]):
                    group_sums.add(parts[i], *rows)
    return parts


def _add_parts(first: list[Any], second: list[Any]) -> list[Any]:
    return [a + b for a, b in zip(first, second, strict=True)]


def dual_leave_one_out(dual: DualRidge, alphas: np.ndarray, positions: np.ndarray) -> LeaveOneOut:
    """Return the mean squared errors of alphas[positions] for few standardised rows."""
    found = [squared_errors(*pair) for pair in dual.errors(alphas)]
    errors = np.stack([sums for sums, _ in found]) / dual.weight
    is_imprecise = np.array([flags.any() for _, flags in found])
    return LeaveOneOut(errors[positions], 0, is_imprecise[positions])


def _exponent(size: float) -> int:
    """Return the power of two of a size whose square might be out of range, or 0 for others."""
    exponent = int(np.frexp(size)[1])
    return max(exponent, MIN_EXPONENT) if abs(exponent) > MAX_SQUARE_EXPONENT else 0


def _error_sums(
    statistics: SufficientStatistics, alphas: np.ndarray, target_exponent: int
) -> ErrorSums:
    """Return the sums of squared errors of targets over 2**target_exponent."""
    target_scale = float(np.ldexp(1.0, -target_exponent))
    if statistics.n_rows <= len(statistics.triangle) + 1:
        return DualErrorSums(statistics, alphas, target_scale)
    return HatValueErrorSums(statistics, alphas, target_scale)


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

    def __init__(self, statistics: SufficientStatistics, alphas: np.ndarray, target_scale: float):
        self.statistics, self.target_scale = statistics, target_scale
        scaled = statistics if target_scale == 1 else statistics.scale_targets(target_scale)
        self.directions, coefs = hat_directions(scaled, alphas)
        self.coef = np.concatenate(coefs, axis=1)  # (n_features, n_alphas * n_outputs)
        self.shape = len(alphas), statistics.cross.shape[1]
        self.rounding = len(statistics.triangle) * EPS  # of 1 - h_i, at least

    def start(self) -> np.ndarray:
        """Return sums of squared errors, and of the squares of their rounding errors."""
        return np.zeros((2, *self.shape))

    def add(self, part: np.ndarray, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Add rows with weights w > 0."""
        halves = slice(0, len(w) // 2), slice(len(w) // 2, len(w))
        tasks = [partial(self._sums_of, X[s], Y[s], w[s]) for s in halves]
        work = sum(len(w) * found.directions.size for found in self.directions)
        for sums in interruptible(work, run_tasks, tasks):
            part += sums

    def sums(self, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums (n_alphas, n_outputs), and whether each has few correct digits."""
        squares, rounding = total
        return squares, rounding > MAX_ERROR**2 * squares

    def _sums_of(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> np.ndarray:
        Z, target = _weighted_rows(self.statistics, X, Y, w, self.target_scale)
        n_alphas, n_outputs = self.shape
        remainder = np.empty((len(w), n_alphas))  # 1 - h_i
        rounding = np.empty((len(w), n_alphas))  # of the same
        for alphas, directions, weights, error in self.directions:
            squares = Z @ directions
            np.multiply(squares, squares, out=squares)
            hat = squares @ weights
            remainder[:, alphas] = 1 - (w[:, None] / self.statistics.weight + hat)
            # A row has that share of the error of a direction which it has of the direction.
            rounding[:, alphas] = np.maximum(self.rounding, error * np.minimum(hat[:, :1], 1))
        residual = target[:, None, :] - (Z @ self.coef).reshape(len(w), n_alphas, n_outputs)
        # If 1 - h_i is zero, the row alone determines its fit: the others cannot predict it.
        is_predictable = remainder > self.rounding
        safe = np.where(is_predictable, remainder, 1)
        errors = residual / safe[:, :, None]
        squares = np.where(is_predictable[:, :, None], errors**2, np.inf).sum(axis=0)
        doubt = np.where(is_predictable, rounding / safe, 0)
        if doubt.max(initial=0.0) <= MIN_DOUBT:
            return np.stack([squares, np.zeros_like(squares)])
        doubt = np.where(doubt > MIN_DOUBT, doubt, 0)[:, :, None]
        # Errors of the coefficients along directions of small variance hardly move the residuals:
        # these lose half of the digits that the hat values lose, of targets with their means.
        lost = np.sqrt(EPS / rounding)[:, :, None]
        sizes = np.sqrt(w)[:, None] * np.abs(Y) * self.target_scale
        roundings = doubt * (lost * (sizes[:, None] + np.abs(residual)) + np.abs(errors))
        return np.stack([squares, (roundings**2).sum(axis=0)])


def _weighted_rows(
    statistics: SufficientStatistics,
    X: np.ndarray,
    Y: np.ndarray,
    w: np.ndarray,
    target_scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return centred features and scaled targets times the square roots of the weights."""
    Z, target = statistics.centred(X), subtract_mean(Y, statistics.mean_y)
    if target_scale != 1:
        target *= target_scale
    if (w != 1).any():
        root = np.sqrt(w)[:, None]
        Z *= root
        target *= root
    return Z, target


class DualErrorSums:
    """Leave-one-out errors in the dual form, for no more rows than features.

    With S = (XX' + alpha I)^-1 on the complement of the intercept, and rows scaled by the square
    roots of their weights, the error of row i is (S y)_i / S_ii.
    """

    def __init__(self, statistics: SufficientStatistics, alphas: np.ndarray, target_scale: float):
        self.statistics, self.alphas, self.target_scale = statistics, alphas, target_scale

    def start(self) -> list[Rows]:
        """Return no rows."""
        return []

    def add(self, part: list[Rows], X: np.ndarray, Y: np.ndarray, w: np.ndarray) -> None:
        """Keep rows with weights w > 0."""
        part.append((X, Y, w))

    def sums(self, total: list[Rows]) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums (n_alphas, n_outputs), and whether each has few correct digits."""
        X, Y, w = (np.concatenate(arrays) for arrays in zip(*total, strict=True))
        Z, target = _weighted_rows(self.statistics, X, Y, w, self.target_scale)
        inverses = dual_inverses(Z, np.sqrt(w / self.statistics.weight), self.alphas)
        shape = len(self.alphas), target.shape[1]
        sums, is_imprecise = np.empty(shape), np.zeros(shape, bool)
        for i, half in enumerate(inverses):
            if half is None:
                sums[i], is_imprecise[i] = self._from_hat_values(self.alphas[i], total)
            else:
                sums[i], is_imprecise[i] = squared_errors(*dual_errors(half, target))
        return sums, is_imprecise

    def _from_hat_values(self, alpha: float, total: list[Rows]) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums for one alpha from hat values: dependent rows do not fit themselves."""
        primal = HatValueErrorSums(self.statistics, np.array([alpha]), self.target_scale)
        part = primal.start()
        for rows in total:
            primal.add(part, *rows)
        sums, is_imprecise = primal.sums(part)
        return sums[0], is_imprecise[0]


def squared_errors(errors: np.ndarray, rounding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of squared errors, and whether they are imprecise, from rounding errors."""
    total = (errors**2).sum(axis=0)
    return total, (rounding**2).sum(axis=0) > MAX_ERROR**2 * total
