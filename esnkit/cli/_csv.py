"""CSV files: a few columns are read as a stream, and files are replaced as a whole or not at all.

A file is UTF-8 text with a header line; comma, semicolon, tab or bar separate its columns, or what
a first line such as `sep=;` names.
"""

import csv
import errno
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import NamedTuple

import numpy as np

from esnkit.cli._decimals import DecimalReader, is_missing
from esnkit.cli._errors import UserError
from esnkit.cli._timestamps import Timestamps

MAX_ROWS = 2_000_000
BLOCK_ROWS = 500  # read at once; of more, the garbage collector of Python takes half the time
_MAX_LINE = 1_000_000
_SEPARATORS = ",;\t|"
_BINARY_FILES = {
    b"\x1f\x8b": "compressed by gzip", b"PK\x03\x04": "an archive or workbook (zip)",
    b"PAR1": "a Parquet file", b"\xd0\xcf\x11\xe0": "an old Office file",
}  # fmt: skip
_NAMED_SEPARATOR = re.compile('"?sep=(.)"?', re.IGNORECASE)  # as Excel writes and reads it


class Style(NamedTuple):
    """How a file is written, and its forecast too."""

    separator: str = ","
    decimal_sign: str = "."

    @classmethod
    def of(cls, decimals: DecimalReader) -> "Style":
        """Return the style of a file that has been read."""
        return cls(decimals.separator, decimals.decimal_sign)


class Table(NamedTuple):
    """The columns of a file that a forecast needs."""

    values: np.ndarray  # (n_known,), NaN where they are missing
    exog: np.ndarray  # (n_known + n_ahead, n_exog)
    past_exog: np.ndarray  # (n_known, n_past_exog)
    timestamps: Timestamps | None
    name: str
    style: Style

    @property
    def n_known(self) -> int:
        """Number of rows up to the last one in which the column to forecast has a value."""
        return len(self.values)


def read_table(
    path: str,
    column: str,
    time: str | None,
    exog: Sequence[str] = (),
    past_exog: Sequence[str] = (),
    fill: bool = False,
) -> Table:
    """Read the column to forecast, its time stamps, and its exogenous and past-only inputs.

    With exogenous inputs, rows at the end in which `column` is empty belong to the future: they
    hold time stamps and exogenous inputs only. With `fill` other empty cells, but for time stamps,
    are missing values. Words such as NA are as empty cells.

    Raises
    ------
    UserError
        With the line number, for anything that is not as it should be.
    """
    wanted = [column, *exog, *past_exog, *([] if time is None else [time])]
    with _open_rows(path, wanted) as (rows, header, separator):
        indices = [_index_of(name, header, path) for name in wanted]
        columns = _Columns(header, indices, len(exog), time, DecimalReader(separator), fill)
        for numbers, block in _blocks(rows):
            columns.add_block(numbers, block)
    return columns.table(path)


def read_texts(path: str, wanted: list[str]) -> tuple[list[int], str, list[list[str]]]:
    """Read columns as text: the lines of their rows, the separator, and the cells by column."""
    lines: list[int] = []
    texts: list[list[str]] = [[] for _ in wanted]
    with _open_rows(path, wanted) as (rows, header, separator):
        indices = [_index_of(name, header, path) for name in wanted]
        for line, row in rows:
            _check_row(line, row, header, len(lines))
            lines.append(line)
            for cells, index in zip(texts, indices, strict=True):
                cells.append(row[index].strip())
    if not lines:
        raise UserError(f"{path} has no row below its header")
    return lines, separator, texts


def other_column(path: str, named: Sequence[str]) -> str:
    """Return the column of a file that is not among those named, if there is a single one.

    A column without a name, such as the index that pandas writes, does not count.
    """
    with _open_rows(path, list(named)) as (_, header, _):
        for name in named:
            _index_of(name, header, path)
        others = [name for name in header if name and name not in named]
    if len(others) == 1:
        return others[0]
    raise UserError(f"--column must name the column to forecast; {path} has {_listed(header)}")


def first_cells(path: str, named: Sequence[str]) -> dict[str, str]:
    """Return the first cell of each column of a file that is not among those named."""
    with _open_rows(path, list(named)) as (rows, header, _):
        _, row = next(rows, (0, []))
    cells = zip(header, row, strict=False)
    return {name: cell.strip() for name, cell in cells if name not in named}


def _check_row(line: int, row: list[str], header: list[str], n_before: int) -> None:
    if len(row) != len(header):
        raise UserError(f"line {line}: {len(row)} columns where the header has {len(header)}")
    if n_before == MAX_ROWS:
        raise UserError(f"line {line}: more than {MAX_ROWS:,} rows; keep only the last of them")


@contextmanager
def _open_rows(path: str, wanted: list[str]):
    """Open a file as numbered rows, with its header and its separator."""
    with _open_text(path) as lines:
        first = next(lines, "")
        named = _NAMED_SEPARATOR.fullmatch(first.strip("\r\n"))
        if named:
            first = next(lines, "")
        if not first.strip():
            found = "begins with an empty line" if any(map(str.strip, lines)) else "is empty"
            raise UserError(f"{path} {found}; it needs a header line and one row per time step")
        separator = named[1] if named else _separator(first, wanted)
        reader = csv.reader(chain([first], lines), delimiter=separator, strict=True)
        rows = _numbered(reader, n_before=1 if named else 0)
        header = [name.strip() for name in next(rows)[1]]
        yield _without_blanks(rows), header, separator


class _Columns:
    """The wanted columns of a file: where they stand in a row, and what has been read of them."""

    def __init__(
        self, header: list[str], indices: list[int], n_exog: int, time: str | None, decimals, fill
    ):
        self.header = header
        self.n_exog = n_exog  # inputs, the first ones; the others are past-only inputs
        self.decimals = decimals
        self.fill = fill
        self.timestamps = None if time is None else Timestamps(time)
        self.time_index = indices.pop() if time is not None else 0
        self.target, *self.inputs = indices
        self.first_future_line = self.n_rows = self.n_known = 0

    def add_block(self, lines: list[int], rows: list[list[str]]) -> None:
        """Read the cells of rows: at once where all are as usual, else row by row."""
        if rows and not self.n_rows:  # the first row tells how time stamps may be written
            self.add(lines[0], rows[0])
            lines, rows = lines[1:], rows[1:]
        if rows and not self._add_at_once(lines, rows):
            for line, row in zip(lines, rows, strict=True):
                self.add(line, row)

    def _add_at_once(self, lines: list[int], rows: list[list[str]]) -> bool:
        """Read the cells of rows without errors and without a row of the future, else nothing."""
        usual = set(map(len, rows)) == {len(self.header)}
        if not usual or self.first_future_line or self.n_rows + len(rows) > MAX_ROWS:
            return False
        cells, wanted = list(zip(*rows, strict=True)), [*self.inputs, self.target]
        columns = [list(map(str.strip, cells[index])) for index in wanted]
        texts = list(chain.from_iterable(zip(*columns, strict=True)))
        numbers, stamps = self.decimals.read_at_once(texts), None
        if numbers is None:
            return False
        if self.timestamps is not None:
            stamps = self.timestamps.read_at_once(list(map(str.strip, cells[self.time_index])))
            if stamps is None:
                return False
            self.timestamps.extend(stamps, lines)
        self.decimals.extend(numbers, texts, [self.header[index] for index in wanted], lines)
        self.n_rows += len(rows)
        self.n_known = self.n_rows
        return True

    def add(self, line: int, row: list[str]) -> None:
        """Read the cells of one row."""
        _check_row(line, row, self.header, self.n_rows)
        self.n_rows += 1
        if self.timestamps is not None:
            self.timestamps.add(row[self.time_index], line)
        target = row[self.target].strip()
        is_ahead = is_missing(target) and not self.fill and self.n_exog > 0
        for k, index in enumerate(self.inputs):
            text = row[index].strip()
            if is_ahead and k >= self.n_exog and is_missing(text):
                self.decimals.add_missing()
            else:
                self._add_cell(text, self.header[index], line)
        self._add_target(line, target)

    def _add_cell(self, text: str, column: str, line: int) -> None:
        """Read a number, or a missing value."""
        if self.fill and is_missing(text):
            self.decimals.add_missing()
        else:
            self.decimals.add(text, column, line)

    def _add_target(self, line: int, text: str) -> None:
        """Read the value to forecast, which rows of the future leave empty."""
        column = self.header[self.target]
        if self.fill:
            self._add_cell(text, column, line)
            has_value = not (self.n_exog and is_missing(text))
            self.n_known = self.n_rows if has_value else self.n_known
            return
        if self.n_exog and is_missing(text):  # of the future, unless a value follows
            self.first_future_line = self.first_future_line or line
            return
        if self.first_future_line:
            raise UserError(
                f"line {self.first_future_line}: column '{column}' has no value, but lines "
                "after it have some; with --fill it is a missing value"
            )
        self.decimals.add(text, column, line)
        self.n_known += 1

    def table(self, path: str) -> Table:
        """Return what has been read as arrays."""
        column, n_known, n_inputs = self.header[self.target], self.n_known, len(self.inputs)
        if not n_known:
            raise UserError(f"{path} has no row with a value in column '{column}'")
        cells = self.decimals.values()  # row by row, the inputs before the target
        known = cells[: n_known * (n_inputs + 1)].reshape(n_known, n_inputs + 1)
        ahead = cells[known.size :].reshape(self.n_rows - n_known, n_inputs + self.fill)
        n_exog = self.n_exog
        self._refuse_later_values(ahead[:, n_exog:n_inputs])
        exog = np.vstack([known[:, :n_exog], ahead[:, :n_exog]])
        past_exog = known[:, n_exog:n_inputs].copy()
        style = Style.of(self.decimals)
        return Table(known[:, n_inputs].copy(), exog, past_exog, self.timestamps, column, style)

    def _refuse_later_values(self, past_exog: np.ndarray) -> None:
        names = [self.header[index] for index in self.inputs[self.n_exog :]]
        refuse_later_values(past_exog, names, self.header[self.target])


def refuse_later_values(past_exog: np.ndarray, names: Sequence[str], target: str) -> None:
    """Raise if past-only inputs have values in rows of the future, (n_ahead, n_past_exog)."""
    found = np.flatnonzero(~np.isnan(past_exog).all(axis=0))
    if len(found):
        raise UserError(
            f"column '{names[found[0]]}' has values after the last one of '{target}', but is named "
            "with --past-exog: name it with --exog, or leave those cells empty"
        )


@contextmanager
def _open_text(path: str) -> Iterator[Iterator[str]]:
    """Open a file as lines of text, with errors of one line."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield iter(_bounded_lines(file, path))
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x}"
        reason = _kind_of_binary(path) or f"is not UTF-8 text ({byte}); save it as UTF-8"
        raise UserError(f"{path} {reason}") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a directory, not a CSV file") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def _kind_of_binary(path: str) -> str:
    """Return what a file is that is no text, nothing if its first bytes do not tell."""
    if is_stream(path):  # whose first bytes are gone
        return ""
    with open(path, "rb") as file:
        start = file.read(4)
    found = (kind for signature, kind in _BINARY_FILES.items() if start.startswith(signature))
    return next((f"is {kind}, not CSV; save its rows as CSV text" for kind in found), "")


def _bounded_lines(file, path: str) -> Iterator[str]:
    """Yield lines of bounded length: a file without line ends must not fill the memory."""
    number = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        if len(line) == _MAX_LINE:
            raise UserError(f"{path}: line {number} is longer than {_MAX_LINE:,} characters")
        yield line


def _numbered(rows, n_before: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV reader with the lines they end on, after `n_before` lines."""
    before = n_before
    try:
        for row in rows:
            before = n_before + rows.line_num
            yield before, row
    except csv.Error as error:  # an open quote extends to the end of the file
        raise UserError(
            f"line {before + 1}: the row that begins here is not CSV, {error}; check its quotes"
        ) from None


def _separator(header: str, wanted: list[str]) -> str:
    """Choose the separator with which the header has most of the wanted columns."""
    found = {}
    for separator in _SEPARATORS:
        with suppress(csv.Error):
            names = {name.strip() for name in next(csv.reader([header], delimiter=separator))}
            found[separator] = len(names & set(wanted)), len(names)
    return max(found, key=lambda separator: found[separator], default=",")


def _index_of(name: str, header: list[str], path: str) -> int:
    """Return the position of a column."""
    if header.count(name) > 1:
        raise UserError(f"{path} has {header.count(name)} columns named '{name}'")
    if name not in header:
        raise UserError(
            f"{path} has no column '{name}'; its header, the first line, has {_listed(header)}"
        )
    return header.index(name)


def _listed(header: list[str]) -> str:
    """Return the first columns as text of bounded length."""
    return (
        ", ".join(name or "''" for name in header[:12]) + (", ..." if len(header) > 12 else "")
    )[:300]


def _without_blanks(rows) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with their lines; blank lines may stand at the end of a file only."""
    blank = 0
    for line, row in rows:
        if not any(map(str.strip, row)):
            blank = blank or line
            continue
        if blank:
            raise UserError(f"line {blank} is empty, but there are rows after it")
        yield line, row


def _blocks(numbered) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yield lines and rows in lists; where an error ends them, those before it come first."""
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for line, row in numbered:
            lines.append(line)
            rows.append(row)
            if len(rows) == BLOCK_ROWS:
                yield lines, rows
                lines, rows = [], []
    except Exception:
        yield lines, rows
        raise
    yield lines, rows


def check_writable(path: str, option: str) -> None:
    """Raise if a file cannot be written, before the work whose result it will hold."""
    if os.path.isdir(path):
        raise UserError(f"{option} {path} is a directory")
    target = os.path.realpath(path)
    try:
        with suppress(FileNotFoundError):
            os.lstat(target)  # raises if the name is too long
        if is_stream(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return  # the reader of a pipe would stop if it were opened and closed now
        if os.path.exists(target):
            with open(target, "ab"):
                pass
        handle, probe = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".esnkit-")
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise UserError(f"cannot write {option} {path}: {error.strerror or error}") from None


def is_stream(path: str) -> bool:
    """Tell a pipe or a device by the path itself: the target of /dev/stdout may have no name."""
    return os.path.exists(path) and not os.path.isfile(path)


def write_atomically(path: str, write: Callable[[str], None]) -> None:
    """Write a file as a whole or not at all: `write` gets the name of a draft that replaces it.

    Pipes and devices are written to directly.
    """
    try:
        if is_stream(path):
            write(path)
        else:
            _replace(os.path.realpath(path), write)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None


def _replace(target: str, write: Callable[[str], None]) -> None:
    """Write a draft beside a file and move it to its place."""
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".esnkit-")
    os.close(handle)
    try:
        write(draft)
        mode = os.stat(target).st_mode if os.path.exists(target) else _default_mode()
        os.chmod(draft, stat.S_IMODE(mode))
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise


def _default_mode() -> int:
    """Return the mode that open() would give a new file."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_columns(file, columns: dict, style: Style) -> None:
    """Write columns of text or numbers as CSV; numbers with all digits that they need."""
    writer = csv.writer(file, delimiter=style.separator, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([cell if isinstance(cell, str) else _as_text(cell, style) for cell in row])


def _as_text(number: float, style: Style) -> str:
    return repr(float(number)).replace(".", style.decimal_sign)
