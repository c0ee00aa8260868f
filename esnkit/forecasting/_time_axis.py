"""Time stamps with or without a zone: their rule, and the stamps that follow.

A step of whole days, weeks or months is a step of local time, and one of a fraction of a day a step
of UTC. Stamps that are regular in the local time of another zone only, such as midnights of Berlin
shown in UTC, are continued in that zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from esnkit.forecasting._calendar import DAY, Fit, FixedStep, fit_grid
from esnkit.forecasting._zones import Zone, offset_at, to_utc, to_wall, unskipped, utc_offsets
from esnkit.utils._plain_state import plain_record

MAX_TIMES_IN_UTC = 4  # that one local time of day has over the years
MAX_DAYS_LEFT_OUT = 4  # by a zone, as where it moves to the other side of the date line
YEARS_COMPARED = 10  # zones whose clocks agree for so long ahead count as one
_SECONDS_PER_YEAR = 31_556_952


class IrregularTimes(ValueError):
    """Time stamps follow no rule.

    Parameters
    ----------
    position : int
        Number of a stamp that is not followed by the one that the usual rule puts after it.
    expected : datetime64 or number
        The stamp that the usual rule puts there.
    n_breaks : int, default=1
        Number of such stamps.
    """

    def __init__(self, position: int, expected: Any, n_breaks: int = 1):
        super().__init__(position, expected, n_breaks)
        self.position, self.expected, self.n_breaks = position, expected, n_breaks


class AmbiguousZone(ValueError):
    """Time stamps are regular in several zones, in which different ones follow."""


class CarriedGrid(NamedTuple):
    """A grid that time stamps are said to follow."""

    grid: Any  # Grid
    in_utc: bool  # else in local time


class _Reading(NamedTuple):
    """Stamps as local times of a zone, with the grid that fits them best."""

    zone: Zone | None  # None: UTC, or no zone at all
    wall: np.ndarray  # those that clocks skip as if they did not
    fit: Fit


@plain_record
@dataclass(frozen=True)
class TimeAxis:
    """A rule of time stamps, and the last of them."""

    grid: Any  # Grid
    zone: Zone | None  # in whose local time the rule holds
    last: np.datetime64  # local time
    others: tuple["TimeAxis", ...] = ()  # the rule in other zones, if the stamps fit several

    def after(self, n_steps: int) -> np.ndarray:
        """Return the next `n_steps` time stamps: instants of UTC, or local times without a zone.

        Raises
        ------
        OverflowError
            If they lie beyond the range of their dtype.
        AmbiguousZone
            If the stamps seen are regular in zones that lead to different ones.
        """
        stamps = to_utc(self._wall_after(n_steps), self.zone)
        for other in self.others:
            if not np.array_equal(other.after(n_steps), stamps):
                raise AmbiguousZone(f"{self.zone} or {other.zone}")
        return stamps

    def advance(self, n_steps: int) -> "TimeAxis":
        """Return the axis after `n_steps` more time stamps."""
        others = tuple(other.advance(n_steps) for other in self.others)
        return replace(self, last=self._wall_after(n_steps)[-1], others=others)

    def is_continued_by(self, stamps: np.ndarray) -> bool:
        """Tell whether time stamps are the next ones.

        Of a local time that clocks show twice either instant counts; of one that they skip, see
        `unskipped`.
        """
        expected = self.after(len(stamps)).astype(stamps.dtype)
        if self.zone is None or np.array_equal(stamps, expected):
            return np.array_equal(stamps, expected)
        wall = self._wall_after(len(stamps)).astype(stamps.dtype)
        return np.array_equal(unskipped(stamps, self.zone, wall), wall)

    def _wall_after(self, n_steps: int) -> np.ndarray:
        """Return the next local times, without a day that the zone has left out, as Samoa once."""
        if self.zone is None:
            return self.grid.shift(self.last, np.arange(1, n_steps + 1))
        wall = self.grid.shift(self.last, np.arange(1, n_steps + 3))
        stamps = to_utc(wall, self.zone)
        return wall[:-1][stamps[:-1] != stamps[1:]][:n_steps]


def read_time_axis(
    stamps: np.ndarray, zone: Zone | None = None, carried: CarriedGrid | None = None
) -> TimeAxis:
    """Find the rule of time stamps.

    Parameters
    ----------
    stamps : ndarray of datetime64 in seconds or a finer unit, at least two, strictly increasing
        Instants of UTC with a zone, local times without.
    zone : tzinfo or Changes, default=None
    carried : CarriedGrid, default=None
        The rule that the stamps are said to follow; where they do not, it is not used.

    Raises
    ------
    IrregularTimes
        If there is none.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> days = np.array(["2024-09-06T04", "2024-09-07T04", "2024-09-08T04"], "M8[s]")
    >>> read_time_axis(days, ZoneInfo("America/Santiago")).after(2)
    array(['2024-09-09T03:00:00', '2024-09-10T03:00:00'], dtype='datetime64[s]')
    """
    if carried is not None:
        zone_of_grid = None if carried.in_utc else zone
        wall = _local_times(stamps, zone_of_grid)
        if not carried.grid.breaks(wall).any():
            return TimeAxis(carried.grid, zone_of_grid, wall[-1])
    in_utc = _Reading(None, stamps, fit_grid(stamps))
    if zone is None or _has_fraction_of_day(in_utc.fit):
        return _axis_of([in_utc])
    wall = _local_times(stamps, zone)
    fit = fit_grid(wall, fraction_of_day=False)
    local = _Reading(zone, wall, fit._replace(breaks=_true_breaks(fit, wall, zone)))
    if local.fit.n_breaks and in_utc.fit.n_breaks:
        elsewhere = _readings_elsewhere(stamps)
        regular = [reading for reading in elsewhere if not reading.fit.n_breaks]
        if regular:
            return _axis_in_any_of(regular)
        return _axis_of([local, in_utc, *elsewhere])
    return _axis_of([local, in_utc])


def find_zone(utc: np.ndarray, offsets: np.ndarray, ahead: np.timedelta64) -> tzinfo | None:
    """Find the zone in which instants have some offsets (in seconds), None if it is uncertain.

    Of several zones, any one will do if their clocks agree for so long `ahead`.
    """
    some = np.flatnonzero(np.diff(offsets, prepend=offsets[0] - 1))
    seconds = utc.astype("M8[s]").astype(np.int64)
    found = []
    for zone in _named_zones():
        if all(offset_at(zone, int(seconds[k])) == offsets[k] for k in some) and np.array_equal(
            utc_offsets(utc, zone).astype(np.int64), offsets
        ):
            found.append(zone)
    days = utc[-1] + np.arange(int(ahead / DAY) + 3) * DAY
    futures = {to_wall(days, zone).tobytes() for zone in found}
    return found[0] if len(futures) == 1 else None


def _has_fraction_of_day(fit: Fit) -> bool:
    regular = not fit.n_breaks and isinstance(fit.grid, FixedStep)
    return regular and bool(fit.grid.step % DAY)


def _true_breaks(fit: Fit, wall: np.ndarray, zone: Zone) -> np.ndarray:
    """Return the breaks of local times, without days that the zone has left out."""
    breaks, positions = fit.breaks.copy(), np.flatnonzero(fit.breaks)
    if fit.grid is not None and len(positions) <= MAX_DAYS_LEFT_OUT:
        for k in positions:
            expected, found = to_utc(np.array([fit.grid.following(wall[k]), wall[k + 1]]), zone)
            breaks[k] = expected != found
    return breaks


def _axis_of(readings: list[_Reading]) -> TimeAxis:
    """Return the axis of the first regular reading, or raise where the best one breaks."""
    best = min(readings, key=lambda reading: reading.fit.n_breaks)
    if not best.fit.n_breaks:
        return TimeAxis(best.fit.grid, best.zone, best.wall[-1])
    position = int(np.argmax(best.fit.breaks))
    expected = best.fit.grid.following(best.wall[position])
    expected = to_utc(np.array([expected]), best.zone)[0]
    raise IrregularTimes(position, expected, best.fit.n_breaks)


def _axis_in_any_of(readings: list[_Reading]) -> TimeAxis:
    """Return the axis of readings that are all regular: of midnights, if there are any."""
    at_midnight = [r for r in readings if r.wall[0] == r.wall[0].astype("M8[D]")]
    axes = [_axis_of([reading]) for reading in at_midnight or readings]
    wall = readings[0].wall
    steps_a_year = _SECONDS_PER_YEAR / ((wall[-1] - wall[0]) / np.timedelta64(1, "s"))
    n_ahead = int(YEARS_COMPARED * (len(wall) - 1) * steps_a_year) + 1
    different: dict[bytes, TimeAxis] = {}
    for axis in axes:
        different.setdefault(axis.after(n_ahead).tobytes(), axis)
    first, *others = different.values()
    return replace(first, others=tuple(others))


def _readings_elsewhere(stamps: np.ndarray) -> list[_Reading]:
    """Read stamps in all zones in which they have one local time of day."""
    times, where, counts = np.unique(
        stamps - stamps.astype("M8[D]"), return_inverse=True, return_counts=True
    )
    if not 1 < len(times) <= MAX_TIMES_IN_UTC:
        return []
    readings = []
    # The first and the last, and times seen seldom, may stand for times that clocks skip.
    usual = [np.flatnonzero(where == k)[counts[k] // 2] for k in np.argsort(counts)[-2:]]
    for zone in _zones_with_one_time(stamps[usual]):
        wall = _local_times(stamps, zone)
        if len(np.unique(wall - wall.astype("M8[D]"))) == 1:
            readings.append(_Reading(zone, wall, fit_grid(wall)))
    return readings


def _zones_with_one_time(stamps: np.ndarray) -> Iterator[tzinfo]:
    """Yield the zones in which a few stamps have the same local time of day."""
    seconds = stamps.astype("M8[s]").astype(np.int64).tolist()
    for zone in _named_zones():
        if len({(second + offset_at(zone, second)) % 86_400 for second in seconds}) == 1:
            yield zone


@lru_cache(maxsize=1)
def _named_zones() -> tuple[tzinfo, ...]:
    """Return the zones of the world that have the name of a place; none without a database."""
    from zoneinfo import ZoneInfo, available_timezones

    places = (name for name in available_timezones() if "/" in name and "Etc/" not in name)
    # London and New York before their neighbours of the same clocks, which may change later.
    return tuple(map(ZoneInfo, sorted(places)))


def _local_times(utc: np.ndarray, zone: Zone | None) -> np.ndarray:
    """Return local times; of stamps at one time of day, those that clocks skip as if they did not.

    A midnight that does not exist, for which 01:00 stands, becomes 00:00.
    """
    wall = to_wall(utc, zone)
    days = wall.astype("M8[D]")
    times, counts = np.unique(wall - days, return_counts=True)
    usual = times[np.argmax(counts)]
    if zone is None or len(times) == 1 or 2 * counts.max() < len(wall):
        return wall
    for day in (days, days - DAY):  # a skip may lead into the next day
        wall = np.where(
            wall - wall.astype("M8[D]") == usual, wall, unskipped(utc, zone, day + usual)
        )
    return wall
