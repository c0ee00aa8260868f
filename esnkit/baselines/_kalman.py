"""Kalman filter and smoother of packed sequences, with the EM algorithm's two steps.

    x[t+1] = A x[t] + w[t],    w ~ N(0, Q)
    y[t]   = C x[t] + d + v[t],    v ~ N(0, R),    x[first] ~ N(m, P)

The covariances do not depend on the rows, only on the number of rows before (filter) and after
(smoother). They converge: once two in a row are equal up to rounding, all later ones are the same,
and the means follow a recursion with constant matrices.
"""

from typing import NamedTuple

import numpy as np

from esnkit.kernels.recursions import backward_recursion, linear_recursion
from esnkit.sequences import Sequences
from esnkit.utils._plain_state import plain_record

STEADY = 1e-14  # relative change of a covariance from one step to the next that is rounding


@plain_record
class System(NamedTuple):
    """Parameters of a linear dynamical system with n states and p outputs."""

    A: np.ndarray  # (n, n)
    C: np.ndarray  # (p, n)
    d: np.ndarray  # (p,)
    Q: np.ndarray  # (n, n)
    R: np.ndarray  # (p, p)
    m: np.ndarray  # (n,)
    P: np.ndarray  # (n, n)


class Covariances(NamedTuple):
    """Covariances of the k-th row of a sequence; the last ones hold for all later rows."""

    predicted: np.ndarray  # (n_steps, n, n), of x given the rows before
    filtered: np.ndarray  # given this row too
    gains: np.ndarray  # (n_steps, n, p)
    innovations: np.ndarray  # (n_steps, p, p), of y given the rows before


class Filtered(NamedTuple):
    """Means of the states at every row."""

    predicted: np.ndarray  # (n_rows, n), given the rows before
    filtered: np.ndarray  # given this row too
    log_likelihood: float
    covariances: Covariances


class Moments(NamedTuple):
    """Expected sums of products of states given all rows, and the smoothed means."""

    means: np.ndarray  # (n_rows, n)
    all_rows: np.ndarray  # sum of E x x', (n, n)
    before: np.ndarray  # without the last row of each sequence
    after: np.ndarray  # without the first row of each sequence
    lagged: np.ndarray  # sum of E x[t + 1] x[t]'
    first_means: np.ndarray  # (n_sequences, n)
    first_covariance: np.ndarray  # mean over sequences


def covariances(system: System, n_steps: int) -> Covariances:
    """Run the Riccati recursion until it is steady, at most `n_steps` steps."""
    A, C, _, Q, R, _, P = system
    found: list[tuple] = []
    for _ in range(n_steps):
        S = C @ P @ C.T + R
        K = np.linalg.solve(S, C @ P).T
        # Joseph's form stays symmetric and non-negative under rounding.
        rest = np.eye(len(A)) - K @ C
        updated = rest @ P @ rest.T + K @ R @ K.T
        found.append((P, updated, K, S))
        before, P = P, A @ updated @ A.T + Q
        if np.abs(P - before).max() <= STEADY * np.abs(P).max():
            break
    return Covariances(*(np.stack(parts) for parts in zip(*found, strict=True)))


def kalman_filter(system: System, sequences: Sequences) -> Filtered:
    """Return the means of the states given the rows so far, and the log-likelihood."""
    A, C, d, _, _, m, _ = system
    y, offsets = sequences.values - d, sequences.offsets
    found = covariances(system, int(sequences.lengths.max()))
    k = steps_of(sequences, len(found.gains))
    # x[t + 1 | t] = A (x[t | t - 1] + K (y[t] - C x[t | t - 1]))
    matrices = A @ (np.eye(len(A)) - found.gains @ C)
    predicted = np.empty((len(y), len(A)))
    predicted[offsets[:-1]] = m
    corrections = _apply(found.gains, y, k)
    linear_recursion(matrices, np.ascontiguousarray(corrections @ A.T), offsets, predicted)
    errors = y - predicted @ C.T
    filtered = predicted + _apply(found.gains, errors, k)
    return Filtered(predicted, filtered, _log_likelihood(errors, found.innovations, k), found)


def steps_of(sequences: Sequences, n_steps: int) -> np.ndarray:
    """Return which of `n_steps` matrices holds at every row."""
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    return np.minimum(np.arange(len(sequences.values)) - starts, n_steps - 1)


def _apply(matrices: np.ndarray, rows: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return matrices[k] @ row for every row, one product for those with the last matrix."""
    out = rows @ matrices[-1].T
    early = np.flatnonzero(k < len(matrices) - 1)
    out[early] = np.einsum("tij,tj->ti", matrices[k[early]], rows[early])
    return out


def _log_likelihood(errors: np.ndarray, S: np.ndarray, k: np.ndarray) -> float:
    L = np.linalg.cholesky(S)
    white = _apply(np.linalg.inv(L), errors, k)
    log_determinants = 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
    constant = errors.shape[1] * np.log(2 * np.pi)
    return float(-0.5 * ((white**2).sum() + log_determinants[k].sum() + constant * len(errors)))


def kalman_smoother(system: System, sequences: Sequences, result: Filtered) -> Moments:
    """Return means and moments of the states given all rows (Rauch, Tung and Striebel 1965).

    x[t | T] = x[t | t] + J (x[t + 1 | T] - A x[t | t])
    """
    J = _smoother_gains(system, result.covariances)
    offsets = sequences.offsets
    k = steps_of(sequences, len(J))
    rest = result.filtered - _apply(J, result.filtered @ system.A.T, k)
    means = rest.copy()
    means[offsets[1:] - 1] = result.filtered[offsets[1:] - 1]
    backward_recursion(np.ascontiguousarray(J), rest, offsets, means)
    return _moments(system, sequences, result.covariances, J, means)


def _smoother_gains(system: System, found: Covariances) -> np.ndarray:
    """Return J[k] = P[k | k] A' P[k + 1 | k]^-1."""
    A, filtered = system.A, found.filtered
    ahead = A @ filtered @ A.T + system.Q
    return np.linalg.solve(ahead, A @ filtered).transpose(0, 2, 1)


def _moments(system, sequences: Sequences, found: Covariances, J, means) -> Moments:
    """Add the sums of smoothed covariances, which sequences of one length share, to the means'."""
    first, last = sequences.offsets[:-1], sequences.offsets[1:] - 1
    n, is_first, is_last = len(system.A), np.zeros(len(means), bool), np.zeros(len(means), bool)
    is_first[first], is_last[last] = True, True
    total, lagged = means.T @ means, means[~is_first].T @ means[~is_last]
    first_sum, last_sum = np.zeros((n, n)), np.zeros((n, n))
    for length, count in zip(*np.unique(sequences.lengths, return_counts=True), strict=True):
        sums = _sum_smoothed(system, found, J, int(length))
        total, lagged = total + count * sums[0], lagged + count * sums[1]
        first_sum, last_sum = first_sum + count * sums[2], last_sum + count * sums[3]
    return Moments(
        means=means,
        all_rows=total,
        before=total - means[last].T @ means[last] - last_sum,
        after=total - means[first].T @ means[first] - first_sum,
        lagged=lagged,
        first_means=means[first],
        first_covariance=first_sum / len(first),
    )


def _sum_smoothed(system: System, found: Covariances, J, n_steps: int) -> tuple:
    """Return sums of smoothed covariances of one sequence: all, of x[t + 1] and x[t], first, last.

    V[t] = P[t | t] + J (V[t + 1] - P[t + 1 | t]) J'
    """
    ahead = system.A @ found.filtered @ system.A.T + system.Q
    steady = len(J) - 1  # rows from here on have the same matrices
    V = end = found.filtered[min(n_steps - 1, steady)]
    total, lagged, t = V.copy(), np.zeros_like(V), n_steps - 2
    while t >= 0:
        k = min(t, steady)
        before = found.filtered[k] + J[k] @ (V - ahead[k]) @ J[k].T
        is_steady = t > steady and np.abs(before - V).max() <= STEADY * np.abs(V).max()
        n_same = t - steady if is_steady else 1
        lagged += n_same * V @ J[k].T
        total += n_same * before
        V, t = before, t - n_same
    return total, lagged, V, end


def smoothed_covariances(system: System, found: Covariances, n_steps: int) -> np.ndarray:
    """Return the covariances (n_steps, n, n) of the states of a sequence given all its rows."""
    J = _smoother_gains(system, found)
    ahead = system.A @ found.filtered @ system.A.T + system.Q
    k = np.minimum(np.arange(n_steps), len(J) - 1)
    V = found.filtered[k]
    for t in range(n_steps - 2, -1, -1):
        V[t] += J[k[t]] @ (V[t + 1] - ahead[k[t]]) @ J[k[t]].T
    return V


def maximise(sequences: Sequences, moments: Moments, floor: float) -> System:
    """Return the system of highest expected likelihood (Ghahramani and Hinton 1996, eqs 14 to 24).

    `floor` is added to the diagonals of the covariances.
    """
    y, x = sequences.values, moments.means
    n_rows, n_steps = len(y), len(y) - sequences.n_sequences
    A = _divide(moments.lagged, moments.before)
    Q = (moments.after - A @ moments.lagged.T) / max(n_steps, 1)
    # Rows against the states and a constant: C and d together.
    products = np.block([[moments.all_rows, x.sum(axis=0)[:, None]], [x.sum(axis=0), n_rows]])
    targets = y.T @ np.column_stack([x, np.ones(n_rows)])
    weights = _divide(targets, products)
    R = (y.T @ y - weights @ targets.T) / n_rows
    m = moments.first_means.mean(axis=0)
    centred = moments.first_means - m
    P = moments.first_covariance + centred.T @ centred / len(centred)
    Q, R, P = (_symmetric(matrix, floor) for matrix in (Q, R, P))
    return System(A, weights[:, :-1], weights[:, -1], Q, R, m, P)


def _divide(products: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Return products @ gram^-1."""
    return np.linalg.solve(gram, products.T).T


def _symmetric(matrix: np.ndarray, floor: float) -> np.ndarray:
    return (matrix + matrix.T) / 2 + floor * np.eye(len(matrix))
