"""Forecast a chaotic system: the Lorenz equations in closed loop.

The network is trained to predict the next state of the system from 80 time units of data. In closed
loop each prediction is the next input. Small errors grow by a factor of e per Lyapunov time (1.1
time units), so the valid prediction time measures how small the first error is.

You learn how to generate a series in closed loop and how to score it. Twenty Lyapunov times require
an accurate readout: with a tiny penalty `alpha` the solver uses an orthogonal factorisation, which
does not square the condition number of the states.

Writes lorenz_closed_loop.png.
"""

import matplotlib.pyplot as plt
import numpy as np

from esnkit import ESNRegressor
from esnkit.datasets import make_lorenz
from esnkit.metrics import valid_prediction_time
from esnkit.plotting import AttractorDisplay

DT, LYAPUNOV_EXPONENT = 0.01, 0.9056

series = make_lorenz(11_501, dt=DT, random_state=0)
train, observed = series[:8001], series[8001:]
mean, scale = train.mean(axis=0), train.std()

model = ESNRegressor(
    n_units=1000,
    spectral_radius=0.4,
    input_scaling=0.3,
    bias_scaling=0.3,
    alpha=1e-22,
    washout=100,
    random_state=0,
)
model.fit((train[:-1] - mean) / scale, (train[1:] - mean) / scale)
forecast = mean + scale * model.generate(len(observed))

valid_time = valid_prediction_time(
    observed,
    forecast,
    dt=DT,
    threshold=0.3,
    lyapunov_exponent=LYAPUNOV_EXPONENT,
    std=train.std(axis=0),
)
print(f"valid prediction time: {valid_time:.1f} Lyapunov times")

time = np.arange(len(observed)) * DT * LYAPUNOV_EXPONENT
figure = plt.figure(figsize=(11, 6), layout="constrained")
grid = figure.add_gridspec(3, 2, width_ratios=(2, 1))
for row, name in enumerate("xyz"):
    axes = figure.add_subplot(grid[row, 0])
    axes.plot(time, observed[:, row], color="0.6", linewidth=2.5, label="Lorenz system")
    axes.plot(time, forecast[:, row], color="tab:blue", linewidth=1, label="forecast (closed loop)")
    axes.axvline(
        valid_time, color="tab:red", linewidth=1, linestyle="--", label="valid prediction time"
    )
    axes.set_ylabel(name)
    axes.spines[["top", "right"]].set_visible(False)
    if row == 0:
        axes.legend(loc="lower left", ncols=3, frameon=False, bbox_to_anchor=(0, 1))
axes.set_xlabel("Lyapunov times after the last training step")
attractor = figure.add_subplot(grid[:, 1])
AttractorDisplay.from_series(
    {"Lorenz system": observed, "closed loop": forecast}, columns=[0, 2], axes=attractor
)
attractor.set(xlabel="x", ylabel="z")
figure.savefig("lorenz_closed_loop.png", dpi=150)
print("wrote lorenz_closed_loop.png")
