"""Objectives: the updates of a mini-batch, with and without truncated backpropagation."""

import numpy as np
import pytest
from training_problems import SPEC, make_data, make_trainer, negative_loss

from esnkit.networks._batch import make_batch
from esnkit.networks._loss_gradient import loss_gradient, penalty
from esnkit.networks._minibatches import evaluate
from esnkit.networks._objective import network_gradients, network_loss
from esnkit.utils._workspace import Workspace


def updates(spec, theta, data, tbptt=None):
    found = network_gradients(spec, theta, data, 0.0, tbptt, Workspace())
    return [(loss, gradient.copy(), weight) for loss, gradient, weight in found]


def test_a_mini_batch_without_chunks_makes_one_update_along_its_gradient():
    data, theta = make_data(), make_trainer().theta
    batch = make_batch(data.inputs, data.offsets)
    loss, gradient, _, weight = loss_gradient(SPEC, theta, batch, data.Y)
    ((found_loss, found_gradient, found_weight),) = updates(SPEC, theta, data)
    assert (found_loss, found_weight) == (loss, weight)
    assert np.array_equal(found_gradient, gradient)


def test_chunks_without_weight_make_no_update():
    data, theta = make_data(), make_trainer().theta
    steps = np.arange(len(data.Y)) - np.repeat(data.offsets[:-1], data.lengths)
    late = data._replace(weights=(steps >= 6).astype(float))
    assert len(updates(SPEC, theta, data, tbptt=3)) == 3
    assert len(updates(SPEC, theta, late, tbptt=3)) == 1


def test_a_target_per_sequence_counts_in_the_chunk_where_the_sequence_ends():
    data, spec = make_data(False), SPEC._replace(pooling="last")
    found = updates(spec, make_trainer(spec).theta, data, tbptt=3)
    assert [weight for _, _, weight in found] == [1, 2, 3]  # of lengths 9, 4, 7, 9, 1, 6


def test_the_loss_is_that_of_all_sequences_with_the_penalty():
    data, theta = make_data(), make_trainer().theta
    outputs, _ = evaluate(SPEC, theta, data)
    expected = -negative_loss(outputs, data) / 2 + penalty(SPEC, theta, 0.7, len(data.Y))[0]
    assert network_loss(SPEC, theta, data, 0.7) == pytest.approx(expected, rel=1e-12)


def test_chunks_as_long_as_the_sequences_truncate_nothing():
    whole, cut = make_trainer(), make_trainer(tbptt=9)
    data = make_data()
    assert whole.epoch(data) == cut.epoch(data)
    assert np.array_equal(whole.theta, cut.theta)


@pytest.mark.parametrize("pooling", [None, "last"])
def test_truncated_backpropagation_carries_the_state_but_no_gradient(pooling):
    spec = SPEC._replace(pooling=pooling)
    data = make_data(pooling is None)
    trainer = make_trainer(spec, solver="sgd", learning_rate_init=1e-9, batch_size=6, tbptt=3)
    outputs, _ = evaluate(spec, trainer.theta, data)
    expected = -negative_loss(outputs, data) / 2
    assert trainer.epoch(data) == pytest.approx(expected, rel=1e-6)
    assert trainer.state.n_updates == 3
