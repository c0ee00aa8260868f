"""One time step as plain arrays: a loop over them is what predict computes."""

import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from esnkit import (
    BaseReadout,
    DeepReservoir,
    ESNRegressor,
    ParallelReservoir,
    Reservoir,
    ReservoirRegressor,
)
from esnkit.export._fitted_step import fitted_step

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = np.stack([np.roll(X[:, 0], 1), X[:, 1] ** 2], axis=1)
ACTIVATIONS = {
    "tanh": np.tanh,
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def run(step, inputs):
    """Return the outputs of all time steps, by the equations of the docstrings."""
    states, fed, outputs = (
        [np.zeros(layer.bias.size) for layer in step.layers],
        np.zeros(step.n_fed),
        [],
    )
    for u in inputs:
        row = received = np.concatenate([fed, u])
        for k, (W, W_in, b, (gain, keep, shift), activation) in enumerate(step.layers):
            pre = W @ states[k] + W_in @ received + b
            kept = keep * np.roll(states[k], -shift)
            received = states[k] = kept + gain * ACTIVATIONS[activation](pre)
        features = np.concatenate(states)
        if step.quadratic:
            features[1::2] **= 2
        features = np.concatenate([features] + [row] * step.include_input)
        outputs.append(step.coef @ features + step.intercept)
        fed = outputs[-1][: step.n_fed]
    return np.array(outputs)


def deep(layer):
    return DeepReservoir(layer, 2, layer_params={"activation": ["relu", "sigmoid"]}, random_state=0)


@pytest.mark.parametrize("update", ["leaky", "es2n", "euler", "residual"])
def test_a_loop_over_the_arrays_is_predict(update):
    equation = {"update": update, "leak_rate": (0.1, 0.5), "spectral_radius": 0.3}
    models = [
        ESNRegressor(12, **equation, feedback=True, alpha=0.1, random_state=0),
        ReservoirRegressor(deep(Reservoir(9, **equation)), include_input=True, quadratic=True),
    ]
    for model in models:
        wanted = model.fit(X, Y).predict(X)
        np.testing.assert_allclose(run(fitted_step(model), X), wanted, rtol=1e-9, atol=1e-9)


def test_the_sizes_are_those_of_the_model():
    model = ESNRegressor(12, feedback=True, random_state=0).fit(X.astype("f4"), Y)
    step = fitted_step(model)
    assert (step.n_inputs, step.n_outputs, step.n_units, step.n_fed) == (2, 2, 12, 2)
    assert {layer.bias.dtype for layer in step.layers} == {step.dtype} == {np.dtype("f4")}
    assert step.layers[0].recurrent.dtype == step.layers[0].rates.gain.dtype == np.float32


class Doubled(Reservoir):
    """A reservoir with its own run, which the weights do not tell."""

    def run(self, sequences, state, out=None, **forcing):
        super().run(sequences, state, out, **forcing)
        out[:, : self.n_features_out_] *= 2


@pytest.mark.parametrize(
    "reservoir",
    [Doubled(9), ParallelReservoir(Reservoir(9)), DeepReservoir(DeepReservoir(Reservoir(9)))],
)
def test_a_reservoir_of_another_form_is_refused(reservoir):
    model = ReservoirRegressor(reservoir).fit(X, Y)
    with pytest.raises(ValueError, match=re.escape(f"got {reservoir!r}: only these")):
        fitted_step(model)


def test_a_model_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        fitted_step(ESNRegressor())


class Broken(BaseReadout):
    """A linear readout without a solution."""

    def fit_blocks(self, make_blocks, n_rows=None):
        list(make_blocks())
        self.coef_, self.intercept_ = np.ones((2, 9)), np.array([0.0, np.nan])
        return self

    def predict(self, X):
        return X @ self.coef_.T + self.intercept_


def test_a_model_whose_weights_are_not_finite_is_refused():
    model = ReservoirRegressor(Reservoir(9), Broken()).fit(X, Y)
    with pytest.raises(ValueError, match="intercept_ must be finite"):
        fitted_step(model)
