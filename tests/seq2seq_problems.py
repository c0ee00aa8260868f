"""Sequences of symbols, and small sequence-to-sequence networks."""

import numpy as np

from esnkit.networks._seq2seq import Seq2SeqClassifier

QUICK = {"n_units": 8, "max_iter": 3, "learning_rate_init": 0.02, "random_state": 0}


def quick(**params):
    """Return a small estimator."""
    return Seq2SeqClassifier(**QUICK | params)


def words(n, seed=0, n_symbols=8, dtype=np.int64):
    """Return sequences of 3 to 8 symbols."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, n_symbols, rng.integers(3, 9)).astype(dtype) for _ in range(n)]


def reversed_words(n=40, seed=0):
    """Return sequences of symbols, and the same sequences reversed."""
    X = words(n, seed)
    return X, [x[::-1] for x in X]
