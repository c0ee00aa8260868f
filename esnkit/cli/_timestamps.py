"""Time stamps of a CSV column: read, checked to be regular, and continued, without pandas.

A column holds numbers, or dates in one format throughout. Its rule is found as for the index of a
series that a `Forecaster` gets, see `esnkit.forecasting._time_axis`.
"""

import re
import warnings
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, NamedTuple

import numpy as np

from esnkit.cli._date_formats import (
    begins_with_short_year,
    first_field,
    formats_of,
    is_number,
    may_be_number,
    may_lack_year,
    spans_two_years,
    write,
)
from esnkit.cli._errors import UserError
from esnkit.cli._stamp_column import StampColumn, Stamps, read_at_once
from esnkit.forecasting._calendar import DAY, FixedStep, fit_grid
from esnkit.forecasting._calendar_numbers import NumberForm, ascending_forms, is_certain
from esnkit.forecasting._labels import AmbiguousNumbers, DateAxis, Labels, find_number_axis
from esnkit.forecasting._time_axis import (
    AmbiguousZone,
    CarriedGrid,
    IrregularTimes,
    TimeAxis,
    find_zone,
    read_time_axis,
)
from esnkit.forecasting._zones import observed_zone, to_utc, to_wall, utc_offsets

_MIDNIGHT = re.compile(r"[ T]24:00(:00)?")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*\b", re.IGNORECASE)
MAX_FILLED_ROWS = 2_000_000
_LAST_DATE = np.datetime64("9999-12-31T23:59:59", "us")


class Timestamps:
    """The time stamps of a column, read in every format that they could be in.

    Parameters
    ----------
    column : str
        Its name, for messages.
    """

    def __init__(self, column: str):
        self.column = column
        self.lines = array("q")  # line numbers in the file
        self.readings: list[StampColumn] = []  # one per format

    def add(self, text: str, line: int) -> None:
        """Read one more time stamp."""
        text = text.strip()
        if not text:
            raise UserError(f"line {line}: time stamp in column '{self.column}' is empty")
        if not self.lines:
            self.readings = [StampColumn(form) for form in formats_of(text)]
        kept = [reading for reading in self.readings if reading.add(text)]
        if not kept:
            before = ", in the format of the lines before" if self.lines else ""
            raise UserError(
                f"line {line}: time stamp {text[:40]!r} in column '{self.column}' is not a date "
                "like 2024-01-31 or 2024-01-31 23:59, nor a number of at most 64 bits"
                f"{before}{_way_out(text)}"
            )
        self.readings = kept
        self.lines.append(line)

    def read_at_once(self, texts: Sequence[str]) -> list[Stamps] | None:
        """Read more time stamps, without storing them; None where `add` has to decide."""
        found = []
        for reading in self.readings:
            stamps = read_at_once(texts, reading.form)
            if stamps is None:
                return None
            found.append(stamps)
        return found or None

    def extend(self, found: list[Stamps], lines: Sequence[int]) -> None:
        """Store what `read_at_once` has read."""
        for reading, stamps in zip(self.readings, found, strict=True):
            reading.extend(stamps)
        self.lines.extend(lines)

    def future(self, n_known: int, n_steps: int, fill: bool = False) -> "Continuation":
        """Continue the time stamps after the first `n_known` rows; all rows must be regular.

        With `fill` rows may be missing: `Continuation.rows` tells where those of the file stand.
        """
        if len(self.lines) < 2:
            raise UserError("the time column needs at least two rows to find its step")
        found: list[Continuation] = []
        failures: list[_GapError] = []
        for column in self.readings:
            kind = _Numbers if is_number(column.form) else _Dates
            reading = kind(column.form, column.stamps)
            try:
                self._check_ascending(reading)
                rows = self._fill(reading) if fill else np.arange(len(reading.values))
                found.append(self._continue(reading, rows, n_known, n_steps))
            except _GapError as error:
                failures.append(error)
        if not found:
            raise min(failures, key=lambda error: error.n_breaks)
        found = [item for item in found if not _is_yearly(item)] or found
        # Of months these would be every 13th one.
        found = [item for item in found if spans_two_years(item.form)] or found
        self._check_unambiguous(found)
        return found[0]

    def _fill(self, reading: "_Reading") -> np.ndarray:
        """Add the missing time stamps; return the positions of those of the file."""
        given = reading.values
        try:
            reading.values = reading.complete()
        except IrregularTimes as error:
            k = error.position
            raise _GapError(
                f"line {self.lines[k]}: after {reading.text(k)} there is a gap at times of day "
                "that no row has, so that --fill cannot tell missing rows from closed hours, which "
                "rows of a whole week show; leave out --time, or add rows with empty cells",
                error.n_breaks,
            ) from None
        rows = np.searchsorted(reading.values, given)
        off = reading.values[np.minimum(rows, len(reading.values) - 1)] != given
        if off.any():
            k = int(np.argmax(off))
            stamp = write(reading.to_stamps(given[k : k + 1])[0], reading.form)
            raise _GapError(
                f"line {self.lines[k]}: time stamp {stamp} does not fit the usual step of the "
                "others, so that --fill cannot tell which rows are missing",
                int(np.count_nonzero(off)),
            )
        return rows

    def _continue(
        self, reading: "_Reading", rows: np.ndarray, n_known: int, n_steps: int
    ) -> "Continuation":
        """Return the time stamps after those known; some of them may stand in the file."""
        try:
            axis = reading.find_axis(n_steps)
        except IrregularTimes as error:
            raise self._gap(reading, error) from None
        n_given, n_known = n_known, int(rows[n_known - 1]) + 1
        known, ahead = reading.values[:n_known], reading.values[n_known : n_known + n_steps]
        try:
            if len(ahead) < n_steps:
                ahead = np.concatenate([ahead, axis.after(n_steps - len(ahead))])
            written = [write(stamp, reading.form) for stamp in reading.to_stamps(ahead)]
        except OverflowError:
            message = f"the next {n_steps} time stamps lie beyond year 9999"
            raise _GapError(message, 0) from None
        except AmbiguousNumbers as error:
            raise UserError(
                f"the numbers in column '{self.column}' can be read {error}; write dates like "
                "2024-01-31"
            ) from None
        except AmbiguousZone as error:
            raise UserError(
                f"the times in column '{self.column}' are regular in several time zones, in which "
                f"the next {n_steps} differ, {error}; write local times"
            ) from None
        form, n_filled = getattr(axis, "form", None), n_known - n_given
        # Rows ascend: the place of the first one that has moved is that of the first one added.
        first_filled = int(np.argmax(rows != np.arange(len(rows)))) if n_filled else 0
        return Continuation(
            form=reading.form,
            written=written,
            known=reading.plain(known, axis),
            ahead=reading.plain(ahead, axis),
            labels=reading.labels(known, axis),
            is_certain=form is not None and is_certain(form),
            rows=rows,
            n_filled=n_filled,
            first_filled=reading.text(first_filled) if n_filled else "",
        )

    def _check_ascending(self, reading: "_Reading") -> None:
        """Raise at the first time stamp that is not later than the one before."""
        if reading.number_forms:  # dates such as 31122023 and 01012024
            return
        later = np.diff(reading.values).astype(np.int64) > 0
        if later.all():
            return
        k = int(np.argmin(later)) + 1
        repeated = reading.values[k] == reading.values[k - 1]
        hint = reading.clock_hint(k)
        if len(reading.values) > 3 and 2 * len(np.unique(reading.values)) <= len(reading.values):
            hint = "; rows of several series need --id with the column that tells them apart"
        raise _GapError(
            f"line {self.lines[k]}: time stamp {reading.text(k)} "
            f"{'is repeated' if repeated else 'goes back in time'}, after {reading.text(k - 1)} "
            f"on line {self.lines[k - 1]}{hint}",
            int(np.count_nonzero(~later)),
        )

    def _gap(self, reading: "_Reading", error: IrregularTimes) -> "_GapError":
        k, (stamp,) = error.position, reading.to_stamps(np.array([error.expected]))
        shown, following, expected = (
            reading.text(k),
            reading.text(k + 1),
            write(stamp, reading.form),
        )
        if expected == following:  # the first stamp is off the grid of the others
            message = (
                f"line {self.lines[k]}: time stamp {shown} does not fit the step of the rows after "
                "it; every time step needs its row"
            )
        else:
            message = (
                f"line {self.lines[k + 1]}: gap in time, {shown} is followed by {following}, where "
                f"the usual step would lead to {expected}; every time step needs its row, or "
                "--fill adds those that are missing"
            )
        return _GapError(message, error.n_breaks)

    def _check_unambiguous(self, found: list["Continuation"]) -> None:
        """Raise if dates are regular in two ways, such as day first and month first, and differ."""
        first = found[0]
        for other in found[1:]:
            # A number in the form of a date is one, though it would be followed by another number.
            is_date = is_number(other.form) and not may_be_number(first.form)
            if first.is_certain or is_date or other.written == first.written:
                continue
            if other.ahead.dtype == first.ahead.dtype and np.array_equal(other.ahead, first.ahead):
                continue
            ways = [_way(item.form) for item in (first, other)]
            if is_number(other.form):
                ways = ["as dates", "as numbers"]
            n_steps = len(first.written)
            k = next(k for k in range(n_steps) if first.written[k] != other.written[k])
            raise UserError(
                f"the dates in column '{self.column}' can be read {ways[0]}, which leads to "
                f"{first.written[k]}, or {ways[1]}, which leads to {other.written[k]}; write them "
                "like 2024-01-31"
            )


class _GapError(UserError):
    """Time stamps are irregular in one of the formats that they could be in."""

    def __init__(self, message: str, n_breaks: int):
        super().__init__(message)
        self.n_breaks = n_breaks


class Continuation(NamedTuple):
    """Time stamps continued in one format."""

    written: list[str]  # the next ones, in the format of the file
    known: np.ndarray  # numbers or local times of the rows known, for a plot
    ahead: np.ndarray  # those of the next rows
    labels: Labels | None  # of the rows known, if they are times
    form: str
    is_certain: bool  # numbers that can only be dates
    rows: np.ndarray  # positions of the rows of the file, which has not all with `fill`
    n_filled: int  # time stamps that `fill` adds to those known
    first_filled: str  # the first of them, if there is one


def _way_out(text: str) -> str:
    """Return how to write a time stamp that is clear, but in none of the formats; else nothing."""
    if _MIDNIGHT.search(text):
        return "; write 24:00 as 00:00 of the next day"
    return "; leave out the day of the week" if _WEEKDAY.search(text) else ""


@dataclass(frozen=True)
class FileStyle:
    """How a file writes labels, for messages of a forecaster."""

    zone: tzinfo | None
    name: Any = None
    place: str = "time column"
    fill_in: str = "add the missing rows"
    way_out: str = "leave out --time"
    names_zone = False  # it has offsets, which several zones may fit

    def text(self, value) -> str:
        """Return a label as text."""
        return str(value)

    def write(self, values: np.ndarray) -> np.ndarray:
        """Return labels as they are."""
        return values


def _is_yearly(item: Continuation) -> bool:
    """Tell whether the first field of dates such as 31/12/23 is read as the year, years apart.

    Dates of years are rather the first or the last of a month than the 23rd.
    """
    if not begins_with_short_year(item.form):
        return False
    first, last = item.known[0].item(), item.known[-1].item()
    if 1 in (first.day, (first + timedelta(days=1)).day):
        return False
    return last - first >= timedelta(days=365) * (len(item.known) - 1)


def _way(form: str) -> str:
    """Return how a format reads dates, for messages."""
    return "with .1 for October" if "%0m" in form else f"with the {first_field(form)} first"


class _Reading:
    """Time stamps read in one format, as labels of rows."""

    values: np.ndarray  # numbers, or instants of UTC, or local times
    number_forms: list[NumberForm] = []  # of dates that numbers may be in

    def __init__(self, form: str):
        self.form = form

    def find_axis(self, n_steps: int) -> Any:
        """Return the axis of all stamps, for so many more, or raise IrregularTimes."""
        raise NotImplementedError

    def complete(self) -> np.ndarray:
        """Return the labels with the missing ones between them, by their usual step."""
        raise NotImplementedError

    def to_stamps(self, labels: np.ndarray) -> list:
        """Return labels as integers or dates of Python."""
        raise NotImplementedError

    def plain(self, labels: np.ndarray, axis: Any) -> np.ndarray:
        """Return labels as numbers or local times, for a plot."""
        raise NotImplementedError

    def labels(self, labels: np.ndarray, axis: Any) -> Labels | None:
        """Return labels that are times as those of a series."""
        raise NotImplementedError

    def clock_hint(self, position: int) -> str:
        """Return what to do if clocks went back before a stamp that is not later than the last."""
        return ""

    def text(self, position: int) -> str:
        """Return a stamp as text."""
        return write(self.to_stamps(self.values[position : position + 1])[0], self.form)


def _complete(stamps: np.ndarray) -> np.ndarray:
    """Return dates with the missing ones between them, by the grid that they break least."""
    grid, n_steps = fit_grid(stamps).grid, len(stamps)
    while grid.shift(stamps[0], np.array([n_steps]))[0] < stamps[-1]:
        n_steps *= 2
        _check_count(n_steps // 2)
    complete = grid.shift(stamps[0], np.arange(n_steps + 1))
    complete = complete[complete <= stamps[-1]]
    _check_times_of_day(stamps, complete)
    return complete


def _check_times_of_day(stamps: np.ndarray, complete: np.ndarray) -> None:
    """Raise if times of day that no stamp has are missing more than once: maybe closed hours.

    A grid has opening hours only once the stamps include a weekend, which shows the days off.
    """
    missing = np.setdiff1d(complete, stamps)
    of_day = missing - missing.astype("M8[D]")
    times, where, counts = np.unique(of_day, return_inverse=True, return_counts=True)
    unseen = missing[((counts > 1) & ~np.isin(times, stamps - stamps.astype("M8[D]")))[where]]
    if len(unseen):
        position = int(np.searchsorted(stamps, unseen[0])) - 1
        raise IrregularTimes(position, unseen[0], len(unseen))


def _check_count(n_rows: int) -> None:
    if n_rows > MAX_FILLED_ROWS:
        raise _GapError(
            f"the gaps in the time column need more than {MAX_FILLED_ROWS:,} rows, too many for "
            "--fill",
            n_rows,
        )


class _Numbers(_Reading):
    """Whole numbers, or those of hundredths and the like; also numbers that write dates."""

    def __init__(self, form: str, stamps: Stamps):
        super().__init__(form)
        scale, values = 10 ** int(form[1:-1]) if form.endswith("r") else 1, stamps.numbers
        # All decimals may be zeros, as in 202312.0.
        self.unit = scale if scale > 1 and not (values % scale).any() else 1
        self.values, self.scale = values // self.unit, scale // self.unit
        self.number_forms = ascending_forms(self.values) if self.scale in (1, 100) else []
        if self.scale == 100:  # 2016.12 is a year and a month
            self.number_forms = [form for form in self.number_forms if form.fields == "Ym"]

    def find_axis(self, n_steps):
        """Return the axis of the numbers."""
        return find_number_axis(self.values, self.number_forms)

    def complete(self):
        """Return the numbers with the missing ones, as dates where they may be dates."""
        form = self.number_forms[0] if self.number_forms else None
        dates = None if form is None else form.read(self.values)
        if form is not None and dates is not None:
            return form.write(_complete(dates))
        steps, counts = np.unique(np.diff(self.values), return_counts=True)
        step = steps[np.argmax(counts)]
        _check_count((self.values[-1] - self.values[0]) // step)
        return np.arange(self.values[0], self.values[-1] + 1, step)

    def to_stamps(self, labels):
        """Return labels as integers of Python."""
        return (labels * self.unit).tolist()

    def plain(self, labels, axis):
        """Return dates for numbers that write dates."""
        dates = _read_dates(labels, axis)
        if dates is not None:
            return dates
        return labels / self.scale if self.scale > 1 else labels

    def labels(self, labels, axis):
        """Return dates for numbers that write dates."""
        dates = _read_dates(labels, axis)
        if dates is None:
            return None
        return Labels("times", dates, FileStyle(None), None, CarriedGrid(axis.times.grid, False))


def _read_dates(numbers: np.ndarray, axis: Any) -> np.ndarray | None:
    """Return the dates that numbers write, None if they write none."""
    is_date = isinstance(axis, DateAxis) and axis.form is not None
    return axis.form.read(numbers) if is_date else None


class _Dates(_Reading):
    """Dates, with an offset from UTC or without."""

    def __init__(self, form: str, stamps: Stamps):
        super().__init__(form)
        self.zone: Any = UTC if form.upper().endswith(("Z", "UTC", "GMT")) else None
        self.values, self.offsets = stamps.numbers.astype("M8[us]"), stamps.offsets
        if form.endswith("z"):
            self.values = self.values - self.offsets.astype("m8[s]")
            self.zone = observed_zone(self.values, self.offsets)

    def clock_hint(self, position):
        """Return what to do where local times of one night come twice."""
        before, stamp = self.values[position - 1 : position + 1]
        hour = (stamp - stamp.astype("M8[D]")) // np.timedelta64(1, "h")
        is_night = hour < 4 and before - stamp < np.timedelta64(1, "h")
        if self.zone is not None or not is_night or not re.search("%-?[HI]", self.form):
            return ""
        return "; if clocks went back there, write offsets from UTC, as in 02:00+01:00"

    def find_axis(self, n_steps):
        """Return the axis of the dates."""
        months = self.values.astype("M8[M]").astype(np.int64) % 12
        if may_lack_year(self.form) and not np.ptp(months):
            message = (
                f"time stamps such as {self.text(0)} may be days or years; write them like "
                "2024-01-31"
            )
            raise _GapError(message, len(self.values))
        if re.search("%-?V(?!-%u)", self.form):  # a week has no other step than weeks
            return self._weeks()
        if len(self.offsets) and np.ptp(self.offsets):
            mean = (self.values[-1] - self.values[0]) / (len(self.values) - 1)
            zone = find_zone(self.values, self.offsets, 2 * n_steps * mean)
            if zone is None:
                warnings.warn(
                    "the offsets from UTC of the time stamps fit no single time zone; those "
                    "forecast have that of the last row",
                    stacklevel=2,
                )
            self.zone = self.zone if zone is None else zone
        return read_time_axis(self.values, self.zone)

    def complete(self):
        """Return the dates with the missing ones.

        Where clocks change, steps of hours are regular in UTC, those of days in local time.
        """
        complete = _complete(self.values)
        if not len(self.offsets):
            return complete
        clocks_change = bool(np.ptp(self.offsets))
        if not clocks_change or not np.isin(self.values, complete).all():
            if clocks_change:
                self.zone = find_zone(self.values, self.offsets, 0 * DAY) or self.zone
            complete = to_utc(_complete(to_wall(self.values, self.zone)), self.zone)
        self.offsets = utc_offsets(complete, self.zone).astype(self.offsets.dtype)
        return complete

    def _weeks(self) -> TimeAxis:
        step = np.diff(self.values).min()
        breaks = np.diff(self.values) != step
        if breaks.any():
            position = int(np.argmax(breaks))
            raise IrregularTimes(position, self.values[position] + step, int(breaks.sum()))
        return TimeAxis(FixedStep(step), None, self.values[-1])

    def to_stamps(self, labels):
        """Return labels as dates."""
        if labels.max() > _LAST_DATE:
            raise OverflowError
        if not self.form.endswith("z"):
            return labels.tolist()
        local, offsets = to_wall(labels, self.zone), utc_offsets(labels, self.zone)
        return [
            stamp.replace(tzinfo=timezone(offset))
            for stamp, offset in zip(local.tolist(), offsets.tolist(), strict=True)
        ]

    def plain(self, labels, axis):
        """Return local times."""
        return to_wall(labels, self.zone) if self.form.endswith("z") else labels

    def labels(self, labels, axis):
        """Return times as labels, with the rule that they follow."""
        zone = self.zone if axis.zone is None else axis.zone
        grid = CarriedGrid(axis.grid, in_utc=axis.zone is None)
        return Labels("times", labels, FileStyle(zone), zone, grid)
