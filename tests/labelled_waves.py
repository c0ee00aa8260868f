"""Labelled sequences and a classifier of them, for the tests of displays."""

import numpy as np

from esnkit import ESNClassifier

LABELS = np.array(["a", "b", "c"])


def sequences(n=24, lengths=(20, 31, 26), seed=0):
    """Return ragged waves of three kinds, and their labels."""
    rng = np.random.default_rng(seed)
    X = [
        np.sin(np.arange(lengths[i // 3 % 3])[:, None] / (2 + i % 3) + rng.uniform(0, 1))
        + 0.1 * rng.normal(size=(lengths[i // 3 % 3], 1))
        for i in range(n)
    ]
    return X, LABELS[np.arange(n) % 3]


def model(**params):
    """Return a fitted classifier."""
    return ESNClassifier(20, random_state=0, **{"pooling": "mean"} | params).fit(*sequences())
