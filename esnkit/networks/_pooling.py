"""Pooling of the states of a sequence over time to one row: forward, backward and tangent.

    last         the state after the last step; of a reversed direction, after step 1
    mean         the mean over the steps
    max          the maximum over the steps, of every unit
    attention    sum_t a_t h_t,  a = softmax over the steps of v . tanh(W h_t + b)

All functions take and return rows; sequence i has rows ``offsets[i]`` to ``offsets[i + 1]``.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from esnkit.kernels.linalg import affine
from esnkit.networks._batch import Batch

__all__ = [
    "attend",
    "attend_backward",
    "attend_tangent",
    "largest_rows",
    "pool_prefixes",
    "pool_rows",
    "pool_rows_backward",
    "put_values",
    "take_values",
]


class Attention(NamedTuple):
    """What the backward pass of attention needs: its weights and its hidden rows."""

    weights: np.ndarray  # (n_rows, 1), those of a sequence sum to one
    hidden: np.ndarray  # (n_rows, n_hidden)


def pool_rows(X: np.ndarray, offsets: np.ndarray, pooling: str, n_forward: int) -> np.ndarray:
    """Return the last rows, or the means; columns from ``n_forward`` on are of a reversed layer."""
    if pooling == "mean":
        return np.add.reduceat(X, offsets[:-1], axis=0) / _lengths(X, offsets)
    last = X[offsets[1:] - 1]
    last[:, n_forward:] = X[offsets[:-1], n_forward:]
    return last


def pool_rows_backward(
    dP: np.ndarray, offsets: np.ndarray, pooling: str, n_forward: int
) -> np.ndarray:
    """Return the gradient with respect to the rows, given that with respect to the pooled ones."""
    if pooling == "mean":
        return np.repeat(dP / _lengths(dP, offsets), np.diff(offsets), axis=0)
    dX = np.zeros((offsets[-1], dP.shape[1]), dP.dtype)
    dX[offsets[1:] - 1, :n_forward] = dP[:, :n_forward]
    dX[offsets[:-1], n_forward:] = dP[:, n_forward:]
    return dX


def largest_rows(X: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the row (n_sequences, n_columns) of the first maximum of every column."""
    return np.array(
        [first + X[first:last].argmax(axis=0) for first, last in pairwise(offsets.tolist())]
    )


def take_values(X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the values of every column in these rows of it."""
    return np.take_along_axis(X, rows, axis=0)


def put_values(values: np.ndarray, rows: np.ndarray, n_rows: int) -> np.ndarray:
    """Return rows of zeros but for these values: the reverse of :func:`take_values`."""
    X = np.zeros((n_rows, values.shape[1]), values.dtype)
    np.put_along_axis(X, rows, values, axis=0)
    return X


def attend(
    p: dict[str, np.ndarray], X: np.ndarray, offsets: np.ndarray, exact: bool = False
) -> tuple[Any, Attention]:
    """Return the pooled rows, and what the backward pass needs; ``exact`` is as in `run`."""
    hidden, scores = _attention_scores(p, X, exact)
    lengths, first = np.diff(offsets), offsets[:-1]
    # Less the largest score of the sequence, so that no power overflows.
    powers = np.exp(scores - np.repeat(np.maximum.reduceat(scores, first), lengths, axis=0))
    weights = powers / np.repeat(np.add.reduceat(powers, first), lengths, axis=0)
    return np.add.reduceat(weights * X, first), Attention(weights, hidden)


def attend_backward(
    p: dict[str, np.ndarray],
    d: dict[str, np.ndarray],
    X: np.ndarray,
    offsets: np.ndarray,
    tape: Attention,
    dP: np.ndarray,
) -> np.ndarray:
    """Return the gradient with respect to the rows, and add those of the parameters to ``d``."""
    lengths = np.diff(offsets)
    spread = np.repeat(dP, lengths, axis=0)
    d_weights = np.sum(spread * X, axis=1, keepdims=True)
    d_scores = tape.weights * (d_weights - _means(tape.weights, d_weights, offsets))
    d_hidden = d_scores * p["attention_v"] * (1 - tape.hidden**2)
    d["attention_v"] += tape.hidden.T @ d_scores[:, 0]
    d["attention_W"] += d_hidden.T @ X
    d["attention_b"] += d_hidden.sum(axis=0)
    return tape.weights * spread + d_hidden @ p["attention_W"]


def attend_tangent(
    p: dict[str, np.ndarray],
    v: dict[str, np.ndarray],
    X: np.ndarray,
    V: np.ndarray,
    offsets: np.ndarray,
    tape: Attention,
) -> np.ndarray:
    """Return the derivative of the pooled rows along v of the parameters and V of the rows."""
    inner = V @ p["attention_W"].T + X @ v["attention_W"].T + v["attention_b"]
    moved = (1 - tape.hidden**2) * inner
    scores = (moved @ p["attention_v"] + tape.hidden @ v["attention_v"])[:, None]
    weights = tape.weights * (scores - _means(tape.weights, scores, offsets))
    return np.add.reduceat(weights * X + tape.weights * V, offsets[:-1])


def pool_prefixes(
    pooling: str | None, p: dict[str, np.ndarray], X: np.ndarray, batch: Batch
) -> np.ndarray:
    """Return for every row the pooled rows of its sequence up to it, of one direction."""
    if pooling == "last":
        return X
    if pooling == "max":
        bounds = pairwise(batch.offsets.tolist())
        return np.concatenate([np.maximum.accumulate(X[first:last]) for first, last in bounds])
    # The mean is an attention with equal scores. One more row moves the mean by its share.
    scores = np.zeros((len(X), 1), X.dtype)
    if pooling == "attention":
        scores = _attention_scores(p, X)[1]
    pooled, first = np.empty_like(X), 0
    current = np.zeros((batch.n[0], X.shape[1]), X.dtype)
    log_sum = np.full((batch.n[0], 1), -np.inf, X.dtype)  # of the powers of the scores
    for n in batch.n:  # sequences that have this step, the longest ones first
        rows = batch.rows[first : first + n]
        log_sum = np.logaddexp(log_sum[:n], scores[rows])
        current = current[:n] + np.exp(scores[rows] - log_sum) * (X[rows] - current[:n])
        pooled[rows], first = current, first + n
    return pooled


def _attention_scores(
    p: dict[str, np.ndarray], X: np.ndarray, exact: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the hidden rows, and the scores of all rows as a column."""
    W, b, v = (p[f"attention_{name}"] for name in "Wbv")
    if not exact:
        hidden = np.tanh(X @ W.T + b)
        return hidden, (hidden @ v)[:, None]
    hidden, scores = np.empty_like(X), np.empty((len(X), 1), X.dtype)
    affine(X, W, b, hidden)
    np.tanh(hidden, out=hidden)
    affine(hidden, v[None], np.zeros(1, X.dtype), scores)
    return hidden, scores


def _means(weights: np.ndarray, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return for every row the weighted mean of the values of its sequence."""
    return np.repeat(np.add.reduceat(weights * values, offsets[:-1]), np.diff(offsets), axis=0)


def _lengths(X: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.diff(offsets)[:, None].astype(X.dtype)
