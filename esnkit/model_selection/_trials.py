"""Evaluation of candidates in folds and over seeds, and the table of their results."""

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from esnkit.utils._seeds import first_seed, seed_names, seeds_of_parts
from esnkit.utils._validation import check_positive_int, check_seed

__all__ = ["Evaluated", "Evaluator", "expect_failures", "results_of", "seeds_of"]

Fold = tuple[np.ndarray, np.ndarray]
KEPT = ("fit_time", "score_time", "test_scores", "train_scores")


class Evaluated(NamedTuple):
    """A candidate, and what each of its fits gave: times and scores."""

    candidate: dict
    fits: list[list[dict]]  # by seed and fold

    def score(self, metric: str | None) -> float:
        """Return the mean test score, of one of several metrics if it is named."""
        scores = [[score_of(fit["test_scores"], metric) for fit in folds] for folds in self.fits]
        return float(np.mean(scores))


def score_of(scores: Any, metric: str | None) -> float:
    """Return the score of a fit, which has one or a dictionary of several, or raise."""
    if not isinstance(scores, dict):
        return float(scores)
    if metric not in scores:
        raise ValueError(
            f"refit must name the score to maximise, one of {list(scores)}, got {metric!r}"
        )
    return float(scores[metric])


class Evaluator:
    """Fits and scores candidates.

    Parameters
    ----------
    make_search : callable
        ``make_search(grid, folds)`` returns a search over a list of dictionaries that does not
        refit, and whose ``fit(X, y, **params)`` leaves what every fit gave in ``fits_``.
    data : tuple
        ``X, y``.
    params : dict
        Further arguments of `fit`.
    folds : list of (train, test)
    seeds : list of dict
        Parameters of the estimator that set its seeds; an empty dictionary changes none.

    Attributes
    ----------
    search_ : fitted search
        The last one.
    outcomes : list of dict
        What all fits so far gave.
    """

    def __init__(
        self,
        make_search: Callable[[list[dict], list[Fold]], Any],
        data: tuple[Any, Any],
        params: dict[str, Any],
        folds: list[Fold],
        seeds: list[dict],
    ):
        self.make_search, self.data, self.params = make_search, data, params
        self.folds, self.seeds = folds, seeds
        self.outcomes: list[dict] = []

    def evaluate(
        self, candidates: Sequence[dict], folds: list[Fold] | None = None
    ) -> list[Evaluated]:
        """Evaluate candidates with every seed, in all folds or those given."""
        folds = self.folds if folds is None else folds
        both = [candidate | seed for candidate in candidates for seed in self.seeds]
        grid = [{name: [value] for name, value in values.items()} for values in both]
        self.search_ = self.make_search(grid, folds).fit(*self.data, **self.params)
        self.outcomes += self.search_.fits_
        kept = [{key: fit[key] for key in KEPT if key in fit} for fit in self.search_.fits_]
        rows = [kept[start : start + len(folds)] for start in range(0, len(kept), len(folds))]
        n_seeds = len(self.seeds)
        return [
            Evaluated(candidate, rows[i * n_seeds : (i + 1) * n_seeds])
            for i, candidate in enumerate(candidates)
        ]


def seeds_of(estimator: Any, searched: set[str], n_seeds: int) -> list[dict]:
    """Return for every repetition the parameters that set its seeds, or raise.

    They are drawn from the first ``random_state`` of the estimator that is not None. ``searched``
    are the names of the parameters that the search tries.
    """
    if check_positive_int("n_seeds", n_seeds) == 1:
        return [{}]
    params = estimator.get_params()
    names = seed_names(params)
    if not names:
        raise ValueError(
            f"n_seeds={n_seeds} needs an estimator with a random_state, {estimator!r} has none"
        )
    if searched & set(names):
        raise ValueError(
            f"n_seeds={n_seeds} sets {sorted(searched & set(names))}, which the search tries too: "
            "leave one of them out"
        )
    seeds = check_seed(copy.deepcopy(first_seed(params))).randint(2**31 - 1, size=n_seeds).tolist()
    return [seeds_of_parts(names, seed) for seed in seeds]


def results_of(search: Any, evaluated: list[Evaluated], n_folds: int, more: dict) -> dict:
    """Return ``cv_results_``: the means over seeds, and the spread of these means.

    Folds in which a candidate was not evaluated are NaN. Times are those of all seeds together.
    """
    candidates = [item.candidate for item in evaluated]
    fits = [fit for item in evaluated for fit in _padded(_over_seeds(item.fits), n_folds)]
    is_pruned = any(len(item.fits[0]) < n_folds for item in evaluated)
    with expect_failures() if is_pruned else nullcontext():
        results = search._format_results(candidates, n_folds, fits, more)
    if len(evaluated[0].fits) > 1:
        metrics = [key.removeprefix("mean_test_") for key in results if key[:10] == "mean_test_"]
        for metric in metrics:
            means = [
                [item._replace(fits=[folds]).score(metric) for folds in item.fits]
                for item in evaluated
            ]
            with np.errstate(invalid="ignore"):  # of infinite scores
                results[f"std_seeds_test_{metric}"] = np.std(means, axis=1)
    return results


@contextmanager
def expect_failures() -> Iterator[None]:
    """Format results with scores that are not finite, without a warning."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.filterwarnings("ignore", message="One or more of the .* scores are non-finite")
        yield


def _over_seeds(fits: list[list[dict]]) -> list[dict]:
    """Return one entry per fold: the sum of the times, and the mean of the scores."""
    return [
        {
            key: sum(fit[key] for fit in same_fold)
            if key.endswith("time")
            else _mean([fit[key] for fit in same_fold])
            for key in same_fold[0]
        }
        for same_fold in zip(*fits, strict=True)
    ]


def _mean(scores: list) -> Any:
    if isinstance(scores[0], dict):
        return {name: np.mean([each[name] for each in scores]) for name in scores[0]}
    return np.mean(scores)


def _padded(fits: list[dict], n_folds: int) -> list[dict]:
    """Return an entry for every fold, with NaN for those not evaluated, which took no time."""
    rest: dict[str, Any] = {}
    for key, value in fits[0].items():
        if key.endswith("time"):
            rest[key] = 0.0
        else:
            rest[key] = dict.fromkeys(value, np.nan) if isinstance(value, dict) else np.nan
    return fits + [rest] * (n_folds - len(fits))
