"""Contract checks that any readout can run."""

import pickle
from typing import Any

import numpy as np
from sklearn.base import clone

from esnkit.readouts._base import BaseReadout, is_linear

__all__ = ["check_readout"]

N_ROWS, N_FEATURES = 600, 4
BLOCK_ROWS = 37  # no divisor of the number of rows: the last block is shorter
CHUNK_ROWS = 150


def check_readout(readout: Any) -> None:
    """Check that a readout keeps the contract of :class:`BaseReadout`.

    It must predict in the shape of its targets, learn a linear map better than the mean of the
    targets does, not depend on how rows are divided into blocks, ignore rows of weight zero, learn
    from chunks what it learns from all rows at once, and survive pickling.

    Parameters
    ----------
    readout : BaseReadout
        Unfitted; the checks fit clones of it.

    Raises
    ------
    AssertionError
        At the first requirement that is not met, with a message that names it.

    Examples
    --------
    >>> from esnkit.readouts import RidgeReadout, check_readout
    >>> check_readout(RidgeReadout(alpha=1e-3))
    """
    _require(isinstance(readout, BaseReadout), "it must be a subclass of BaseReadout")
    X, Y = _make_problem()
    for y in (Y, Y[:, 0]):
        _check_predictions(readout, X, y)
    _check_blocks(readout, X, Y)
    _check_weights(readout, X, Y)
    if hasattr(clone(readout), "partial_fit"):
        _check_partial_fit(readout, X, Y)
    _check_pickle(readout, X, Y)


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _require_equal_predictions(fitted, X, expected, message: str) -> None:
    _require(np.allclose(fitted.predict(X), expected, rtol=1e-6, atol=1e-8), message)


def _make_problem():
    """Return features and two targets that are a linear map of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    return X, X @ rng.normal(size=(N_FEATURES, 2)) + [1.0, -2.0]


def _fit_blocks(readout, X, y, weights=None, block_rows=N_ROWS):
    """Fit to blocks of some rows, each of which is overwritten after use."""

    def make_blocks():
        for start in range(0, len(X), block_rows):
            rows = slice(start, start + block_rows)
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
    error, variance = np.mean((predictions - y) ** 2), np.mean((y - y.mean(axis=0)) ** 2)
    _require(error < variance, "it must learn a linear map better than the mean of the targets")
    if is_linear(fitted):
        _require_equal_predictions(
            fitted,
            X,
            X @ np.asarray(fitted.coef_).T + fitted.intercept_,
            "predict must return X @ coef_.T + intercept_ if these attributes exist",
        )


def _check_blocks(readout, X, Y):
    expected = clone(readout).fit(X, Y).predict(X)
    for block_rows in (N_ROWS, BLOCK_ROWS):
        _require_equal_predictions(
            _fit_blocks(readout, X, Y, block_rows=block_rows),
            X,
            expected,
            "fit_blocks must not depend on the size of the blocks, nor keep a block without a copy",
        )


def _check_weights(readout, X, Y):
    weights = np.ones(len(X))
    weights[::3] = 0.0
    has_weight = weights > 0
    corrupted = Y + 100.0 * ~has_weight[:, None]
    _require_equal_predictions(
        _fit_blocks(readout, X, corrupted, weights),
        X,
        _fit_blocks(readout, X[has_weight], Y[has_weight]).predict(X),
        "a row of weight zero must have no effect",
    )


def _check_partial_fit(readout, X, Y):
    streamed = clone(readout)
    for start in range(0, len(X), CHUNK_ROWS):
        streamed.partial_fit(X[start : start + CHUNK_ROWS], Y[start : start + CHUNK_ROWS])
    _require_equal_predictions(
        streamed,
        X,
        _fit_blocks(readout, X, Y).predict(X),
        "partial_fit on chunks must learn what fit_blocks learns from all rows",
    )


def _check_pickle(readout, X, Y):
    fitted = clone(readout).fit(X, Y)
    copy = pickle.loads(pickle.dumps(fitted))
    _require(np.array_equal(copy.predict(X), fitted.predict(X)), "it must survive pickling")
