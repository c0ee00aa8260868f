"""Forecast a chaotic system on its own feet: the Lorenz equations in closed loop.

The network learns the next state of the system from 80 time units of it, then hears nothing but
its own answers. Small errors grow by a factor e every Lyapunov time (1.1 time units), so how long
the two curves stay together says how small the error at the start was. Twenty Lyapunov times need
an accurate readout: with a tiny penalty `alpha` the solver keeps all digits of the states by an
orthogonal factorisation.

Writes lorenz_closed_loop.png.
"""

import matplotlib.pyplot as plt
import numpy as np

from esnkit import ESNRegressor
from esnkit.datasets import make_lorenz
from esnkit.metrics import valid_prediction_time

DT, LYAPUNOV = 0.01, 0.9056

series = make_lorenz(11_501, dt=DT, random_state=0)
train, future = series[:8001], series[8001:]
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
forecast = mean + scale * model.generate(len(future))

valid = valid_prediction_time(
    future, forecast, dt=DT, threshold=0.3, lyapunov_exponent=LYAPUNOV, std=train.std(axis=0)
)
print(f"the forecast is valid for {valid:.1f} Lyapunov times")

time = np.arange(len(future)) * DT * LYAPUNOV
figure = plt.figure(figsize=(11, 6), layout="constrained")
grid = figure.add_gridspec(3, 2, width_ratios=(2, 1))
for row, name in enumerate("xyz"):
    axes = figure.add_subplot(grid[row, 0])
    axes.plot(time, future[:, row], color="0.6", linewidth=2.5, label="Lorenz system")
    axes.plot(time, forecast[:, row], color="tab:blue", linewidth=1, label="network alone")
    axes.axvline(valid, color="tab:red", linewidth=1, linestyle="--", label="valid until here")
    axes.set_ylabel(name)
    axes.spines[["top", "right"]].set_visible(False)
    if row == 0:
        axes.legend(loc="lower left", ncols=3, frameon=False, bbox_to_anchor=(0, 1))
axes.set_xlabel("Lyapunov times after the last training step")
space = figure.add_subplot(grid[:, 1])
space.plot(future[:, 0], future[:, 2], color="0.7", linewidth=0.8)
space.plot(forecast[:, 0], forecast[:, 2], color="tab:blue", linewidth=0.6)
space.set(xlabel="x", ylabel="z", title="the whole of both")
space.spines[["top", "right"]].set_visible(False)
figure.savefig("lorenz_closed_loop.png", dpi=150)
print("wrote lorenz_closed_loop.png")
