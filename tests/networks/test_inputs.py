"""Inputs of networks: which X are tokens, initial states and clamps."""

import numpy as np
import pytest
from training_problems import echo, quick, untrained

from esnkit.networks._rnn import RNNClassifier, RNNRegressor


def test_a_column_of_integers_is_tokens_to_a_classifier_by_default():
    X = np.random.default_rng(0).integers(0, 4, (10, 6, 1))
    y = X[:, -1, 0].astype(float)

    def shape(X, estimator=RNNRegressor, name="W_in_0", **params):
        return untrained(X, y, estimator=estimator, **params).get_weights()[name].shape

    assert shape(X, RNNClassifier) == (32, 4)
    assert shape(X, RNNClassifier, n_tokens=None) == (32, 1)
    assert shape(X.astype(float), RNNClassifier) == (32, 1)
    assert shape(X) == (32, 1)
    assert shape(X, n_tokens="auto") == (32, 4)
    assert shape(X, n_tokens=9) == shape(X.astype(float), n_tokens=9) == (32, 9)
    assert shape(X, n_tokens="auto", embedding_dim=3, name="embedding") == (4, 3)
    with pytest.raises(ValueError, match="X must have one column of tokens, got 2 features"):
        untrained(np.tile(X, 2), y, n_tokens=4)
    for numbers in (dict(X=X.astype(float)), dict(X=np.tile(X, 2))):
        with pytest.raises(ValueError, match="embedding_dim=3 needs tokens: X of one column"):
            untrained(**dict(X=X, y=y, n_tokens="auto", embedding_dim=3) | numbers)
    moments = 1_700_000_000 + 3600 * X
    assert shape(moments) == (32, 1)
    with pytest.raises(ValueError, match="X contains integers up to 17000.*: set n_tokens=None if"):
        shape(moments, RNNClassifier)


def test_a_list_of_integer_vectors_is_sequences_of_tokens():
    codes = [np.array([0, 1, 2]), np.array([2, 1, 0])]
    columns = [code[:, None] for code in codes]
    model = untrained(codes, ["a", "b"], estimator=RNNClassifier)
    other = untrained(columns, ["a", "b"], estimator=RNNClassifier)
    assert model.n_features_in_ == 1
    proba = other.predict_proba(columns)
    assert np.array_equal(model.predict_proba(codes), proba) and proba.shape == (2, 2)
    ragged = [codes[0], codes[1][:2]]
    following = untrained(ragged, [code % 2 for code in ragged], estimator=RNNClassifier)
    assert [len(rows) for rows in following.predict(ragged)] == [3, 2]
    assert untrained(np.array(codes), [0.0, 1.0]).n_features_in_ == 3  # rows of numbers
    for ambiguous in (codes, ragged):
        with pytest.raises(ValueError, match="vectors of integers, .* or set n_tokens='auto'"):
            untrained(ambiguous, [0.0, 1.0])


@pytest.mark.parametrize("size", [2.0**-1050, 2.0**1022])
def test_the_size_of_all_weights_changes_nothing(size):
    X, y, _ = echo(12)
    weights = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 1.5], 12)
    fitted = quick(max_iter=2).fit(X, 100 * y, sample_weight=weights)
    scaled = quick(max_iter=2).fit(X, 100 * y, sample_weight=size * weights)
    assert np.array_equal(scaled.predict(X), fitted.predict(X))
    labels = np.where(y > 0, "positive", "other")
    fitted, scaled = (
        quick(RNNClassifier, max_iter=2, class_weight={"positive": k, "other": 2 * k}).fit(
            X, labels, sample_weight=k * weights
        )
        for k in (1.0, min(size, 2.0**1021))
    )
    assert np.array_equal(scaled.predict_proba(X), fitted.predict_proba(X))


def test_some_states_can_be_given():
    X, _, Y = echo(4)
    model = untrained(X, Y, start="ones")
    full = np.zeros(16)
    full[8:] = 1.0  # where the cells start
    assert np.array_equal(model.predict(X, initial_state=full), model.predict(X))
    units = np.zeros(8)
    assert np.array_equal(model.predict(X, initial_state=units), model.predict(X))
    some = model.predict(X, initial_state=([2, 9], [0.5, 3.0]))
    full[[2, 9]] = [0.5, 3.0]
    assert np.array_equal(model.predict(X, initial_state=np.tile(full, (4, 1))), some)


def test_a_ragged_state_is_refused_by_name():
    X, y, _ = echo(4)
    with pytest.raises(ValueError, match="initial_state must hold numbers"):
        untrained(X, y).predict(X, initial_state=[[1, 2], [3]])


def test_clamped_units_keep_their_values():
    X, _, _ = echo(4)
    Y = np.zeros((4, 8, 8))
    model = untrained(X, Y, head=None)
    out = model.predict(X, clamp=([1, 5], [0.25, -0.5]))
    assert np.all(out[..., 1] == 0.25) and np.all(out[..., 5] == -0.5)
    values = np.random.default_rng(0).normal(size=(32, 1))
    assert np.array_equal(model.predict(X, clamp=([3], values))[..., 3].ravel(), values[:, 0])
    model.fit(X, Y, clamp=([1], [2.0]))


def test_a_state_of_another_width_is_refused_with_both_widths():
    X, y, _ = echo(4)
    expected = "of 8 hidden states or of 16 hidden and cell states"
    with pytest.raises(ValueError, match=expected):
        untrained(X, y).predict(X, initial_state=np.zeros(9))
    with pytest.raises(ValueError, match=r"expected \(8,\) or \(4, 8\)"):
        untrained(X, y, cell="gru").predict(X, initial_state=np.zeros(9))


def test_weights_that_are_zero_together_are_refused():
    X, _, _ = echo(4)
    labels = np.array(["a", "b", "a", "b"])
    model = quick(RNNClassifier, class_weight={"a": 1.0, "b": 0.0})
    with pytest.raises(ValueError, match="class_weight times sample_weight is zero for every"):
        model.fit(X, labels, sample_weight=[0.0, 1.0, 0.0, 1.0])
