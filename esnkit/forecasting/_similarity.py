"""Adaptive intervals: errors count by the similarity of the states at their origins.

    w_i = softmax_i(cos(h_i, h) / temperature)

with the states h_i at the origins of known errors and h at the end of the series (reservoir
conformal prediction, Neglia et al. 2025). Errors made in a similar state tell more about the next.
"""

import numpy as np

from esnkit.forecasting._conformal import ROUNDING

__all__ = ["similarity_weights"]

TEMPERATURES = (1.0, 0.3, 0.1, 0.03, 0.01)
MIN_GAIN = 0.01  # of the score over that of equal weights
MAX_COLUMNS = 6  # steps and series on which temperatures are compared


def similarity_weights(
    states: np.ndarray, errors: np.ndarray, origins: np.ndarray, level: float
) -> np.ndarray | None:
    """Return the weights of errors for a forecast from the last state.

    The temperature is the one with the best quantiles of errors at known origins, each from the
    errors whose steps do not overlap with those of the origin.

    Parameters
    ----------
    states : ndarray of shape (n_origins + 1, n_state)
        At the origins, and at the end of the series.
    errors : ndarray of shape (n_origins, n_steps, n_series)
    origins : ndarray of int, shape (n_origins,)
    level : float in (0, 1)

    Returns
    -------
    ndarray of shape (n_origins,), or None
        None stands for equal weights, where no temperature has better quantiles.
    """
    apart = np.abs(origins[:, None] - origins) >= errors.shape[1]
    if not len(origins) or not apart.any(axis=1).all():
        return None
    cosines = cosine_similarities(states)
    last, among = cosines[-1, :-1], cosines[:-1, :-1]
    absolute = np.abs(errors).reshape(len(errors), -1)
    absolute = absolute[:, np.linspace(0, absolute.shape[1] - 1, MAX_COLUMNS).astype(int)]
    equal = _score(absolute, apart / apart.sum(axis=1, keepdims=True), level)
    scores = [_score(absolute, softmax(among / t, apart), level) for t in TEMPERATURES]
    if min(scores) > (1 - MIN_GAIN) * equal:
        return None
    return softmax(last / TEMPERATURES[int(np.argmin(scores))])


def cosine_similarities(states: np.ndarray) -> np.ndarray:
    """Return the cosines of the angles between all pairs of states, from their mean.

    Examples
    --------
    >>> cosine_similarities(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 1.0], [2.0, -1.0]]))[0]
    array([ 1., -1.,  0.,  0.])
    """
    centred = states - states.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.where(norms > 0, norms, 1.0)
    return unit @ unit.T


def softmax(logits: np.ndarray, mask: np.ndarray | bool = True) -> np.ndarray:
    """Return exponentials over their sums along the last axis, zero where `mask` is False.

    Examples
    --------
    >>> softmax(np.log([1.0, 2.0, 5.0]), np.array([True, True, False]))
    array([0.33333333, 0.66666667, 0.        ])
    """
    shares = np.where(mask, np.exp(logits - logits.max(axis=-1, keepdims=True)), 0.0)
    return shares / shares.sum(axis=-1, keepdims=True)


def _score(absolute: np.ndarray, weights: np.ndarray, level: float) -> float:
    """Return the quantile loss of weighted quantiles of all rows, relative in each column."""
    quantiles = _weighted_quantiles(absolute, weights, level)
    over = absolute - quantiles
    loss = np.maximum(level * over, (level - 1) * over).mean(axis=0)
    size = absolute.mean(axis=0)
    return float((loss / np.where(size > 0, size, 1.0)).mean())


def _weighted_quantiles(absolute: np.ndarray, weights: np.ndarray, level: float) -> np.ndarray:
    """Return `upper_quantile` of all columns with every row of weights, (n_rows, n_columns)."""
    mass = np.minimum(1.0, level * (1 + (weights**2).sum(axis=1)))[:, None] - ROUNDING
    quantiles = []
    for column in absolute.T:
        order = np.argsort(column, kind="stable")
        below = (np.cumsum(weights[:, order], axis=1) < mass).sum(axis=1)
        quantiles.append(column[order][np.minimum(below, len(column) - 1)])
    return np.stack(quantiles, axis=1)
