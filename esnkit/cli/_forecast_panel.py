"""`esnkit forecast FILE.csv --id COLUMN`: series of a long file, by `PanelForecaster`."""

from typing import NamedTuple

import numpy as np

from esnkit.cli._arguments import SETTINGS
from esnkit.cli._csv import Style, Table, read_texts, refuse_later_values
from esnkit.cli._decimals import DecimalReader, is_missing
from esnkit.cli._errors import UserError, say
from esnkit.cli._forecast_csv import (
    check_calendar_options,
    check_names,
    check_paths,
    complete_request,
    refuse_negative,
    seasons_text,
    split_exog,
    spread,
    steps_text,
    tell_of_missing,
    tell_of_unused_dates,
    write_forecast,
)
from esnkit.cli._progress import progress
from esnkit.cli._timestamps import Continuation, Timestamps
from esnkit.forecasting import PanelForecaster
from esnkit.forecasting._frames import LabelledSeries, columns_or_none
from esnkit.forecasting._series_kind import interval_names

REFUSED = ("plot", "report", "quick", "best", "models", *SETTINGS)


class _Series(NamedTuple):
    """A series of a file."""

    table: Table
    stamps: Continuation | None

    def labelled(self) -> LabelledSeries:
        """Return its values with their time stamps."""
        return LabelledSeries(
            self.table.values, None if self.stamps is None else self.stamps.labels
        )


def forecast_panel(arguments) -> int:
    """Forecast every series of a CSV file; return the exit code."""
    check_panel_request(arguments)
    with progress("forecast", 1) as part, part(f"read {arguments.file}"):
        found = _read(arguments)
    tell_of_missing([series.table for series in found.values()], [s.stamps for s in found.values()])
    with progress("forecast", 1) as part, part():
        model, ahead = _fit_and_forecast(arguments, found)
    _report(model)
    tell_of_unused_dates(arguments)
    style = next(iter(found.values())).table.style
    write_forecast(arguments.out, _columns(arguments, ahead, found), style)
    return 0


def _fit_and_forecast(arguments, found: dict[str, _Series]) -> tuple[PanelForecaster, dict]:
    """Return the fitted forecaster, and the forecast of each series."""
    model = PanelForecaster(
        horizon=arguments.horizon,
        positive=arguments.positive,
        calendar=tuple(arguments.calendar) or None,
        country=arguments.country,
        random_state=arguments.seed,
    )
    exog = {key: split_exog(arguments, series.table) for key, series in found.items()}
    known, ahead = (
        {key: parts[k] for key, parts in exog.items()} if arguments.exog else None for k in (0, 1)
    )
    past = None
    if arguments.past_exog:
        names = tuple(arguments.past_exog)
        past = {key: columns_or_none(part.table.past_exog, names) for key, part in found.items()}
    labelled = {key: series.labelled() for key, series in found.items()}
    model.fit(labelled, exog=known, past_exog=past)
    forecast = model.forecast(
        arguments.horizon, ahead, arguments.interval, bias_adjust=arguments.bias_adjust
    )
    return model, forecast


def check_panel_request(arguments) -> None:
    """Check what can be checked before reading."""
    complete_request(arguments)
    for name in REFUSED:
        if getattr(arguments, name) not in (None, [], False):
            option = "units" if name == "n_units" else name.replace("_", "-")
            raise UserError(f"--{option} is for one series; leave it out with --id")
    check_names(arguments)
    if arguments.calendar or arguments.country:
        check_calendar_options(arguments)
    check_paths({"the input": arguments.file, "--out": arguments.out})


def _inputs(arguments) -> list[str]:
    """Return the columns of inputs, past-only ones last."""
    return [*arguments.exog, *arguments.past_exog]


def _read(arguments) -> dict[str, _Series]:
    """Return the series by id, with the time stamps that follow each."""
    path, time = arguments.file, arguments.time
    names = [arguments.id, arguments.column, *_inputs(arguments)]
    names += [] if time is None else [time]
    try:
        lines, separator, texts = read_texts(path, names)
        numbers = _rows_by_id(arguments, lines, texts[0])
        n_known = {key: _count_known(arguments, texts[1], rows) for key, rows in numbers.items()}
        is_future = np.zeros(len(lines), dtype=bool)
        for key, rows in numbers.items():
            is_future[rows[n_known[key] :]] = True
        cells = texts[1 : 2 + len(_inputs(arguments))]
        decimals = DecimalReader(separator)
        values = _read_cells(arguments, lines, cells, is_future, decimals)
        style = Style.of(decimals)
        stamps = [] if time is None else texts[-1]
        found, continued = {}, _Continued(arguments, lines, stamps)
        for key, rows in numbers.items():
            ahead = continued.of(rows, n_known[key], key)
            found[key] = _one_series(arguments, key, values[rows], n_known[key], ahead, style)
        return found
    except UserError as error:  # name the file in an error that does not
        text = str(error)
        named = text.startswith((path, f"cannot read {path}"))
        raise UserError(text if named else f"{path}, {text}") from None


def _rows_by_id(arguments, lines: list[int], ids: list[str]) -> dict[str, list[int]]:
    """Return the rows of each series."""
    numbers: dict[str, list[int]] = {}
    for row, (line, key) in enumerate(zip(lines, ids, strict=True)):
        if not key:
            raise UserError(f"line {line}: column '{arguments.id}' is empty")
        numbers.setdefault(key, []).append(row)
    return numbers


def _count_known(arguments, texts: list[str], rows: list[int]) -> int:
    """Return the number of rows of a series up to its last value; those after have inputs only."""
    if not arguments.exog:
        return len(rows)
    return max((k + 1 for k, row in enumerate(rows) if not is_missing(texts[row])), default=0)


def _read_cells(arguments, lines, texts: list[list[str]], is_future, decimals) -> np.ndarray:
    """Return the numbers (n_rows, 1 + n_inputs) of the column to forecast and the inputs."""
    for row, line in enumerate(lines):
        for column, cells in zip((arguments.column, *_inputs(arguments)), texts, strict=True):
            is_ahead = is_future[row] and column not in arguments.exog
            if is_missing(cells[row]) and (arguments.fill or is_ahead):
                decimals.add_missing()
            else:
                decimals.add(cells[row], column, line)
    return decimals.values().reshape(len(lines), len(texts))


def _one_series(
    arguments,
    key: str,
    values: np.ndarray,
    n_known: int,
    stamps: Continuation | None,
    style: Style,
) -> _Series:
    """Return a series, whose missing rows are filled in, with enough inputs ahead."""
    if not n_known:
        raise UserError(f"the series '{key}' has no row with a value in '{arguments.column}'")
    target, exog, past = np.split(values, [1, 1 + len(arguments.exog)], axis=1)
    table = Table(target[:n_known, 0], exog, past[:n_known], None, arguments.column, style)
    try:
        refuse_later_values(past[n_known:], arguments.past_exog, arguments.column)
        refuse_negative(arguments, table)
    except UserError as error:
        raise UserError(f"{error} (series '{key}')") from None
    if stamps is not None and arguments.fill:
        table = spread(table, stamps.rows)
    n_ahead = len(table.exog) - table.n_known
    if arguments.exog and n_ahead < arguments.horizon:
        raise UserError(
            f"the series '{key}' must end with {arguments.horizon} rows that give the future "
            f"values of the --exog columns and leave '{table.name}' empty, found {n_ahead}"
        )
    return _Series(table, stamps)


class _Continued:
    """The time stamps of series, continued; those that are written alike are read once."""

    def __init__(self, arguments, lines: list[int], texts: list[str]):
        self.arguments, self.lines, self.texts = arguments, lines, texts
        self.known: dict[tuple, Continuation] = {}

    def of(self, rows: list[int], n_known: int, key: str) -> Continuation | None:
        """Continue the time stamps of a series after the first of its rows."""
        if not self.texts or not n_known:
            return None
        written = (n_known, *(self.texts[row] for row in rows))
        if written not in self.known:
            stamps = Timestamps(self.arguments.time)
            try:
                for row in rows:
                    stamps.add(self.texts[row], self.lines[row])
                horizon, fill = self.arguments.horizon, self.arguments.fill
                self.known[written] = stamps.future(n_known, horizon, fill)
            except UserError as error:
                raise UserError(f"{error} (series '{key}')") from None
        return self.known[written]


def _report(model: PanelForecaster) -> None:
    """Print on standard error what was forecast, and errors beside those of a baseline."""
    say(f"{model.n_features_in_} series; {seasons_text(model.seasons_)}")
    ahead = steps_text(model.horizon_)
    say(f"errors of rolling forecasts {ahead} ahead, in mean absolute changes of the series:")
    combined, share = "networks fitted to all", model.smoothing_share_
    if share:
        combined = f"{1 - share:.0%} {combined} and {share:.0%} exponential smoothing of each"
    for name, error in {combined: model.error_, **model.baselines_}.items():
        say(f"  {error:<10.4g}  {name}")


def _columns(arguments, ahead: dict, found: dict[str, _Series]) -> dict:
    """Return the columns of the output: id, time, forecast and the ends of its interval."""
    columns: dict = {arguments.id: [key for key in ahead for _ in range(arguments.horizon)]}
    stamps = [series.stamps for series in found.values()]
    if arguments.time is not None:
        columns[arguments.time] = [text for item in stamps if item for text in item.written]
    parts = np.concatenate([np.atleast_2d(part) for part in ahead.values()], axis=1)
    names = interval_names(arguments.column)[: len(parts)]
    return columns | dict(zip(names, parts, strict=True))
