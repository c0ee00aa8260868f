"""`esnkit forecast FILE.csv`: read, choose, fit, forecast."""

import warnings
from typing import Any

import numpy as np

from esnkit.baselines._naive import seasonal_naive, seasons
from esnkit.cli._csv import Table
from esnkit.cli._errors import UserError
from esnkit.forecasting._conformal import IntervalError
from esnkit.forecasting._differencing import check_differences, difference

DEFAULTS: dict[str, Any] = {
    "n_units": 300,
    "spectral_radius": 0.9,
    "leak_rate": 0.7,
    "input_scaling": 0.3,
    "bias_scaling": 0.3,
    "alpha": 1.0,
    "differences": 0,
}
# Leave-one-out judges single steps, and takes penalties under which a long forecast runs away.
ALPHAS = [1e-6, 1e-3, 1.0, 30.0, 1000.0]
SEARCH: dict[str, list] = {
    "spectral_radius": [0.5, 0.7, 0.9, 0.99, 1.1],
    "leak_rate": [0.1, 0.3, 0.7, 1.0],
    "input_scaling": [0.05, 0.1, 0.3, 1.0],
    "bias_scaling": [0.0, 0.3, 1.0],
    "alpha": [1e-6, 1e-4, 1e-2, 1.0, 30.0, 1000.0],
}
MEMBERS, DRAWN, LEAST_ROWS = 5, 30, 10
MOST_ROWS = 20_000  # before the end, on which settings are compared
NEAR = 1.05  # settings whose error is so many times the least at most are as good
# values near the largest float, whose sums are not finite, or a candidate that diverges
_HUGE_VALUES = np.errstate(over="ignore", invalid="ignore")


def make_forecaster(settings: dict, seed: int, members: int = MEMBERS):
    """Return an unfitted forecaster with the settings of the command line."""
    from esnkit import ESNRegressor, Forecaster

    network = {key: value for key, value in settings.items() if key != "differences"}
    return Forecaster(
        ESNRegressor(**network),
        differences=settings["differences"],
        n_ensemble=members,
        combine="median",
        random_state=seed,
    )


def check_length(table: Table, horizon: int, path: str, differences=None) -> None:
    """Raise if a series cannot be forecast so far, differenced so, or lacks inputs to come."""
    lags = check_differences(differences or 0)
    needed = horizon + LEAST_ROWS + sum(lags)
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
            f"{path} must end with {horizon} rows that give the --exog columns of the time to "
            f"come and leave '{table.name}' empty, found {n_ahead}"
        )


def candidates(table: Table, given: dict, seed: int, tuned: bool) -> list[dict]:
    """Return the settings to compare: all penalties and differences, and more for `--tune`."""
    lags = [(season,) for season in seasons(table.values[_before_end(table)])]
    differences = [0, 1, *lags, *((*lag, 1) for lag in lags)]
    tried: list[dict] = [{}, *({"alpha": a, "differences": d} for d in differences for a in ALPHAS)]
    rng, choices = np.random.default_rng(seed), SEARCH | {"differences": differences}
    for _ in range(DRAWN if tuned else 0):
        tried.append({key: several[rng.integers(len(several))] for key, several in choices.items()})
    settings = [DEFAULTS | drawn | given for drawn in tried]
    return [one for k, one in enumerate(settings) if one not in settings[:k]]


def _before_end(table: Table) -> slice:
    """Rows on which settings are chosen: those before the end, which judges them."""
    stop = table.n_known - _span(table.n_known)
    return slice(max(0, stop - MOST_ROWS), stop)


def _span(n_rows: int) -> int:
    """Return how many of the rows are the end; those of a Forecaster's intervals, too."""
    return max(1, n_rows * 3 // 10)


def _windows(n_rows: int, horizon: int, span: int) -> dict[str, int]:
    """Return the rolling forecasts of the last `span` rows, some twenty."""
    horizon = min(horizon, span)
    stride = max(1, (span - horizon) // 19)
    return {"horizon": horizon, "n_windows": (span - horizon) // stride + 1, "stride": stride}


@_HUGE_VALUES
def rank(table: Table, horizon: int, tried: list[dict], seed: int, step=lambda label: None):
    """Compare settings by rolling forecasts of what came before the end.

    Returns
    -------
    list of (nrmse, settings)
        Best first, but for those that are about as good and have a larger penalty; infinite where
        the series cannot be forecast so. NRMSE: the root mean squared error over the standard
        deviation of the rows.
    """
    rows, ranking = _before_end(table), []
    values = table.values[rows]
    windows = _windows(len(values), horizon, _span(len(values)))
    for k, settings in enumerate(tried):
        step(f"settings {k + 1}")
        model = make_forecaster(settings, seed, members=1)
        ranking.append((_backtest_error(model, table, rows, windows), k))
    ranking.sort()
    near = [item for item in ranking if item[0] <= NEAR * ranking[0][0] < np.inf]
    first = max(near, key=lambda item: tried[item[1]]["alpha"], default=ranking[0])
    return [(e, tried[k]) for e, k in [first, *(item for item in ranking if item != first)]]


@_HUGE_VALUES
def judge(table: Table, horizon: int, settings: dict, seed: int) -> tuple[str, dict[str, float]]:
    """Forecast the end, of which the settings know nothing.

    Returns
    -------
    what : str
        What was forecast, in words.
    errors : dict of str: float
        NRMSE of the network, of the last value and of the last seasons, repeated.
    """
    before = _before_end(table)
    rows, span = slice(before.start, table.n_known), table.n_known - before.stop
    values = table.values[rows]
    windows = _windows(len(values), horizon, span)
    model = make_forecaster(settings, seed)
    errors = {"the network": _backtest_error(model, table, rows, windows)}
    ahead, n_windows = windows["horizon"], windows["n_windows"]
    origins = len(values) - ahead - windows["stride"] * np.arange(n_windows)
    truths = np.stack([values[t : t + ahead] for t in origins])
    for season in [1, *seasons(table.values[before])]:
        repeated = np.stack([seasonal_naive(values[:t], ahead, season) for t in origins])
        name = "the last value" if season == 1 else f"the last {season} steps"
        errors[f"{name}, repeated"] = _error(values, repeated, truths)
    times = "once" if n_windows == 1 else f"{n_windows} times"
    return f"the last {span} rows, {ahead} steps ahead, {times}", errors


def _backtest_error(model, table: Table, rows: slice, windows: dict[str, int]) -> float:
    values = table.values[rows]
    exog = table.exog[rows] if table.exog.shape[1] else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the error tells what runs away
            result = model.backtest(values, exog=exog, **windows)
        return _error(values, result.forecasts, result.truths)
    except (FloatingPointError, ValueError, np.linalg.LinAlgError):
        return np.inf


def _error(values: np.ndarray, forecasts: np.ndarray, truths: np.ndarray) -> float:
    largest = np.abs(values).max() or 1.0  # squares must not overflow
    error = np.sqrt(np.mean((forecasts / largest - truths / largest) ** 2))
    return float(error / (np.std(values / largest) or 1.0))


def forecast_table(table: Table, horizon: int, ranking: list, seed: int, interval):
    """Fit on all rows and forecast with the first settings under which nothing runs away.

    Returns
    -------
    settings : dict
    parts : list of one array, or three with an interval
    """
    usable = [settings for error, settings in ranking if error < np.inf] or [ranking[0][1]]
    for settings in usable:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                return settings, _forecast(table, horizon, settings, seed, interval)
        except (RuntimeWarning, FloatingPointError):
            continue
    return usable[0], _forecast(table, horizon, usable[0], seed, interval)


@_HUGE_VALUES
def _forecast(table: Table, horizon: int, settings: dict, seed: int, interval) -> list:
    model = make_forecaster(settings, seed)
    known, exog = table.n_known, table.exog
    model.fit(table.values, exog=exog[:known] if exog.shape[1] else None)
    ahead = exog[known : known + horizon] if exog.shape[1] else None
    if interval is None:
        return [model.forecast(horizon, ahead)]
    try:
        return list(model.forecast(horizon, ahead, interval))
    except IntervalError as error:
        raise UserError(
            f"--interval needs {error.args[0]}: use a longer series, or lower --interval, "
            "--horizon or --differences"
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
