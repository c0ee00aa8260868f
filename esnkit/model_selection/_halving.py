"""Successive halving on the number of rows: many candidates on few rows, the best ones on more."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from esnkit.model_selection._trials import Evaluated, Evaluator, Fold

__all__ = ["evaluate_by_halving", "plan_rounds", "washout_of"]

FACTOR = 3  # of candidates, from one round to the next
MIN_ROWS, MIN_SEQUENCES = 100, 30  # of the first round


class Round(NamedTuple):
    """How many candidates there are in a round, and which share of the training rows."""

    n_candidates: int
    share: float


def evaluate_by_halving(
    evaluator: Evaluator,
    candidates: list[dict],
    plan: list[Round],
    is_series: bool,
    metric: str | None,
    report: Callable[[float], None] = lambda score: None,
) -> tuple[list[Evaluated], dict[str, list]]:
    """Evaluate candidates in rounds; return all evaluations, and their rounds and numbers of rows.

    A round has a third of the candidates before it, the best ones, and three times their training
    rows: of a series the last ones, of several sequences some of all parts.
    """
    evaluated: list[Evaluated] = []
    more: dict[str, list] = {"iter": [], "n_resources": []}
    for k, current in enumerate(plan):
        candidates = best_first(candidates, evaluated, metric)[: current.n_candidates]
        folds = [shortened(fold, current.share, is_series) for fold in evaluator.folds]
        evaluated += evaluator.evaluate(candidates, folds)
        more["iter"] += [k] * len(candidates)
        more["n_resources"] += [max(len(train) for train, _ in folds)] * len(candidates)
        for item in evaluated[-len(candidates) :]:
            report(item.score(metric))
    return evaluated, more


def best_first(
    candidates: list[dict], evaluated: list[Evaluated], metric: str | None
) -> list[dict]:
    """Return candidates by their last scores, the failed ones at the end."""
    last = evaluated[len(evaluated) - len(candidates) :] if evaluated else []
    scores = np.array([item.score(metric) for item in last] or np.zeros(len(candidates)))
    order = np.argsort(np.where(np.isnan(scores), np.inf, -scores), kind="stable")
    return [candidates[i] for i in order]


def plan_rounds(
    evaluator: Evaluator, n_candidates: int, is_series: bool, washout: int
) -> list[Round]:
    """Return the rounds for the training rows of an evaluator."""
    smallest = min(len(train) for train, _ in evaluator.folds)
    return rounds(n_candidates, smallest, MIN_ROWS + 2 * washout if is_series else MIN_SEQUENCES)


def rounds(n_candidates: int, n_rows: int, min_rows: int) -> list[Round]:
    """Return the rounds, of which the last one has all rows and at least two candidates.

    Examples
    --------
    >>> [(k.n_candidates, round(3000 * k.share)) for k in rounds(27, 3000, 100)]
    [(27, 333), (9, 1000), (3, 3000)]
    """
    n_rounds = 1
    while FACTOR**n_rounds < n_candidates and n_rows >= min_rows * FACTOR**n_rounds:
        n_rounds += 1
    counts = [n_candidates]
    for _ in range(n_rounds - 1):
        counts.append(-(-counts[-1] // FACTOR))
    return [Round(n, FACTOR ** (k + 1 - n_rounds)) for k, n in enumerate(counts)]


def shortened(fold: Fold, share: float, is_series: bool) -> Fold:
    """Return a fold with a share of its training rows."""
    train, test = fold
    n = int(np.ceil(share * len(train)))
    if is_series:
        return train[len(train) - n :], test
    return train[np.linspace(0, len(train) - 1, n).round().astype(int)], test


def washout_of(estimator: Any) -> int:
    """Return the largest washout among the parameters of an estimator and of those in it."""
    values = [
        value
        for name, value in estimator.get_params().items()
        if name.split("__")[-1] == "washout" and isinstance(value, int | np.integer)
    ]
    return max(map(int, values), default=0)
