"""`esnkit forecast FILE`: the forecast, its report, and requests that are refused."""

import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import HOURS, SMALL, WEEK, N, X, forecast, read, rows, write

from esnkit import AutoForecaster
from esnkit.cli import _forecast_csv, main
from esnkit.cli._arguments import make_parser
from esnkit.forecasting import _baseline_errors
from esnkit.forecasting._baseline_errors import make_baselines

pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")


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


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Berlin", "UTC+01:00 and UTC+02:00"),  # and not that of a zone with these offsets
        ("Asia/Kolkata", "UTC+05:30"),
        ("UTC", "UTC+00:00"),
        (None, None),
    ],
)
def test_a_plot_has_the_offsets_of_its_times(zone, name):
    pytest.importorskip("matplotlib")
    hours = pd.date_range("2024-10-26", periods=48, freq="h", tz=zone)
    write(["when,x", *(f"{hour.isoformat()},{k % 5 + k / 100}" for k, hour in enumerate(hours))])
    assert forecast("--time", "when", "--quick", "--plot", "o.svg") == 0
    shown = re.findall("<!-- (.*) -->", Path("o.svg").read_text(encoding="utf-8"))
    assert [text for text in shown if text.startswith("UTC")] == ([] if name is None else [name])


def test_without_out_the_forecast_goes_to_standard_output(capsys):
    write(rows())
    assert forecast() == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "x" and len(out.splitlines()) == 7
    assert all(line.startswith("esnkit: ") for line in err.splitlines()) and "warning" not in err


def python_says(series, interval=None, **parameters):
    """Return the forecast of `AutoForecaster`, and what the command reports of the model."""
    parameters = {"settings": {"n_units": 20}} | parameters
    model = AutoForecaster(horizon=6, **parameters).fit(series)
    errors = [model.error_, *model.baselines_.values()]
    errors += [member["error"] for member in model.members_]
    return model, model.forecast(6, interval=interval), [f"{error:.4g}" for error in errors]


def test_dates_that_are_not_named_are_pointed_out(capsys):
    write(rows())
    hint = "esnkit: column 'when' has dates, which give seasons and continue with --time when"
    assert forecast("--quick") == 0
    assert hint in capsys.readouterr().err.splitlines()

    def told(*options):
        words = ["forecast", "in.csv", "--column", "x", *options]
        _forecast_csv.tell_of_unused_dates(make_parser().parse_args(words))
        return capsys.readouterr().err

    assert told() == hint + "\n" and told("--time", "when") == ""
    for other in ("2016.1", "10.1.2"):  # a number, and a version
        write(["x,y", f"1,{other}"])
        assert told() == ""
    write(["x,day of sale", "1,2000-01-01"])
    assert told().endswith("--time 'day of sale'\n")


def test_the_output_is_that_of_the_forecaster_in_python(capsys):
    days = pd.date_range("2024-01-01", periods=210, freq="D")
    lines = [f"{day:%d.%m.%Y},{value!r}" for day, value in zip(days, WEEK.tolist(), strict=True)]
    write(["when,x", *lines])
    assert forecast("--time", "when", "--interval", "0.9", "--seed", "3") == 0
    out, err = capsys.readouterr()
    model, ahead, errors = python_says(pd.Series(WEEK, days, name="x"), 0.9, random_state=3)
    header, *found = (line.split(",") for line in out.splitlines())
    assert header == ["when", *ahead.columns]
    assert [row[0] for row in found] == list(ahead.index.strftime("%d.%m.%Y"))
    np.testing.assert_array_equal(np.array([row[1:] for row in found], dtype=float), ahead)
    first, *reported = err.splitlines()
    assert model.seasons_ == [7] and first == "esnkit: seasons of 7 time steps"
    assert [line.split()[1] for line in reported if line.startswith("esnkit:  ")] == errors
    assert reported[3].endswith("seasonal naive (7 steps)")


@pytest.mark.parametrize(
    "freq, form",
    [
        ("MS", "%Y%m"), ("QS", "%Y-%m-%d"), ("h", "%Y-%m-%dT%H:%M:%S%z"), ("B", "%m/%d/%Y"),
        ("W", "%G-W%V"), ("YS", "%Y"), ("MS", "%b %Y"),
    ],
)  # fmt: skip
def test_labels_of_a_file_are_those_of_an_index(freq, form, monkeypatch):
    seen = []
    monkeypatch.setattr(_forecast_csv, "AutoForecaster", lambda **_: seen)
    index = pd.date_range("2024-02-01", periods=40, freq=freq, tz="UTC" if "%z" in form else None)
    write(["when,x", *(f"{text},1" for text in index.strftime(form))])
    arguments = make_parser().parse_args("forecast in.csv --column x --horizon 3".split())
    arguments.time = "when"
    labels = _forecast_csv._read(arguments)[1].labels
    if form == "%Y":
        assert labels is None  # numbers
    else:
        wanted = index.tz_localize(None)
        wanted = wanted - pd.Timedelta(days=6) if freq == "W" else wanted
        assert labels.values.tolist() == wanted.values.astype(labels.values.dtype).tolist()
        assert (labels.zone is None) == (index.tz is None)


@pytest.mark.filterwarnings("ignore:the baseline")
def test_the_calendar_comes_from_the_time_stamps(capsys):
    days = pd.date_range("2024-01-01", periods=210, freq="D")
    lines = [f"{day:%d.%m.%Y},{value!r}" for day, value in zip(days, WEEK.tolist(), strict=True)]
    write(["when,x", *lines])
    assert forecast("--time", "when", "--quick", "--calendar", "weekday", "month") == 0
    found = [float(line.split(",")[1]) for line in capsys.readouterr().out.splitlines()[1:]]
    parameters = {"quick": True, "calendar": ("weekday", "month")}
    ahead = python_says(pd.Series(WEEK, days), **parameters)[1]
    assert found == ahead.tolist()
    assert found != python_says(pd.Series(WEEK, days), quick=True)[1].tolist()


@pytest.mark.filterwarnings("ignore:the baseline")
def test_past_inputs_are_those_of_the_forecaster_in_python(capsys):
    lead = np.r_[X[3:N], X[:3]]
    write(["x,lead", *(f"{x!r},{u!r}" for x, u in zip(X[:N].tolist(), lead.tolist(), strict=True))])
    assert forecast("--past-exog", "lead", "--quick", "--report", "r.html") == 0
    out, err = capsys.readouterr()
    found = [float(line) for line in out.splitlines()[1:]]
    model = AutoForecaster(horizon=6, settings={"n_units": 20}, quick=True)
    ahead = model.fit(X[:N], past_exog=lead).forecast(6)
    assert found == ahead.tolist() and "past-only inputs" in err
    assert "One-step errors" in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:the baseline")
def test_known_inputs_of_the_future_come_from_the_end_of_the_file():
    write(rows(ahead=8))
    assert forecast("--time", "when", "--exog", "u", "--out", "with.csv") == 0
    write(rows())
    assert forecast("--time", "when", "--out", "without.csv") == 0
    ahead = [[float(row["x"]) for row in read(name)] for name in ("with.csv", "without.csv")]
    error = [np.abs(np.array(part) - X[N : N + 6]).mean() for part in ahead]
    assert error[0] < 0.5 * error[1]
    assert [row["when"] for row in read("with.csv")] == HOURS[N : N + 6]


@pytest.mark.filterwarnings("default")
def test_a_better_baseline_is_reported_and_with_best_it_forecasts(capsys, monkeypatch):
    monkeypatch.setattr(_baseline_errors, "make_baselines", make_baselines)
    t = np.arange(86)
    waves = np.sin(t / 3) + np.sin(t / 7.3)  # an autoregression has no error
    write(["x", *map(repr, waves[:80].tolist())])
    assert forecast("--out", "networks.csv") == 0
    err = capsys.readouterr().err
    assert "warning: the baseline 'autoregressive (AIC)' forecasts" in err
    assert "with --best this baseline forecasts" in err
    assert forecast("--best", "--out", "best.csv") == 0
    err = capsys.readouterr().err
    assert "the forecast is that of the baseline 'autoregressive (AIC)'" in err
    assert "warning" not in err
    ahead = [[float(row["x"]) for row in read(name)] for name in ("networks.csv", "best.csv")]
    errors = [np.abs(values - waves[80:]).max() for values in ahead]
    assert errors[1] < 1e-9 < errors[0]


def test_seeds_decide_and_repeat(capsys):
    write(rows())
    outputs = []
    for seed in ("1", "1", "2"):
        assert forecast("--seed", seed) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_settings_that_are_given_are_those_of_all_networks(capsys):
    write(rows())
    assert forecast("--alpha", "3", "--leak-rate", "0.5", "--differences", "1,") == 0
    members = [line for line in capsys.readouterr().err.splitlines() if "leak rate" in line]
    assert members and all("--differences 1 --alpha 3; leak rate 0.5" in line for line in members)


def test_few_networks_are_tried_quickly(capsys):
    write(["x", *map(repr, WEEK.tolist())])
    assert forecast("--quick") == 0
    _, ahead, errors = python_says(WEEK, quick=True)
    out, err = capsys.readouterr()
    assert [float(line) for line in out.splitlines()[1:]] == ahead.tolist()
    assert all(f"esnkit:   {error} " in err for error in errors)


def test_a_forecast_of_means(capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("esnkit.plotting._report._residuals", lambda *args: "")
    series = np.random.default_rng(0).lognormal(size=60)
    write(["x", *map(repr, series.tolist())])
    assert forecast("--bias-adjust", "--report", "r.html") == 0
    found = [float(line) for line in capsys.readouterr().out.splitlines()[1:]]
    model, median, _ = python_says(series)
    assert found == model.forecast(6, bias_adjust=True).tolist() != median.tolist()
    page = Path("r.html").read_text(encoding="utf-8")
    assert all(f"<td>{value:.6g}</td>" in page for value in found)


def test_forecasts_end_at_zero_or_go_below(capsys):
    write(["x", *map(str, np.random.default_rng(0).poisson(0.5, 60))])
    lowest = {}
    for option in ((), ("--positive",), ("--no-positive",)):
        assert forecast(*option, "--interval", "0.9") == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        lowest[option] = min(float(line.split(",")[1]) for line in lines)
    assert lowest[()] == lowest["--positive",] == 0.0 > lowest["--no-positive",]


SHORT_SERIES = {
    "few rows": np.arange(16.0) ** 1.5,
    "constant": np.full(40, 3.0),
    "noise": np.random.default_rng(0).standard_cauchy(60),
    "two values": np.arange(30) % 2 * 1e200,
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # of few errors, and of better baselines
@pytest.mark.parametrize("kind", SHORT_SERIES)
@pytest.mark.parametrize("level", ["0.01", "0.999"])
def test_intervals_are_never_refused(kind, level, capsys):
    write(["x", *map(repr, SHORT_SERIES[kind].tolist())])
    assert forecast("--interval", level) == 0
    out, err = capsys.readouterr()
    ahead = np.array([line.split(",") for line in out.splitlines()[1:]], dtype=float)
    assert (ahead[:, 1] <= ahead[:, 0]).all() and (ahead[:, 0] <= ahead[:, 2]).all()


@pytest.mark.parametrize("size", [1e160, 1e298])
def test_huge_values_are_forecast(capsys, size):
    write(["x", *(repr(float(size * x)) for x in X[:N])])
    assert forecast("--interval", "0.5") == 0
    out, err = capsys.readouterr()
    ahead = np.array([line.split(",") for line in out.splitlines()[1:]], dtype=float)
    assert (np.abs(ahead / size - 10) < 8).all() and "warning" not in err


@pytest.mark.parametrize(
    "size, options, message",
    [
        (1.7e308, [], "in.csv holds values of 'x' up to 1.7e+308; scale them to at most 1e+300"),
        (1e300, ["--differences", "1" + 29 * ",1"], "values of 'x' too large for '--differences 1"),
    ],
)
def test_values_that_are_too_large(size, options, message, capsys):
    write(["x", *(f"{(-1) ** k * size}" for k in range(N))])
    assert forecast(*options) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "stamps, message",
    [(["9999-12-30", "9999-12-31"], "lie beyond year 9999"), (["5"], "at least two rows")],
)
def test_errors_of_time_stamps_name_the_file(stamps, message, capsys, monkeypatch):
    monkeypatch.setattr(_forecast_csv, "MIN_ROWS", 1 - 6)
    write(["when,x", *(f"{stamp},1" for stamp in stamps)])
    assert forecast("--time", "when") == 2
    assert re.search(f"error: in.csv, .*{message}", capsys.readouterr().err)


def test_a_column_without_a_name_can_hold_the_time_stamps():
    pd.Series(X[:N], pd.date_range("2024", periods=N, freq="D"), name="x").to_csv("in.csv")
    assert forecast("--time", "", "--out", "o.csv") == 0
    assert Path("o.csv").read_text().startswith(",x\n2024-04-30,")


@pytest.mark.parametrize(
    "text, lags",
    [
        ("1", 1),
        ("24,", (24,)),
        ("7,1", (7, 1)),
        ("0", 0),
        ("24x3,", ((24, 3),)),
        ("7x2,1", ((7, 2), 1)),
    ],
)
def test_options_are_settings_of_the_forecaster(text, lags):
    words = ["forecast", "in.csv", "--differences", text, "--units", "9", "--bias-scaling", "0"]
    model = _forecast_csv.make_forecaster(make_parser().parse_args(words))
    assert model.settings == {"differences": lags, "n_units": 9, "bias_scaling": 0.0}
    assert (model.positive, model.random_state) == ("auto", 0)
    assert _forecast_csv.differences_text(lags) == text


@pytest.mark.parametrize("text", ["24,", "24,1"])
def test_differences_of_a_season_repeat_it(text, capsys):
    write(["x", *(f"{k % 24}" for k in range(N))])
    assert forecast("--differences", text) == 0
    ahead = [float(line) for line in capsys.readouterr().out.splitlines()[1:]]
    np.testing.assert_allclose(ahead, np.arange(N, N + 6) % 24, atol=1e-6)


@pytest.mark.parametrize(
    "header, options", [("x", []), ("when;x", ["--time", "when"]), (";x", ["--time", ""])]
)
def test_the_only_other_column_is_forecast(header, options, capsys):
    stamps = [f"{2000 + k};" if options else "" for k in range(N)]
    write([header, *(f"{stamp}{k % 5}" for k, stamp in enumerate(stamps))])
    assert main(["forecast", "in.csv", "--horizon", "4", *options, *SMALL]) == 0
    assert capsys.readouterr().out.splitlines()[0] == header


def test_a_column_without_a_name_is_not_the_one_to_forecast(capsys):
    write([",x", *(f"{k},{k % 5}" for k in range(N))])  # as pandas writes an index
    assert main(["forecast", "in.csv", "--horizon", "4", *SMALL]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "x"
    write([",x,y", "1,2,3"])
    assert main(["forecast", "in.csv", "--horizon", "4", *SMALL]) == 2
    assert "--column must name the column to forecast; in.csv has '', x, y" in (
        capsys.readouterr().err
    )


def test_a_header_that_is_a_number_is_pointed_out(capsys):
    write([f"{k % 5}" for k in range(N)])
    note = "esnkit: the first line is the header, so that '0' names the column"
    for options, is_told in ([], True), (["--column", "0"], False):
        assert main(["forecast", "in.csv", "--horizon", "4", *options, *SMALL]) == 0
        assert (note in capsys.readouterr().err.splitlines()) == is_told


FULL = ["in.csv", "--column", "x", "--horizon", "6", *SMALL]

BAD_REQUESTS = {
    "no such file": (["nope.csv", "--column", "x", "--horizon", "3"], "cannot read nope.csv: No s"),
    "a directory": ([".", "--column", "x", "--horizon", "3"], ". is a directory, not a CSV file"),
    "no column of several": (
        ["in.csv", "--horizon", "3"],
        "--column must name the column to forecast; in.csv has when, x, u",
    ),
    "no column of a pipe": ([os.devnull, "--horizon", "3"], "--column must be given where FILE"),
    "no such column, and none of several": (
        ["in.csv", "--horizon", "3", "--time", "day"],
        "in.csv has no column 'day'; its header, the first line, has when, x, u",
    ),
    "no column is left": (
        ["in.csv", "--horizon", "3", "--time", "when", "--exog", "x", "u"],
        "--column must name the column to forecast; in.csv has when, x, u",
    ),
    "no horizon": (["in.csv", "--column", "x"], "--horizon must be given with a FILE: the number"),
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
    "an input twice": ([*FULL, "--exog", "u", "--past-exog", "u"], "column 'u' is named twice"),
    "no inputs to come": (
        [*FULL, "--exog", "u"],
        "must end with 6 rows that give the future values of the --exog",
    ),
    "a calendar without stamps": ([*FULL, "--calendar", "hour"], "--calendar needs --time"),
    "no field of the calendar": ([*FULL, "--calendar", "second"], "invalid choice: 'second'"),
    "a field twice": (
        [*FULL, "--time", "when", "--calendar", "hour", "hour"],
        "--calendar names a field twice: hour hour",
    ),
    "holidays of no country": (
        [*FULL, "--time", "when", "--calendar", "holidays"],
        "--country must be given with --calendar holidays",
    ),
    "an unknown country, or no package": (
        [*FULL, "--time", "when", "--calendar", "holidays", "--country", "XX"],
        "esnkit: error: --calendar holidays --country XX: ",
    ),
    "a country without holidays": (
        [*FULL, "--time", "when", "--country", "US"],
        "--country must be given with --calendar holidays, and only with it",
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


def test_negative_values_are_named_where_there_must_be_none(capsys):
    write(["x", *(f"{k % 5 - 1}" for k in range(N))])
    assert main(["forecast", *FULL, "--positive"]) == 2
    told = "esnkit: error: in.csv, column 'x' has negative values, -1: leave out --positive\n"
    assert capsys.readouterr().err == told


def test_members_are_described():
    member = {"differences": (24,), "power": 0.0, "seasons": ((24.0, 2), (168.0, 6)),
              "leak_rate": (0.1, 1.0), "alpha": 1e-6, "past_exog": True}  # fmt: skip
    assert _forecast_csv.describe(member) == (
        "--differences 24, --alpha 1e-06; leak rate 0.1 to 1, logarithm, 2 harmonics of 24, "
        "6 harmonics of 168, past-only inputs"
    )
    plain = {"differences": (1, 1), "power": None, "seasons": (), "leak_rate": 0.5, "alpha": 2.0}
    plain["past_exog"] = False
    assert _forecast_csv.describe(plain) == "--differences 2 --alpha 2; leak rate 0.5"


@pytest.mark.filterwarnings("default", "ignore:the baseline")
def test_an_input_that_never_varied_has_no_effect_and_is_named(capsys):
    lines = rows(ahead=8)
    outputs = []
    for level in ("0", "1"):
        promotion = ["promotion", *(["0"] * N), *([level] * 8)]
        write([f"{line},{cell}" for line, cell in zip(lines, promotion, strict=True)])
        assert forecast("--exog", "u", "promotion") == 0
        outputs.append(capsys.readouterr())
    assert outputs[0].out == outputs[1].out and "warning: exog" not in outputs[0].err
    warned = [line for line in outputs[1].err.splitlines() if "warning: exog" in line]
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


def test_missing_rows_are_missing_values_on_request(capsys):
    days = pd.date_range("2024-01-01", periods=60, freq="D")
    series = pd.Series(WEEK[:60].copy(), days, name="x")
    series.iloc[[20, 21, 40, 58]] = np.nan
    cells = zip(days, series.tolist(), strict=True)
    lines = [f"{day:%Y-%m-%d},{value!r}".replace("nan", "NA") for day, value in cells]
    write(["when,x", *lines[:20], *lines[22:]])
    assert forecast("--time", "when") == 2
    assert "fill in every time step, or let the model predict missing values with --fill" in (
        capsys.readouterr().err
    )
    assert forecast("--time", "when", "--fill", "--quick") == 0
    shown = capsys.readouterr()
    assert "rows added as missing values: 2 of 60, the first at 2024-01-21\n" in shown.err
    assert "esnkit: missing values of 'x': 2 of 60\n" in shown.err
    found = shown.out.splitlines()[1:]
    ahead = python_says(series, quick=True)[1]
    assert [float(line.split(",")[1]) for line in found] == ahead.tolist()


@pytest.mark.filterwarnings("ignore:the baseline")
def test_a_report_has_the_dates_and_numbers_of_the_forecast(capsys):
    pytest.importorskip("matplotlib")
    write(rows(ahead=6))
    options = ("--time", "when", "--exog", "u", "--calendar", "weekday", "--quick")
    options += ("--interval", "0.9")
    assert forecast(*options, "--out", "o.csv", "--report", "r.html") == 0
    assert "report written to r.html" in capsys.readouterr().err
    page = Path("r.html").read_text(encoding="utf-8")
    assert "<h2>One-step errors</h2>" in page and page.count("data:image/svg+xml") >= 3
    names = ("x", "x_lower", "x_upper")
    for row in read("o.csv"):
        assert f"<td>{row['when'].replace(' ', 'T')}</td>" in page
        assert all(f"<td>{float(row[name]):.6g}</td>" in page for name in names)
    assert re.findall("<th>([0-9]+) % lower</th>", page) == ["90", "80", "50"]
    assert forecast("--report", "o.csv", "--out", "o.csv") == 2
    assert "--report and --out are the same file" in capsys.readouterr().err


def test_models_beside_networks_need_a_package_and_no_inputs(capsys):
    write(rows(ahead=6))
    assert forecast("--models", "ets", "--exog", "u") == 2
    assert "leave out --models or --exog" in capsys.readouterr().err
    assert forecast("--models", "ets", "--past-exog", "u") == 2
    assert "leave out --models or --past-exog" in capsys.readouterr().err
    if importlib.util.find_spec("statsforecast") is None:
        assert forecast("--models", "ets") == 2
        assert "pip install 'esnkit[statsforecast]'" in capsys.readouterr().err
    else:
        write(["x", *map(repr, WEEK.tolist())])
        assert forecast("--models", "ets", "theta", "--quick") == 0
        assert "  theta" in capsys.readouterr().err
