"""Data that the tests of echo state networks share."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def X(rng):
    return rng.normal(size=(60, 2))


@pytest.fixture
def y(X):
    """A target with memory, two outputs."""
    return np.c_[X[:, 0] + np.roll(X[:, 1], 1), np.tanh(X[:, 0] * X[:, 1])]


@pytest.fixture
def ragged(rng):
    """More sequences than lanes, of unequal lengths."""
    return [rng.normal(size=(n, 2)) for n in rng.integers(1, 15, 70)]


@pytest.fixture
def wave():
    t = np.arange(300)
    return np.c_[np.sin(t / 5), np.cos(t / 7)]


@pytest.fixture
def kinds(rng):
    """Sequences of three kinds that differ in their mean, and the numbers of their kinds."""
    numbers = np.arange(30) % 3
    return [rng.normal(k, 0.1, (4 + i % 3, 2)) for i, k in enumerate(numbers)], numbers
