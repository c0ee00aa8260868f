"""Means and deviations of the columns of rows, for models whose covariances need finite squares."""

import numpy as np

__all__ = ["column_scales"]

MAX_VALUE = 1e140


def column_scales(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations of columns, 1 for constant ones.

    Raises
    ------
    ValueError
        If squares of the values overflow, or those of their deviations are zero.
    """
    largest = np.abs(rows).max(axis=0)
    if largest.max() > MAX_VALUE:
        raise ValueError(
            f"X must have values up to {MAX_VALUE:g}, whose squares are finite, got "
            f"{largest.max():g}: scale it"
        )
    # The mean of equal values is rounded, and their deviation from it not always zero.
    constant = np.ptp(rows, axis=0) == 0
    means, scales = rows.mean(axis=0), rows.std(axis=0)
    means[constant], scales[constant] = rows[0, constant], 1.0
    if (scales == 0).any():
        raise ValueError(
            f"X must have values whose squares are not zero, got a column of up to "
            f"{largest[scales == 0].max():g}: scale it"
        )
    return means, scales
