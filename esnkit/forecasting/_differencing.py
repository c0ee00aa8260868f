"""Differencing of a series and its exact undoing.

z[t] = y[t] - y[t - lag],    y[t] = z[t] + y[t - lag],    one lag after the other.
"""

import numpy as np

# A season's length given as an order would difference that many times.
MOST = 2


def check_differences(differences) -> tuple[int, ...]:
    """Return the lags to difference at; an order k stands for k lags of one."""
    if _is_whole(differences) and 0 <= differences <= MOST:
        return (1,) * int(differences)
    if isinstance(differences, tuple | list):
        if all(_is_whole(lag) and lag >= 1 for lag in differences):
            return tuple(int(lag) for lag in differences)
    too_many = _is_whole(differences) and differences > MOST
    hint = f"; for one difference at that lag write ({differences},)" if too_many else ""
    raise ValueError(
        f"differences must be an order from 0 to {MOST} or a tuple of lags >= 1, got "
        f"{differences!r}{hint}"
    )


def _is_whole(value) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def difference(values: np.ndarray, lags: tuple[int, ...]) -> np.ndarray:
    """Difference the rows at each lag in turn; `sum(lags)` rows are lost.

    Examples
    --------
    >>> difference(np.array([1.0, 4.0, 9.0, 16.0]), (1, 1))
    array([2., 2.])
    """
    with np.errstate(over="ignore"):  # what is scaled or forecast from it is checked, by name
        for lag in lags:
            values = values[lag:] - values[:-lag]
    return values


def integrate(future: np.ndarray, history: np.ndarray, lags: tuple[int, ...]) -> np.ndarray:
    """Undo `difference` for rows that follow `history`.

    Parameters
    ----------
    future : ndarray of shape (n_steps, n_series)
        Differenced rows.
    history : ndarray of shape (>= sum(lags), n_series)
        The undifferenced rows right before them.
    lags : tuple of int

    Examples
    --------
    >>> integrate(np.array([2.0, 2.0]), np.array([9.0, 16.0]), (1, 1))
    array([25., 36.])
    """
    before = [history]
    for lag in lags[:-1]:
        before.append(difference(before[-1], (lag,)))
    for lag, rows in zip(reversed(lags), reversed(before), strict=False):
        whole = np.concatenate([rows[len(rows) - lag :], future])
        for start in range(lag, len(whole), lag):
            block = whole[start : start + lag]
            with np.errstate(over="ignore"):
                block += whole[start - lag : start - lag + len(block)]
        future = whole[lag:]
    return future


def moments(values, scale: bool, name: str = "series"):
    """Mean and standard deviation of the columns; 0 and 1 where nothing is to be scaled.

    Examples
    --------
    >>> moments(np.array([[1e300], [3e300]]), True)
    (array([2.e+300]), array([1.e+300]))
    """
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must stay finite in float64 when differenced")
    n_columns = values.shape[1]
    if not scale:
        return np.zeros(n_columns), np.ones(n_columns)
    # a power of two leaves every digit as it is, and keeps squares and sums within range
    largest = np.abs(values).max(axis=0, initial=0.0)
    power = np.frexp(largest)[1]
    unit = np.ldexp(values, -power)
    location, spread = np.ldexp(unit.mean(axis=0), power), np.ldexp(unit.std(axis=0), power)
    # a constant column must not be blown up from its rounding errors
    rounding = 10 * np.finfo(np.float64).eps * largest
    return location, np.where(spread > rounding, spread, 1.0)
