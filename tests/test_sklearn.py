"""The promises of scikit-learn: its own checks, and its tools around every estimator of ours."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Forecaster,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
)

SMALL = [
    Reservoir(12, random_state=0),
    ReservoirRegressor(Reservoir(12)),
    ReservoirClassifier(Reservoir(12)),
    ESNRegressor(12),
    ESNRegressor(12, feedback=True),
    ESNClassifier(12),
    Forecaster(ESNRegressor(12)),
    Forecaster(Ridge(), lags=2),
]
PLAIN = [
    Reservoir(),
    RidgeReadout(),
    ReservoirRegressor(),
    ReservoirClassifier(),
    ESNRegressor(),
    ESNClassifier(),
    Forecaster(),
]
ORDER = {
    "check_methods_sample_order_invariance": "rows are time steps",
    "check_methods_subset_invariance": "rows are time steps",
}


def expected_failures(estimator):
    # A readout has no memory, and a forecaster no method that answers row by row.
    return {} if isinstance(estimator, (RidgeReadout, Forecaster)) else ORDER


@parametrize_with_checks(SMALL + PLAIN, expected_failed_checks=expected_failures)
def test_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "readout", [None, LogisticRegression(), LinearSVC(), VotingClassifier([("a", LinearSVC())])]
)
def test_a_class_that_is_not_taught_keeps_its_place(readout):
    X = np.random.default_rng(0).standard_normal((200, 2))
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.5, 0.5])]
    model = ReservoirClassifier(Reservoir(20, random_state=0), readout)
    model.fit(X, y, sample_weight=y != "a")
    assert model.score(X[y != "a"], y[y != "a"]) > 0.9
    proba = model.predict_proba(X)
    assert proba.shape == (200, 3) and np.allclose(proba.sum(axis=1), 1.0)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))


def test_one_class_left_to_a_classifier_is_refused():
    X, y = np.random.default_rng(0).standard_normal((50, 2)), np.arange(50) % 2
    model = ReservoirClassifier(Reservoir(20), LogisticRegression())
    with pytest.raises(ValueError, match="sample_weight, washout and class_weight leave one class"):
        model.fit(X, y, sample_weight=y)


def test_probabilities_of_a_regressor_that_knows_nothing_are_equal():
    X, y = np.random.default_rng(0).standard_normal((50, 2)), np.arange(50) % 2
    readout = DummyRegressor(strategy="constant", constant=[-1.0, -1.0])
    model = ReservoirClassifier(Reservoir(20), readout).fit(X, y)
    assert np.all(model.predict_proba(X) == 0.5)
