"""Time zones on arrays of datetime64: from UTC to wall time and back.

A zone is a tzinfo of Python, or `Changes`, a table of its offsets.

A wall time that clocks skip, and one that they show twice, become what `resample("D")` of pandas
makes of them: the first instant after the skip, and the first of the two.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from esnkit.utils._plain_state import plain_record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
# One day within the years of datetime, where local times exist too.
_FIRST = int((datetime(1, 1, 3, tzinfo=UTC) - _EPOCH).total_seconds())
_LAST = int((datetime(9999, 12, 29, tzinfo=UTC) - _EPOCH).total_seconds())
_AROUND = 2 * 366 * _DAY  # looked up on both sides, so that neighbouring calls share a table
_ALWAYS = -(2**62)  # before all instants
_HOUR = 3600
# Since 1970, clocks have never changed twice within six days; halves of 2**7 hours are whole hours.
_SAMPLING = 128 * _HOUR


@plain_record
class Changes(NamedTuple):
    """Offsets of a zone: `offsets[i]` holds from second `starts[i]` of UTC, up to the next."""

    starts: np.ndarray
    offsets: np.ndarray


Zone = tzinfo | Changes


def observed_zone(utc: np.ndarray, offsets: np.ndarray) -> Changes:
    """Return the zone of instants of which only the offsets (in seconds) are known.

    Clocks change halfway between two instants: right before one of them, they would show the hours
    before it twice.

    Examples
    --------
    >>> utc = np.array(["2024-03-30T23:00", "2024-03-31T22:00"], "M8[s]")
    >>> to_wall(utc, observed_zone(utc, np.array([3600, 7200])))
    array(['2024-03-31T00:00:00', '2024-04-01T00:00:00'], dtype='datetime64[s]')
    """
    changed = np.flatnonzero(np.diff(offsets)) + 1
    seconds = _seconds(utc)
    halfway = seconds[changed] - (seconds[changed] - seconds[changed - 1]) // 2
    starts = np.concatenate([[_ALWAYS], halfway])
    return Changes(starts, offsets[np.concatenate([[0], changed])])


def to_wall(utc: np.ndarray, zone: Zone | None) -> np.ndarray:
    """Return wall times of instants; for None, those of UTC.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> to_wall(np.array(["2024-07-01T00:00"], "M8[s]"), ZoneInfo("Europe/Berlin"))
    array(['2024-07-01T02:00:00'], dtype='datetime64[s]')
    """
    return utc if zone is None or not len(utc) else utc + utc_offsets(utc, zone)


def utc_offsets(utc: np.ndarray, zone: Zone) -> np.ndarray:
    """Return what a zone adds to UTC at some instants, as timedelta64[s]."""
    seconds = _seconds(utc)
    changes = _changes_around(zone, seconds)
    found = np.searchsorted(changes.starts, seconds, side="right") - 1
    return changes.offsets[found].astype("m8[s]")


def offset_at(zone: tzinfo, second: int) -> int:
    """Return the offset from UTC in seconds, at a second since 1970."""
    offset = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds())


def to_utc(wall: np.ndarray, zone: Zone | None) -> np.ndarray:
    """Return the instants of wall times.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> zone = ZoneInfo("America/Santiago")
    >>> skipped = np.array(["2024-09-08T00:00"], "M8[s]")
    >>> to_wall(to_utc(skipped, zone), zone)
    array(['2024-09-08T01:00:00'], dtype='datetime64[s]')
    """
    if zone is None or not len(wall):
        return wall
    seconds = _seconds(wall)
    starts, offsets = _changes_around(zone, seconds)
    # The first offset whose wall times end after the one sought; if they begin after it too, the
    # wall time is skipped.
    ends = starts[1:] + offsets[:-1]
    found = np.searchsorted(ends, seconds, side="right")
    skipped = seconds < starts[found] + offsets[found]
    first = np.where(skipped, starts[found], 0).astype("M8[s]").astype(wall.dtype)
    return np.where(skipped, first, wall - offsets[found].astype("m8[s]"))


def _seconds(stamps: np.ndarray) -> np.ndarray:
    return stamps.astype("M8[s]").astype(np.int64)


def unskipped(utc: np.ndarray, zone: Zone, wall: np.ndarray) -> np.ndarray:
    """Return wall times of instants, where clocks skipped one of `wall` that one.

    For a skipped wall time any instant will do from the first one after the skip to the one that
    is as much later as clocks went forward; libraries differ.
    """
    first = to_utc(wall, zone)
    second = np.timedelta64(1, "s")
    skip = to_wall(first, zone) - to_wall(first - second, zone) - second
    late = utc - first
    stands_for_it = (to_wall(first, zone) != wall) & (late >= 0 * second) & (late <= skip)
    return np.where(stands_for_it, wall, to_wall(utc, zone))


def _changes_around(zone: Zone, seconds: np.ndarray) -> Changes:
    """Return the changes of a zone's offset that matter to some seconds."""
    if isinstance(zone, Changes):
        return zone
    first, last = (min(max(int(s), _FIRST), _LAST) for s in (seconds.min(), seconds.max()))
    first = first // _AROUND * _AROUND - _AROUND
    last = last // _AROUND * _AROUND + 2 * _AROUND
    return _changes(_Same(zone), max(first, _FIRST), min(last, _LAST))


class _Same:
    """A zone as a key of a cache: those of dateutil have no hash value."""

    def __init__(self, zone: tzinfo):
        self.zone = zone

    def __hash__(self) -> int:
        try:
            return hash(self.zone)
        except TypeError:
            return hash(type(self.zone))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.zone == other.zone


@lru_cache(maxsize=1024)
def _changes(key: _Same, first: int, last: int) -> Changes:
    """Find the changes of offset between two seconds of UTC, by samples and bisection."""
    zone, sampled = key.zone, range(first, last, _SAMPLING)
    offsets = [instant.astimezone(zone).utcoffset() for instant in _instants(first, last)]
    starts, found = [_ALWAYS], [offset_at(zone, first)]
    for k, (before, after) in enumerate(pairwise(offsets)):
        if before != after:
            low, high = sampled[k], sampled[k + 1]
            while high - low > 1:
                # Most clocks change on the hour.
                middle = high - 1 if high - low == _HOUR else (low + high) // 2
                same = offset_at(zone, middle) == found[-1]
                low, high = (middle, high) if same else (low, middle)
            starts.append(high)
            found.append(offset_at(zone, sampled[k + 1]))
    return Changes(np.array(starts), np.array(found))


@lru_cache(maxsize=16)
def _instants(first: int, last: int) -> list[datetime]:
    """Return the samples between two seconds of UTC, which are those of all zones."""
    return [_EPOCH + timedelta(seconds=second) for second in range(first, last, _SAMPLING)]
