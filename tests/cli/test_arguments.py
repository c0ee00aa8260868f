"""Options of the command line: what they accept, and errors of one line."""

import os

import pytest
from command_line import rows, write

from esnkit.cli import main
from esnkit.cli._arguments import make_parser

BAD_COMMANDS = {
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
    "no name": ([""], "argument FILE: the name of the file is empty"),
    "no name of the output": (["in.csv", "--out", ""], "argument --out: the name of the file is e"),
    "unknown option": (["in.csv", "--depth", "3"], "unrecognized arguments: --depth 3"),
}


@pytest.mark.parametrize("kind", BAD_COMMANDS)
def test_bad_commands_get_one_line_and_exit_code_2(kind, capsys):
    options, message = BAD_COMMANDS[kind]
    write(rows())
    assert main(["forecast", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err.startswith("esnkit: error: ")
    assert message in err and "--help)" in err
    assert os.listdir() == ["in.csv"]


def parsed(*options):
    return make_parser().parse_args(["forecast", "in.csv", *options])


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
def test_differences_are_an_order_or_lags(text, lags):
    assert parsed("--differences", text).differences == lags


def test_settings_that_are_not_given_are_none():
    arguments = parsed("--units", "20", "--exog", "a", "b", "--exog", "c")
    assert (arguments.n_units, arguments.exog, arguments.seed) == (20, ["a", "b", "c"], 0)
    assert arguments.alpha is arguments.leak_rate is arguments.interval is None


@pytest.mark.parametrize("option, ends", [("--leak-rate", ["1"]), ("--bias-scaling", ["0", "7"])])
def test_ends_of_ranges_that_are_allowed(option, ends):
    for text in ends:
        assert getattr(parsed(option, text), option[2:].replace("-", "_")) == float(text)


@pytest.mark.parametrize("command", [["--help"], ["forecast", "--help"], ["info", "--help"]])
def test_help_is_printed(command, capsys):
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: esnkit") and err == ""


def test_unknown_commands_and_options_without_one(capsys):
    assert main(["frobnicate"]) == 2 and main(["--plot", "o.png"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_dash_is_standard_input():
    assert make_parser().parse_args(["forecast", "-"]).file == "/dev/stdin"
