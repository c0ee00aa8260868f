"""A test suite that any readout can run."""

import pickle
from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.readouts._base import BaseReadout, is_linear

__all__ = ["check_readout"]

N_ROWS, N_FEATURES = 600, 4


def check_readout(readout: Any) -> None:
    """Check that a readout keeps the contract of :class:`BaseReadout`.

    It predicts in the shape of its targets, learns a linear map better than the mean does, does
    not depend on how rows are cut into blocks, ignores rows of weight zero, and learns from
    chunks what it learns from all rows at once.

    Parameters
    ----------
    readout : BaseReadout
        Unfitted; it is cloned.

    Raises
    ------
    AssertionError
        At the first requirement that it misses, with a message that says which.

    Examples
    --------
    >>> from esnkit.readouts import RidgeReadout, check_readout
    >>> check_readout(RidgeReadout(alpha=1e-3))
    """
    _require(isinstance(readout, BaseReadout), "it must be a subclass of BaseReadout")
    X, Y = _problem()
    for y in (Y, Y[:, 0]):
        _check_predictions(readout, X, y)
    _check_blocks(readout, X, Y)
    _check_weights(readout, X, Y)
    if hasattr(clone(readout), "partial_fit"):
        _check_chunks(readout, X, Y)
    _check_pickle(readout, X, Y)


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    return X, X @ rng.normal(size=(N_FEATURES, 2)) + [1.0, -2.0]


def _fit(readout, X, y, weights=None, size=N_ROWS):
    """Fit to blocks of so many rows, each of which is destroyed after use."""

    def make_blocks():
        for start in range(0, len(X), size):
            rows = slice(start, start + size)
            block = X[rows].copy()
            yield block, y[rows], None if weights is None else weights[rows]
            block[:] = np.nan

    return clone(readout).fit_blocks(make_blocks, n_rows=len(X))


def _check_predictions(readout, X, y):
    fitted = clone(readout).fit(X, y)
    predictions = np.asarray(fitted.predict(X))
    _require(
        predictions.shape == y.shape,
        f"predict must return {y.shape}, the shape of the targets, got {predictions.shape}",
    )
    error, spread = np.mean((predictions - y) ** 2), np.mean((y - y.mean(axis=0)) ** 2)
    _require(error < spread, "it must learn a linear map better than the mean of the targets")
    if is_linear(fitted):
        expected = X @ np.asarray(fitted.coef_).T + fitted.intercept_
        _require(
            np.allclose(predictions, expected, rtol=1e-6, atol=1e-8),
            "predict must be X @ coef_.T + intercept_ where these exist",
        )


def _check_blocks(readout, X, Y):
    expected = clone(readout).fit(X, Y).predict(X)
    for size in (N_ROWS, 37):
        _require(
            np.allclose(_fit(readout, X, Y, size=size).predict(X), expected, rtol=1e-6, atol=1e-8),
            "fit_blocks must not depend on the size of the blocks, nor keep a block without a copy",
        )


def _check_weights(readout, X, Y):
    weights = np.ones(len(X))
    weights[::3] = 0.0
    taught = weights > 0
    noisy = Y + 100.0 * ~taught[:, None]
    expected = _fit(readout, X[taught], Y[taught]).predict(X)
    _require(
        np.allclose(_fit(readout, X, noisy, weights).predict(X), expected, rtol=1e-6, atol=1e-8),
        "a row of weight zero must have no effect",
    )


def _check_chunks(readout, X, Y):
    streamed = clone(readout)
    for start in range(0, len(X), 150):
        streamed.partial_fit(X[start : start + 150], Y[start : start + 150])
    _require(
        np.allclose(streamed.predict(X), _fit(readout, X, Y).predict(X), rtol=1e-6, atol=1e-8),
        "partial_fit on chunks must give what fit_blocks gives on all rows",
    )


def _check_pickle(readout, X, Y):
    fitted = clone(readout).fit(X, Y)
    copy = pickle.loads(pickle.dumps(fitted))
    _require(np.array_equal(copy.predict(X), fitted.predict(X)), "it must survive pickling")
