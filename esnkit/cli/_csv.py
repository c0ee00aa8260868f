"""CSV files in and out: a few columns are read as a stream, files are written whole or not at all.

A file is UTF-8 text with a header line; comma, semicolon, tab or bar separate its columns.
"""

import csv
import errno
import math
import os
import stat
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from esnkit.cli._errors import UserError
from esnkit.cli._timestamps import Clock

MAX_ROWS = 2_000_000
_MAX_LINE = 1_000_000
_SEPARATORS = ",;\t|"


class Table(NamedTuple):
    """The columns of a file that a forecast needs."""

    values: np.ndarray  # (n_known,)
    exog: np.ndarray  # (n_known + n_ahead, n_exog)
    clock: Clock | None
    name: str

    @property
    def n_known(self) -> int:
        """Number of rows in which the column to forecast has a value."""
        return len(self.values)


def read_table(path: str, column: str, time: str | None, exog: list[str]) -> Table:
    """Read the column to forecast, and those that go with it.

    Rows at the end in which `column` is empty belong to the future: they hold time stamps
    and exogenous inputs only.

    Raises
    ------
    UserError
        With the line number, for anything that is not as it should be.
    """
    with _open_text(path) as lines:
        first = next(lines, "")
        if not first.strip():
            raise UserError(f"{path} is empty; it needs a header line and one row per time step")
        separator = _separator(first, [column, *exog, *([] if time is None else [time])])
        rows = _numbered(csv.reader(_chain(first, lines), delimiter=separator, strict=True))
        header = [name.strip() for name in next(rows)[1]]
        places = [_place(header, name, path) for name in [column, *exog]]
        clock = None if time is None else Clock(time)
        time_place = None if time is None else _place(header, time, path)
        columns = [array("d") for _ in places]
        known = _read_rows(rows, len(header), places, columns, (clock, time_place), header)
    values = np.array(columns[0])[:known]
    if not known:
        raise UserError(f"{path} has no row with a value in column '{column}'")
    inputs = [np.array(part) for part in columns[1:]]
    n_rows = len(columns[0])
    return Table(values, np.reshape(inputs, (len(inputs), n_rows)).T, clock, column)


@contextmanager
def _open_text(path: str) -> Iterator[Iterator[str]]:
    """Open a file as lines of text, with what can go wrong said in one line."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield iter(_bounded_lines(file, path))
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 text (byte 0x{error.object[error.start]:02x}); save it as UTF-8"
        ) from None
    except IsADirectoryError:
        raise UserError(f"{path} is a directory, not a CSV file") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def _bounded_lines(file, path: str) -> Iterator[str]:
    """Yield lines; a file without line ends must not fill the memory."""
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise UserError(f"{path}: line {number} is longer than {_MAX_LINE:,} characters")
        yield line


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _numbered(rows) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV reader with the lines they end on."""
    before = 0
    try:
        for row in rows:
            yield rows.line_num, row
            before = rows.line_num
    except csv.Error as error:  # an open quote goes on to the end of the file
        raise UserError(
            f"line {before + 1}: the row that begins here is not CSV, {error}; check its quotes"
        ) from None


def _separator(header: str, wanted: list[str]) -> str:
    """Choose the separator that finds most of the wanted columns, the comma before others."""
    found = {}
    for separator in _SEPARATORS:
        with suppress(csv.Error):
            names = {name.strip() for name in next(csv.reader([header], delimiter=separator))}
            found[separator] = len(names & set(wanted)), len(names)
    return max(found, key=lambda separator: found[separator], default=",")


def _place(header: list[str], name: str, path: str) -> int:
    if header.count(name) > 1:
        raise UserError(f"{path} has {header.count(name)} columns named '{name}'")
    if name not in header:
        shown = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
        raise UserError(f"{path} has no column '{name}'; it has {shown[:300]}")
    return header.index(name)


def _read_rows(rows, width: int, places, columns, clock_at, header) -> int:
    """Append all rows to the columns; return how many have a value in the first one."""
    (clock, time_place), first_empty, blank = clock_at, 0, 0
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            blank = blank or line
            continue  # as often at the end of a file
        if blank:
            raise UserError(f"line {blank} is empty, but there are rows after it")
        if len(row) != width:
            raise UserError(f"line {line}: {len(row)} columns where the header has {width}")
        if len(columns[0]) == MAX_ROWS:
            raise UserError(f"line {line}: more than {MAX_ROWS:,} rows; give the last of them only")
        if clock is not None:
            clock.add(row[time_place], line)
        for values, place in zip(columns[1:], places[1:], strict=True):
            values.append(_number(row[place].strip(), header[place], line))
        target = row[places[0]].strip()
        if not target and len(places) > 1:  # a row of the future, or a hole
            first_empty = first_empty or line
            columns[0].append(math.nan)
            continue
        if first_empty:
            raise UserError(f"line {first_empty}: column '{header[places[0]]}' is empty")
        columns[0].append(_number(target, header[places[0]], line))
    return int(np.isfinite(np.array(columns[0])).sum())


def _number(text: str, column: str, line: int) -> float:
    if not text:
        raise UserError(f"line {line}: column '{column}' is empty; fill in every time step")
    try:
        value = float(text)
    except ValueError:
        value = None
    if value is None or "_" in text:
        raise UserError(f"line {line}: column '{column}' holds {text[:40]!r}, not a number")
    if not math.isfinite(value):
        raise UserError(f"line {line}: column '{column}' holds {text!r}, not a finite number")
    return value


def check_writable(path: str, option: str) -> None:
    """Raise if a file cannot be written here, before the work that it is to hold."""
    if os.path.isdir(path):
        raise UserError(f"{option} {path} is a directory")
    target = os.path.realpath(path)
    try:
        if _is_stream(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return  # opened now and closed, a pipe would lose its reader
        if os.path.exists(target):
            with open(target, "ab"):
                pass
        handle, probe = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".esnkit-")
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise UserError(f"cannot write {option} {path}: {error.strerror or error}") from None


def _is_stream(path: str) -> bool:
    """Tell a pipe or a device; what /dev/stdout links to may have no name that can be opened."""
    return os.path.exists(path) and not os.path.isfile(path)


def write_whole(path: str, write: Callable[[str], None]) -> None:
    """Write a file whole or not at all: `write` gets the name of a file that then takes its place.

    What is not a regular file, a pipe or a device, is written to directly.
    """
    target = os.path.realpath(path)
    try:
        if _is_stream(path):
            write(path)
            return
        suffix = Path(target).suffix
        handle, draft = tempfile.mkstemp(
            dir=os.path.dirname(target), prefix=".esnkit-", suffix=suffix
        )
        os.close(handle)
        try:
            write(draft)
            mode = _usual_mode() if not os.path.exists(target) else os.stat(target).st_mode
            os.chmod(draft, stat.S_IMODE(mode))
            os.replace(draft, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_columns(file, columns: dict) -> None:
    """Write columns of text or numbers as CSV; numbers come back exactly as they are."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([cell if isinstance(cell, str) else repr(float(cell)) for cell in row])
