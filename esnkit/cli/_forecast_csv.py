"""`esnkit forecast FILE.csv`: read the file, call `AutoForecaster`, write what it returns."""

import os
import sys
from shlex import quote

import numpy as np

from esnkit.cli._arguments import SETTINGS
from esnkit.cli._csv import (
    Style,
    Table,
    check_writable,
    first_cells,
    is_stream,
    other_column,
    read_table,
    write_atomically,
    write_columns,
)
from esnkit.cli._date_formats import formats_of, is_number
from esnkit.cli._errors import UserError, say
from esnkit.cli._plot import plot_format, write_plot
from esnkit.cli._progress import progress
from esnkit.cli._timestamps import Continuation
from esnkit.forecasting import AutoForecaster
from esnkit.forecasting._auto_forecaster import MAX_VALUE, MIN_ROWS
from esnkit.forecasting._calendar_features import is_holiday
from esnkit.forecasting._differencing import (
    MAX_ORDER,
    check_differences,
    count_lost,
    difference,
    split_lag,
)
from esnkit.forecasting._frames import LabelledSeries, columns_or_none
from esnkit.forecasting._series_kind import interval_names
from esnkit.forecasting._statistical_models import check_models

MIN_PLOTTED_ROWS = 30


def forecast_csv(arguments) -> int:
    """Forecast a column of a CSV file; return the exit code."""
    file_format = check_request(arguments)
    with progress("forecast", 1) as part, part(f"read {arguments.file}"):
        table, stamps = _read(arguments)
    tell_of_missing([table], [stamps])
    with progress("forecast", 1) as part, part():
        model, parts = _fit_and_forecast(arguments, table, stamps)
    report(model)
    tell_of_unused_dates(arguments)
    _write_results(arguments, model, table, stamps, parts, file_format)
    if arguments.report:
        with progress("forecast", 1) as part, part("report"):
            _write_report(arguments, model, table, stamps)
        say(f"report written to {arguments.report}")
    return 0


def make_forecaster(arguments) -> AutoForecaster:
    """Return the forecaster that options describe."""
    given = {key: getattr(arguments, key) for key in SETTINGS}
    return AutoForecaster(
        horizon=arguments.horizon,
        positive=arguments.positive,
        calendar=tuple(arguments.calendar) or None,
        country=arguments.country,
        quick=arguments.quick,
        best=arguments.best,
        models=("esn", *dict.fromkeys(arguments.models)),
        settings={key: value for key, value in given.items() if value is not None},
        random_state=arguments.seed,
    )


def split_exog(arguments, table: Table) -> tuple:
    """Return the inputs of the known rows and of the steps ahead, None without any."""
    parts = np.split(table.exog, [table.n_known])
    return tuple(columns_or_none(rows, tuple(arguments.exog)) for rows in parts)


def _fit_and_forecast(arguments, table: Table, stamps: Continuation | None):
    """Return the fitted forecaster; and the forecast, with the ends of an interval if wanted."""
    series = LabelledSeries(table.values, None if stamps is None else stamps.labels)
    known, ahead = split_exog(arguments, table)
    past = columns_or_none(table.past_exog, tuple(arguments.past_exog))
    model = make_forecaster(arguments).fit(series, exog=known, past_exog=past)
    forecast = model.forecast(
        arguments.horizon, ahead, arguments.interval, bias_adjust=arguments.bias_adjust
    )
    return model, forecast if isinstance(forecast, tuple) else (forecast,)


def check_request(arguments) -> str | None:
    """Check what can be checked before reading; return the format of the plot."""
    complete_request(arguments)
    check_names(arguments)
    if arguments.models:
        _check_models(arguments)
    if arguments.calendar or arguments.country:
        check_calendar_options(arguments)
    file_format = plot_format(arguments.plot, required=True)
    if arguments.report:
        plot_format("report.svg", required=True, option="--report")
    check_paths(
        {
            "the input": arguments.file,
            "--out": arguments.out,
            "--plot": arguments.plot,
            "--report": arguments.report,
        }
    )
    return file_format


def complete_request(arguments) -> None:
    """Check that there is a horizon, and set the column to forecast if the file has one only."""
    if arguments.horizon is None:
        raise UserError("--horizon must be given with a FILE: the number of time steps to forecast")
    if arguments.column is None:
        if is_stream(arguments.file) and not os.path.isdir(arguments.file):
            raise UserError("--column must be given where FILE is a pipe, which is read only once")
        arguments.column = other_column(arguments.file, named_columns(arguments))
        if _is_number_text(arguments.column):
            say(f"the first line is the header, so that '{arguments.column}' names the column")


def named_columns(arguments) -> list[str]:
    """Return the columns that the arguments name."""
    names = [arguments.id, arguments.time, arguments.column]
    return [name for name in names if name is not None] + arguments.exog + arguments.past_exog


def check_names(arguments) -> None:
    """Check that columns have different names, those that the output adds included."""
    names = named_columns(arguments)
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"column '{name}' is named twice among --id, --time, --column, --exog and "
                "--past-exog"
            )
    added = interval_names(arguments.column)[1:] if arguments.interval else ()
    for option in ("id", "time"):
        if getattr(arguments, option) in added:
            raise UserError(
                f"--{option} {getattr(arguments, option)} is also the name that an end of the "
                f"interval of '{arguments.column}' gets; rename the column"
            )


def tell_of_unused_dates(arguments) -> None:
    """Say which column has dates, if none is named; a stream can be read only once."""
    if arguments.time is not None or is_stream(arguments.file):
        return
    for name, cell in first_cells(arguments.file, named_columns(arguments)).items():
        if _is_date(cell):
            say(
                f"column '{name}' has dates, which give seasons and continue with "
                f"--time {quote(name)}"
            )
            return


def _is_date(text: str) -> bool:
    """Tell whether a cell is a date; 2016.1 may be a number, and 10.1.2 a version."""
    if _is_number_text(text):
        return False
    return any(not is_number(form) and "%y" not in form for form in formats_of(text))


def _is_number_text(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_models(arguments) -> None:
    for option in ("exog", "past_exog"):
        if getattr(arguments, option):
            name = option.replace("_", "-")
            raise UserError(f"--models take no inputs: leave out --models or --{name}")
    try:
        check_models(("esn", *arguments.models))
    except ImportError as error:
        raise UserError(f"--models: {error}") from None


def check_calendar_options(arguments) -> None:
    """Check the options of the calendar against each other."""
    if arguments.calendar and arguments.time is None:
        raise UserError("--calendar needs --time, the column of time stamps")
    if len(set(arguments.calendar)) < len(arguments.calendar):
        raise UserError(f"--calendar names a field twice: {' '.join(arguments.calendar)}")
    if ("holidays" in arguments.calendar) != (arguments.country is not None):
        raise UserError("--country must be given with --calendar holidays, and only with it")
    if arguments.country is not None:
        try:
            is_holiday(np.array(["2024-01-01"], dtype="M8[D]"), arguments.country)
        except (ImportError, ValueError) as error:
            raise UserError(f"--calendar holidays --country {arguments.country}: {error}") from None


def check_paths(paths: dict[str, str | None]) -> None:
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


def _read(arguments) -> tuple[Table, Continuation | None]:
    """Read the file, check that it can be forecast, and continue its time stamps."""
    path, horizon = arguments.file, arguments.horizon
    try:
        table = read_table(
            path, arguments.column, arguments.time, arguments.exog, arguments.past_exog,
            arguments.fill,
        )  # fmt: skip
        stamps = None
        if table.timestamps is not None and arguments.fill:
            stamps = table.timestamps.future(table.n_known, horizon, fill=True)
            table = spread(table, stamps.rows)
        check_length(table, horizon, path, arguments.differences)
        refuse_negative(arguments, table)
        if table.timestamps is not None and stamps is None:
            stamps = table.timestamps.future(table.n_known, horizon)
        return table, stamps
    except UserError as error:  # name the file in an error that does not
        named = str(error).startswith((path, f"cannot read {path}"))
        raise (error if named else UserError(f"{path}, {error}")) from None


def spread(table: Table, rows: np.ndarray) -> Table:
    """Return a table with its rows at some positions, and missing values elsewhere."""
    values = np.full(rows[table.n_known - 1] + 1, np.nan)
    values[rows[: table.n_known]] = table.values
    exog = np.full((rows[-1] + 1, table.exog.shape[1]), np.nan)
    exog[rows] = table.exog
    past_exog = np.full((len(values), table.past_exog.shape[1]), np.nan)
    past_exog[rows[: table.n_known]] = table.past_exog
    return table._replace(values=values, exog=exog, past_exog=past_exog)


def tell_of_missing(tables: list[Table], stamps: list[Continuation | None]) -> None:
    """Say how many values are missing and how many rows `--fill` has added to the series."""
    filled = [item for item in stamps if item is not None and item.n_filled]
    n_rows = sum(table.n_known for table in tables)
    n_filled = sum(item.n_filled for item in filled)
    n_missing = sum(int(np.isnan(table.values).sum()) for table in tables) - n_filled
    if n_missing:
        say(f"missing values of '{tables[0].name}': {n_missing} of {n_rows}")
    if filled:
        first = filled[0].first_filled
        say(f"rows added as missing values: {n_filled} of {n_rows}, the first at {first}")


def check_length(table: Table, horizon: int, path: str, differences=None) -> None:
    """Raise if the series is too short or cannot be differenced, or future inputs are missing."""
    lags = check_differences(differences or 0)
    needed = horizon + MIN_ROWS + count_lost(lags)
    option = f"--differences {differences_text(differences)}" if lags else ""
    n_known = int((~np.isnan(table.values)).sum())
    if n_known < needed:
        rows = "1 row" if n_known == 1 else f"{n_known} rows"
        when = f" with '{option}'" if lags else ""
        raise UserError(
            f"{path} has {rows} of '{table.name}', too few: "
            f"--horizon {horizon} needs {needed}{when}"
        )
    largest = np.nanmax(np.abs(table.values))
    if largest > MAX_VALUE:
        raise UserError(
            f"{path} holds values of '{table.name}' up to {largest:g}; scale them to at most "
            f"{MAX_VALUE:g}"
        )
    with np.errstate(invalid="ignore"):
        if np.isinf(difference(table.values, lags)).any():
            raise UserError(f"{path} holds values of '{table.name}' too large for '{option}'")
    n_ahead = len(table.exog) - table.n_known
    if table.exog.shape[1] and n_ahead < horizon:
        raise UserError(
            f"{path} must end with {horizon} rows that give the future values of the --exog "
            f"columns and leave '{table.name}' empty, found {n_ahead}"
        )


def refuse_negative(arguments, table: Table) -> None:
    """Raise if a series that must not be negative is so."""
    least = np.nanmin(table.values, initial=0.0)
    if arguments.positive is True and least < 0:
        raise UserError(
            f"column '{table.name}' has negative values, {least:g}: leave out --positive"
        )


def report(model: AutoForecaster) -> None:
    """Print on standard error seasons, errors beside those of the baselines, and members."""
    say(seasons_text(model.seasons_))
    ahead = steps_text(model.horizon_)
    say(
        f"mean absolute errors of rolling forecasts {ahead} ahead, in which recent ones weigh more:"
    )
    combined = "median of the networks below"
    if model.smoothing_share_:
        share = model.smoothing_share_
        combined = f"{1 - share:.0%} {combined} and {share:.0%} exponential smoothing"
    for name, error in {combined: model.error_, **model.baselines_}.items():
        say(f"  {error:<10.4g}  {name}")
    if model.best and model.better_baseline_ is not None:
        say(
            f"the forecast is that of the baseline '{model.better_baseline_}', not of the networks:"
        )
    else:
        say("networks, then fitted to all rows:")
    for member in model.members_:
        say(f"  {member['error']:<10.4g}  {describe(member)}")


def seasons_text(periods) -> str:
    """Name the seasons of a series."""
    names = " and ".join(f"{period:g}" for period in periods)
    return f"seasons of {names} time steps" if names else "no season"


def steps_text(n_steps: int) -> str:
    """Write a number of steps."""
    return "1 step" if n_steps == 1 else f"{n_steps} steps"


def describe(member: dict) -> str:
    """Write what a member is in one line."""
    power = member["power"]
    leak_rates = " to ".join(f"{rate:g}" for rate in np.atleast_1d(member["leak_rate"]))
    words = [f"leak rate {leak_rates}"]
    if power is not None:
        words.append({0.0: "logarithm", 0.5: "square root"}.get(power, f"power {power:g}"))
    words += [f"{count} harmonics of {period:g}" for period, count in member["seasons"]]
    if member["past_exog"]:
        words.append("past-only inputs")
    options = f"--differences {differences_text(member['differences'])} --alpha {member['alpha']:g}"
    return f"{options}; {', '.join(words)}"


def differences_text(differences: int | tuple) -> str:
    """Write differences as the option reads them."""
    lags = check_differences(differences)
    if set(lags) <= {1} and len(lags) <= MAX_ORDER:
        return str(len(lags))
    words = [f"{length}x{n}" if n > 1 else f"{length}" for length, n in map(split_lag, lags)]
    return ",".join(words) + "," * (len(words) == 1)


def _write_results(
    arguments, model, table, stamps: Continuation | None, parts, file_format
) -> None:
    """Write the forecast, and its plot where one is wanted."""
    names = interval_names(arguments.column)[: len(parts)]
    columns = {} if stamps is None else {arguments.time: stamps.written}
    columns |= dict(zip(names, parts, strict=True))
    if file_format:
        with progress("forecast", 1) as part, part("plot"):
            write_plot(arguments.plot, _draw(arguments, model, table, stamps, parts), file_format)
        say(f"plot written to {arguments.plot}")
    write_forecast(arguments.out, columns, table.style)


def write_forecast(path: str | None, columns: dict, style: Style) -> None:
    """Write columns in the style of the input to a file, or to standard output."""

    def write_csv(draft):
        with open(draft, "w", encoding="utf-8", newline="") as file:
            write_columns(file, columns, style)

    if path in (None, "-"):
        write_columns(sys.stdout, columns, style)
    else:
        write_atomically(path, write_csv)
        say(f"{len(next(iter(columns.values())))} steps written to {path}")


def _draw(arguments, model, table, stamps: Continuation | None, parts):
    """Draw the forecast after the last rows, three times as many as it has steps."""
    from esnkit.plotting import ForecastDisplay
    from esnkit.plotting._common import name_zone, stamps_ahead, zone_name

    n_past = min(table.n_known, max(3 * arguments.horizon, MIN_PLOTTED_ROWS))
    past_times = times = None
    if stamps is not None:
        past_times, times = stamps.known[-n_past:], stamps.ahead
    display = ForecastDisplay.from_predictions(
        table.values[-n_past:],
        *parts,
        history_times=past_times,
        times=times,
        name=arguments.column,
        interval=arguments.interval,
    )
    zone = zone_name(model, stamps_ahead(model, arguments.horizon, times))
    name_zone(display, display.ax_, zone)
    return display


def _write_report(arguments, model, table: Table, stamps: Continuation | None) -> None:
    """Write the report as one HTML file."""
    from esnkit.plotting import write_report
    from esnkit.plotting._report import FAN

    _, ahead = split_exog(arguments, table)
    level = arguments.interval  # the widest one, so that its ends are those of the output
    levels = FAN if level is None else (level, *(inner for inner in FAN if inner < level))
    times = None if stamps is None else np.concatenate([stamps.known, stamps.ahead])

    def write(draft):
        write_report(
            draft, model, arguments.horizon, exog=ahead, times=times,
            interval=levels, bias_adjust=arguments.bias_adjust,
            title=f"Forecast of {arguments.column}, {os.path.basename(arguments.file)}",
        )  # fmt: skip

    write_atomically(arguments.report, write)
