"""ONNX models compute what predict computes, under onnxruntime."""

import json
from functools import cache

import numpy as np
import pytest

from esnkit import DeepReservoir, ESNClassifier, ESNRegressor, Reservoir, ReservoirRegressor
from esnkit.export import to_onnx

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 2))
NEW = RNG.normal(size=(30, 2))
Y = np.stack([np.roll(X[:, 0], 1), X[:, 1] ** 2, X[:, 0] * X[:, 1]], axis=1)
LABELS = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-0.5, 0.5])]

# No connection, one and two.
UNEVEN = np.diag(np.tile([0.5, 0.0, -0.3, 0.2], 6)) + np.diag(np.tile([0.1, 0, 0, 0], 6)[1:], k=-1)


def esn(**params):
    return ESNRegressor(13, **params, alpha=1e-2, random_state=0)


def deep():
    layers = {"n_units": [5, 90], "activation": ["tanh", "sigmoid"], "update": ["es2n", "leaky"]}
    return DeepReservoir(Reservoir(leak_rate=0.5), 2, layer_params=layers, random_state=0)


FITTED = {
    "leaky": lambda: esn(leak_rate=(0.1, 1.0)).fit(X, Y),
    "es2n": lambda: esn(update="es2n", leak_rate=0.4, activation="identity").fit(X, Y[:, 0]),
    "residual": lambda: esn(
        update="residual", leak_rate=0.3, activation="relu", include_input=False
    ).fit(X, Y),
    "sparse": lambda: ESNRegressor(
        24, topology=UNEVEN, spectral_radius=None, alpha=1e-2, random_state=0
    ).fit(X, Y),
    "no connections": lambda: esn(topology=np.zeros((13, 13)), spectral_radius=None).fit(X, Y),
    "feedback": lambda: esn(feedback=True, activation="sigmoid", feedback_scaling=0.3).fit(X, Y),
    "float32": lambda: esn(input_scaling="auto").fit(X.astype("f4"), Y),
    "deep": lambda: ReservoirRegressor(deep(), include_input=True).fit(X, Y),
    "quadratic": lambda: ReservoirRegressor(deep(), quadratic=True, feedback=True).fit(X, Y),
    "classifier": lambda: ESNClassifier(12, random_state=0).fit(X, LABELS),
}


@cache
def fitted(name):
    """Fit once for all tests."""
    return FITTED[name]()


@pytest.fixture(scope="module")
def runtime():
    pytest.importorskip("onnx")
    return pytest.importorskip("onnxruntime")


def session_of(runtime, model, form):
    return runtime.InferenceSession(to_onnx(model, form=form).SerializeToString())


def run(session, x, state=None):
    """Return all outputs by name."""
    names = [output.name for output in session.get_outputs()]
    given = {"X": x} if state is None else {"X": x, "initial_state": state}
    return dict(zip(names, session.run(names, given), strict=True))


def assert_close(found, wanted):
    limit = 1e-5 if wanted.dtype == np.float32 else 1e-9
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit * np.abs(wanted).max())


@pytest.mark.parametrize("name", FITTED)
def test_both_forms_compute_what_predict_computes(runtime, name):
    model = fitted(name)
    new = NEW.astype(model._dtype)
    wanted, last = model.predict(new, return_state=True)
    key = "y"
    if hasattr(model, "classes_"):
        key, wanted = "probabilities", model.predict_proba(new)
    whole = run(session_of(runtime, model, "sequence"), new)
    assert_close(whole[key].reshape(wanted.shape), wanted)
    assert_close(whole["last_state"], last[0])
    step, state = session_of(runtime, model, "step"), None
    for row, output in zip(new, whole[key], strict=True):
        found = run(step, row, state)
        state = found["last_state"]
        assert_close(found[key], output)
    assert_close(state, last[0])


def test_a_series_continues_from_its_last_state(runtime):
    session = session_of(runtime, fitted("feedback"), "sequence")
    whole, first = run(session, NEW), run(session, NEW[:11])
    rest = run(session, NEW[11:], first["last_state"])
    assert_close(np.concatenate([first["y"], rest["y"]]), whole["y"])


def test_a_classifier_has_scores_and_labels(runtime):
    model = fitted("classifier")
    session = session_of(runtime, model, "sequence")
    assert_close(run(session, NEW)["scores"], model.decision_function(NEW))
    labels = session.get_modelmeta().custom_metadata_map["classes"]
    assert json.loads(labels) == model.classes_.tolist()
