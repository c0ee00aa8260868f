"""Recursions of hidden Markov models against plain products of probabilities."""

import numpy as np
from reference import hidden_markov as slow

from esnkit.kernels import hidden_markov


def test_recursions_are_products_of_probabilities():
    rng = np.random.default_rng(0)
    for _ in range(10):
        n_states = rng.integers(1, 5)
        start, transition = rng.dirichlet(np.ones(n_states)), rng.random((n_states, n_states))
        transition[rng.random(transition.shape) < 0.2] = 0.0
        transition += np.eye(n_states)
        transition /= transition.sum(axis=1, keepdims=True)
        offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 9, 3))])
        b = rng.standard_normal((offsets[-1], n_states))
        with np.errstate(divide="ignore"):
            logs = np.log(start), np.log(transition)
        ahead, behind, best = np.empty_like(b), np.empty_like(b), np.empty_like(b)
        counts, pointers = np.zeros_like(transition), np.zeros(b.shape, np.int64)
        states = np.empty(len(b), np.int64)
        hidden_markov.forward(b, *logs, offsets, ahead)
        hidden_markov.backward(b, logs[1], offsets, behind)
        hidden_markov.count_transitions(b, logs[1], offsets, ahead, behind, counts)
        hidden_markov.viterbi(b, *logs, offsets, best, pointers, states)
        expected = slow(np.exp(b), start, transition, offsets)
        found = np.exp(ahead), np.exp(behind), counts, states
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)


def test_thousands_of_small_densities_stay_in_range():
    b = np.full((5000, 2), -800.0)
    ahead = np.empty_like(b)
    logs = np.log([0.5, 0.5]), np.log([[0.9, 0.1], [0.1, 0.9]])
    hidden_markov.forward(b, *logs, np.array([0, 5000]), ahead)
    np.testing.assert_allclose(np.logaddexp(*ahead[-1]), -800.0 * 5000)
