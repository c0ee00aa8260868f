"""Formats of dates and numbers in text: recognised, read, and written back unchanged.

A format is written as for `date` of GNU: `%-d` is a day without a leading zero, `%b` and `%B` names
of months (`%^b` JUL, `%_b` jul), `%q` a quarter, `%G`, `%V` and `%u` the year, week and day of ISO,
`%I` and `%p` an hour with AM or PM (`%_p` am, `%:p` a.m., `%^:p` A.M.), `%3f` three digits of a
fraction, `%z`, `%:z` and `%:::z` are +0100, +01:00 and +01. `%0m` is a month as the decimals of a
number that has lost its last zero: 2016.09, 2016.1, 2016.11. `%n` and `%N` are the year after `%Y`,
of two and four digits, as in the season 2000/01. `%1i` is a whole number, `%4i` one of
at least four digits, `%2r` one with two digits after the point, kept as a whole number of
hundredths. `%t` is the start of a month as a year with a fraction, 1949.25 for April, with the
digits of Python, `%-t` without `.0`, `%15t` rounded to 15 digits, as R writes it, `%:15t` the same
with `.0`, and `%_3t` with three digits after the point. A text that a format reads is written back
by it unchanged, except for rounding errors in the last of so many digits.
"""

import re
from datetime import date, datetime
from functools import lru_cache

from esnkit.forecasting._calendar_numbers import MAX_YEAR, MIN_YEAR, TWO_DIGIT_PIVOT

_DATES = "%Y-%m-%d %Y/%m/%d %Y.%m.%d %d.%m.%Y %d-%m-%Y %m-%d-%Y %m/%d/%Y %d/%m/%Y".split()
_DATES += "%Y/%n %Y-%n %Y/%N %Y-%N %Y-%m %Y/%m %Y.%m %m/%Y %m.%Y %m-%Y %YM%m".split()
_DATES += ["%Y-Q%q", "%YQ%q", "%Y Q%q", "%Y/Q%q", "%Yq%q", "%qQ%Y", "%qQ%y"]
_DATES += ["Q%q %Y", "Q%q-%Y", "Q%q/%Y", "Q%q %y", "Q%q-%y", "Q%q/%y", "%Ym%m", "%Y-M%m"]
_DATES += ["%G-W%V", "%GW%V", "%G W%V", "%Gw%V", "W%V %G", "W%V-%G", "W%V/%G", "%G-W%V-%u"]
_NAMED = ["%Y %b", "%b %Y", "%Y-%b", "%b-%Y", "%Y%b", "%b%Y", "%d-%b-%Y", "%d %b %Y", "%d/%b/%Y"]
_NAMED += ["%d%b%Y", "%d. %b %Y", "%b %d, %Y", "%b %d %Y", "%Y-%b-%d", "%Y %b %d"]
_NAMED += ["%b-%y", "%b %y", "%d-%b-%y", "%d %b %y", "%d/%b/%y", "%y-%b-%d"]
_SHORT_YEARS = "%d/%m/%y %m/%d/%y %y/%m/%d %d.%m.%y %y.%m.%d %y-%m-%d %d-%m-%y %m-%d-%y".split()
# Digits alone, before a time of day and without one.
_DIGITS = ["%Y%m%d", "%d%m%Y", "%m%d%Y"]
YEAR_LAST = ["%d%m%Y", "%m%d%Y", "%m%Y"]
_OPEN = ["%y%m%d", "%d%m%y", "%m%d%y", "%Y.%0m"]  # may rather be numbers
_YEAR_FRACTIONS = [f"%{how}{n}t" for n in (6, 7, 8, 10, 15) for how in ("", ":")] + ["%t", "%-t"]
MAX_YEAR_ERROR = 1e-9  # rounding errors of years with a fraction, as of sums of 1 / 12
_MONTHS = "January February March April May June July August September October November December"
_MONTH_NAMES = _MONTHS.split()
_CASES = {"": str.title, "^": str.upper, "_": str.lower}
_TIME = re.compile(
    r"([ T])(?:\d\d?(:\d\d)(:\d\d(?:\.(\d{1,6}))?)?|\d\d?(?= ?[AP]\.?M))( ?)([AP]M|[AP]\.M\.)?"
    r"( ?)(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$",
    re.IGNORECASE,
)
_ZONES = {3: "%:::z", 5: "%z", 6: "%:z"}  # by the length of the text
FIELD = re.compile(r"%(?P<how>[-:^_\d]*)(?P<what>[a-zA-Z])")
_ATTRIBUTES = {"m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
_PATTERNS = dict.fromkeys("YGN", r"\d{4}") | dict.fromkeys("ynmdMSV", r"\d\d")
_PATTERNS |= {"H": r"[01]\d|2[0-3]", "I": r"0[1-9]|1[0-2]", "q": "[1-4]", "u": "[1-7]"}
_PATTERNS |= dict.fromkeys(["-m", "-d", "-V"], r"[1-9]\d?") | {"0m": r"0[1-9]|1[12]?"}
_PATTERNS |= {"-H": r"1?\d|2[0-3]", "-I": r"[1-9]|1[0-2]"}
_HALVES = {"": ("AM", "PM"), "_": ("am", "pm"), ":": ("a.m.", "p.m."), "^:": ("A.M.", "P.M.")}
_PATTERNS |= {f"{how}p": "|".join(map(re.escape, texts)) for how, texts in _HALVES.items()}
# -00:00 would come back as +00:00
_PATTERNS |= {"z": r"(?!-0000)[+-]\d{4}", ":z": r"(?!-00:00)[+-]\d\d:\d\d"}
_PATTERNS |= {":::z": r"(?!-00)[+-]\d\d"}
_ISO = {"Y": "1", "m": "1", "d": "1", "H": "0", "M": "00", "S": "00", "f": "", "z": ""}
_PLAIN = re.compile(r"%Y-%m-%d([ T]%H:%M(:%S(\.%\df)?)?(%:{0,3}z)?)?")  # read by `datetime`
_NUMBERS = ("i", "r")  # ends of the formats of numbers
_FIRST_FIELDS = {"d": "day", "m": "month", "b": "month", "B": "month"}


def is_number(form: str) -> bool:
    """Tell whether a format is one of numbers."""
    return form.endswith(_NUMBERS)


def may_be_number(form: str) -> bool:
    """Tell whether what a format of dates reads could as well be a number: 2016.1."""
    return form == "%Y.%-m"


def spans_two_years(form: str) -> bool:
    """Tell whether a format reads a year and the next one, as of a season: 2000/01."""
    return form.endswith(("%n", "%N"))


def may_lack_year(form: str) -> bool:
    """Tell whether what a format reads as month and year could be month and day: Jan-05."""
    return "%y" in form and "d" not in form


def begins_with_short_year(form: str) -> bool:
    """Tell whether a format of whole dates has a year of two digits first."""
    return re.match(r"%y\W", form) is not None


def first_field(form: str) -> str:
    """Return what a format of dates begins with: "day", "month" or "year"."""
    found = FIELD.search(form)
    return _FIRST_FIELDS.get(found["what"] if found else "", "year")


def formats_of(text: str) -> list[str]:
    """List the formats that a text is in, those with leading zeros before those without.

    Examples
    --------
    >>> formats_of("1.12.2024 08:00:00.250Z")
    ['%-d.%-m.%Y %H:%M:%S.%3fZ', '%-d.%m.%Y %H:%M:%S.%3fZ']
    >>> formats_of("JUL 1991")
    ['%^b %Y']
    """
    found = _TIME.search(text)
    time = _time_format(found) if found else ""
    dates = _DATES + _named(text) + _SHORT_YEARS
    dates += _DIGITS if time else []
    skeleton = _skeleton(text[: found.start()] if found else text)
    forms = padded = [form + time for form in dates if _skeleton(FIELD.sub("0", form)) == skeleton]
    for bare in ("md", "m", "d", "HI", "mdHI", "mHI", "dHI", "V"):
        # no field goes without its zero right after another one, as in %Y%m%d
        forms = forms + [re.sub(rf"(?<!%[A-Za-z])%(?=[{bare}])", "%-", form) for form in padded]
    forms += YEAR_LAST
    forms.append(f"%{len(text) if text.startswith('0') else 1}i")
    forms.append(f"%{len(text.rpartition('.')[2])}r")
    forms += _OPEN + _YEAR_FRACTIONS
    forms += [f"%_{len(text.rpartition('.')[2])}t"]
    return [form for form in dict.fromkeys(forms) if read(text, form) is not None]


def _time_format(found: re.Match) -> str:
    """Return the format of a time of day, with what separates it from the date."""
    between, minutes, seconds, fraction, gap, half, space, zone = found.groups("")
    form = between + ("%I" if half else "%H") + (":%M" if minutes else "")
    form += (":%S" if seconds else "") + (f".%{len(fraction)}f" if fraction else "")
    how = next((how for how, texts in _HALVES.items() if half in texts), "")
    form += gap + (f"%{how}p" if half else "") + space
    return form + (_ZONES[len(zone)] if zone[:1] in ("+", "-") else zone)


def _named(text: str) -> list[str]:
    """List the formats with names of months, in the case of the name in a text."""
    name = re.search(r"[A-Za-z]{3,}", text)
    if name is None:
        return []
    how = next((how for how, case in _CASES.items() if case(name[0]) == name[0]), "")
    return [form.replace("%b", f"%{how}{what}") for what in "bB" for form in _NAMED]


def _skeleton(text: str) -> str:
    """Return what stands between the fields of a date."""
    return re.sub("[0-9A-Za-z]+", "0", text)


@lru_cache(maxsize=1024)
def _pattern(form: str) -> re.Pattern:
    return re.compile(FIELD.sub(_field_pattern, form.replace(".", r"\.")), re.ASCII)


def _field_pattern(field: re.Match) -> str:
    how, what = field["how"], field["what"]
    if what == "i":
        width = int(how)
        return r"0|-?[1-9]\d*" if width == 1 else rf"\d{{{width}}}|[1-9]\d{{{width},}}"
    if what == "r":
        return rf"(?!-0\.0+$)-?(0|[1-9]\d*)\.\d{{{how}}}"
    if what == "t":
        return r"\d{4}(\.\d+)?"
    if what in "bB":
        return f"(?P<{what}>{'|'.join(_month_names(how, what))})"
    return f"(?P<{what}>{_PATTERNS.get(how + what) or rf'[0-9]{{{how}}}'})"


def _month_names(how: str, what: str) -> list[str]:
    names = _MONTH_NAMES if what == "B" else [name[:3] for name in _MONTH_NAMES]
    return [_CASES[how](name) for name in names]


def read(text: str, form: str):
    """Return the date or number that a text is in a format, None if it is not in the format."""
    found = _pattern(form).fullmatch(text)
    if not found or form in YEAR_LAST and not MIN_YEAR <= int(found["Y"]) <= MAX_YEAR:
        return None
    if is_number(form):
        number = text.replace(".", "")
        return int(number) if len(number) < 21 and -(2**63) <= int(number) < 2**63 else None
    if form.endswith("t"):
        return _read_year_fraction(text, form)
    try:
        if _is_plain(form):
            return datetime.fromisoformat(text)  # the same as below, three times as fast
        iso = "{Y}-{m:0>2}-{d:0>2}T{H:0>2}:{M}:{S}.{f:0<6}{z}"
        return datetime.fromisoformat(
            iso.format_map(_ISO | _numeric_fields(found.groupdict(), form))
        )
    except ValueError:  # a day, a week or an hour that does not exist
        return None


def _read_year_fraction(text: str, form: str) -> datetime | None:
    """Return the month that begins at a year with a fraction, None if none does."""
    year, month = divmod(round(12 * float(text)), 12)
    if not MIN_YEAR <= year <= MAX_YEAR:
        return None
    stamp = datetime(year, month + 1, 1)
    written = write(stamp, form)
    if text == written or (month and _differ_by_rounding(text, written, form)):
        return stamp
    return None


def _differ_by_rounding(text: str, written: str, form: str) -> bool:
    """Return whether two years have the same fraction but for rounding, in the digits of a form."""
    digits = re.sub("[^0-9]", "", form)
    n = len(text.partition(".")[2]) if "_" in form else len(text) - 1
    has_digits = not digits or (n == int(digits) if "_" in form else n <= int(digits))
    return has_digits and abs(float(text) - float(written)) <= MAX_YEAR_ERROR


@lru_cache(maxsize=1024)
def _is_plain(form: str) -> bool:
    return _PLAIN.fullmatch(form) is not None


def _numeric_fields(fields: dict[str, str], form: str) -> dict[str, str]:
    """Return year, month, day and hour as digits, whatever fields give them."""
    if "%0m" in form and fields["m"] == "1":
        fields["m"] = "10"
    if "I" in fields:
        fields["H"] = str(int(fields["I"]) % 12 + 12 * (fields["p"][0] in "pP"))
    for what in "bB":
        if what in fields:
            names = [name.lower() for name in _month_names("", what)]
            fields["m"] = str(names.index(fields[what].lower()) + 1)
    if "q" in fields:
        fields["m"] = str(3 * int(fields["q"]) - 2)
    if "y" in fields:
        fields["Y"] = ("20" if int(fields["y"]) < TWO_DIGIT_PIVOT else "19") + fields["y"]
    following = fields.get("n") or fields.get("N")
    if following and not f"{int(fields['Y']) + 1:04d}".endswith(following):
        raise ValueError(f"{following} does not follow {fields['Y']}")
    if "V" in fields:
        monday = date.fromisocalendar(*(int(fields.get(what, 1)) for what in "GVu"))
        fields |= dict(zip("Ymd", monday.isoformat().split("-"), strict=True))
    return fields


def write(stamp, form: str) -> str:
    """Return a date or a number as text."""
    return FIELD.sub(lambda field: _field_text(stamp, field["how"], field["what"]), form)


def _field_text(stamp, how: str, what: str) -> str:
    if what == "i":
        return f"{stamp:0{how}d}"
    if what == "r":
        whole, rest = divmod(abs(stamp), 10 ** int(how))
        return f"{'-' * (stamp < 0)}{whole}.{rest:0{how}d}"
    if what == "t":
        return _year_fraction_text((12 * stamp.year + stamp.month - 1) / 12, how)
    if what in "bB":
        return _month_names(how, what)[stamp.month - 1]
    if what in "GVu":
        year, week, day = stamp.isocalendar()
        return {"G": f"{year:04d}", "V": f"{week:{'' if how else '02'}d}", "u": str(day)}[what]
    if what in "Yy":
        return f"{stamp.year:04d}"[-4 if what == "Y" else -2 :]
    if what in "Nn":
        return f"{stamp.year + 1:04d}"[-4 if what == "N" else -2 :]
    if what == "q":
        return str((stamp.month + 2) // 3)
    if what == "f":
        return f"{stamp.microsecond:06d}"[: int(how)]
    if what == "p":
        return _HALVES[how][stamp.hour >= 12]
    if what == "I":
        return f"{(stamp.hour - 1) % 12 + 1:{'' if how else '02'}d}"
    if how + what == "0m":
        return f"{stamp.month:02d}".removesuffix("0")
    if what == "z":
        offset = stamp.strftime("%z")
        return offset[:3] if how == ":::" else offset[:3] + how + offset[3:]
    return f"{getattr(stamp, _ATTRIBUTES[what]):{'' if how else '02'}d}"


def _year_fraction_text(years: float, how: str) -> str:
    if how.startswith("_"):
        return f"{years:.{how[1:]}f}"
    if how in ("", "-"):
        return repr(years).removesuffix(".0" if how else "")
    text = f"{years:.{how.removeprefix(':')}g}"
    return text + ".0" if how.startswith(":") and "." not in text else text
