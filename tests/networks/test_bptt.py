"""The functional network: gradients by differences, against PyTorch, and by twins."""

import numpy as np
import pytest
from gradients import difference, slope
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
from reference import cell_states

from esnkit.networks._bptt import (
    InitialState,
    _goes_by_columns,
    _halves,
    _middle,
    loss_gradient,
    make_batch,
    run,
    run_backward,
    state_rows,
)
from esnkit.networks._spec import Spec, n_parameters, parameter_views
from esnkit.sequences._initial_state import Clamp
from esnkit.utils._workspace import Workspace

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def check_gradient(spec, weights=None, **options):
    batch, Y, w = problem(spec, weights)
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
def test_gradient_with_given_states_and_held_units(spec):
    spec = SPECS[spec]
    rng = np.random.default_rng(3)
    given = rng.random(spec.n_state) > 0.5
    start = InitialState(rng.normal(size=(len(LENGTHS), spec.n_state)), given)
    units = np.array([1, spec.n_hidden - 1])
    held = Clamp(units, rng.normal(size=(OFFSETS[-1], 2)))
    check_gradient(spec, initial_state=start, clamp=held)


@pytest.mark.parametrize("weights", [None, "rows"])
@every_spec
def test_a_large_network_runs_on_two_halves_of_a_batch(spec, weights, monkeypatch):
    batch, Y, w = problem(spec, weights)
    theta, rng = theta_of(spec), np.random.default_rng(3)
    start = InitialState(
        rng.normal(size=(len(LENGTHS), spec.n_state)), rng.random(spec.n_state) > 0.5
    )
    held = Clamp(np.array([1]), rng.normal(size=(OFFSETS[-1], 1)))
    arguments, options = (
        (spec, theta, batch, Y, w),
        {"initial_state": start, "clamp": held, "alpha": 0.3},
    )
    whole = loss_gradient(*arguments, **options)
    monkeypatch.setattr("esnkit.networks._bptt.MANY_ROWS", 0)
    monkeypatch.setattr("esnkit.networks._bptt.LEAST", 1)
    workspace, found = Workspace(), []
    for n_threads in (1, 2, 2):
        monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", n_threads)
        workspace.rewind()
        found.append(loss_gradient(*arguments, **options, workspace=workspace))
    for halves in found:
        assert np.array_equal(halves[1], found[0][1])
        np.testing.assert_allclose(halves[0], whole[0], rtol=1e-13)
        np.testing.assert_allclose(halves[1], whole[1], atol=1e-13 * np.abs(whole[1]).max())
        assert np.array_equal(halves[2], whole[2]) and halves[3] == whole[3]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", [None, "last"])
def test_one_thread_has_the_bits_of_two(cell, pooling, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    for n_layers, n_units, n, n_outputs in ((1, 80, 40, 1), (2, 256, 35, 3)):
        spec = Spec(cell, n_units, 3, n_outputs, n_layers, n_layers > 1, pooling=pooling)
        theta = rng.normal(0, 0.1, n_parameters(spec)).astype(dtype)
        X = rng.normal(size=(9 * n, 3)).astype(dtype)
        Y = rng.normal(size=(n if pooling else 9 * n, n_outputs)).astype(dtype)
        batch, found = make_batch(X, np.arange(n + 1) * 9), []
        assert _goes_by_columns(spec, batch) == (cell != "gru_before")
        for n_threads in (1, 2):
            monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", n_threads)
            found.append(loss_gradient(spec, theta, batch, Y))
        for one, two in zip(*found, strict=True):
            assert np.array_equal(one, two)


def test_halves_are_of_sequences_with_as_many_steps():
    lengths = np.array([1] * 30 + [9] * 50)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    batch = make_batch(np.zeros((offsets[-1], 3)), offsets)
    cut = _middle(BASE._replace(n_units=64, cell="lstm"), batch)
    parts = _halves(batch, None, None, cut)
    assert [len(part.offsets) - 1 for part, _, _ in parts] == [48, 32]
    assert [len(part.inputs) for part, _, _ in parts] == [192, 288]
    for small in (BASE, BASE._replace(n_units=128, cell="tanh")):
        assert _middle(small, batch) == 0


@pytest.mark.parametrize("cell", CELLS)
def test_both_directions_are_two_networks(cell):
    names = {"tanh": "rnn", "gru_before": "before"}
    spec = SPECS[f"both ways {cell}"]._replace(head=False, n_outputs=8)
    theta, (batch, _, _) = theta_of(spec), problem(spec)
    outputs, _ = run(spec, theta, batch)
    parts, zero = parameter_views(spec, theta), np.zeros(4)
    for a, z in zip(OFFSETS[:-1], OFFSETS[1:], strict=True):
        X = batch.inputs[a:z]
        on = cell_states(names.get(cell, cell), parts["M_0"], X, zero, zero)[0]
        back = cell_states(names.get(cell, cell), parts["M_0_reverse"], X[::-1], zero, zero)[0]
        np.testing.assert_allclose(outputs[a:z], np.hstack([on, back[::-1]]), atol=1e-14)


@every_spec
def test_a_sequence_is_not_changed_by_its_neighbours(spec):
    theta, (batch, _, _) = theta_of(spec), problem(spec)
    outputs, tape = run(spec, theta, batch)
    for i, (a, z) in enumerate(zip(OFFSETS[:-1], OFFSETS[1:], strict=True)):
        alone = make_batch(batch.inputs[a:z], np.array([0, z - a]))
        expected, tape_alone = run(spec, theta, alone)
        rows = slice(a, z) if spec.pooling is None else slice(i, i + 1)
        np.testing.assert_allclose(outputs[rows], expected, atol=1e-13)
        np.testing.assert_allclose(tape.state[i : i + 1], tape_alone.state, atol=1e-13)


@pytest.mark.parametrize("spec", ["two lstm", "two gru", "tanh"])
def test_halves_with_the_state_carried_are_the_whole(spec):
    spec = SPECS[spec]
    theta = theta_of(spec)
    X = np.random.default_rng(0).normal(size=(3, 8, 3))
    whole, tape = run(spec, theta, make_batch(X.reshape(-1, 3), np.arange(4) * 8))
    start, outputs = None, []
    for part in (X[:, :3], X[:, 3:]):
        offsets = np.arange(4) * part.shape[1]
        out, half = run(spec, theta, make_batch(part.reshape(-1, 3), offsets), start)
        start = InitialState(half.state, np.ones(spec.n_state, bool))
        outputs.append(out.reshape(3, -1, 2))
    assert np.array_equal(np.concatenate(outputs, axis=1).reshape(-1, 2), whole)
    assert np.array_equal(start.values, tape.state)


def test_what_comes_back_through_time_is_the_derivative_by_the_state():
    spec = SPECS["two lstm"]
    theta, (batch, Y, _) = theta_of(spec), problem(spec)
    outputs, tape = run(spec, theta, batch)
    blocks = []
    run_backward(spec, theta, batch, tape, outputs - Y, d_states=blocks)
    d_states = state_rows(spec, batch, blocks)
    assert [d.shape for d in d_states] == [(OFFSETS[-1], 4)] * 2
    last = OFFSETS[1:] - 1
    top = (outputs - Y)[last] @ parameter_views(spec, theta)["head_W"]
    np.testing.assert_allclose(d_states[1][last], top, atol=1e-14)


@pytest.mark.parametrize("spec", ["two lstm", "both ways gru"])
def test_the_gradient_of_given_states_is_that_of_the_loss(spec):
    spec = SPECS[spec]
    theta, (batch, Y, _) = theta_of(spec), problem(spec)
    state = np.random.default_rng(3).normal(size=(len(LENGTHS), spec.n_state))
    start = InitialState(state, np.array(True))
    outputs, tape = run(spec, theta, batch, start)
    found = np.empty_like(state)
    run_backward(spec, theta, batch, tape, outputs - Y, d_initial_state=found)

    def loss():
        return 0.5 * np.sum((run(spec, theta, batch, start)[0] - Y) ** 2)

    expected = difference(loss, state)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
