"""Callbacks of scikit-learn around a search."""

import numpy as np
import pytest
from search_problems import assert_same_results, series
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from esnkit import ESNRegressor, ReservoirSearchCV
from esnkit.model_selection._search_callbacks import SearchCallbacks, evaluation_contexts


class Recorder:
    """A callback that records the tasks of an estimator and of what it fits."""

    max_estimator_depth = None

    def __init__(self):
        self.begun, self.ended, self.metadata = [], [], []

    def setup(self, estimator, context):
        self.begun.append("setup")

    def teardown(self, estimator, context):
        self.ended.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, metadata):
        self.begun.append(f"{type(estimator).__name__.removesuffix('CV')[-6:]} {context.task_name}")
        self.metadata.append(metadata)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(f"{type(estimator).__name__.removesuffix('CV')[-6:]} {context.task_name}")


@pytest.mark.parametrize("refit", [True, False])
def test_callbacks_are_told_of_every_candidate_and_fold(refit):
    pytest.importorskip("sklearn.callback")
    recorders, searches = [], []
    for cls in (ReservoirSearchCV, GridSearchCV):
        recorder = Recorder()
        model, cv = ESNRegressor(8, random_state=0), TimeSeriesSplit(2)
        search = cls(model, {"alpha": [1e-3, 1.0]}, cv=cv, refit=refit)
        search.set_callbacks(recorder)
        searches.append(search.fit(*series(), sample_weight=np.ones(60)))
        recorders.append(recorder)
    ours, theirs = recorders
    assert sorted(ours.begun) == sorted(theirs.begun) and sorted(ours.ended) == sorted(theirs.ended)
    assert len(ours.metadata) == len(theirs.metadata) and "sample_weight" in ours.metadata[0]
    assert_same_results(*searches)


def test_without_callbacks_a_search_proposes_candidates():
    class Search:
        refit = True

        def _run_search(self, evaluate_candidates):
            evaluate_candidates([{}])

    found = []
    callbacks = SearchCallbacks(Search(), {})
    callbacks.run_search(found.append)
    with callbacks.around_refit(None):
        pass
    callbacks.end()
    assert found == [[{}]] and evaluation_contexts(None, 2) == [None, None]
