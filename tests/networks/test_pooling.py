"""Pooling over time: last, mean, max and attention, against loops and differences."""

import numpy as np
import pytest
from gradients import difference

from esnkit.networks._pooling import (
    attend,
    attend_backward,
    attend_tangent,
    largest_rows,
    pool_rows,
    pool_rows_backward,
    put_values,
    take_values,
)

OFFSETS = np.array([0, 3, 4, 9])
RNG = np.random.default_rng(0)
X, SLOPES = RNG.normal(size=(9, 4)), RNG.normal(size=(3, 4))
NAMES = {"attention_W": (4, 4), "attention_b": (4,), "attention_v": (4,)}
P = {name: RNG.normal(size=shape) for name, shape in NAMES.items()}


def sequences():
    return [X[a:z] for a, z in zip(OFFSETS[:-1], OFFSETS[1:], strict=True)]


def attended(rows):
    scores = np.array(
        [P["attention_v"] @ np.tanh(P["attention_W"] @ h + P["attention_b"]) for h in rows]
    )
    weights = np.exp(scores - scores.max())
    return weights @ rows / weights.sum()


def test_pooled_rows_are_those_of_each_sequence():
    last = [np.r_[rows[-1, :3], rows[0, 3:]] for rows in sequences()]
    assert np.array_equal(pool_rows(X, OFFSETS, "last", 3), last)
    means = [rows.mean(axis=0) for rows in sequences()]
    np.testing.assert_allclose(pool_rows(X, OFFSETS, "mean", 4), means)
    largest = take_values(X, largest_rows(X, OFFSETS))
    assert np.array_equal(largest, [rows.max(axis=0) for rows in sequences()])
    found, tape = attend(P, X, OFFSETS)
    np.testing.assert_allclose(found, [attended(rows) for rows in sequences()])
    np.testing.assert_allclose(np.add.reduceat(tape.weights[:, 0], OFFSETS[:-1]), 1)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_gradients_go_back_to_the_rows(pooling):
    rows = X.copy()
    expected = difference(lambda: np.sum(SLOPES * pool_rows(rows, OFFSETS, pooling, 3)), rows)
    found = pool_rows_backward(SLOPES, OFFSETS, pooling, 3)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_gradient_of_the_maximum_goes_back_to_the_step_that_has_it():
    rows = X.copy()

    def loss():
        return np.sum(SLOPES * take_values(rows, largest_rows(rows, OFFSETS)))

    found = put_values(SLOPES, largest_rows(rows, OFFSETS), len(rows))
    np.testing.assert_allclose(found, difference(loss, rows), atol=1e-9)
    equal = put_values(SLOPES, largest_rows(np.zeros_like(X), OFFSETS), len(X))  # to the first one
    assert np.array_equal(equal[OFFSETS[:-1]], SLOPES) and not equal[OFFSETS[:-1] + 1][::2].any()


def test_gradients_of_attention_go_back_to_rows_and_parameters():
    rows, p = X.copy(), {name: value.copy() for name, value in P.items()}
    d = {name: np.zeros_like(value) for name, value in P.items()}

    def loss():
        return np.sum(SLOPES * attend(p, rows, OFFSETS)[0])

    found = attend_backward(p, d, rows, OFFSETS, attend(p, rows, OFFSETS)[1], SLOPES)
    np.testing.assert_allclose(found, difference(loss, rows), atol=1e-8)
    for name, value in p.items():
        np.testing.assert_allclose(d[name], difference(loss, value), atol=1e-8)


def test_the_tangent_of_attention_is_its_slope():
    V, v = RNG.normal(size=X.shape), {name: RNG.normal(size=shape) for name, shape in NAMES.items()}
    pooled = []
    for step in (1e-6, -1e-6):
        p = {name: value + step * v[name] for name, value in P.items()}
        pooled.append(attend(p, X + step * V, OFFSETS)[0])
    found = attend_tangent(P, v, X, V, OFFSETS, attend(P, X, OFFSETS)[1])
    np.testing.assert_allclose(found, (pooled[0] - pooled[1]) / 2e-6, atol=1e-8)


def test_scores_do_not_overflow():
    large = {name: 1e3 * value for name, value in P.items()}
    assert np.all(np.isfinite(attend(large, X, OFFSETS)[0]))
