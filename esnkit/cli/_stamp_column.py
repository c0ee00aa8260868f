"""Time stamps of a column in one format, as arrays; many texts of one width are read at once."""

from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from esnkit.cli._date_formats import FIELD, YEAR_LAST, read
from esnkit.forecasting._calendar_numbers import TWO_DIGIT_PIVOT

_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
_SECOND, _DAY = 10**6, 86_400 * 10**6  # in microseconds
_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_ZONE_WIDTHS = {"": 5, ":": 6, ":::": 3}
_LAST = {"m": 12, "H": 23, "M": 59, "S": 59}  # of fields that are not checked by the calendar


class Stamps(NamedTuple):
    """Numbers, or local times in microseconds since 1970 with their offsets from UTC in seconds."""

    numbers: np.ndarray  # int64
    offsets: np.ndarray  # int64; empty for formats without them


class StampColumn:
    """The time stamps of a column, read in one format.

    Parameters
    ----------
    form : str
    """

    def __init__(self, form: str):
        self.form = form
        self._numbers, self._offsets = array("q"), array("q")

    def add(self, text: str) -> bool:
        """Read one more text; tell whether it is in the format."""
        stamp = read(text, self.form)
        if isinstance(stamp, datetime):
            self._numbers.append((stamp.replace(tzinfo=None) - _EPOCH) // _MICROSECOND)
            if self.form.endswith("z"):
                self._offsets.append((stamp.utcoffset() or timedelta()) // timedelta(seconds=1))
        elif stamp is not None:
            self._numbers.append(stamp)
        return stamp is not None

    def extend(self, stamps: Stamps) -> None:
        """Append time stamps that have been read at once."""
        self._numbers.frombytes(stamps.numbers.tobytes())
        self._offsets.frombytes(stamps.offsets.tobytes())

    @property
    def stamps(self) -> Stamps:
        """All time stamps."""
        return Stamps(np.array(self._numbers), np.array(self._offsets))


def read_at_once(texts: Sequence[str], form: str) -> Stamps | None:
    """Read texts in a format; None if one of them is not, or where `read` has to decide.

    Examples
    --------
    >>> read_at_once(["2024-01-31 23:00", "2024-02-01 00:00"], "%Y-%m-%d %H:%M").numbers
    array([1706742000000000, 1706745600000000])
    >>> read_at_once(["2024-02-30"], "%Y-%m-%d")
    """
    if form == "%1i":
        return _read_integers(texts)
    layout = _layout(form)
    codes = None if layout is None else _codes(texts, layout.width)
    if layout is None or codes is None:
        return None
    if any((codes[:, position] != ord(sign)).any() for position, sign in layout.signs):
        return None
    values: dict[str, Any] = {}
    for field in layout.fields:
        part = codes[:, field.start : field.stop]
        found = _offsets(part) if field.what == "z" else _number(part, field.bare)
        if found is None:
            return None
        values[field.what] = found * 10 ** (6 - part.shape[1]) if field.what == "f" else found
    offsets = values.pop("z", np.empty(0, dtype=np.int64))
    numbers = _local_times(values)
    return None if numbers is None else Stamps(numbers, offsets)


def _read_integers(texts: Sequence[str]) -> Stamps | None:
    """Read integers without leading zeros."""
    try:
        numbers = np.array(list(map(int, texts)), dtype=np.int64)
    except (ValueError, OverflowError):
        return None
    same = list(map(str, numbers.tolist())) == list(texts)
    return Stamps(numbers, np.empty(0, dtype=np.int64)) if same else None


class _Field(NamedTuple):
    """Where the digits of a field stand in a text."""

    what: str
    start: int
    stop: int
    bare: bool  # without leading zeros


class _Layout(NamedTuple):
    """Fields of a format of one width, and the signs between them."""

    width: int
    fields: list[_Field]
    signs: list[tuple[int, str]]


@lru_cache(maxsize=1024)
def _layout(form: str) -> _Layout | None:
    """Return where fields stand, each with all its digits; None for formats of other fields."""
    fields, signs, end, width = [], [], 0, 0
    if form in YEAR_LAST:
        return None
    for found in FIELD.finditer(form):
        signs += [(width + k, sign) for k, sign in enumerate(form[end : found.start()])]
        width, end = width + found.start() - end, found.end()
        length = _width_of(found["how"], found["what"])
        if length is None:
            return None
        fields.append(_Field(found["what"], width, width + length, found["how"] == "-"))
        width += length
    signs += [(width + k, sign) for k, sign in enumerate(form[end:])]
    has_year = any(field.what in "Yy" for field in fields)
    return _Layout(width + len(form) - end, fields, signs) if has_year else None


def _width_of(how: str, what: str) -> int | None:
    if what == "z":
        return _ZONE_WIDTHS.get(how)
    if what == "f":
        return int(how)
    return _WIDTHS.get(what) if how in ("", "-") else None


def _codes(texts: Sequence[str], width: int) -> np.ndarray | None:
    """Return the characters of texts (n_texts, width), None unless all are ASCII of that width."""
    joined = "".join(texts)
    if not joined.isascii() or set(map(len, texts)) != {width}:
        return None
    return np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(-1, width)


def _number(codes: np.ndarray, bare: bool = False) -> np.ndarray | None:
    """Return the numbers (n_texts,) that digits write."""
    digits = codes - np.uint8(ord("0"))  # characters below 0 wrap around
    if (digits > 9).any() or (bare and not digits[:, 0].all()):
        return None
    numbers = np.zeros(len(codes), dtype=np.int64)
    for column in digits.T:
        numbers = 10 * numbers + column
    return numbers


def _offsets(codes: np.ndarray) -> np.ndarray | None:
    """Return offsets from UTC in seconds, of +01, +0100 or +01:00."""
    signs, minutes = codes[:, 0], codes[:, -2:] if codes.shape[1] > 3 else None
    hours = _number(codes[:, 1:3])
    rest = np.zeros(len(codes), dtype=np.int64) if minutes is None else _number(minutes)
    if hours is None or rest is None or (codes.shape[1] == 6 and (codes[:, 3] != ord(":")).any()):
        return None
    seconds = 3600 * hours + 60 * rest
    negative, positive = signs == ord("-"), signs == ord("+")
    is_plain = (positive | (negative & (seconds > 0))) & (hours < 24) & (rest < 60)
    return np.where(negative, -seconds, seconds) if is_plain.all() else None


def _local_times(values: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return fields as microseconds since 1970, None for dates and times that do not exist."""
    if any((values[what] > last).any() for what, last in _LAST.items() if what in values):
        return None
    years, month, day = _years(values), values.get("m", 1), values.get("d", 1)
    months = (12 * (years - 1970) + month - 1).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    exists = (years > 0) & (np.asarray(month) > 0) & (days.astype("M8[M]") == months)
    if not exists.all():
        return None
    seconds = 3600 * values.get("H", 0) + 60 * values.get("M", 0) + values.get("S", 0)
    return _DAY * days.astype(np.int64) + _SECOND * seconds + values.get("f", 0)


def _years(values: dict[str, np.ndarray]) -> np.ndarray:
    if "y" not in values:
        return values["Y"]
    return values["y"] + np.where(values["y"] < TWO_DIGIT_PIVOT, 2000, 1900)
