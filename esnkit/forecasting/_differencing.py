"""Differencing of a series, and its exact inverse.

z[t] = y[t] - y[t - lag],    y[t] = z[t] + y[t - lag],    one lag after the other.
"""

import numpy as np

# A larger order is most likely the length of a season, which belongs in a tuple of lags.
MAX_ORDER = 2


def check_differences(differences) -> tuple[int, ...]:
    """Return the lags to difference at; an order k stands for k lags of one."""
    if _is_integer(differences) and 0 <= differences <= MAX_ORDER:
        return (1,) * int(differences)
    if isinstance(differences, tuple | list):
        if all(_is_integer(lag) and lag >= 1 for lag in differences):
            return tuple(int(lag) for lag in differences)
    too_large = _is_integer(differences) and differences > MAX_ORDER
    hint = f"; for one difference at that lag write ({differences},)" if too_large else ""
    raise ValueError(
        f"differences must be an order from 0 to {MAX_ORDER} or a tuple of lags >= 1, got "
        f"{differences!r}{hint}"
    )


def _is_integer(value) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def difference(values: np.ndarray, lags: tuple[int, ...]) -> np.ndarray:
    """Difference the rows at each lag in turn; the result has `sum(lags)` rows less.

    Examples
    --------
    >>> difference(np.array([1.0, 4.0, 9.0, 16.0]), (1, 1))
    array([2., 2.])
    """
    with np.errstate(over="ignore"):  # callers check that the result is finite and name the input
        for lag in lags:
            values = values[lag:] - values[:-lag]
    return values


def integrate(future: np.ndarray, history: np.ndarray, lags: tuple[int, ...]) -> np.ndarray:
    """Undo `difference` for the rows that follow `history`.

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
    histories = [history]  # after 0, 1, 2, ... of the differences
    for lag in lags[:-1]:
        histories.append(difference(histories[-1], (lag,)))
    for lag, past in zip(reversed(lags), reversed(histories), strict=False):
        future = _integrate_once(future, past, lag)
    return future


def _integrate_once(future: np.ndarray, history: np.ndarray, lag: int) -> np.ndarray:
    """Undo one difference: y[t] = z[t] + y[t - lag], a block of `lag` rows at a time."""
    rows = np.concatenate([history[len(history) - lag :], future])
    for start in range(lag, len(rows), lag):
        block = rows[start : start + lag]
        with np.errstate(over="ignore"):
            block += rows[start - lag : start - lag + len(block)]
    return rows[lag:]
