"""The table of optimisers: every row makes the updates of its function, in place."""

import pickle

import numpy as np
import pytest

from esnkit.optim._first_order import adam_state, adam_step, momentum_at, sgd_state, sgd_step
from esnkit.optim._optimizers import OPTIMIZERS, OptimizerParameters

PARAMETERS = OptimizerParameters(0.02, 0.8, "increasing", True)


def updated(optimizer, theta, state, first, n_updates):
    """Make updates along the gradient of half the squared norm."""
    for k in range(first, first + n_updates):
        optimizer.update(theta, theta.copy(), state, k, PARAMETERS)
    return theta


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_row_updates_in_place_and_continues_after_a_pickle(name, dtype):
    optimizer, theta = OPTIMIZERS[name], np.array([1.0, -2.0], dtype)
    state, start = optimizer.init(theta), theta.copy()
    assert updated(optimizer, theta, state, 0, 5) is theta and theta.dtype == dtype
    assert np.linalg.norm(theta) < np.linalg.norm(start)
    other, other_state = pickle.loads(pickle.dumps((theta, state)))
    updated(optimizer, theta, state, 5, 5)
    assert np.array_equal(updated(optimizer, other, other_state, 5, 5), theta)


def test_adam_takes_the_learning_rate():
    theta, expected = np.ones(2), np.ones(2)
    updated(OPTIMIZERS["adam"], theta, OPTIMIZERS["adam"].init(theta), 0, 4)
    state = adam_state(expected)
    for _ in range(4):
        adam_step(expected, expected.copy(), state, learning_rate_init=0.02)
    assert np.array_equal(theta, expected)


def test_sgd_takes_the_momentum_of_its_schedule():
    theta, expected = np.ones(2), np.ones(2)
    updated(OPTIMIZERS["sgd"], theta, OPTIMIZERS["sgd"].init(theta), 248, 4)
    state = sgd_state(expected)
    for k in range(248, 252):
        sgd_step(
            expected, expected.copy(), state, learning_rate_init=0.02,
            momentum=momentum_at("increasing", k, 0.8),
            next_momentum=momentum_at("increasing", k + 1, 0.8),
        )  # fmt: skip
    assert np.array_equal(theta, expected)
