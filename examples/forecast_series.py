"""Forecast a real series: hourly bike rentals in Washington, D.C., one week ahead.

The calendar of the coming week (which days are working days, what the clock says) is known, so it
goes in as exogenous input. Five networks with different seeds are averaged, the band is a conformal
interval from their own past errors, and a backtest over eight weeks says what to expect of it all.
Rentals vary more where there are many, so the model works on their square root.

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

test = model.backtest(root, WEEK, N_WEEKS, exog=calendar)
truth = rentals[-N_WEEKS * WEEK :]
before = rentals[: -N_WEEKS * WEEK]
candidates = {
    "echo state networks": np.maximum(test.forecasts, 0).ravel() ** 2,
    "the week before": rentals[-(N_WEEKS + 1) * WEEK : -WEEK],
}
print(f"{N_WEEKS} weeks, each forecast as a whole   NRMSE (std)  MASE (weekly)")
for name, answer in candidates.items():
    error, scaled = nrmse(truth, answer), mase(truth, answer, before, period=WEEK)
    print(f"{name:37}  {error:9.3f}  {scaled:11.3f}")

now = len(rentals) - N_WEEKS * WEEK  # the first of these weeks
week = slice(now, now + WEEK)
model.fit(root[:now], exog=calendar[:now])
parts = model.forecast(WEEK, exog=calendar[week], interval=0.9)
forecast, lower, upper = (np.maximum(part, 0) ** 2 for part in parts)
inside = np.mean((lower <= rentals[week]) & (rentals[week] <= upper))
print(f"{inside:.0%} of the hours in the picture lie within the 90 % interval")

figure, axes = plt.subplots(figsize=(12, 4.5), layout="constrained")
past = slice(now - WEEK, now)
ForecastDisplay.from_predictions(
    rentals[past],
    forecast,
    lower,
    upper,
    observed=rentals[week],
    history_times=bikes.time[past],
    times=bikes.time[week],
    name="bikes rented in an hour",
    interval=0.9,
    ax=axes,
)
figure.savefig("forecast_series.png", dpi=150)
print("wrote forecast_series.png")
