"""`esnkit forecast FILE.csv`: read, choose, fit, forecast."""

from typing import Any

import numpy as np

from esnkit.cli.errors import UserError
from esnkit.cli.table import Table
from esnkit.differencing import check_differences, difference
from esnkit.intervals import IntervalError

# several penalties: the readout takes the best by leave-one-out
ALPHAS = [10.0**k for k in range(-8, 4)]
DEFAULTS: dict[str, Any] = {
    "n_units": 300,
    "spectral_radius": 0.9,
    "leak_rate": 0.7,
    "input_scaling": 0.3,
    "bias_scaling": 0.3,
    "alpha": ALPHAS,
    "differences": 0,
}
SEARCH: dict[str, list] = {
    "spectral_radius": [0.5, 0.7, 0.9, 0.99, 1.1],
    "leak_rate": [0.1, 0.3, 0.7, 1.0],
    "input_scaling": [0.05, 0.1, 0.3, 1.0],
    "bias_scaling": [0.0, 0.3, 1.0],
    "alpha": [1e-6, 1e-4, 1e-2, 1.0, 100.0, ALPHAS],
    "differences": [0, 1],
}
MEMBERS, CANDIDATES, LEAST_ROWS = 5, 30, 10
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


def tune(table: Table, horizon: int, given: dict, seed: int, step=lambda label: None):
    """Search settings at random, scored by rolling forecasts of the end of the series.

    Returns
    -------
    settings : dict
        Those given, and for the others the best found.
    ranking : list of (nrmse, settings)
        All candidates, best first. The first one tried are the defaults.
    """
    rng = np.random.default_rng(seed)
    values, exog = table.values, table.exog[: table.n_known]
    length = max(horizon, len(values) * 3 // 10)
    stride = max(1, (length - horizon) // 19)
    n_windows = (length - horizon) // stride + 1
    ranking = []
    for k in range(CANDIDATES):
        drawn = {key: choices[rng.integers(len(choices))] for key, choices in SEARCH.items()}
        settings = DEFAULTS | (drawn if k else {}) | given
        model = make_forecaster(settings, seed, members=1)
        step(f"candidate {k + 1}")
        ranking.append((_error(model, values, exog, horizon, n_windows, stride), k, settings))
    ranking.sort(key=lambda item: item[:2])
    if not np.isfinite(ranking[0][0]):
        raise UserError("--tune found no settings under which the series can be forecast")
    return ranking[0][2], [(error, settings) for error, _, settings in ranking]


@_HUGE_VALUES
def _error(model, values, exog, horizon: int, n_windows: int, stride: int) -> float:
    """Root mean squared error over the series' standard deviation, infinite if it diverges."""
    inputs = exog if exog.shape[1] else None
    try:
        result = model.backtest(values, horizon, n_windows, exog=inputs, stride=stride)
    except (FloatingPointError, ValueError, np.linalg.LinAlgError):
        return np.inf
    largest = np.abs(values).max() or 1.0  # squares must not overflow
    error = np.sqrt(np.mean(((result.forecasts - result.truths) / largest) ** 2))
    return float(error / (np.std(values / largest) or 1.0))


@_HUGE_VALUES
def forecast_table(table: Table, horizon: int, settings: dict, seed: int, interval):
    """Fit on all rows and forecast; returns a list of one array, or three with an interval."""
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
        elif not isinstance(value, list):
            words.append(f"--{option} {value:g}")
    return " ".join(words)
