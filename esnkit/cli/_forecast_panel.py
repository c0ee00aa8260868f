"""`esnkit forecast FILE.csv --id COLUMN`: series of a long file, by `PanelForecaster`."""

import re

import numpy as np

from esnkit.cli._arguments import SETTINGS
from esnkit.cli._csv import read_texts
from esnkit.cli._decimals import DecimalReader
from esnkit.cli._errors import UserError, say
from esnkit.cli._forecast_csv import check_paths, write_forecast
from esnkit.cli._progress import progress
from esnkit.cli._timestamps import Continuation, Timestamps
from esnkit.forecasting import PanelForecaster
from esnkit.forecasting._frames import LabelledSeries
from esnkit.forecasting._series_kind import interval_names

REFUSED = (
    "exog", "past_exog", "fill", "calendar", "country", "plot", "report", "quick", "best", "models",
    *SETTINGS,
)  # fmt: skip
HINT_AT_FILL = r", or [^,(]*--fill[^,(]*(?= \(|$)"  # in errors of one series


def forecast_panel(arguments) -> int:
    """Forecast every series of a CSV file; return the exit code."""
    check_panel_request(arguments)
    with progress("forecast", 1) as part, part(f"read {arguments.file}"):
        series, stamps = _read(arguments)
    with progress("forecast", 1) as part, part():
        model = PanelForecaster(
            horizon=arguments.horizon, positive=arguments.positive, random_state=arguments.seed
        ).fit(series)
        ahead = model.forecast(arguments.horizon, arguments.interval)
    _report(model)
    write_forecast(arguments.out, _columns(arguments, ahead, stamps))
    return 0


def check_panel_request(arguments) -> None:
    """Check what can be checked before reading."""
    for option in ("column", "horizon"):
        if getattr(arguments, option) is None:
            raise UserError(f"--{option} must be given with a FILE")
    for name in REFUSED:
        if getattr(arguments, name) not in (None, [], False):
            option = "units" if name == "n_units" else name.replace("_", "-")
            raise UserError(f"--{option} is for one series; leave it out with --id")
    names = [name for name in (arguments.id, arguments.time, arguments.column) if name is not None]
    added = interval_names(arguments.column)[1:] if arguments.interval else ()
    for name in names:
        if names.count(name) > 1 or name in added:
            raise UserError(f"column '{name}' is named twice among --id, --time and --column, or "
                            "has the name that an end of the interval gets")  # fmt: skip
    check_paths({"the input": arguments.file, "--out": arguments.out})


def _read(arguments) -> tuple[dict[str, LabelledSeries], dict[str, Continuation] | None]:
    """Return the series by id, with the time stamps that follow each."""
    path, time = arguments.file, arguments.time
    names = [arguments.id, arguments.column, *([] if time is None else [time])]
    try:
        lines, separator, texts = read_texts(path, names)
        numbers: dict[str, list[int]] = {}
        decimals = DecimalReader(separator)
        for row, (line, key) in enumerate(zip(lines, texts[0], strict=True)):
            if not key:
                raise UserError(f"line {line}: column '{arguments.id}' is empty")
            decimals.add(texts[1][row], arguments.column, line)
            numbers.setdefault(key, []).append(row)
        values = decimals.values()
        stamps = None if time is None else _continue(arguments, lines, texts[2], numbers)
    except UserError as error:  # name the file in an error that does not
        text = re.sub(HINT_AT_FILL, "", str(error))
        named = text.startswith((path, f"cannot read {path}"))
        raise UserError(text if named else f"{path}, {text}") from None
    return {
        key: LabelledSeries(values[rows], None if stamps is None else stamps[key].labels)
        for key, rows in numbers.items()
    }, stamps


def _continue(arguments, lines, texts, numbers: dict[str, list[int]]) -> dict[str, Continuation]:
    """Continue the time stamps of every series; those that are written alike are read once."""
    known: dict[tuple, Continuation] = {}
    found = {}
    for key, rows in numbers.items():
        written = tuple(texts[row] for row in rows)
        if written not in known:
            stamps = Timestamps(arguments.time)
            try:
                for row in rows:
                    stamps.add(texts[row], lines[row])
                known[written] = stamps.future(len(rows), arguments.horizon)
            except UserError as error:
                raise UserError(f"{error} (series '{key}')") from None
        found[key] = known[written]
    return found


def _report(model: PanelForecaster) -> None:
    """Print on standard error what was forecast, and errors beside those of a baseline."""
    seasons = ", ".join(f"{period:g}" for period in model.seasons_) or "none"
    say(f"{model.n_features_in_} series; seasons: {seasons} (time steps)")
    say(f"error of rolling forecasts, {model.horizon_} steps ahead, in mean changes of the series:")
    for name, error in {"networks fitted to all": model.error_, **model.baselines_}.items():
        say(f"  {error:<10.4g}  {name}")


def _columns(arguments, ahead: dict, stamps: dict[str, Continuation] | None) -> dict:
    """Return the columns of the output: id, time, forecast and the ends of its interval."""
    n_steps = arguments.horizon
    columns: dict = {arguments.id: [key for key in ahead for _ in range(n_steps)]}
    if stamps is not None:
        columns[arguments.time] = [text for key in ahead for text in stamps[key].written]
    parts = np.concatenate([np.atleast_2d(part) for part in ahead.values()], axis=1)
    names = interval_names(arguments.column)[: len(parts)]
    return columns | dict(zip(names, parts, strict=True))
