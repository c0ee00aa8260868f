"""`esnkit forecast` without a file: the series that ships with the package, against baselines.

The last 8 weeks are held out: at each of their midnights the next 24 hours are forecast
from the past and the calendar. The models that are fitted see square roots, the scale on
which counts vary alike. The settings of the network come from a random search scored on the 24
weeks before the held-out ones; what kind of model to take was compared on the held-out ones too.
"""

import numpy as np

from esnkit.baselines._naive import autoregressive_order, persistence, seasonal_naive

DAY, WEEK, N_DAYS = 24, 168, 56
HELD_OUT = N_DAYS * DAY
MAX_ORDER = 200
SETTINGS = {
    "n_units": 500,
    "spectral_radius": 0.9,
    "leak_rate": (0.2, 1.0),
    "input_scaling": 0.2,
    "bias_scaling": 0.3,
    "alpha": 0.01,
}
MEMBERS = 10


def network(seed: int):
    """Return the forecaster of the table."""
    from esnkit import ESNRegressor, Forecaster

    return Forecaster(ESNRegressor(**SETTINGS), n_ensemble=MEMBERS, random_state=seed)


def compare(bikes, seed: int, step=lambda label: None) -> dict:
    """Score all models on the held-out end.

    Returns
    -------
    dict
        Name of the model: ``(nrmse, mase)``.
    """
    from esnkit import Forecaster, RidgeReadout
    from esnkit.metrics import mase, nrmse

    target, inputs = bikes.target, bikes.data
    n_train = len(target) - HELD_OUT
    origins = range(n_train, len(target), DAY)
    root = np.sqrt(target)

    def naive(rule, *more):
        return np.concatenate([rule(target[:origin], DAY, *more) for origin in origins])

    def model(forecaster, exog=None):
        windows = forecaster.backtest(root, DAY, N_DAYS, exog=exog).forecasts
        return np.maximum(windows.ravel(), 0.0) ** 2

    order = autoregressive_order(root[:n_train], MAX_ORDER)
    linear = Forecaster(RidgeReadout(alpha=0.0), lags=order)
    rows = {
        "persistence": lambda: naive(persistence),
        "seasonal naive, one week": lambda: naive(seasonal_naive, WEEK),
        f"autoregressive, order {order} by AIC": lambda: model(linear),
        f"autoregressive, order {order}, with calendar": lambda: model(linear, inputs),
        f"echo state network, {MEMBERS} x {SETTINGS['n_units']} units": lambda: model(
            network(seed), inputs
        ),
    }
    truth, train, scores = target[n_train:], target[:n_train], {}
    for name, forecasts in rows.items():
        step(name)
        ahead = forecasts()
        scores[name] = nrmse(truth, ahead), mase(truth, ahead, train, period=WEEK)
    return scores


def print_table(scores: dict, n_hours: int) -> None:
    """Print the scores, one model a line."""
    print(f"Hourly bike rentals, Washington D.C., 2011: {n_hours} hours (Capital Bikeshare,")
    print("by way of the UCI repository, CC BY 4.0). Each midnight of the last 8 weeks the")
    print("next 24 hours are forecast. The network and the last autoregressive model know the")
    print("calendar. All were fitted, and settings ranked, on what came before these weeks; the")
    print("kind of model was compared on these weeks too.\n")
    print(f"  {'':42} {'NRMSE':>7} {'MASE':>7}")
    for name, (error, scaled) in scores.items():
        print(f"  {name:42} {error:7.3f} {scaled:7.3f}")
    print("\nNRMSE: by the standard deviation of the held-out hours. MASE: by the mean change")
    print("from week to week before them. Lower is better; 1 is no better than these.")


def draw(bikes, seed: int, n_days: int = 7):
    """Draw the last days, each as it was forecast at its midnight, with a 90 % interval."""
    from esnkit.plotting import ForecastDisplay

    root, start = np.sqrt(bikes.target), len(bikes.target) - n_days * DAY
    result = network(seed).backtest(root, DAY, n_days, exog=bikes.data, interval=0.9)
    parts = (result.forecasts, result.lower, result.upper)
    past = slice(start - 4 * DAY, start)
    return ForecastDisplay.from_predictions(
        bikes.target[past],
        *(np.maximum(part.ravel(), 0.0) ** 2 for part in parts),
        truth=bikes.target[start:],
        history_times=bikes.time[past],
        times=bikes.time[start:],
        name="bikes rented in the hour",
        interval=0.9,
    )
