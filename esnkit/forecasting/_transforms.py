"""`SeriesTransform`: the form in which a model sees a series, and the way back.

z = (difference(y) - mean) / scale,    y = integrate(z * scale + mean)
"""

import numpy as np

from esnkit.forecasting._differencing import difference, integrate


class SeriesTransform:
    """Difference the columns of a series and standardise them; both are inverted exactly.

    Parameters
    ----------
    differences : tuple of int
        Lags to difference at, one after the other.
    scale : bool
        Whether to subtract the mean and divide by the standard deviation.
    name : str, default="series"
        The argument that error messages name.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_series,)
        Of the differenced columns; 0 and 1 without `scale`.

    Examples
    --------
    >>> rows = np.array([[1.0], [2.0], [4.0], [7.0], [11.0]])
    >>> transform = SeriesTransform((1,), scale=True).fit(rows[:4])
    >>> z = transform.transform(rows)
    >>> transform.inverse_transform(z[3:], rows[:4])
    array([[11.]])
    """

    mean_: np.ndarray
    scale_: np.ndarray

    def __init__(self, differences: tuple[int, ...], scale: bool, name: str = "series"):
        self.differences, self.scale, self.name = differences, scale, name

    @property
    def n_lost(self) -> int:
        """Number of rows that differencing takes from the start."""
        return sum(self.differences)

    def fit(self, values: np.ndarray) -> "SeriesTransform":
        """Learn mean and scale from the rows of a series."""
        z = difference(values, self.differences)
        if not np.isfinite(z).all():
            raise ValueError(f"{self.name} must stay finite in float64 when differenced")
        if self.scale:
            self.mean_, self.scale_ = mean_and_scale(z)
        else:
            self.mean_, self.scale_ = np.zeros(z.shape[1]), np.ones(z.shape[1])
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Transform rows, the first `n_lost` of which only serve the differences."""
        with np.errstate(over="ignore", invalid="ignore"):
            z = (difference(values, self.differences) - self.mean_) / self.scale_
        if not np.isfinite(z).all():
            raise ValueError(f"{self.name} must stay finite in float64 when differenced and scaled")
        return z

    def inverse_transform(self, z: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Return transformed rows to the units of the series.

        `history` holds at least `n_lost` untransformed rows, those right before the rows of `z`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            z = z * self.scale_ + self.mean_
        return integrate(z, history, self.differences)


def mean_and_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the columns, 1 in place of a deviation of zero.

    Examples
    --------
    >>> mean_and_scale(np.array([[1e300], [3e300]]))
    (array([2.e+300]), array([1.e+300]))
    """
    # Dividing by a power of two is exact, and keeps squares and sums within the range of float64.
    largest = np.abs(values).max(axis=0, initial=0.0)
    power = np.frexp(largest)[1]
    unit = np.ldexp(values, -power)
    mean, deviation = np.ldexp(unit.mean(axis=0), power), np.ldexp(unit.std(axis=0), power)
    # The deviation of a constant column is rounding error, which must not be scaled up.
    rounding = 10 * np.finfo(np.float64).eps * largest
    return mean, np.where(deviation > rounding, deviation, 1.0)
