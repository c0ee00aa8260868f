"""`esnkit forecast` without a file: the series that ships with esnkit, against simple models.

The last 8 weeks are held out: at each of their midnights the next 24 hours are forecast from the
past and the calendar. Models that are fitted see square roots, which make the variance of counts
nearly constant. The forecast of the networks is the mean of two kinds: one with the calendar as
inputs, and one with a profile of the day for each kind of day and the values of 1, 2, 6, 7 and 14
days before, which are known for all 24 hours. Their settings and inputs were chosen by forecasts of
the 24 weeks before the held-out ones.
"""

from contextlib import nullcontext
from typing import Any

import numpy as np

from esnkit import ESNRegressor, Forecaster, RidgeReadout
from esnkit.baselines import autoregressive_order, persistence, seasonal_naive
from esnkit.cli._arguments import make_parser
from esnkit.cli._csv import check_writable
from esnkit.cli._errors import UserError
from esnkit.cli._plot import DEFAULT_PLOT, plot_format, write_plot
from esnkit.cli._progress import progress
from esnkit.datasets import load_bike_sharing
from esnkit.forecasting._seasonality import season_terms
from esnkit.metrics import mase, nrmse

DAY, WEEK, N_DAYS = 24, 168, 56
MAX_ORDER = 200
HARMONICS = 5  # of the day; up to 32 inputs run in the kernel that the other kind runs in
LAGS = (24, 25, 48, 144, 168, 169, 336)  # in hours, none below the 24 that are forecast
COMMON = {"spectral_radius": 0.9, "bias_scaling": 0.3}
SETTINGS: tuple[dict[str, Any], dict[str, Any]] = (
    {"n_units": 500, "leak_rate": (0.2, 1.0), "input_scaling": 0.2, "alpha": 0.01},
    {"n_units": 300, "leak_rate": (0.05, 1.0), "input_scaling": 0.1, "alpha": 3.0, "washout": 350},
)
N_MEMBERS = 5  # of each kind
SIZES, PLOT_SIZE = (0.1, 0.1, 1, 2, 2), 6  # relative times of the models and of the plot
TABLE = """\
Hourly bike rentals in Washington, D.C., 2011: {n_hours} hours (Capital Bikeshare data from
the UCI repository, CC BY 4.0). At each midnight of the last 8 weeks, the models forecast
the next 24 hours. "With calendar" means that working days and the time of day are given
as exogenous inputs. Half of the networks also have the values of the same hours on days
and weeks before as inputs. Models were fitted, and settings chosen, on the weeks before;
which kinds of model to show was decided on the last 8 weeks too.

  {blank:50} {nrmse:>7} {mase:>7}
{rows}

Lower is better. NRMSE is the root mean squared error divided by the standard deviation of
the hours forecast: 1 is no better than always forecasting their mean. MASE is the mean
absolute error divided by the mean absolute change from one week to the next in the weeks
before: below 1 is better than repeating the last week."""


def run_demo(arguments) -> int:
    """Forecast the series, print the table, draw the plot; return the exit code."""
    _refuse_options_of_files(arguments)
    path = arguments.plot or DEFAULT_PLOT
    file_format = plot_format(path, required=arguments.plot is not None)
    if file_format:
        check_writable(path, "--plot")
    bikes = load_bike_sharing()
    with progress("forecast", sum(SIZES) + PLOT_SIZE) as part:
        scores = compare(bikes, arguments.seed, part)
        with part("plot", PLOT_SIZE):
            display = draw(bikes, arguments.seed) if file_format else None
    print(table(scores, len(bikes.target)))
    if display is None or file_format is None:
        print("\nNo plot: it needs matplotlib (pip install 'esnkit[plot]').")
        return 0
    with progress("forecast", 1) as part, part("plot"):
        write_plot(path, display, file_format)
    print(f"\nThe last week, each day as forecast at its midnight, with a 90 % interval: {path}")
    return 0


def _refuse_options_of_files(arguments) -> None:
    defaults = vars(make_parser().parse_args(["forecast"]))
    for key, value in vars(arguments).items():
        if key not in ("file", "plot", "seed") and value != defaults[key]:
            option = "--units" if key == "n_units" else f"--{key.replace('_', '-')}"
            raise UserError(f"{option} needs a FILE to forecast")


def forecast_with_networks(bikes, n_days: int, seed: int, interval=None) -> list[np.ndarray]:
    """Forecast the last days, each at its midnight: the mean of both kinds of network.

    Returns
    -------
    list of ndarray of shape (24 * n_days,)
        Bikes rented; with `interval` also its lower and upper end.
    """
    root, results = np.sqrt(bikes.target), []
    for settings, exog in zip(SETTINGS, (bikes.data, make_inputs(bikes)), strict=True):
        network = ESNRegressor(**COMMON, **settings)
        forecaster = Forecaster(network, n_ensemble=N_MEMBERS, random_state=seed)
        results.append(forecaster.backtest(root, DAY, n_days, exog=exog, interval=interval))
    names = ("forecasts",) if interval is None else ("forecasts", "lower", "upper")
    means = [np.mean([result[name] for result in results], axis=0) for name in names]
    return [np.maximum(mean.ravel(), 0.0) ** 2 for mean in means]


def make_inputs(bikes) -> np.ndarray:
    """Return the inputs (n_hours, n_inputs) of the second kind, all known a day in advance.

    They are the calendar, sines and cosines of the day, the same times 1 on working days and 0 on
    others, and square roots of earlier values.
    """
    root, hours = np.sqrt(bikes.target), np.arange(len(bikes.target))
    day = season_terms(((DAY, HARMONICS),), hours)
    # The first rows have no earlier values; the washout leaves them out.
    past = root[np.maximum(hours[:, None] - LAGS, 0)]
    return np.hstack([bikes.data, day, day * bikes.data[:, :1], past])


def compare(
    bikes, seed: int, part=lambda name, size: nullcontext()
) -> dict[str, tuple[float, float]]:
    """Score all models on the held-out days: name of the model to ``(nrmse, mase)``."""
    n_train = len(bikes.target) - N_DAYS * DAY
    train, observed = bikes.target[:n_train], bikes.target[n_train:]
    scores = {}
    models = _models(bikes, n_train, seed)
    for (name, forecast), size in zip(models.items(), SIZES, strict=True):
        with part(name, size):
            ahead = forecast()
        scores[name] = nrmse(observed, ahead), mase(observed, ahead, train, period=WEEK)
    return scores


def _models(bikes, n_train: int, seed: int) -> dict:
    """Return functions that forecast the held-out days, by the names of their models."""
    target, root = bikes.target, np.sqrt(bikes.target)
    origins = range(n_train, len(target), DAY)

    def naive(rule, *period):
        return np.concatenate([rule(target[:origin], DAY, *period) for origin in origins])

    def fitted(forecaster, exog=None):
        windows = forecaster.backtest(root, DAY, N_DAYS, exog=exog).forecasts
        return np.maximum(windows.ravel(), 0.0) ** 2

    order = autoregressive_order(root[:n_train], MAX_ORDER)
    linear = Forecaster(RidgeReadout(alpha=0.0), lags=order)
    networks = f"{len(SETTINGS) * N_MEMBERS} echo state networks, with calendar"
    return {
        "naive (last value repeated)": lambda: naive(persistence),
        "seasonal naive (last week repeated)": lambda: naive(seasonal_naive, WEEK),
        f"autoregressive, order {order} by AIC": lambda: fitted(linear),
        f"autoregressive, order {order}, with calendar": lambda: fitted(linear, bikes.data),
        networks: lambda: forecast_with_networks(bikes, N_DAYS, seed)[0],
    }


def table(scores: dict[str, tuple[float, float]], n_hours: int) -> str:
    """Return the scores as text, one model a line, with what they mean."""
    rows = [f"  {name:50} {error:7.3f} {scaled:7.3f}" for name, (error, scaled) in scores.items()]
    text = {"n_hours": n_hours, "blank": "", "nrmse": "NRMSE", "mase": "MASE"}
    return TABLE.format(rows="\n".join(rows), **text)


def draw(bikes, seed: int, n_days: int = 7):
    """Draw the last days, each as forecast at its midnight, with a 90 % interval."""
    from esnkit.plotting import ForecastDisplay

    start = len(bikes.target) - n_days * DAY
    windows = forecast_with_networks(bikes, n_days, seed, interval=0.9)
    past = slice(start - 4 * DAY, start)
    return ForecastDisplay.from_predictions(
        bikes.target[past],
        *windows,
        observed=bikes.target[start:],
        history_times=bikes.time[past],
        times=bikes.time[start:],
        name="bikes rented in the hour",
        interval=0.9,
    )
