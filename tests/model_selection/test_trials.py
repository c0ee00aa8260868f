"""Candidates in folds and over seeds, against scikit-learn's own tables."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor
from strategy_problems import FOLDS, X, Y, evaluator

from esnkit import Reservoir
from esnkit.model_selection._trials import Evaluated, expect_failures, results_of, seeds_of

CANDIDATES = [{"alpha": 1.0}, {"alpha": 100.0}]
BOTH = {"r2": "r2", "mse": "neg_mean_squared_error"}


@pytest.mark.parametrize("scoring", [None, BOTH], ids=["one", "two"])
def test_one_seed_gives_the_table_of_scikit_learn(scoring):
    search = GridSearchCV(
        Ridge(), {"alpha": [1.0, 100.0]}, cv=FOLDS, scoring=scoring, refit=False,
        return_train_score=True,
    ).fit(X, Y)  # fmt: skip
    items = evaluator(scoring=scoring, return_train_score=True).evaluate(CANDIDATES)
    results = results_of(search, items, 3, {})
    assert list(results) == list(search.cv_results_)
    for key, expected in search.cv_results_.items():
        if "score" in key and "time" not in key:
            np.testing.assert_allclose(results[key], expected, rtol=1e-12, err_msg=key)
    assert items[0].score("r2") == pytest.approx(search.cv_results_["mean_test_" + (
        "r2" if scoring else "score")][0])  # fmt: skip


def test_scores_are_means_over_seeds_with_their_spread():
    tree = DecisionTreeRegressor(max_depth=3, max_features=1)
    seeds = [{"random_state": seed} for seed in (1, 2, 5)]
    items = evaluator(tree, seeds=seeds).evaluate([{"max_depth": 2}, {"max_depth": 4}])
    results = results_of(GridSearchCV(tree, {}), items, 3, {"round": [0, 1]})
    expected = np.array(
        [
            [
                cross_val_score(tree.set_params(max_depth=d, **seed), X, Y, cv=FOLDS)
                for seed in seeds
            ]
            for d in (2, 4)
        ]
    )
    for k in range(3):
        np.testing.assert_allclose(
            results[f"split{k}_test_score"], expected[:, :, k].mean(axis=1), rtol=1e-12
        )
    np.testing.assert_allclose(results["mean_test_score"], expected.mean(axis=(1, 2)))
    spread = expected.mean(axis=2).std(axis=1)
    np.testing.assert_allclose(results["std_seeds_test_score"], spread)
    assert results["params"] == [{"max_depth": 2}, {"max_depth": 4}]
    np.testing.assert_array_equal(results["round"], [0, 1])
    times = sum(fit["fit_time"] for folds in items[0].fits for fit in folds) / 3
    assert results["mean_fit_time"][0] == pytest.approx(times)


def test_folds_that_were_left_out_are_nan_and_rank_last():
    (whole,) = evaluator().evaluate(CANDIDATES[1:])
    (part,) = evaluator().evaluate(CANDIDATES[:1], FOLDS[:1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = results_of(GridSearchCV(Ridge(), {}), [part, whole], 3, {})
    assert np.isnan(results["split1_test_score"][0]) and np.isnan(results["mean_test_score"][0])
    np.testing.assert_array_equal(results["rank_test_score"], [2, 1])
    assert results["mean_fit_time"][0] == pytest.approx(part.fits[0][0]["fit_time"] / 3)
    (part,) = evaluator(scoring=BOTH).evaluate(CANDIDATES[:1], FOLDS[:1])
    results = results_of(GridSearchCV(Ridge(), {}), [part], 3, {})
    assert np.isnan(results["split2_test_mse"][0]) and np.isfinite(results["split0_test_mse"][0])


def test_failures_are_not_told_twice():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with expect_failures():
            warnings.warn("One or more of the test scores are non-finite: [nan]", stacklevel=1)
            assert np.isnan(np.float64(np.inf) - np.inf)


def test_seeds_of_all_parts_come_from_that_of_the_estimator():
    tree = DecisionTreeRegressor(random_state=3)
    assert seeds_of(tree, {"max_depth"}, 1) == [{}]
    seeds = seeds_of(make_pipeline(tree), set(), 3)
    assert [list(seed) for seed in seeds] == [["decisiontreeregressor__random_state"]] * 3
    drawn = [seed["random_state"] for seed in seeds_of(tree, set(), 3)]
    assert drawn == [next(iter(seed.values())) for seed in seeds] and len(set(drawn)) == 3
    given = np.random.RandomState(3)
    assert [
        s["random_state"] for s in seeds_of(tree.set_params(random_state=given), set(), 3)
    ] == drawn
    assert given.randint(9) == np.random.RandomState(3).randint(9)
    with pytest.raises(ValueError, match="n_seeds must be an integer >= 1, got 0"):
        seeds_of(tree, set(), 0)
    with pytest.raises(ValueError, match=r"needs an estimator with a random_state, SVR\(\) has"):
        seeds_of(SVR(), set(), 2)
    with pytest.raises(ValueError, match=r"sets \['random_state'\], which the search tries too"):
        seeds_of(tree, {"random_state"}, 2)


def test_reservoirs_of_a_union_stay_different_with_every_seed():
    both = make_union(Reservoir(5, random_state=0), Reservoir(5, random_state=1))
    for seeds in seeds_of(both, set(), 2):
        first, second = (
            both.set_params(**seeds).fit_transform(X[:20]).reshape(20, 2, 5).swapaxes(0, 1)
        )
        assert not np.allclose(first, second)


def test_one_of_several_scores_is_named():
    item = Evaluated({}, [[{"test_scores": {"a": 1.0, "b": 3.0}}]])
    assert item.score("b") == 3.0
    with pytest.raises(ValueError, match=r"refit must name .* one of \['a', 'b'\], got None"):
        item.score(None)
