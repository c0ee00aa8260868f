"""CSV files: read with the line of every error, written as a whole or not at all."""

import csv
import gzip
import io
import os
import re
import select
import stat
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from command_line import HOURS, N, forecast, read, rows, write
from hypothesis import given
from hypothesis import strategies as st

from esnkit.cli import _csv
from esnkit.cli._csv import check_writable, read_table, write_columns
from esnkit.cli._date_formats import write as write_stamp
from esnkit.cli._errors import UserError
from esnkit.cli._forecast_csv import spread

pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_found(separator):
    write(rows(separator=separator), encoding="utf-8-sig")
    assert forecast("--time", "when", "--quick", "--out", "o.csv") == 0
    lines = Path("o.csv").read_text().splitlines()
    assert len(lines) == 7 and lines[0] == separator.join(["when", "x"])
    assert float(lines[1].split(separator)[1]) > 0


@pytest.mark.parametrize(
    ("lines", "written"),
    [
        (["t;x", "1;0,5", "2;1"], "a;b\nc;1,5\n"),
        (["t;x", "1;0.5", "2;1"], "a;b\nc;1.5\n"),
        (["t;x", "1;1.234,5", "2;1"], "a;b\nc;1,5\n"),
        (["t;x", "1;1,234.5", "2;1"], "a;b\nc;1.5\n"),
        (["t\tx", "1\t2", "2\t1"], "a\tb\nc\t1.5\n"),
        (["t,x", '1,"0,5"', "2,1"], 'a,b\nc,"1,5"\n'),
    ],
)
def test_a_forecast_is_written_as_its_file(lines, written):
    write(lines)
    file = io.StringIO()
    write_columns(file, {"a": ["c"], "b": [1.5]}, read_table("in.csv", "x", "t").style)
    assert file.getvalue() == written


def swapped(line, text):
    lines = rows()
    lines[line - 1] = text
    return lines


BAD_FILES = {
    "missing column": (
        ["when,y,u", "1,2,3"],
        "in.csv has no column 'x'; its header, the first line, has when, y, u",
    ),
    "text": (swapped(21, f"{HOURS[19]},abc,1"), "in.csv, line 21: column 'x' holds 'abc', not a n"),
    "decimal comma": (swapped(5, f'{HOURS[3]},"1,5",1'), "line 5: column 'x' holds '1,5'"),
    "nan": (swapped(21, f"{HOURS[19]},NaN,1"), "line 21: column 'x' holds 'NaN', a missing value"),
    "infinity": (swapped(21, f"{HOURS[19]},-inf,1"), "line 21: column 'x' holds '-inf'"),
    "hole": (swapped(21, f"{HOURS[19]},,1"), "line 21: column 'x' is empty"),
    "gap": (rows()[:20] + rows()[21:], "line 21: gap in time, 2024-02-28 18:00 is followed by"),
    "repeated": (rows()[:20] + rows()[19:], "line 21: time stamp 2024-02-28 18:00 is repeated"),
    "unsorted": (rows()[:1] + rows()[:0:-1], "line 3: .* goes back in time"),
    "bad stamp": (swapped(9, "yesterday,1,1"), "line 9: time stamp 'yesterday'"),
    "ragged": (swapped(9, f"{HOURS[7]},1"), "line 9: 2 columns where the header has 3"),
    "blank line": (swapped(9, ""), "line 9 is empty, but there are rows after it"),
    "two columns of a name": (["when,x,x", "1,2,3"], "in.csv has 2 columns named 'x'"),
    "one row": (rows(1), "in.csv has 1 row of 'x', too few: --horizon 6 needs 16"),
    "too short": (rows(12), "in.csv has 12 rows of 'x', too few"),
    "header only": (rows(0), "in.csv has no row with a value"),
    "empty": ("", "in.csv is empty"),
    "empty first line": (["", *rows()], "in.csv begins with an empty line; it needs a"),
    "comment": (["# by hand", *rows()], "its header, the first line, has # by hand$"),
    "unclosed quote": (swapped(9, f'{HOURS[7]},"1,1'), "in.csv, line 9: the row that be"),
    "text after a quote": (swapped(9, f'{HOURS[7]},"1"x,1'), "in.csv, line 9: .* check its quotes"),
    "endless field": (swapped(9, f"{HOURS[7]},{'1' * 200_000},1"), "in.csv, line 9: .* field larg"),
    "control characters": (
        ["when,\x1b[31m\0y,u", "1,2,3"],
        r"its header, the first line, has when, \\x1b\[31m\\x00y, u",
    ),
    "one endless line": ("x" * 1_100_000, "line 1 is longer than 1,000,000 characters"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_get_one_line_and_exit_code_2(kind, capsys):
    lines, message = BAD_FILES[kind]
    write(lines)
    assert forecast("--time", "when", "--out", "o.csv") == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("esnkit: error: ")
    assert re.search(message, err), err
    assert not Path("o.csv").exists()


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_wrong_encodings_are_named(encoding, capsys):
    write("when,x,größe\n1,2,3\n", encoding=encoding)
    assert forecast() == 2
    assert "in.csv is not UTF-8 text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(b"x\n1\n2\n", mtime=0), "compressed by gzip"),
        (b"PK\x03\x04\x14\0\xff\xfe", r"an archive or workbook \(zip\)"),
        (b"PAR1\x15\x04\x15\xf0", "a Parquet file"),
    ],
    ids=["gzip", "zip", "parquet"],
)
def test_files_of_another_kind_are_named(content, kind):
    Path("in.csv").write_bytes(content)
    with pytest.raises(UserError, match=f"^in.csv is {kind}, not CSV; save its rows as CSV text$"):
        read_table("in.csv", "x", None)


def test_huge_files_are_cut_short(capsys, monkeypatch):
    monkeypatch.setattr(_csv, "MAX_ROWS", 50)
    write(rows())
    assert forecast() == 2
    assert "error: in.csv, line 52: more than 50 rows" in capsys.readouterr().err


def test_a_file_that_cannot_be_finished_leaves_the_old_one(capsys, monkeypatch):
    write(rows())
    write("precious", "o.csv")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_csv.os, "replace", full)
    assert forecast("--out", "o.csv") == 2
    assert "cannot write o.csv: No space left on device" in capsys.readouterr().err
    assert Path("o.csv").read_text() == "precious" and len(os.listdir()) == 2


def test_output_goes_through_links_and_keeps_the_mode():
    write(rows())
    write("old", "real.csv")
    os.chmod("real.csv", 0o640)
    os.symlink("real.csv", "o.csv")
    assert forecast("--out", "o.csv") == 0
    assert os.path.islink("o.csv") and len(read("real.csv")) == 6
    assert stat.S_IMODE(os.stat("real.csv").st_mode) == 0o640


def test_a_device_is_written_to_and_not_replaced():
    write(rows())
    assert forecast("--out", os.devnull) == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_is_opened_once_to_be_written_to():
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    events = select.poll()
    events.register(reader)
    check_writable("pipe", "--out")
    assert events.poll(0) == []  # no writer has come and gone
    write(rows())
    assert forecast("--out", "pipe") == 0
    assert os.read(reader, 10_000).count(b"\n") == 7
    os.close(reader)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="names of open files")
def test_a_pipe_without_a_name_is_written_to():
    write(rows())
    reader, writer = os.pipe()
    assert forecast("--out", f"/dev/fd/{writer}") == 0
    assert os.read(reader, 10_000).count(b"\n") == 7
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_names_that_are_too_long_are_refused_before_the_work(option, capsys, monkeypatch):
    monkeypatch.setattr(_csv, "read_table", None)
    write(rows())
    assert forecast(option, "o" * 300 + ".png") == 2
    err = capsys.readouterr().err
    assert err.startswith(f"esnkit: error: cannot write {option} ooo") and "too long" in err


def test_the_longest_name_is_written():
    write(rows())
    name = "o." + "x" * 253
    assert forecast("--out", name) == 0
    assert len(read(name)) == 6


def european(lines):
    return [line.replace(",", ";").replace(".", ",") for line in lines]


def test_decimal_commas_are_read_between_semicolons(capsys):
    write(rows())
    assert forecast("--time", "when") == 0
    expected = capsys.readouterr().out
    write(european(rows()))
    assert forecast("--time", "when") == 0
    assert capsys.readouterr().out == expected.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=^", "sep=\t"])
def test_a_first_line_names_the_separator(line, capsys):
    separator = line.strip('"')[-1]
    write([line, *rows(separator=separator)])
    assert forecast("--time", "when", "--out", "o.csv") == 0
    write([line, *rows(separator=separator)[:20], *rows(separator=separator)[21:]])
    assert forecast("--time", "when") == 2
    assert "in.csv, line 22: gap in time" in capsys.readouterr().err


def test_a_first_line_that_names_the_separator_alone_is_no_table(capsys):
    write("sep=;\n")
    assert forecast() == 2
    assert "in.csv is empty" in capsys.readouterr().err


def test_thousands_or_decimals_are_refused(capsys):
    write(["day;x", *(f"2024-01-{d:02};{('1.010', '995')[d % 2]}" for d in range(1, 31))])
    assert forecast("--time", "day") == 2
    assert "line 3: column 'x' holds '1.010', which is 1010 if" in capsys.readouterr().err


# Dialects: separators, decimal signs, signs between thousands, quotes, line ends, encodings and
# what else surrounds a table.

faults = ["blank line", "comment", "no header", "column twice", "missing value", "short row"]


@st.composite
def dialects(draw):
    return {
        "separator": draw(st.sampled_from(",;\t|")),
        "decimal": draw(st.sampled_from(".,")),
        "thousands": draw(st.sampled_from(["", "", ".", ",", " ", "'"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        "line_end": draw(st.sampled_from(["\n", "\r\n"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])),
        "named": draw(st.booleans()),
        "padding": draw(st.sampled_from(["", "", " "])),
        "trailing": draw(st.booleans()),
        "blank_end": draw(st.booleans()),
        "name": draw(st.sampled_from(["x", "größe", 'a "b"', "x;y,z"])),
        "fault": draw(st.sampled_from([None, None, None, *faults])),
    }


def cell(value, dialect):
    """Write a number with the signs of a dialect."""
    text = f"{value:,}" if dialect["thousands"] else f"{value}"
    return text.translate(str.maketrans({".": dialect["decimal"], ",": dialect["thousands"]}))


def table_of(values, dialect):
    """Write a file of a name, days and values in a dialect, with its fault."""
    name, fault, padding = dialect["name"], dialect["fault"], dialect["padding"]
    tail = [""] if dialect["trailing"] else []
    lines = [["day", name, *tail]]
    for k, value in enumerate(values):
        text = padding + cell(value, dialect) + padding
        lines.append([f"2024-{k // 28 + 1:02}-{k % 28 + 1:02}", text, *tail])
    middle = len(lines) // 2
    if fault == "column twice":
        lines = [[*line, name if line is lines[0] else "1"] for line in lines]
    elif fault == "missing value":
        lines[middle][1] = "NA"
    elif fault == "short row":
        del lines[middle][1:]
    file, separator = io.StringIO(), dialect["separator"]
    writer = csv.writer(
        file,
        delimiter=separator,
        quoting=dialect["quoting"],
        lineterminator=dialect["line_end"],
    )
    writer.writerows(lines[fault == "no header" :])
    parts = file.getvalue().split(dialect["line_end"])
    if fault in ("blank line", "comment"):
        parts.insert(middle, "" if fault == "blank line" else "# a comment")
    if dialect["named"]:
        parts.insert(0, f"sep={separator}")
    return dialect["line_end"].join(parts) + dialect["line_end"] * dialect["blank_end"]


numbers = st.one_of(
    st.integers(-3_000_000, 3_000_000),
    st.floats(-5000, 5000).map(lambda value: round(value, 3) + 0.0),
    st.decimals(-50, 50, places=3),
)


@given(st.lists(numbers, min_size=2, max_size=12), dialects())
def test_a_file_of_any_dialect_is_read_as_it_was_written_or_refused(values, dialect):
    dialect["thousands"] *= dialect["thousands"] != dialect["decimal"]
    encoding, name, separator = dialect["encoding"], dialect["name"], dialect["separator"]
    Path("in.csv").write_bytes(table_of(values, dialect).encode(encoding))
    try:
        table = read_table("in.csv", name, "day", [])
    except UserError as error:
        read_signs = separator != "," or (dialect["decimal"], dialect["thousands"]) == (".", "")
        plain = dialect["fault"] is None and encoding.startswith("utf-8") and read_signs
        grouped = dialect["thousands"] in (" ", "'") and any(abs(value) >= 1000 for value in values)
        is_open = "if it is decimal, and no other line tells" in str(error)
        mixed = "it is written unlike" in str(error)  # as 1e-05
        assert not plain or grouped or is_open or "e" in str(values) or mixed, error
        return
    assert dialect["fault"] is None
    written = [float(value) for value in values]
    if table.values.tolist() != written:
        # In files of commas a point is decimal, and between semicolons a comma; else all numbers
        # are such as 1.234.
        large = [cell(value, dialect) for value in values if abs(value) > 999]
        assert dialect["thousands"] in (".", ",") and all(text[-4] in ".," for text in large)
        assert separator != ";" or dialect["thousands"] == ","


ODD_CELLS = ["", " 7", "abc", "1,5", "1.234", "inf", "1_0", "+3", "1e2", "12", '"2\n3"', '"4']
ODD_TIMES = ["2024-02-30", "", "2024-01-05", "5.1.2024", "2024-1-9", "7"]
ODD_ROWS = ["", ";;", "2024-01-09;3", "# note", '"a"b;1;2']


@st.composite
def files(draw):
    """Draw the lines of a file of days, inputs and values, a few of them unusual."""
    form = draw(
        st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M+01:00", "%Y%m%d", "%-d.%-m.%Y"])
    )
    decimal = draw(st.sampled_from([".", ","]))
    step, n_rows = draw(st.integers(1, 3)), draw(st.integers(3, 24))
    lines, start = ["t;u;x"], datetime(2024, 1, 7)
    for k in range(n_rows):
        day = write_stamp(start + k * timedelta(days=step), form)
        value = draw(st.sampled_from([f"{k / 4}", f"{k}", f"{1000 * k}.125"]))
        lines.append(f"{day};{k};{value.replace('.', decimal)}")
    for _ in range(draw(st.integers(0, 2))):
        k = draw(st.integers(1, n_rows))
        cells = lines[k].split(";")
        at = draw(st.integers(0, 3))
        if at < len(cells):
            cells[at] = draw(st.sampled_from(ODD_CELLS if at else ODD_TIMES))
        lines[k] = ";".join(cells) if at < 3 else draw(st.sampled_from(ODD_ROWS))
    return lines


def all_of(**patches):
    """Return what is read: numbers, lines and time stamps, or the error."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in patches.items():
            patch.setattr(_csv if name == "BLOCK_ROWS" else _csv._Columns, name, value)
        try:
            table = read_table("in.csv", "x", "t", ["u"])
        except UserError as error:
            return str(error)
    stamps = [
        (column.form, *map(np.ndarray.tolist, column.stamps))
        for column in table.timestamps.readings
    ]
    return table.values.tolist(), table.exog.tolist(), list(table.timestamps.lines), stamps


@given(files(), st.integers(2, 9))
def test_files_read_in_blocks_are_those_read_row_by_row(lines, n_block):
    write(lines)
    assert all_of(BLOCK_ROWS=n_block) == all_of(_add_at_once=lambda *cells: False)


def test_blocks_of_usual_rows_are_read_at_once(monkeypatch):
    write(rows())
    monkeypatch.setattr(_csv, "BLOCK_ROWS", 50)
    one_by_one = []
    add = _csv._Columns.add
    monkeypatch.setattr(_csv._Columns, "add", lambda *a: one_by_one.append(a[1]) or add(*a))
    assert read_table("in.csv", "x", "when", ["u"]).n_known == N
    assert max(one_by_one) <= 51  # in the first block the days begin to have a leading zero


@pytest.mark.parametrize(("word", "found"), [("", "is empty"), ("n/a", "holds 'n/a'")])
def test_empty_cells_and_words_are_missing_values_on_request(word, found):
    lines = ["t,u,x", "1,5,1.5", f"2,{word},{word}", "3,7,2.5", f"5,8,{word}", f"6,9,{word}"]
    write(lines)
    with pytest.raises(UserError, match=f"line 3: column 'u' {found}.* with --fill"):
        read_table("in.csv", "x", "t", ["u"])
    table = read_table("in.csv", "x", "t", ["u"], fill=True)
    np.testing.assert_array_equal(table.values, [1.5, np.nan, 2.5])
    np.testing.assert_array_equal(table.exog, [[5], [np.nan], [7], [8], [9]])
    wide = spread(table, np.array([0, 1, 2, 4, 5]))
    np.testing.assert_array_equal(wide.values, [1.5, np.nan, 2.5])
    np.testing.assert_array_equal(wide.exog, [[5], [np.nan], [7], [np.nan], [8], [9]])
    table = read_table("in.csv", "x", None, [], fill=True)
    np.testing.assert_array_equal(table.values, [1.5, np.nan, 2.5, np.nan, np.nan])
    write([line.replace(f",{word},", ",6,") for line in lines])
    with pytest.raises(UserError, match="line 3: column 'x' has no value, but lines after it"):
        read_table("in.csv", "x", "t", ["u"])


def test_past_inputs_end_with_the_column_to_forecast():
    write(["p,t,u,x", "3,1,5,1.5", "4,2,6,2.5", ",3,7,"])
    table = read_table("in.csv", "x", "t", ["u"], ["p"])
    np.testing.assert_array_equal(table.past_exog, [[3], [4]])
    np.testing.assert_array_equal(table.exog, [[5], [6], [7]])
    np.testing.assert_array_equal(
        spread(table, np.array([0, 2, 3])).past_exog, [[3], [np.nan], [4]]
    )
    for fill in (False, True):
        write(["p,t,u,x", "3,1,5,1.5", "4,2,6,2.5", "9,3,7,"])
        with pytest.raises(UserError, match="column 'p' has values after the last one of 'x', but"):
            read_table("in.csv", "x", "t", ["u"], ["p"], fill=fill)
    write(["p,x", "3,1", ",2", "5,"])
    with pytest.raises(UserError, match="line 3: column 'p' is empty"):
        read_table("in.csv", "x", None, [], ["p"])
    table = read_table("in.csv", "x", None, [], ["p"], fill=True)
    np.testing.assert_array_equal(table.past_exog, [[3], [np.nan], [5]])
    np.testing.assert_array_equal(table.values, [1, 2, np.nan])
