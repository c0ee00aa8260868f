"""The command line: forecasts from CSV files, bad ones in a line, files whole or not at all."""

import csv
import math
import os
import re
import select
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from esnkit.baselines._naive import autoregressive_order, persistence, seasonal_naive, seasons
from esnkit.cli import _csv as table
from esnkit.cli import _demo as shipped
from esnkit.cli import _forecast_csv as fromfile
from esnkit.cli import main
from esnkit.cli._errors import UserError
from esnkit.cli._progress import progress
from esnkit.cli._timestamps import Clock
from esnkit.forecasting._conformal import half_widths

ROOT = Path(__file__).resolve().parents[2]
N = 120
RNG = np.random.default_rng(0)
U = RNG.normal(size=N + 12)
X = 10 + np.sin(np.arange(N + 12) / 4) + U
HOURS = [f"{datetime(2024, 2, 28) + timedelta(hours=k):%Y-%m-%d %H:%M}" for k in range(N + 12)]
SMALL = ["--units", "20"]


@pytest.fixture(autouse=True)
def in_a_directory_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fromfile, "MEMBERS", 1)
    monkeypatch.setattr(fromfile, "ALPHAS", [1e-3])


def rows(n=N, ahead=0, separator=","):
    lines = [separator.join(["when", "x", "u"])]
    for k in range(n + ahead):
        value = repr(float(X[k])) if k < n else ""
        lines.append(separator.join([HOURS[k], value, repr(float(U[k]))]))
    return lines


def write(lines, name="in.csv", **how):
    text = lines if isinstance(lines, str) else "\n".join(lines) + "\n"
    Path(name).write_text(text, **({"encoding": "utf-8"} | how))
    return name


def read(name):
    with open(name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def forecast(*options):
    return main(["forecast", "in.csv", "--column", "x", "--horizon", "6", *SMALL, *options])


# --- forecasts from a file ------------------------------------------------------------


def test_a_forecast_with_interval_and_picture(capsys):
    write(rows())
    code = forecast("--time", "when", "--interval", "0.8", "--out", "o.csv", "--plot", "o.png")
    assert code == 0 and capsys.readouterr().out == ""
    answer = read("o.csv")
    assert list(answer[0]) == ["when", "x", "x_lower", "x_upper"]
    assert [row["when"] for row in answer] == HOURS[N : N + 6]
    for row in answer:
        lower, value, upper = (float(row[key]) for key in ("x_lower", "x", "x_upper"))
        assert lower < value < upper
        assert row["x"] == repr(value)
    assert Path("o.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(os.listdir()) == ["in.csv", "o.csv", "o.png"]


def test_without_out_the_forecast_goes_to_standard_output(capsys):
    write(rows())
    assert forecast() == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "x" and len(out.splitlines()) == 7
    assert all(line.startswith("esnkit: ") for line in err.splitlines()) and "warning" not in err


WEEK = 10 + np.tile([0.0, 1, 2, 3, 2, 1, 8], 30) + 0.1 * RNG.normal(size=210)


def alone(values):
    return table.Table(np.asarray(values, float), np.empty((len(values), 0)), None, "x")


def test_it_says_how_well_the_end_was_forecast_and_how_well_without_it(capsys):
    write(["x", *map(repr, map(float, WEEK))])
    assert forecast("--out", "o.csv") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("esnkit: settings --units 20 ")
    assert lines[1].endswith("standard deviation, of the last 63 rows, 6 steps ahead, 20 times:")
    network, last, season = (float(line.split()[1]) for line in lines[2:5])
    assert lines[3].endswith("the last value, repeated")
    assert lines[4].endswith("the last 7 steps, repeated")
    origins = range(147, 205, 3)
    truths = np.array([WEEK[t : t + 6] for t in origins])
    for printed, back in ((last, [1] * 6), (season, range(7, 1, -1))):
        repeated = np.array([[WEEK[t - k] for k in back] for t in origins])
        wanted = np.sqrt(np.mean((truths - repeated) ** 2)) / WEEK.std()
        assert printed == pytest.approx(wanted, rel=1e-3)
    assert network < 1.1 * season < 0.2 * last


def test_penalty_and_differences_are_chosen_where_they_are_not_given(monkeypatch):
    monkeypatch.setattr(fromfile, "ALPHAS", [1e-6, 1e3])
    line = alone(5 + 2 * np.arange(200.0))

    def best(**given):
        tried = fromfile.candidates(line, {"n_units": 20} | given, 0, False)
        return tried, fromfile.rank(line, 6, tried, 0)[0][1]

    tried, chosen = best()
    assert len(tried) == 5 and chosen["differences"] == 1  # the defaults, and each with each
    assert best(differences=0)[1]["differences"] == 0
    assert {one["alpha"] for one in best(alpha=2.0)[0]} == {2.0}


def test_the_end_that_judges_has_no_part_in_the_choice():
    values = WEEK.copy()
    tried = fromfile.candidates(alone(values), {"n_units": 20}, 0, False)
    ranking = fromfile.rank(alone(values), 6, tried, 0)
    values[147:] = 50 + 10 * RNG.normal(size=63)
    assert fromfile.candidates(alone(values), {"n_units": 20}, 0, False) == tried
    assert fromfile.rank(alone(values), 6, tried, 0) == ranking


def test_of_settings_about_as_good_the_larger_penalty_is_taken(monkeypatch):
    errors = iter([1.2, 1.0, 1.04, 1.06])
    monkeypatch.setattr(fromfile, "_backtest_error", lambda *args: next(errors))
    tried = [fromfile.DEFAULTS | {"alpha": a} for a in (9.0, 1.0, 2.0, 3.0)]
    ranking = fromfile.rank(alone(WEEK), 6, tried, 0)
    assert [s["alpha"] for _, s in ranking] == [2.0, 1.0, 3.0, 9.0]


def test_settings_that_run_away_give_way_to_the_next():
    wave = alone(np.sin(np.arange(60) / 3))
    wave.values[-1] = 1e3
    unpenalised = {"n_units": 50, "alpha": 0.0, "leak_rate": 1.0, "differences": (1, 1)}
    wild = fromfile.DEFAULTS | unpenalised
    tame = fromfile.DEFAULTS | {"n_units": 20, "alpha": 1000.0}
    with pytest.warns(RuntimeWarning, match="far beyond"):
        fromfile.forecast_table(wave, 20, [(1.0, wild)], 0, None)
    assert fromfile.forecast_table(wave, 20, [(1.0, wild), (2.0, tame)], 0, None)[0] == tame
    too_long = fromfile.DEFAULTS | {"differences": (100,)}  # with which nothing can be fitted
    with pytest.warns(RuntimeWarning, match="far beyond"):
        used, _ = fromfile.forecast_table(wave, 20, [(1.0, wild), (np.inf, too_long)], 0, None)
    assert used == wild


@pytest.mark.parametrize("period", [7, 24])
def test_seasons_are_found(period):
    time = np.arange(40 * period)
    series = np.sin(2 * np.pi * time / period) + 0.5 * RNG.normal(size=time.size) + 0.01 * time
    assert seasons(series)[:1] == [period]
    assert all(seasons(s) == [] for s in (RNG.normal(size=500), time, np.ones(9), [1.0]))


def test_a_longer_season_is_found_beside_a_shorter_one():
    day, week = (np.sin(2 * np.pi * np.arange(4000) / period) for period in (24, 168))
    assert seasons(day + 0.6 * week) == [24, 168]


def test_an_end_that_cannot_be_forecast_is_told(capsys, monkeypatch):
    monkeypatch.setattr(fromfile, "_backtest_error", lambda *args: np.inf)
    write(rows())
    assert forecast() == 0
    settings, error = capsys.readouterr().err.splitlines()
    assert settings.endswith("--alpha 1 --differences 0") and "too short, or too wild" in error


def test_known_inputs_of_the_future_come_from_the_end_of_the_file():
    write(rows(ahead=8))
    assert forecast("--time", "when", "--exog", "u", "--out", "with.csv") == 0
    write(rows())
    assert forecast("--time", "when", "--out", "without.csv") == 0
    ahead = [[float(row["x"]) for row in read(name)] for name in ("with.csv", "without.csv")]
    error = [np.abs(np.array(part) - X[N : N + 6]).mean() for part in ahead]
    assert error[0] < 0.5 * error[1]
    assert [row["when"] for row in read("with.csv")] == HOURS[N : N + 6]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_found(separator):
    write(rows(separator=separator), encoding="utf-8-sig")
    assert forecast("--time", "when", "--out", "o.csv") == 0
    assert len(read("o.csv")) == 6


def test_seeds_decide_and_repeat(capsys):
    write(rows())
    answers = []
    for seed in ("1", "1", "2"):
        assert forecast("--seed", seed) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] != answers[2]


def test_tune_prints_what_it_tried_and_keeps_what_was_given(capsys, monkeypatch):
    monkeypatch.setattr(fromfile, "DRAWN", 3)
    write(rows())
    assert forecast("--tune", "--leak-rate", "0.5", "--out", "o.csv") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("settings tried on what came before the end of the series, NRMSE:")
    errors = [float(line.split()[1]) for line in lines[1:4]]
    assert errors[0] <= fromfile.NEAR * errors[1] and errors[1] <= errors[2]
    assert all("--leak-rate 0.5" in line and "--units 20" in line for line in lines[1:4])


def test_tune_does_not_choose_worse_than_the_defaults():
    data = alone(X[:N])
    tried = fromfile.candidates(data, {"n_units": 20}, 0, tuned=True)
    ranking = fromfile.rank(data, 4, tried, seed=0)
    errors = [error for error, _ in ranking]
    default = next(e for e, s in ranking if s == fromfile.DEFAULTS | {"n_units": 20})
    assert errors[1:] == sorted(errors[1:]) and errors[0] <= fromfile.NEAR * min(errors)
    assert min(errors) <= default and len(errors) > fromfile.DRAWN


@pytest.mark.parametrize("size", [1e160, 1e300])
@pytest.mark.parametrize("options", [[], ["--interval", "0.5"], ["--tune"]])
def test_huge_values_are_forecast(capsys, monkeypatch, size, options):
    monkeypatch.setattr(fromfile, "DRAWN", 2)
    write(["x", *(repr(float(size * x)) for x in X[:N])])
    assert forecast(*options) == 0
    out, err = capsys.readouterr()
    ahead = np.array([line.split(",") for line in out.splitlines()[1:]], dtype=float)
    assert (np.abs(ahead / size - 10) < 8).all() and "warning" not in err


def test_values_too_far_apart_to_be_differenced(capsys, monkeypatch):
    monkeypatch.setattr(fromfile, "DRAWN", 4)
    write(["x", *(f"{(-1) ** k * 1.7e308}" for k in range(N))])
    assert forecast("--differences", "1") == 2
    message = "esnkit: error: in.csv holds values of 'x' too large for '--differences 1'\n"
    assert capsys.readouterr().err == message
    assert forecast("--tune") == 0
    assert "warning" not in capsys.readouterr().err


def test_the_narrowest_interval_is_that_of_the_smallest_error():
    errors = np.arange(1.0, 20.0).reshape(19, 1, 1)
    assert half_widths(errors, 1e-15) == half_widths(errors, 0.05) == 1


# --- time stamps ----------------------------------------------------------------------

FREQUENCIES = {
    "15min": "%Y-%m-%d %H:%M",
    "h": "%Y-%m-%dT%H:%M:%S",
    "2h": "%d.%m.%Y %H:%M",
    "D": "%Y-%m-%d",
    "B": "%m/%d/%Y",
    "W": "%Y/%m/%d",
    "MS": "%Y-%m",
    "ME": "%Y-%m-%d",
    "QS": "%d/%m/%Y",
    "QE": "%Y%m%d",
    "YS": "%Y",
    "YE": "%Y-%m-%d",
}


@pytest.mark.parametrize("form", ["%Y/%m", "%m/%Y", "%m.%Y", "%Y-Q%q", "%YQ%q", "%Y Q%q"])
def test_months_and_quarters_go_on(form):
    periods = pd.period_range("2019-11", periods=40, freq="Q" if "q" in form else "M")
    texts = list(periods.strftime(form))
    clock = Clock("t")
    for k, text in enumerate(texts[:30]):
        clock.add(text, k + 2)
    assert clock.future(30, 10)[0] == texts[30:]
    with pytest.raises(UserError, match="is not a date"):
        clock.add(texts[30].replace("2", "0").replace("1", "0"), 32)


@pytest.mark.parametrize("start, step, digits", [(-5, 25, 2), (0, 1, 1), (90, 1, 1), (7, 500, 3)])
def test_fractions_go_on(start, step, digits):
    numbers = start + step * np.arange(40)
    texts = [f"{number / 10**digits:.{digits}f}" for number in numbers]
    clock = Clock("t")
    for k, text in enumerate(texts[:30]):
        clock.add(text, k + 2)
    written, known, ahead = clock.future(30, 10)
    assert written == texts[30:]
    np.testing.assert_array_equal(known + ahead, numbers / 10**digits)
    for other in ("1e3", "-0.0", "01.5", "1.23456"):
        with pytest.raises(UserError, match="is not a date"):
            clock.add(other, 33)


def test_months_before_years_are_no_fractions():
    clock = Clock("t")
    for k, text in enumerate(["10.2019", "11.2019", "12.2019"]):
        clock.add(text, k + 2)
    assert clock.future(3, 2)[0] == ["01.2020", "02.2020"]


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_stamps_go_on_at_their_own_frequency(frequency):
    stamps = pd.date_range("2019-12-31", periods=40, freq=frequency)
    texts = list(stamps.strftime(FREQUENCIES[frequency]))
    clock = Clock("t")
    for k, text in enumerate(texts[:30]):
        clock.add(text, k + 2)
    assert clock.future(30, 10)[0] == texts[30:]
    assert clock.future(20, 10)[0] == texts[20:30]


@pytest.mark.parametrize("frequency", ["h", "D"])
def test_stamps_with_an_offset_go_on_over_a_change_of_clocks(frequency):
    stamps = pd.date_range("2024-03-28", periods=100, freq=frequency, tz="Europe/Berlin")
    texts = [stamp.isoformat() for stamp in stamps]
    clock = Clock("t")
    for k, text in enumerate(texts[:90]):
        clock.add(text, k + 2)
    assert clock.future(90, 10)[0] == texts[90:]


@pytest.mark.parametrize(
    "texts, expected",
    [
        (["1990", "1991", "1992"], ["1993", "1994"]),
        (["0", "5", "10"], ["15", "20"]),
        (["2024-01-01T00:00Z", "2024-01-01T06:00Z"], ["2024-01-01T12:00Z", "2024-01-01T18:00Z"]),
        (["2024-01-30", "2024-02-29", "2024-03-30"], ["2024-04-30", "2024-05-30"]),
        (["2024-01-31", "2024-02-29", "2024-03-31"], ["2024-04-30", "2024-05-31"]),
        ([str(k) for k in range(2011210, 2011229)], ["2011229", "2011230"]),
        (["20111230", "20111231"], ["20120101", "20120102"]),
        (["1/30/2020", "1/31/2020"], ["2/1/2020", "2/2/2020"]),
        (["9.10.2020", "10.10.2020", "11.10.2020"], ["12.10.2020", "13.10.2020"]),
        (["01/30/2020", "01/31/2020"], ["02/01/2020", "02/02/2020"]),
        (["1/31/2020 22:00", "1/31/2020 23:00"], ["2/1/2020 00:00", "2/1/2020 01:00"]),
        (["01/09/2020 8:00", "01/09/2020 9:00"], ["01/09/2020 10:00", "01/09/2020 11:00"]),
        (["2020/1/9 23:00", "2020/1/10 0:00"], ["2020/1/10 1:00", "2020/1/10 2:00"]),
        (
            ["2020-01-09 00:00:00.5", "2020-01-09 00:00:01.0"],
            ["2020-01-09 00:00:01.5", "2020-01-09 00:00:02.0"],
        ),
        (["2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.250Z"], "00.500Z 00.750Z"),
        (["2024-01-01 00:15+01", "2024-01-01 00:30+01"], "00:45+01 01:00+01"),
        (["2024-01-01T00:00:00+0100", "2024-01-01T01:00:00+0100"], "2:00:00+0100 3:00:00+0100"),
        (["2024-1-9", "2024-1-10"], ["2024-1-11", "2024-1-12"]),
        (["2024-10-30", "2024-10-31"], ["2024-11-01", "2024-11-02"]),
        (["1/09/2024", "1/10/2024", "1/11/2024", "1/12/2024", "1/13/2024"], "1/14/2024 1/15/2024"),
        ([f"{day:02}/02/2024" for day in range(1, 14)], ["14/02/2024", "15/02/2024"]),
        (["0098", "0099"], ["0100", "0101"]),
        (["98", "99"], ["100", "101"]),
        (["1700000000000000000", "1700000060000000000"], "1700000120000000000 1700000180000000000"),
        (["2021-01-01", "2022-01-01", "2023-01-01", "2024-01-01"], ["2025-01-01", "2026-01-01"]),
    ],
)
def test_numbers_and_months(texts, expected):
    clock = Clock("t")
    for k, text in enumerate(texts):
        clock.add(text, k + 2)
    written = clock.future(len(texts), 2)[0]
    if isinstance(expected, str):  # their ends
        assert all(a.endswith(b) for a, b in zip(written, expected.split(" "), strict=True))
    else:
        assert written == expected


@pytest.mark.parametrize(
    "texts, message",
    [
        (["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], "line 4: gap in time"),
        (["2024-01-01", "2024-02-01", "2024-04-01", "2024-05-01"], "leads to 2024-03-01"),
        (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-10", "2024-01-11"], "to 2024-01-09"),
        (["2024-01-01", "2024-01-01"], "line 3: .* is repeated"),
        (["2024-01-02", "2024-01-01"], "line 3: .* goes back in time"),
        (["2024-01-02", "03.01.2024"], "line 3: .* is not a date"),
        (["noon"], "line 2: .* is not a date .* of at most 64 bits$"),
        (["2024-01-01T10+01"], "line 2: .* is not a date"),
        (["2024-W01-1"], "line 2: .* is not a date"),
        (["2024-01-01 24:00"], "line 2: .* is not a date"),
        (["2024-01-01T00:00-00:00"], "line 2: .* is not a date"),
        (["2024-02-30"], "line 2: .* is not a date"),
        (["2024-01-01", "2024-1-2"], "line 3: .* is not a date .* in the format of the lines befo"),
        (["0001", "2"], "line 3: .* is not a date"),
        (["9223372036854775808"], "line 2: .* nor a number of at most 64 bits"),
        (
            [f"{day:02}/02/2024" for day in range(1, 13)],
            "column 't' can be read with the month first, which leads to 01/02/2025, or with the "
            "day first, which leads to 13/02/2024; write them like 2024-01-31",
        ),
        (["2024-01-02", ""], "line 3: .* is empty"),
        (["9999-12-30", "9999-12-31"], "beyond year 9999"),
        (["2024-01-01"], "at least two rows"),
    ],
)
def test_stamps_that_do_not_go_on(texts, message):
    clock = Clock("t")
    with pytest.raises(UserError, match=message):
        for k, text in enumerate(texts):
            clock.add(text, k + 2)
        clock.future(len(texts), 2)


# --- bad input ------------------------------------------------------------------------


def swapped(line, text):
    lines = rows()
    lines[line - 1] = text
    return lines


BAD_FILES = {
    "missing column": (["when,y,u", "1,2,3"], "in.csv has no column 'x'; it has when, y, u"),
    "text": (swapped(21, f"{HOURS[19]},abc,1"), "in.csv, line 21: column 'x' holds 'abc', not a n"),
    "decimal comma": (swapped(5, f'{HOURS[3]},"1,5",1'), "line 5: column 'x' holds '1,5'"),
    "nan": (swapped(21, f"{HOURS[19]},NaN,1"), "line 21: column 'x' holds 'NaN', not a finite"),
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
    "unclosed quote": (swapped(9, f'{HOURS[7]},"1,1'), "in.csv, line 9: the row that be"),
    "text after a quote": (swapped(9, f'{HOURS[7]},"1"x,1'), "in.csv, line 9: .* check its quotes"),
    "endless field": (swapped(9, f"{HOURS[7]},{'1' * 200_000},1"), "in.csv, line 9: .* field larg"),
    "control characters": (["when,\x1b[31m\0y,u", "1,2,3"], r"it has when, \\x1b\[31m\\x00y, u"),
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


def test_huge_files_are_cut_short(capsys, monkeypatch):
    monkeypatch.setattr(table, "MAX_ROWS", 50)
    write(rows())
    assert forecast() == 2
    assert "error: in.csv, line 52: more than 50 rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    "stamps, message",
    [(["9999-12-30", "9999-12-31"], "lie beyond year 9999"), (["5"], "at least two rows")],
)
def test_every_message_about_the_stamps_names_the_file(stamps, message, capsys, monkeypatch):
    monkeypatch.setattr(fromfile, "LEAST_ROWS", 1 - 6)
    write(["when,x", *(f"{stamp},1" for stamp in stamps)])
    assert forecast("--time", "when") == 2
    assert re.search(f"error: in.csv, .*{message}", capsys.readouterr().err)


def test_a_column_without_a_name_can_hold_the_stamps():
    pd.Series(X[:N], pd.date_range("2024", periods=N, freq="D"), name="x").to_csv("in.csv")
    assert forecast("--time", "", "--out", "o.csv") == 0
    assert Path("o.csv").read_text().startswith(",x\n2024-04-30,")


@pytest.mark.parametrize("text, lags", [("1", 1), ("24,", (24,)), ("7,1", (7, 1)), ("0", 0)])
def test_differences_are_an_order_or_lags(text, lags, capsys, monkeypatch):
    seen = []
    make = fromfile.make_forecaster
    monkeypatch.setattr(
        fromfile, "make_forecaster", lambda *a, **k: seen.append(make(*a, **k)) or seen[-1]
    )
    write(rows())
    assert forecast("--differences", text) == 0
    assert seen[0].differences == lags
    assert f"--differences {text}" in fromfile.describe({"differences": lags})


@pytest.mark.parametrize("text", ["24,", "24,1"])
def test_differences_of_a_season_repeat_it(text, capsys):
    write(["x", *(f"{k % 24}" for k in range(N))])
    assert forecast("--differences", text) == 0
    ahead = [float(line) for line in capsys.readouterr().out.splitlines()[1:]]
    np.testing.assert_allclose(ahead, np.arange(N, N + 6) % 24, atol=1e-6)


BAD_COMMANDS = {
    "no such file": (["nope.csv", "--column", "x", "--horizon", "3"], "cannot read nope.csv: No s"),
    "a directory": ([".", "--column", "x", "--horizon", "3"], ". is a directory, not a CSV file"),
    "no column": (["in.csv", "--horizon", "3"], "--column must be given with a FILE"),
    "no horizon": (["in.csv", "--column", "x"], "--horizon must be given with a FILE"),
    "no file": (["--column", "x"], "--column needs a FILE"),
    "horizon 0": (
        ["in.csv", "--horizon", "0"],
        "argument --horizon: must be a whole number from 1",
    ),
    "horizon text": (
        ["in.csv", "--horizon", "ten"],
        "must be a whole number from 1 to 2147483647, got 'ten'",
    ),
    "interval": (["in.csv", "--interval", "90"], "argument --interval: must be above 0 and below"),
    "leak rate": (["in.csv", "--leak-rate", "0"], "argument --leak-rate: must be above 0 and at m"),
    "units": (["in.csv", "--units", "-3"], "argument --units: must be a whole number from 1"),
    "alpha": (["in.csv", "--alpha", "nan"], "argument --alpha: must be above 0, got 'nan'"),
    "a season as order": (
        ["in.csv", "--differences", "168"],
        "argument --differences: must be an order from 0 to 2, or lags >= 1 with commas, "
        "got '168'; for one difference at that lag write 168,",
    ),
    "differences": (["in.csv", "--differences", "-1"], "argument --differences: must be an order"),
    "lag 0": (["in.csv", "--differences", "24,0"], "lags >= 1 with commas, got '24,0'"),
    "no lag": (["in.csv", "--differences", ","], "lags >= 1 with commas, got ','"),
    "endless lag": (["in.csv", "--differences", "1" * 5000 + ","], "commas, got '111"),
    "two signs": (["in.csv", "--horizon", "+-3"], "argument --horizon: must be a whole number"),
    "no digit": (["in.csv", "--horizon", "²"], "argument --horizon: must be a whole number"),
    "many units": (
        ["in.csv", "--units", "1" * 24],
        "--units: must be a whole number from 1 to 2147",
    ),
    "endless units": (["in.csv", "--units", "1" * 5000], "--units: must be a whole number from 1"),
    "seed": (["in.csv", "--seed", "4294967296"], "must be a whole number from 0 to 4294967295"),
    "zero without a file": (["--bias-scaling", "0"], "--bias-scaling needs a FILE"),
    "no name": ([""], "argument FILE: the name of the file is empty"),
    "no name of the output": (["in.csv", "--out", ""], "argument --out: the name of the file is e"),
    "unknown option": (["in.csv", "--depth", "3"], "unrecognized arguments: --depth 3"),
}
FULL = ["in.csv", "--column", "x", "--horizon", "6", *SMALL]
BAD_COMMANDS |= {
    "same file out": ([*FULL, "--out", "in.csv"], "--out and the input are the same file"),
    "same file out, other name": ([*FULL, "--out", "./in.csv"], "are the same file"),
    "same file twice": ([*FULL, "--out", "a.png", "--plot", "a.png"], "--plot and --out are the"),
    "out is a directory": ([*FULL, "--out", "."], "--out . is a directory"),
    "out in no directory": ([*FULL, "--out", "no/o.csv"], "cannot write --out no/o.csv: No such"),
    "out under a file": ([*FULL, "--out", "in.csv/o.csv"], "cannot write --out in.csv/o.csv"),
    "plot in no directory": ([*FULL, "--plot", "no/o.png"], "cannot write --plot no/o.png"),
    "plot of no kind": ([*FULL, "--plot", "o.xyz"], "--plot o.xyz must end in one of"),
    "plot by TeX": ([*FULL, "--plot", "o.pgf"], "ps, raw, rgba, svg"),
    "a lag as long as the series": (
        [*FULL, "--differences", "120,"],
        "in.csv has 120 rows of 'x', too few: --horizon 6 needs 136 with '--differences 120,'",
    ),
    "a column twice": ([*FULL, "--exog", "x"], "column 'x' is named twice"),
    "no inputs to come": ([*FULL, "--exog", "u"], "must end with 6 rows that give the --exog"),
    "names of the interval": (
        ["in.csv", "--column", "x", "--time", "x_lower", "--horizon", "6", "--interval", "0.5"],
        "--time x_lower is also the name of an end of the interval of 'x'",
    ),
    "interval of a part too short": (
        [*FULL, "--differences", "100,", "--interval", "0.5"],
        "--interval needs to fit on a part of the series, of ",
    ),
    "interval too wide": ([*FULL, "--interval", "0.999"], "--interval needs at least 999"),
}


@pytest.mark.parametrize("kind", BAD_COMMANDS)
def test_bad_commands_get_one_line_and_exit_code_2(kind, capsys):
    options, message = BAD_COMMANDS[kind]
    write(rows())
    before = Path("in.csv").read_text()
    assert main(["forecast", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("esnkit: error: ")
    assert message in err
    assert os.listdir() == ["in.csv"] and Path("in.csv").read_text() == before


def test_unknown_commands_and_options_without_one(capsys):
    assert main(["frobnicate"]) == 2 and main(["--plot", "o.png"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_nobody_foresaw_is_one_line_too(capsys, monkeypatch):
    def broken(*args):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(fromfile, "check_length", broken)
    write(rows())
    assert forecast() == 2
    assert capsys.readouterr().err == "esnkit: error: unexpected RuntimeError: first second\n"


# --- files, signals, pipes ------------------------------------------------------------


def test_a_file_that_cannot_be_finished_leaves_the_old_one(capsys, monkeypatch):
    write(rows())
    write("precious", "o.csv")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.os, "replace", full)
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
    table.check_writable("pipe", "--out")
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


def test_closed_streams(capsys, monkeypatch):
    write(rows())
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", None)
        assert forecast() == 0 and main(["forecast", "--units", "0"]) == 2
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 7 and err == ""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert forecast("--out", "o.csv") == 0 and forecast() == 2 and main(["info"]) == 2
    assert capsys.readouterr().err.count("error: standard output is closed") == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk")
def test_a_full_disk_is_told(capsys, monkeypatch):
    with open("/dev/full", "w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        assert main(["--version"]) == 2
    message = "esnkit: error: cannot write to standard output: No space left on device\n"
    assert capsys.readouterr().err == message


def start(*options, **how):
    command = [sys.executable, "-m", "esnkit", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **how
    )


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_control_c_ends_with_one_line_and_130():
    os.mkfifo("pipe.csv")
    run = start("forecast", "pipe.csv", "--column", "x", "--horizon", "3")
    with open("pipe.csv", "w") as pipe:  # opens when the other side reads
        pipe.write("x\n")
        pipe.flush()
        time.sleep(0.3)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (130, "", "esnkit: stopped\n")


def test_control_c_while_libraries_are_loaded(tmp_path, monkeypatch):
    write("raise KeyboardInterrupt\n", "numpy.py")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "esnkit", "forecast", *FULL]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "esnkit: stopped\n")


def test_a_reader_that_goes_away_is_no_error():
    write(rows())
    run = start(*["forecast", *FULL])
    run.stdout.close()
    run.stdout = None
    assert "error" not in run.communicate(timeout=60)[1] and run.returncode == 141


def test_python_m_esnkit_info():
    run = start("info")
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0 and err == ""
    names = {line.split("  ")[0].strip() for line in out.splitlines()}
    assert {"esnkit", "Python", "numpy", "scipy", "scikit-learn", "numba", "numba threads"} <= names
    assert any(line.startswith("kernel cache") for line in out.splitlines())


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("esnkit 0.")


class Terminal(list):
    def write(self, text):
        self.append(text)

    def flush(self):
        pass

    def isatty(self):
        return True


def test_the_bar_waits_two_seconds_and_cleans_up(monkeypatch):
    quick, slow = Terminal(), Terminal()
    with progress(3, quick) as step:
        step("a")
    assert quick == []
    monkeypatch.setattr("esnkit.cli._progress._PATIENCE", 0.0)
    with progress(4, slow) as step:
        step("one")
        step("two")
        time.sleep(0.5)
    assert "2/4" in slow[0] and "two" in slow[0] and slow[-1].strip() == ""


# --- the series that ships ------------------------------------------------------------


@pytest.fixture
def quick_table(monkeypatch):
    monkeypatch.setattr(shipped, "N_DAYS", 4)
    monkeypatch.setattr(shipped, "HELD_OUT", 4 * 24)
    monkeypatch.setattr(shipped, "MAX_ORDER", 30)
    monkeypatch.setattr(shipped, "MEMBERS", 1)
    monkeypatch.setitem(shipped.SETTINGS, "n_units", 60)


@pytest.mark.parametrize("words", [[], ["forecast"], None])
def test_without_arguments_a_table_and_a_picture(words, capsys, quick_table, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["esnkit"])
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == "" and "esnkit-forecast.png" in out
    assert "the\nkind of model was compared on these weeks too." in out
    for name in ("persistence", "seasonal naive", "autoregressive", "echo state network"):
        assert name in out
    assert Path("esnkit-forecast.png").stat().st_size > 30_000


def test_without_matplotlib_the_picture_is_left_out(capsys, quick_table, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["forecast"]) == 0
    assert "No picture: it needs matplotlib (pip install 'esnkit[plot]')" in capsys.readouterr().out
    assert main(["forecast", "--plot", "p.png"]) == 2
    assert "--plot needs matplotlib" in capsys.readouterr().err
    assert os.listdir() == []


def test_the_network_is_better_than_every_baseline():
    from esnkit.datasets import load_bike_sharing

    scores = shipped.compare(load_bike_sharing(), seed=0)
    *baselines, network = scores.values()
    assert all(network[k] < other[k] for other in baselines for k in (0, 1))


def test_baselines():
    past = np.arange(10.0)
    np.testing.assert_array_equal(persistence(past, 3), [9, 9, 9])
    np.testing.assert_array_equal(seasonal_naive(past, 6, 4), [6, 7, 8, 9, 6, 7])


def test_the_order_by_aic_is_that_of_one_fit_per_order():
    rng, n, most = np.random.default_rng(0), 400, 12
    series = np.zeros(n)
    for t in range(3, n):
        series[t] = 0.5 * series[t - 1] - 0.4 * series[t - 3] + rng.normal()
    aic = []
    for p in range(most + 1):
        lags = [series[most - k : n - k] for k in range(1, p + 1)]
        design = np.column_stack([np.ones(n - most), *lags])
        rest = series[most:] - design @ np.linalg.lstsq(design, series[most:], rcond=None)[0]
        aic.append((n - most) * math.log(rest @ rest / (n - most)) + 2 * p)
    assert autoregressive_order(series, most) == int(np.argmin(aic))
