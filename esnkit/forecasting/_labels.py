"""Labels of the rows of a series, such as dates: checked to be regular, compared and continued.

Labels are plain arrays here; how a library writes them is their style.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from esnkit.forecasting._calendar import DAY, FixedStep
from esnkit.forecasting._calendar_numbers import (
    NAMES,
    NumberForm,
    ascending_forms,
    is_certain,
    is_date_rather,
)
from esnkit.forecasting._time_axis import (
    AmbiguousZone,
    CarriedGrid,
    IrregularTimes,
    TimeAxis,
    read_time_axis,
)
from esnkit.forecasting._zones import to_wall
from esnkit.utils._plain_state import plain_record


class LabelStyle(Protocol):
    """How a library writes labels."""

    name: Any  # of the index or column
    place: str  # for messages: "index", or the name of a column
    fill_in: str  # for messages: how to fill gaps in the labels
    way_out: str  # for messages: how to get along without the labels

    def text(self, value: Any) -> str:
        """Return a label as text, for messages."""

    def write(self, values: np.ndarray) -> Any:
        """Return labels as the library has them."""


class Labels(NamedTuple):
    """Labels of some rows."""

    kind: str  # "numbers", "times", "durations" or "periods"
    values: np.ndarray  # numbers, datetime64 (of UTC with a zone), timedelta64, ordinals of periods
    style: Any  # LabelStyle
    zone: Any = None  # tzinfo in which times are shown
    frequency: Any = None  # of periods (text, length), of times the CarriedGrid, if any
    counted: bool = False  # numbers that count rows, without a thought of dates

    def text(self, position: int) -> str:
        """Return a label as text."""
        return self.style.text(self.values[position])


@plain_record
@dataclass(frozen=True)
class NumberAxis:
    """Numbers, durations or ordinals with a constant difference."""

    last: Any
    step: Any

    def after(self, n_steps: int) -> np.ndarray:
        """Return the next labels."""
        if isinstance(self.step, int):  # integers of Python do not overflow
            if self.last + self.step * n_steps > np.iinfo(np.int64).max:
                raise OverflowError
            return self.last + self.step * np.arange(1, n_steps + 1, dtype=np.int64)
        return self.last + self.step * np.arange(1, n_steps + 1)

    def advance(self, labels: np.ndarray) -> "NumberAxis":
        """Return the axis after some more labels."""
        # Floats continue from those given, or the rounding of the step would add up.
        last = int(labels[-1]) if isinstance(self.step, int) else labels[-1]
        return replace(self, last=last)

    def is_continued_by(self, labels: np.ndarray) -> bool:
        """Tell whether labels are the next ones, up to rounding."""
        return same_numbers(labels, self.after(len(labels)), self.step)


@plain_record
@dataclass(frozen=True)
class DateAxis:
    """Times by their rule, in a `form` those that numbers write."""

    times: TimeAxis
    form: NumberForm | None = None

    def after(self, n_steps: int) -> np.ndarray:
        """Return the next labels."""
        stamps = self.times.after(n_steps)
        if self.form is None:
            return stamps
        numbers = self.form.write(stamps)
        if self.form.read(numbers) is None:  # as of a year beyond those that the form can write
            raise OverflowError
        return numbers

    def advance(self, labels: np.ndarray) -> "DateAxis":
        """Return the axis after some more labels."""
        return replace(self, times=self.times.advance(len(labels)))

    def is_continued_by(self, labels: np.ndarray) -> bool:
        """Tell whether labels are the next ones."""
        if self.form is None:
            return self.times.is_continued_by(labels)
        return same_numbers(labels, self.after(len(labels)))


class AmbiguousNumbers(ValueError):
    """Numbers are regular in two ways, in which different ones follow."""


@plain_record
@dataclass(frozen=True)
class OpenAxis:
    """Numbers that are regular in several ways: as they are, and as dates."""

    axes: tuple

    def after(self, n_steps: int) -> np.ndarray:
        """Return the next labels, if they are the same in all ways."""
        first, *others = (axis.after(n_steps) for axis in self.axes)
        for axis, other in zip(self.axes[1:], others, strict=True):
            differ = first != other
            if differ.any():
                k = int(np.argmax(differ))
                raise AmbiguousNumbers(
                    f"as {_way(self.axes[0])}, which leads to {first[k]}, or as {_way(axis)}, "
                    f"which leads to {other[k]}"
                )
        return first

    def advance(self, labels: np.ndarray) -> "OpenAxis":
        """Return the axis after some more labels, which may decide in which way they go on."""
        axes = [axis for axis in self.axes if axis.is_continued_by(labels)] or self.axes
        return replace(self, axes=tuple(axis.advance(labels) for axis in axes))

    def is_continued_by(self, labels: np.ndarray) -> bool:
        """Tell whether labels are the next ones in one of the ways."""
        return any(axis.is_continued_by(labels) for axis in self.axes)


def _way(axis) -> str:
    return NAMES[axis.form.fields] if isinstance(axis, DateAxis) and axis.form else "numbers"


@plain_record
class RowLabels(NamedTuple):
    """Labels of the rows of a series: how they continue, and how they are written."""

    axis: Any  # NumberAxis, DateAxis or OpenAxis
    style: Any  # LabelStyle
    kind: str
    dtype: Any

    def after(self, n_steps: int) -> np.ndarray:
        """Return the labels of the next `n_steps` rows, or say why they are not known."""
        place = self.style.place
        try:
            return self.axis.after(n_steps).astype(self.dtype)
        except OverflowError:
            raise ValueError(
                f"the next {n_steps} labels lie beyond the range of the {place}, {self.dtype}"
            ) from None
        except AmbiguousZone as error:
            raise ValueError(
                f"the times of the {place} are regular in several time zones, in which the next "
                f"{n_steps} differ, {error}; convert them to their zone before fit (tz_convert)"
            ) from None
        except AmbiguousNumbers as error:
            raise ValueError(
                f"the numbers of the {place} can be read {error}; convert them to dates before fit"
            ) from None

    def advance(self, values: np.ndarray) -> "RowLabels":
        """Return the labels after some more rows."""
        return self._replace(axis=self.axis.advance(values))

    def are_continued_by(self, labels: Labels) -> bool:
        """Tell whether labels are those of the next rows."""
        if (labels.kind, labels.zone is None) != (self.kind, self.style.zone is None):
            return False
        if labels.kind == "periods" and labels.frequency[0] != self.style.frequency:
            return False
        return self.axis.is_continued_by(labels.values)


def part_of(labels: Labels, rows: RowLabels, start: int, stop: int) -> Labels:
    """Return some of the labels of a series, with the rule of all, which few may not show."""
    frequency = labels.frequency
    if labels.kind == "times":
        frequency = CarriedGrid(rows.axis.times.grid, in_utc=rows.axis.times.zone is None)
    return labels._replace(values=labels.values[start:stop], frequency=frequency)


def read_row_labels(labels: Labels, argument: str) -> RowLabels:
    """Check that labels are regular, with the oldest first, and find how they continue."""
    if not np.isfinite(labels.values).all():
        raise ValueError(f"{argument} must have an index without missing or infinite labels")
    axis = _find_axis(labels, argument)
    dtype = labels.values.dtype
    if labels.kind in ("numbers", "periods"):
        dtype = np.dtype(np.int64 if dtype.kind in "iu" else np.float64)
    return RowLabels(axis, labels.style, labels.kind, dtype)


def _find_axis(labels: Labels, argument: str):
    """Return the axis of labels that are all there."""
    values, forms = labels.values, _forms_of(labels)
    ascending = values[1:] > values[:-1]
    if not ascending.all() and not forms:
        raise _out_of_order(labels, int(np.argmin(ascending)), argument)
    try:
        if labels.kind == "times":
            return DateAxis(_read_times(values, labels.zone, labels.frequency))
        if labels.kind != "numbers":
            return _number_axis(values, labels.frequency and labels.frequency[1])
        return find_number_axis(values, forms)
    except IrregularTimes as error:
        raise _irregular(labels, error.position, argument, error.expected) from None


def _forms_of(labels: Labels) -> list[NumberForm]:
    """List the forms of dates that numbers may be in, where there are at least two."""
    if labels.kind != "numbers" or len(labels.values) < 2:
        return []
    forms = ascending_forms(labels.values)
    return [form for form in forms if is_certain(form) or not labels.counted]


def _out_of_order(labels: Labels, position: int, argument: str) -> ValueError:
    """Return the error for labels of which the one at `position` is not before the next."""
    if labels.values[-1] >= labels.values[0]:
        return _irregular(labels, position, argument)
    return ValueError(
        f"{argument} must have its oldest row first, got an index from {labels.text(0)} to "
        f"{labels.text(-1)}; sort it (sort_index)"
    )


def _read_times(stamps, zone, carried=None) -> TimeAxis:
    if len(stamps) > 1:
        return read_time_axis(stamps, zone, carried)
    grid: Any = FixedStep(DAY)
    if carried is not None:
        grid, zone = carried.grid, None if carried.in_utc else zone
    return TimeAxis(grid, zone, to_wall(stamps, zone)[-1])


def find_number_axis(values: np.ndarray, forms: list[NumberForm]):
    """Find how numbers continue, in forms of dates that they may be in, the certain ones first.

    Raises
    ------
    IrregularTimes
        If they are regular neither as numbers nor as dates.
    """
    possible: list = []
    failures: list[IrregularTimes] = []
    certain = forms[:1] if forms and is_certain(forms[0]) else []
    for form in forms:
        try:
            axis = DateAxis(_read_times(form.read(values), None), form)
        except IrregularTimes as error:
            expected = form.write(np.array([error.expected]))[0]
            failures.append(IrregularTimes(error.position, expected, error.n_breaks))
            continue
        if is_certain(form):
            return axis
        possible.append(axis)
    if (values[1:] > values[:-1]).all():
        try:
            possible = _with_numbers(_number_axis(values), possible)
        except IrregularTimes as error:
            failures.insert(len(certain), error)
    if not possible:
        raise failures[0] if certain else min(failures, key=lambda error: error.n_breaks)
    return possible[0] if len(possible) == 1 else OpenAxis(tuple(possible))


def _with_numbers(numbers: NumberAxis, dates: list[DateAxis]) -> list:
    """List the ways in which numbers of a constant step may go on."""
    rather = [is_date_rather(axis.form, numbers.step) for axis in dates if axis.form]
    open_dates = [axis for axis, known in zip(dates, rather, strict=True) if known is not False]
    return open_dates if True in rather else [numbers, *open_dates]


def _number_axis(values: np.ndarray, step: int | None = None) -> NumberAxis:
    """Return the axis of labels with a constant difference, which may be given."""
    if values.dtype.kind == "f":
        return _float_axis(values)
    integers = values.dtype.kind in "iu"
    steps = np.diff(values)
    if step is None:
        step = _most_common(steps) if len(steps) else values.dtype.type(1)
        step = int(step) if integers else step
    _check_steps(values, steps != step, step)
    return NumberAxis(int(values[-1]) if integers else values[-1], step)


def _float_axis(values: np.ndarray) -> NumberAxis:
    """Return the axis of floats, whose differences are equal up to rounding."""
    if len(values) == 1:
        return NumberAxis(float(values[0]), 1.0)
    steps = np.diff(values)
    usual = np.median(steps)
    _check_steps(values, ~(np.abs(steps - usual) <= _rounding(values, usual)), usual)
    return NumberAxis(float(values[-1]), float(values[-1] - values[0]) / len(steps))


def _check_steps(values: np.ndarray, irregular: np.ndarray, step: Any) -> None:
    if irregular.any():
        position = int(np.argmax(irregular))
        raise IrregularTimes(position, values[position] + step, int(np.count_nonzero(irregular)))


def _rounding(values: np.ndarray, step: float) -> float:
    """Return how far floats may be from an exact multiple of the step."""
    coarse = 4 * np.finfo(values.dtype).eps * np.abs(values).max()
    return min(1e-6 * abs(step) + coarse, 0.01 * abs(step))


def same_numbers(found: np.ndarray, expected: np.ndarray, step: Any = None) -> bool:
    """Tell whether numbers are equal; floats of any precision up to rounding."""
    if len(found) != len(expected):
        return False
    if "f" not in found.dtype.kind + expected.dtype.kind:
        return bool(np.array_equal(found, expected))
    found = found if found.dtype.kind == "f" else found.astype(np.float64)
    if step is None and len(expected) == 1:
        return bool(found[0] == expected.astype(found.dtype)[0])
    if step is None:
        step = (expected[-1] - expected[0]) / (len(expected) - 1)
    return bool((np.abs(found - expected.astype(np.float64)) <= _rounding(found, step)).all())


def same_labels(found: Labels, expected: Labels) -> bool:
    """Tell whether labels are equal; times as instants, floats up to rounding."""
    if (found.kind, found.zone is None) != (expected.kind, expected.zone is None):
        return False
    if found.kind == "numbers":
        return same_numbers(found.values, expected.values)
    lengths = [labels.frequency for labels in (found, expected) if labels.kind == "periods"]
    return lengths[:1] == lengths[1:] and np.array_equal(found.values, expected.values)


def _irregular(labels: Labels, position: int, argument: str, expected: Any = None) -> ValueError:
    """Return the error for a label that is not followed by the one that should come."""
    style, text = labels.style, labels.style.text
    before, after = labels.values[position : position + 2]
    why = f"; {style.fill_in}, or {style.way_out} to ignore the {style.place}"
    if after <= before:
        why = ", which repeats it" if after == before else ", which is earlier: sort it" + why
    elif expected is not None and expected != after:
        why = f", where the usual step leads to {text(expected)}" + why
    pair = f"{text(before)} followed by {text(after)}"
    return ValueError(f"{argument} must have a regular {style.place}, got {pair}{why}")


def _most_common(values: np.ndarray):
    found, counts = np.unique(values, return_counts=True)
    return found[np.argmax(counts)]
