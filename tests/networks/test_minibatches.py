"""Mini-batches, chunks of time, and evaluation in parts."""

import numpy as np
import pytest

from esnkit.networks._batch import InitialState
from esnkit.networks._bptt import run
from esnkit.networks._minibatches import SequenceBatch, cut_batches, evaluate, tbptt_chunks
from esnkit.networks._spec import Spec, n_parameters
from esnkit.sequences._initial_state import Clamp

SPEC = Spec("lstm", 6, 2, 1)
LENGTHS = np.array([9, 4, 7, 9, 1, 6])


def make_data(per_step=True):
    rng, offsets = np.random.default_rng(0), np.concatenate([[0], np.cumsum(LENGTHS)])
    n_targets = offsets[-1] if per_step else len(LENGTHS)
    X, Y = rng.normal(size=(offsets[-1], 2)), rng.normal(size=(n_targets, 1))
    return SequenceBatch(X, offsets, Y, per_step)


def test_batches_hold_every_sequence_once_and_like_lengths_together():
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


def test_chunks_put_together_are_the_whole():
    data = make_data()
    seen = np.zeros(len(data.Y), int)
    for alive, rows, part in tbptt_chunks(data, 4):
        seen[rows] += 1
        assert np.array_equal(part.inputs, data.inputs[rows])
        assert len(part.lengths) == len(alive) and part.lengths.max() <= 4
    assert np.all(seen == 1)


def test_a_subset_takes_everything_along():
    data = make_data(per_step=False)._replace(
        weights=np.arange(6.0),
        initial_state=InitialState(np.arange(72.0).reshape(6, 12), np.ones(12, bool)),
        clamp=Clamp(np.array([1]), np.arange(36.0)[:, None]),
    )
    part = data.subset(np.array([2, 0]), 1, 3)
    assert part.weights.tolist() == [2, 0] and part.initial_state.values[:, 0].tolist() == [24, 0]
    assert part.clamp.values[:, 0].tolist() == [14, 15, 1, 2]


@pytest.mark.parametrize("pooling", [None, "last"])
def test_evaluation_in_parts_is_that_in_one_go(pooling, monkeypatch):
    monkeypatch.setattr("esnkit.networks._minibatches.EVALUATED_SEQUENCES", 4)
    monkeypatch.setattr("esnkit.networks._minibatches.EVALUATED_STEPS", 3)
    spec, data = SPEC._replace(pooling=pooling), make_data(pooling is None)
    theta = np.random.default_rng(0).normal(size=n_parameters(spec))
    outputs, states = evaluate(spec, theta, data)
    expected, tape = run(spec, theta, data.batch())
    np.testing.assert_allclose(outputs, expected, atol=1e-14)
    np.testing.assert_allclose(states, tape.state, atol=1e-14)
