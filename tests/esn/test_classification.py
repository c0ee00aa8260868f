"""Classifiers with a reservoir: labels, scores, probabilities, class weights."""

import warnings

import numpy as np
import pandas as pd
import pytest
from esn_models import (
    classifier,
    slow_answer,
)
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

from esnkit import (
    ESNClassifier,
    Reservoir,
    ReservoirClassifier,
    RidgeReadout,
)
from esnkit.metrics import expected_calibration_error

LABELS = {
    "strings": ["slow", "fast", "still"],
    "integers": [3, -1, 7],
    "booleans": [True, False, True],
    "whole floats": [1.0, 2.0, 5.0],
    "objects": np.array(["a", "b", "ccc"], object),
}


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("readout", [None, Ridge(), LogisticRegression(), LinearSVC()])
def test_labels_come_back_as_they_went_in(name, readout, kinds):
    sequences, numbers = kinds
    labels = np.asarray(LABELS[name])[numbers]
    model = classifier(readout=readout).fit(sequences, labels)
    answer = model.predict(sequences)
    assert answer.dtype == labels.dtype and set(answer) <= set(labels)
    assert np.array_equal(model.classes_, np.unique(labels))
    assert model.score(sequences, labels) > 0.9
    per_step = [np.full(len(X), k, labels.dtype) for X, k in zip(sequences, labels, strict=True)]
    for rows in classifier(readout=readout).fit(sequences, per_step).predict(sequences):
        assert rows.dtype == labels.dtype


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "string", "object"])
def test_labels_of_pandas_come_back_as_plain_ones(dtype, rng):
    large = [2**62 + 1, 2**62 + 3]  # which float64 cannot tell apart
    labels = {"Int64": large, "boolean": [True, False], "string": ["a", "b"], "object": large}
    X, numbers = rng.normal(size=(40, 2)), np.arange(40) % 2
    y = pd.Series([labels[dtype][k] for k in numbers], dtype=dtype)
    model = classifier().fit(X, y)
    assert model.classes_.tolist() == sorted(labels[dtype])
    assert set(model.predict(X).tolist()) <= set(labels[dtype])


@pytest.mark.parametrize(
    ("readout", "n_classes"),
    [
        (SVC(decision_function_shape="ovo"), 3),
        (SVC(decision_function_shape="ovo"), 4),
        (FixedThresholdClassifier(LogisticRegression(), threshold=0.9), 2),
    ],
)
def test_labels_are_those_of_the_readout_itself(readout, n_classes, rng):
    X = rng.normal(size=(200, 2))
    labels = np.digitize(X.sum(axis=1), np.linspace(-1, 1, n_classes + 1)[1:-1])
    model = classifier(readout=readout).fit(X, labels)
    Z = np.hstack([model.reservoir_.transform(X), X])
    assert np.array_equal(model.predict(X), model.readout_.predict(Z))
    assert model.score(X, labels) > 0.5


@pytest.mark.parametrize("readout", [None, RidgeClassifier(), MLPClassifier(max_iter=3)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_class_is_always_right(readout, rng):
    X = rng.normal(size=(30, 2))
    model = classifier(readout=readout).fit(X, ["a"] * 30)
    assert set(model.predict(X)) == {"a"} and np.all(model.predict_proba(X) == 1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "readout", [None, Ridge(), Ridge(fit_intercept=False), LogisticRegression(), RidgeClassifier()]
)
def test_probabilities_scores_and_labels_agree(n_classes, readout, kinds, rng):
    sequences, numbers = kinds
    model = classifier(readout=readout).fit(sequences, numbers % n_classes)
    unseen = [3 * rng.normal(size=(5, 2)) for _ in range(200)]
    answer, proba = model.predict(unseen), model.predict_proba(unseen)
    scores = model.decision_function(unseen)
    assert proba.shape == (200, n_classes) and np.all((proba >= 0) & (proba <= 1))
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], answer)
    if n_classes == 2:
        assert scores.shape == (200,)
        assert np.array_equal(model.classes_[(scores > 0).astype(int)], answer)
    else:
        assert np.array_equal(model.classes_[scores.argmax(axis=1)], answer)


def test_labels_a_step_in_every_container(rng):
    batch = rng.normal(size=(8, 6, 2))
    labels = np.where(batch[..., 0] > 0, "up", "down")
    for X, y in (
        (batch[0], labels[0]),
        (batch, labels),
        (batch, labels.tolist()),
        (list(batch), list(labels)),
        (list(batch), labels.tolist()),
        (list(batch), labels),
    ):
        model = classifier().fit(X, y)
        answer, proba = model.predict(X), model.predict_proba(X)
        assert type(answer) is type(X) and np.shape(answer) == np.shape(y)
        assert np.shape(proba) == (*np.shape(y), 2)
        assert model.score(X, y) > 0.9
    ragged = [X[: 2 + i % 3] for i, X in enumerate(batch)]
    model = classifier().fit(ragged, [y[: len(X)] for X, y in zip(ragged, labels, strict=True)])
    assert [len(rows) for rows in model.predict(ragged)] == [len(X) for X in ragged]


def test_labels_against_the_reference(kinds):
    sequences, numbers = kinds
    model = classifier(alpha=1e-3, pooling="mean").fit(sequences, numbers)
    scores = slow_answer(model, sequences, np.eye(3)[numbers], pooling="mean")
    np.testing.assert_allclose(model.decision_function(sequences), scores, atol=1e-9)
    assert np.array_equal(model.predict(sequences), scores.argmax(axis=1))


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0, 2: 0.0}])
@pytest.mark.parametrize("readout", [None, LogisticRegression()])
def test_class_weights_are_weights_of_rows(class_weight, readout, kinds):
    sequences, numbers = kinds
    sequences, numbers = sequences[:20], numbers[:20]
    per_class = class_weight
    if class_weight == "balanced":
        per_class = {k: 20 / (3 * np.sum(numbers == k)) for k in range(3)}
    w = np.array([per_class[k] for k in numbers])
    one = classifier(class_weight=class_weight, readout=readout).fit(sequences, numbers)
    other = classifier(readout=readout).fit(sequences, numbers, sample_weight=w)
    np.testing.assert_allclose(
        one.predict_proba(sequences), other.predict_proba(sequences), atol=1e-10
    )
    both_ways = classifier(class_weight=class_weight).fit(sequences, numbers, sample_weight=w)
    squared = classifier().fit(sequences, numbers, sample_weight=w**2)
    np.testing.assert_allclose(
        both_ways.predict_proba(sequences), squared.predict_proba(sequences), atol=1e-10
    )


def test_the_score_of_labels_counts_rows(rng):
    batch = rng.normal(size=(5, 8, 2))
    labels = rng.integers(0, 2, (5, 8))
    model = classifier(3).fit(batch, labels)
    right = model.predict(batch) == labels
    assert model.score(batch, labels) == pytest.approx(right.mean())
    assert model.score(list(batch), list(labels)) == pytest.approx(right.mean())
    w = rng.random((5, 8))
    assert model.score(batch, labels, w) == pytest.approx(np.average(right, weights=w))


def test_the_preset_and_the_general_core_classify_alike(kinds):
    sequences, numbers = kinds
    parts = Reservoir(15, degree=4, bias_scaling=0.3, random_state=0), LogisticRegression()
    general = ReservoirClassifier(*parts).fit(sequences, numbers)
    same = {"leak_rate": 1.0, "input_scaling": 0.5, "pooling": "last"}
    preset = classifier(readout=LogisticRegression(), **same).fit(sequences, numbers)
    assert np.array_equal(general.predict_proba(sequences), preset.predict_proba(sequences))


def test_numbers_are_no_labels_and_columns_are_no_labels(kinds):
    sequences, _ = kinds
    with pytest.raises(ValueError, match="Unknown label type"):
        classifier().fit(sequences, np.linspace(0, 1, 30))
    with pytest.raises(ValueError, match="1d array"):
        classifier().fit(sequences, np.ones((30, 2), int))


def test_labels_of_steps_may_have_an_axis_of_their_own(rng):
    X = rng.normal(size=(4, 6, 2))
    labels = np.where(X[..., :1] > 0, "up", "down")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ESNClassifier(n_units=20, random_state=0).fit(X, labels)
    assert model.predict(X).shape == (4, 6)


def noisy_waves(n, seed=0, noise=2.0):
    """Return sequences of two frequencies, so noisy that some are taken for the other."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    t = np.arange(30)
    X = np.sin(t / np.where(labels, 2, 4)[:, None] + rng.uniform(0, 6, (n, 1)))
    return (X + noise * rng.normal(size=X.shape))[:, :, None], np.array(["slow", "fast"])[labels]


@pytest.mark.parametrize("alpha", [0.1, [1e-3, 1e-2, 0.1, 1.0, 10.0]])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_probabilities_are_calibrated(alpha, pooling):
    X, labels = noisy_waves(1500)
    model = ESNClassifier(30, leak_rate=0.5, alpha=alpha, pooling=pooling, random_state=0)
    proba = model.fit(X[:500], labels[:500]).predict_proba(X[500:])
    assert expected_calibration_error(labels[500:], proba) < 0.08
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X[500:]))


def test_the_readout_of_a_user_has_clipped_scores():
    X, labels = noisy_waves(40)
    model = ESNClassifier(30, readout=RidgeReadout(0.1), pooling="mean", random_state=0)
    proba = model.fit(X, labels).predict_proba(X)
    second = 0.5 + model.decision_function(X) / 2  # the scores of two classes sum to one
    np.testing.assert_allclose(proba[:, 1], np.clip(second, 0, 1), atol=1e-9)


def test_weights_of_classes_count_in_the_choice_of_alpha():
    X, labels = noisy_waves(60, noise=1.0)
    params = {"alpha": [1e-3, 10.0], "pooling": "mean", "random_state": 0}
    y = np.where(labels == "slow", 1, 0)
    plain = ESNClassifier(20, class_weight={0: 1.0, 1: 3.0}, **params).fit(X, y)
    weighted = ESNClassifier(20, **params).fit(X, y, sample_weight=1.0 + 2.0 * y)
    np.testing.assert_allclose(plain.readout_.loo_scores_, weighted.readout_.loo_scores_)
    unweighted = ESNClassifier(20, **params).fit(X, y)
    assert not np.allclose(plain.readout_.loo_scores_, unweighted.readout_.loo_scores_)


def test_separable_classes_are_not_infinitely_certain():
    X, labels = noisy_waves(20, noise=0.0)
    proba = ESNClassifier(50, pooling="mean", random_state=0).fit(X, labels).predict_proba(X)
    assert 0.8 < proba.max(axis=1).mean() < 0.999


def test_the_unit_of_the_inputs_changes_no_label(kinds):
    sequences, numbers = kinds
    answers = []
    for scale, offset in ((1.0, 0.0), (1000.0, 5.0), (1e-3, -7.0)):
        X = [scale * Z + offset for Z in sequences]
        model = ESNClassifier(20, random_state=0).fit(X[::2], numbers[::2])
        answers.append(model.predict_proba(X))
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-6)
    np.testing.assert_allclose(answers[2], answers[0], atol=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("pooling", ["std", "model_space"])
def test_sequences_whose_squares_overflow_are_refused(pooling, rng):
    X = rng.normal(size=(12, 9, 1)).astype(np.float32)
    model = ESNClassifier(5, pooling=pooling, random_state=0).fit(X, np.arange(12) % 2)
    for steps in (None, [5]):
        with pytest.raises(ValueError, match="X holds a sequence .* exceed the range of float32"):
            model.predict_proba(np.float32(1e30) * X, steps=steps)


def test_one_sequence_is_learned_without_a_warning(kinds):
    sequences, _ = kinds
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ESNClassifier(5, random_state=0).fit(sequences[:1], ["a"])
    assert model.predict(sequences[:2]).tolist() == ["a", "a"]
