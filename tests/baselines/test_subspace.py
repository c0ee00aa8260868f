"""Subspace identification."""

import numpy as np
import pytest
from linear_systems import TRUE

from esnkit.baselines import LinearDynamicalSystem
from esnkit.baselines._subspace import identify
from esnkit.sequences import Sequences


def test_the_system_of_many_rows_is_found():
    model = LinearDynamicalSystem(2, max_iter=0).fit(np.random.default_rng(0).random((60, 3)))
    model._system = TRUE
    y = model.sample(20_000, random_state=0)[0]
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    system = identify(Sequences(y, np.array([0, len(y)]), "series"), 2, 1e-8)
    found = np.sort(np.linalg.eigvals(system.A))
    np.testing.assert_allclose(found, np.sort(np.linalg.eigvals(TRUE.A)), atol=0.01)


def test_two_sines_without_noise_need_four_states():
    t = np.arange(300)
    y = (np.sin(t / 5) + np.sin(t / 11 + 1))[:, None]
    system = identify(Sequences(y, np.array([0, 300]), "series"), 4, 0.0)
    found = np.sort(np.abs(np.angle(np.linalg.eigvals(system.A))))
    np.testing.assert_allclose(found, [1 / 11, 1 / 11, 1 / 5, 1 / 5], atol=1e-4)


def test_sequences_that_are_too_short_are_refused():
    sequences = Sequences(np.ones((6, 1)), np.array([0, 3, 6]), "batch")
    with pytest.raises(
        ValueError, match="of at least 7 time steps for n_states=2, got n_samples=3"
    ):
        identify(sequences, 2, 1e-8)
