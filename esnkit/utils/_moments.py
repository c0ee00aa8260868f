"""Means and standard deviations of columns, in float64 and safe from overflow."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Moments", "column_moments", "merge_moments", "moments_of"]

# A column is constant if its values differ by no more roundings than this.
ROUNDINGS = 8


class Moments(NamedTuple):
    """Number, mean, standard deviation and range of the rows of every column."""

    n_rows: int
    mean: np.ndarray  # (n_columns,) float64, like the others
    deviation: np.ndarray  # zero for a constant column
    low: np.ndarray
    high: np.ndarray
    eps: float  # relative rounding error of the rows

    def example(self) -> np.ndarray:
        """Return two rows of the same mean and standard deviation."""
        return np.stack([self.mean - self.deviation, self.mean + self.deviation])


def moments_of(rows: np.ndarray) -> Moments:
    """Return the moments of finite rows (n_rows, n_columns), at least one."""
    low, high = (np.asarray(f(axis=0), np.float64) for f in (rows.min, rows.max))
    return Moments(len(rows), *column_moments(rows), low, high, float(np.finfo(rows.dtype).eps))


def merge_moments(parts: Sequence[Moments]) -> Moments:
    """Return the moments of the rows of all parts (Chan, Golub and LeVeque 1979)."""
    n = np.array([part.n_rows for part in parts])
    share = (n / n.sum())[:, None]
    low = np.min([part.low for part in parts], axis=0)
    high = np.max([part.high for part in parts], axis=0)
    # As in `column_moments`: a power of two, and no large common level.
    exponent = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
    means, deviations = (
        np.ldexp([getattr(part, name) for part in parts], -exponent)
        for name in ("mean", "deviation")
    )
    first = means[0].copy()
    means -= first
    mean = (share * means).sum(axis=0)
    deviation = np.sqrt((share * (deviations**2 + (means - mean) ** 2)).sum(axis=0))
    eps = max(part.eps for part in parts)
    varies = np.ldexp(high, -exponent) - np.ldexp(low, -exponent) > ROUNDINGS * eps
    deviation = np.where(varies, np.ldexp(deviation, exponent), 0.0)
    return Moments(int(n.sum()), np.ldexp(first + mean, exponent), deviation, low, high, eps)


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
