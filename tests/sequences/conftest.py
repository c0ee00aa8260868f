"""One batch and one list of ragged sequences, for all tests of the folder."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def batch(rng):
    """Four sequences of five time steps and three features."""
    return rng.normal(size=(4, 5, 3))


@pytest.fixture
def ragged(rng):
    return [rng.normal(size=(n, 3)) for n in (3, 1, 7, 2)]
