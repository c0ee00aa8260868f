"""Scorers of stacked rows agree with ``score`` and with the metric on rows that are cut by hand."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    ReservoirRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceScaler,
)
from esnkit.metrics import make_sequence_scorer, nrmse
from esnkit.sequences._scorer import compare

RNG = np.random.default_rng(0)
WASHOUT = 4
SERIES = RNG.uniform(-1, 1, (60, 1))
BATCH = RNG.uniform(-1, 1, (6, 20, 1))
RAGGED = [RNG.uniform(-1, 1, (n, 1)) for n in (9, 25, 14, 31, 6, 18)]
CONTAINERS = {"series": SERIES, "batch": BATCH, "ragged": RAGGED}
every_container = pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
R2 = make_sequence_scorer(r2_score)


def each(X, function):
    """Apply a function to every sequence."""
    if isinstance(X, list):
        return [function(x) for x in X]
    return np.stack([function(x) for x in X]) if X.ndim == 3 else function(X)


def past(x):
    """Return the sum of the last two inputs."""
    return x[:, 0] + np.r_[0.0, x[:-1, 0]]


def labels(x):
    return np.where(past(x) > 0, "up", "down")


def esn(estimator=ESNRegressor, **params):
    return estimator(20, washout=WASHOUT, target="steps", random_state=0, **params)


def after_washout(values, washout=WASHOUT):
    sequences = values if isinstance(values, list) or np.ndim(values) == 2 else [values]
    return np.concatenate([v[washout:] for v in sequences])


@every_container
def test_r2_is_the_score_of_the_model(X):
    y = each(X, past)
    for model in (esn(), ReservoirRegressor(washout=WASHOUT, target="steps", random_state=0)):
        model.fit(X, y)
        assert R2(model, X, y) == model.score(X, y)
    network = RNNRegressor(3, max_iter=1, target="steps", random_state=0).fit(X, y)
    assert R2(network, X, y) == network.score(X, y)


@every_container
def test_accuracy_is_the_score_of_the_classifier(X):
    y = each(X, labels)
    accuracy = make_sequence_scorer(accuracy_score)
    network = RNNClassifier(3, max_iter=1, target="steps", random_state=0)
    for model in (esn(ESNClassifier), network):
        assert accuracy(model.fit(X, y), X, y) == model.score(X, y)


@every_container
def test_the_metric_sees_the_rows_after_the_washout(X):
    y = each(X, past)
    model = esn().fit(X, y)
    expected = mean_pinball_loss(after_washout(y), after_washout(model.predict(X)), alpha=0.1)
    scorer = make_sequence_scorer(mean_pinball_loss, greater_is_better=False, alpha=0.1)
    assert scorer(model, X, y) == -expected


@every_container
def test_probabilities_are_scored(X):
    y = each(X, labels)
    model = esn(ESNClassifier).fit(X, y)
    up = after_washout(each(model.predict_proba(X), lambda p: p[..., 1]) if isinstance(X, list)
                       else model.predict_proba(X)[..., 1])  # fmt: skip
    expected = roc_auc_score(after_washout(y), up)
    for method in ("predict_proba", "decision_function"):
        scorer = make_sequence_scorer(roc_auc_score, response_method=method)
        assert scorer(model, X, y) == pytest.approx(expected, abs=1e-2)
    scorer = make_sequence_scorer(roc_auc_score, response_method="predict_proba")
    assert scorer(model, X, y) == expected


def test_probabilities_of_three_classes_are_scored():
    y = each(RAGGED, lambda x: np.digitize(past(x), [-0.5, 0.5]))
    model = esn(ESNClassifier).fit(RAGGED, y)
    scorer = make_sequence_scorer(log_loss, response_method="predict_proba", labels=[0, 1, 2])
    probabilities = after_washout(model.predict_proba(RAGGED))
    assert scorer(model, RAGGED, y) == pytest.approx(log_loss(after_washout(y), probabilities))


@every_container
def test_several_outputs_are_columns(X):
    y = each(X, lambda x: np.stack([past(x), -past(x)], axis=1))
    model = esn().fit(X, y)
    assert R2(model, X, y) == model.score(X, y)
    assert make_sequence_scorer(nrmse)(model, X, y) < 0.5


def test_targets_per_sequence_have_no_washout():
    y = [x.mean() for x in RAGGED]
    model = ESNRegressor(20, washout=2, pooling="mean", random_state=0).fit(RAGGED, y)
    assert R2(model, RAGGED, y) == model.score(RAGGED, y)
    classes = np.arange(6) % 2
    model = ESNClassifier(20, random_state=0).fit(RAGGED, classes)
    assert make_sequence_scorer(accuracy_score)(model, RAGGED, classes) == model.score(
        RAGGED, classes
    )


@pytest.mark.parametrize(
    "weights",
    [[1, 0, 2, 1, 1, 3], [RNG.uniform(0, 1, len(x)) for x in RAGGED]],
    ids=["each", "row"],
)
def test_weights_are_of_rows_or_sequences(weights):
    y = each(RAGGED, past)
    model = esn().fit(RAGGED, y)
    assert R2(model, RAGGED, y, weights) == pytest.approx(model.score(RAGGED, y, weights))


def test_a_metric_without_weights_gets_none():
    y = each(RAGGED, past)
    model = esn().fit(RAGGED, y)
    scorer = make_sequence_scorer(lambda y_true, y_pred: len(y_true))
    assert scorer(model, RAGGED, y) == sum(len(x) - WASHOUT for x in RAGGED)


@pytest.mark.parametrize("X", [BATCH, RAGGED], ids=["batch", "ragged"])
def test_pipelines_and_searches_have_the_washout_of_their_model(X):
    y = each(X, past)
    scorer = make_sequence_scorer(mean_squared_error, greater_is_better=False)
    pipeline = make_pipeline(SequenceScaler(), FunctionTransformer(), esn()).fit(X, y)
    assert R2(pipeline, X, y) == pipeline.score(X, y)
    search = GridSearchCV(pipeline, {"esnregressor__washout": [1, 8]}, scoring=scorer, cv=KFold(2))
    search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    train, test = next(KFold(2).split(X))
    if X is RAGGED:
        fitted = make_pipeline(SequenceScaler(), esn().set_params(washout=1))
        fitted.fit([X[i] for i in train], [y[i] for i in train])
        y_true, y_pred = [y[i] for i in test], fitted.predict([X[i] for i in test])
        expected = -mean_squared_error(after_washout(y_true, 1), after_washout(y_pred, 1))
        assert search.cv_results_["split0_test_score"][0] == pytest.approx(expected)
    assert scorer(search, X, y) == scorer(search.best_estimator_, X, y)


def test_a_transformed_target_has_the_washout_of_its_model():
    y = np.exp(past(SERIES))
    model = TransformedTargetRegressor(esn(), func=np.log, inverse_func=np.exp).fit(SERIES, y)
    expected = r2_score(y[WASHOUT:], model.predict(SERIES)[WASHOUT:])
    assert R2(model, SERIES, y) == expected


def test_other_estimators_are_scored_on_all_rows():
    y = past(SERIES)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(SERIES, y)
    assert R2(model, SERIES, y) == r2_score(y, model.predict(SERIES))
    weights = RNG.uniform(0, 1, 60)
    assert R2(model, SERIES, y, weights) == pytest.approx(model.score(SERIES, y, weights))


def test_ragged_targets_in_cross_validation():
    y = each(RAGGED, past)
    with pytest.warns(UserWarning, match="Scoring failed"):
        assert np.isnan(cross_val_score(esn(), RAGGED, y, scoring="r2", cv=KFold(2))).all()
    scores = cross_val_score(esn(), RAGGED, y, scoring=R2, cv=KFold(2))
    np.testing.assert_array_equal(scores, cross_val_score(esn(), RAGGED, y, cv=KFold(2)))
    several = {"r2": R2, "mae": make_sequence_scorer(mean_absolute_error, greater_is_better=False)}
    results = cross_validate(esn(), RAGGED, y, scoring=several, cv=KFold(2))
    assert np.all(results["test_r2"] > 0.9) and np.all(results["test_mae"] < 0)
    labelled = each(RAGGED, labels)
    accuracy = make_sequence_scorer(accuracy_score)
    scores = cross_val_score(esn(ESNClassifier), RAGGED, labelled, scoring=accuracy, cv=KFold(2))
    assert np.all(scores > 0.7)


def test_a_series_in_cross_validation_leaves_the_washout_out():
    y = past(SERIES)
    split = TimeSeriesSplit(2)
    scores = cross_val_score(esn(), SERIES, y, scoring=R2, cv=split)
    np.testing.assert_array_equal(scores, cross_val_score(esn(), SERIES, y, cv=split))
    assert not np.array_equal(scores, cross_val_score(esn(), SERIES, y, scoring="r2", cv=split))


def test_weights_are_routed_to_the_scorer():
    y, weights = past(SERIES), RNG.uniform(0, 1, 60)
    with config_context(enable_metadata_routing=True):
        model = esn().set_fit_request(sample_weight=False)
        scorer = make_sequence_scorer(r2_score).set_score_request(sample_weight=True)
        results = cross_validate(model, SERIES, y, scoring=scorer, cv=TimeSeriesSplit(2),
                                 params={"sample_weight": weights})  # fmt: skip
    train, test = list(TimeSeriesSplit(2).split(SERIES))[0]
    fitted = esn().fit(SERIES[train], y[train])
    expected = fitted.score(SERIES[test], y[test], weights[test])
    assert results["test_score"][0] == pytest.approx(expected)


def test_scorers_are_pickled_and_printed():
    scorer = pickle.loads(pickle.dumps(make_sequence_scorer(r2_score)))
    y = past(SERIES)
    model = esn().fit(SERIES, y)
    assert scorer(model, SERIES, y) == R2(model, SERIES, y) and "r2_score" in repr(scorer)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"score_func": "r2"}, TypeError, "score_func must be a function .* got 'r2'"),
        ({"response_method": "transform"}, ValueError, "response_method must be one of"),
        ({"greater_is_better": 1}, TypeError, "greater_is_better must be True or False"),
    ],
)
def test_wrong_parameters_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        make_sequence_scorer(**{"score_func": r2_score} | params)


def test_rows_are_compared_from_a_given_state():
    y = past(SERIES)
    model = esn().fit(SERIES, y)
    assert (compare(model, SERIES, y, None)[2] > 0).sum() == 60 - WASHOUT
    y_true, y_pred, weights = compare(model, SERIES, y, None, initial_state=np.zeros(20))
    assert y_true.shape == y_pred.shape == (60, 1) and weights is None
