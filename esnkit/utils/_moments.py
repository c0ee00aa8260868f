"""Means and standard deviations of columns, in float64 and safe from overflow."""

import numpy as np

__all__ = ["column_moments"]

# A column is constant if its values differ by no more roundings than this.
ROUNDINGS = 8


def column_moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the standard deviation of every column, zero for a constant one.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        Finite floats, at least one row.

    Returns
    -------
    mean, deviation : ndarray of shape (n_columns,), float64
    """
    # Squares of values at either end of the range overflow; a power of two rounds nothing.
    exponent = np.frexp(np.abs(rows).max(axis=0).astype(np.float64))[1]
    scaled = np.ldexp(rows.astype(np.float64), -exponent)
    first = scaled[0].copy()
    scaled -= first  # without a large common level, sums lose no digits
    varies = np.ptp(scaled, axis=0) > ROUNDINGS * np.finfo(rows.dtype).eps
    mean = scaled.mean(axis=0)
    scaled -= mean
    deviation = np.sqrt(np.einsum("ij,ij->j", scaled, scaled) / len(scaled))
    deviation = np.where(varies, deviation, 0.0)
    return np.ldexp(first + mean, exponent), np.ldexp(deviation, exponent)
