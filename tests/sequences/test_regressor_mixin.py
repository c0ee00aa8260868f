"""The mixin of regressors, with an estimator that has no reservoir."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_regressor
from sklearn.metrics import r2_score
from sklearn.utils import get_tags

from esnkit.sequences import (
    SequenceRegressorMixin,
    Targets,
    pack,
    pack_targets,
    pack_weights,
    restore,
)
from esnkit.sequences._regressor_mixin import r2_of_rows


class Sum(SequenceRegressorMixin, BaseEstimator):
    """Predict the sum of the features of a time step, for every output."""

    def __init__(self, target="steps", washout=0):
        self.target = target
        self.washout = washout

    def fit(self, X, y):
        sequences = pack(self, X, reset=True)
        target = self._target_of(y, sequences)
        targets, self.weights_, self.classes_ = self._encode(
            pack_targets(y, sequences, target, numeric=self._numeric)
        )
        self._flat, self.n_outputs_ = targets.flat, targets.values.shape[1]
        return self

    def predict(self, X, *, initial_state=None, clamp=None):
        sequences = pack(self, X, reset=False)
        rows = np.repeat(sequences.values.sum(axis=1)[:, np.newaxis], self.n_outputs_, axis=1)
        return self._decode(restore(rows, sequences))

    def _true_rows(self, X, y, sample_weight, initial_state=None):
        sequences = pack(self, X, reset=False)
        y_true = pack_targets(y, sequences, "steps", numeric=True)
        washout = self.washout if initial_state is None else 0
        return y_true, pack_weights(sample_weight, sequences, y_true, washout)


def test_targets_are_encoded_unchanged():
    targets = Targets(np.arange(4.0).reshape(2, 2), "steps", False)
    encoded = Sum()._encode(targets)
    assert encoded.targets is targets and encoded.weights is None and encoded.classes is None


@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_predictions_have_the_shape_of_the_targets(n_outputs, batch, ragged):
    axis = () if n_outputs is None else (n_outputs,)
    model = Sum().fit(batch, np.zeros((4, 5, *axis)))
    assert model.predict(batch).shape == (4, 5, *axis)
    assert model.predict(batch[0]).shape == (5, *axis)
    shapes = [rows.shape for rows in model.predict(ragged)]
    assert shapes == [(n, *axis) for n in (3, 1, 7, 2)]


def test_the_score_is_over_all_rows_of_all_sequences(ragged, rng):
    y = [rng.normal(size=len(X)) for X in ragged]
    model = Sum().fit(ragged, y)
    rows, predictions = np.concatenate(y), np.vstack(ragged).sum(axis=1)
    assert model.score(ragged, y) == pytest.approx(r2_score(rows, predictions))
    per_sequence = rng.random(4)
    weights = np.repeat(per_sequence, [3, 1, 7, 2])
    expected = r2_score(rows, predictions, sample_weight=weights)
    assert model.score(ragged, y, per_sequence) == pytest.approx(expected)


def test_the_score_omits_the_washout_without_an_initial_state(batch, rng):
    y = rng.normal(size=(4, 5))
    model = Sum(washout=2).fit(batch, y)
    expected = r2_score(y[:, 2:].ravel(), batch[:, 2:].sum(axis=2).ravel())
    assert model.score(batch, y) == pytest.approx(expected)
    expected = r2_score(y.ravel(), batch.sum(axis=2).ravel())
    assert model.score(batch, y, initial_state=np.zeros(1)) == pytest.approx(expected)


def test_tags_name_a_regressor_of_several_outputs_and_3d_arrays():
    tags = get_tags(Sum())
    assert is_regressor(Sum()) and tags.target_tags.multi_output
    assert tags.input_tags.three_d_array and tags.target_tags.required


Y = np.random.default_rng(0).normal(size=(20, 3))
SHIFTED = Y + np.linspace(0.0, 1.0, 60).reshape(20, 3)


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined")
@pytest.mark.parametrize(
    ("y_true", "y_pred", "weights"),
    [
        (Y, SHIFTED, None),
        (Y[:, :1], SHIFTED[:, :1], None),
        (Y, Y, None),
        (Y, SHIFTED, np.arange(20.0)),
        (Y.astype("f4"), SHIFTED.astype("f4"), None),
        (Y * [1, 0, 1], SHIFTED, None),  # a constant output
        (Y * [1, 0, 1], Y * [1, 0, 1], None),
        (Y[:1], SHIFTED[:1], None),
    ],
)
def test_the_score_has_the_bits_of_scikit_learn(y_true, y_pred, weights):
    expected = r2_score(y_true, y_pred, sample_weight=weights)
    np.testing.assert_array_equal(r2_of_rows(y_true, y_pred, weights), expected)
    assert isinstance(r2_of_rows(y_true, y_pred, weights), float)


def test_the_score_refuses_predictions_that_are_not_finite():
    with pytest.raises(ValueError, match="contains infinity"):
        r2_of_rows(Y, np.full_like(Y, np.inf), None)


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1e-160, 1e160, 1e200, 1e306])
@pytest.mark.parametrize("weights", [None, np.arange(20.0)])
def test_the_score_does_not_depend_on_the_units(size, weights):
    expected = r2_score(Y, SHIFTED, sample_weight=weights)
    found = r2_of_rows(size * Y, size * SHIFTED, weights)
    assert found == pytest.approx(expected, rel=1e-9 if size > 1e-300 else 1e-2)
    assert r2_of_rows(1e-200 * Y, SHIFTED, weights) < -1e290


@pytest.mark.parametrize("ratio", [1e9, 1e20, 1e60])
def test_the_score_of_single_precision_is_finite(ratio):
    y_true, y_pred = (Y * min(1.0, 1e38 / ratio)).astype("f4"), (Y * min(ratio, 1e38)).astype("f4")
    expected = 1 - ratio**2 * np.mean((Y**2).sum(axis=0) / ((Y - Y.mean(axis=0)) ** 2).sum(axis=0))
    assert r2_of_rows(y_true, y_pred, None) == pytest.approx(expected, rel=1e-3)


def test_the_score_refuses_predictions_of_fewer_outputs():
    with pytest.raises(ValueError, match="different number of output"):
        r2_of_rows(Y, SHIFTED[:, :1], None)
