"""Classification of rows: data, and leave-one-out by refits, for several test files."""

import numpy as np
import reference
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp


def classes(n_rows, n_features, n_classes=3, seed=0, distance=1.0):
    """Return features of unequal sizes and offsets, class indicators and unequal weights."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_rows) % n_classes)
    X = rng.standard_normal((n_rows, n_features))
    X += distance * rng.standard_normal((n_classes, n_features))[labels]
    X = X * 10.0 ** rng.uniform(-1, 1, n_features) + 3 * rng.standard_normal(n_features)
    return X, np.eye(n_classes)[labels], rng.uniform(0.2, 2, n_rows)


def deviations(X, w):
    mean = np.average(X, axis=0, weights=w)
    return np.sqrt(np.average((X - mean) ** 2, axis=0, weights=w))


def scores_by_refits(X, Y, alpha, w, standardize):
    """Return the scores of every row by a model fitted without it."""
    Z = X / deviations(X, w) if standardize else X
    scores = np.empty(Y.shape)
    for i in range(len(X)):
        others = np.arange(len(X)) != i
        B, c = reference.ridge_augmented(Z[others], Y[others], alpha, w[others])
        scores[i] = Z[i] @ B + c
    return scores


def log_loss(scores, Y, w, temperature):
    """Return the log loss with the smoothed targets of the readout."""
    n_effective, n_classes = w.sum() ** 2 / (w @ w), Y.shape[1]
    rest = 1 / (n_effective + 2)
    targets = np.where(Y == 1, 1 - rest, rest / (n_classes - 1))
    z = scores / temperature
    return np.average(logsumexp(z, axis=1) - (targets * z).sum(axis=1), weights=w)


def best_temperature(scores, Y, w):
    """Return the temperature of least log loss, and the loss."""

    def of_logarithm(t):
        return log_loss(scores, Y, w, np.exp(t))

    found = minimize_scalar(of_logarithm, bounds=(-12, 8), method="bounded")
    return np.exp(found.x), found.fun
