"""The parser of the command line, and the types of its options."""

import argparse
import re

from esnkit.cli._errors import UserError

MAX_INTEGER, MAX_SEED = 2**31 - 1, 2**32 - 1
# Options of the networks, under the names that `AutoForecaster(settings=...)` gives them.
SETTINGS = (
    "n_units", "spectral_radius", "leak_rate", "input_scaling", "bias_scaling", "alpha",
    "differences",
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others."""

    def error(self, message):
        raise UserError(f"{message} (see {self.prog} --help)")


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    from esnkit import __version__

    parser = _Parser(
        prog="esnkit",
        description="Forecasts with echo state networks. Without a command: esnkit forecast.",
    )
    parser.add_argument("--version", action="version", version=f"esnkit {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="forecast | compile | info"
    )
    commands.add_parser("info", help="print versions, threads and the kernel cache")
    commands.add_parser("compile", help="compile all kernels beforehand, as for a container")
    forecast = commands.add_parser(
        "forecast",
        help="forecast a column of a CSV file, or the series that ships with esnkit",
        description=(
            "Forecast a column of a CSV file (UTF-8, with a header line). Without FILE, forecast "
            "the hourly bike rentals that ship with esnkit and compare with simple models. The "
            "forecast is the median of the best few of many echo state networks, as of "
            "AutoForecaster in Python: they differ in differences, transform, season terms, leak "
            "rates and penalty, and rolling forecasts of the recent part of the series judge them. "
            "Their error is printed beside those of baselines, such as the naive forecast. The "
            "networks are then fitted to all rows, or to the last 20 000."
        ),
    )
    _add_files(forecast)
    _add_model(forecast)
    _add_settings(forecast)
    return parser


def _add_files(parser) -> None:
    """Add what to read, what to forecast, and where to write it."""
    add = parser.add_argument
    add(
        "file", nargs="?", metavar="FILE", type=_input,
        help="CSV file, oldest row first; - is standard input",
    )  # fmt: skip
    add(
        "--column", metavar="NAME",
        help="column to forecast; by default the only one that no other option names",
    )  # fmt: skip
    add(
        "--id", metavar="COLUMN",
        help="column that names the series of each row: all are forecast, by networks fitted to "
        "all (PanelForecaster); the output has this column",
    )  # fmt: skip
    add("--time", metavar="COLUMN", help="column of time stamps, continued in the output")
    add(
        "--exog", metavar="NAME", nargs="+", action="extend", default=[],
        help="columns known in advance; FILE ends with rows of their future values, in which the "
        "column to forecast is empty",
    )  # fmt: skip
    add(
        "--past-exog", metavar="NAME", nargs="+", action="extend", default=[],
        help="columns known up to the present only, such as the weather; they help where they lead "
        "the column to forecast",
    )  # fmt: skip
    add(
        "--fill", action="store_true",
        help="treat empty cells, words such as NA, and times without a row, as missing values",
    )  # fmt: skip
    add("--horizon", metavar="H", type=_integer(1), help="number of steps to forecast")
    add("--interval", metavar="LEVEL", type=_number(0, 1), help="add an interval, 0.9 for 90 %%")
    add(
        "--bias-adjust", action="store_true",
        help="forecast the mean of the values to come, not their median, where networks forecast "
        "logarithms or square roots: for totals",
    )  # fmt: skip
    add(
        "--out", metavar="FILE", type=_path,
        help="write the forecast to FILE, not to the terminal; separator and decimal sign are "
        "those of the input",
    )  # fmt: skip
    add("--plot", metavar="FILE", type=_path, help="draw the forecast to FILE (png, pdf, svg)")
    add(
        "--report", metavar="FILE", type=_path,
        help="write pictures and tables of the forecast and its errors to one HTML FILE",
    )  # fmt: skip


def _add_model(parser) -> None:
    """Add what `AutoForecaster` has parameters for, beside the settings of its networks."""
    add = parser.add_argument
    add(
        "--calendar", metavar="FIELD", nargs="+", action="extend", default=[],
        choices=("hour", "weekday", "weekend", "day", "month", "holidays"),
        help="inputs from the time stamps: hour, weekday, weekend, day, month, holidays",
    )  # fmt: skip
    add("--country", metavar="CODE", help="whose holidays, such as US or DE-BY")
    add(
        "--quick", action="store_true",
        help="try half as many networks, and smaller ones: less than half of the time",
    )  # fmt: skip
    add(
        "--models", metavar="NAME", nargs="+", action="extend", default=[],
        choices=("ets", "theta", "arima"),
        help="models of statsforecast beside the networks: ets, theta, arima",
    )  # fmt: skip
    add(
        "--positive", action="store_const", const=True, default="auto",
        help="end forecasts and intervals at zero (default: of whole numbers >= 0)",
    )  # fmt: skip
    add(
        "--no-positive", action="store_const", const=False, dest="positive",
        help="let forecasts and intervals go below zero",
    )  # fmt: skip
    add(
        "--best", action="store_true",
        help="let a baseline forecast that is better than the networks by more than the noise",
    )  # fmt: skip
    add(
        "--seed", metavar="N", type=_integer(0, MAX_SEED), default=0,
        help="of the random weights (default 0)",
    )  # fmt: skip


def _add_settings(parser) -> None:
    """Add the settings that all networks have, where they are given."""
    group = parser.add_argument_group(
        "settings of the networks", "what is given holds for all of them, the rest is chosen"
    )
    add = group.add_argument
    add(
        "--units", metavar="N", type=_integer(1), dest="n_units",
        help="units of a reservoir (default: half as many as rows, from 20 to 100)",
    )  # fmt: skip
    add(
        "--spectral-radius", metavar="R", type=_number(0),
        help="of the recurrent weights; larger gives longer memory (default 0.9)",
    )  # fmt: skip
    add(
        "--leak-rate", metavar="A", type=_number(0, 1, True),
        help="share of the state that is replaced at each step",
    )  # fmt: skip
    add("--input-scaling", metavar="S", type=_number(0), help="of input weights (default 0.3)")
    add("--bias-scaling", metavar="S", type=_number(0, zero=True), help="of biases (default 0.2)")
    add("--alpha", metavar="A", type=_number(0), help="ridge penalty")
    add(
        "--differences", metavar="D", type=_differences,
        help="order of differencing, or lags with commas: `24,` takes differences at lag 24, "
        "`24,1` then first differences, `24x3,` differences from the mean of three values, at lags "
        "24, 48 and 72",
    )  # fmt: skip


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return text


def _input(text: str) -> str:
    return "/dev/stdin" if text == "-" else _path(text)


def _differences(text: str) -> int | tuple:
    """Read an order, or lags with commas, each with the number of seasons after an x."""
    from esnkit.forecasting._differencing import MAX_ORDER

    lags = [lag.split("x") for lag in text.removesuffix(",").split(",")] if "," in text else []
    if lags and all(len(lag) <= 2 and all(_is_integer(k.strip(), 1) for k in lag) for lag in lags):
        return tuple(int(lag[0]) if len(lag) == 1 else (int(lag[0]), int(lag[1])) for lag in lags)
    if _is_integer(text, 0, MAX_ORDER):
        return int(text)
    hint = f"; for one difference at that lag write {text}," if _is_integer(text, 1) else ""
    raise argparse.ArgumentTypeError(
        f"must be an order from 0 to {MAX_ORDER}, or lags >= 1 with commas, "
        f"got {_shown(text)}{hint}"
    )


def _integer(minimum: int, maximum: int = MAX_INTEGER):
    """Return the type of an integer within bounds, both included."""

    def read(text: str) -> int:
        if not _is_integer(text, minimum, maximum):
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {minimum} to {maximum}, got {_shown(text)}"
            )
        return int(text)

    return read


def _is_integer(text: str, minimum: int, maximum: int = MAX_INTEGER) -> bool:
    # Python refuses to convert thousands of digits.
    plain = re.fullmatch(r"[+-]?[0-9]{1,18}", text)
    return plain is not None and minimum <= int(text) <= maximum


def _number(low: float, high: float = float("inf"), closed: bool = False, zero: bool = False):
    """Return the type of a number between bounds; `closed` allows `high`, `zero` allows `low`."""
    upper = "" if high == float("inf") else f" and {'at most' if closed else 'below'} {high:g}"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        inside = low < value < high or (closed and value == high) or (zero and value == low)
        if not inside:
            lower = "at least" if zero else "above"
            raise argparse.ArgumentTypeError(f"must be {lower} {low:g}{upper}, got {_shown(text)}")
        return value

    return read


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}..."
