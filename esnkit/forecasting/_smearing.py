"""Means of the values to come from forecasts after a power transform, by smearing (Duan 1983).

The inverse of a forecast of transformed values is a median of the values. Their mean is that of
the inverses of all values that the errors allow::

    mean_k = 1/n sum_j g^-1(g(forecast_k) + error_jk - mean error_k)

with the errors of rolling forecasts k steps ahead, in units of g. Their mean is subtracted: few
forecasts do not tell a bias from chance.

References
----------
Duan, N. (1983). Smearing estimate: a nonparametric retransformation method. JASA 78,
605-610.
"""

import numpy as np

from esnkit.forecasting._power import box_cox, inverse_box_cox, with_power

__all__ = ["power_errors", "smear"]

SMALLEST = np.finfo(float).tiny  # has a logarithm, which zero has not


def power_errors(observed: np.ndarray, forecasts: np.ndarray, power: float | None) -> np.ndarray:
    """Return observed values minus forecasts after a Box-Cox transform, NaN where there is none.

    Examples
    --------
    >>> power_errors(np.array([4.0, np.nan, 9.0]), np.array([1.0, 1.0, -1.0]), 0.5)
    array([ 2., nan, nan])
    """
    return box_cox(with_power(observed, power), power) - box_cox(
        with_power(forecasts, power), power
    )


def smear(forecast: np.ndarray, errors: np.ndarray, power: float) -> np.ndarray:
    """Return means of the values to come, of which the forecast has the medians.

    Parameters
    ----------
    forecast : ndarray of shape (n_steps, n_series)
        In the units of the series.
    errors : ndarray of shape (n_errors, horizon, n_series)
        After the power transform; NaN does not count. Steps beyond the horizon have the errors of
        the last one. A step without errors keeps its forecast.
    power : float

    Returns
    -------
    ndarray of shape (n_steps, n_series)

    Examples
    --------
    >>> errors = np.log([[[0.5]], [[2.0]]])
    >>> smear(np.array([[8.0], [80.0]]), errors, 0.0)
    array([[ 10.],
           [100.]])
    """
    errors = errors[:, np.minimum(np.arange(len(forecast)), errors.shape[1] - 1)]
    known = ~np.isnan(errors)
    counts = np.maximum(known.sum(axis=0), 1)
    deviations = errors - np.where(known, errors, 0.0).sum(axis=0) / counts
    transformed = box_cox(np.maximum(forecast, SMALLEST), power)
    values = inverse_box_cox(transformed + np.where(known, deviations, 0.0), power)
    means = np.where(known, values, 0.0).sum(axis=0) / counts
    return np.where(known.any(axis=0), means, forecast)
