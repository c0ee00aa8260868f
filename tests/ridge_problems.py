"""Data for ridge readouts, whole and in blocks, for several test files."""

import numpy as np
from numpy.testing import assert_allclose

SOLVERS = ["gram", "qr"]


def data(n_rows=400, n_features=12, n_outputs=3, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, n_features)) + rng.standard_normal(n_features)
    Y = X @ rng.standard_normal((n_features, n_outputs)) + rng.standard_normal(n_outputs)
    return X, Y + noise * rng.standard_normal(Y.shape)


def hilbert_like(n_rows=300, n_features=24):
    """Powers of one variable: condition 1e16 and more, as the states of a smooth input have."""
    t = np.linspace(0, 1, n_rows)
    X = t[:, None] ** np.arange(1, n_features + 1)
    return X, np.cos(3 * t)


def blocks_of(X, Y, w=None, size=100):
    def make_blocks():
        buffer = np.empty((size, X.shape[1]), X.dtype)  # reused, as a reservoir reuses its own
        for start in range(0, len(X), size):
            s = slice(start, start + size)
            block = buffer[: len(X[s])]
            block[:] = X[s]
            yield block, Y[s], None if w is None else w[s]

    return make_blocks


def assert_same_model(a, b, rtol=1e-9):
    scale = np.abs(b.coef_).max()
    assert_allclose(a.coef_, b.coef_, atol=rtol * scale, rtol=0)
    assert_allclose(a.intercept_, b.intercept_, rtol=rtol, atol=rtol * scale)
