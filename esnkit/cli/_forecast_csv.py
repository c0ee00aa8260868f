"""`esnkit forecast FILE.csv`: read the file, call `esnkit.forecasting`, write what it returns."""

import os
import sys
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from esnkit.cli._csv import Table, check_writable, read_table, write_atomically, write_columns
from esnkit.cli._errors import UserError, say
from esnkit.cli._plot import plot_format, write_plot
from esnkit.cli._progress import progress
from esnkit.forecasting import (
    DEFAULT_SETTINGS,
    candidate_settings,
    evaluate_settings,
    forecast_with_fallback,
    rank_settings,
)
from esnkit.forecasting._auto import N_MEMBERS, required_rows
from esnkit.forecasting._conformal import IntervalError
from esnkit.forecasting._differencing import check_differences, difference
from esnkit.forecasting._frames import NamedColumns
from esnkit.forecasting._series_kind import interval_names

N_DRAWS = 30  # random settings that --tune adds
MIN_PLOTTED_ROWS = 30


class Stamps(NamedTuple):
    """Time stamps of the rows of a forecast, and those before it."""

    written: list[str]  # in the format of the file
    known: list
    ahead: list


def forecast_csv(arguments) -> int:
    """Forecast a column of a CSV file; return the exit code."""
    file_format = check_request(arguments)
    with progress("forecast", 1) as part, part(f"read {arguments.file}"):
        table, stamps = _read(arguments)
    horizon, seed = arguments.horizon, arguments.seed
    exog = NamedColumns(table.exog, tuple(arguments.exog)) if arguments.exog else None
    known = {"exog": exog, "random_state": seed}
    fixed = {key: getattr(arguments, key) for key in DEFAULT_SETTINGS}
    fixed = {key: value for key, value in fixed.items() if value is not None}
    n_draws = N_DRAWS if arguments.tune else 0
    candidates = candidate_settings(table.values, fixed=fixed, n_draws=n_draws, random_state=seed)
    # Forecast and evaluation are those of an ensemble, the rank of settings that of one network.
    with progress("forecast", len(candidates) + 2 * N_MEMBERS) as part:
        with part(size=len(candidates)):
            ranking = rank_settings(table.values, horizon, candidates, **known)
        with part(size=N_MEMBERS):
            given = arguments.differences is not None
            result = _forecast(table, horizon, ranking, given, interval=arguments.interval, **known)
        with part(size=N_MEMBERS):
            evaluation = evaluate_settings(table.values, horizon, result.settings, **known)
    _report_settings(result.settings, ranking if arguments.tune else [])
    _report_evaluation(evaluation)
    parts = result.forecast if isinstance(result.forecast, tuple) else (result.forecast,)
    _write_results(arguments, table, stamps, parts, file_format)
    return 0


def check_request(arguments) -> str | None:
    """Check what can be checked before reading; return the format of the plot."""
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
            f"--time {arguments.time} is also the name that an end of the interval of "
            f"'{arguments.column}' gets; rename the column"
        )
    file_format = plot_format(arguments.plot, required=True)
    _check_paths({"the input": arguments.file, "--out": arguments.out, "--plot": arguments.plot})
    return file_format


def _check_paths(paths: dict[str, str | None]) -> None:
    """Check that the files are different ones, and that those but the input can be written."""
    seen: dict[str, str] = {}
    for role, path in paths.items():
        if path is None or path == "-":
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise UserError(f"{role} and {seen[real]} are the same file, {path}")
        seen[real] = role
        if role != "the input":
            check_writable(path, role)


def _read(arguments) -> tuple[Table, Stamps | None]:
    """Read the file, check that it can be forecast, and continue its time stamps."""
    path, horizon = arguments.file, arguments.horizon
    try:
        table = read_table(path, arguments.column, arguments.time, arguments.exog)
        check_length(table, horizon, path, arguments.differences)
        if table.timestamps is None:
            return table, None
        return table, Stamps(*table.timestamps.future(table.n_known, horizon))
    except UserError as error:  # name the file in an error that does not
        named = str(error).startswith((path, f"cannot read {path}"))
        raise (error if named else UserError(f"{path}, {error}")) from None


def check_length(table: Table, horizon: int, path: str, differences=None) -> None:
    """Raise if the series is too short or cannot be differenced, or future inputs are missing."""
    lags = check_differences(differences or 0)
    needed = required_rows(horizon, lags)
    option = describe({"differences": differences}) if lags else ""
    if table.n_known < needed:
        rows = "1 row" if table.n_known == 1 else f"{table.n_known} rows"
        when = f" with '{option}'" if lags else ""
        raise UserError(
            f"{path} has {rows} of '{table.name}', too few: "
            f"--horizon {horizon} needs {needed}{when}"
        )
    with np.errstate(invalid="ignore"):
        if not np.isfinite(difference(table.values, lags)).all():
            raise UserError(f"{path} holds values of '{table.name}' too large for '{option}'")
    n_ahead = len(table.exog) - table.n_known
    if table.exog.shape[1] and n_ahead < horizon:
        raise UserError(
            f"{path} must end with {horizon} rows that give the future values of the --exog "
            f"columns and leave '{table.name}' empty, found {n_ahead}"
        )


def _forecast(table: Table, horizon: int, ranking: list, given: bool, **request: Any):
    """Forecast, with errors that name options; `given` tells whether --differences is one."""
    try:
        return forecast_with_fallback(table.values, horizon, ranking, **request)
    except IntervalError as error:
        options = "--interval, --horizon or --differences" if given else "--interval or --horizon"
        raise UserError(
            f"--interval needs {error.args[0]}: use a longer series, or lower {options}"
        ) from None


def describe(settings: dict) -> str:
    """Write settings as the options that give them."""
    words = []
    for key, value in settings.items():
        option = {"n_units": "units"}.get(key, key.replace("_", "-"))
        if isinstance(value, tuple):
            words.append(f"--{option} {','.join(map(str, value))}{',' * (len(value) == 1)}")
        else:
            words.append(f"--{option} {value:g}")
    return " ".join(words)


def _report_settings(settings: dict, ranking: list) -> None:
    """Print on standard error which settings are used, and the best that a search found."""
    if ranking:
        say(f"{len(ranking)} settings compared on the rows before the held-out ones, NRMSE:")
    for error, candidate in ranking[:3]:
        say(f"  {error:<8.4g}  {describe(candidate)}")
    say(f"settings {describe(settings)}")


def _report_evaluation(evaluation) -> None:
    """Print on standard error the errors on the held-out rows."""
    if not isfinite(evaluation.nrmse):
        say(
            "the held-out rows could not be forecast for comparison: the series is too short, or "
            "forecasts with these settings diverge"
        )
        return
    origins = "1 origin" if evaluation.n_windows == 1 else f"{evaluation.n_windows} origins"
    say(
        "NRMSE (root mean squared error / standard deviation) on the held-out last "
        f"{evaluation.n_held_out} rows, {evaluation.horizon} steps ahead from {origins}:"
    )
    for name, error in {"echo state network": evaluation.nrmse, **evaluation.baselines}.items():
        say(f"  {error:<8.4g}  {name}")


def _write_results(arguments, table, stamps: Stamps | None, parts, file_format) -> None:
    """Write the forecast, and its plot where one is wanted."""
    names = interval_names(arguments.column)[: len(parts)]
    columns = {} if stamps is None else {arguments.time: stamps.written}
    columns |= dict(zip(names, parts, strict=True))

    def write_csv(draft):
        with open(draft, "w", encoding="utf-8", newline="") as file:
            write_columns(file, columns)

    if file_format:
        with progress("forecast", 1) as part, part("plot"):
            write_plot(arguments.plot, _draw(arguments, table, stamps, parts), file_format)
        say(f"plot written to {arguments.plot}")
    if arguments.out in (None, "-"):
        write_columns(sys.stdout, columns)
    else:
        write_atomically(arguments.out, write_csv)
        say(f"{len(parts[0])} steps written to {arguments.out}")


def _draw(arguments, table, stamps: Stamps | None, parts):
    """Draw the forecast after the last rows, three times as many as it has steps."""
    from esnkit.plotting import ForecastDisplay

    n_past = min(table.n_known, max(3 * arguments.horizon, MIN_PLOTTED_ROWS))
    past_times = times = None
    if stamps is not None:
        past_times, times = _plain_times(stamps.known[-n_past:]), _plain_times(stamps.ahead)
    return ForecastDisplay.from_predictions(
        table.values[-n_past:],
        *parts,
        history_times=past_times,
        times=times,
        name=arguments.column,
        interval=arguments.interval,
    )


def _plain_times(stamps: list) -> np.ndarray:
    """Turn time stamps into numbers or local dates for the axis of a plot."""
    if isinstance(stamps[0], int | float):
        return np.array(stamps)
    return np.array([stamp.replace(tzinfo=None) for stamp in stamps], dtype="datetime64[us]")
