"""Probabilities of prefixes: from any classifier of sequences, or given."""

import warnings

import numpy as np
import pytest
from labelled_waves import LABELS, model, sequences
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from third_party import MirroredSum

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    FromChannelsFirst,
    ReservoirClassifier,
    RNNClassifier,
    SequenceDifferencer,
    SequenceNormalizer,
    SequenceScaler,
)
from esnkit.plotting._prefixes import check_probabilities, probabilities_of_prefixes

X, y = sequences()


def cut(X, share):
    return [x[: max(round(share * len(x)), 1)] for x in X]


def test_a_reservoir_runs_once():
    classifier = model()
    record = probabilities_of_prefixes(classifier, X, y, [0.25, 1.0])
    np.testing.assert_array_equal(
        record.values, classifier.predict_proba(X, steps=np.array([0.25, 1.0]))
    )
    assert np.array_equal(LABELS[record.true], y) and record.is_known.all()
    whole = record.predicted[:, -1]
    assert np.array_equal(LABELS[whole], classifier.predict(X))
    assert probabilities_of_prefixes(classifier, X, y, None).shares.tolist() == [
        k / 20 for k in range(1, 21)
    ]


@pytest.mark.parametrize(
    "classifier",
    [
        make_pipeline(SequenceNormalizer(), ESNClassifier(20, pooling="mean", random_state=0)),
        make_pipeline("passthrough", ESNClassifier(20, pooling="mean", random_state=0)),
        ReservoirClassifier(MirroredSum(), pooling="mean"),
    ],
    ids=["view of the whole sequence", "unknown transformer", "not causal"],
)
def test_other_classifiers_predict_cut_sequences(classifier):
    classifier.fit(X, y)
    record = probabilities_of_prefixes(classifier, X, y, [0.5, 1.0])
    np.testing.assert_array_equal(record.values[:, 0], classifier.predict_proba(cut(X, 0.5)))
    np.testing.assert_array_equal(record.values[:, 1], classifier.predict_proba(X))


def test_channels_come_first_and_time_is_cut():
    classifier, swapped = model(), [x.T for x in X]
    pipeline = make_pipeline(FromChannelsFirst(), classifier).fit(swapped, y)
    wanted = probabilities_of_prefixes(classifier, X, y, [0.3, 1.0]).values
    search = GridSearchCV(pipeline, {"esnclassifier__n_units": [classifier.n_units]}, cv=2)
    for estimator in (pipeline, search.fit(swapped, y)):
        record = probabilities_of_prefixes(estimator, swapped, y, [0.3, 1.0])
        np.testing.assert_allclose(record.values, wanted, rtol=1e-6)


def test_what_follows_causal_transformers_runs_once(monkeypatch):
    network = RNNClassifier(5, cell="gru", max_iter=2, random_state=0)
    steps = SequenceScaler(), SequenceDifferencer(include_values=True), network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two epochs
        pipeline = make_pipeline(*steps).fit(X, y)
    wanted = [pipeline.predict_proba(cut(X, share)) for share in (0.5, 1.0)]
    shares = []

    def counted(X, steps):
        shares.append(steps.tolist())
        return type(network).predict_proba(network, X, steps=steps)

    monkeypatch.setattr(network, "predict_proba", counted)
    found = probabilities_of_prefixes(pipeline, X, y, [0.5, 1.0]).values
    np.testing.assert_allclose(found, np.stack(wanted, axis=1), atol=1e-9)
    assert shares == [[0.5, 1.0]]


def test_a_causal_transformer_may_come_before_one_that_is_not():
    swapped = [x.T for x in X]
    model = ESNClassifier(20, pooling="mean", random_state=0)
    pipeline = make_pipeline(FromChannelsFirst(), SequenceNormalizer(), model).fit(swapped, y)
    found = probabilities_of_prefixes(pipeline, swapped, y, [0.5, 1.0]).values
    wanted = pipeline.predict_proba([x.T for x in cut(X, 0.5)])
    np.testing.assert_array_equal(found[:, 0], wanted)


def test_shares_within_the_washout_are_unknown():
    record = probabilities_of_prefixes(model(washout=5), X, y, [0.2, 0.5])
    assert record.is_known.tolist() == [False, True]


def test_the_order_of_the_classes_is_free():
    values = np.zeros((2, 1, 3))
    values[0, 0, 2] = values[1, 0, 0] = 1
    record = check_probabilities(["a", "c"], values, ["c", "b", "a"], [1.0])
    assert record.true.tolist() == [2, 0] == record.predicted[:, 0].tolist()


def test_wrong_input_is_refused():
    for estimator in (ESNClassifier(), ESNRegressor(5).fit(np.eye(9), np.ones(9))):
        with pytest.raises(TypeError, match="estimator must be a fitted classifier with predict"):
            probabilities_of_prefixes(estimator, X, y, None)
    for series in (X[0], [], [X[0], X[0][0]], 5):
        with pytest.raises(ValueError, match="X must hold several sequences: an array"):
            probabilities_of_prefixes(model(), series, y, None)
    per_step = make_pipeline(SequenceNormalizer(), ESNClassifier(5)).fit(
        X, [np.full(len(x), k) for x, k in zip(X, y, strict=True)]
    )
    with pytest.raises(ValueError, match="estimator must have one label for every sequence"):
        probabilities_of_prefixes(per_step, X, y, None)
    for shares in ([], [0.0, 1.0], [0.5, 2.0], 0.5, [np.nan]):
        with pytest.raises(ValueError, match=r"shares must be ascending numbers in \(0, 1\], got"):
            probabilities_of_prefixes(model(), X, y, shares)
    with pytest.raises(ValueError, match="shares must be in ascending order"):
        probabilities_of_prefixes(model(), X, y, [0.5, 0.4, 1.0])
    with pytest.raises(ValueError, match="y must have a label for every sequence, got 1 for"):
        probabilities_of_prefixes(model(), X, y[:1], None)
    with pytest.raises(ValueError, match=r"y_true holds \['d'\], which the classes \['a', 'b'"):
        probabilities_of_prefixes(model(), X[:1], ["d"], None)
    with pytest.raises(ValueError, match=r"\(2, 1, 2\) for y_true, shares and classes, got \(2, 2"):
        check_probabilities([0, 1], np.ones((2, 2)), [0, 1], [1.0])
