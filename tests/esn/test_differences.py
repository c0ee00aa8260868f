"""Differences of time steps as inputs of a classifier."""

import numpy as np
import pytest
from labelled_waves import sequences
from sklearn.pipeline import make_pipeline

from esnkit import ESNClassifier, SequenceDifferencer, SequenceScaler
from esnkit.esn import _presets
from esnkit.plotting import StatesByClassDisplay

X, y = sequences()
GIVEN = {"leak_rate": (0.3, 1.0), "input_scaling": 0.2, "pooling": ["mean", "max"]}


def classifier(**params):
    return ESNClassifier(20, random_state=0, alpha=1.0, **{"pooling": ["mean", "max"]} | params)


def by_transformers(**params):
    """Return the same model, whose inputs are made by transformers before it."""
    steps = SequenceDifferencer(include_values=True), SequenceScaler()
    return make_pipeline(*steps, classifier(**GIVEN | params))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_inputs_are_those_of_transformers(dtype):
    rows = [(3 + 20 * x).astype(dtype) for x in X]
    found = classifier(differences=True).fit(rows, y)
    wanted = by_transformers().fit(rows, y)
    tolerance = 1e-9 if dtype == np.float64 else 1e-3
    new = [2 * x[:15] for x in rows[:7]]
    proba = found.predict_proba(new)
    assert proba.dtype == dtype
    np.testing.assert_allclose(proba, wanted.predict_proba(new), rtol=0, atol=tolerance)
    pooled = found._pooled_features(new)
    inputs = wanted[:-1].transform(new)
    np.testing.assert_allclose(pooled, wanted[-1]._pooled_features(inputs), atol=tolerance)
    shares = found.predict_proba(new, steps=[4, 15])
    np.testing.assert_allclose(shares[:, 1], proba, rtol=0, atol=tolerance)
    cut = found.predict_proba([x[:4] for x in new])
    np.testing.assert_allclose(shares[:, 0], cut, rtol=0, atol=tolerance)


def test_many_sequences_have_differences_unless_the_scales_are_given(monkeypatch):
    assert _presets.MANY_SEQUENCES == 1000
    monkeypatch.setattr(_presets, "MANY_SEQUENCES", len(X))
    plain = classifier(differences=False).fit(X, y)
    many = classifier().fit(X, y)
    assert many.reservoir_.W_in_.shape == (20, 2) and many.n_features_in_ == 1
    wanted = classifier(differences=True).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(many.predict_proba(X), wanted)
    few = classifier().fit(X[1:], y[1:])
    per_step = classifier().fit(X, [[label] * len(x) for x, label in zip(X, y, strict=True)])
    given = [classifier(leak_rate=0.5), classifier(input_scaling="auto")]
    for model in [plain, few, per_step, *(model.fit(X, y) for model in given)]:
        assert model.reservoir_.W_in_.shape == (20, 1)


def test_streams_have_the_scales_of_their_first_chunk():
    model = classifier(differences=True).partial_fit(X[:12], y[:12], classes=np.unique(y))
    model.partial_fit([5 * x for x in X[12:]], y[12:])
    steps = by_transformers()
    inputs = steps[:-1].fit(X[:12]).transform(X[:12] + [5 * x for x in X[12:]])
    wanted = steps[-1].partial_fit(inputs, y).predict_proba(inputs[:12])
    np.testing.assert_allclose(model.predict_proba(X[:12]), wanted, rtol=0, atol=1e-9)


def test_constant_sequences_have_differences_of_zero():
    flat = [np.full((5, 1), float(k)) for k in range(6)]
    model = classifier(differences=True).fit(flat, [0, 0, 0, 1, 1, 1])
    assert model.score(flat, [0, 0, 0, 1, 1, 1]) == 1


def test_the_states_by_class_are_those_of_all_inputs():
    pytest.importorskip("matplotlib")
    model = classifier(differences=True).fit(X, y)
    found = StatesByClassDisplay.from_estimator(model, X, y)
    steps = by_transformers().fit(X, y)
    wanted = StatesByClassDisplay.from_estimator(steps, X, y)
    np.testing.assert_allclose(found.states[3], wanted.states[3], rtol=0, atol=1e-8)


def test_wrong_values_are_named():
    labels = [[label] * len(x) for x, label in zip(X, y, strict=True)]
    with pytest.raises(ValueError, match="differences=True needs one label for every sequence"):
        classifier(differences=True).fit(X, labels)
    with pytest.raises(TypeError, match="differences must be True or False, got 'yes'"):
        classifier(differences="yes").fit(X, y)
    with pytest.raises(ValueError, match="exceed the range"):
        classifier(differences=True).fit([np.array([[1e308], [-1e308]])] * 2, [0, 1])
