"""Searches with strategies: what they choose, and that they behave as those of scikit-learn."""

import pickle

import numpy as np
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, RandomizedSearchCV, cross_val_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from strategy_problems import FOLDS, X, Y

from esnkit import ESNRegressor
from esnkit.model_selection import (
    RecycleValidation,
    ReservoirRandomizedSearchCV,
    ReservoirSearchCV,
    nrmse_at,
)

SPACE = {"alpha": loguniform(1e-3, 1e5)}
TREES = {"max_depth": [1, 2, 3, 5]}
BOTH = {"r2": "r2", "mse": "neg_mean_squared_error"}


def small(estimator=None, space=SPACE, **parameters):
    parameters = {"cv": FOLDS, "random_state": 0} | parameters
    estimator = Ridge() if estimator is None else estimator
    return ReservoirRandomizedSearchCV(estimator, space, **parameters)


def test_several_seeds_evaluate_the_same_candidates():
    tree = DecisionTreeRegressor(max_features=1, random_state=7)
    search = small(tree, TREES, n_seeds=3, n_iter=4).fit(X, Y)
    depths = [candidate["max_depth"] for candidate in search.cv_results_["params"]]
    assert sorted(depths) == TREES["max_depth"]
    assert search.best_index_ == np.argmax(search.cv_results_["mean_test_score"])
    assert "param_random_state" not in search.cv_results_
    assert search.best_estimator_.random_state == 7
    again = clone(search).fit(X, Y)
    np.testing.assert_array_equal(
        again.cv_results_["std_seeds_test_score"], search.cv_results_["std_seeds_test_score"]
    )


def test_several_reservoirs_share_their_folds():
    series = np.sin(np.arange(300) / 4)[:, None] + 0.1 * np.random.default_rng(0).normal(
        size=(300, 1)
    )
    data, cv = (series[:-1], series[1:]), RecycleValidation(2, horizon=60)
    scoring = nrmse_at(20, n_windows=3)
    grid = {"alpha": [1e-3, 1.0], "leak_rate": [0.3, 1.0]}
    model = ESNRegressor(20, washout=20, random_state=5)
    search = ReservoirSearchCV(model, grid, cv=cv, scoring=scoring, n_seeds=2).fit(*data)
    results, seeds = search.cv_results_, np.random.RandomState(5).randint(2**31 - 1, size=2)
    for k, params in enumerate(results["params"]):
        scores = [
            cross_val_score(
                clone(model).set_params(random_state=int(seed), **params), *data, cv=cv,
                scoring=scoring,
            ).mean()
            for seed in seeds
        ]  # fmt: skip
        assert results["mean_test_score"][k] == pytest.approx(np.mean(scores), rel=1e-8)
        assert results["std_seeds_test_score"][k] == pytest.approx(np.std(scores), rel=1e-6)
    assert search.best_estimator_.random_state == 5


def test_halving_chooses_among_candidates_seen_on_all_rows():
    search = small(search="halving", n_iter=27, cv=[FOLDS[0]] * 2)
    rows = np.tile(X, (10, 1)), np.tile(Y, 10)
    search.set_params(cv=3).fit(*rows)
    results = search.cv_results_
    np.testing.assert_array_equal(np.bincount(results["iter"]), [27, 9])
    np.testing.assert_array_equal(np.unique(results["n_resources"]), [134, 400])
    last = results["iter"] == 1
    assert last[search.best_index_]
    assert search.best_score_ == results["mean_test_score"][last].max()
    expected = cross_val_score(Ridge(**search.best_params_), *rows, cv=3).mean()
    assert search.best_score_ == pytest.approx(expected)


def test_optuna_reaches_the_best_of_twice_as_many_random_draws():
    pytest.importorskip("optuna")
    search = small(search="optuna", n_iter=15).fit(X, Y)
    many = RandomizedSearchCV(Ridge(), SPACE, n_iter=30, cv=FOLDS, random_state=1).fit(X, Y)
    assert len(search.cv_results_["params"]) == 15
    assert search.best_score_ > many.best_score_ - 0.01
    np.testing.assert_allclose(
        search.predict(X), Ridge(**search.best_params_).fit(X, Y).predict(X), rtol=1e-12
    )


@pytest.mark.parametrize("strategy", ["halving", "optuna"])
def test_several_scores_and_other_choices(strategy):
    if strategy == "optuna":
        pytest.importorskip("optuna")
    search = small(search=strategy, n_iter=6, scoring=BOTH, refit="mse", return_train_score=True)
    search.fit(X, Y)
    assert search.multimetric_ and set(search.scorer_) == set(BOTH)
    assert search.best_score_ == search.cv_results_["mean_test_mse"].max()
    assert np.isfinite(search.cv_results_["mean_train_r2"]).all()
    assert search.n_splits_ == 3 and search.refit_time_ >= 0 and search.n_features_in_ == 4
    single = small(search=strategy, n_iter=6, refit=lambda results: 2).fit(X, Y)
    assert single.best_index_ == 2 and not hasattr(single, "best_score_")
    assert single.best_params_ == single.cv_results_["params"][2]
    none = small(search=strategy, n_iter=6, refit=False).fit(X, Y)
    assert none.best_params_ and not hasattr(none, "best_estimator_")
    with pytest.raises(ValueError, match="refit must return the index of a candidate"):
        small(search=strategy, n_iter=6, refit=lambda results: 6).fit(X, Y)
    with pytest.raises(ValueError, match="refit must name the score to maximise"):
        small(search=strategy, n_iter=6, scoring=BOTH, refit=False).fit(X, Y)


def first_row(estimator, X, y):
    return {"r2": estimator.score(X, y), "first": float(estimator.predict(X)[0])}


@pytest.mark.parametrize("strategy", ["random", "halving", "optuna"])
@pytest.mark.parametrize("scoring", ["r2", first_row])
def test_candidates_that_fail_have_the_error_score(strategy, scoring):
    if strategy == "optuna":
        pytest.importorskip("optuna")
    model, tried = ESNRegressor(3, random_state=0), {"alpha": [-1.0, 1.0, -2.0, 2.0]}
    params = {"search": strategy, "n_iter": 4, "n_seeds": 2, "return_train_score": True}
    search = small(model, tried, scoring=scoring, refit="r2", **params)
    with pytest.warns() as found:
        search.fit(X, Y)
    failed = np.array([params["alpha"] < 0 for params in search.cv_results_["params"]])
    score = search.cv_results_[f"mean_test_{'score' if scoring == 'r2' else 'r2'}"]
    np.testing.assert_array_equal(np.isnan(score), failed)
    (told,) = [w.message for w in found if w.category is FitFailedWarning]
    assert f"{6 * failed.sum()} fits failed out of a total of 24" in str(told)
    with pytest.raises(ValueError, match="All the .* fits failed"):
        small(model, {"alpha": [-1.0, -2.0]}, **params | {"n_iter": 2}).fit(X, Y)


def test_a_halving_search_takes_masks_and_ends_in_its_last_round():
    rows, labels = np.tile(X, (10, 1)), np.tile(Y, 10)
    is_train = np.arange(600) < 500
    params = {"search": "halving", "n_iter": 9}
    numbers = np.flatnonzero(is_train), np.flatnonzero(~is_train)
    by_masks = small(cv=[(is_train, ~is_train)], **params).fit(rows, labels)
    by_numbers = small(cv=[numbers], **params).fit(rows, labels)
    assert by_masks.cv_results_["mean_test_score"].tolist() == (
        by_numbers.cv_results_["mean_test_score"].tolist()
    )
    diverging = small(cv=[numbers], scoring=lambda *_: -np.inf, refit=False, **params)
    with pytest.warns(UserWarning, match="test scores are non-finite"), np.errstate(all="ignore"):
        diverging.fit(rows, labels)
    assert diverging.cv_results_["iter"][diverging.best_index_] == 1


@pytest.mark.parametrize("strategy", ["random", "halving"])
def test_several_scores_need_the_name_of_one_before_the_first_fit(strategy):
    fits = []

    class Counted(DecisionTreeRegressor):
        def fit(self, X, y):
            fits.append(len(X))
            return super().fit(X, y)

    search = small(Counted(), TREES, search=strategy, n_iter=3, n_seeds=2)
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        search.set_params(scoring=BOTH).fit(X, Y)
    assert not fits
    with pytest.raises(ValueError, match="cv must have at least one fold, got none"):
        search.set_params(scoring=None, cv=[]).fit(X, Y)


def test_searches_with_a_study_are_cloned_and_pickled():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    search = small(search="optuna", n_iter=2, study=study).fit(X, Y)
    assert len(study.trials) == 2
    other = clone(search).set_params(n_iter=3).fit(X, Y)
    assert len(other.study.trials) == 3 and len(study.trials) == 2
    loaded = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))


def test_without_parameters_there_is_one_candidate():
    search = ReservoirSearchCV(ESNRegressor(3), {}, n_seeds=2, cv=FOLDS).fit(X, Y)
    assert search.cv_results_["params"] == [{}] and search.best_params_ == {}


def test_groups_weights_and_classifiers():
    labels, groups = Y > 0, np.arange(60) // 10
    tree, weights = DecisionTreeClassifier(max_depth=2), np.linspace(0, 1, 60)
    search = small(tree, TREES, n_seeds=2, n_iter=4, cv=GroupKFold(3))
    search.fit(X, labels, groups=groups, sample_weight=weights)
    assert search.n_splits_ == 3 and list(search.classes_) == [False, True]
    stratified = small(tree, TREES, n_seeds=2, n_iter=4, cv=2).fit(X, labels)
    assert stratified.n_splits_ == 2
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(tree).set_fit_request(sample_weight=True)
        routed = clone(search).set_params(estimator=asking.set_score_request(sample_weight=False))
        routed.fit(X, labels, groups=groups, sample_weight=weights)
    assert routed.best_params_.keys() == search.best_params_.keys()


class Names:
    """A callback that records the names of tasks."""

    max_estimator_depth = None

    def __init__(self):
        self.names = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.names.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.names.append(context.task_name)


def test_callbacks_are_told_of_the_search_and_of_the_refit():
    pytest.importorskip("sklearn.callback")
    callback = Names()
    search = small(ESNRegressor(3), {"alpha": [1.0, 2.0]}, n_seeds=2, n_iter=2)
    search.set_callbacks(callback).fit(X, Y)
    assert callback.names[0] == callback.names[-1] == "fit"
    assert callback.names.count("refit-with-best-params") == 2


def test_wrong_strategies_are_named():
    with pytest.raises(ValueError, match="search must be one of .*'random', 'halving', 'optuna'"):
        small(search="tpe").fit(X, Y)
    with pytest.raises(ValueError, match="study must be None with search='halving', got 1"):
        small(search="halving", study=1).fit(X, Y)
    with pytest.raises(ValueError, match="n_seeds must be an integer >= 1, got 0"):
        small(n_seeds=0).fit(X, Y)
