"""The loss of a batch and its gradient: by differences, in halves and on threads."""

import numpy as np
import pytest
from gradients import slope
from network_problems import (
    BASE,
    CELLS,
    LENGTHS,
    OFFSETS,
    SPECS,
    free_parameters,
    problem,
    theta_of,
)

from esnkit.networks._batch import InitialState, halves, make_batch
from esnkit.networks._loss_gradient import (
    MIN_GATE_ROWS,
    _first_half,
    _halves_may_run_as_one,
    loss_gradient,
    penalty,
)
from esnkit.networks._spec import Spec, n_parameters, weight_decay_mask
from esnkit.sequences._initial_state import Clamp
from esnkit.utils._workspace import Workspace

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def check_gradient(spec, weights=None, states=None, **options):
    batch, Y, w = problem(spec, weights)
    batch = batch._replace(**(states or {}))
    theta = theta_of(spec)
    free = free_parameters(spec)

    def loss():
        return loss_gradient(spec, theta, batch, Y, w, **options)[0]

    value, gradient, _, _ = loss_gradient(spec, theta, batch, Y, w, **options)
    assert value > 0
    assert not gradient[~free].any()
    for direction in np.random.default_rng(0).normal(size=(8, theta.size)) * free:
        direction /= np.linalg.norm(direction)
        error = slope(loss, theta, direction) - gradient @ direction
        assert abs(error) < 1e-9 * np.abs(gradient).max()


@every_spec
def test_gradient_is_that_of_the_loss(spec):
    check_gradient(spec)


@pytest.mark.parametrize("weights", ["rows", "outputs"])
@pytest.mark.parametrize("spec", ["lstm", "last", "softmax", "no head"])
def test_gradient_of_weighted_losses(spec, weights):
    if spec != "softmax" or weights == "rows":
        check_gradient(SPECS[spec], weights)


def test_gradient_with_penalty():
    check_gradient(SPECS["attention"], alpha=0.7)


@pytest.mark.parametrize("spec", ["two lstm", "both ways gru", "learned state"])
def test_gradient_with_given_states_and_clamped_units(spec):
    spec = SPECS[spec]
    rng = np.random.default_rng(3)
    given = rng.random(spec.n_state) > 0.5
    start = InitialState(rng.normal(size=(len(LENGTHS), spec.n_state)), given)
    units = np.array([1, spec.n_hidden - 1])
    clamp = Clamp(units, rng.normal(size=(OFFSETS[-1], 2)))
    check_gradient(spec, states={"initial_state": start, "clamp": clamp})


@pytest.mark.parametrize("weights", [None, "rows"])
@every_spec
def test_a_large_network_runs_on_two_halves_of_a_batch(spec, weights, monkeypatch):
    batch, Y, w = problem(spec, weights)
    theta, rng = theta_of(spec), np.random.default_rng(3)
    values, given = rng.normal(size=(len(LENGTHS), spec.n_state)), rng.random(spec.n_state) > 0.5
    clamp = Clamp(np.array([1]), rng.normal(size=(OFFSETS[-1], 1)))
    batch = batch._replace(initial_state=InitialState(values, given), clamp=clamp)
    whole = loss_gradient(spec, theta, batch, Y, w, alpha=0.3)
    monkeypatch.setattr("esnkit.networks._loss_gradient.MIN_GATE_ROWS", 0)
    monkeypatch.setattr("esnkit.networks._loss_gradient.MIN_SEQUENCES", 1)
    workspace, found = Workspace(), []
    for n_threads in (1, 2, 2):
        monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", n_threads)
        workspace.rewind()
        found.append(loss_gradient(spec, theta, batch, Y, w, alpha=0.3, workspace=workspace))
    for loss, gradient, state, total in found:
        assert np.array_equal(gradient, found[0][1])
        np.testing.assert_allclose(loss, whole[0], rtol=1e-13)
        np.testing.assert_allclose(gradient, whole[1], atol=1e-13 * np.abs(whole[1]).max())
        assert np.array_equal(state, whole[2]) and total == whole[3]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", [None, "last"])
def test_one_thread_has_the_bits_of_two(cell, pooling, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    fewest = -(-MIN_GATE_ROWS // len(BASE._replace(cell=cell).cell_record.gates))
    for n_layers, n_units, n, n_outputs in ((1, 80, 40, 1), (2, fewest, 35, 3)):
        spec = Spec(cell, n_units, 3, n_outputs, n_layers, n_layers > 1, pooling=pooling)
        theta = rng.normal(0, 0.1, n_parameters(spec)).astype(dtype)
        X = rng.normal(size=(9 * n, 3)).astype(dtype)
        Y = rng.normal(size=(n if pooling else 9 * n, n_outputs)).astype(dtype)
        batch, found = make_batch(X, np.arange(n + 1) * 9), []
        assert _halves_may_run_as_one(spec, batch) == (cell != "gru_before")
        for n_threads in (1, 2):
            monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", n_threads)
            found.append(loss_gradient(spec, theta, batch, Y))
        for one, two in zip(*found, strict=True):
            assert np.array_equal(one, two)


def test_halves_are_of_sequences_with_as_many_steps():
    lengths = np.array([1] * 30 + [9] * 50)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    batch = make_batch(np.zeros((offsets[-1], 3)), offsets)
    parts = halves(batch, _first_half(BASE._replace(n_units=64, cell="lstm"), batch))
    assert [len(part.offsets) - 1 for part in parts] == [48, 32]
    assert [len(part.inputs) for part in parts] == [192, 288]
    for small in (BASE, BASE._replace(n_units=128, cell="tanh")):
        assert _first_half(small, batch) == 0


def test_a_batch_without_weight_has_no_gradient():
    spec = SPECS["lstm"]
    batch, Y, _ = problem(spec)
    loss, gradient, state, total = loss_gradient(spec, theta_of(spec), batch, Y, np.zeros(len(Y)))
    assert loss == total == 0 and not gradient.any() and state.any()


def test_the_penalty_is_half_the_squared_weights():
    spec = SPECS["lstm"]
    theta = theta_of(spec)
    weights = theta * weight_decay_mask(spec)
    value, gradient = penalty(spec, theta, 0.3, 10)
    assert value == pytest.approx(0.03 * np.sum(weights**2) / 2)
    np.testing.assert_allclose(gradient, 0.03 * weights)
