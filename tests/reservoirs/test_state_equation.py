"""State equations as matrices: they give the states of the reservoir, and their derivatives."""

import numpy as np
import pytest

from esnkit import (
    NVAR,
    DeepReservoir,
    IntrinsicPlasticityReservoir,
    ParallelReservoir,
    Reservoir,
)
from esnkit.reservoirs import UPDATES, BaseReservoir
from esnkit.sequences import Sequences

ACTIVATIONS = {
    "tanh": np.tanh,
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_equation_gives_states_and_their_derivatives(activation, update):
    rng = np.random.default_rng(0)
    reservoir = Reservoir(
        9, update=update, activation=activation, leak_rate=(0.1, 1.0), random_state=0
    ).prepare(2, n_feedback=1)
    inputs, state, directions = rng.normal(size=3), rng.normal(size=9), rng.normal(size=(9, 4))
    for _ in range(2):
        (equation,) = reservoir.state_equations()
        pre = equation.recurrent @ state + equation.input_weights @ inputs + equation.bias
        wanted = equation.kept() @ state + equation.rates.gain * ACTIVATIONS[activation](pre)
        after = state[np.newaxis].copy()
        reservoir.advance(Sequences(inputs[np.newaxis], np.array([0, 1]), "series"), after)
        np.testing.assert_allclose(after[0], wanted, atol=1e-14)
        moved = reservoir.jacobian_product(inputs, state, directions)
        differences = BaseReservoir.jacobian_product(reservoir, inputs, state, directions)
        np.testing.assert_allclose(moved, differences, atol=1e-8)
        reservoir.W_ = 2 * reservoir.W_  # which every later call uses
    if activation == "identity":
        np.testing.assert_allclose(equation.jacobian() @ directions, moved, atol=1e-14)


def test_composed_reservoirs_list_the_equations_of_their_parts():
    X = np.zeros((5, 2))
    deep = DeepReservoir(Reservoir(4), 3, random_state=0).fit(X)
    assert [e.input_weights.shape for e in deep.state_equations()] == [(4, 2), (4, 4), (4, 4)]
    parallel = ParallelReservoir(deep, 2, random_state=0).fit(X)
    assert len(parallel.state_equations()) == 6
    assert NVAR().fit(X).state_equations() is None
    assert ParallelReservoir(NVAR(), 2).fit(X).state_equations() is None


def test_adapted_weights_are_those_of_the_equation():
    rng = np.random.default_rng(0)
    plastic = IntrinsicPlasticityReservoir(Reservoir(6, random_state=0), learning_rate=0.01)
    plastic.fit(rng.uniform(size=(200, 1)))
    (equation,) = plastic.state_equations()
    np.testing.assert_array_equal(equation.bias, plastic.reservoir_.b_)
    args = np.ones(1), rng.uniform(size=6), np.eye(6)
    moved = plastic.jacobian_product(*args)
    np.testing.assert_allclose(moved, BaseReservoir.jacobian_product(plastic, *args), atol=1e-8)
