"""`SeriesTransform`: power transform, differences and scale of a series, inverted exactly."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from esnkit.forecasting._differencing import check_differences
from esnkit.forecasting._input import check_names, read_series
from esnkit.forecasting._transforms import RowTransform
from esnkit.utils._plain_state import PlainStateMixin
from esnkit.utils._rollback import rollback_on_error
from esnkit.utils._validation import check_flag, check_number

__all__ = ["SeriesTransform", "as_series_transform", "make_row_transform"]


class SeriesTransform(TransformerMixin, PlainStateMixin, BaseEstimator):
    """Transform a series for a model, and forecasts back to the units of the series.

    A Box-Cox transform comes first, then differences at one lag after the other, then the mean is
    subtracted and the result divided by its standard deviation::

        z = (difference(g(y)) - mean) / scale,    g(y) = (y**power - 1) / power

    Parameters
    ----------
    power : float, "auto" or None, default=None
        Exponent of the Box-Cox transform: 0 is the logarithm, 1 leaves the shape of the series.
        None transforms nothing. "auto" chooses an exponent from 0 to 1, the same for all columns,
        that makes the spread of groups of rows independent of their level (Guerrero 1993); a group
        has as many rows as the largest of the lags in `differences`, and at least two.
    differences : int or tuple of int or (int, int), default=0
        Order of differencing, at most 2, or the lags to difference at one after the other:
        ``(12, 1)`` takes a seasonal and then a first difference of monthly values. A pair of a
        lag and a number of seasons stands for differences from the mean of the last seasons:
        ``((12, 3),)`` subtracts the mean of the values 12, 24 and 36 months before.
    scale : bool, default=True
        Standardise every column.

    Attributes
    ----------
    power_ : float or None
        Exponent in use.
    lags_ : tuple of int or (int, int)
        Lags of the differences.
    n_lost_ : int
        Number of rows that differences take from the start, the sum of the lags, each times its
        number of seasons.
    mean_, scale_ : ndarray of shape (n_series,), float64
        Of the differenced columns; 0 and 1 without `scale`.
    n_features_in_ : int
        Number of series.
    feature_names_in_ : ndarray of str
        Columns of the DataFrame fitted on, if it was one.

    Notes
    -----
    The inverse of the mean of transformed values is not the mean of the values. If forecast errors
    are symmetric after a power transform, the inverse of a forecast is the median of the values to
    come, which is what the mean absolute error asks for. Forecasters return the mean with
    ``forecast(n_steps, bias_adjust=True)``.

    References
    ----------
    Box, G. E. P. and Cox, D. R. (1964). An analysis of transformations. JRSS B 26.
    Guerrero, V. M. (1993). Time-series analysis supported by power transformations.
    Journal of Forecasting 12.

    Examples
    --------
    >>> from esnkit import SeriesTransform
    >>> doubling = 2.0 ** np.arange(8)
    >>> transform = SeriesTransform(power=0, differences=1, scale=False).fit(doubling)
    >>> z = transform.transform(doubling)
    >>> z.round(3)
    array([0.693, 0.693, 0.693, 0.693, 0.693, 0.693, 0.693])
    >>> transform.inverse_transform(z[:3], history=doubling)
    array([ 256.,  512., 1024.])
    """

    def __init__(self, power=None, *, differences=0, scale=True):
        self.power = power
        self.differences = differences
        self.scale = scale

    @rollback_on_error
    def fit(self, series, y=None) -> Self:
        """Learn power, mean and scale from a series.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
            More rows than the differences take.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, a series that is too short or not finite, and values that
            have no such power.
        """
        rows = make_row_transform(self)
        values, table = read_series(series, "series", self)
        _check_rows("series", values, rows.n_lost + 1)
        return self._keep(rows.fit(values), table.names)

    def _keep(self, rows: RowTransform, names: tuple | None = None) -> Self:
        """Store what transforms rows, and show its attributes."""
        self._rows, self._names = rows, names
        self.power_, self.mean_, self.scale_ = rows.power_, rows.mean_, rows.scale_
        self.lags_, self.n_lost_ = rows.differences, rows.n_lost
        return self

    def transform(self, series) -> np.ndarray:
        """Transform a series.

        Parameters
        ----------
        series : array-like of shape (n_timesteps,) or (n_timesteps, n_series)

        Returns
        -------
        ndarray of shape (n_timesteps - n_lost_,) or (n_timesteps - n_lost_, n_series)
            As the series, without the rows that only serve the differences.

        Raises
        ------
        ValueError
            For other columns than those of `fit`, a series that is too short or not finite, and
            values that have no such power.
        """
        check_is_fitted(self)
        values, table = read_series(series, "series", self, reset=False)
        check_names(table, "series", self._names)  # scikit-learn checks names of text only
        _check_rows("series", values, self.n_lost_ + 1)
        z = self._rows.transform(values)
        return z[:, 0] if table.ndim == 1 else z

    def inverse_transform(self, z, history=None) -> np.ndarray:
        """Return transformed rows to the units of the series.

        Parameters
        ----------
        z : array-like of shape (n_steps,) or (n_steps, n_series)
            Transformed rows, such as a forecast.
        history : array-like of shape (>= n_lost_,) or (>= n_lost_, n_series), default=None
            Rows of the series right before those of `z`. Needed with differences only.

        Returns
        -------
        ndarray of the shape of `z`
            Values without a Box-Cox transform become the nearest one that has it, 0; those too
            large for float64 are infinite.

        Raises
        ------
        ValueError
            For other columns than those of `fit`, and a `history` that is missing or too short.
        """
        check_is_fitted(self)
        rows, table = read_series(z, "z")
        if history is None and not self.n_lost_:
            past = rows[:0]
        elif history is None:
            raise ValueError(
                f"history must be given: differences at the lags {self.lags_} need the "
                f"{self.n_lost_} rows before those of z"
            )
        else:
            past, table_of_past = read_series(history, "history")
            check_names(table_of_past, "history", self._names)
            _check_rows("history", past, self.n_lost_)
        for name, values in {"z": rows, "history": past}.items():
            if values.shape[1] != self.n_features_in_:
                raise ValueError(
                    f"{name} must have {self.n_features_in_} columns, got {values.shape[1]}"
                )
        values = self._rows.inverse_transform(rows, past)
        return values[:, 0] if table.ndim == 1 else values


def as_series_transform(rows: RowTransform) -> SeriesTransform:
    """Return a fitted transform as a `SeriesTransform`."""
    transform = SeriesTransform(rows.power_, differences=rows.differences, scale=rows.scale)
    transform.n_features_in_ = len(rows.mean_)
    return transform._keep(rows)


def make_row_transform(transform) -> RowTransform:
    """Check the parameters of a `SeriesTransform`, and return what transforms rows."""
    power = transform.power
    if isinstance(power, str) and power != "auto":
        raise ValueError(f"power must be a number, 'auto' or None, got {power!r}")
    if power is not None and not isinstance(power, str):
        power = float(check_number("power", power))
    check_flag("scale", transform.scale)
    return RowTransform(check_differences(transform.differences), transform.scale, power=power)


def _check_rows(name: str, rows: np.ndarray, at_least: int) -> None:
    if len(rows) < at_least:
        raise ValueError(
            f"{name} has n_samples={len(rows)} time steps, these differences need at least "
            f"{at_least}"
        )
