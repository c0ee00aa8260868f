"""The Box-Cox transform (Box and Cox 1964, eq. 1), its inverse, and the choice of its exponent."""

import numpy as np

from esnkit.forecasting._differencing import CONSTANT_TOLERANCE

__all__ = ["box_cox", "choose_power", "inverse_box_cox", "loses_digits", "with_power"]

POWERS = np.linspace(0.0, 1.0, 21)  # beyond these a forecast may have no inverse, or a huge one


def box_cox(values: np.ndarray, power: float | None, name: str = "series") -> np.ndarray:
    """Return (values**power - 1) / power, the logarithm for a power of 0, the values for None.

    Raises
    ------
    ValueError
        For values that have no such transform; `name` is what the message calls them.

    Examples
    --------
    >>> box_cox(np.array([1.0, 4.0, 9.0]), 0.5)
    array([0., 2., 4.])
    """
    if power is None:
        return values
    least = np.min(values, initial=np.inf)
    if least < 0 or (least == 0 and power <= 0):
        raise no_power(name, power, least)
    with np.errstate(over="ignore"):  # callers check that the result is finite
        return np.log(values) if power == 0 else (values**power - 1) / power


def loses_digits(values: np.ndarray, transformed: np.ndarray) -> bool:
    """Tell whether rounding leaves less than three digits of the transform of some column.

    That is so where the constant -1 / power is far larger than values**power / power.

    Examples
    --------
    >>> amperes = np.array([[1e-9], [3e-9]])
    >>> loses_digits(amperes, box_cox(amperes, 2.0)), loses_digits(amperes, box_cox(amperes, 0.5))
    (True, False)
    """
    finite = np.isfinite(transformed).all(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool((finite & _varies(values) & ~_varies(transformed)).any())


def _varies(values: np.ndarray) -> np.ndarray:
    """Return which columns vary by more than their rounding."""
    low, high = values.min(axis=0), values.max(axis=0)
    return high - low > CONSTANT_TOLERANCE * np.maximum(np.abs(low), np.abs(high))


def with_power(values: np.ndarray, power: float | None) -> np.ndarray:
    """Return values, NaN those that have no Box-Cox transform.

    Examples
    --------
    >>> with_power(np.array([-1.0, 0.0, 1.0]), 0.0)
    array([nan, nan,  1.])
    """
    if power is None:
        return values
    return np.where(values > 0 if power <= 0 else values >= 0, values, np.nan)


def no_power(name: str, power, least: float) -> ValueError:
    """Return the error of values that have no transform, with the smallest one of them."""
    instead = "power=0.5, which zeros have too, " if least == 0 else ""
    return ValueError(
        f"{name} must be positive for power={power!r}, got {least:g}: use power=None, {instead}or "
        "add a constant to the series"
    )


def inverse_box_cox(values: np.ndarray, power: float | None) -> np.ndarray:
    """Undo `box_cox`; where no value has such a transform, return the nearest one, 0.

    Examples
    --------
    >>> inverse_box_cox(np.array([0.0, 2.0, -3.0]), 0.5)
    array([1., 4., 0.])
    """
    if power is None:
        return values
    with np.errstate(over="ignore", divide="ignore"):
        if power == 0:
            return np.exp(values)
        return np.maximum(power * values + 1, 0.0) ** (1 / power)


def choose_power(values: np.ndarray, length: int, name: str = "series") -> float:
    """Choose the exponent from 0 to 1 that makes the spread independent of the level.

    The rows are cut into groups of `length`. Of each, s / m^(1 - power) is the spread after the
    transform, with mean m and standard deviation s; the exponent minimises the coefficient of
    variation of these ratios (Guerrero 1993), of several columns the sum.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_series)
        Positive.
    length : int >= 2

    Examples
    --------
    >>> growth = 1.1 ** np.arange(40.0)[:, None]
    >>> choose_power(growth, 4)
    0.0
    """
    least = np.min(values, initial=np.inf)
    if least <= 0:
        raise no_power(name, "auto", least)
    n_groups = len(values) // length
    groups = values[len(values) - n_groups * length :].reshape(n_groups, length, values.shape[1])
    groups = groups / values.max(axis=0)  # squares do not leave the range of float64
    mean, deviation = groups.mean(axis=1), groups.std(axis=1, ddof=1)
    if n_groups < 2 or not deviation.any(axis=0).all():
        return 1.0
    ratios = deviation / mean ** (1 - POWERS[:, None, None])
    variation = (ratios.std(axis=1, ddof=1) / ratios.mean(axis=1)).sum(axis=1)
    return float(POWERS[np.argmin(variation)])
