"""Classification losses of leave-one-out scores against models fitted without each row."""

import numpy as np
import pytest
from classification_problems import best_temperature, classes, log_loss, scores_by_refits
from numpy.testing import assert_allclose
from ridge_problems import blocks_of

from esnkit.readouts import RidgeReadout

ALPHAS = [30.0, 1e-3, 0.1, 1.0, 0.1]
SHAPES = [(40, 6), (20, 20), (21, 20), (15, 40)]


@pytest.mark.filterwarnings("ignore:alpha=")
@pytest.mark.parametrize("solver", ["auto", "gram", "qr"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_losses_equal_those_of_literal_refits(shape, standardize, solver):
    X, Y, w = classes(*shape, seed=sum(shape))
    model = RidgeReadout(ALPHAS, solver=solver, standardize=standardize, scoring="classification")
    model.fit_blocks(blocks_of(X, Y, w, size=9), n_rows=len(X))
    refits = [scores_by_refits(X, Y, alpha, w, standardize) for alpha in ALPHAS]
    wrong = [np.average(s.argmax(1) != Y.argmax(1), weights=w) for s in refits]
    assert_allclose(model.loo_scores_, wrong, atol=1e-12)
    losses = [best_temperature(s, Y, w)[1] for s in refits]
    assert_allclose(model.loo_log_losses_, losses, rtol=2e-3)
    chosen = refits[ALPHAS.index(model.alpha_)]
    assert_allclose(model.temperature_, best_temperature(chosen, Y, w)[0], rtol=0.03)


@pytest.mark.parametrize("n_features", [4, 30])
def test_one_alpha_has_a_temperature_too(n_features):
    X, Y, w = classes(25, n_features)
    model = RidgeReadout(0.5, scoring="classification").fit(X, Y, w)
    scores = scores_by_refits(X, Y, 0.5, w, False)
    found = log_loss(scores, Y, w, model.temperature_)
    assert found <= best_temperature(scores, Y, w)[1] + 1e-4
    assert model.loo_scores_.shape == (1,)


@pytest.mark.parametrize("n_features", [4, 30])
def test_weights_per_output_and_rows_without_weight(n_features):
    X, Y, _ = classes(24, n_features)
    rng = np.random.default_rng(1)
    w = rng.uniform(0.5, 2, Y.shape)
    w[:3] = 0
    w[3:6, 0] = 0  # these rows count for the other two outputs
    refits = [scores_by_refits(X, Y[:, [o]], 0.5, w[:, o], False) for o in range(3)]
    scores, used = np.hstack(refits), w.mean(axis=1)
    model = RidgeReadout(0.5, scoring="classification").fit(X, Y, w)
    wrong = np.average(scores.argmax(1) != Y.argmax(1), weights=used)
    assert_allclose(model.loo_scores_, [wrong], atol=1e-12)
    kept = RidgeReadout(0.5, scoring="classification").fit(X[3:], Y[3:], w[3:])
    assert_allclose(kept.temperature_, model.temperature_)


@pytest.mark.parametrize("alpha", [1e3, 1e8])
@pytest.mark.parametrize("n_features", [2, 80])
def test_scores_that_tell_nothing_give_the_shares_of_the_classes(n_features, alpha):
    X = np.random.default_rng(0).normal(size=(60, n_features))
    Y = np.eye(2)[(np.arange(60) % 10 < 3).astype(int)]
    model = RidgeReadout(alpha, scoring="classification").fit(X, Y)
    best = best_temperature(scores_by_refits(X, Y, alpha, np.ones(60), False), Y, np.ones(60))[1]
    assert_allclose(model.loo_log_losses_, [best], rtol=2e-3)
    assert_allclose(model.probabilities(model.predict(X))[:, 1].mean(), 0.3, atol=0.05)


def test_a_row_that_the_others_cannot_predict_is_wrong():
    X, Y, w = classes(30, 3, distance=30.0)
    X = np.hstack([X, np.eye(30)[:, :8]])
    model = RidgeReadout(0.0, scoring="classification").fit(X, Y)
    assert_allclose(model.loo_scores_, [8 / 30])
    assert np.isfinite(model.temperature_)


def test_the_losses_of_a_long_stream_are_those_of_all_rows_at_once(monkeypatch):
    X, Y, w = classes(5000, 5)
    params = {"standardize": True, "scoring": "classification"}
    whole = RidgeReadout([0.1, 10.0], **params).fit(X, Y, w)
    monkeypatch.setattr("esnkit.readouts._kept_rows.MAX_KEPT", 0)
    stream = RidgeReadout([0.1, 10.0], **params)
    stream.fit_blocks(blocks_of(X, Y, w, size=700), n_rows=len(X))
    assert_allclose(stream.loo_log_losses_, whole.loo_log_losses_, rtol=1e-10)
    assert_allclose(stream.temperature_, whole.temperature_, rtol=1e-8)


def test_float32_rows_have_the_losses_of_float64_ones():
    X, Y, w = classes(60, 8)
    both = [
        RidgeReadout(1.0, standardize=True, scoring="classification").fit(X.astype(t), Y, w)
        for t in (np.float32, np.float64)
    ]
    assert both[0].coef_.dtype == np.float32
    assert_allclose(*(model.temperature_ for model in both), rtol=1e-4)
