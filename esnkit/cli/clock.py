"""Time stamps of a CSV column: read, checked to be regular, and continued, without pandas.

A column holds whole numbers, or dates in one format throughout. The step between rows is
a constant number, a constant time (in UTC, or by the clock on the wall), business days, or
a constant number of months on the same day, the last one of the month included.
"""

import re
from calendar import monthrange
from collections import Counter
from datetime import datetime, timedelta

from esnkit.cli.errors import UserError

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%Y-%m")
_HOURS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
_ZONES = ("", "Z", "%z")
_WHOLE_NUMBER = "a whole number"
# where two formats fit every row and are regular, the first one counts
_FORMATS = [
    *_DATES,
    *(f"{d}{s}{h}{z}" for d in _DATES for s in " T" for h in _HOURS for z in _ZONES),
    _WHOLE_NUMBER,
]
_ISO_LENGTHS = {"%Y-%m-%d": 10}
_ISO_LENGTHS |= {f"%Y-%m-%d{s}{h}": 11 + len(h) for s in " T" for h in _HOURS[:2]}
# a day or month in the first ten characters, an hour: one digit alone, and with a zero before it
_BARE_DAY, _PADDED_DAY = (
    re.compile(rf"(?:^|(?<=[-/.])){digit}(?=[-/. T]|$)") for digit in (r"\d", r"0(\d)")
)
_BARE_HOUR, _PADDED_HOUR = (re.compile(rf"(?<=[ T]){digit}(?=:)") for digit in (r"\d", r"0(\d)"))


class Clock:
    """The stamps of a column, in every format that could be meant.

    Parameters
    ----------
    column : str
        Its name, for messages.
    """

    def __init__(self, column: str):
        self.column = column
        self.lines: list[int] = []  # line numbers in the file
        self.readings: dict[str, list] = {}  # format: stamps
        self.bare = [False, False]  # whether days or months, and hours, go without a leading zero

    def add(self, text: str, line: int) -> None:
        """Read one more stamp."""
        text = text.strip()
        if not text:
            raise UserError(f"line {line}: time stamp in column '{self.column}' is empty")
        if not self.lines:
            self.readings = {form: [] for form in _FORMATS if _read(text, form) is not None}
        kept = {}
        for form, stamps in self.readings.items():
            stamp = _read(text, form)
            if stamp is not None:
                stamps.append(stamp)
                kept[form] = stamps
        if not kept:
            raise UserError(
                f"line {line}: time stamp {text[:40]!r} in column '{self.column}' is not a date "
                "like 2024-01-31 or 2024-01-31 23:59, nor a whole number, in the format of "
                "the lines before"
            )
        self.readings = kept
        self.lines.append(line)
        self.bare[0] = self.bare[0] or bool(_BARE_DAY.search(text[:10]))
        self.bare[1] = self.bare[1] or bool(_BARE_HOUR.search(text))

    def future(self, n_known: int, n_steps: int) -> tuple[list[str], list, list]:
        """Continue the stamps after the first `n_known` rows, all rows being regular.

        Returns
        -------
        written : list of str
            The `n_steps` stamps, in the format of the file.
        known, ahead : lists
            Stamps of the rows known and of those to come, for a picture.
        """
        failure = None
        for form, stamps in self.readings.items():
            for local in (False, True) if form.endswith("%z") else (False,):
                try:
                    ahead = self._after(stamps, form, n_known, n_steps, local)
                    written = [self._bared(_write(stamp, form)) for stamp in ahead]
                    return written, stamps[:n_known], ahead
                except UserError as error:
                    failure = failure or error
        raise failure or UserError(f"column '{self.column}' holds no time stamps")

    def _bared(self, text: str) -> str:
        """Leave out leading zeros where the file does."""
        day, rest = text[:10], text[10:]
        if self.bare[0]:
            day = _PADDED_DAY.sub(r"\1", day)
        return _PADDED_HOUR.sub(r"\1", day + rest) if self.bare[1] else day + rest

    def _after(self, stamps, form, n_known: int, n_steps: int, local: bool) -> list:
        """Stamps after those known; `local` goes by the clock on the wall as the offset moves."""
        zone = stamps[n_known - 1].tzinfo if local else None
        if local:
            stamps = [stamp.replace(tzinfo=None) for stamp in stamps]
        after = _find_step(stamps, self.lines, form)
        try:
            ahead = [after(stamps[n_known - 1], k) for k in range(1, n_steps + 1)]
        except (OverflowError, ValueError):
            raise UserError(f"the {n_steps} time stamps to come lie beyond year 9999") from None
        return [stamp.replace(tzinfo=zone) for stamp in ahead] if local else ahead


def _read(text: str, form: str):
    """Stamp of a text in a format, None if it is not in it."""
    if form == _WHOLE_NUMBER:
        return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else None
    try:
        if form in _ISO_LENGTHS:  # ten times as fast
            fits = len(text) == _ISO_LENGTHS[form] and text[10:11] == form[8:9]
            return datetime.fromisoformat(text) if fits else None
        if form.startswith("%Y%m%d") and not re.match(r"\d{8}(?!\d)", text):
            return None  # 2011210 is a number, though strptime finds a date in it
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _write(stamp, form: str) -> str:
    if form == _WHOLE_NUMBER:
        return str(stamp)
    text = stamp.strftime(form.replace("%z", "").replace("%Y", f"{stamp.year:04d}"))
    if form.endswith("%z"):
        offset = stamp.strftime("%z")
        text += f"{offset[:3]}:{offset[3:]}"
    return text


def _find_step(stamps: list, lines: list[int], form: str):
    """Return the rule `after(stamp, k)`, the k-th stamp after one, that all rows obey."""
    if len(stamps) < 2:
        raise UserError("the time column needs at least two rows to tell its step")
    for k in range(1, len(stamps)):
        if stamps[k] <= stamps[k - 1]:
            kind = "is repeated" if stamps[k] == stamps[k - 1] else "goes back in time"
            raise UserError(
                f"line {lines[k]}: time stamp {_write(stamps[k], form)} {kind}, after "
                f"{_write(stamps[k - 1], form)} on line {lines[k - 1]}"
            )
    broken = []
    for after in _rules(stamps):
        pairs = zip(stamps[:-1], stamps[1:], strict=True)
        breaks = [k for k, (a, b) in enumerate(pairs) if after(a, 1) != b]
        if not breaks:
            return after
        broken.append((len(breaks), breaks[0], after))
    _, k, after = min(broken, key=lambda item: item[0])
    raise UserError(
        f"line {lines[k + 1]}: gap in time, {_write(stamps[k], form)} is followed by "
        f"{_write(stamps[k + 1], form)}, where the usual step leads to "
        f"{_write(after(stamps[k], 1), form)}; every time step needs its row"
    )


def _rules(stamps: list):
    """Yield the rules that could hold, those for months before those for days."""
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
    """Monday to Friday, at one time of the day."""
    weeks, days = divmod(stamp.weekday() + k, 5)
    return stamp + timedelta(days=7 * weeks + days - stamp.weekday())


def _monthly(stamps: list):
    """A constant number of months, on one day of the month or on its last day."""
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
