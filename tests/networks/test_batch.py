"""Batches of sequences, longest first, and their halves."""

import numpy as np
import pytest

from esnkit.networks._batch import InitialState, halves, make_batch
from esnkit.sequences._initial_state import Clamp

OFFSETS = np.array([0, 2, 5, 5 + 1, 9])  # lengths 2, 3, 1, 3


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    start = InitialState(rng.normal(size=(4, 6)), np.arange(6) > 2)
    clamp = Clamp(np.array([1]), rng.normal(size=(9, 1)))
    return make_batch(rng.normal(size=(9, 2)), OFFSETS, start, clamp)


def test_columns_are_sequences_longest_first(batch):
    assert batch.order.tolist() == [1, 3, 0, 2] and batch.n.tolist() == [4, 3, 2]
    assert batch.rows.tolist() == [2, 6, 0, 5, 3, 7, 1, 4, 8]
    assert batch.rows_reversed.tolist() == [4, 8, 1, 5, 3, 7, 0, 2, 6]
    assert batch.n_whole == 4


def test_halves_take_everything_along(batch):
    first, second = halves(batch, 3)
    assert np.array_equal(np.concatenate([first.inputs, second.inputs]), batch.inputs)
    assert first.offsets.tolist() == [0, 2, 5, 6] and second.offsets.tolist() == [0, 3]
    assert np.array_equal(second.initial_state.values, batch.initial_state.values[3:])
    assert second.initial_state.given is batch.initial_state.given
    assert np.array_equal(second.clamp.values, batch.clamp.values[6:])
    assert first.n_whole == second.n_whole == 4


def test_halves_of_a_batch_without_states_have_none():
    for half in halves(make_batch(np.zeros((9, 2)), OFFSETS), 2):
        assert half.initial_state is None and half.clamp is None
