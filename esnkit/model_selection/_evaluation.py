"""Fits and scores of candidates on folds, by the rules of scikit-learn's searches."""

import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Number
from traceback import format_exc
from typing import Any, NamedTuple

from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import FitFailedWarning

from esnkit.esn._shared_fits import SHARED_IN_FOLD, packed_rows
from esnkit.model_selection._candidates import Candidate
from esnkit.model_selection._folds import Fold, Folds
from esnkit.utils._sharing import SharedWork, is_immutable, share_work

__all__ = ["Evaluation", "Job", "evaluate", "name_scores", "report_failures"]

Outcome = dict[str, Any]  # of a fit: its scores, times and error


class Evaluation(NamedTuple):
    """How every candidate is evaluated."""

    estimator: Any
    scorer: Any
    return_train_score: bool
    error_score: Any
    verbose: int
    n_candidates: int
    search: Any  # for callbacks, None without any


class Job(NamedTuple):
    """Candidates whose fits share work, and the folds that they are evaluated on."""

    group: list[Candidate]
    folds: range
    contexts: list[Any]  # what callbacks are told of: for every fold, every candidate


def evaluate(
    evaluation: Evaluation, folds: Folds, job: Job, max_bytes: float
) -> list[tuple[int, int, Outcome]]:
    """Return the place of every candidate, the number of the fold, and the outcome."""
    work, contexts, outcomes = SharedWork(max_bytes), iter(job.contexts), []
    with share_work(work):
        for k in job.folds:
            fold = folds[k]
            work.results[:0] = fold.packed
            for candidate in job.group:
                split, context = (k, len(folds)), next(contexts)
                outcome = _fit_and_score(evaluation, candidate, fold, context, split)
                outcomes.append((candidate.place, k, outcome))
                work.trim()
            train, test = (packed_rows(work, *rows[:2]) for rows in (fold.train, fold.test))
            fold.packed[:] = train + test
            if not folds.have_same_training_rows(k, k + 1):
                work.forget(*SHARED_IN_FOLD)
    return outcomes


def _fit_and_score(
    evaluation: Evaluation, candidate: Candidate, fold: Fold, context: Any, split: tuple[int, int]
) -> Outcome:
    """Fit a candidate to the training rows of a fold, and score it on the test rows."""
    estimator = _clone(evaluation.estimator).set_params(**clone(candidate.params, safe=False))
    if not type(estimator).__module__.startswith("esnkit."):  # a scaler with copy=False, say
        fold = fold.copied()
    message = _Message(evaluation, candidate, split)
    message.begin()
    train, start = fold.train, time.time()
    try:
        with _callbacks(context, evaluation.search, estimator, fold):
            estimator.fit(*train.data(), **train.fit_params)
    except Exception:
        if evaluation.error_score == "raise":
            raise
        outcome = _failure(evaluation, time.time() - start)
    else:
        outcome = _score_fitted(evaluation, estimator, fold, start)
    message.end(outcome)
    return outcome


def _clone(estimator: Any) -> Any:
    """Return a clone, by its attributes if these are parameters that cannot change.

    For a clone, scikit-learn asks for every parameter, and copies each value.
    """
    attributes = vars(estimator)
    is_plain = isinstance(estimator, BaseEstimator) and all(map(is_immutable, attributes.values()))
    if not is_plain or attributes.keys() != estimator.get_params(deep=False).keys():
        return clone(estimator)
    copied: Any = object.__new__(type(estimator))
    vars(copied).update(attributes)
    return copied


def _score_fitted(evaluation: Evaluation, estimator: Any, fold: Fold, start: float) -> Outcome:
    """Return the scores and times of an estimator that was fitted since a start."""
    fit_time = time.time() - start
    outcome = {"fit_error": None, "fit_time": fit_time}
    outcome["test_scores"] = _score(evaluation, estimator, fold.test)
    outcome["score_time"] = time.time() - start - fit_time
    if evaluation.return_train_score:
        outcome["train_scores"] = _score(evaluation, estimator, fold.train)
    return outcome


def _failure(evaluation: Evaluation, fit_time: float) -> Outcome:
    """Return the outcome of a fit that raised the current exception."""
    scores = evaluation.error_score
    names = _names(evaluation.scorer)
    if names:
        scores = dict.fromkeys(names, scores)
    outcome = {"fit_error": format_exc(), "fit_time": fit_time, "score_time": 0.0}
    outcome["test_scores"] = scores
    if evaluation.return_train_score:
        outcome["train_scores"] = scores.copy() if names else scores
    return outcome


def _names(scorer: Any) -> list[str]:
    """Return the names of several scorers, an empty list for a single one."""
    return list(getattr(scorer, "_scorers", ()))


def _score(evaluation: Evaluation, estimator: Any, rows: Any) -> Any:
    """Return the score, or the scores by name, with the error score where a scorer failed."""
    scorer, error_score = evaluation.scorer, evaluation.error_score
    try:
        scores = scorer(estimator, *rows.data(), **rows.score_params)
    except Exception:
        if _names(scorer) or error_score == "raise":
            raise
        _warn_of_scorer(error_score, format_exc())
        scores = error_score
    if not isinstance(scores, dict):
        return _as_number(scores, scorer)
    if _names(scorer):  # it returns the traceback of a scorer that failed
        for name, message in scores.items():
            if isinstance(message, str):
                scores[name] = error_score
                _warn_of_scorer(error_score, message)
    return {name: _as_number(score, name) for name, score in scores.items()}


def _warn_of_scorer(error_score: Any, details: str) -> None:
    warnings.warn(
        "Scoring failed. The score on this train-test partition for these parameters will be set "
        f"to {error_score}. Details: \n{details}",
        UserWarning,
        stacklevel=2,
    )


def _as_number(score: Any, scorer: Any) -> Any:
    """Return a score, or raise if it is no number."""
    if hasattr(score, "item"):
        try:
            score = score.item()
        except ValueError:
            pass
    if not isinstance(score, Number):
        raise ValueError(
            f"scoring must return a number, got {score} ({type(score)}) instead. (scorer={scorer})"
        )
    return score


@contextmanager
def _callbacks(context: Any, search: Any, estimator: Any, fold: Fold) -> Iterator[None]:
    """Tell the callbacks of a search of the fit inside the block."""
    if context is None:
        yield
        return
    weights = fold.train.fit_params.get("sample_weight")
    metadata = None if weights is None else {"sample_weight": weights}
    data = {"X": fold.train.X, "y": fold.train.y, "metadata": metadata}
    try:
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(estimator=search, **data)
            yield
    finally:
        context.call_on_fit_task_end(estimator=search, **data)


class _Message(NamedTuple):
    """What a verbose search writes to the standard output about a fit."""

    evaluation: Evaluation
    candidate: Candidate
    split: tuple[int, int]

    def begin(self) -> None:
        """Write that the fit begins."""
        if self.evaluation.verbose > 9:
            text = f"{self._head('START')} {self._params()}"
            sys.stdout.write(text + "." * (80 - len(text)) + "\n")

    def end(self, outcome: Outcome) -> None:
        """Write the scores and the time."""
        verbose = self.evaluation.verbose
        if verbose < 2:
            return
        text = self._params()
        result = f"{text};" if text else ""
        if verbose > 2:
            result += self._scores(outcome)
        total = outcome["fit_time"] + outcome["score_time"]
        result += f" total time={_short_time(total)}"
        head = f"{self._head('END')} "
        sys.stdout.write(head + "." * (80 - len(head) - len(result)) + result + "\n")

    def _head(self, word: str) -> str:
        progress = ""
        if self.evaluation.verbose > 2:
            progress = f" {self.split[0] + 1}/{self.split[1]}"
            if self.evaluation.verbose > 9:
                place = self.candidate.place + 1
                progress += f"; {place}/{self.evaluation.n_candidates}"
        return f"[CV{progress}] {word}"

    def _params(self) -> str:
        params = self.candidate.params
        return ", ".join(f"{name}={params[name]}" for name in sorted(params))

    def _scores(self, outcome: Outcome) -> str:
        test, train = outcome["test_scores"], outcome.get("train_scores")
        if isinstance(test, dict):
            trained = {} if train is None else train
            return "".join(
                f" {name}: {_both(test[name], trained.get(name))}" for name in sorted(test)
            )
        return f", score={test:.3f}" if train is None else f", score={_both(test, train)}"


def _both(test: float, train: float | None) -> str:
    """Write the scores on the training rows, if there is one, and on the test rows."""
    return f"({'' if train is None else f'train={train:.3f}, '}test={test:.3f})"


def _short_time(seconds: float) -> str:
    """Write a duration as joblib does."""
    return f"{seconds / 60:4.1f}min" if seconds > 60 else f" {seconds:5.1f}s"


def report_failures(outcomes: list[Outcome], error_score: Any) -> None:
    """Warn of fits that failed, or raise if all did."""
    errors = Counter(o["fit_error"] for o in outcomes if o["fit_error"] is not None)
    n_failed, n_fits = sum(errors.values()), len(outcomes)
    if not n_failed:
        return
    delimiter = "-" * 80 + "\n"
    summary = "Below are more details about the failures:\n" + "\n".join(
        f"{delimiter}{n} fits failed with the following error:\n{error}"
        for error, n in errors.items()
    )
    if n_failed == n_fits:
        raise ValueError(
            f"\nAll the {n_fits} fits failed.\nIt is very likely that your model is "
            "misconfigured.\nYou can try to debug the error by setting error_score='raise'.\n\n"
            + summary
        )
    warnings.warn(
        f"\n{n_failed} fits failed out of a total of {n_fits}.\nThe score on these train-test "
        f"partitions for these parameters will be set to {error_score}.\nIf these failures are "
        "not expected, you can try to debug them by setting error_score='raise'.\n\n" + summary,
        FitFailedWarning,
        stacklevel=2,
    )


def name_scores(outcomes: list[Outcome]) -> None:
    """Name the error scores of fits as a function for scores names the scores of others."""
    found = [o["test_scores"] for o in outcomes if isinstance(o["test_scores"], dict)]
    for outcome in outcomes if found else []:
        for kind in {"test_scores", "train_scores"} & outcome.keys():
            if not isinstance(outcome[kind], dict):
                outcome[kind] = dict.fromkeys(found[0], outcome[kind])
