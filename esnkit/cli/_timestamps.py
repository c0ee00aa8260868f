"""Time stamps of a CSV column: read, checked to be regular, and continued, without pandas.

A column holds numbers, or dates in one format throughout. Its rule is found as for the index of a
series that a `Forecaster` gets, see `esnkit.forecasting._time_axis`.
"""

import re
import warnings
from datetime import UTC, timedelta, timezone
from typing import Any, NamedTuple

import numpy as np

from esnkit.cli._date_formats import (
    begins_with_short_year,
    first_field,
    formats_of,
    is_number,
    may_be_number,
    may_lack_year,
    read,
    write,
)
from esnkit.cli._errors import UserError
from esnkit.forecasting._calendar import FixedStep
from esnkit.forecasting._calendar_numbers import NumberForm, ascending_forms, is_certain
from esnkit.forecasting._labels import AmbiguousNumbers, DateAxis, find_number_axis
from esnkit.forecasting._time_axis import (
    AmbiguousZone,
    IrregularTimes,
    TimeAxis,
    find_zone,
    read_time_axis,
)
from esnkit.forecasting._zones import observed_zone, to_wall, utc_offsets

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
        self.lines: list[int] = []  # line numbers in the file
        self.readings: dict[str, list] = {}  # format: time stamps

    def add(self, text: str, line: int) -> None:
        """Read one more time stamp."""
        text = text.strip()
        if not text:
            raise UserError(f"line {line}: time stamp in column '{self.column}' is empty")
        if not self.lines:
            self.readings = {form: [] for form in formats_of(text)}
        kept = {}
        for form, stamps in self.readings.items():
            stamp = read(text, form)
            if stamp is not None:
                stamps.append(stamp)
                kept[form] = stamps
        if not kept:
            before = ", in the format of the lines before" if self.lines else ""
            raise UserError(
                f"line {line}: time stamp {text[:40]!r} in column '{self.column}' is not a date "
                "like 2024-01-31 or 2024-01-31 23:59, nor a number of at most 64 bits" + before
            )
        self.readings = kept
        self.lines.append(line)

    def future(self, n_known: int, n_steps: int) -> tuple[list[str], list, list]:
        """Continue the time stamps after the first `n_known` rows; all rows must be regular.

        Returns
        -------
        written : list of str
            The next `n_steps` time stamps, in the format of the file.
        known, ahead : lists
            Time stamps of the rows known and of those ahead, for a plot.
        """
        if len(self.lines) < 2:
            raise UserError("the time column needs at least two rows to find its step")
        found: list[_Continuation] = []
        failures: list[_GapError] = []
        for form, stamps in self.readings.items():
            reading = _Numbers(form, stamps) if is_number(form) else _Dates(form, stamps)
            try:
                self._check_ascending(reading)
                found.append(self._continue(reading, n_known, n_steps))
            except _GapError as error:
                failures.append(error)
        if not found:
            raise min(failures, key=lambda error: error.n_breaks)
        found = [item for item in found if not _is_yearly(item)] or found
        self._check_unambiguous(found)
        return found[0].written, found[0].known, found[0].ahead

    def _continue(self, reading: "_Reading", n_known: int, n_steps: int) -> "_Continuation":
        """Return the time stamps after those known; some of them may stand in the file."""
        try:
            axis = reading.find_axis(n_steps)
        except IrregularTimes as error:
            raise self._gap(reading, error) from None
        in_file = reading.stamps[n_known : n_known + n_steps]
        try:
            n_more = n_steps - len(in_file)
            ahead = in_file + (reading.to_stamps(axis.after(n_more)) if n_more else [])
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
        written = [write(stamp, reading.form) for stamp in ahead]
        known = reading.plain(reading.stamps[:n_known], axis)
        form = getattr(axis, "form", None)
        certain = form is not None and is_certain(form)
        return _Continuation(reading.form, written, known, reading.plain(ahead, axis), certain)

    def _check_ascending(self, reading: "_Reading") -> None:
        """Raise at the first time stamp that is not later than the one before."""
        if reading.number_forms:  # dates such as 31122023 and 01012024
            return
        later = np.diff(reading.values).astype(np.int64) > 0
        if later.all():
            return
        k = int(np.argmin(later)) + 1
        before, stamp = reading.stamps[k - 1 : k + 1]
        kind = "is repeated" if stamp == before else "goes back in time"
        raise _GapError(
            f"line {self.lines[k]}: time stamp {write(stamp, reading.form)} {kind}, after "
            f"{write(before, reading.form)} on line {self.lines[k - 1]}",
            int(np.count_nonzero(~later)),
        )

    def _gap(self, reading: "_Reading", error: IrregularTimes) -> "_GapError":
        k, (expected,) = error.position, reading.to_stamps(np.array([error.expected]))
        stamp, following = reading.stamps[k : k + 2]
        shown, following, expected = (write(s, reading.form) for s in (stamp, following, expected))
        if expected == following:  # the first stamp is off the grid of the others
            message = (
                f"line {self.lines[k]}: time stamp {shown} does not fit the step of the rows after "
                "it; every time step needs its row"
            )
        else:
            message = (
                f"line {self.lines[k + 1]}: gap in time, {shown} is followed by {following}, where "
                f"the usual step would lead to {expected}; every time step needs its row"
            )
        return _GapError(message, error.n_breaks)

    def _check_unambiguous(self, found: list["_Continuation"]) -> None:
        """Raise if dates are regular in two ways, such as day first and month first, and differ."""
        first = found[0]
        for other in found[1:]:
            # A number in the form of a date is one, though it would be followed by another number.
            is_date = is_number(other.form) and not may_be_number(first.form)
            if first.is_certain or is_date or other.ahead == first.ahead:
                continue
            if other.written == first.written:
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


class _Continuation(NamedTuple):
    """Time stamps continued in one format."""

    form: str
    written: list[str]
    known: list
    ahead: list
    is_certain: bool  # numbers that can only be dates


def _is_yearly(item: _Continuation) -> bool:
    """Tell whether the first field of dates such as 31/12/23 is read as the year, years apart.

    Dates of years are rather the first or the last of a month than the 23rd.
    """
    first, last = item.known[0], item.known[-1]
    if not begins_with_short_year(item.form) or 1 in (first.day, (first + timedelta(days=1)).day):
        return False
    return last - first >= timedelta(days=365) * (len(item.known) - 1)


def _way(form: str) -> str:
    """Return how a format reads dates, for messages."""
    return "with .1 for October" if "%0m" in form else f"with the {first_field(form)} first"


class _Reading:
    """Time stamps read in one format."""

    values: np.ndarray  # numbers, or instants of UTC, or local times
    number_forms: list[NumberForm] = []  # of dates that numbers may be in

    def __init__(self, form: str, stamps: list):
        self.form, self.stamps = form, stamps

    def find_axis(self, n_steps: int) -> Any:
        """Return the axis of all stamps, for so many more, or raise IrregularTimes."""
        raise NotImplementedError

    def to_stamps(self, labels: np.ndarray) -> list:
        """Return labels of the axis as stamps."""
        raise NotImplementedError

    def plain(self, stamps: list, axis: Any) -> list:
        """Return stamps as numbers or local dates, for a plot."""
        raise NotImplementedError


class _Numbers(_Reading):
    """Whole numbers, or those of hundredths and the like; also numbers that write dates."""

    def __init__(self, form: str, stamps: list):
        super().__init__(form, stamps)
        scale = 10 ** int(form[1:-1]) if form.endswith("r") else 1
        values = np.array(stamps, dtype=np.int64)
        # All decimals may be zeros, as in 202312.0.
        self.unit = scale if scale > 1 and not (values % scale).any() else 1
        self.values, self.scale = values // self.unit, scale // self.unit
        self.number_forms = ascending_forms(self.values) if self.scale in (1, 100) else []
        if self.scale == 100:  # 2016.12 is a year and a month
            self.number_forms = [form for form in self.number_forms if form.fields == "Ym"]

    def find_axis(self, n_steps):
        """Return the axis of the numbers."""
        return find_number_axis(self.values, self.number_forms)

    def to_stamps(self, labels):
        """Return labels as integers of Python."""
        return (labels * self.unit).tolist()

    def plain(self, stamps, axis):
        """Return dates for numbers that write dates."""
        dates = None
        if isinstance(axis, DateAxis) and axis.form is not None:
            dates = axis.form.read(np.array(stamps) // self.unit)
        if dates is not None:
            return dates.tolist()
        scale = self.scale * self.unit
        return [stamp / scale for stamp in stamps] if scale > 1 else stamps


class _Dates(_Reading):
    """Dates, with an offset from UTC or without."""

    def __init__(self, form: str, stamps: list):
        super().__init__(form, stamps)
        wall = np.array([stamp.replace(tzinfo=None) for stamp in stamps], dtype="M8[us]")
        self.zone: Any = UTC if form.upper().endswith(("Z", "UTC", "GMT")) else None
        self.values = wall
        self.offsets = np.zeros(len(stamps), dtype=np.int64)
        if form.endswith("z"):
            seconds = [stamp.utcoffset().total_seconds() for stamp in stamps]
            self.offsets = np.array(seconds, dtype=np.int64)
            self.values = wall - self.offsets.astype("m8[s]")
            self.zone = observed_zone(self.values, self.offsets)

    def find_axis(self, n_steps):
        """Return the axis of the dates."""
        if may_lack_year(self.form) and len({stamp.month for stamp in self.stamps}) == 1:
            shown = write(self.stamps[0], self.form)
            message = (
                f"time stamps such as {shown} may be days or years; write them like 2024-01-31"
            )
            raise _GapError(message, len(self.values))
        if re.search("%-?V(?!-%u)", self.form):  # a week has no other step than weeks
            return self._weeks()
        if (self.offsets != self.offsets[0]).any():
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

    def plain(self, stamps, axis):
        """Return local dates."""
        return [stamp.replace(tzinfo=None) for stamp in stamps]
