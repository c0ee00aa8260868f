"""The form in which a model sees a series, and the way back.

z = (difference(g(y)) - mean) / scale,    y = g^-1(integrate(z * scale + mean))

where g is the Box-Cox transform (Box and Cox 1964, eq. 1), the logarithm, or nothing.
"""

import numpy as np

from esnkit.forecasting._differencing import (
    CONSTANT_TOLERANCE,
    Lag,
    count_lost,
    difference,
    integrate,
    longest_lag,
)
from esnkit.forecasting._power import box_cox, choose_power, inverse_box_cox, loses_digits
from esnkit.utils._plain_state import plain_record

EPSILON = np.finfo(np.float64).eps
# Least scale of a column of zeros and ones: a rare one does not drive units into saturation. With
# holidays so, the mean absolute error of forecasts of hourly bike rentals is 4 and 18 % smaller.
MIN_FLAG_SCALE = 0.4
MIN_GROUP = 2  # rows whose spread and mean choose a power


@plain_record
class RowTransform:
    """Difference the columns of a series and standardise them; both are inverted exactly.

    Parameters
    ----------
    differences : tuple of int or (int, int)
        Lags to difference at, one after the other, see `difference`.
    scale : bool
        Whether to subtract the mean and divide by the standard deviation.
    name : str, default="series"
        The argument that error messages name.
    power : float, "auto" or None, default=None
        Exponent of the Box-Cox transform that comes first, 0 for the logarithm. None transforms
        nothing; "auto" is chosen in `fit`, from groups as long as the largest lag.
    n_past : int, default=0
        Number of columns, the last ones, without a power transform: past-only inputs.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_series,)
        Of the differenced columns; 0 and 1 without `scale`.
    power_ : float or None

    Examples
    --------
    >>> rows = np.array([[1.0], [2.0], [4.0], [7.0], [11.0]])
    >>> transform = RowTransform((1,), scale=True).fit(rows[:4])
    >>> z = transform.transform(rows)
    >>> transform.inverse_transform(z[3:], rows[:4])
    array([[11.]])
    """

    mean_: np.ndarray
    scale_: np.ndarray
    power_: float | None

    def __init__(
        self,
        differences: tuple[Lag, ...],
        scale: bool,
        name: str = "series",
        power: float | str | None = None,
        n_past: int = 0,
    ):
        self.differences, self.scale, self.name, self.power = differences, scale, name, power
        self.n_past = n_past

    @property
    def n_lost(self) -> int:
        """Number of rows that differencing takes from the start."""
        return count_lost(self.differences)

    def fit(self, values: np.ndarray) -> "RowTransform":
        """Learn mean and scale from the rows of a series."""
        if self.power is None or isinstance(self.power, float):
            self.power_ = self.power
        else:
            length = max(longest_lag(self.differences, MIN_GROUP), MIN_GROUP)
            self.power_ = choose_power(self._split(values)[0], length, self.name)
        transformed = self._box_cox(values)
        if loses_digits(self._split(values)[0], self._split(transformed)[0]):
            largest = np.abs(values).max()
            raise ValueError(
                f"{self.name} must keep its digits under power={self.power_!r}, got values up to "
                f"{largest:g}, which rounding makes equal: scale it, or use power=None"
            )
        z = difference(transformed, self.differences)
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
            z = difference(self._box_cox(values), self.differences)
            z = (z - self.mean_) / self.scale_
        if not np.isfinite(z).all():
            raise ValueError(f"{self.name} must stay finite in float64 when differenced and scaled")
        return z

    def inverse_transform(self, z: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Return transformed rows to the units of the series.

        `history` holds at least `n_lost` untransformed rows, those right before the rows of `z`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            z = z * self.scale_ + self.mean_
            z = integrate(z, self._box_cox(history), self.differences)
            if self.power_ is None:
                return z
            series, past = self._split(z)
            return np.concatenate([inverse_box_cox(series, self.power_), past], axis=-1)

    def _box_cox(self, values: np.ndarray) -> np.ndarray:
        """Return the power transform of the columns that have one, and the others."""
        if self.power_ is None:
            return values
        series, past = self._split(values)
        return np.concatenate([box_cox(series, self.power_, self.name), past], axis=-1)

    def _split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns (..., n_columns) with a power transform, and those without."""
        n_series = values.shape[-1] - self.n_past
        return values[..., :n_series], values[..., n_series:]


@plain_record
class ExogTransform(RowTransform):
    """As `RowTransform`, for inputs: a column that does not vary in `fit` is constant for ever.

    The weights that a model has for such a column are not learned, so that other values of it must
    not reach the model. The scale of a column of zeros and ones is at least 0.4.

    Parameters
    ----------
    differences, scale, name
        See `RowTransform`.
    seen : slice, default=slice(None)
        The differenced rows from which a model learns.
    n_used : int, default=None
        Number of columns, the first ones, that a model has; None for all.

    Attributes
    ----------
    constant_ : ndarray of bool, shape (n_exog,)
        Columns that do not vary in these rows.
    """

    constant_: np.ndarray

    def __init__(
        self,
        differences,
        scale: bool,
        name: str = "exog",
        seen: slice = slice(None),
        n_used: int | None = None,
    ):
        super().__init__(differences, scale, name)
        self.seen, self.n_used = seen, n_used

    def fit(self, values: np.ndarray) -> "ExogTransform":
        """Learn mean, scale and range from the rows of `fit`."""
        super().fit(values)
        if self.scale:
            is_flag = ((values == 0) | (values == 1)).all(axis=0)
            self.scale_ = np.maximum(self.scale_, np.where(is_flag, MIN_FLAG_SCALE, 0.0))
        seen = self.seen if len(range(len(values) - self.n_lost)[self.seen]) else slice(None)
        differenced, z = difference(values, self.differences)[seen], super().transform(values)[seen]
        self.constant_ = np.ptp(differenced, axis=0) <= self._rounding(values)
        self._level, self._last = differenced[-1], z[-1]
        self._low, self._high = z.min(axis=0), z.max(axis=0)
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Transform rows, the first `n_lost` of which only serve the differences."""
        z = super().transform(values)
        z[:, self.constant_] = self._last[self.constant_]
        return z[:, : self.n_used]

    def changed_constants(self, values: np.ndarray) -> np.ndarray:
        """Return the numbers of the columns that did not vary in `fit` and differ in these rows."""
        far = np.abs(difference(values, self.differences) - self._level) > self._rounding(values)
        return np.flatnonzero(self.constant_ & far.any(axis=0))

    def _rounding(self, values: np.ndarray) -> np.ndarray:
        """Return the rounding error of differences, twice that of the values for each of them."""
        largest = np.abs(values).max(axis=0, initial=0.0)
        return 2 ** len(self.differences) * CONSTANT_TOLERANCE * largest

    def reach(self, values: np.ndarray) -> np.ndarray:
        """Return how far rows are from the middle of the range in `fit`; its ends are at 1."""
        low, high = self._low / 2, self._high / 2  # halves, whose sums do not overflow
        half = np.where(self.constant_, np.inf, high - low)
        return np.abs(super().transform(values) - (low + high)) / half


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
    return mean, np.where(deviation > 10 * EPSILON * largest, deviation, 1.0)
