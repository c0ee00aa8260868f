"""Losses of rows of outputs, their gradients, and products with their second derivatives.

With weights w and the sum of all weights W:

    squared    L = 1/2 sum w (o - y)^2 / W                      over all rows and outputs
    softmax    L = -sum w y log p / W,  p = softmax(o)          over all rows

``weights`` is None (all one), ``(n_rows,)``, or for the squared loss ``(n_rows, n_outputs)``.
"""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["LOSSES", "Loss", "log_softmax"]


class Loss(NamedTuple):
    """The value of a loss, its gradient, and the sum of the weights."""

    value: float
    gradient: np.ndarray  # like the outputs
    total: float


def squared_loss(outputs: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> Loss:
    """Return half the weighted mean of the squared errors."""
    share, total = _shares(outputs, weights)
    error = outputs - Y
    gradient = share * error
    return Loss(0.5 * float(np.vdot(error, gradient)), gradient, total)


def squared_curvature(outputs: np.ndarray, V: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the second derivative of the squared loss times ``V``, which is like ``outputs``."""
    return _shares(outputs, weights)[0] * V


def softmax_loss(outputs: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> Loss:
    """Return the weighted mean cross-entropy; the rows of ``Y`` are indicators of classes."""
    share, total = _row_shares(outputs, weights)
    logs = log_softmax(outputs)
    value = -float(np.sum(share * np.sum(Y * logs, axis=1, keepdims=True), dtype=np.float64))
    return Loss(value, share * (np.exp(logs) - Y), total)


def softmax_curvature(outputs: np.ndarray, V: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the second derivative of the cross-entropy times ``V``, which is like ``outputs``."""
    p = np.exp(log_softmax(outputs))
    return _row_shares(outputs, weights)[0] * p * (V - np.sum(p * V, axis=1, keepdims=True))


def log_softmax(outputs: np.ndarray) -> np.ndarray:
    """Return the logarithm of the softmax of the last axis."""
    shifted = outputs - outputs.max(axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


LOSSES = {
    "squared": (squared_loss, squared_curvature),
    "softmax": (softmax_loss, softmax_curvature),
}


def _shares(outputs: np.ndarray, weights: np.ndarray | None) -> tuple[Any, float]:
    """Return the weights divided by their sum over rows and outputs, and that sum."""
    if weights is None or weights.ndim == 1:
        share, total = _row_shares(outputs, weights)
        return share / outputs.dtype.type(outputs.shape[1]), total * outputs.shape[1]
    return _normalised(outputs, weights)


def _row_shares(outputs: np.ndarray, weights: np.ndarray | None) -> tuple[Any, float]:
    """Return the weights of rows divided by their sum, as a column, and that sum."""
    if weights is None:  # one number stands for all rows
        n_rows = len(outputs)
        return outputs.dtype.type(1.0 / (n_rows or 1)), float(n_rows)
    return _normalised(outputs, weights[:, None])


def _normalised(outputs: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    total = float(np.sum(weights, dtype=np.float64))
    return (weights / (total or 1.0)).astype(outputs.dtype), total
