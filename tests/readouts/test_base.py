"""The base class of readouts: validation, optional capabilities, defaults."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from third_party import LeastMeanSquares, NearestRow

from esnkit.readouts import BaseReadout, LMSReadout, RidgeReadout, RLSReadout
from esnkit.readouts._base import is_linear


class Recorder(BaseReadout):
    """A readout that keeps its blocks and predicts zeros."""

    def fit_blocks(self, make_blocks, n_rows=None):
        self.blocks_, self.n_rows_ = list(make_blocks()), n_rows
        return self

    def predict(self, X):
        return np.zeros((len(X), 2))


X = np.random.default_rng(0).standard_normal((30, 4))
Y = X[:, :2] + 1.0


def test_a_subclass_must_fit_and_predict():
    class Incomplete(BaseReadout):
        def predict(self, X):
            return X

    with pytest.raises(TypeError, match="fit_blocks"):
        Incomplete()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fit_passes_one_block_of_checked_arrays(dtype):
    weights = np.arange(30)
    readout = Recorder().fit(np.asfortranarray(X, dtype), Y.tolist(), weights)
    ((block_X, block_Y, block_weights),) = readout.blocks_
    assert readout.n_rows_ == 30 and readout.n_features_in_ == 4
    assert block_X.dtype == block_Y.dtype == dtype and block_X.flags.c_contiguous
    assert block_weights.dtype == np.float64 and np.array_equal(block_weights, weights)
    ((*_, block_weights),) = Recorder().fit(X, Y).blocks_
    assert block_weights is None


def test_names_of_features_are_stored():
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert Recorder().fit(frame, Y).feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, None), "Recorder requires y to be passed"),
        ((X, Y[:9]), "y must have as many rows as X, 30, got 9"),
        ((X, Y * np.nan), "y contains NaN"),
        ((X, [["a", "b"]] * 30), "y must hold real numbers"),
        ((X, np.arange(30).astype("M8[D]")), "y must hold numbers, got times"),
        ((np.full_like(X, np.inf), Y), "X contains infinity"),
        ((X * 1j, Y), "X must hold real numbers"),
        ((X, Y, np.ones(9)), r"sample_weight must have shape \(30,\) or \(30, 2\)"),
        ((X, Y, -np.ones(30)), "sample_weight must not be negative"),
    ],
)
def test_wrong_data_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recorder().fit(*arguments)


masked = np.ma.array(X[:, 0], mask=np.arange(30) == 3)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ma.array(X, mask=X > 2), Y), "X has masked values"),
        (([np.ma.array(row, mask=row > 2) for row in X], Y), r"X\[\d+\] has masked values"),
        ((X, masked), "y has masked values"),
        ((X, Y, np.ma.array(np.ones(30), mask=np.arange(30) > 7)), "sample_weight has masked"),
        ((X, Y, np.ma.array(np.ones(Y.shape), mask=Y > 2)), "sample_weight has masked"),
    ],
)
def test_masked_values_name_the_argument(method, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(RidgeReadout(), method)(*arguments)


def test_masked_features_are_not_predicted_from():
    readout = RidgeReadout().fit(X, Y)
    with pytest.raises(ValueError, match="X has masked values"):
        readout.predict(np.ma.array(X, mask=X > 2))


def test_masked_arrays_without_masked_values_are_arrays():
    plain, masked_type = (
        RidgeReadout().fit(X, Y),
        RidgeReadout().fit(np.ma.array(X), np.ma.array(Y)),
    )
    assert np.array_equal(plain.coef_, masked_type.coef_)


def test_scores_are_predictions_by_default():
    assert np.array_equal(Recorder().fit(X, Y).scores(X), np.zeros((30, 2)))


@pytest.mark.parametrize(
    ("readout", "expected"),
    [(RidgeReadout(), True), (LeastMeanSquares(), True), (NearestRow(), False), (Ridge(), False)],
)
def test_linear_readouts_have_coefficients_and_an_intercept(readout, expected):
    assert is_linear(readout.fit(X, Y)) == expected


def test_a_readout_is_linear_only_once_it_is_fitted():
    assert not is_linear(RidgeReadout())


@pytest.mark.parametrize("readout", [RidgeReadout(), RLSReadout(), LMSReadout()], ids=repr)
def test_the_score_of_regressors_is_r2_in_any_units(readout):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = X @ [1.0, -2.0] + np.sin(10 * X[:, 0])
    weights = np.linspace(0, 1, 60)
    fitted = clone(readout).fit(X, y)
    expected = r2_score(y, fitted.predict(X), sample_weight=weights)
    assert fitted.score(X, y, weights) == pytest.approx(expected, rel=1e-12)
    small = 1e-200 * y
    score = clone(readout).fit(X, small).score(X, small, weights)
    assert score == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="y must be finite"):
        fitted.score(X, np.full(60, np.nan))
