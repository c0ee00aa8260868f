"""Failures, messages and warnings of the fits of a search are those of scikit-learn's."""

import re
import warnings

import numpy as np
import pytest
from search_problems import assert_same_results, both, series
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from esnkit import ESNRegressor, ReservoirSearchCV
from esnkit.esn import _shared_fits
from esnkit.model_selection._evaluation import _clone, name_scores, report_failures

FOLDS = TimeSeriesSplit(2)
MODEL = ESNRegressor(8, random_state=0)
SOME_FAIL = {"alpha": [-1.0, 1.0, 10.0]}
ALL_FAIL = {"alpha": [-1.0, -2.0]}


def searches(grid, **params):
    params = {"cv": FOLDS, "refit": False} | params
    return [cls(MODEL, grid, **params) for cls in (ReservoirSearchCV, GridSearchCV)]


def caught(function, *args):
    """Return what a call returns, and its warnings without lines of code and traceback."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        result = function(*args)
    return result, [(w.category, str(w.message).split("Traceback")[0]) for w in found]


@pytest.mark.parametrize("scoring", [None, ["r2", "neg_mean_absolute_error"]])
@pytest.mark.parametrize("error_score", [np.nan, -7.5])
def test_failed_fits_have_the_error_score(scoring, error_score):
    ours, theirs = searches(
        SOME_FAIL, scoring=scoring, error_score=error_score, return_train_score=True
    )
    (_, our_warnings), (_, their_warnings) = (caught(s.fit, *series()) for s in (ours, theirs))
    assert our_warnings == their_warnings and our_warnings[0][0] is FitFailedWarning
    assert_same_results(ours, theirs)


def test_scores_of_a_function_are_named_for_failed_fits():
    def scores(model, X, y):
        return {"a": 1.0, "b": float(model.readout_.alpha_)}

    ours, theirs = searches(SOME_FAIL, scoring=scores, error_score=-1.0, return_train_score=True)
    with pytest.warns(FitFailedWarning):
        ours.fit(*series())
    with pytest.warns(FitFailedWarning):
        theirs.fit(*series())
    assert_same_results(ours, theirs)


def test_an_error_is_raised_where_it_is_asked_for():
    for search in searches(SOME_FAIL, error_score="raise"):
        with pytest.raises(ValueError, match="alpha must be finite and not negative, got -1"):
            search.fit(*series())


def test_a_search_whose_fits_all_fail_raises():
    messages = []
    for search in searches(ALL_FAIL):
        with pytest.raises(ValueError, match="All the 4 fits failed") as error:
            search.fit(*series())
        messages.append(re.sub(r'File ".*?", line \d+', "", str(error.value)).split("Traceback"))
    assert messages[0][0] == messages[1][0] and len(messages[0]) == len(messages[1])


@pytest.mark.parametrize("scoring", ["one", "several"])
@pytest.mark.parametrize("error_score", [np.nan, -1.0, "raise"])
def test_scorers_that_fail(scoring, error_score):
    def fails(model, X, y):
        if model.readout_.alpha_ == 10.0:
            raise RuntimeError("no score")
        return 1.0

    params = {
        "scoring": fails if scoring == "one" else {"a": fails, "b": "r2"},
        "error_score": error_score,
    }
    ours, theirs = searches({"alpha": [1.0, 10.0]}, **params)
    if error_score == "raise":
        for search in (ours, theirs):
            with pytest.raises(RuntimeError, match="no score"):
                search.fit(*series())
        return
    (_, our_warnings), (_, their_warnings) = (caught(s.fit, *series()) for s in (ours, theirs))
    assert our_warnings == their_warnings and len(our_warnings) >= 2
    assert_same_results(ours, theirs)


def test_a_function_for_scores_that_fails_has_error_scores_by_their_names():
    def scores(model, X, y):
        if model.alpha == 10.0:
            raise RuntimeError("no score")
        return {"a": 1.0, "b": 2.0}

    search, _ = searches({"alpha": [10.0, 1.0]}, scoring=scores, refit="a", error_score=-1.0)
    with pytest.warns(UserWarning, match="Scoring failed"):
        search.fit(*series())
    found = [search.cv_results_[f"mean_test_{name}"].tolist() for name in "ab"]
    assert found == [[-1.0, 1.0], [-1.0, 2.0]]


@pytest.mark.parametrize("score", ["high", None, np.ones(2)])
def test_what_is_no_score_is_refused(score):
    messages = []
    for search in searches({"alpha": [1.0]}, scoring=lambda model, X, y: score):
        with pytest.raises(ValueError, match="scoring must return a number, got") as error:
            search.fit(*series())
        messages.append(re.sub("0x[0-9a-f]+", "", str(error.value)))
    assert messages[0] == messages[1]


def test_scores_may_be_arrays_of_one_number():
    both(MODEL, {"alpha": [1.0]}, *series(), cv=FOLDS, scoring=lambda m, X, y: np.array(2.0))


@pytest.mark.parametrize("verbose", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("scoring", [None, ["r2", "neg_mean_absolute_error"]])
@pytest.mark.parametrize("return_train_score", [False, True])
def test_messages(verbose, scoring, return_train_score, capsys):
    printed = []
    for search in searches(
        {"alpha": [1.0, 10.0]},
        verbose=verbose, scoring=scoring, return_train_score=return_train_score,
    ):  # fmt: skip
        search.fit(*series())
        text = re.sub(r"time= *\d+\.\ds", "time=", capsys.readouterr().out)
        printed.append(sorted(re.sub(r"\.+", ".", text).splitlines()))
    assert printed[0] == printed[1] and bool(printed[0]) == (verbose > 0)


def test_failures_are_counted():
    outcomes = [{"fit_error": error} for error in ("a", None, "a", "b")]
    with pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 4") as found:
        report_failures(outcomes, 0.5)
    assert "2 fits failed with the following error:\na" in str(found[0].message)
    report_failures([{"fit_error": None}], 0.5)


def test_named_scores_stay_as_they_are():
    outcomes = [{"fit_error": None, "test_scores": 1.0}, {"fit_error": "a", "test_scores": 0.0}]
    name_scores(outcomes)
    assert [o["test_scores"] for o in outcomes] == [1.0, 0.0]


@pytest.mark.parametrize("name", ["pack", "pack_targets"])
def test_rows_are_packed_once_for_all_candidates(name, monkeypatch):
    calls, function = [], getattr(_shared_fits, name)

    def counted(*args, **params):
        calls.append(args)
        return function(*args, **params)

    monkeypatch.setattr(_shared_fits, name, counted)
    ours, theirs = searches({"leak_rate": [0.3, 0.5, 1.0], "alpha": [0.1, 1.0]})
    ours.fit(*series())
    assert len(calls) == 2 * FOLDS.n_splits  # to train, and to test
    assert_same_results(ours, theirs.fit(*series()))


@pytest.mark.parametrize("params", [{}, {"topology_params": {"n_blocks": 2}}])
def test_clones_are_those_of_scikit_learn(params):
    estimator = clone(MODEL).set_params(**params)
    copied, wanted = _clone(estimator), vars(clone(estimator))
    assert type(copied) is ESNRegressor and vars(copied) == wanted
    copied.set_params(alpha=7.0)
    assert vars(estimator) == wanted
    shared = copied.topology_params is estimator.topology_params
    assert not (shared and params), "what may change is copied"
    estimator.n_features_in_ = 3  # as after a fit
    assert vars(_clone(estimator)).keys() == wanted.keys()
