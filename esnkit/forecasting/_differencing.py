"""Differencing of a series, and its exact inverse.

z[t] = y[t] - y[t - lag],    y[t] = z[t] + y[t - lag],    one lag after the other.

A pair (lag, n) stands for the difference from the mean of n values, those of the last n seasons:
z[t] = y[t] - (y[t - lag] + ... + y[t - n * lag]) / n.
"""

import numpy as np

# A larger order is most likely the length of a season, which belongs in a tuple of lags.
MAX_ORDER = 2

# Range of a column, relative to its largest value, up to which it counts as constant: values that
# have lost all but three digits to rounding.
CONSTANT_TOLERANCE = 2**12 * np.finfo(np.float64).eps

Lag = int | tuple[int, int]


def check_differences(differences) -> tuple[Lag, ...]:
    """Return the lags to difference at; an order k stands for k lags of one."""
    if _is_integer(differences) and 0 <= differences <= MAX_ORDER:
        return (1,) * int(differences)
    if isinstance(differences, tuple | list):
        if all(_is_positive(lag) or _is_pair(lag) for lag in differences):
            return tuple(_plain(lag) for lag in differences)
    too_large = _is_integer(differences) and differences > MAX_ORDER
    hint = f"; for one difference at that lag write ({differences},)" if too_large else ""
    raise ValueError(
        f"differences must be an order from 0 to {MAX_ORDER} or a tuple of lags >= 1, or of pairs "
        f"(lag, number of seasons), got {differences!r}{hint}"
    )


def _is_integer(value) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_positive(value) -> bool:
    return _is_integer(value) and value >= 1


def _is_pair(value) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_positive, value))


def _plain(lag) -> Lag:
    """Return a lag as int, or a pair of them; a pair of one season is a lag."""
    length, n = split_lag(lag)
    return int(length) if n == 1 else (int(length), int(n))


def split_lag(lag: Lag) -> tuple[int, int]:
    """Return the length of a season, and the number of seasons whose mean is subtracted."""
    return (lag[0], lag[1]) if isinstance(lag, tuple | list) else (lag, 1)


def count_lost(lags: tuple[Lag, ...]) -> int:
    """Return the number of rows that differencing takes from the start.

    Examples
    --------
    >>> count_lost((12, 1)), count_lost(((12, 3), 1))
    (13, 37)
    """
    return sum(length * n for length, n in map(split_lag, lags))


def longest_lag(lags: tuple[Lag, ...], default: int) -> int:
    """Return the length of the longest season among lags, or a default without any."""
    return max((length for length, _ in map(split_lag, lags)), default=default)


def difference(values: np.ndarray, lags: tuple[Lag, ...]) -> np.ndarray:
    """Difference the rows at each lag in turn; the result has `count_lost(lags)` rows less.

    Examples
    --------
    >>> difference(np.array([1.0, 4.0, 9.0, 16.0]), (1, 1))
    array([2., 2.])
    >>> difference(np.array([1.0, 4.0, 9.0, 16.0]), ((1, 2),))
    array([6.5, 9.5])
    """
    with np.errstate(over="ignore"):  # callers check that the result is finite and name the input
        for lag in lags:
            lost = count_lost((lag,))
            values = values[lost:] - _past_mean(values, lost, len(values), *split_lag(lag))
    return values


def _past_mean(rows: np.ndarray, start: int, stop: int, length: int, n: int) -> np.ndarray:
    """Return, for the rows from start to stop, the mean of the n rows that are seasons before."""
    stop = max(start, stop)
    if n == 1:
        return rows[start - length : stop - length]
    before = [rows[start - k * length : stop - k * length] / n for k in range(1, n + 1)]
    return np.add.reduce(before)


def integrate(future: np.ndarray, history: np.ndarray, lags: tuple[Lag, ...]) -> np.ndarray:
    """Undo `difference` for the rows that follow `history`.

    Parameters
    ----------
    future : ndarray of shape (n_steps, n_series)
        Differenced rows.
    history : ndarray of shape (>= count_lost(lags), n_series)
        The undifferenced rows right before them.
    lags : tuple of int or (int, int)

    Examples
    --------
    >>> integrate(np.array([2.0, 2.0]), np.array([9.0, 16.0]), (1, 1))
    array([25., 36.])
    """
    histories = [history]  # after 0, 1, 2, ... of the differences
    for lag in lags[:-1]:
        histories.append(difference(histories[-1], (lag,)))
    for lag, past in zip(reversed(lags), reversed(histories), strict=False):
        future = _integrate_once(future, past, *split_lag(lag))
    return future


def _integrate_once(future: np.ndarray, history: np.ndarray, length: int, n: int) -> np.ndarray:
    """Undo one difference, a block of `length` rows at a time."""
    lost = length * n
    rows = np.concatenate([history[len(history) - lost :], future])
    for start in range(lost, len(rows), length):
        block = rows[start : start + length]
        with np.errstate(over="ignore"):
            block += _past_mean(rows, start, start + len(block), length, n)
    return rows[lost:]
