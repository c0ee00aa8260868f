"""Time stamps of a CSV column: read, checked to be regular, and continued, without pandas.

A column holds numbers, or dates in one format throughout. The step between rows is
a constant number, a constant duration (in UTC or in local time), business days, or
a constant number of months, on the same day or on the last day of the month.

A format is written as for `date` of GNU: `%-d` is a day without a leading zero, `%q` a quarter,
`%3f` three digits of a fraction, `%z`, `%:z` and `%:::z` are +0100, +01:00 and +01. `%1i` is a
whole number, `%4i` one of at least four digits, `%2r` one with two digits after the point, kept
as a whole number of hundredths. A text that a format reads is written back by it unchanged.
"""

import re
from calendar import monthrange
from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from esnkit.cli._errors import UserError

_DATES = "%Y-%m-%d %Y/%m/%d %d.%m.%Y %m/%d/%Y %d/%m/%Y %Y%m%d".split()
_DATES += ["%Y-%m", "%Y/%m", "%m/%Y", "%m.%Y", "%Y-Q%q", "%YQ%q", "%Y Q%q"]
_NUMBERS = ("i", "r")  # ends of the formats of numbers
_TIME = re.compile(r"([ T])\d\d?:\d\d(:\d\d(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?)?$")
_ZONES = {0: "", 1: "Z", 3: "%:::z", 5: "%z", 6: "%:z"}  # by the length of the text
_FIELD = re.compile(r"%(?P<how>[-:\d]*)(?P<what>[a-zA-Z])")
_ATTRIBUTES = {"m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
_PATTERNS = {"Y": r"\d{4}"} | dict.fromkeys("mdMS", r"\d\d") | {"H": r"[01]\d|2[0-3]"}
_PATTERNS |= {"q": "[1-4]", "-m": r"[1-9]\d?", "-d": r"[1-9]\d?", "-H": r"1?\d|2[0-3]"}
# -00:00 would come back as +00:00
_PATTERNS |= {"z": r"(?!-0000)[+-]\d{4}", ":z": r"(?!-00:00)[+-]\d\d:\d\d"}
_PATTERNS |= {":::z": r"(?!-00)[+-]\d\d"}
_ISO = {"Y": "1", "m": "1", "d": "1", "H": "0", "M": "00", "S": "00", "f": "", "z": ""}


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
            self.readings = {form: [] for form in _formats(text)}
        kept = {}
        for form, stamps in self.readings.items():
            stamp = _read(text, form)
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
        found: list[_Continuation] = []
        failure = None
        for form, stamps in self.readings.items():
            for local in (False, True) if form.endswith("z") else (False,):
                try:
                    ahead = self._after(stamps, form, n_known, n_steps, local)
                except UserError as error:
                    failure = failure or error
                    continue
                written = [_write(stamp, form) for stamp in ahead]
                found.append(_Continuation(form, written, stamps[:n_known], ahead))
                break
        if not found:
            raise failure or UserError(f"column '{self.column}' holds no time stamps")
        self._check_unambiguous(found)
        form, written, known, ahead = found[0]
        if form.endswith("r"):
            parts = 10 ** int(form[1:-1])
            known, ahead = ([stamp / parts for stamp in stamps] for stamps in (known, ahead))
        return written, known, ahead

    def _check_unambiguous(self, found: list["_Continuation"]) -> None:
        """Raise if dates are regular with the day first and with the month first, and differ."""
        first = found[0]
        for other in found[1:]:
            # 20240131 is a date, though as a number it would be followed by 20240132.
            is_number = other.form.endswith(_NUMBERS)
            if other.ahead == first.ahead or other.written == first.written or is_number:
                continue
            n_steps = len(first.written)
            k = next(k for k in range(n_steps) if first.written[k] != other.written[k])
            one, two = ("day" if "d" in item.form[:3] else "month" for item in (first, other))
            raise UserError(
                f"the dates in column '{self.column}' can be read with the {one} first, which "
                f"leads to {first.written[k]}, or with the {two} first, which leads to "
                f"{other.written[k]}; write them like 2024-01-31"
            )

    def _after(self, stamps, form, n_known: int, n_steps: int, local: bool) -> list:
        """Time stamps after those known; `local` steps in local time, whatever the UTC offset."""
        zone = stamps[n_known - 1].tzinfo if local else None
        if local:
            stamps = [stamp.replace(tzinfo=None) for stamp in stamps]
        after = _find_step(stamps, self.lines, form)
        try:
            ahead = [after(stamps[n_known - 1], k) for k in range(1, n_steps + 1)]
        except (OverflowError, ValueError):
            raise UserError(f"the next {n_steps} time stamps lie beyond year 9999") from None
        return [stamp.replace(tzinfo=zone) for stamp in ahead] if local else ahead


class _Continuation(NamedTuple):
    """Time stamps read and continued in one format."""

    form: str
    written: list[str]
    known: list
    ahead: list


def _formats(text: str) -> list[str]:
    """List the formats that a text is in, those with leading zeros before those without.

    Examples
    --------
    >>> _formats("20240131")
    ['%Y%m%d', '%1i']
    >>> _formats("1.12.2024 08:00:00.250Z")
    ['%-d.%-m.%Y %H:%M:%S.%3fZ', '%-d.%m.%Y %H:%M:%S.%3fZ']
    """
    time, found = "", _TIME.search(text)
    if found:
        between, seconds, fraction, zone = found.groups("")
        time = f"{between}%H:%M" + (":%S" if seconds else "")
        time += (f".%{len(fraction)}f" if fraction else "") + _ZONES[len(zone)]
    forms = padded = [date + time for date in _DATES]
    for bare in ("md", "m", "d", "H", "mdH", "mH", "dH"):
        # none of the fields of %Y%m%d goes without its zero
        forms = forms + [re.sub(rf"(?<![Ym])%(?=[{bare}])", "%-", form) for form in padded]
    forms.append(f"%{len(text) if text.startswith('0') else 1}i")
    forms.append(f"%{len(text.rpartition('.')[2])}r")
    return [form for form in dict.fromkeys(forms) if _read(text, form) is not None]


@lru_cache
def _pattern(form: str) -> re.Pattern:
    return re.compile(_FIELD.sub(_field_pattern, form.replace(".", r"\.")), re.ASCII)


def _field_pattern(field: re.Match) -> str:
    how, what = field["how"], field["what"]
    if what == "i":
        width = int(how)
        return r"0|-?[1-9]\d*" if width == 1 else rf"\d{{{width}}}|[1-9]\d{{{width},}}"
    if what == "r":
        return rf"(?!-0\.0+$)-?(0|[1-9]\d*)\.\d{{{how}}}"
    return f"(?P<{what}>{_PATTERNS.get(how + what) or rf'[0-9]{{{how}}}'})"


def _read(text: str, form: str):
    """Return the time stamp that a text is in a format, None if it is not in the format."""
    found = _pattern(form).fullmatch(text)
    if not found:
        return None
    if form.endswith(_NUMBERS):
        number = text.replace(".", "")
        return int(number) if len(number) < 21 and -(2**63) <= int(number) < 2**63 else None
    try:
        if form.startswith("%Y-%m-%d") and "%-" not in form and "Z" not in form:
            return datetime.fromisoformat(text)  # the same as below, three times as fast
        iso = "{Y}-{m:0>2}-{d:0>2}T{H:0>2}:{M}:{S}.{f:0<6}{z}"
        fields = found.groupdict()
        if "q" in fields:
            fields["m"] = str(3 * int(fields["q"]) - 2)
        return datetime.fromisoformat(iso.format_map(_ISO | fields))
    except ValueError:  # a day or an hour that does not exist
        return None


def _write(stamp, form: str) -> str:
    return _FIELD.sub(lambda field: _field_text(stamp, field["how"], field["what"]), form)


def _field_text(stamp, how: str, what: str) -> str:
    if what == "i":
        return f"{stamp:0{how}d}"
    if what == "r":
        whole, rest = divmod(abs(stamp), 10 ** int(how))
        return f"{'-' * (stamp < 0)}{whole}.{rest:0{how}d}"
    if what == "Y":
        return f"{stamp.year:04d}"
    if what == "q":
        return str((stamp.month + 2) // 3)
    if what == "f":
        return f"{stamp.microsecond:06d}"[: int(how)]
    if what == "z":
        offset = stamp.strftime("%z")
        return offset[:3] if how == ":::" else offset[:3] + how + offset[3:]
    return f"{getattr(stamp, _ATTRIBUTES[what]):{'' if how else '02'}d}"


def _find_step(stamps: list, lines: list[int], form: str):
    """Return the function `after(stamp, k)`, the k-th stamp after one, that all rows follow."""
    if len(stamps) < 2:
        raise UserError("the time column needs at least two rows to find its step")
    _check_ascending(stamps, lines, form)
    broken = []
    for after in _steps(stamps):
        pairs = zip(stamps[:-1], stamps[1:], strict=True)
        breaks = [k for k, (a, b) in enumerate(pairs) if after(a, 1) != b]
        if not breaks:
            return after
        broken.append((len(breaks), breaks[0], after))
    _, k, after = min(broken, key=lambda item: item[0])
    raise UserError(
        f"line {lines[k + 1]}: gap in time, {_write(stamps[k], form)} is followed by "
        f"{_write(stamps[k + 1], form)}, where the usual step would lead to "
        f"{_write(after(stamps[k], 1), form)}; every time step needs its row"
    )


def _check_ascending(stamps: list, lines: list[int], form: str) -> None:
    """Raise at the first time stamp that is not later than the one before."""
    for k in range(1, len(stamps)):
        if stamps[k] <= stamps[k - 1]:
            kind = "is repeated" if stamps[k] == stamps[k - 1] else "goes back in time"
            raise UserError(
                f"line {lines[k]}: time stamp {_write(stamps[k], form)} {kind}, after "
                f"{_write(stamps[k - 1], form)} on line {lines[k - 1]}"
            )


def _steps(stamps: list):
    """Yield the functions `after` that may fit, those for months before those for days."""
    step = Counter(b - a for a, b in zip(stamps[:-1], stamps[1:], strict=True)).most_common(1)[0][0]
    if isinstance(step, int):
        yield lambda stamp, k: stamp + k * step
        return
    if step >= timedelta(days=28):
        yield _monthly(stamps)
    yield lambda stamp, k: stamp + k * step
    if step == timedelta(days=1) and all(stamp.weekday() < 5 for stamp in stamps):
        yield _business_day


def _business_day(stamp, k: int):
    """Return the k-th business day, Monday to Friday, after one, at the same time of day."""
    weeks, days = divmod(stamp.weekday() + k, 5)
    return stamp + timedelta(days=7 * weeks + days - stamp.weekday())


def _monthly(stamps: list):
    """Step by a constant number of months, on one day of the month or on its last day."""
    numbers = [12 * stamp.year + stamp.month for stamp in stamps]
    step = Counter(b - a for a, b in zip(numbers[:-1], numbers[1:], strict=True))
    months = step.most_common(1)[0][0]
    last_days = all(stamp.day == monthrange(stamp.year, stamp.month)[1] for stamp in stamps)
    anchor = 31 if last_days else max(stamp.day for stamp in stamps)

    def after(stamp, k):
        year, month = divmod(12 * stamp.year + stamp.month - 1 + k * months, 12)
        day = min(anchor, monthrange(year, month + 1)[1])
        return stamp.replace(year=year, month=month + 1, day=day)

    return after
