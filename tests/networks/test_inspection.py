"""Attention weights and norms of the gradient over time."""

import numpy as np
import pytest
from training_problems import echo, quick, untrained

from esnkit.networks._rnn import RNNClassifier, RNNRegressor


def test_the_gradient_vanishes_but_not_through_the_identity():
    X, y, _ = echo(n_timesteps=40)
    norms = untrained(X, y, cell="rnn").gradient_norms(X, y)
    assert norms.shape == (1, 40) and norms[0, 0] < 0.05 * norms[0, -1]
    kept = untrained(1 + X, y, cell="rnn", activation="relu", init="identity")
    kept.set_weights({"W_in_0": np.ones((8, 2))})  # no unit is ever off
    norms = kept.gradient_norms(1 + X, y)
    np.testing.assert_allclose(norms, norms[0, -1], rtol=1e-6)
    deep = untrained(list(X[:, :9]) + [X[0]], y[np.r_[:40, 0]], n_layers=2)
    assert deep.gradient_norms(list(X), y).shape == (2, 40)
    labels = np.where(y > 0, "up", "down")
    model = quick(RNNClassifier, max_iter=1).fit(X, labels)
    assert model.gradient_norms(X, labels).shape == (1, 40)
    with pytest.raises(ValueError, match="y contains labels that fit has not seen"):
        model.gradient_norms(X, np.where(y > 0, "up", "left"))


def loss_from(model, state, X, y):
    """Return the loss of a network that continues from a state."""
    if isinstance(model, RNNRegressor):
        return np.mean((model.predict(X, initial_state=state) - y) ** 2) / 2
    right = model.classes_ == y[:, None]
    return -np.mean(np.log(model.predict_proba(X, initial_state=state)[right]))


@pytest.mark.parametrize("params", [{}, {"cell": "gru"}, {"cell": "rnn", "init": "glorot"}])
def test_norms_of_the_gradient_agree_with_central_differences(params):
    X, y, _ = echo(3)
    labels = np.array(["a", "b", "a"])
    step = 1e-6
    for kind, target in ((RNNRegressor, y), (RNNClassifier, labels)):
        model = untrained(X, target, estimator=kind, **params)
        norms = model.gradient_norms(X, target)[0]
        for t in (0, 3, 6):
            _, state = model.predict(X[:, : t + 1], return_state=True)
            slopes = np.empty((3, 8))
            for entry in np.ndindex(slopes.shape):
                push = np.zeros_like(state)
                push[entry] = step
                more, less = (
                    loss_from(model, state + side, X[:, t + 1 :], target) for side in (push, -push)
                )
                slopes[entry] = (more - less) / (2 * step)
            expected = np.sqrt(np.mean(np.sum(slopes**2, axis=1)))
            assert norms[t] == pytest.approx(expected, rel=1e-6)


def test_gradient_norms_need_the_outputs_of_fit():
    X, y, _ = echo(4)
    three = untrained(X, np.stack([y, y, y], axis=1))
    with pytest.raises(ValueError, match="y has 1 outputs, expected 3 as in fit"):
        three.gradient_norms(X, y)
    with pytest.raises(ValueError, match="y has 3 outputs, expected 1 as in fit"):
        untrained(X, y).gradient_norms(X, np.stack([y, y, y], axis=1))
    labels = np.array(["a", "b", "a", "b"])
    with pytest.raises(ValueError, match="y must hold one label each, got 2 columns"):
        untrained(X, labels, estimator=RNNClassifier).gradient_norms(
            X, labels[:, None].repeat(2, 1)
        )


def test_gradient_norms_respect_initial_states_and_clamps():
    X, y, _ = echo()
    model = untrained(X, y)
    _, state = model.predict(X[:, :3], return_state=True)
    rest = model.gradient_norms(X[:, 3:], y, initial_state=state)
    np.testing.assert_allclose(rest, model.gradient_norms(X, y)[:, 3:], rtol=1e-12)
    all_clamped = model.gradient_norms(X, y, clamp=(np.arange(8), np.zeros(8)))
    assert not np.any(all_clamped[:, :-1])


def test_attention_weights_mark_the_steps_that_matter():
    X, _, _ = echo(60)
    marked = np.random.default_rng(1).integers(0, 8, 60)
    X[:, :, 1] = np.arange(8) == marked[:, None]
    y = X[np.arange(60), marked, 0]
    model = quick(cell="rnn", pooling="attention", batch_size=10, max_iter=100).fit(X, y)
    weights = model.attention_weights(X)
    assert weights.shape == (60, 8)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert np.mean(weights.argmax(axis=1) == marked) > 0.9
    ragged = model.attention_weights([X[0], X[1, :3]])
    np.testing.assert_allclose(ragged[0], weights[0])
    assert [len(one) for one in ragged] == [8, 3]
    alone = untrained(X[0], y[:1], target="sequence", pooling="attention")
    assert alone.attention_weights(X[0]).shape == (8,)
    for other in (untrained(X, y), untrained(X, X[:, :, :1], pooling="attention")):
        with pytest.raises(ValueError, match="attention_weights needs pooling='attention'"):
            other.attention_weights(X)
