"""Forward and backward passes of networks, against loops and differences."""

from itertools import pairwise

import numpy as np
import pytest
from gradients import difference
from network_problems import CELLS, LENGTHS, OFFSETS, SPECS, problem, theta_of
from reference import cell_states

from esnkit.networks._batch import InitialState, make_batch
from esnkit.networks._bptt import eigenvalues_of, run, run_backward, state_rows
from esnkit.networks._spec import Spec, parameter_views

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


@pytest.mark.parametrize("cell", CELLS)
def test_both_directions_are_two_networks(cell):
    names = {"tanh": "rnn", "gru_before": "before"}
    spec = SPECS[f"both ways {cell}"]._replace(head=False, n_outputs=8)
    theta, (batch, _, _) = theta_of(spec), problem(spec)
    outputs, _ = run(spec, theta, batch)
    parts, zero = parameter_views(spec, theta), np.zeros(4)
    E = {layer.name: eigenvalues_of(spec, parts, layer) for layer in spec.layers()}
    name = names.get(cell, cell)
    for a, z in zip(OFFSETS[:-1], OFFSETS[1:], strict=True):
        X = batch.inputs[a:z]
        on = cell_states(name, parts["M_0"], X, zero, zero, E=E["0"])[0]
        back = cell_states(name, parts["M_0_reverse"], X[::-1], zero, zero, E=E["0_reverse"])[0]
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


@pytest.mark.parametrize("spec", ["two lstm", "two gru", "tanh", "two minlstm", "two lru"])
def test_halves_with_the_state_carried_are_the_whole(spec):
    spec = SPECS[spec]
    theta = theta_of(spec)
    X = np.random.default_rng(0).normal(size=(3, 8, 3))
    whole, tape = run(spec, theta, make_batch(X.reshape(-1, 3), np.arange(4) * 8))
    start, outputs = None, []
    for part in (X[:, :3], X[:, 3:]):
        offsets = np.arange(4) * part.shape[1]
        out, half = run(spec, theta, make_batch(part.reshape(-1, 3), offsets, start))
        start = InitialState(half.state, np.ones(spec.n_state, bool))
        outputs.append(out.reshape(3, -1, 2))
    assert np.array_equal(np.concatenate(outputs, axis=1).reshape(-1, 2), whole)
    assert np.array_equal(start.values, tape.state)


def test_what_comes_back_through_time_is_the_derivative_by_the_state():
    spec = SPECS["two lstm"]
    theta, (batch, Y, _) = theta_of(spec), problem(spec)
    outputs, tape = run(spec, theta, batch)
    blocks = []
    run_backward(spec, tape, outputs - Y, d_states=blocks)
    d_states = state_rows(spec, batch, blocks)
    assert [d.shape for d in d_states] == [(OFFSETS[-1], 4)] * 2
    last = OFFSETS[1:] - 1
    top = (outputs - Y)[last] @ parameter_views(spec, theta)["head_W"]
    np.testing.assert_allclose(d_states[1][last], top, atol=1e-14)


@pytest.mark.parametrize("spec", ["two lstm", "both ways gru", "two mingru", "two lru"])
def test_the_gradient_of_given_states_is_that_of_the_loss(spec):
    spec = SPECS[spec]
    theta, (batch, Y, _) = theta_of(spec), problem(spec)
    state = np.random.default_rng(3).normal(size=(len(LENGTHS), spec.n_state))
    batch = batch._replace(initial_state=InitialState(state, np.array(True)))
    outputs, tape = run(spec, theta, batch)
    found = np.empty_like(state)
    run_backward(spec, tape, outputs - Y, d_initial_state=found)

    def loss():
        return 0.5 * np.sum((run(spec, theta, batch)[0] - Y) ** 2)

    expected = difference(loss, state)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


@every_spec
def test_exact_outputs_do_not_depend_on_the_rows_around_them(spec):
    theta, (batch, _, _) = theta_of(spec), problem(spec)
    outputs, _ = run(spec, theta, batch, exact=True)
    np.testing.assert_allclose(outputs, run(spec, theta, batch)[0], atol=1e-14)
    first = make_batch(batch.inputs[: OFFSETS[1]], OFFSETS[:2])
    alone, _ = run(spec, theta, first, exact=True)
    assert np.array_equal(alone, outputs[: len(alone)])


def test_exact_attention_does_not_depend_on_the_rows_around_it():
    spec = Spec("tanh", 34, 2, 1, pooling="attention")
    theta, rng = theta_of(spec), np.random.default_rng(0)
    lengths = np.arange(1, 21)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    X = rng.normal(size=(offsets[-1], 2))
    outputs, tape = run(spec, theta, make_batch(X, offsets), exact=True)
    for i, (start, stop) in enumerate(pairwise(offsets.tolist())):
        alone = make_batch(X[start:stop], np.array([0, stop - start]))
        output, other = run(spec, theta, alone, exact=True)
        assert np.array_equal(output[0], outputs[i])
        assert np.array_equal(other.pooling.weights, tape.pooling.weights[start:stop])


@pytest.mark.parametrize("spec", ["lstm", "both ways gru"])
def test_a_second_backward_pass_with_a_tape_gives_the_same(spec):
    spec = SPECS[spec]
    theta, (batch, Y, _) = theta_of(spec), problem(spec)
    outputs, tape = run(spec, theta, batch)
    first = run_backward(spec, tape, outputs - Y)
    n_used = tape.workspace.n_used
    assert np.array_equal(run_backward(spec, tape, outputs - Y), first)
    assert tape.workspace.n_used == n_used
