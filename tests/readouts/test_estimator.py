"""scikit-learn estimators as readouts: regressors, classifiers, weights, scores."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from esnkit.readouts import RidgeReadout
from esnkit.readouts._estimator import EstimatorReadout, as_readout, estimator_of

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 3))
Y = X @ rng.standard_normal((3, 2))
CLASSES = np.array(["a", "b", "c"])
CODES = np.digitize(X[:, 0], [-0.5, 0.5])
INDICATORS = np.eye(3)[CODES]


def fit(estimator, y, weights=None, classes=None, n_blocks=1):
    """Fit to blocks whose features are overwritten after use."""

    def make_blocks():
        for rows in np.array_split(np.arange(len(X)), n_blocks):
            block = X[rows].copy()
            yield block, y[rows], None if weights is None else weights[rows]
            block[:] = np.nan

    return EstimatorReadout(clone(estimator), classes).fit_blocks(make_blocks, n_rows=len(X))


def test_a_readout_is_not_wrapped_and_other_estimators_are():
    readout, ridge = RidgeReadout(), Ridge()
    assert as_readout(readout) is readout and estimator_of(readout) is readout
    assert estimator_of(as_readout(ridge)) is ridge


@pytest.mark.parametrize("n_blocks", [1, 7])
def test_a_regressor_is_fitted_to_all_rows(n_blocks):
    assert_allclose(fit(Ridge(), Y, n_blocks=n_blocks).predict(X), Ridge().fit(X, Y).predict(X))


def test_a_regressor_of_one_output_is_fitted_once_per_output():
    predictions = fit(SVR(), Y).predict(X)
    assert_allclose(predictions[:, 1], SVR().fit(X, Y[:, 1]).predict(X))


@pytest.mark.parametrize("n_blocks", [1, 4])
def test_weights_reach_the_estimator_and_zeros_remove_rows(n_blocks):
    weights = np.arange(60.0) % 4
    expected = Ridge().fit(X, Y, weights).predict(X)
    corrupted = np.where(weights[:, None] > 0, Y, 1e6)
    assert_allclose(fit(Ridge(), corrupted, weights, n_blocks=n_blocks).predict(X), expected)


def test_an_estimator_without_weights_accepts_equal_ones():
    weights = 2.0 * (np.arange(60) % 3 > 0)
    kept = weights > 0
    expected = KNeighborsRegressor().fit(X[kept], Y[kept]).predict(X)
    assert_allclose(fit(KNeighborsRegressor(), Y, weights).predict(X), expected)
    with pytest.raises(ValueError, match="KNeighborsRegressor takes no weights"):
        fit(KNeighborsRegressor(), Y, weights + np.arange(60))


def test_weights_per_output_need_the_ridge_readout():
    with pytest.raises(ValueError, match="weights per output need the ridge readout"):
        fit(Ridge(), Y, np.ones((60, 2)))


def test_partial_fit_learns_what_the_estimator_learns():
    ours, theirs = EstimatorReadout(SGDRegressor(random_state=0)), SGDRegressor(random_state=0)
    for rows in np.array_split(np.arange(60), 3):
        ours.partial_fit(X[rows], Y[rows, :1])
        theirs.partial_fit(X[rows], Y[rows, 0])
    ours.partial_fit(X, Y[:, :1], np.zeros(60))  # no row has weight
    assert_allclose(ours.predict(X), theirs.predict(X))


def test_partial_fit_of_a_classifier_knows_all_classes():
    ours = EstimatorReadout(GaussianNB(), CLASSES)
    first = CODES < 2
    ours.partial_fit(X[first], INDICATORS[first]).partial_fit(X[~first], INDICATORS[~first])
    expected = GaussianNB().fit(X, CLASSES[CODES]).predict_proba(X)
    assert_allclose(ours.scores(X), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    "classifier", [LogisticRegression(), LinearSVC(), SVC(), RidgeClassifier()]
)
def test_predictions_of_a_classifier_are_indicators_of_its_labels(classifier):
    indicators = fit(classifier, INDICATORS, classes=CLASSES).predict(X)
    expected = clone(classifier).fit(X, CLASSES[CODES]).predict(X)
    assert np.array_equal(CLASSES[indicators.argmax(axis=1)], expected)
    assert np.array_equal(indicators.sum(axis=1), np.ones(60))


def test_scores_are_probabilities_if_the_classifier_has_them():
    readout = fit(LogisticRegression(), INDICATORS, classes=CLASSES)
    expected = LogisticRegression().fit(X, CLASSES[CODES]).predict_proba(X)
    assert_allclose(readout.scores(X), expected)
    assert not readout.scores_are_unbounded


def test_scores_are_decision_values_otherwise():
    readout = fit(LinearSVC(), INDICATORS, classes=CLASSES)
    expected = LinearSVC().fit(X, CLASSES[CODES]).decision_function(X)
    assert_allclose(readout.scores(X), expected)
    assert readout.scores_are_unbounded


def test_one_decision_value_becomes_the_scores_of_two_classes():
    two = np.eye(2)[(CODES > 0).astype(int)]
    readout = fit(LinearSVC(), two, classes=CLASSES[:2])
    scores = readout.scores(X)
    expected = LinearSVC().fit(X, CLASSES[two.argmax(axis=1)]).decision_function(X)
    assert_allclose(scores[:, 1] - scores[:, 0], expected)


@pytest.mark.parametrize(
    ("classifier", "absent"), [(LogisticRegression(), 0.0), (RidgeClassifier(), -np.inf)]
)
def test_a_class_without_weight_has_the_score_of_an_absent_one(classifier, absent):
    weights = (CODES != 1).astype(float)
    scores = fit(classifier, INDICATORS, weights, CLASSES).scores(X)
    assert (scores[:, 1] == absent).all() and (scores[:, [0, 2]] != absent).all()


def test_scores_of_pairs_of_classes_are_refused():
    pairs = SVC(decision_function_shape="ovo")
    for classifier in (
        pairs,
        make_pipeline(StandardScaler(), pairs),
        GridSearchCV(pairs, {"C": [1.0]}, cv=2),
    ):
        with pytest.raises(ValueError, match="readout must score every class"):
            fit(classifier, INDICATORS, classes=CLASSES).scores(X)


def test_one_class_is_predicted_without_asking_the_classifier():
    ones = np.ones((60, 1))
    readout = EstimatorReadout(LogisticRegression(), CLASSES[:1])
    assert np.array_equal(readout.predict(X), ones) and np.array_equal(readout.scores(X), ones)


def test_weights_that_leave_one_class_are_refused():
    with pytest.raises(ValueError, match="leave one class, 'b', to fit LogisticRegression"):
        fit(LogisticRegression(), INDICATORS, (CODES == 1).astype(float), CLASSES)


@pytest.mark.parametrize("estimator", [LogisticRegression(), LinearSVC()])
def test_labels_other_than_those_of_fit_are_refused(estimator):
    readout = fit(estimator, INDICATORS, classes=CLASSES)
    other = as_readout(readout.estimator, np.array(["x", "y", "z"]))
    for method in ("predict", "scores"):
        with pytest.raises(ValueError, match="classes_ must have the labels .* fit again"):
            getattr(other, method)(X)
