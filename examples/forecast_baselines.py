"""Forecast hourly bike rentals in Washington, D.C., with simple models and a recurrent network.

At each midnight of the last eight weeks, every model forecasts the next 24 hours. The models differ
in what they remember: naive forecasts copy a value, a day or a week, the context parrot copies what
followed the most similar day, the autoregressive models and the feed-forward network see a window
of past hours, and the state of the echo state network depends on the whole past. The calendar
(working days and hours of the day) is an exogenous input of the last two.

You learn how to compare a model with baselines before you trust it: a linear regression on lags
that knows the calendar is hard to beat here.

Writes forecast_baselines.png.
"""

import matplotlib.pyplot as plt
import numpy as np

from esnkit import ESNRegressor, Forecaster
from esnkit.baselines import (
    AutoregressiveModel,
    ContextParrot,
    RidgeAutoregression,
    WindowMLP,
    drift,
    persistence,
    seasonal_naive,
)
from esnkit.datasets import load_bike_sharing
from esnkit.metrics import mase, nrmse

DAY, WEEK, N_DAYS = 24, 168, 56

bikes = load_bike_sharing()
series, calendar = np.sqrt(bikes.target), bikes.data  # square roots: their variance is even
origins = len(series) - DAY * np.arange(N_DAYS, 0, -1)
network = ESNRegressor(
    n_units=300,
    leak_rate=(0.2, 1.0),
    input_scaling=0.2,
    bias_scaling=0.3,
    alpha=0.01,
    washout=100,
    random_state=0,
)

functions = {
    "naive": persistence,
    "drift": drift,
    "seasonal naive, a day": lambda past, n_steps: seasonal_naive(past, n_steps, DAY),
    "seasonal naive, a week": lambda past, n_steps: seasonal_naive(past, n_steps, WEEK),
}
models = {
    "context parrot, a day": (ContextParrot(DAY), None),
    "autoregressive, order by AIC": (AutoregressiveModel(WEEK + 1), None),
    "window network, two days": (WindowMLP(2 * DAY, alpha=30, random_state=0), None),
    "ridge with lags, calendar": (RidgeAutoregression(2 * DAY), calendar),
    "echo state networks, calendar": (Forecaster(network, n_ensemble=5), calendar),
}
forecasts = {
    name: np.stack([forecast(series[:origin], DAY) for origin in origins])
    for name, forecast in functions.items()
}
for name, (model, inputs) in models.items():
    forecasts[name] = model.backtest(series, DAY, N_DAYS, exog=inputs).forecasts

observed, train = bikes.target[origins[0] :], bikes.target[: origins[0]]
print(f"{'mean of 56 forecasts of a day':30}  NRMSE  MASE (weekly)")
errors = {}
for name, roots in forecasts.items():
    rentals = np.maximum(roots.ravel(), 0) ** 2
    errors[name] = mase(observed, rentals, train, period=WEEK)
    print(f"{name:30}  {nrmse(observed, rentals):5.3f}  {errors[name]:13.3f}")

figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
axes.barh(list(errors), list(errors.values()))
axes.invert_yaxis()
axes.set_xlabel("MASE: mean absolute error / that of the week before, in the training series")
axes.axvline(1, color="black", linewidth=1)
figure.savefig("forecast_baselines.png", dpi=150)
print("wrote forecast_baselines.png")
