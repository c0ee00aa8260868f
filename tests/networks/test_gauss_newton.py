"""Gauss-Newton products against the matrix written out."""

import numpy as np
import pytest
from network_problems import CELLS, LENGTHS, OFFSETS, SPECS, free_parameters, problem, theta_of

from esnkit.networks._batch import InitialState
from esnkit.networks._bptt import run, run_backward
from esnkit.networks._gauss_newton import curvature_product, run_tangent
from esnkit.networks._losses import LOSSES
from esnkit.networks._spec import weight_decay_mask
from esnkit.sequences._initial_state import Clamp

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def jacobian(spec, outputs, tape):
    """Return d outputs / d theta, row by row from the backward pass."""
    rows = []
    for i in np.ndindex(outputs.shape):
        unit = np.zeros_like(outputs)
        unit[i] = 1
        rows.append(run_backward(spec, tape, unit))
    return np.array(rows)


def loss_hessian(spec, outputs, weights):
    """Return the second derivative of the loss by the outputs, column by column."""
    columns = []
    for i in np.ndindex(outputs.shape):
        unit = np.zeros_like(outputs)
        unit[i] = 1
        columns.append(LOSSES[spec.loss][1](outputs, unit, weights).ravel())
    return np.array(columns).T


def direction(spec, seed=5):
    v = np.random.default_rng(seed).normal(size=len(theta_of(spec)))
    return v * free_parameters(spec)


@every_spec
@pytest.mark.parametrize("weights", [None, "rows"])
def test_products_are_those_of_the_matrix(spec, weights):
    batch, _, w = problem(spec, weights)
    theta, v = theta_of(spec), direction(spec)
    outputs, tape = run(spec, theta, batch)
    J, H = jacobian(spec, outputs, tape), loss_hessian(spec, outputs, w)
    moved, _ = run_tangent(spec, v, tape)
    np.testing.assert_allclose(moved.ravel(), J @ v, rtol=1e-11, atol=1e-12)
    expected = J.T @ H @ J @ v + 0.3 / len(outputs) * weight_decay_mask(spec) * v
    found = curvature_product(spec, v, outputs, tape, w, alpha=0.3)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["two lstm", "both ways gru", "learned state", "two tanh", "two mingru", "two lru"]
)
def test_clamped_units_and_given_states_do_not_move(name):
    spec, rng = SPECS[name], np.random.default_rng(0)
    batch, _, _ = problem(spec)
    start = InitialState(
        rng.normal(size=(len(LENGTHS), spec.n_state)), rng.random(spec.n_state) > 0.5
    )
    clamp = Clamp(np.array([1, spec.n_hidden - 1]), rng.normal(size=(OFFSETS[-1], 2)))
    theta, v = theta_of(spec), direction(spec)
    outputs, tape = run(spec, theta, batch._replace(initial_state=start, clamp=clamp))
    moved, _ = run_tangent(spec, v, tape)
    J = jacobian(spec, outputs, tape)
    np.testing.assert_allclose(moved.ravel(), J @ v, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_structural_damping_is_the_curvature_of_the_distance_of_states(cell):
    spec = SPECS[cell]
    batch, _, _ = problem(spec)
    theta, v = theta_of(spec), direction(spec)
    outputs, tape = run(spec, theta, batch)
    without = curvature_product(spec, v, outputs, tape)
    damped = curvature_product(spec, v, outputs, tape, structural=0.7)
    bare = spec._replace(head=False, n_outputs=4)  # its outputs are the states
    n = len(theta) - 10
    states, tape = run(bare, theta[:n], batch)
    J = jacobian(bare, states, tape)
    metric = np.ones(states.size)
    if cell == "tanh":  # of the distance that matches tanh, by the states
        metric = 1 / (1 - states.ravel() ** 2)
    expected = 0.7 / len(outputs) * J.T @ (metric * (J @ v[:n]))
    np.testing.assert_allclose((damped - without)[:n], expected, rtol=1e-9, atol=1e-12)
    assert np.array_equal(damped[n:], without[n:])
