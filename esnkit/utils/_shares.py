"""Shares of sequences as numbers of time steps."""

from typing import Any

import numpy as np

__all__ = ["steps_of_shares"]


def steps_of_shares(shares: Any, lengths: Any) -> np.ndarray:
    """Return the numbers of time steps (n_sequences, n_shares), rounded, at least 1.

    Examples
    --------
    >>> steps_of_shares([0.1, 0.5, 1.0], [4, 30])
    array([[ 1,  2,  4],
           [ 3, 15, 30]])
    """
    return np.maximum(np.rint(np.multiply.outer(lengths, shares)), 1).astype(np.int64)
