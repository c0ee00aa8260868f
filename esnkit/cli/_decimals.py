"""Numbers in the cells of a CSV file: points and commas, as decimal signs or between thousands.

All cells of a file decide together: of four ways to write numbers, those count that no cell
contradicts. Where commas separate columns, a point is always decimal. Spaces or apostrophes may
stand between thousands, and all numbers of a column may have the same unit, such as EUR or %.
"""

import math
import re
from array import array
from collections.abc import Sequence

import numpy as np

from esnkit.cli._errors import UserError

# Words for missing values, in lower case: those of pandas, and signs that are no number alone.
_MISSING = {"", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan"}
_MISSING |= {"<na>", "n/a", "na", "nan", "none", "null", "-", "\u2013", "\u2014", ".", "..", "?"}
# A space or an apostrophe before each three digits, as of "1 234,5" or "1'234.5".
_SPACES = " '\u2019\u00a0\u2009\u202f"
_SPACED = re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:([{_SPACES}])\d{{3}})(?:\1\d{{3}})*(?:[.,]\d*)?")
_USUAL = re.compile(r"[+-]?[\d.,]+")  # without both, which is faster to tell
_UNIT = "[$\u20ac\u00a3\u00a5%]|AUD|CAD|CHF|CNY|CZK|DKK|EUR|GBP|INR|JPY|NOK|PLN|SEK|USD"
_WITH_UNIT = re.compile(rf"([+-]?)({_UNIT})?\s?([+-]?[\d.,].*?)\s?({_UNIT})?")
_POWER = r"([eE][+-]?\d+)?"
_COMMA = re.compile(r"[+-]?(\d+(,\d*)?|,\d+)" + _POWER)
_POINT_GROUPS = re.compile(r"[+-]?([1-9]\d{0,2}(\.\d{3})+|\d{1,3})(,\d*)?" + _POWER)
_COMMA_GROUPS = re.compile(r"[+-]?([1-9]\d{0,2}(,\d{3})+|\d{1,3})(\.\d*)?" + _POWER)


class _Way:
    """One way to write numbers, with those read so far."""

    def __init__(self, pattern: re.Pattern | None, replacements: dict[str, str]):
        self.pattern, self.replacements = pattern, str.maketrans(replacements)
        self.numbers = array("d")

    def read(self, text: str) -> float | None:
        """Return the number that a text is, None if it is none."""
        if "_" in text or (self.pattern is not None and not self.pattern.fullmatch(text)):
            return None
        try:
            return float(text.translate(self.replacements))
        except ValueError:
            return None

    def read_all(self, texts: Sequence[str]) -> np.ndarray | None:
        """Return the numbers that texts without underscores are, None unless all are finite."""
        if self.pattern is not None and not all(map(self.pattern.fullmatch, texts)):
            return None
        if self.replacements:
            texts = [text.translate(self.replacements) for text in texts]
        try:
            numbers = np.array(list(map(float, texts)))
        except ValueError:
            return None
        return numbers if np.isfinite(numbers).all() else None


class DecimalReader:
    """Read the numbers of all cells of a file, in every way that they could be written.

    Parameters
    ----------
    separator : str
        What separates columns.
    """

    def __init__(self, separator: str):
        self.separator = separator
        self.ways = {"point": _Way(None, {})}
        if separator != ",":
            self.ways |= {
                "comma": _Way(_COMMA, {",": "."}),
                "point between thousands": _Way(_POINT_GROUPS, {".": "", ",": "."}),
                "comma between thousands": _Way(_COMMA_GROUPS, {",": ""}),
            }
        self.marked: tuple[int, str, str] | None = None  # the first cell with a point or a comma
        self.has_small_integers = False
        self.units: dict[str, str] = {}  # of the columns, such as EUR; empty for plain numbers

    def add(self, text: str, column: str, line: int) -> None:
        """Read one more cell."""
        if is_missing(text):
            problem = f"holds {text!r}, a missing value" if text else "is empty"
            raise UserError(
                f"line {line}: column '{column}' {problem}; fill in every time step, or let the "
                "model predict missing values with --fill"
            )
        text = self._plain(text, column, line)
        if "," in text:
            self._allow_commas()
        found = {name: way.read(text) for name, way in self.ways.items()}
        kept = {name: number for name, number in found.items() if number is not None}
        if not kept:
            unlike = ""
            if self.marked and DecimalReader(self.separator).accepts(text):
                unlike = f"; it is written unlike {self.marked[2]!r} on line {self.marked[0]}"
            raise UserError(
                f"line {line}: column '{column}' holds {text[:40]!r}, not a number{unlike}"
            )
        if not all(map(math.isfinite, kept.values())):
            raise UserError(f"line {line}: column '{column}' holds {text!r}, not a finite number")
        self.ways = {name: self.ways[name] for name in kept}
        for name, number in kept.items():
            self.ways[name].numbers.append(number)
        if _is_marked(text):
            self.marked = self.marked or (line, column, text)
        elif _is_small_integer(text):
            self.has_small_integers = True

    def _plain(self, text: str, column: str, line: int) -> str:
        """Return a text without the unit that a whole column has, and spaces between thousands."""
        unit, number = "", text
        if not _USUAL.fullmatch(text):
            number = text.replace("\u2212", "-")  # as word processors write a minus
            found = _WITH_UNIT.fullmatch(number)
            if found and bool(found[2]) != bool(found[4]):
                unit, number = found[2] or found[4], found[1] + found[3]
            if _SPACED.fullmatch(number):
                number = number.translate(dict.fromkeys(map(ord, _SPACES)))
        expected = self.units.setdefault(column, unit)
        if unit != expected:
            units = [f"in {name}" if name else "without a unit" for name in (unit, expected)]
            raise UserError(
                f"line {line}: column '{column}' holds {text[:40]!r}, {units[0]} where the lines "
                f"before are {units[1]}"
            )
        return number

    def _allow_commas(self) -> None:
        """Where commas separate columns, open the ways with commas at the first cell that has one.

        Before, one way is enough, which is faster.
        """
        if self.separator != "," or list(self.ways) != ["point"]:
            return
        numbers = self.ways["point"].numbers
        if self.marked is None:  # no decimal point
            self.ways["comma"] = _Way(_COMMA, {",": "."})
        if not (np.abs(numbers) >= 1000).any():  # which would have commas
            self.ways["comma between thousands"] = _Way(_COMMA_GROUPS, {",": ""})
        for name in list(self.ways)[1:]:
            self.ways[name].numbers.extend(numbers)

    def add_missing(self) -> None:
        """Add NaN in place of a missing value."""
        for way in self.ways.values():
            way.numbers.append(math.nan)

    def read_at_once(self, texts: Sequence[str]) -> list[np.ndarray] | None:
        """Read more cells in every way, without storing them; None where `add` has to decide."""
        if any(self.units.values()) or any("_" in text for text in texts):
            return None
        found = []
        for way in self.ways.values():
            numbers = way.read_all(texts)
            if numbers is None:
                return None
            found.append(numbers)
        return found

    def extend(self, found: list[np.ndarray], texts: Sequence[str], columns, lines) -> None:
        """Store what `read_at_once` has read, row by row of some columns on some lines."""
        for column in columns:
            self.units.setdefault(column, "")
        for way, numbers in zip(self.ways.values(), found, strict=True):
            way.numbers.frombytes(numbers.tobytes())
        if self.marked is None:
            k = next((k for k, text in enumerate(texts) if _is_marked(text)), None)
            if k is not None:
                self.marked = lines[k // len(columns)], columns[k % len(columns)], texts[k]
        if len(self.ways) > 1 and not self.has_small_integers:  # else nothing depends on it
            self.has_small_integers = any(map(_is_small_integer, texts))

    def accepts(self, text: str) -> bool:
        """Tell whether a text is a finite number in one of the ways."""
        found = (way.read(text) for way in self.ways.values())
        return any(number is not None and math.isfinite(number) for number in found)

    @property
    def decimal_sign(self) -> str:
        """What stands before the decimals of the numbers."""
        return "," if next(iter(self.ways)) in ("comma", "point between thousands") else "."

    def values(self) -> np.ndarray:
        """Return all numbers, in the order of the cells; raise if the ways left disagree."""
        names = list(self.ways)
        first = np.array(self.ways[names[0]].numbers)
        for other in names[1:]:
            same = np.array_equal(first, np.array(self.ways[other].numbers), equal_nan=True)
            if not same and not self._is_decimal(names[0], other):
                raise self._ambiguous(names[0], other)
        return first

    def _is_decimal(self, name: str, other: str) -> bool:
        """Tell whether a sign before three digits is decimal, though nothing else shows it.

        It is, unless some cells are integers without it: then it may separate their thousands. And
        where semicolons separate columns, commas tend to be decimal and points not. Where commas
        separate columns, those in quotes may be either.
        """
        if self.separator == "," or self.has_small_integers or not other.startswith(name):
            return False
        return name == "comma" or self.separator != ";"

    def _ambiguous(self, name: str, other: str) -> UserError:
        assert self.marked is not None
        line, column, text = self.marked
        one, two = sorted((self.ways[way].read(text) or 0.0 for way in (name, other)), key=abs)
        sign = "point" if "." in text else "comma"
        return UserError(
            f"line {line}: column '{column}' holds {text!r}, which is {two:.15g} if the {sign} "
            f"separates thousands and {one:.15g} if it is decimal, and no other line tells; write "
            f"{two:.15g}, or more or fewer digits after the {sign}"
        )


def is_missing(text: str) -> bool:
    """Tell whether a cell is empty, or has a word for a missing value.

    Examples
    --------
    >>> [text for text in ("", "NA", "n/a", "-", "-1", "inf", "x") if is_missing(text)]
    ['', 'NA', 'n/a', '-']
    """
    return text.lower() in _MISSING


def _is_marked(text: str) -> bool:
    return "." in text or "," in text


def _is_small_integer(text: str) -> bool:
    return not _is_marked(text) and len(text.lstrip("+-")) <= 3
