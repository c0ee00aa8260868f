"""Subspace identification of linear dynamical systems without inputs.

The states span what the past says about the future: they are the leading principal components of
the best linear predictions of the next k rows from the k rows before them.
"""

import numpy as np

from esnkit.baselines._kalman import System
from esnkit.sequences import Sequences

MAX_BLOCK_ROWS = 20
WINDOWS_PER_COLUMN = 4  # of the past: as many as the regression on it needs to mean something
RELATIVE_RIDGE = 1e-8  # of the covariance of the past, whose columns may depend on each other


def identify(sequences: Sequences, n_states: int, floor: float) -> System:
    """Return a system with `n_states` for rows of mean zero and variance one.

    Parameters
    ----------
    sequences : Sequences
    n_states : int
    floor : float
        Added to the diagonals of the covariances.

    Raises
    ------
    ValueError
        If the sequences are too short.
    """
    k, starts = _choose_blocks(sequences, n_states)
    y, followed = sequences.values, np.flatnonzero(np.diff(starts) == 1)
    past, future = (_windows(y, starts + shift, k) for shift in (0, k))
    gram = past.T @ past
    ridge = RELATIVE_RIDGE * np.trace(gram) / len(gram)
    gram += (ridge or 1.0) * np.eye(len(gram))  # constant rows have no variance
    predicted = past @ np.linalg.solve(gram, past.T @ future)
    # States of variance one, of which row i is the one at time starts[i] + k.
    states = np.linalg.svd(predicted, full_matrices=False)[0][:, :n_states] * np.sqrt(len(starts))
    return _system(states, followed, y[starts + k], floor)


def _choose_blocks(sequences: Sequences, n_states: int) -> tuple[int, np.ndarray]:
    """Return the number of rows of a block, and the first rows of all pairs of blocks."""
    n_columns = sequences.values.shape[1]
    least = -(-n_states // n_columns)
    for k in range(max(MAX_BLOCK_ROWS, least), least - 1, -1):
        starts = np.concatenate([np.arange(a, b - 2 * k + 1) for a, b in sequences.bounds])
        if len(starts) >= WINDOWS_PER_COLUMN * k * n_columns or k == least:
            break
    if len(starts) <= n_states + 1:
        needed = 2 * least + n_states + 1
        raise ValueError(
            f"X must have a sequence of at least {needed} time steps for n_states={n_states}, got "
            f"n_samples={sequences.lengths.max()} in the longest"
        )
    return k, starts


def _windows(y: np.ndarray, starts: np.ndarray, k: int) -> np.ndarray:
    """Return blocks of k rows side by side, (n_windows, k * n_columns)."""
    return y[starts[:, None] + np.arange(k)].reshape(len(starts), -1)


def _system(states: np.ndarray, followed: np.ndarray, y: np.ndarray, floor: float) -> System:
    """Return the system of known states by least squares; row followed + 1 is the next one."""
    before, after = states[followed], states[followed + 1]
    A = np.linalg.lstsq(before, after, rcond=None)[0].T
    A /= max(1.0, np.abs(np.linalg.eigvals(A)).max())
    C = np.linalg.lstsq(states, y, rcond=None)[0].T
    Q, R = _covariance(after - before @ A.T, floor), _covariance(y - states @ C.T, floor)
    n_states = len(A)
    return System(A, C, np.zeros(y.shape[1]), Q, R, np.zeros(n_states), np.eye(n_states))


def _covariance(rest: np.ndarray, floor: float) -> np.ndarray:
    return rest.T @ rest / len(rest) + floor * np.eye(rest.shape[1])
