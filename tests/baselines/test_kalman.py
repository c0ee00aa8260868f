"""Filter, smoother and maximisation against the joint normal distribution of states and rows."""

import numpy as np
import pytest
from linear_systems import RNG, joint, random_system

from esnkit.baselines._kalman import (
    kalman_filter,
    kalman_smoother,
    maximise,
    smoothed_covariances,
    steps_of,
)
from esnkit.sequences import Sequences


@pytest.mark.parametrize("n_states, n_columns", [(1, 1), (3, 2), (2, 4)])
def test_filter_and_smoother_are_conditional_normal_distributions(n_states, n_columns):
    system = random_system(n_states, n_columns)
    lengths = [1, 2, 90, 9]  # 90: the covariances become steady
    y = RNG.standard_normal((sum(lengths), n_columns))
    sequences = Sequences(y, np.concatenate([[0], np.cumsum(lengths)]), "ragged")
    result = kalman_filter(system, sequences)
    moments = kalman_smoother(system, sequences, result)
    assert len(result.covariances.gains) < 90
    k = steps_of(sequences, len(result.covariances.gains))
    likelihood = total = lagged = before = after = 0.0
    for start, stop in sequences.bounds:
        part, means, V = joint(system, y[start:stop])
        likelihood += part
        np.testing.assert_allclose(moments.means[start:stop], means, atol=1e-9)
        n_steps = stop - start
        blocks = np.stack([V[t, :, t] for t in range(n_steps)])
        found = smoothed_covariances(system, result.covariances, n_steps)
        np.testing.assert_allclose(found, blocks, atol=1e-9)
        second = blocks + means[:, :, None] * means[:, None, :]
        total, before, after = total + second.sum(0), before + second[:-1].sum(0), after
        after = after + second[1:].sum(0)
        lagged = lagged + sum(V[t + 1, :, t] for t in range(n_steps - 1)) + means[1:].T @ means[:-1]
        last = stop - 1
        np.testing.assert_allclose(result.filtered[last], means[-1], atol=1e-9)
        np.testing.assert_allclose(result.covariances.filtered[k[last]], blocks[-1], atol=1e-9)
    np.testing.assert_allclose(result.log_likelihood, likelihood, rtol=1e-10)
    for found, expected in zip(moments[1:5], (total, before, after, lagged), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_an_iteration_of_em_raises_the_likelihood():
    system = random_system(2, 2)
    sequences = Sequences(RNG.standard_normal((40, 2)), np.array([0, 25, 40]), "ragged")
    for _ in range(5):
        result = kalman_filter(system, sequences)
        system = maximise(sequences, kalman_smoother(system, sequences, result), 0.0)
        assert kalman_filter(system, sequences).log_likelihood > result.log_likelihood
