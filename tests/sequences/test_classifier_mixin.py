"""The mixin of classifiers, with an estimator that has no reservoir."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score
from sklearn.utils import get_tags

from esnkit.sequences import (
    SequenceClassifierMixin,
    Targets,
    pack,
    pack_targets,
    restore,
)
from esnkit.sequences._classifier_mixin import (
    accuracy,
    known_classes,
    labels_of,
    map_rows,
    softmax,
)


class FirstFeatures(SequenceClassifierMixin, BaseEstimator):
    """Score every class of a time step by one of the first features."""

    def __init__(self, target="steps", class_weight=None):
        self.target = target
        self.class_weight = class_weight

    def fit(self, X, y):
        sequences = pack(self, X, reset=True)
        raw = pack_targets(y, sequences, self._target_of(y, sequences), numeric=self._numeric)
        self.targets_, self.weights_, self.classes_ = self._encode(raw, sequences.form)
        return self

    def predict(self, X, *, initial_state=None, clamp=None):
        return self._decode(self._scores(X, initial_state, clamp))

    def _scores(self, X, initial_state, clamp):
        sequences = pack(self, X, reset=False)
        return restore(sequences.values[:, : self.classes_.size], sequences)

    def _as_probabilities(self, scores):
        return softmax(scores)

    def _true_rows(self, X, y, sample_weight, initial_state=None):
        sequences = pack(self, X, reset=False)
        return pack_targets(y, sequences, "steps", numeric=False), sample_weight


@pytest.fixture
def labels(rng):
    return np.array(["a", "b", "c"])[rng.permutation(20) % 3].reshape(4, 5)


def encode(labels, known=None, **parameters):
    values = np.reshape(labels, (len(labels), -1))
    return FirstFeatures(**parameters)._encode(Targets(values, "steps", True), known=known)


def test_labels_become_indicators_of_the_sorted_classes():
    targets, weights, classes = encode(["b", "a", "b", "d"])
    assert classes.tolist() == ["a", "b", "d"] and weights is None
    assert targets.values.tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_known_classes_give_the_columns():
    targets, _, classes = encode(["b", "d"], known=np.array(["a", "b", "c", "d"]))
    assert classes.tolist() == ["a", "b", "c", "d"]
    assert targets.values.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    with pytest.raises(ValueError, match=r"unseen before, \['e'\], expected some of \['a', 'b'\]"):
        encode(["b", "e"], known=np.array(["a", "b"]))


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [("balanced", [2 / 3, 2.0, 2 / 3, 2 / 3]), ({"a": 5.0}, [5.0, 1.0, 5.0, 5.0])],
)
def test_class_weights_are_weights_of_rows(class_weight, expected):
    assert encode(["a", "b", "a", "a"], class_weight=class_weight).weights == pytest.approx(
        expected
    )


@pytest.mark.parametrize("class_weight", ["heavy", 2.0, {"a": -1.0}, {"a": np.nan}, {"c": 1.0}])
def test_wrong_class_weights_are_named(class_weight):
    with pytest.raises(ValueError, match="class_weight"):
        encode(["a", "b"], class_weight=class_weight)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0.5], [1.5]]), "label type: continuous"),
        (np.array([["a", "b"], ["c", "d"]]), "y should be a 1d array"),
    ],
)
def test_values_that_are_no_labels_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        FirstFeatures()._encode(Targets(values, "steps", False), "batch")


def test_a_column_of_labels_warns_unless_it_has_rows_of_several_sequences():
    column = Targets(np.array([["a"], ["b"]]), "steps", False)
    assert FirstFeatures()._encode(column, "batch").classes.tolist() == ["a", "b"]
    for targets, form in ((column, "series"), (column._replace(kind="sequence"), "batch")):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            FirstFeatures()._encode(targets, form)


def test_two_axes_of_labels_are_sequences_and_time_steps(batch, ragged, labels):
    model = FirstFeatures(target="auto").fit(batch, labels)
    assert model.targets_.kind == "steps" and len(model.targets_.values) == 20
    assert FirstFeatures("auto").fit(batch, labels[:, 0]).targets_.kind == "sequence"
    per_step = [np.repeat(labels[0, 0], len(X)) for X in ragged]
    assert FirstFeatures("auto").fit(ragged, per_step).targets_.kind == "steps"


def test_predictions_are_labels_of_the_largest_scores(batch, labels):
    model = FirstFeatures().fit(batch, labels)
    expected = model.classes_[batch.argmax(axis=2)]
    assert np.array_equal(model.predict(batch), expected)
    assert np.array_equal(np.stack(model.predict(list(batch))), expected)


def test_scores_of_two_classes_are_one_difference(batch, labels):
    model = FirstFeatures().fit(batch, labels)
    assert np.array_equal(model.decision_function(batch), batch)
    model.fit(batch, labels == "a")
    assert np.array_equal(model.decision_function(batch), batch[..., 1] - batch[..., 0])


def test_probabilities_sum_to_one(batch, ragged, labels):
    model = FirstFeatures().fit(batch, labels)
    probabilities = model.predict_proba(batch)
    assert probabilities.shape == (4, 5, 3)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0)
    assert [rows.shape for rows in model.predict_proba(ragged)] == [(3, 3), (1, 3), (7, 3), (2, 3)]


def test_the_score_is_the_accuracy_over_all_rows(batch, labels, rng):
    model = FirstFeatures().fit(batch, labels)
    expected = accuracy_score(labels.ravel(), model.predict(batch).ravel())
    assert model.score(batch, labels) == pytest.approx(expected)
    weights = rng.random(20)
    expected = accuracy_score(labels.ravel(), model.predict(batch).ravel(), sample_weight=weights)
    assert model.score(batch, labels, weights) == pytest.approx(expected)


def test_tags_name_a_classifier_and_3d_arrays():
    assert is_classifier(FirstFeatures()) and get_tags(FirstFeatures()).input_tags.three_d_array


def test_classes_of_the_first_call_bind_later_ones():
    model = FirstFeatures()
    assert known_classes(model, None, first=True) is None
    assert known_classes(model, ["b", "a"], first=True).tolist() == ["a", "b"]
    model.classes_ = np.array(["a", "b"])
    for classes in (None, ["a", "b"], ["b", "a"]):
        assert known_classes(model, classes, first=False).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        known_classes(model, ["a", "c"], first=False)


def test_labels_have_one_column():
    assert labels_of(np.array([["a"], ["b"]])).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="y must hold one label each, got 2 columns"):
        labels_of(np.array([["a", "b"]]))


def test_functions_are_applied_to_every_array_of_a_list():
    assert map_rows(np.arange(3), np.sum) == 3
    assert map_rows([np.arange(3), np.arange(2)], np.sum) == [3, 1]


def test_softmax_does_not_overflow():
    rows = np.array([[1000.0, 1000.0], [-1000.0, 0.0], [0.0, np.log(3.0)]])
    np.testing.assert_allclose(softmax(rows), [[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]])


@pytest.mark.parametrize("weights", [None, np.arange(4.0)])
@pytest.mark.parametrize(
    "labels",
    [["a", "b", "bb", "a"], [1, 2, 3, 1], [True, False, True, True], np.array(["a", "b"] * 2, "O")],
)
def test_the_accuracy_is_that_of_scikit_learn(labels, weights):
    y_true = np.array(labels)
    y_pred = y_true[::-1].copy()
    expected = accuracy_score(y_true, y_pred, sample_weight=weights)
    assert accuracy(y_true, y_pred, weights) == expected
    assert isinstance(accuracy(y_true, y_pred, weights), float)
