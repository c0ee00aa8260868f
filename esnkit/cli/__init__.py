"""The command line: `esnkit forecast`, which `esnkit` alone stands for, and `esnkit info`.

Exit codes: 0 done; 2 the command or the file is not as it should be, said in one line on
standard error; 130 stopped by Ctrl-C.
"""

import argparse
import os
import re
import sys
import warnings
from math import isfinite

from esnkit.cli._errors import UserError

DEFAULT_PLOT = "esnkit-forecast.png"
MOST_WHOLE, MOST_SEED = 2**31 - 1, 2**32 - 1


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments without the program's name; None takes those of the process.

    Returns
    -------
    int
        The exit code.

    Examples
    --------
    >>> from esnkit.cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    esnkit ...
    0
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return _run(argv)
    except KeyboardInterrupt:
        return _end("stopped", 130)
    except MemoryError:
        return _end("error: not enough memory; use fewer --units or fewer rows")
    except Exception as error:
        known = isinstance(error, UserError | ValueError | OSError | FloatingPointError)
        text = str(error) if known else f"unexpected {type(error).__name__}: {error}"
        return _end(f"error: {text}")


def _run(argv) -> int:
    try:
        try:
            code = _dispatch(argv)
        except SystemExit as stop:  # --help and --version
            code = int(stop.code or 0)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except OSError as error:
        if error.filename is not None:
            raise
        # keep the interpreter from writing again, and complaining, when it closes the stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # nobody reads on
            return 141
        raise UserError(f"cannot write to standard output: {error.strerror or error}") from None


def _end(message: str, code: int = 2) -> int:
    _say(" ".join(message.split()))
    return code


def _show_warning(message, category, filename, lineno, file=None, line=None):
    _say(f"warning: {' '.join(str(message).split())}")


def _say(message: str) -> None:
    """Print a line on standard error; what a file holds must not steer the terminal."""
    if sys.stderr is not None:  # where it is closed, print would take standard output
        shown = (c if c.isprintable() else ascii(c)[1:-1] for c in message)
        print("esnkit:", "".join(shown), file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(f"{message} (see {self.prog} --help)")


def _dispatch(argv) -> int:
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(words or ["forecast"])
    if sys.stdout is None and getattr(arguments, "out", None) in (None, "-"):
        raise UserError("standard output is closed; there is nowhere to write to")
    if arguments.command == "info":
        from esnkit.cli._info import lines

        print("\n".join(lines()))
        return 0
    return _forecast_shipped(arguments) if arguments.file is None else _forecast_file(arguments)


def _parser() -> argparse.ArgumentParser:
    from esnkit import __version__

    parser = _Parser(
        prog="esnkit",
        description="Forecasts with echo state networks. Without a command: esnkit forecast.",
    )
    parser.add_argument("--version", action="version", version=f"esnkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="forecast | info")
    commands.add_parser("info", help="print versions, threads and the cache of kernels")
    forecast = commands.add_parser(
        "forecast",
        help="forecast a column of a CSV file, or the series that ships with the package",
        description=(
            "Forecast a column of a CSV file (UTF-8, with a header line). Without FILE, forecast "
            "the hourly bike rentals that ship with the package, against simple models. The "
            "penalty and the differences that are not given are chosen by rolling forecasts of "
            "all but the last three tenths of the series, which then show how good they are."
        ),
    )
    _add_forecast_options(forecast)
    return parser


def _add_forecast_options(parser) -> None:
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", type=_path, help="CSV file, oldest row first")
    add("--column", metavar="NAME", help="column to forecast")
    add("--time", metavar="COLUMN", help="column of time stamps, which go on in the output")
    add(
        "--exog", metavar="NAME", nargs="+", action="extend", default=[],
        help="columns known in advance; rows at the end of FILE that leave the column to "
        "forecast empty give them for the time to come",
    )  # fmt: skip
    add("--horizon", metavar="H", type=_whole(1), help="number of steps to forecast")
    add("--interval", metavar="LEVEL", type=_number(0, 1), help="coverage wanted, such as 0.9")
    add(
        "--out",
        metavar="FILE",
        type=_path,
        help="write the forecast here; default: standard output",
    )
    add("--plot", metavar="FILE", type=_path, help="write a picture (png, pdf, svg) here")
    add("--seed", type=_whole(0, MOST_SEED), default=0, help="of the random weights (default 0)")
    add("--tune", action="store_true", help="search all settings below that are not given")
    add("--units", metavar="N", type=_whole(1), dest="n_units", help="(default 300)")
    add("--spectral-radius", metavar="R", type=_number(0), help="(default 0.9)")
    add("--leak-rate", metavar="A", type=_number(0, 1, True), help="(default 0.7)")
    add("--input-scaling", metavar="S", type=_number(0), help="(default 0.3)")
    add("--bias-scaling", metavar="S", type=_number(0, zero=True), help="(default 0.3)")
    add("--alpha", metavar="A", type=_number(0), help="ridge penalty (default: see above)")
    add(
        "--differences", metavar="D", type=_differences,
        help="order of differencing, or lags with commas: `24,` differences once at lag 24, "
        "`24,1` then at lag 1 (default: see above)",
    )  # fmt: skip


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return text


def _differences(text: str) -> int | tuple[int, ...]:
    """Type of an order, or of lags with commas."""
    from esnkit.forecasting._differencing import MOST

    lags = text.removesuffix(",").split(",") if "," in text else []
    if lags and all(_is_whole(lag.strip(), 1) for lag in lags):
        return tuple(map(int, lags))
    if _is_whole(text, 0, MOST):
        return int(text)
    hint = f"; for one difference at that lag write {text}," if _is_whole(text, 1) else ""
    raise argparse.ArgumentTypeError(
        f"must be an order from 0 to {MOST}, or lags >= 1 with commas, got {_shown(text)}{hint}"
    )


def _whole(minimum: int, maximum: int = MOST_WHOLE):
    def read(text: str) -> int:
        if not _is_whole(text, minimum, maximum):
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {minimum} to {maximum}, got {_shown(text)}"
            )
        return int(text)

    return read


def _is_whole(text: str, minimum: int, maximum: int = MOST_WHOLE) -> bool:
    # Python reads no number of thousands of digits
    plain = re.fullmatch(r"[+-]?[0-9]{1,18}", text)
    return plain is not None and minimum <= int(text) <= maximum


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}..."


def _number(low: float, high: float = float("inf"), closed: bool = False, zero: bool = False):
    """Type of a number between `low` and `high`; `closed` allows `high`, `zero` allows `low`."""
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


def _forecast_shipped(arguments) -> int:
    """Forecast the shipped series, print the table, write the picture."""
    from esnkit.cli import _demo as shipped
    from esnkit.cli._csv import check_writable, write_whole
    from esnkit.cli._progress import progress
    from esnkit.datasets import load_bike_sharing

    _refuse_without_file(arguments)
    path = arguments.plot or DEFAULT_PLOT
    picture = _picture_format(path, wanted=arguments.plot is not None)
    if picture:
        check_writable(path, "--plot")
    bikes = load_bike_sharing()
    with progress(6) as step:
        scores = shipped.compare(bikes, arguments.seed, step)
        step("picture")
        figure = shipped.draw(bikes, arguments.seed).figure_ if picture else None
    shipped.print_table(scores, len(bikes.target))
    if figure is None:
        print("\nNo picture: it needs matplotlib (pip install 'esnkit[plot]').")
        return 0
    write_whole(path, lambda draft: figure.savefig(draft, format=picture, dpi=120))
    print(f"\nThe last week, each day as forecast at its midnight, with a 90 % interval: {path}")
    return 0


def _refuse_without_file(arguments) -> None:
    allowed = {"command", "file", "plot", "seed"}
    for key, value in vars(arguments).items():
        if key not in allowed and not (value is None or value is False or value == []):
            option = "--units" if key == "n_units" else f"--{key.replace('_', '-')}"
            raise UserError(f"{option} needs a FILE to forecast")


def _picture_format(path: str | None, wanted: bool) -> str | None:
    """Return the format of a picture by its name; None where it cannot or need not be drawn."""
    if path is None:
        return None
    try:
        import matplotlib
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        if wanted:
            raise UserError(
                "--plot needs matplotlib, which is not installed: pip install 'esnkit[plot]'"
            ) from None
        return None
    matplotlib.use("agg")
    suffix = os.path.splitext(path)[1].lstrip(".").lower()
    known = FigureCanvasBase.get_supported_filetypes().keys() - {"pgf"}  # which needs TeX
    if suffix not in known:
        raise UserError(f"--plot {path} must end in one of {', '.join(sorted(known))}")
    return suffix


def _forecast_file(arguments) -> int:
    """Forecast a column of a CSV file."""
    from esnkit.cli import _forecast_csv as fromfile
    from esnkit.cli._csv import read_table
    from esnkit.cli._progress import progress

    picture = _check_request(arguments)
    horizon, seed = arguments.horizon, arguments.seed
    try:
        table = read_table(arguments.file, arguments.column, arguments.time, arguments.exog)
        fromfile.check_length(table, horizon, arguments.file, arguments.differences)
        stamps = table.clock.future(table.n_known, horizon) if table.clock else None
    except UserError as error:
        raise _in_file(error, arguments.file) from None
    given = {key: getattr(arguments, key) for key in fromfile.DEFAULTS}
    given = {key: value for key, value in given.items() if value is not None}
    tried = fromfile.candidates(table, given, seed, arguments.tune)
    with progress(len(tried) + 2) as step:
        ranking = fromfile.rank(table, horizon, tried, seed, step)
        step("forecast")
        settings, parts = fromfile.forecast_table(table, horizon, ranking, seed, arguments.interval)
        step("the end of the series")
        judged = fromfile.judge(table, horizon, settings, seed)
    _report_settings(settings, ranking if arguments.tune else [], fromfile.describe)
    _report_errors(*judged)
    _write_results(arguments, table, stamps, parts, picture)
    return 0


def _in_file(error: UserError, path: str) -> UserError:
    """Name the file in an error that does not."""
    named = str(error).startswith((path, f"cannot read {path}"))
    return error if named else UserError(f"{path}, {error}")


def _check_request(arguments) -> str | None:
    """Check what can be checked before reading; returns the format of the picture."""
    from esnkit.cli._csv import check_writable
    from esnkit.forecasting._index import interval_names

    for option in ("column", "horizon"):
        if getattr(arguments, option) is None:
            raise UserError(f"--{option} must be given with a FILE")
    time = [] if arguments.time is None else [arguments.time]
    names = [arguments.column, *time, *arguments.exog]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"column '{name}' is named twice among --column, --time and --exog")
    if arguments.interval and arguments.time in interval_names(arguments.column)[1:]:
        raise UserError(
            f"--time {arguments.time} is also the name of an end of the interval of "
            f"'{arguments.column}'; rename the column"
        )
    picture = _picture_format(arguments.plot, wanted=True)
    paths = {"the input": arguments.file, "--out": arguments.out, "--plot": arguments.plot}
    seen: dict[str, str] = {}
    for role, path in paths.items():
        if path in (None, "-"):
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise UserError(f"{role} and {seen[real]} are the same file, {path}")
        seen[real] = role
        if role != "the input":
            check_writable(path, role)
    return picture


def _report_settings(settings: dict, ranking: list, describe) -> None:
    """Say on standard error which settings are used, and what a search found."""
    if ranking:
        _say(f"{len(ranking)} settings tried on what came before the end of the series, NRMSE:")
    for error, tried in ranking[:3]:
        _say(f"  {error:<8.4g}  {describe(tried)}")
    _say(f"settings {describe(settings)}")


def _report_errors(what: str, errors: dict[str, float]) -> None:
    """Say on standard error how well the end of the series was forecast."""
    if not isfinite(errors["the network"]):
        _say("the series is too short, or too wild, for its end to be forecast")
        return
    _say(f"NRMSE, by the standard deviation, of {what}:")
    for name, error in errors.items():
        _say(f"  {error:<8.4g}  {name}")


def _write_results(arguments, table, stamps, parts, picture) -> None:
    """Write the forecast, and its picture where one is wanted."""
    from esnkit.cli._csv import write_columns, write_whole
    from esnkit.forecasting._index import interval_names

    names = interval_names(arguments.column)[: len(parts)]
    columns = {} if stamps is None else {arguments.time: stamps[0]}
    columns |= dict(zip(names, parts, strict=True))

    def write_csv(draft):
        with open(draft, "w", encoding="utf-8", newline="") as file:
            write_columns(file, columns)

    if picture:
        figure = _draw(arguments, table, stamps, parts).figure_
        write_whole(arguments.plot, lambda draft: figure.savefig(draft, format=picture, dpi=120))
        _say(f"picture in {arguments.plot}")
    if arguments.out in (None, "-"):
        write_columns(sys.stdout, columns)
    else:
        write_whole(arguments.out, write_csv)
        _say(f"{len(parts[0])} steps in {arguments.out}")


def _draw(arguments, table, stamps, parts):
    from esnkit.plotting import ForecastDisplay

    n_past = min(table.n_known, max(3 * arguments.horizon, 30))
    past_times = times = None
    if stamps is not None:
        past_times, times = (_plain_times(part) for part in (stamps[1][-n_past:], stamps[2]))
    return ForecastDisplay.from_predictions(
        table.values[-n_past:],
        *parts,
        history_times=past_times,
        times=times,
        name=arguments.column,
        interval=arguments.interval,
    )


def _plain_times(stamps: list):
    """Turn stamps into numbers or local dates for the axis of a picture."""
    import numpy as np

    if isinstance(stamps[0], int | float):
        return np.array(stamps)
    return np.array([stamp.replace(tzinfo=None) for stamp in stamps], dtype="datetime64[us]")
