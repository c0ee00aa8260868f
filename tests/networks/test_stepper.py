"""Networks step by step, against one pass over the whole sequence."""

import numpy as np
import pytest
from network_problems import BASE, SPECS, theta_of

from esnkit.networks._batch import InitialState, make_batch
from esnkit.networks._bptt import run
from esnkit.networks._stepper import Stepper

STREAMED = [
    "tanh", "relu", "lstm", "gru", "gru_before", "two lstm", "two gru", "softmax", "no head",
    "two mingru", "two minlstm", "two lru",
    "one-hot", "embedding",
]  # fmt: skip


def inputs_of(spec, n_steps=5):
    rng = np.random.default_rng(1)
    if spec.tokens:
        return rng.integers(0, spec.n_features, n_steps)
    return rng.normal(size=(n_steps, spec.n_features))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", STREAMED)
def test_steps_have_the_bits_of_one_pass(name, dtype):
    spec, X = SPECS[name], inputs_of(SPECS[name])
    theta, X = theta_of(spec).astype(dtype), X if SPECS[name].tokens else X.astype(dtype)
    state = np.random.default_rng(2).normal(size=(1, spec.n_state)).astype(dtype)
    batch = make_batch(X, np.array([0, len(X)]), InitialState(state, np.array(True)))
    outputs, tape = run(spec, theta, batch, exact=True)
    stepper = Stepper(spec, theta, state[0])
    assert np.array_equal(stepper.state, state)
    for x, expected in zip(X, outputs, strict=True):
        assert np.array_equal(stepper.step(x), expected)
        assert np.array_equal(stepper.outputs_of_state(), expected)
    assert np.array_equal(stepper.state, tape.state)


def test_a_stepper_copies_its_state_and_its_outputs():
    state = np.full(BASE.n_state, 0.5)
    stepper = Stepper(BASE, theta_of(BASE), state)
    first = stepper.step(np.ones(3))
    kept = first.copy()
    stepper.state[:] = 7
    second = stepper.step(np.ones(3))
    assert np.array_equal(first, kept) and not np.array_equal(second, first)
    assert np.all(state == 0.5) and np.all(np.abs(stepper.state) < 7)


def test_what_is_no_row_is_refused_and_changes_nothing():
    stepper = Stepper(BASE, theta_of(BASE), np.zeros(BASE.n_state))
    stepper.step(np.ones(3))
    before = stepper.state
    for x, message in (
        (np.ones(2), "x must be a row of real numbers of shape"),
        (["a", "b", "c"], "x must be a row of real numbers"),
        ([1.0, np.inf, 0.0], "x must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            stepper.step(x)
    assert np.array_equal(stepper.state, before)


def test_what_is_no_token_is_refused():
    stepper = Stepper(SPECS["one-hot"], theta_of(SPECS["one-hot"]), np.zeros(8))
    for x in (-1, 5, 0.5, np.nan, "a"):
        with pytest.raises(ValueError, match=r"x must be an integer in \[0, 4\]"):
            stepper.step(x)
