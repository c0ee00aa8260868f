"""The rule that time stamps follow: found from all of them, checked on each, and continued.

A rule is a grid of wall times: a constant step, slots of the week (business days, opening hours),
or days of the month (the 30th, the last day, the third Friday). Grids know no time zones.

Time stamps are arrays of datetime64 in seconds or finer units, strictly increasing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from esnkit.utils._plain_state import plain_record

DAY = np.timedelta64(1, "D")
WEEK = np.timedelta64(7, "D")
MIN_MONTH = np.timedelta64(28, "D")
MAX_TIMES_OF_DAY = 5_000
MAX_DAYS_OF_MONTH = 4  # of a rule with several, such as the 1st and the 15th
_FIRST_MONDAY = np.datetime64("1969-12-29", "D")
_BUSINESS = np.arange(7) < 5  # Monday to Friday
_LARGEST = 2**63 - 1


class Grid(Protocol):
    """What the rules of this module have in common."""

    def breaks(self, stamps: np.ndarray) -> np.ndarray:
        """Tell of each stamp but the last whether the next one is not its successor."""

    def shift(self, stamp: np.datetime64, counts: np.ndarray) -> np.ndarray:
        """Return the stamps that lie `counts` steps after a stamp of the grid.

        Raises
        ------
        OverflowError
            If one of them lies beyond the range of its dtype.
        """

    def following(self, stamp: np.datetime64) -> np.datetime64:
        """Return the first stamp of the grid after a time."""


class Fit(NamedTuple):
    """A grid and the pairs of neighbouring stamps that do not follow it."""

    grid: Any  # Grid
    breaks: np.ndarray

    @property
    def n_breaks(self) -> int:
        """Number of pairs that do not follow the grid; 0 if the stamps are regular."""
        return int(np.count_nonzero(self.breaks))


def fit_grid(stamps: np.ndarray, fraction_of_day: bool = True) -> Fit:
    """Return the first grid that all stamps follow, or else the one with the fewest breaks.

    Parameters
    ----------
    stamps : ndarray of datetime64, at least two
    fraction_of_day : bool, default=True
        Whether the step may be other than a whole number of days.

    Examples
    --------
    >>> fridays = np.array(["2024-01-19", "2024-02-16", "2024-03-15", "2024-04-19"], "M8[s]")
    >>> fit = fit_grid(fridays)
    >>> fit.n_breaks, fit.grid.shift(fridays[-1], np.array([1])).astype("M8[D]")
    (0, array(['2024-05-17'], dtype='datetime64[D]'))
    """
    best = None
    for grid in _candidates(stamps):
        if isinstance(grid, FixedStep) and grid.step % DAY and not fraction_of_day:
            continue
        fit = Fit(grid, grid.breaks(stamps))
        if not fit.n_breaks:
            return fit
        if best is None or fit.n_breaks < best.n_breaks:
            best = fit
    return best or Fit(None, np.ones(len(stamps) - 1, dtype=bool))


@plain_record
@dataclass(frozen=True)
class FixedStep:
    """Stamps with a constant duration between them."""

    step: np.timedelta64

    def breaks(self, stamps):
        """See `Grid`."""
        return np.diff(stamps) != self.step

    def shift(self, stamp, counts):
        """See `Grid`."""
        furthest = int(np.abs(counts).max(initial=0)) * _integer(self.step, stamp.dtype)
        if abs(_integer(stamp, stamp.dtype)) + furthest > _LARGEST:
            raise OverflowError
        return stamp + counts * self.step

    def following(self, stamp):
        """See `Grid`."""
        return stamp + self.step


class _NumberedGrid:
    """A grid whose stamps are numbered."""

    def locate(self, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each stamp, or of the one before it, and whether it is a stamp."""
        raise NotImplementedError

    def stamps(self, numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the stamps of some numbers."""
        raise NotImplementedError

    def breaks(self, stamps):
        """See `Grid`."""
        numbers, found = self.locate(stamps)
        return ~(found[:-1] & found[1:] & (np.diff(numbers) == 1))

    def shift(self, stamp, counts):
        """See `Grid`."""
        (number,), _ = self.locate(np.atleast_1d(stamp))
        return self.stamps(number + counts, stamp.dtype)

    def following(self, stamp):
        """See `Grid`."""
        near = self.shift(stamp, np.arange(-2, 4))
        return near[near > stamp][0]


@plain_record
@dataclass(frozen=True)
class WeekSlots(_NumberedGrid):
    """Every `step`-th of the slots of a week: business days, or hours that a market is open."""

    slots: np.ndarray  # (n_slots,) timedelta64 from Monday 00:00, increasing
    step: int = 1
    phase: int = 0  # number, modulo step, of the slots that are stamps

    def locate(self, stamps):
        """Return the number of each stamp, or of one near it, and whether it is a stamp."""
        weeks = (stamps.astype("M8[D]") - _FIRST_MONDAY) // WEEK
        since_monday = stamps - (_FIRST_MONDAY + weeks * WEEK)
        slot = np.searchsorted(self.slots, since_monday, side="right") - 1
        numbers = weeks * len(self.slots) + slot
        numbers, rest = np.divmod(numbers - self.phase, self.step)
        return numbers, (slot >= 0) & (self.slots[slot] == since_monday) & (rest == 0)

    def stamps(self, numbers, dtype):
        """Return the stamps of some numbers."""
        weeks, slot = np.divmod(numbers * self.step + self.phase, len(self.slots))
        slots = self.slots[slot]
        days = slots.astype("m8[D]")
        return _join(_FIRST_MONDAY + weeks * WEEK + days, slots - days, dtype)


@plain_record
class DayOfMonth(NamedTuple):
    """How a day is found in every month.

    `kind` is "day" (day `number`, or the last one of shorter months), "weekday" (the `number`-th
    `weekday`, Monday is 0), "last weekday", "first business day" or "last business day".
    """

    kind: str
    number: int = 0
    weekday: int = 0

    def of(self, months: np.ndarray) -> np.ndarray:
        """Return the days (datetime64[D]) in some months (datetime64[M])."""
        first = months.astype("M8[D]")
        last = (months + 1).astype("M8[D]") - 1
        if self.kind == "day":
            return np.minimum(first + (self.number - 1), last)
        if self.kind == "weekday":
            return first + (self.weekday - _weekday(first)) % 7 + 7 * (self.number - 1)
        if self.kind == "last weekday":
            return last - (_weekday(last) - self.weekday) % 7
        if self.kind == "first business day":
            return np.busday_offset(first, 0, roll="forward")
        return np.busday_offset(last, 0, roll="backward")


@plain_record
@dataclass(frozen=True)
class MonthDays(_NumberedGrid):
    """Days of every month, or of every `step`-th one, at one time of day."""

    days: tuple[DayOfMonth, ...]  # in the order of the days
    time: np.timedelta64
    step: int = 1
    phase: int = 0  # number of the month since 1970, modulo step

    def locate(self, stamps):
        """Return the number of each stamp, or of one near it, and whether it is a stamp."""
        months, rest = np.divmod(_month_number(stamps) - self.phase, self.step)
        day = stamps.astype("M8[D]")
        slot, found = np.zeros(len(stamps), dtype=np.int64), np.zeros(len(stamps), dtype=bool)
        for k, rule in enumerate(self.days):
            hit = rule.of(stamps.astype("M8[M]")) == day
            slot[hit], found = k, found | hit
        on_time = stamps - day == self.time
        return months * len(self.days) + slot, found & on_time & (rest == 0)

    def stamps(self, numbers, dtype):
        """Return the stamps of some numbers."""
        months, slot = np.divmod(numbers, len(self.days))
        months = (months * self.step + self.phase).astype("M8[M]")
        days = months.astype("M8[D]")
        for k, rule in enumerate(self.days):
            days[slot == k] = rule.of(months[slot == k])
        return _join(days, self.time, dtype)


def _candidates(stamps: np.ndarray) -> Iterator[Any]:
    """Yield the grids that may fit, the simple ones first."""
    usual = _most_common(np.diff(stamps))
    days = stamps.astype("M8[D]")
    time = _most_common(stamps - days)
    at_time = days[stamps - days == time]
    once_a_day = 2 * len(at_time) >= len(stamps) and len(at_time) > 1
    if once_a_day and usual >= MIN_MONTH:
        yield from _days_of_months(at_time, time)
    yield FixedStep(usual)
    if not once_a_day:
        yield from _sessions(stamps)
    elif usual >= MIN_MONTH // 2:
        yield from _weekdays_of_months(at_time, time)
        yield from _several_days_of_months(at_time, time)
    else:
        yield from _business_days(at_time, time)
        yield from _days_of_weeks(at_time, time)
        yield from _several_days_of_months(at_time, time)


def _days_of_months(days: np.ndarray, time) -> Iterator[MonthDays]:
    """Yield the last day of every n-th month, and the most common day."""
    number, last = _day_number(days), _days_in_month(days)
    if 2 * np.count_nonzero(number == last) >= len(days):
        yield _month_days(days, time, DayOfMonth("day", 31))
    for common in dict.fromkeys([int(number.max()), int(_most_common(number))]):
        yield _month_days(days, time, DayOfMonth("day", common))


def _weekdays_of_months(days: np.ndarray, time) -> Iterator[MonthDays]:
    """Yield rules such as the third Friday, where most stamps follow them."""
    if len(days) < 3:
        return
    number, weekday = _day_number(days), int(_most_common(_weekday(days)))
    nth = int(_most_common((number - 1) // 7)) + 1
    for rule in (
        DayOfMonth("weekday", nth, weekday) if nth < 5 else None,
        DayOfMonth("last weekday", 0, weekday),
        DayOfMonth("first business day"),
        DayOfMonth("last business day"),
    ):
        if rule and 2 * np.count_nonzero(rule.of(days.astype("M8[M]")) == days) >= len(days):
            yield _month_days(days, time, rule)


def _several_days_of_months(days: np.ndarray, time) -> Iterator[MonthDays]:
    """Yield rules such as the 1st and the 15th, once they have been seen in three months."""
    number = np.where(_day_number(days) == _days_in_month(days), 31, _day_number(days))
    values, counts = np.unique(number, return_counts=True)
    values = values[2 * counts >= counts.max()]
    if 1 < len(values) <= MAX_DAYS_OF_MONTH and len(days) > 2 * len(values):
        yield _month_days(days, time, *(DayOfMonth("day", int(value)) for value in values))


def _month_days(days: np.ndarray, time, *rules: DayOfMonth) -> MonthDays:
    """Return the grid of some days of every n-th month, where n is the most common step."""
    months = np.unique(_month_number(days))
    step = int(_most_common(np.diff(months))) if len(months) > 1 else 1
    return MonthDays(rules, time, step, int(_most_common(months % step)))


def _business_days(days: np.ndarray, time) -> Iterator[WeekSlots]:
    """Yield every n-th business day, Monday to Friday."""
    if not (_weekday(days) < 5).all():
        return
    step = int(_most_common(np.diff(_business_number(days))))
    if step == 1 or len(days) > 5:
        slots = np.flatnonzero(_BUSINESS) * DAY + time
        numbers = WeekSlots(slots).locate(days + time)[0]
        yield WeekSlots(slots, step, int(_most_common(numbers % step)))


def _days_of_weeks(days: np.ndarray, time) -> Iterator[WeekSlots]:
    """Yield the days of the week that are usual, once they have been seen in three weeks."""
    open_days = _usual_weekdays(days)
    if 1 < np.count_nonzero(open_days) < 7 and len(days) > 2 * np.count_nonzero(open_days):
        yield WeekSlots(np.flatnonzero(open_days) * DAY + time)


def _sessions(stamps: np.ndarray) -> Iterator[WeekSlots]:
    """Yield usual times of day on usual days, once a weekend shows whether these are all days."""
    days, counts = np.unique(stamps.astype("M8[D]"), return_counts=True)
    span = np.arange(days[0], days[-1] + 1)
    if len(days) < 4 or len(span) > 2 * len(stamps) or not {5, 6} <= set(_weekday(span).tolist()):
        return
    times, counts = np.unique(stamps - stamps.astype("M8[D]"), return_counts=True)
    times = times[2 * counts >= len(days)]
    open_days = _usual_weekdays(days)
    if not open_days.any():
        return
    every_or_business = open_days.all() or np.array_equal(open_days, _BUSINESS)
    if not 1 < len(times) <= MAX_TIMES_OF_DAY or not (every_or_business or len(span) > 14):
        return
    yield WeekSlots((np.flatnonzero(open_days)[:, None] * DAY + times).ravel())


def _usual_weekdays(days: np.ndarray) -> np.ndarray:
    """Return for each day of the week whether at least half of those in the span are there."""
    span = np.arange(days[0], days[-1] + 1)
    seen, all_days = (np.bincount(_weekday(part), minlength=7) for part in (np.unique(days), span))
    return (seen > 0) & (2 * seen >= all_days)


def _most_common(values: np.ndarray):
    """Return the most common value, of several the smallest."""
    found, counts = np.unique(values, return_counts=True)
    return found[np.argmax(counts)]


def _weekday(days: np.ndarray) -> np.ndarray:
    """Return the day of the week, Monday is 0."""
    return (days - _FIRST_MONDAY).astype(np.int64) % 7


def _business_number(days: np.ndarray) -> np.ndarray:
    return np.busday_count(_FIRST_MONDAY, days)


def _day_number(days: np.ndarray) -> np.ndarray:
    return (days - days.astype("M8[M]").astype("M8[D]")).astype(np.int64) + 1


def _days_in_month(days: np.ndarray) -> np.ndarray:
    months = days.astype("M8[M]")
    return ((months + 1).astype("M8[D]") - months.astype("M8[D]")).astype(np.int64)


def _month_number(stamps: np.ndarray) -> np.ndarray:
    return stamps.astype("M8[M]").astype(np.int64)


def _integer(value, dtype: np.dtype) -> int:
    """Return a stamp or a duration as a number of units of a dtype."""
    unit = np.datetime_data(dtype)[0]
    return int(value.astype(f"{value.dtype.kind}8[{unit}]").astype(np.int64))


def _join(days: np.ndarray, times, dtype: np.dtype) -> np.ndarray:
    """Return days with times of day, in a dtype whose range is checked."""
    units = _integer(DAY, dtype)
    if np.abs(days.astype(np.int64)).max(initial=0) > _LARGEST // units - 1:
        raise OverflowError
    return (days + times).astype(dtype)
