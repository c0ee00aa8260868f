"""Lengths of the seasons of a series, from its autocorrelation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from esnkit.forecasting._input import read_one_series
from esnkit.forecasting._labels import DateAxis, RowLabels

__all__ = ["find_seasons"]

MIN_ROWS = 9  # the autocorrelation of fewer has no peak within a third of the series
MIN_AUTOCORRELATION = 0.3
# The first peak of at least this share of the highest: the short season, then the long one.
SHARES_OF_HIGHEST = (0.8, 0.95)
CYCLES = (86_400.0, 604_800.0, 31_556_952.0)  # seconds of a day, a week and a mean year
STRAIGHT_LINE = 1e-9  # largest deviation, relative to the series, that is rounding error


def find_seasons(series: ArrayLike) -> list[int]:
    """Find the lengths of the seasons of a series: none, one or two.

    A season shows as a peak of the autocorrelation of the series without its linear trend, at a lag
    of at most a third of the series, that reaches 0.3. Of these peaks two count: the first that is
    at least 0.8 times as high as the highest, and the first that is at least 0.95 times as high.
    They are often the same.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        An array, list or pandas Series.

    Returns
    -------
    list of int
        In ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit.forecasting import find_seasons
    >>> hours = np.arange(24 * 7 * 20)
    >>> find_seasons(np.sin(2 * np.pi * hours / 24) + 0.1 * hours)
    [24]
    >>> find_seasons(np.sin(2 * np.pi * hours / 24) + 0.6 * np.sin(2 * np.pi * hours / 168))
    [24, 168]
    """
    values = read_one_series(series)
    n_rows = len(values)
    if n_rows < MIN_ROWS:
        return []
    rest = _without_trend(values)
    if np.abs(rest).max() < STRAIGHT_LINE:
        return []
    r = _autocorrelation(rest)
    lags = np.arange(2, max(n_rows // 3, 2))
    before, at, after = r[lags - 1], r[lags], r[lags + 1]
    peaks = lags[(at >= MIN_AUTOCORRELATION) & (at > before) & (at >= after)]
    if not len(peaks):
        return []
    highest = r[peaks].max()
    return sorted({int(peaks[r[peaks] >= q * highest][0]) for q in SHARES_OF_HIGHEST})


def _without_trend(values: np.ndarray) -> np.ndarray:
    """Divide by the largest magnitude, then subtract the least-squares line."""
    time = np.linspace(-1.0, 1.0, len(values))
    scaled = values / (np.abs(values).max() or 1.0)
    return scaled - np.polynomial.Polynomial.fit(time, scaled, 1)(time)


def _autocorrelation(values: np.ndarray) -> np.ndarray:
    """Return the autocorrelation at lags 0, 1, ..., each over the n - lag pairs that it has."""
    n_rows = len(values)
    power = np.abs(np.fft.rfft(values, 2 * n_rows)) ** 2  # zero padding: no pair wraps around
    r = np.fft.irfft(power)[:n_rows]
    r *= n_rows / r[0] / np.arange(n_rows, 0, -1)
    return r


def season_terms(seasons: tuple[tuple[float, int], ...], rows: np.ndarray) -> np.ndarray:
    """Return sines and cosines with the periods of seasons, at some rows of a series.

    Parameters
    ----------
    seasons : tuple of pairs (period, n_harmonics)
    rows : ndarray of shape (n_rows,)
        Numbers of the rows.

    Returns
    -------
    ndarray of shape (n_rows, n_terms)

    Examples
    --------
    >>> season_terms(((4, 2),), np.arange(4)).round()
    array([[ 0.,  1.,  1.],
           [ 1.,  0., -1.],
           [ 0., -1.,  1.],
           [-1., -0., -1.]])
    """
    columns = []
    for period, n_harmonics in seasons:
        for k in range(1, n_harmonics + 1):
            angle = 2 * np.pi * k * rows / period
            # The sine of half a cycle a step is zero at every row.
            columns += [np.cos(angle)] if 2 * k == period else [np.sin(angle), np.cos(angle)]
    return np.stack(columns, axis=1) if columns else np.empty((len(rows), 0))


def calendar_seasons(labels: RowLabels | None, values: np.ndarray | None) -> list[float] | None:
    """Return the numbers of steps in a day, a week and a year, by the time stamps of a series.

    Parameters
    ----------
    labels : RowLabels or None
    values : ndarray of shape (n_rows,)
        The labels themselves.

    Returns
    -------
    list of float or None
        In ascending order, those of at least two steps; None for labels that are no times.
    """
    times = None if labels is None or values is None else as_times(labels, values)
    if times is None or len(times) < 2:
        return None
    seconds = np.diff(times) / np.timedelta64(1, "s")
    periods = [cycle / float(seconds.mean()) for cycle in CYCLES]
    if np.ptp(seconds):  # months and business days are not equally long
        periods = [float(round(period)) for period in periods]
    return [period for period in periods if period >= 2]


def as_times(labels: RowLabels, values: np.ndarray) -> np.ndarray | None:
    """Return labels as datetime64, None if they are no times."""
    if labels.kind == "periods":
        return labels.style.write(values).to_timestamp().to_numpy()
    if not isinstance(labels.axis, DateAxis):
        return None
    return values if labels.axis.form is None else labels.axis.form.read(values)
