"""`esnkit forecast FILE`: the forecast, its report, and requests that are refused."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import HOURS, SMALL, WEEK, N, X, forecast, read, rows, write

from esnkit.cli import _forecast_csv, main
from esnkit.forecasting import _auto


def test_a_forecast_with_interval_and_plot(capsys):
    write(rows())
    code = forecast("--time", "when", "--interval", "0.8", "--out", "o.csv", "--plot", "o.png")
    assert code == 0 and capsys.readouterr().out == ""
    forecasts = read("o.csv")
    assert list(forecasts[0]) == ["when", "x", "x_lower", "x_upper"]
    assert [row["when"] for row in forecasts] == HOURS[N : N + 6]
    for row in forecasts:
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


def test_errors_on_the_held_out_rows_are_printed_beside_baselines(capsys):
    write(["x", *map(repr, map(float, WEEK))])
    assert forecast("--out", "o.csv") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("esnkit: settings --units 20 ")
    assert lines[1].endswith("on the held-out last 63 rows, 6 steps ahead from 20 origins:")
    network, naive, seasonal = (float(line.split()[1]) for line in lines[2:5])
    assert lines[3].endswith("naive (last value repeated)")
    assert lines[4].endswith("seasonal naive (last 7 steps repeated)")
    origins = range(147, 205, 3)
    observed = np.array([WEEK[t : t + 6] for t in origins])
    for printed, back in ((naive, [1] * 6), (seasonal, range(7, 1, -1))):
        repeated = np.array([[WEEK[t - k] for k in back] for t in origins])
        expected = np.sqrt(np.mean((observed - repeated) ** 2)) / WEEK.std()
        assert printed == pytest.approx(expected, rel=1e-3)
    assert network < 1.1 * seasonal < 0.2 * naive


def test_held_out_rows_that_cannot_be_forecast_are_reported(capsys, monkeypatch):
    monkeypatch.setattr(_auto, "_rolling_error", lambda *args: np.inf)
    write(rows())
    assert forecast() == 0
    settings, error = capsys.readouterr().err.splitlines()
    assert settings.endswith("--alpha 1 --differences 0")
    assert "the held-out rows could not be forecast" in error


def test_known_inputs_of_the_future_come_from_the_end_of_the_file():
    write(rows(ahead=8))
    assert forecast("--time", "when", "--exog", "u", "--out", "with.csv") == 0
    write(rows())
    assert forecast("--time", "when", "--out", "without.csv") == 0
    ahead = [[float(row["x"]) for row in read(name)] for name in ("with.csv", "without.csv")]
    error = [np.abs(np.array(part) - X[N : N + 6]).mean() for part in ahead]
    assert error[0] < 0.5 * error[1]
    assert [row["when"] for row in read("with.csv")] == HOURS[N : N + 6]


def test_seeds_decide_and_repeat(capsys):
    write(rows())
    outputs = []
    for seed in ("1", "1", "2"):
        assert forecast("--seed", seed) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_tune_prints_the_best_settings_and_keeps_those_given(capsys, monkeypatch):
    monkeypatch.setattr(_forecast_csv, "N_DRAWS", 3)
    write(rows())
    assert forecast("--tune", "--leak-rate", "0.5", "--out", "o.csv") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("settings compared on the rows before the held-out ones, NRMSE:")
    errors = [float(line.split()[1]) for line in lines[1:4]]
    assert errors[0] <= (1 + _auto.TIE_TOLERANCE) * errors[1] and errors[1] <= errors[2]
    assert all("--leak-rate 0.5" in line and "--units 20" in line for line in lines[1:4])


@pytest.mark.parametrize("size", [1e160, 1e300])
@pytest.mark.parametrize("options", [[], ["--interval", "0.5"], ["--tune"]])
def test_huge_values_are_forecast(capsys, monkeypatch, size, options):
    monkeypatch.setattr(_forecast_csv, "N_DRAWS", 2)
    write(["x", *(repr(float(size * x)) for x in X[:N])])
    assert forecast(*options) == 0
    out, err = capsys.readouterr()
    ahead = np.array([line.split(",") for line in out.splitlines()[1:]], dtype=float)
    assert (np.abs(ahead / size - 10) < 8).all() and "warning" not in err


def test_values_too_far_apart_to_be_differenced(capsys, monkeypatch):
    monkeypatch.setattr(_forecast_csv, "N_DRAWS", 4)
    write(["x", *(f"{(-1) ** k * 1.7e308}" for k in range(N))])
    assert forecast("--differences", "1") == 2
    message = "esnkit: error: in.csv holds values of 'x' too large for '--differences 1'\n"
    assert capsys.readouterr().err == message
    assert forecast("--tune") == 0
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "stamps, message",
    [(["9999-12-30", "9999-12-31"], "lie beyond year 9999"), (["5"], "at least two rows")],
)
def test_errors_of_time_stamps_name_the_file(stamps, message, capsys, monkeypatch):
    monkeypatch.setattr(_auto, "MIN_ROWS", 1 - 6)
    write(["when,x", *(f"{stamp},1" for stamp in stamps)])
    assert forecast("--time", "when") == 2
    assert re.search(f"error: in.csv, .*{message}", capsys.readouterr().err)


def test_a_column_without_a_name_can_hold_the_time_stamps():
    pd.Series(X[:N], pd.date_range("2024", periods=N, freq="D"), name="x").to_csv("in.csv")
    assert forecast("--time", "", "--out", "o.csv") == 0
    assert Path("o.csv").read_text().startswith(",x\n2024-04-30,")


@pytest.mark.parametrize("text, lags", [("1", 1), ("24,", (24,)), ("7,1", (7, 1)), ("0", 0)])
def test_differences_are_an_order_or_lags(text, lags, capsys, monkeypatch):
    seen = []
    make = _auto.make_forecaster
    monkeypatch.setattr(
        _auto, "make_forecaster", lambda *a, **k: seen.append(make(*a, **k)) or seen[-1]
    )
    write(rows())
    assert forecast("--differences", text) == 0
    assert seen[0].differences == lags
    assert f"--differences {text}" in _forecast_csv.describe({"differences": lags})


@pytest.mark.parametrize("text", ["24,", "24,1"])
def test_differences_of_a_season_repeat_it(text, capsys):
    write(["x", *(f"{k % 24}" for k in range(N))])
    assert forecast("--differences", text) == 0
    ahead = [float(line) for line in capsys.readouterr().out.splitlines()[1:]]
    np.testing.assert_allclose(ahead, np.arange(N, N + 6) % 24, atol=1e-6)


FULL = ["in.csv", "--column", "x", "--horizon", "6", *SMALL]

BAD_REQUESTS = {
    "no such file": (["nope.csv", "--column", "x", "--horizon", "3"], "cannot read nope.csv: No s"),
    "a directory": ([".", "--column", "x", "--horizon", "3"], ". is a directory, not a CSV file"),
    "no column": (["in.csv", "--horizon", "3"], "--column must be given with a FILE"),
    "no horizon": (["in.csv", "--column", "x"], "--horizon must be given with a FILE"),
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
    "no inputs to come": (
        [*FULL, "--exog", "u"],
        "must end with 6 rows that give the future values of the --exog",
    ),
    "names of the interval": (
        ["in.csv", "--column", "x", "--time", "x_lower", "--horizon", "6", "--interval", "0.5"],
        "--time x_lower is also the name that an end of the interval of 'x' gets",
    ),
}


@pytest.mark.parametrize("kind", BAD_REQUESTS)
def test_bad_requests_get_one_line_and_exit_code_2(kind, capsys):
    options, message = BAD_REQUESTS[kind]
    write(rows())
    before = Path("in.csv").read_text()
    assert main(["forecast", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("esnkit: error: ")
    assert message in err
    assert os.listdir() == ["in.csv"] and Path("in.csv").read_text() == before


def test_settings_are_described_by_the_options_that_give_them():
    settings = {"n_units": 50, "leak_rate": 0.5, "alpha": 1e-6, "differences": (24,)}
    described = _forecast_csv.describe(settings)
    assert described == "--units 50 --leak-rate 0.5 --alpha 1e-06 --differences 24,"


def test_the_output_is_that_of_the_functions_of_python(capsys):
    write(["x", *map(repr, map(float, WEEK))])
    assert forecast("--seed", "3") == 0
    out, err = capsys.readouterr()
    candidates = _auto.candidate_settings(WEEK, fixed={"n_units": 20}, random_state=3)
    ranking = _auto.rank_settings(WEEK, 6, candidates, random_state=3)
    result = _auto.forecast_with_fallback(WEEK, 6, ranking, random_state=3)
    assert [float(line) for line in out.splitlines()[1:]] == result.forecast.tolist()
    assert f"settings {_forecast_csv.describe(result.settings)}\n" in err
    evaluation = _auto.evaluate_settings(WEEK, 6, result.settings, random_state=3)
    assert f"{evaluation.nrmse:<8.4g}  echo state network\n" in err


@pytest.mark.filterwarnings("default")
def test_an_input_that_never_varied_has_no_effect_and_is_named(capsys):
    lines = rows(ahead=8)
    outputs = []
    for level in ("0", "1"):
        promotion = ["promotion", *(["0"] * N), *([level] * 8)]
        write([f"{line},{cell}" for line, cell in zip(lines, promotion, strict=True)])
        assert forecast("--exog", "u", "promotion") == 0
        outputs.append(capsys.readouterr())
    assert outputs[0].out == outputs[1].out and "warning" not in outputs[0].err
    warned = [line for line in outputs[1].err.splitlines() if "warning" in line]
    assert len(warned) == 1 and "exog column 'promotion' did not vary in fit and does" in warned[0]


@pytest.mark.filterwarnings("default")
def test_a_forecast_that_diverges_is_warned_of_without_options_that_were_not_given(capsys):
    write(["x", *(f"{np.exp(k)}" for k in range(100))])
    assert forecast("--alpha", "1e-12", "--differences", "0") == 0
    (warned,) = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert warned.startswith(
        "esnkit: warning: the forecast leaves the range of the series: in step"
    )
    assert warned.endswith("; unless that is a trend, the closed loop diverges")
