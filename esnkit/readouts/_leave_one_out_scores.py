"""Classification losses of exact leave-one-out scores of ridge regression, for several alphas.

The score of a row, predicted without it, is y - r / (1 - h) with its residual r and hat value h, or
y - (Sy)_i / S_ii in the dual form, which few rows need: there 1 - h is a rounding error.
"""

from collections.abc import Iterable
from functools import cached_property, partial
from operator import add

import numpy as np

from esnkit.readouts._accumulator import ROWS_PER_PARTIAL_SUM, Accumulator
from esnkit.readouts._base import Block, Reduce
from esnkit.readouts._classification_losses import LossSums, sizes_of_scores
from esnkit.readouts._dual_inverses import dual_errors, dual_inverses
from esnkit.readouts._dual_ridge import DualRidge
from esnkit.readouts._hat_values import HatDirections, hat_directions
from esnkit.readouts._least_squares import EPS, SufficientStatistics, subtract_mean
from esnkit.utils._threads import interruptible, one_blas_thread, run_tasks

__all__ = ["classification_losses", "dual_classification_losses"]


def classification_losses(accumulator: Accumulator, reduce: Reduce, alphas: np.ndarray) -> LossSums:
    """Return the losses of distinct, ascending alphas.

    The rows must be those that the accumulator was filled with, their targets class indicators.
    """
    totals = accumulator.penalised_totals()
    with one_blas_thread():
        groups = [ScoreGroup(*total, alphas) for total in totals]
        n_most = max(statistics.n_rows for _, statistics in totals)
        if n_most <= len(totals[0][1].triangle) + 1:
            all_rows = zip(*reduce(_all_rows, add), strict=True)
            return _dual_losses(groups, *map(np.concatenate, all_rows))
        deviations = np.sqrt(sum(group.fitted_squares() for group in groups))
        means = np.concatenate([statistics.mean_y.sum(axis=0) for _, statistics in totals])
        sums = LossSums(sizes_of_scores(deviations, means, n_most), len(means))
        return reduce(partial(_losses_of_blocks, sums, groups), _merged)


def _losses_of_blocks(
    sums: LossSums, groups: list["ScoreGroup"], blocks: Iterable[Block]
) -> LossSums:
    """Return the losses of the rows of blocks, for the alphas and temperatures of empty sums."""
    total = sums.empty()
    with one_blas_thread():
        for block in blocks:
            for rows in _rows_with_weight(block):
                _add_rows(total, groups, rows)
    return total


def _merged(first: LossSums, second: LossSums) -> LossSums:
    total = first.empty()
    total.merge(first)
    total.merge(second)
    return total


def dual_classification_losses(
    dual: DualRidge, Y: np.ndarray, w: np.ndarray, alphas: np.ndarray
) -> LossSums:
    """Return the losses of alphas for the rows of a dual problem."""
    scores = np.empty((len(alphas), *Y.T.shape))
    for i, (errors, _) in enumerate(dual.errors(alphas)):
        scores[i] = _scores(Y, errors / dual.root[:, None]).T
    return _losses_of(scores, Y, w)


def _dual_losses(
    groups: list["ScoreGroup"], X: np.ndarray, Y: np.ndarray, w: np.ndarray
) -> LossSums:
    """Return the losses by the dual form."""
    scores = np.empty((len(groups[0].alphas), *Y.T.shape))
    for group in groups:
        group.write_dual_scores(X, Y, w, scores)
    return _losses_of(scores, Y, w)


class ScoreGroup:
    """Leave-one-out scores of outputs of equal weights."""

    def __init__(self, outputs: np.ndarray, statistics: SufficientStatistics, alphas: np.ndarray):
        self.outputs, self.statistics, self.alphas = outputs, statistics, alphas

    @cached_property
    def solved(self) -> tuple[list[HatDirections], np.ndarray]:
        """Directions of hat values, and coefficients (n_features, n_alphas * n_outputs)."""
        directions, coefs = hat_directions(self.statistics, self.alphas)
        return directions, np.concatenate(coefs, axis=1)

    def fitted_squares(self) -> np.ndarray:
        """Return the mean squares (n_alphas,) of centred predictions, summed over outputs."""
        squares = self.statistics.squares_of(self.solved[1]) / self.statistics.weight
        return squares.reshape(len(self.alphas), -1).sum(axis=1)

    def write_scores(self, X: np.ndarray, Y: np.ndarray, w: np.ndarray, scores: np.ndarray) -> None:
        """Write the scores (n_alphas, n_outputs, n_rows) of the outputs of the group."""
        w = w if w.ndim == 1 else w[:, self.outputs[0]]
        Z = self.statistics.centred(X)
        hat = np.empty((len(Z), len(self.alphas)))
        found, coef = self.solved
        for alphas, directions, weights, _ in found:
            products = Z @ directions
            hat[:, alphas] = np.square(products, out=products) @ weights
        remainder = 1 - w[:, None] * (1 / self.statistics.weight + hat)
        # A row that determines its own prediction alone is one that the others cannot predict.
        remainder[remainder <= Z.shape[1] * EPS] = 0
        predictions = (Z @ coef).reshape(len(Z), len(self.alphas), len(self.outputs))
        target = Y[:, self.outputs]
        residuals = subtract_mean(target, self.statistics.mean_y)[:, None] - predictions
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = residuals / remainder[:, :, None]
        scores[:, self.outputs] = _scores(target[:, None], errors).transpose(1, 2, 0)

    def write_dual_scores(
        self, X: np.ndarray, Y: np.ndarray, w: np.ndarray, scores: np.ndarray
    ) -> None:
        """Write the scores of all rows by the dual form, where it is precise."""
        of_group = w if w.ndim == 1 else w[:, self.outputs[0]]
        is_used = of_group > 0
        if not is_used.all():
            self.write_scores(X, Y, w, scores)
        target, root = Y[is_used][:, self.outputs], np.sqrt(of_group[is_used])[:, None]
        Z = self.statistics.centred(X[is_used]) * root
        weighted = subtract_mean(target, self.statistics.mean_y) * root
        intercept = root[:, 0] / np.sqrt(self.statistics.weight)
        for i, half in enumerate(dual_inverses(Z, intercept, self.alphas)):
            if half is None:
                primal = np.empty_like(scores)
                self.write_scores(X, Y, w, primal)
                scores[i, self.outputs] = primal[i, self.outputs]
            else:
                errors, _ = dual_errors(half, weighted)
                place = np.ix_(self.outputs, np.flatnonzero(is_used))
                scores[i][place] = _scores(target, errors / root).T


def _scores(target: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the scores; where the others cannot predict a row, those of a wrong prediction."""
    return np.where(np.isfinite(errors), target - errors, 1.0 - target)


def _rows_with_weight(block: Block) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the rows that have a weight for any output, in slices of bounded size."""
    X, Y, w = block
    w = np.ones(len(X)) if w is None else np.asarray(w, np.float64)
    for start in range(0, len(X), 2 * ROWS_PER_PARTIAL_SUM):
        rows = slice(start, start + 2 * ROWS_PER_PARTIAL_SUM)
        is_used = w[rows] > 0 if w.ndim == 1 else (w[rows] > 0).any(axis=1)
        if is_used.any():
            yield X[rows][is_used], Y[rows][is_used], w[rows][is_used]


def _all_rows(blocks: Iterable[Block]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return all rows that have a weight."""
    return [rows for block in blocks for rows in _rows_with_weight(block)]


def _add_rows(
    sums: LossSums, groups: list[ScoreGroup], rows: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """Add the losses of rows, in two halves that two threads may compute."""
    m = len(rows[0])
    halves = [slice(0, m // 2), slice(m // 2, m)]
    tasks = [partial(_sums_of, sums.empty(), groups, [a[s] for a in rows]) for s in halves]
    work = sum(m * found.directions.size for group in groups for found in group.solved[0])
    for part in interruptible(work, run_tasks, tasks):
        sums.merge(part)


def _sums_of(sums: LossSums, groups: list[ScoreGroup], rows: list[np.ndarray]) -> LossSums:
    X, Y, w = rows
    scores = np.empty((len(sums.wrong), *Y.T.shape))
    for group in groups:
        group.write_scores(X, Y, w, scores)
    return _with_scores(sums, scores, Y, w)


def _losses_of(scores: np.ndarray, Y: np.ndarray, w: np.ndarray) -> LossSums:
    """Return the sums of scores (n_alphas, n_classes, n_rows) of all rows."""
    sizes = sizes_of_scores(scores.std(axis=2).max(axis=1), scores.mean(axis=2), len(Y))
    sums = LossSums(sizes, Y.shape[1])
    return _with_scores(sums, scores, Y, w)


def _with_scores(sums: LossSums, scores: np.ndarray, Y: np.ndarray, w: np.ndarray) -> LossSums:
    """Add scores (n_alphas, n_classes, n_rows) of rows to the sums, and return these."""
    w = w if w.ndim == 1 else w.mean(axis=1)
    labels = Y.argmax(axis=1)
    sums.add_weights(w)
    sums.add(scores, labels, w)
    return sums
