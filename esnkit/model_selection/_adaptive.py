"""Searches whose candidates depend on the scores before, or are repeated with several seeds."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.utils import check_random_state

from esnkit.model_selection._best_so_far import BestSoFar, search_task
from esnkit.model_selection._evaluation import name_scores
from esnkit.model_selection._halving import evaluate_by_halving, plan_rounds, washout_of
from esnkit.model_selection._optuna import evaluate_suggestions, make_study
from esnkit.model_selection._trials import Evaluated, Evaluator, results_of, seeds_of
from esnkit.sequences._packing import is_ragged
from esnkit.utils._frames import ndim_of
from esnkit.utils._validation import check_choice, check_positive_int

__all__ = ["SEARCHES", "is_adaptive", "search_adaptively"]

SEARCHES = ("random", "halving", "optuna")


def is_adaptive(search: Any) -> bool:
    """Check strategy and seeds of a search, and tell whether they need more than one evaluation."""
    strategy, study = getattr(search, "search", "random"), getattr(search, "study", None)
    check_choice("search", strategy, SEARCHES)
    if study is not None and strategy != "optuna":
        raise ValueError(
            f"study must be None with search={strategy!r}, got {study!r}: it is for search='optuna'"
        )
    return strategy != "random" or check_positive_int("n_seeds", search.n_seeds) > 1


def search_adaptively(
    search: Any, data: tuple[Any, Any], params: dict, routed: Any, make_search: Callable
) -> None:
    """Evaluate candidates by another strategy than independent draws, or with several seeds.

    All results are stored in the search.

    Parameters
    ----------
    search : GridSearchCV with a parameter ``n_seeds``, or RandomizedSearchCV with ``search``, \
            ``study`` and ``n_seeds``
    data : tuple
        ``X, y``.
    params : dict
        Further arguments of ``fit``.
    routed : Bunch
        These, by the methods that take them.
    make_search : callable
        See :class:`Evaluator`.
    """
    cv = check_cv(search.cv, data[1], classifier=is_classifier(search.estimator))
    scorer, _ = search._get_scorers()  # which checks `refit`
    folds = [(_numbers(train), test) for train, test in cv.split(*data, **routed.splitter.split)]
    if not folds:
        raise ValueError("cv must have at least one fold, got none: was the CV iterator empty?")
    seeds = seeds_of(search.estimator, _searched(search), search.n_seeds)
    rest = {name: value for name, value in params.items() if name not in routed.splitter.split}
    evaluator = Evaluator(make_search, data, rest, folds, seeds)
    evaluated, more = _evaluate(search, evaluator)
    search._report_failures(evaluator.outcomes)
    name_scores([fit for item in evaluated for folds in item.fits for fit in folds])
    search.scorer_ = getattr(scorer, "_scorers", scorer)
    scores = evaluated[0].fits[0][0]["test_scores"]
    search.multimetric_ = isinstance(scores, dict)
    if search.multimetric_:
        search._check_refit_for_multimetric(scores)
    search.n_splits_ = len(folds)
    search.cv_results_ = results_of(search, evaluated, len(folds), more)
    _choose(search)


def _numbers(rows: Any) -> np.ndarray:
    """Return the numbers of rows, which a splitter may give as a mask."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _searched(search: Any) -> set[str]:
    """Return the names of the parameters that a search tries."""
    has_grid = hasattr(search, "param_grid")
    listed = search.param_grid if has_grid else search.param_distributions
    dictionaries = [listed] if isinstance(listed, dict) else listed
    return {name for each in dictionaries for name in each}


def _evaluate(search: Any, evaluator: Evaluator) -> tuple[list[Evaluated], dict]:
    """Evaluate the candidates of a strategy; return all evaluations, and more columns."""
    if hasattr(search, "param_grid"):
        return _evaluate_all(search, evaluator, list(ParameterGrid(search.param_grid))), {}
    rng = check_random_state(search.random_state)
    metric = search.refit if isinstance(search.refit, str) else None
    n_iter, distributions = search.n_iter, search.param_distributions
    if search.search == "optuna":
        study = make_study(search.study, rng)
        with search_task(search, n_iter, "candidates") as task:
            report = BestSoFar(task)
            found = evaluate_suggestions(evaluator, study, distributions, n_iter, metric, report)
            return found, {}
    candidates = list(ParameterSampler(distributions, n_iter, random_state=rng))
    if search.search == "random":
        return _evaluate_all(search, evaluator, candidates), {}
    is_series = not (is_ragged(evaluator.data[0]) or ndim_of(evaluator.data[0]) == 3)
    plan = plan_rounds(evaluator, len(candidates), is_series, washout_of(search.estimator))
    total = sum(each.n_candidates for each in plan)
    with search_task(search, total, "evaluations") as task:
        report = BestSoFar(task)
        return evaluate_by_halving(evaluator, candidates, plan, is_series, metric, report)


def _evaluate_all(search: Any, evaluator: Evaluator, candidates: list[dict]) -> list[Evaluated]:
    """Evaluate candidates at once."""
    with search_task(search, 1, "phases"):
        return evaluator.evaluate(candidates)


def _choose(search: Any) -> None:
    """Set the best candidate: of a halving search, of those evaluated on all rows."""
    refit, results = search.refit, search.cv_results_
    if not refit and search.multimetric_:
        return
    if callable(refit):
        index = refit(results)
        n_candidates = len(results["params"])
        if not isinstance(index, int | np.integer) or not 0 <= index < n_candidates:
            raise ValueError(
                "refit must return the index of a candidate, an integer from 0 to "
                f"{n_candidates - 1}, got {index!r}"
            )
        search.best_index_ = int(index)
    else:
        metric = refit if search.multimetric_ else "score"
        scores = results[f"mean_test_{metric}"]
        rounds = results.get("iter", np.zeros(len(scores)))
        last = np.flatnonzero(rounds == rounds.max())
        order = np.where(np.isnan(scores), -np.inf, scores)
        search.best_index_ = int(last[np.argmax(order[last])])
        search.best_score_ = scores[search.best_index_]
    search.best_params_ = results["params"][search.best_index_]
