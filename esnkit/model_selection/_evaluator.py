"""The evaluation of the candidates that a search proposes, in jobs that share work."""

import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone

from esnkit.model_selection._best_so_far import FitsDone, search_task
from esnkit.model_selection._candidates import Candidate, group_candidates, shares_work
from esnkit.model_selection._evaluation import Evaluation, Job, Outcome, evaluate, name_scores
from esnkit.model_selection._folds import Folds, Validation
from esnkit.model_selection._search_callbacks import evaluation_contexts
from esnkit.utils._parallel import WithSettings
from esnkit.utils._threads import threads_beside

__all__ = ["Evaluator"]

FOLDS_SHARE = 0.25  # of the memory, for rows of folds that all jobs use


class Evaluator:
    """Evaluates candidates, as a search of scikit-learn asks for, and gathers the results.

    Parameters
    ----------
    search : estimator
        A search of scikit-learn.
    cv : splitter
    scorer : callable
    data : tuple (X, y)
    routed : Bunch
        Parameters of ``fit``, of the scorer and of the splitter.
    max_bytes : float
        Memory of what jobs share.

    Attributes
    ----------
    results : dict
        ``cv_results_`` of all candidates so far.
    outcomes : list of dict
        Of every candidate, on every fold.
    """

    def __init__(
        self,
        search: Any,
        cv: Any,
        scorer: Any,
        data: tuple[Any, Any],
        routed: Any,
        max_bytes: float,
    ):
        self.search, self.cv, self.scorer, self.data = search, cv, scorer, data
        self.routed, self.max_bytes = routed, max_bytes
        self.estimator = clone(search.estimator)
        prefer = "threads" if shares_work(search.estimator) else None
        self.parallel = Parallel(
            n_jobs=search.n_jobs, pre_dispatch=search.pre_dispatch, prefer=prefer
        )
        self.candidates: list[dict[str, Any]] = []
        self.outcomes: list[Outcome] = []
        self.more: dict[str, list[Any]] = defaultdict(list)
        self.results: dict[str, Any] = {}

    def __call__(
        self,
        candidate_params: Iterable[dict[str, Any]],
        cv: Any = None,
        more_results: dict[str, Any] | None = None,
        callback_ctx: Any = None,
    ) -> dict[str, Any]:
        """Evaluate candidates, and return the results of all so far."""
        candidates, search = list(candidate_params), self.search
        splits = self._splits(cv or self.cv)
        self._announce(len(candidates), len(splits))
        outcomes = self._evaluate(candidates, splits, callback_ctx)
        if not outcomes:
            raise ValueError(
                "No fits were performed. Was the CV iterator empty? Were there no candidates?"
            )
        search._report_failures(outcomes)
        if callable(search.scoring):
            name_scores(outcomes)
        self.candidates += candidates
        self.outcomes += outcomes
        for name, values in (more_results or {}).items():
            self.more[name].extend(values)
        self.results = search._format_results(
            self.candidates, search.n_splits_, self.outcomes, self.more
        )
        return self.results

    def _splits(self, cv: Any) -> list[tuple[Any, Any]]:
        """Return the training and test rows of every fold."""
        splits = list(cv.split(*self.data, **self.routed.splitter.split))
        n_splits = self.search.n_splits_
        if len(splits) != n_splits:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. Expected "
                f"{n_splits} splits, got {len(splits)}"
            )
        return splits

    def _announce(self, n_candidates: int, n_splits: int) -> None:
        if self.search.verbose > 0:
            sys.stdout.write(
                f"Fitting {n_splits} folds for each of {n_candidates} candidates, totalling "
                f"{n_candidates * n_splits} fits\n"
            )

    def _evaluate(
        self, candidates: list[dict[str, Any]], splits: list[tuple[Any, Any]], callback_ctx: Any
    ) -> list[Outcome]:
        """Return the outcomes of every candidate, on every fold."""
        search, n_splits = self.search, len(splits)
        total = len(candidates) * n_splits
        evaluation = Evaluation(
            self.estimator, self.scorer, search.return_train_score, search.error_score,
            search.verbose, len(candidates), None if callback_ctx is None else search,
        )  # fmt: skip
        params = self.routed.estimator.fit, self.routed.scorer.score
        validation = Validation(*self.data, *params, splits)
        folds = Folds(validation, FOLDS_SHARE * self.max_bytes)
        n_jobs = effective_n_jobs(search.n_jobs)
        contexts = evaluation_contexts(callback_ctx, total)
        max_bytes = (1 - FOLDS_SHARE) * self.max_bytes / n_jobs
        jobs = _jobs(self.estimator, candidates, n_splits, n_jobs, contexts)
        # In threads side by side, scikit-learn may leave other warning filters than it found.
        with warnings.catch_warnings(), search_task(search, total, "fits") as task:
            report = FitsDone(task, search.refit, n_splits)
            run = delayed(WithSettings(_evaluate_and_report))
            found = self.parallel(
                run(n_jobs, report, evaluation, folds, job, max_bytes) for job in jobs
            )
        outcomes = {(i, k): outcome for job in found for i, k, outcome in job}
        return [outcomes[i, k] for i in range(len(candidates)) for k in range(n_splits)]


def _evaluate_and_report(
    n_jobs: int,
    report: FitsDone,
    evaluation: Evaluation,
    folds: Folds,
    job: Job,
    max_bytes: float,
) -> list[tuple[int, int, Outcome]]:
    """Evaluate one of several jobs side by side, and tell that it is done."""
    with threads_beside(n_jobs):
        found = evaluate(evaluation, folds, job, max_bytes)
    report(found)
    return found


def _jobs(
    estimator: Any,
    candidates: list[dict[str, Any]],
    n_splits: int,
    n_jobs: int,
    contexts: list[Any],
) -> list[Job]:
    """Return the jobs: groups of candidates on all folds, or on some if groups are few."""
    numbered = [Candidate(i, params) for i, params in enumerate(candidates)]
    groups = group_candidates(estimator, numbered)
    n_parts = max(1, min(-(-n_jobs // max(len(groups), 1)), n_splits))
    edges = [n_splits * part // n_parts for part in range(n_parts + 1)]
    jobs = []
    for group in groups:
        for start, stop in zip(edges[:-1], edges[1:], strict=True):
            of_job = [contexts[c.place * n_splits + k] for k in range(start, stop) for c in group]
            jobs.append(Job(group, range(start, stop), of_job))
    return jobs
