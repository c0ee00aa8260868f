"""Lengths of the seasons of a series, from its autocorrelation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from esnkit.forecasting._input import read_one_series
from esnkit.forecasting._labels import DateAxis, RowLabels
from esnkit.utils._validation import check_number

__all__ = ["find_seasons"]

MAX_FOUND = 4
MIN_ROWS = 9  # the autocorrelation of fewer tells no season from chance
MIN_BLOCKS, MIN_COARSE_PERIOD = 16, 3  # of a series of block means
MIN_AUTOCORRELATION = 0.1
SIGNIFICANCE = 1e-3  # chance of a season in white noise, per length of the blocks
SHARE_OF_HIGHEST = 0.65  # of two peaks of similar height, the first is the season
SHARE_OF_MULTIPLE = 0.9  # a fraction of a period replaces it that explains as large a share
MAX_FRACTION = 12
MAX_MULTIPLE = 4  # of a lag, over which the autocorrelation is averaged
MIN_SHARE_OF_VARIANCE = 0.02  # that a second season explains
# A half or third of another season is its harmonic, and so is a fraction down to 1 / MAX_PARTS that
# explains less than this share of what the other one does.
MAX_HARMONIC, MAX_PARTS, MIN_SHARE_OF_SEASON = 3, 21, 0.25
CYCLES = (86_400.0, 604_800.0, 31_556_952.0)  # seconds of a day, a week and a mean year
# Seasons of a calendar do not hold if another one explains more than this share of the variance:
# cycles of real series without a fixed period, such as those of sunspots, explain up to 0.36.
# What a series has fewer than so many times may be a slow wave.
SHARE_TO_REFUTE, MIN_PERIODS_TO_REFUTE, MAX_ROWS_TO_REFUTE = 0.5, 5, 20_000
MAX_SEASONS = 2  # of a forecaster
# Of several series, so large a share must show a season that the calendar does not give, or refute
# those that it gives.
SHARE_TO_ADD, SHARE_AGAINST_CALENDAR = 1 / 3, 1 / 2
MAX_CALENDAR_FRACTION, MAX_CALENDAR_MULTIPLE, CALENDAR_TOLERANCE = 12, 4, 0.02
STRAIGHT_LINE = 1e-9  # largest deviation, relative to the series, that is rounding error


def find_seasons(series: ArrayLike) -> list[int]:
    """Find the lengths of the seasons of a series, which it must have at least twice.

    The series, less its linear trend and its first-order autoregression, is correlated with itself.
    A season is a lag with a significant peak, averaged over the multiples of the lag. Then the
    means of its phases are subtracted, and what is left is searched for another season. Means of
    2, 4, 8, ... rows are searched for long ones. If 24 and 48 both repeat the series, only 24 is a
    season; if 12 and 24 both explain a part of it, only 24 is one.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,)
        An array, list or pandas Series.

    Returns
    -------
    list of int
        In ascending order, at most 4.

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
    if len(values) < MIN_ROWS:
        return []
    values = _without_trend(values)
    seasons = _search(values)
    return [season for season in seasons if not _is_harmonic(values, season, seasons)]


def _search(values: np.ndarray) -> list[int]:
    """Return seasons in ascending order, each found in what the others leave of the values."""
    rest, total, seasons = values, values @ values, set[int]()
    least = STRAIGHT_LINE * max(np.abs(values).max(), 1.0)
    while np.abs(rest).max() > least and len(seasons) < MAX_FOUND:
        period = _find_season(rest)
        if period is None or period in seasons:
            break
        before, rest = rest, rest - _phase_means(rest, period)
        if seasons and _explained(before, rest, period) < MIN_SHARE_OF_VARIANCE * total:
            break
        seasons.add(period)
    return sorted(seasons)


def _is_harmonic(values: np.ndarray, season: int, seasons: list[int]) -> bool:
    """Whether a season is a part of a longer one."""
    explained = partial(_explained_by, values)
    return any(
        k <= MAX_HARMONIC or explained(season) < MIN_SHARE_OF_SEASON * explained(k * season)
        for k in range(2, MAX_PARTS + 1)
        if k * season in seasons
    )


def _explained(before: np.ndarray, after: np.ndarray, period: int) -> float:
    """Return by how much phase means reduce a sum of squares, less what they do by chance."""
    n_rows = len(before)
    return before @ before - after @ after * (n_rows - 1) / (n_rows - period)


def _explained_by(values: np.ndarray, period: int) -> float:
    """Return how much of the sum of squares of values the means of their phases explain."""
    return _explained(values, values - _phase_means(values, period), period)


def _phase_means(values: np.ndarray, period: int) -> np.ndarray:
    """Return the mean of all rows of the same phase, for every row."""
    phases = np.arange(len(values)) % period
    return (np.bincount(phases, values) / np.bincount(phases))[phases]


def _find_season(values: np.ndarray) -> int | None:
    """Return the shortest significant season, at the finest resolution that shows one."""
    width = 1
    while width == 1 or len(values) // width >= MIN_BLOCKS:
        n_blocks = len(values) // width
        blocks = values[-n_blocks * width :].reshape(n_blocks, width).mean(axis=1)
        period = _significant_lag(blocks)
        if period is not None and (width == 1 or period >= MIN_COARSE_PERIOD):
            return _locate(values, period, width)
        width *= 2
    return None


def _locate(values: np.ndarray, period: int, width: int) -> int:
    """Return the length in rows of a season of some blocks, by the rows themselves."""
    r = _autocorrelation(values - values.mean())
    if width > 1:
        return _resolve(r, _refine(r, (period - 1) * width, (period + 1) * width))
    explained = partial(_explained_by, values)
    best = max(period, _refine(r, *_near(period)), key=explained)
    fraction = _resolve(r, best)
    return fraction if explained(fraction) >= SHARE_OF_MULTIPLE * explained(best) else best


def _significant_lag(values: np.ndarray) -> int | None:
    """Return the first lag up to half the series with a significant peak, None without one."""
    rest = _whitened(values)
    if rest @ rest <= STRAIGHT_LINE**2 * (values @ values):
        return None
    r = _autocorrelation(rest)
    lags = np.arange(len(values) // 2 + 1)
    mean, n_pairs = _mean_over_multiples(r, lags)
    height = mean - _level_around(mean)
    with np.errstate(divide="ignore"):  # Fisher's transform makes the correlations nearly normal
        z = np.arctanh(np.clip(height, -1.0, 1.0)) * np.sqrt(np.maximum(n_pairs - 3, 0.5))
    after = np.append(height[1:], -1.0)
    peak = (height > np.roll(height, 1)) & (height >= after) & (lags >= 2)
    least = -ndtri(SIGNIFICANCE / len(lags))
    peaks = lags[peak & (height >= MIN_AUTOCORRELATION) & (z >= least)]
    if not len(peaks):
        return None
    first = int(peaks[height[peaks] >= SHARE_OF_HIGHEST * height[peaks].max()][0])
    return _resolve(r, _refine(r, *_near(first)))


def _whitened(values: np.ndarray) -> np.ndarray:
    """Return the residuals of a first-order autoregression."""
    values = values - values.mean()
    before = values[:-1]
    slope = np.clip(values[1:] @ before / (before @ before or 1.0), -1.0, 1.0)
    rest = values[1:] - slope * before
    return rest - rest.mean()


def _mean_over_multiples(r: np.ndarray, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean autocorrelation of every lag's multiples, and of how many pairs it is.

    The first multiple counts at any lag, others up to two thirds of the series.
    """
    total, variance, count = np.zeros((3, len(lags)))
    for k in range(1, MAX_MULTIPLE + 1):
        known = lags if k == 1 else lags[k * lags <= 2 * len(r) // 3]
        total[known] += r[k * known]
        variance[known] += 1 / (len(r) - k * known)
        count[known] += 1
    return total / count, count**2 / variance


def _level_around(mean: np.ndarray) -> np.ndarray:
    """Return the level from which a peak rises, which is above zero where a trend is left.

    It is the mean of all shorter lags, or of those up to twice the lag, whichever is higher.
    """
    lags = np.arange(len(mean))
    sums = np.append(0.0, np.cumsum(mean))
    level = np.zeros(len(mean))
    level[2:] = (sums[lags[2:]] - sums[1]) / (lags[2:] - 1)
    whole = lags[2 : (len(mean) + 1) // 2]  # twice the lag is within the range
    after = (sums[2 * whole] - sums[whole + 1]) / (whole - 1)
    level[whole] = np.maximum(level[whole], after)
    return np.maximum(level, 0.0)


def _contrast(r: np.ndarray, period: int) -> float:
    """Return the autocorrelation at multiples of a period, less that half a period earlier."""
    lags = np.arange(period, max(len(r) // 2, period) + 1, period)
    return float((r[lags] - r[lags - period // 2]).mean())


def _near(period: int) -> tuple[int, int]:
    """Return the range in which noise may have moved a peak."""
    reach = max(1, period // 8) if period > 6 else 0
    return period - reach, period + reach


def _refine(r: np.ndarray, shortest: int, longest: int) -> int:
    """Return the period in a range whose multiples have the highest contrast."""
    periods = range(max(2, shortest), min(len(r) // 2, longest) + 1)
    return max(periods, key=lambda period: _contrast(r, period))


def _resolve(r: np.ndarray, period: int) -> int:
    """Return the smallest fraction of a period that repeats as well."""
    for k in range(min(period // 2, MAX_FRACTION), 1, -1):
        fraction = _refine(r, *_near(round(period / k)))
        if _contrast(r, fraction) >= SHARE_OF_MULTIPLE * _contrast(r, period):
            return fraction
    return period


def _without_trend(values: np.ndarray) -> np.ndarray:
    """Divide by the largest magnitude, then subtract the least-squares line."""
    time = np.linspace(-1.0, 1.0, len(values))
    scaled = values / (np.abs(values).max() or 1.0)
    return scaled - np.polynomial.Polynomial.fit(time, scaled, 1)(time)


def _autocorrelation(values: np.ndarray) -> np.ndarray:
    """Return the correlation of the rows with those 0, 1, ... rows later."""
    n_rows = len(values)
    power = np.abs(np.fft.rfft(values, 2 * n_rows)) ** 2  # zero padding: no pair wraps around
    products = np.fft.irfft(power)[:n_rows]
    squares = np.append(0.0, np.cumsum(values**2))
    earlier, later = squares[:0:-1], squares[-1] - squares[:-1]
    sizes = np.sqrt(earlier * later)
    return np.divide(products, sizes, out=np.zeros(n_rows), where=sizes > 0)


def check_seasons(seasons) -> list[float] | None:
    """Return the periods that a parameter `seasons` gives, ascending; None for "auto"."""
    if isinstance(seasons, str) and seasons == "auto":
        return None
    if isinstance(seasons, (int, float, np.integer)) and not isinstance(seasons, bool):
        seasons = [seasons]
    if np.ndim(seasons) != 1:
        raise ValueError(
            f"seasons must be 'auto', a period or a sequence of periods, got {seasons!r}"
        )
    return sorted({float(check_number("seasons", period, 2.0)) for period in seasons})


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


def season_periods(
    labels: RowLabels | None,
    stamps: np.ndarray | None,
    series: Sequence[np.ndarray],
    n_rows: float,
) -> list[float]:
    """Return periods by the time stamps, or by the values without or against these.

    Parameters
    ----------
    labels : RowLabels or None
    stamps : ndarray of shape (n_stamps,) or None
        The labels themselves.
    series : sequence of ndarrays
        The values of one or several series.
    n_rows : float
        Of a series. It must have a season twice.

    Returns
    -------
    list of float
        In ascending order, at most 2; of several series, one if it comes from the values.

    Examples
    --------
    >>> weeks = [np.tile([0.0, 1, 2, 4, 8, 4, 2], 9) + np.arange(63) % k for k in (2, 3, 5)]
    >>> season_periods(None, None, weeks, 63)
    [7.0]
    """
    calendar = calendar_seasons(labels, stamps)
    if calendar is None:
        periods = _common([find_seasons(values) for values in series], SHARE_TO_ADD)
    else:
        refuting = [refuting_seasons(calendar, values) for values in series]
        periods = _common(refuting, SHARE_AGAINST_CALENDAR) or calendar
    return [float(period) for period in periods if n_rows >= 2 * period][:MAX_SEASONS]


def _common(found: list, least_share: float) -> list:
    """Return the seasons of the only series, or the one that most series show."""
    if len(found) == 1:
        return found[0]
    counts = Counter(period for periods in found for period in periods)
    period, count = max(counts.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
    return [period] if counts and count >= least_share * len(found) else []


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


def refuting_seasons(calendar: list[float], values: np.ndarray) -> list[float]:
    """Return the seasons of values (n_rows,) if one refutes those of the calendar, else none.

    It does so if the series has it five times, if it explains more than half of the variance around
    the linear trend, and if it is neither a season of the calendar, nor a multiple or a fraction of
    one.
    """
    values = values[-MAX_ROWS_TO_REFUTE:]
    found, longest = find_seasons(values), len(values) // MIN_PERIODS_TO_REFUTE
    others = [p for p in found if p <= longest and not _is_of_calendar(p, calendar)]
    if not others:
        return []
    values = _without_trend(values)
    largest = max(_explained_by(values, season) for season in others)
    refuted = largest > SHARE_TO_REFUTE * (values @ values)
    return [float(season) for season in found] if refuted else []


def _is_of_calendar(season: int, calendar: list[float]) -> bool:
    """Return whether a season is one of the calendar, a multiple or a fraction."""
    multiples = range(1, MAX_CALENDAR_MULTIPLE + 1)
    fractions = range(1, MAX_CALENDAR_FRACTION + 1)
    return any(
        any(abs(season - k * period) <= max(0.5, CALENDAR_TOLERANCE * season) for k in multiples)
        or any(abs(k * season - period) <= max(0.5, CALENDAR_TOLERANCE * period) for k in fractions)
        for period in calendar
    )


def as_times(labels: RowLabels, values: np.ndarray) -> np.ndarray | None:
    """Return labels as datetime64, None if they are no times."""
    if labels.kind == "periods":
        return labels.style.write(values).to_timestamp().to_numpy()
    if not isinstance(labels.axis, DateAxis):
        return None
    return values if labels.axis.form is None else labels.axis.form.read(values)
