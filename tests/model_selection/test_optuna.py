"""Candidates from Optuna: spaces, pruning, failures, and studies that are continued."""

import builtins

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint, uniform
from strategy_problems import FOLDS, evaluator

from esnkit import ESNRegressor
from esnkit.model_selection._optuna import actual, as_optuna, evaluate_suggestions, make_study

optuna = pytest.importorskip("optuna")
of = optuna.distributions
SPACE = {"alpha": loguniform(1e-3, 1e6), "fit_intercept": [True, False]}


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def new_study(seed=0, **parameters):
    sampler = optuna.samplers.TPESampler(seed=seed)
    return optuna.create_study(direction="maximize", sampler=sampler, **parameters)


def test_distributions_of_scipy_and_lists_are_those_of_optuna():
    assert as_optuna("a", uniform(2, 3)) == of.FloatDistribution(2.0, 5.0)
    assert as_optuna("a", loguniform(1e-3, 10)) == of.FloatDistribution(1e-3, 10.0, log=True)
    assert as_optuna("a", randint(2, 6)) == of.IntDistribution(2, 5)
    assert as_optuna("a", [None, 0.5, "x", True]) == of.CategoricalDistribution(
        [None, 0.5, "x", True]
    )
    given = of.IntDistribution(10, 100, log=True)
    assert as_optuna("a", given) is given
    with pytest.raises(ValueError, match=r"param_distributions\['a'\] must be a list, scipy.stats"):
        as_optuna("a", norm())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.array([]), r"param_distributions\['a'\] must have a value, got array\(\[\]"),
        (randint(5, 5), r"param_distributions\['a'\] must have finite .*, got randint of \(5, 5\)"),
        (loguniform(0, 1), r"finite bounds, the lower one first, got loguniform of \(0, 1\)"),
        (uniform(loc=0, scale=np.inf), "got uniform of {'loc': 0, 'scale': inf}"),
    ],
)
def test_distributions_without_values_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        as_optuna("a", given)


def test_values_that_cannot_be_stored_are_positions():
    matrices = [np.eye(2), np.ones((2, 2))]
    assert as_optuna("W", matrices) == of.CategoricalDistribution([0, 1])
    assert actual(matrices, 1) is matrices[1]
    assert actual([5, 7], 7) == 7 and actual(uniform(), 0.25) == 0.25


def test_suggestions_get_better_and_are_reproducible():
    runs = [evaluate_suggestions(evaluator(), new_study(3), SPACE, 14, None) for _ in range(2)]
    candidates = [[item.candidate for item in run] for run in runs]
    assert candidates[0] == candidates[1]
    scores = np.array([item.score(None) for item in runs[0]])
    assert scores[10:].mean() > scores[:10].mean()
    assert {type(c["fit_intercept"]) for c in candidates[0]} == {bool}


def test_a_pruner_ends_candidates_between_folds():
    class SecondFold(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return trial.number % 2 == 1 and trial.last_step == 1

    study = new_study(pruner=SecondFold())
    found = evaluate_suggestions(evaluator(), study, SPACE, 4, None)
    assert [len(item.fits[0]) for item in found] == [3, 2, 3, 2]
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "PRUNED"] * 2
    whole = evaluator().evaluate([found[0].candidate])[0]
    assert found[0].score(None) == pytest.approx(whole.score(None))
    first, second = list(study.trials[0].intermediate_values.values())[:2]
    scores = [fit["test_scores"] for fit in whole.fits[0]]
    assert first == pytest.approx(scores[0]) and second == pytest.approx(np.mean(scores[:2]))


def test_a_stored_study_is_continued(tmp_path):
    def stored():
        backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
        storage = optuna.storages.JournalStorage(backend)
        return new_study(storage=storage, study_name="s", load_if_exists=True)

    first = evaluate_suggestions(evaluator(), stored(), SPACE, 3, None)
    told = []
    both = evaluate_suggestions(evaluator(), stored(), SPACE, 5, None, told.append)
    assert [item.candidate for item in both[:3]] == [item.candidate for item in first]
    assert [item.score(None) for item in both[:3]] == [item.score(None) for item in first]
    assert len(both) == len(told) == len(stored().trials) == 5
    again = evaluate_suggestions(evaluator(), stored(), SPACE, 2, None)
    assert len(again) == 5  # what is stored stays
    wider = SPACE | {"alpha": loguniform(1e-4, 1e7)}
    assert len(evaluate_suggestions(evaluator(), stored(), wider, 6, None)) == 6


@pytest.mark.parametrize(
    ("space", "others", "message"),
    [
        ({"tol": uniform(0, 1)}, {}, r"parameters \['alpha', 'fit_intercept'\], but .* \['tol'"),
        ({"fit_intercept": [True]}, {}, r"fit_intercept=Cat.*, but the search has Cat.*\(True,\)"),
        ({"alpha": randint(1, 9)}, {}, "alpha=FloatDistribution.*, but the search has Int"),
        ({}, {"seeds": [{}, {}]}, "n_seeds=1, but the search has 2: use another study"),
        ({}, {"folds": FOLDS[:2]}, "n_folds=3, but the search has 2"),
        ({}, {"folds": [*FOLDS, FOLDS[0]]}, "n_folds=3, but the search has 4"),
        ({}, {"return_train_score": True}, "return_train_score=False, but the search has True"),
        ({}, {"scoring": ["r2"]}, r"scoring=\[\], but the search has \['r2'\]"),
    ],
)
@pytest.mark.parametrize("n_iter", [1, 2])  # none or one more
def test_studies_of_other_searches_are_refused(space, others, message, n_iter):
    study = new_study()
    evaluate_suggestions(evaluator(), study, SPACE, 1, None)
    space = space if "tol" in space else SPACE | space
    with pytest.raises(ValueError, match=message):
        evaluate_suggestions(evaluator(**others), study, space, n_iter, None)


def test_a_pruned_trial_may_have_fewer_folds():
    pruner = optuna.pruners.ThresholdPruner(lower=np.inf)  # after every first fold
    study = new_study(pruner=pruner)
    evaluate_suggestions(evaluator(), study, SPACE, 1, None)
    assert len(evaluate_suggestions(evaluator(), study, SPACE, 2, None)) == 2
    with pytest.raises(ValueError, match="n_folds=1, but the search has 0"):
        evaluate_suggestions(evaluator(folds=[]), study, SPACE, 2, None)


def test_candidates_that_fail_end_no_search():
    pruner = optuna.pruners.MedianPruner(n_startup_trials=1)
    study, space = new_study(pruner=pruner), {"alpha": [-1.0, 1.0]}
    failing = evaluator(ESNRegressor(3, random_state=0))
    found = evaluate_suggestions(failing, study, space, 6, None)
    states = {trial.params["alpha"]: trial.state.name for trial in study.trials}
    assert states == {-1.0: "FAIL", 1.0: "COMPLETE"} and len(found) == 6
    errors = [outcome["fit_error"] for outcome in failing.outcomes]
    n_failed = sum(trial.params["alpha"] < 0 for trial in study.trials)
    assert sum(error is not None for error in errors) == 3 * n_failed


def failing_score(estimator, X, y):
    return np.nan if estimator.alpha > 1.0 else -np.inf


def test_scores_that_are_not_finite_are_kept():
    study = new_study()
    space = {"alpha": [0.5, 2.0]}
    found = evaluate_suggestions(evaluator(scoring=failing_score), study, space, 6, None)
    assert len(found) == 6
    for item, trial in zip(found, study.trials, strict=True):
        failed = item.candidate["alpha"] > 1.0
        assert trial.state.name == ("FAIL" if failed else "COMPLETE")
        assert np.isnan(item.score(None)) if failed else item.score(None) == -np.inf


def test_an_error_or_an_interrupt_leaves_no_trial_running():
    def make_search(grid, folds):
        raise KeyboardInterrupt

    broken, study = evaluator(), new_study()
    broken.make_search = make_search
    with pytest.raises(KeyboardInterrupt):
        evaluate_suggestions(broken, study, SPACE, 3, None)
    assert [trial.state.name for trial in study.trials] == ["FAIL"]
    assert len(evaluate_suggestions(evaluator(), study, SPACE, 2, None)) == 2


def test_several_seeds_in_folds():
    from sklearn.tree import DecisionTreeRegressor

    seeds = [{"random_state": seed} for seed in (0, 1)]
    trees = evaluator(DecisionTreeRegressor(), seeds=seeds)
    study = new_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=10))
    (item,) = evaluate_suggestions(trees, study, {"max_depth": randint(1, 4)}, 1, None)
    assert [len(folds) for folds in item.fits] == [3, 3]
    assert item.score(None) == pytest.approx(trees.evaluate([item.candidate])[0].score(None))


def test_the_study_made_is_seeded_and_silent(capfd):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    study = make_study(None, np.random.RandomState(0))
    assert isinstance(study.sampler, optuna.samplers.TPESampler)
    assert capfd.readouterr().err == "" and optuna.logging.get_verbosity() == optuna.logging.INFO


def test_wrong_studies_are_named():
    rng = np.random.RandomState(0)
    with pytest.raises(TypeError, match=r"must be an optuna.Study or None, got 'x': optuna.create"):
        make_study("x", rng)
    with pytest.raises(ValueError, match=r"direction='maximize'.* got \['minimize'\]"):
        make_study(optuna.create_study(), rng)
    with pytest.raises(TypeError, match="param_distributions must be a dictionary"):
        evaluate_suggestions(evaluator(), new_study(), [SPACE], 1, None)


def test_optuna_is_asked_for_by_its_extra(monkeypatch):
    def no_optuna(name, *args, _import=builtins.__import__):
        if name == "optuna":
            raise ImportError(name)
        return _import(name, *args)

    monkeypatch.setattr(builtins, "__import__", no_optuna)
    with pytest.raises(ImportError, match=r"pip install 'esnkit\[optuna\]'"):
        make_study(None, np.random.RandomState(0))
