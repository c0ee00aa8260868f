"""Jobs of joblib have the settings of the thread that starts them, and leave its filters alone."""

import os
import pickle
import threading
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn import config_context, get_config

from esnkit import ESNEnsembleClassifier, ESNRegressor, ReservoirSearchCV
from esnkit.utils._parallel import WithSettings


def assume_finite():
    return get_config()["assume_finite"]


def filters():
    return list(warnings.filters)


def test_threads_have_the_configuration_of_their_caller():
    with config_context(assume_finite=True):
        call = WithSettings(assume_finite)
        assert Parallel(2, prefer="threads")(delayed(call)() for _ in range(4)) == [True] * 4
    assert not assume_finite()


def test_threads_side_by_side_leave_the_filters_as_they_are():
    """Each of two jobs begins before the other one ends."""
    both = threading.Barrier(2)

    def job(_):
        both.wait()
        found = filters()
        both.wait()
        return found

    before = filters()
    during = Parallel(2, prefer="threads")(delayed(WithSettings(job))(i) for i in range(2))
    assert during == [before, before]
    assert filters() == before


def test_searches_in_threads_leave_the_filters_as_they_are():
    X = np.random.default_rng(0).normal(size=(60, 1))
    grid = {"spectral_radius": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}
    before = warnings.filters, filters()
    for _ in range(10):
        ReservoirSearchCV(ESNRegressor(5, random_state=0), grid, cv=2, n_jobs=2).fit(X, X)
    assert warnings.filters is before[0]
    assert filters() == before[1]


def test_members_in_threads_are_muted_and_leave_the_filters_as_they_are():
    """A member would tell that the best alpha is an end of the default list."""
    X = np.random.default_rng(0).normal(size=(200, 8, 1))
    y = np.arange(200) % 2
    before = warnings.filters
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        during = warnings.filters
        ESNEnsembleClassifier(10, n_jobs=2, random_state=0).fit(X, y)
        assert warnings.filters is during
    assert not [w for w in warned if "alpha" in str(w.message)]
    assert warnings.filters is before


def test_other_processes_have_the_filters_of_their_caller(monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = filters()
        call = pickle.loads(pickle.dumps(WithSettings(filters)))
    before = filters()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert call() == expected != before
    assert filters() == before
