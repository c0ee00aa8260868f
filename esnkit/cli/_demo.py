"""`esnkit forecast` without a file: the series that ships with esnkit, against simple models.

The last 8 weeks are held out: at each of their midnights the next 24 hours are forecast from the
past and the calendar. Models that are fitted see square roots, which make the variance of counts
nearly constant. The settings of the network come from a random search scored on the 24 weeks before
the held-out ones; the kinds of model were compared on the held-out ones too.
"""

from contextlib import nullcontext

import numpy as np

from esnkit import ESNRegressor, Forecaster, RidgeReadout
from esnkit.baselines import autoregressive_order, persistence, seasonal_naive
from esnkit.cli._arguments import make_parser
from esnkit.cli._csv import check_writable
from esnkit.cli._errors import UserError
from esnkit.cli._plot import DEFAULT_PLOT, plot_format, write_plot
from esnkit.cli._progress import progress
from esnkit.datasets import load_bike_sharing
from esnkit.metrics import mase, nrmse

DAY, WEEK, N_DAYS = 24, 168, 56
MAX_ORDER = 200
SETTINGS = {
    "n_units": 500,
    "spectral_radius": 0.9,
    "leak_rate": (0.2, 1.0),
    "input_scaling": 0.2,
    "bias_scaling": 0.3,
    "alpha": 0.01,
}
N_MEMBERS = 10
SIZES, PLOT_SIZE = (0.1, 0.1, 1, 2, 2), 6  # relative times of the models and of the plot
TABLE = """\
Hourly bike rentals in Washington, D.C., 2011: {n_hours} hours (Capital Bikeshare data from
the UCI repository, CC BY 4.0). At each midnight of the last 8 weeks, the models forecast
the next 24 hours. "With calendar" means that working days and the time of day are given
as exogenous inputs. Models were fitted, and settings chosen, on the weeks before; which
kinds of model to show was decided on the last 8 weeks too.

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


def network(seed: int) -> Forecaster:
    """Return the echo state networks of the table."""
    return Forecaster(ESNRegressor(**SETTINGS), n_ensemble=N_MEMBERS, random_state=seed)


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
    networks = f"{N_MEMBERS} echo state networks of {SETTINGS['n_units']} units, with calendar"
    return {
        "naive (last value repeated)": lambda: naive(persistence),
        "seasonal naive (last week repeated)": lambda: naive(seasonal_naive, WEEK),
        f"autoregressive, order {order} by AIC": lambda: fitted(linear),
        f"autoregressive, order {order}, with calendar": lambda: fitted(linear, bikes.data),
        networks: lambda: fitted(network(seed), bikes.data),
    }


def table(scores: dict[str, tuple[float, float]], n_hours: int) -> str:
    """Return the scores as text, one model a line, with what they mean."""
    rows = [f"  {name:50} {error:7.3f} {scaled:7.3f}" for name, (error, scaled) in scores.items()]
    text = {"n_hours": n_hours, "blank": "", "nrmse": "NRMSE", "mase": "MASE"}
    return TABLE.format(rows="\n".join(rows), **text)


def draw(bikes, seed: int, n_days: int = 7):
    """Draw the last days, each as forecast at its midnight, with a 90 % interval."""
    from esnkit.plotting import ForecastDisplay

    root, start = np.sqrt(bikes.target), len(bikes.target) - n_days * DAY
    result = network(seed).backtest(root, DAY, n_days, exog=bikes.data, interval=0.9)
    windows = (result.forecasts, result.lower, result.upper)
    past = slice(start - 4 * DAY, start)
    return ForecastDisplay.from_predictions(
        bikes.target[past],
        *(np.maximum(part.ravel(), 0.0) ** 2 for part in windows),
        observed=bikes.target[start:],
        history_times=bikes.time[past],
        times=bikes.time[start:],
        name="bikes rented in the hour",
        interval=0.9,
    )
