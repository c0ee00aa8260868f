"""Forecast hourly bike rentals in Washington, D.C., one week ahead.

The calendar of the forecast week (working days and hours of the day) is known in advance, so it is
the exogenous input. The forecast is the mean of five echo state networks with different seeds; the
interval is conformal, from their past forecast errors. The variance of the rentals grows with their
number, so the model is fitted to square roots.

You learn how to use `Forecaster` with an ensemble, exogenous inputs and prediction intervals, and
how to backtest it over eight weeks against the seasonal naive forecast.

Writes forecast_series.png.
"""

import matplotlib.pyplot as plt
import numpy as np

from esnkit import ESNRegressor, Forecaster
from esnkit.datasets import load_bike_sharing
from esnkit.metrics import mase, nrmse
from esnkit.plotting import ForecastDisplay

WEEK, N_WEEKS = 168, 8

bikes = load_bike_sharing()
rentals, calendar, root = bikes.target, bikes.data, np.sqrt(bikes.target)
network = ESNRegressor(
    n_units=500,
    spectral_radius=1.1,
    leak_rate=0.98,
    input_scaling=0.07,
    bias_scaling=0.3,
    alpha=0.01,
    washout=100,
    random_state=0,
)
model = Forecaster(network, n_ensemble=5)
test_start = len(rentals) - N_WEEKS * WEEK
train, observed = rentals[:test_start], rentals[test_start:]

backtest = model.backtest(root, WEEK, N_WEEKS, exog=calendar)
forecasts = {
    "echo state networks": np.maximum(backtest.forecasts, 0).ravel() ** 2,
    "seasonal naive (week before)": rentals[test_start - WEEK : -WEEK],
}
print(f"backtest: {N_WEEKS} forecasts of a week   NRMSE (std)  MASE (weekly)")
for name, forecast in forecasts.items():
    error = nrmse(observed, forecast)
    scaled_error = mase(observed, forecast, train, period=WEEK)
    print(f"{name:33}  {error:11.3f}  {scaled_error:13.3f}")

# The picture shows the first week of the backtest, with an interval.
week = slice(test_start, test_start + WEEK)
week_before = slice(test_start - WEEK, test_start)
model.fit(root[:test_start], exog=calendar[:test_start])
roots = model.forecast(WEEK, exog=calendar[week], interval=0.9)
forecast, lower, upper = (np.maximum(values, 0) ** 2 for values in roots)
coverage = np.mean((lower <= rentals[week]) & (rentals[week] <= upper))
print(f"the 90 % interval covers {coverage:.0%} of the hours of the week in the picture")

figure, axes = plt.subplots(figsize=(12, 4.5), layout="constrained")
ForecastDisplay.from_predictions(
    rentals[week_before],
    forecast,
    lower,
    upper,
    observed=rentals[week],
    history_times=bikes.time[week_before],
    times=bikes.time[week],
    name="bikes rented per hour",
    interval=0.9,
    ax=axes,
)
figure.savefig("forecast_series.png", dpi=150)
print("wrote forecast_series.png")
