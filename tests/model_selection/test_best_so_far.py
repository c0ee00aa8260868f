"""Progress of searches, with the best score so far."""

import logging
import pickle

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor
from strategy_problems import FOLDS, X, Y

from esnkit import ESNRegressor
from esnkit.model_selection import ReservoirRandomizedSearchCV, ReservoirSearchCV
from esnkit.model_selection._best_so_far import BestSoFar, FitsDone, search_task
from esnkit.utils._progress import Task


def test_the_best_score_stands_beside_the_number_of_candidates():
    task = Task("Search.fit", 4, "candidates")
    told = BestSoFar(task)
    told(-np.inf)
    assert task.unit == "candidates"
    for score in (-2.0, np.nan, -0.5):
        told(score)
    assert task.unit == "candidates, best score -0.5" and task.done == 4


def outcome(place, fold, score):
    return place, fold, {"test_scores": score}


def test_fits_of_jobs_count_and_whole_candidates_are_compared():
    task = Task("Search.fit", 4, "fits")
    told = FitsDone(task, True, 2)
    told([outcome(0, 0, 9.0), outcome(1, 0, 1.0)])
    assert task.unit == "fits" and task.done == 2
    told([outcome(1, 1, 2.0)])
    assert task.unit == "fits, best score 1.5" and task.done == 3
    told = FitsDone(task, "b", 1)
    told([outcome(0, 0, {"a": 5.0, "b": -1.0})])
    assert told.best.best == -1.0
    told = FitsDone(task, False, 1)
    told([outcome(0, 0, {"a": 5.0})])
    assert told.best.best == -np.inf
    elsewhere = pickle.loads(pickle.dumps(told))
    assert elsewhere([outcome(0, 0, 1.0)]) is None


@pytest.mark.parametrize(
    "search",
    [
        ReservoirSearchCV(ESNRegressor(3, random_state=0), {"alpha": [0.1, 1.0]}, cv=FOLDS),
        ReservoirRandomizedSearchCV(
            DecisionTreeRegressor(), {"max_depth": [1, 2, 3, 4]}, search="halving", n_iter=4,
            cv=FOLDS,
        ),
    ],
    ids=["grid", "halving"],
)  # fmt: skip
def test_a_verbose_search_tells_its_end(search, caplog):
    with caplog.at_level(logging.INFO, "esnkit"):
        search.set_params(verbose=1).fit(X, Y)
    name = type(search).__name__
    told = [record.getMessage().startswith(f"{name}.fit done in") for record in caplog.records]
    assert told.count(True) == 1


def test_a_search_within_another_one_has_no_name():
    search = ReservoirSearchCV(ESNRegressor(), {})
    assert search_task(search, 3, "fits").name == "ReservoirSearchCV.fit"
    with search_task(search, 3, "fits"):
        assert search_task(search, 3, "fits").name == ""
