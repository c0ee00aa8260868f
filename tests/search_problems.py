"""Searches of esnkit beside those of scikit-learn, for several test files."""

import numpy as np
from sklearn.model_selection import GridSearchCV

from esnkit import ReservoirSearchCV

TIMES = {"mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"}


def series(n_rows=60, n_features=1):
    """Return inputs, and a target that needs memory."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n_rows, n_features))
    return X, np.convolve(X[:, 0], [0.2, 0.5, 0.3])[:n_rows]


def sequences(n=12, n_features=1):
    """Return ragged sequences of three kinds."""
    rng = np.random.default_rng(1)
    kinds = np.arange(n) % 3
    X = [
        np.sin(np.arange(8 + i % 5)[:, None] / (1 + k) + rng.uniform(0, 6, n_features))
        for i, k in enumerate(kinds)
    ]
    return X, kinds


def assert_same_results(search, reference):
    """Compare everything that a search finds, but for times."""
    got, wanted = search.cv_results_, reference.cv_results_
    assert list(got) == list(wanted)
    assert got["params"] == wanted["params"]
    for name in wanted.keys() - TIMES - {"params"}:
        assert type(got[name]) is type(wanted[name]) and got[name].dtype == wanted[name].dtype
        if wanted[name].dtype.kind in "if":
            np.testing.assert_allclose(got[name], wanted[name], rtol=1e-8, atol=1e-8)
        else:
            np.testing.assert_array_equal(got[name], wanted[name])
    assert all(np.shape(got[name]) == np.shape(wanted[name]) for name in TIMES)
    for name in ("best_index_", "best_params_", "multimetric_", "n_splits_"):
        assert getattr(search, name, None) == getattr(reference, name, None)


def both(estimator, grid, X, y, fit_params=None, **params):
    """Return a search of ours and one of scikit-learn, both fitted and found to be equal."""
    ours = ReservoirSearchCV(estimator, grid, **params)
    params = {name: v for name, v in params.items() if name not in ("max_memory", "n_jobs")}
    theirs = GridSearchCV(estimator, grid, **params)
    for search in (theirs, ours):
        search.fit(X, y, **(fit_params or {}))
    assert_same_results(ours, theirs)
    return ours, theirs
