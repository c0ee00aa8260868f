"""Numbers that write dates, such as 202311 or 20231231: read as time stamps, and written back.

A form names the fields of the digits as `strftime` would: "Ym" is year and month.
"""

from dataclasses import dataclass

import numpy as np

from esnkit.utils._plain_state import plain_record

MIN_YEAR, MAX_YEAR = 1800, 2199
TWO_DIGIT_PIVOT = 69  # 69 to 99 are years of the 20th century, as in POSIX
# Numbers that all fit one of these are dates.
DATE_FORMS = ("Ym", "Ymd", "YmdH", "YmdHM", "YmdHMS", "YmdHMSf")
# Numbers that fit one of these may be dates: a quarter, a week of ISO 8601, a day of the year, the
# year last.
POSSIBLE_FORMS = ("Yq", "GV", "Yj", "ymd", "dmY", "mdY", "mY", "qY", "dmy", "mdy")
NAMES = {
    "Ym": "year and month", "Ymd": "year, month and day", "YmdH": "year, month, day and hour",
    "YmdHM": "date and time", "YmdHMS": "date and time", "YmdHMSf": "date and time",
    "Yq": "year and quarter", "GV": "year and week", "Yj": "year and day of the year",
    "ymd": "year, month and day", "dmY": "day, month and year", "mdY": "month, day and year",
    "mY": "month and year", "qY": "quarter and year", "dmy": "day, month and year",
    "mdy": "month, day and year",
}  # fmt: skip
_WIDTHS = {"Y": 4, "G": 4, "q": 1, "j": 3, "f": 3}  # other fields have two digits
_DIGITS = {form: sum(_WIDTHS.get(field, 2) for field in form) for form in NAMES}


@plain_record
@dataclass(frozen=True)
class NumberForm:
    """How a date is written as a number; `scale` is 100 for a year with the month as decimals."""

    fields: str
    scale: int = 1

    def read(self, numbers: np.ndarray) -> np.ndarray | None:
        """Return the time stamps (in seconds or milliseconds) that numbers write, or None.

        None stands for numbers of which one writes no date.

        Examples
        --------
        >>> NumberForm("Ym").read(np.array([202312, 202401])).astype("M8[M]")
        array(['2023-12', '2024-01'], dtype='datetime64[M]')
        """
        digits = self._digits(numbers)
        if digits is None:
            return None
        values = {}
        for field in reversed(self.fields):
            digits, values[field] = np.divmod(digits, 10 ** _WIDTHS.get(field, 2))
        if "y" in values:
            values["Y"] = values["y"] + np.where(values["y"] < TWO_DIGIT_PIVOT, 2000, 1900)
        years = values["Y"] = values["Y"] if "Y" in values else values["G"]
        if not ((years >= MIN_YEAR) & (years <= MAX_YEAR)).all():
            return None
        stamps = _stamps(values)
        return stamps if np.array_equal(self.write(stamps), numbers) else None

    def write(self, stamps: np.ndarray) -> np.ndarray:
        """Return the numbers that write time stamps.

        Examples
        --------
        >>> NumberForm("Ym", scale=100).write(np.array(["2017-01"], "M8[s]"))
        array([2017.01])
        """
        values, digits = _fields(stamps), np.zeros(len(stamps), dtype=np.int64)
        for field in self.fields:
            digits = digits * 10 ** _WIDTHS.get(field, 2) + values[field]
        return digits if self.scale == 1 else digits / self.scale

    def _digits(self, numbers: np.ndarray) -> np.ndarray | None:
        """Return numbers as integers of as many digits as the form has, None if they are not."""
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.rint(numbers * self.scale) if numbers.dtype.kind == "f" else numbers
            if self.scale == 1 and not np.array_equal(scaled, numbers):
                return None
        most = 10 ** _DIGITS[self.fields]
        # A number does not show the leading zero of a day, a month or a short year.
        least = most // (100 if self.fields[0] in "dmy" else 10)
        if not ((scaled >= least) & (scaled < most)).all():
            return None
        return scaled.astype(np.int64)


def number_forms(numbers: np.ndarray) -> list[NumberForm]:
    """List the forms in which all numbers are dates, the certain ones first.

    Examples
    --------
    >>> [form.fields for form in number_forms(np.array([20231231, 20240101]))]
    ['Ymd']
    """
    forms = [NumberForm(fields) for fields in DATE_FORMS + POSSIBLE_FORMS]
    if numbers.dtype.kind == "f":
        forms.insert(0, NumberForm("Ym", scale=100))
    return [form for form in forms if form.read(numbers) is not None]


def is_certain(form: NumberForm) -> bool:
    """Tell whether numbers in a form are dates, however regular they are as numbers."""
    return form.fields in DATE_FORMS


def ascending_forms(numbers: np.ndarray) -> list[NumberForm]:
    """List the forms in which all numbers are dates, each later than the one before."""
    found = []
    for form in number_forms(numbers):
        stamps = form.read(numbers)
        if stamps is not None and (stamps[1:] > stamps[:-1]).all():
            found.append(form)
    return found


def is_date_rather(form: NumberForm, step: float) -> bool | None:
    """Tell whether numbers of a constant step are dates in a form, None where that is open.

    With the year last, a count of single numbers changes the year alone and continues as dates do;
    steps that keep four digits at the end are those of dates.
    """
    width = {"Y": 4, "y": 2}.get(form.fields[-1])
    if width is None:
        return None
    if step < 10**width:
        return False
    return True if width == 4 and step % 10_000 == 0 else None


def _stamps(values: dict[str, np.ndarray]) -> np.ndarray:
    """Return time stamps of the fields of a date; those out of range lead to other dates."""
    years = (values["Y"] - 1970).astype("M8[Y]")
    if "V" in values:
        return (first_week(values["Y"]) + 7 * (values["V"] - 1)).astype("M8[s]")
    months = years.astype("M8[M]")
    if "q" in values:
        months = months + 3 * (values["q"] - 1)
    if "m" in values:
        months = months + (values["m"] - 1)
    stamps = months.astype("M8[D]") + (values.get("j", values.get("d", 1)) - 1)
    seconds = 3600 * values.get("H", 0) + 60 * values.get("M", 0) + values.get("S", 0)
    if "f" not in values:
        return stamps.astype("M8[s]") + seconds
    return stamps.astype("M8[ms]") + (1000 * seconds + values["f"])


def _fields(stamps: np.ndarray) -> dict[str, np.ndarray]:
    """Return the fields of dates."""
    days, months, years = (stamps.astype(f"M8[{unit}]") for unit in "DMY")
    seconds = (stamps - days).astype("m8[s]").astype(np.int64)
    year = years.astype(np.int64) + 1970
    month = (months - years.astype("M8[M]")).astype(np.int64)
    # The year of an ISO week is that of its Thursday.
    thursday = days - (days.astype(np.int64) + 3) % 7 + 3
    week_year = thursday.astype("M8[Y]").astype(np.int64) + 1970
    week = (thursday - first_week(week_year)).astype(np.int64) // 7 + 1
    return {
        "Y": year,
        "y": year % 100,
        "q": month // 3 + 1,
        "m": month + 1,
        "d": (days - months.astype("M8[D]")).astype(np.int64) + 1,
        "j": (days - years.astype("M8[D]")).astype(np.int64) + 1,
        "H": seconds // 3600,
        "M": seconds // 60 % 60,
        "S": seconds % 60,
        "f": (stamps - stamps.astype("M8[s]")).astype("m8[ms]").astype(np.int64),
        "G": week_year,
        "V": week,
    }


def first_week(years: np.ndarray) -> np.ndarray:
    """Return the Mondays (datetime64[D]) of the first ISO weeks of some years."""
    fourth = (years - 1970).astype("M8[Y]").astype("M8[D]") + 3  # 4 January is in week 1
    return fourth - (fourth.astype(np.int64) + 3) % 7
