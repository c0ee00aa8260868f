"""Candidates that Optuna suggests: tree-structured Parzen estimators, pruning, stored studies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from esnkit.model_selection._trials import Evaluated, Evaluator

__all__ = ["evaluate_suggestions", "make_study"]

FITS = "esnkit_fits"  # user attribute of a trial: what its fits gave


def import_optuna() -> Any:
    """Import Optuna, or raise with the way to install it."""
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "search='optuna' needs optuna, which is not installed: pip install 'esnkit[optuna]'"
        ) from error
    return optuna


def make_study(study: Any, rng: Any) -> Any:
    """Check the study given, or make one in memory whose seed is drawn."""
    optuna = import_optuna()
    if study is None:
        sampler = optuna.samplers.TPESampler(seed=int(rng.randint(2**31 - 1)))
        pruner = optuna.pruners.NopPruner()
        with _quiet(optuna):
            return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    if not isinstance(study, optuna.Study):
        raise TypeError(
            "study must be an optuna.Study or None, got "
            f"{study!r}: optuna.create_study(direction='maximize') makes one"
        )
    if study.directions != [optuna.study.StudyDirection.MAXIMIZE]:
        raise ValueError(
            "study must have direction='maximize', as scores are, got "
            f"{[direction.name.lower() for direction in study.directions]}"
        )
    return study


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Keep Optuna from telling on standard error of a study that the user does not know."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def evaluate_suggestions(
    evaluator: Evaluator,
    study: Any,
    distributions: dict[str, Any],
    n_iter: int,
    metric: str | None,
    report: Callable[[float], None] = lambda score: None,
) -> list[Evaluated]:
    """Evaluate candidates of a study until it has ``n_iter`` of them; return them all.

    Trials of an earlier search with the same study count. With a pruner, the folds are evaluated
    one after the other, and a candidate ends with the fold in which it is pruned.
    """
    if not isinstance(distributions, dict):
        raise TypeError(
            "param_distributions must be a dictionary with search='optuna', got "
            f"{type(distributions).__name__}"
        )
    optuna = import_optuna()
    space = {name: as_optuna(name, given) for name, given in distributions.items()}
    stored = [trial for trial in study.trials if FITS in trial.user_attrs]
    _check_stored(stored, space, evaluator)
    evaluated = [_restored(trial, distributions) for trial in stored]
    prunes = len(evaluator.folds) > 1 and not isinstance(study.pruner, optuna.pruners.NopPruner)
    for item in evaluated:
        report(item.score(metric))
    while len(evaluated) < n_iter:
        trial = study.ask(space)
        candidate = {name: actual(distributions[name], v) for name, v in trial.params.items()}
        try:
            item, is_pruned = _evaluate(evaluator, candidate, trial if prunes else None, metric)
        except BaseException:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            raise
        trial.set_user_attr(FITS, _as_plain(item.fits))
        _tell(study, trial, item.score(metric), is_pruned)
        evaluated.append(item)
        report(item.score(metric))
    return evaluated


def _evaluate(evaluator, candidate, trial, metric) -> tuple[Evaluated, bool]:
    """Evaluate one candidate in all folds, or one after the other until the trial is pruned."""
    if trial is None:
        return evaluator.evaluate([candidate])[0], False
    item = Evaluated(candidate, [[] for _ in evaluator.seeds])
    for k, fold in enumerate(evaluator.folds):
        (new,) = evaluator.evaluate([candidate], [fold])
        for fits, more in zip(item.fits, new.fits, strict=True):
            fits.extend(more)
        score = item.score(metric)
        if not np.isnan(score):  # pruners may warn of NaN
            trial.report(score, k)
        if k + 1 < len(evaluator.folds) and trial.should_prune():
            return item, True
    return item, False


def _tell(study: Any, trial: Any, score: float, is_pruned: bool) -> None:
    states = import_optuna().trial.TrialState
    if is_pruned:
        study.tell(trial, state=states.PRUNED)
    elif np.isnan(score):
        study.tell(trial, state=states.FAIL)
    else:
        study.tell(trial, score)


def _as_plain(fits: list[list[dict]]) -> list[list[dict]]:
    """Return times and scores as floats, which a storage can write."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return float(value)

    return [[plain(fit) for fit in folds] for folds in fits]


def _restored(trial: Any, distributions: dict[str, Any]) -> Evaluated:
    """Return a candidate that an earlier search has evaluated."""
    candidate = {name: actual(distributions[name], v) for name, v in trial.params.items()}
    return Evaluated(candidate, trial.user_attrs[FITS])


def _check_stored(trials: list[Any], space: dict[str, Any], evaluator: Evaluator) -> None:
    """Raise if trials have other parameters, or were evaluated otherwise than the search does."""
    for trial in trials:
        if set(trial.params) != set(space):
            raise ValueError(
                f"study has trials with the parameters {sorted(trial.params)}, but the search "
                f"tries {sorted(space)}: use another study"
            )
        for name, (found, wanted) in _compared(trial, space, evaluator).items():
            if found != wanted:
                raise ValueError(
                    f"study has trials with {name}={found}, but the search has {wanted}: use "
                    "another study"
                )


def _compared(
    trial: Any, space: dict[str, Any], evaluator: Evaluator
) -> dict[str, tuple[Any, Any]]:
    """Return pairs of what a trial and the search have, which must be equal."""
    search, fits = evaluator.make_search([], evaluator.folds), trial.user_attrs[FITS]
    n_folds, first = len(evaluator.folds), fits[0][0]
    if trial.state.name == "PRUNED":
        n_folds = min(n_folds, len(fits[0]))
    pairs: dict[str, tuple[Any, Any]] = {
        "n_seeds": (len(fits), len(evaluator.seeds)),
        "n_folds": (len(fits[0]), n_folds),
        "return_train_score": ("train_scores" in first, bool(search.return_train_score)),
    }
    if not callable(search.scoring):  # or the names of scores may be any
        scores = first["test_scores"]
        names = sorted(getattr(search._get_scorers()[0], "_scorers", ()))
        pairs["scoring"] = sorted(scores) if isinstance(scores, dict) else [], names
    for name, wanted in space.items():
        found = trial.distributions[name]
        if type(found) is not type(wanted) or hasattr(wanted, "choices"):  # a range may be another
            pairs[name] = found, wanted
    return pairs


def as_optuna(name: str, given: Any) -> Any:
    """Return what Optuna samples from, for a list or a distribution of SciPy or Optuna."""
    of = import_optuna().distributions
    if isinstance(given, of.BaseDistribution):
        return given
    if is_list(given):
        if len(given) == 0:
            raise ValueError(f"param_distributions[{name!r}] must have a value, got {given!r}")
        return of.CategoricalDistribution(_choices(given))
    kind = getattr(getattr(given, "dist", None), "name", None)
    if kind in ("uniform", "loguniform", "reciprocal", "randint"):
        with np.errstate(invalid="ignore"):
            low, high = given.support()
        if not (np.isfinite([low, high]).all() and low <= high):  # of bounds that SciPy refuses
            raise ValueError(
                f"param_distributions[{name!r}] must have finite bounds, the lower one first, got "
                f"{kind} of {given.args or given.kwds}"
            )
        if kind == "randint":
            return of.IntDistribution(int(low), int(high))
        return of.FloatDistribution(float(low), float(high), log=kind != "uniform")
    raise ValueError(
        f"param_distributions[{name!r}] must be a list, scipy.stats.uniform, loguniform or "
        f"randint, or a distribution of Optuna, for search='optuna', got {given!r}"
    )


def is_list(given: Any) -> bool:
    """Return whether a parameter has a list of values."""
    return isinstance(given, list | tuple | np.ndarray)


def _choices(values: Any) -> list:
    """Return values that Optuna can store: those of a list, or their positions."""
    return list(values) if _are_simple(values) else list(range(len(values)))


def _are_simple(values: Any) -> bool:
    return all(value is None or type(value) in (bool, int, float, str) for value in values)


def actual(given: Any, value: Any) -> Any:
    """Return the value of a parameter for what Optuna suggests: of a list, maybe its position."""
    return given[value] if is_list(given) and not _are_simple(given) else value
