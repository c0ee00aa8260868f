"""Trained networks as ONNX models compute what predict computes, under onnxruntime."""

from functools import cache

import numpy as np
import pytest

from esnkit import RNNClassifier, RNNRegressor
from esnkit.export import to_onnx
from esnkit.export._onnx_networks import network_recurrence

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
NEW = RNG.normal(size=(12, 2))
Y = np.stack([np.roll(X[:, 0], 1), X[:, 1] ** 2], axis=1)
BATCH, LABELS = X.reshape(8, 5, 2), np.array(["a", "b", "c", "a"] * 2)
TOKENS = RNG.integers(0, 4, (40, 1))
BRIEF = {"n_units": 5, "max_iter": 0, "random_state": 0}
TWO = {"bidirectional": True, "n_layers": 2}

FITTED = {
    "lstm": lambda: RNNRegressor(**BRIEF, n_layers=2, start="learned").fit(X, Y),
    "lstm, float32": lambda: RNNRegressor(**BRIEF, start="ones").fit(X.astype("f4"), Y),
    "gru": lambda: RNNRegressor(**BRIEF, cell="gru", n_layers=2).fit(X, Y[:, 0]),
    "gru_before": lambda: RNNRegressor(**BRIEF, cell="gru", reset_after=False).fit(X, Y),
    "tanh, no head": lambda: RNNRegressor(**BRIEF, cell="rnn", head=None).fit(X, Y),
    "mingru": lambda: RNNRegressor(**BRIEF, cell="mingru", n_layers=2).fit(X, Y),
    "minlstm": lambda: RNNRegressor(**BRIEF, cell="minlstm").fit(X, Y),
    "lru": lambda: RNNRegressor(**BRIEF | {"n_units": 6}, cell="lru", n_layers=2).fit(X, Y),
    "relu": lambda: RNNClassifier(**BRIEF, cell="rnn", activation="relu").fit(X, Y[:, 0] > 0),
    "last": lambda: RNNClassifier(**BRIEF, pooling="last").fit(BATCH, LABELS),
    "mean": lambda: RNNClassifier(**BRIEF, pooling="mean").fit(BATCH, LABELS),
    "max": lambda: RNNClassifier(**BRIEF, pooling="max").fit(BATCH, LABELS),
    "attention": lambda: RNNRegressor(**BRIEF, pooling="attention").fit(BATCH, BATCH[:, 0, 0]),
    "both directions": lambda: RNNRegressor(**BRIEF, **TWO, start="learned").fit(X, Y),
    "last of both": lambda: RNNClassifier(**BRIEF, **TWO, pooling="last").fit(BATCH, LABELS),
    "attention to both": lambda: RNNRegressor(
        **BRIEF, **TWO, cell="gru", pooling="attention"
    ).fit(BATCH, BATCH[:, 0, 0]),
    "tokens": lambda: RNNClassifier(**BRIEF).fit(TOKENS, np.roll(TOKENS[:, 0], 1)),
    "embedding": lambda: RNNClassifier(**BRIEF, embedding_dim=3).fit(TOKENS, TOKENS[:, 0]),
}  # fmt: skip


@cache
def fitted(name):
    """Fit once for all tests, and move all weights, biases and states away from zero."""
    model = FITTED[name]()
    rng = np.random.default_rng(1)
    weights = {k: w + rng.normal(size=w.shape) / 3 for k, w in model.get_weights().items()}
    return model.set_weights(weights)


@pytest.fixture
def run():
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")

    def run(model, **inputs):
        session = runtime.InferenceSession(model.SerializeToString())
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    return run


def wanted_of(model, new):
    """Return the name of an output, its values of all time steps or the sequence, and the state."""
    data = new if model._spec.pooling is None else [new]
    key, state = "y", [None]
    if model._spec.bidirectional:
        wanted = model.predict(data)
    else:
        wanted, state = model.predict(data, return_state=True)
    if hasattr(model, "classes_"):
        key, wanted = "probabilities", model.predict_proba(data)
    return key, np.asarray(wanted), state[0]


def inputs_of(model):
    return TOKENS[:12] if model._spec.tokens else NEW.astype(model._theta.dtype)


def assert_close(found, wanted):
    limit = 1e-5 if found.dtype == np.float32 else 1e-10
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=limit, atol=limit)


@pytest.mark.parametrize("name", FITTED)
def test_a_sequence_gives_what_predict_gives(run, name):
    model = fitted(name)
    new = inputs_of(model)
    key, wanted, state = wanted_of(model, new)
    found = run(to_onnx(model), X=new)
    assert_close(found[key], wanted)
    assert ("last_state" in found) == (state is not None)
    if state is not None:
        assert_close(found["last_state"], state)


@pytest.mark.parametrize(
    "name", ["lstm", "gru", "minlstm", "lru", "last", "tokens", "lstm, float32"]
)
def test_steps_give_what_predict_gives(run, name):
    model = fitted(name)
    new = inputs_of(model)
    key, wanted, state = wanted_of(model, new)
    step, found, rows = to_onnx(model, form="step"), {}, []
    for row in new:
        carried = {"initial_state": found["last_state"]} if found else {}
        found = run(step, X=row, **carried)
        rows.append(found[key])
    assert_close(np.array(rows)[-1 if name == "last" else slice(None)], wanted)
    assert_close(found["last_state"], state)


@pytest.mark.parametrize("form", ["sequence", "step"])
@pytest.mark.parametrize("name", ["tokens", "embedding"])
@pytest.mark.parametrize("token", [-1, 4])
def test_tokens_that_predict_refuses_are_refused(run, name, form, token):
    X = np.array([[0], [token]])
    with pytest.raises(ValueError, match=f"the token {token} in row 1"):
        fitted(name).predict(X)
    with pytest.raises(Exception, match="indices element out of data bounds"):
        run(to_onnx(fitted(name), form=form), X=X if form == "sequence" else X[1])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_gates_of_a_min_lstm_far_below_zero_keep_their_ratio(run, dtype):
    new = NEW.astype(dtype)
    model = RNNRegressor(**BRIEF, cell="minlstm").fit(X.astype(dtype), Y)
    model.set_weights({"b_0": np.repeat([-31.0, -30.0, 0.5], BRIEF["n_units"])})
    assert_close(run(to_onnx(model), X=new)["y"], model.predict(new))


@pytest.mark.parametrize("name", ["mean", "attention"])
def test_a_pooling_of_all_steps_has_no_single_step(name):
    with pytest.raises(ValueError, match=f"pooling='{name}': use form='sequence'"):
        network_recurrence(fitted(name), "step")


def test_a_network_with_a_backward_direction_has_no_single_step():
    with pytest.raises(ValueError, match="got bidirectional=True and pooling=None"):
        network_recurrence(fitted("both directions"), "step")


def test_a_cell_without_a_graph_is_refused(monkeypatch):
    monkeypatch.delitem(network_recurrence.__globals__["CELL_STEPS"], "gru")
    with pytest.raises(ValueError, match="one of the cells .*lstm.* got cell='gru'"):
        to_onnx(fitted("gru"))
