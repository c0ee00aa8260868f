"""Simple forecasts that any model should beat, and the order of an autoregressive one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from esnkit.utils._threads import one_blas_thread
from esnkit.utils._validation import check_positive_int, finite_array

__all__ = [
    "autoregressive_order",
    "check_past",
    "context_parrot",
    "drift",
    "persistence",
    "seasonal_naive",
]


def persistence(past: ArrayLike, n_steps: int) -> np.ndarray:
    """Naive forecast: the last value, repeated.

    Parameters
    ----------
    past : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        The series up to the present.
    n_steps : int >= 1

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_series)

    Raises
    ------
    TypeError
        If `n_steps` is not an integer.
    ValueError
        If `past` is too short, neither 1-D nor 2-D, or not finite, or `n_steps` is below 1.

    Examples
    --------
    >>> from esnkit.baselines import persistence
    >>> persistence([1.0, 2.0, 4.0], 2)
    array([4., 4.])
    """
    rows = check_past(past, 1)
    return np.repeat(rows[-1:], check_positive_int("n_steps", n_steps), axis=0)


def seasonal_naive(past: ArrayLike, n_steps: int, period: int) -> np.ndarray:
    """Seasonal naive forecast: the last season, repeated.

    Parameters
    ----------
    past : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        The series up to the present, at least one season of it.
    n_steps : int >= 1
    period : int >= 1
        Length of the season in time steps.

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_series)

    Raises
    ------
    TypeError
        If `n_steps` or `period` is not an integer.
    ValueError
        If `past` is too short, neither 1-D nor 2-D, or not finite, or `n_steps` or `period` is
        below 1.

    Examples
    --------
    >>> from esnkit.baselines import seasonal_naive
    >>> seasonal_naive([5.0, 1.0, 2.0, 3.0], 5, period=3)
    array([1., 2., 3., 1., 2.])
    """
    period = check_positive_int("period", period)
    rows = check_past(past, period)
    return rows[len(rows) - period + np.arange(check_positive_int("n_steps", n_steps)) % period]


def drift(past: ArrayLike, n_steps: int) -> np.ndarray:
    """Drift forecast: the straight line through the first and the last value, continued.

    Parameters
    ----------
    past : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        The series up to the present, at least two time steps of it.
    n_steps : int >= 1

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_series)

    Raises
    ------
    TypeError
        If `n_steps` is not an integer.
    ValueError
        If `past` is too short, neither 1-D nor 2-D, or not finite, or `n_steps` is below 1.

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). Forecasting: principles and practice, section 5.2.

    Examples
    --------
    >>> from esnkit.baselines import drift
    >>> drift([1.0, 5.0, 4.0], 2)
    array([5.5, 7. ])
    """
    rows = check_past(past, 2)
    steps = np.arange(1, check_positive_int("n_steps", n_steps) + 1)
    with np.errstate(over="ignore"):
        change = rows[-1] / (len(rows) - 1) - rows[0] / (len(rows) - 1)  # no NaN from infinities
        return rows[-1] + np.multiply.outer(steps, change)


def context_parrot(past: ArrayLike, n_steps: int, context_length: int) -> np.ndarray:
    """Repeat what followed the earlier segment that is most like the end of the series.

    The last `context_length` time steps are compared with all earlier segments of this length that
    do not overlap them, by Euclidean distance. The rows from the end of the nearest segment to the
    end of the series are the forecast, repeated as often as needed. Several series are forecast
    separately.

    Parameters
    ----------
    past : array-like of shape (n_timesteps,) or (n_timesteps, n_series)
        The series up to the present, at least twice `context_length` time steps of it.
    n_steps : int >= 1
    context_length : int >= 1

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_series)

    Raises
    ------
    TypeError
        If `n_steps` or `context_length` is not an integer.
    ValueError
        If `past` is too short, neither 1-D nor 2-D, or not finite, or `n_steps` or `context_length`
        is below 1.

    References
    ----------
    Zhang, Y. and Gilpin, W. (2025). Context parroting: a simple but tough-to-beat baseline for
    foundation models in scientific machine learning. arXiv:2505.11349, algorithm 1.

    Examples
    --------
    >>> from esnkit.baselines import context_parrot
    >>> context_parrot([0.0, 1.0, 2.0, 5.0, 1.0, 2.0], 5, context_length=2)
    array([5., 1., 2., 5., 1.])
    """
    length = check_positive_int("context_length", context_length)
    rows = check_past(past, 2 * length)
    n_steps = check_positive_int("n_steps", n_steps)
    largest = np.abs(rows).max(axis=0)  # squares of quotients do not overflow
    start, scaled = len(rows) - length, rows / np.where(largest > 0, largest, 1.0)
    distances = np.zeros((start - length + 1, *rows.shape[1:]))
    for k in range(length):
        distances += (scaled[k : k + len(distances)] - scaled[start + k]) ** 2
    ends = np.argmin(distances, axis=0) + length  # of the nearest segments
    steps = np.arange(n_steps).reshape(-1, *[1] * (rows.ndim - 1))
    return np.take_along_axis(rows, ends + steps % (len(rows) - ends), axis=0)


def autoregressive_order(series: ArrayLike, max_order: int) -> int:
    """Choose the order of an autoregressive model by Akaike's information criterion (AIC).

    Models of all orders are fitted by least squares to the same rows, those after the first
    `max_order`.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        More than ``2 * max_order + 1`` time steps, so that the largest model can be fitted.
    max_order : int >= 1

    Returns
    -------
    int
        From 1 to `max_order`.

    Raises
    ------
    TypeError
        If `max_order` is not an integer.
    ValueError
        If `series` is too short, not 1-D, or not finite, or `max_order` is below 1.

    Notes
    -----
    The last column of the R factor of one QR factorisation, of the constant, the lags in order and
    the target, holds the residual sums of squares of all models.

    References
    ----------
    Akaike, H. (1974). A new look at the statistical model identification. IEEE Transactions on
    Automatic Control 19.
    Hannan, E. J. and Deistler, M. (1988). The Statistical Theory of Linear Systems. (all orders)

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.baselines import autoregressive_order
    >>> noise = np.random.default_rng(0).normal(size=500)
    >>> series = np.zeros(500)
    >>> for t in range(2, 500):
    ...     series[t] = 0.5 * series[t - 1] - 0.7 * series[t - 2] + noise[t]
    >>> autoregressive_order(series, 10)
    2
    """
    max_order = check_positive_int("max_order", max_order)
    values = finite_array("series", series)
    if values.ndim != 1 or len(values) < 2 * max_order + 2:
        raise ValueError(
            f"series must be 1-D with at least {2 * max_order + 2} time steps for "
            f"max_order={max_order}, got shape {values.shape}"
        )
    values = values / (np.abs(values).max() or 1.0)  # squares do not leave the range of float64
    n_rows = len(values) - max_order
    lags = [values[max_order - k : len(values) - k] for k in range(1, max_order + 1)]
    design = np.column_stack([np.ones(n_rows), *lags, values[max_order:]])
    with one_blas_thread():  # several take longer for a matrix of this size
        squares = np.asarray(np.linalg.qr(design, mode="r"))[:, -1] ** 2
    # Entry p: the part of the target that the constant and the first p lags do not explain.
    residual = np.cumsum(squares[::-1])[::-1][1:]
    orders = np.arange(max_order + 1)
    smallest = np.finfo(float).tiny  # so that an exact fit has a logarithm
    aic = n_rows * np.log(np.maximum(residual[: max_order + 1] / n_rows, smallest)) + 2 * orders
    return max(1, int(np.argmin(aic)))


def check_past(past: Any, min_rows: int) -> np.ndarray:
    """Return finite rows, at least `min_rows` of them."""
    rows = finite_array("past", past)
    if rows.ndim not in (1, 2) or len(rows) < min_rows:
        raise ValueError(
            f"past must be 1-D or 2-D with at least {min_rows} time step(s), got shape {rows.shape}"
        )
    return rows
