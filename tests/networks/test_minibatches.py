"""Mini-batches: every sequence once, chunks of time, subsets, evaluation in groups."""

import numpy as np
import pytest
from training_problems import SPEC, make_data, make_trainer

from esnkit.networks._bptt import InitialState, make_batch, run
from esnkit.networks._minibatches import cut_batches, evaluate, tbptt_chunks
from esnkit.sequences._initial_state import Clamp


def test_batches_have_every_sequence_once_and_similar_lengths():
    lengths = np.random.default_rng(0).integers(1, 100, 1000)
    batches = cut_batches(lengths, 10, np.random.default_rng(0))
    assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(1000))
    spans = [np.ptp(lengths[batch]) for batch in batches]
    assert np.median(spans) < 8
    first = [batch[0] for batch in batches]
    assert first != sorted(first)


def test_batches_without_shuffling_keep_the_order():
    batches = cut_batches(np.array([3, 1, 2]), 2, None)
    assert [batch.tolist() for batch in batches] == [[0, 1], [2]]


def test_chunks_together_are_the_whole():
    data = make_data()
    seen = np.zeros(len(data.Y), int)
    for running, rows, chunk in tbptt_chunks(data, 4):
        seen[rows] += 1
        assert np.array_equal(chunk.inputs, data.inputs[rows])
        assert len(chunk.lengths) == len(running) and chunk.lengths.max() <= 4
    assert np.all(seen == 1)


def test_a_subset_includes_weights_states_and_clamps():
    data = make_data(per_step=False)._replace(
        weights=np.arange(6.0),
        initial_state=InitialState(np.arange(72.0).reshape(6, 12), np.ones(12, bool)),
        clamp=Clamp(np.array([1]), np.arange(36.0)[:, None]),
    )
    chunk = data.subset(np.array([2, 0]), 1, 3)
    assert chunk.weights.tolist() == [2, 0] and chunk.initial_state.values[:, 0].tolist() == [24, 0]
    assert chunk.clamp.values[:, 0].tolist() == [14, 15, 1, 2]


@pytest.mark.parametrize("pooling", [None, "last"])
def test_evaluation_in_groups_equals_evaluation_at_once(pooling, monkeypatch):
    monkeypatch.setattr("esnkit.networks._minibatches.SIDE_BY_SIDE", 4)
    monkeypatch.setattr("esnkit.networks._minibatches.STEPS_AT_ONCE", 3)
    spec, data = SPEC._replace(pooling=pooling), make_data(pooling is None)
    theta = make_trainer(spec).theta
    outputs, states = evaluate(spec, theta, data)
    expected, tape = run(spec, theta, make_batch(data.inputs, data.offsets))
    np.testing.assert_allclose(outputs, expected, atol=1e-14)
    np.testing.assert_allclose(states, tape.state, atol=1e-14)
