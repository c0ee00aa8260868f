"""Learn in closed loop: FORCE, and a network that then generates a pattern by itself.

With `feedback="force"` the output of a network is fed back while a readout that learns at every
step, recursive least squares, keeps it near the target (Sussillo and Abbott 2009). Small errors are
in the loop from the start, so the network learns to be stable with them. It has no input: its
recurrent weights are strong enough for activity without any.

You learn how to train such a network step by step, how to watch its readout settle, and how to let
it run free. The targets are a sum of four sines and one channel of the Lorenz system, for which
`forgetting` keeps the readout able to change.

Writes force_learning.png.
"""

import matplotlib.pyplot as plt
import numpy as np

from esnkit import ESNRegressor
from esnkit.datasets import make_lorenz
from esnkit.readouts import RLSReadout

PERIOD, N_PERIODS = 120, 25
N_FREE = 6 * PERIOD
ORANGE, GREY = "#D55E00", "0.65"


def make_network(n_units, alpha, forgetting=1.0, **params):
    """Return a network that learns from its own feedback."""
    readout = RLSReadout(alpha, forgetting=forgetting)
    return ESNRegressor(
        n_units, leak_rate=0.3, feedback="force", readout=readout, include_input=False,
        random_state=1, **params,
    )  # fmt: skip


def no_input(n_steps):
    return np.zeros((n_steps, 1))


phase = 2 * np.pi * np.arange(N_PERIODS * PERIOD + N_FREE) / PERIOD
target = sum(a * np.sin(k * phase) for k, a in enumerate((1.0, 0.5, 0.25, 0.4), start=1))
n_train = N_PERIODS * PERIOD

network = make_network(200, 0.01, spectral_radius=1.5, bias_scaling=0.0)
outputs, changes, before = [], [], np.zeros(200)
for t in range(n_train):
    network.partial_fit(no_input(1), target[t : t + 1])
    outputs.append(network.last_state_[0, -1])  # the output that is fed back
    changes.append(np.linalg.norm(network.readout_.coef_ - before))
    before = network.readout_.coef_
free = network.generate(N_FREE, exog=no_input(N_FREE))[:, 0]
error = np.sqrt(np.mean((free - target[n_train:]) ** 2)) / target.std()
print(f"four sines: error of {N_FREE} free steps {error:.3f} standard deviations")

x = make_lorenz(8001 + 3000)[:, 0] / 8.0
chaotic = make_network(300, 1e-6, 0.999, spectral_radius=1.2)
chaotic.fit(no_input(8001), x[:8001])
free_x = chaotic.generate(3000, exog=no_input(3000))[:, 0]
print(f"Lorenz: standard deviation {free_x.std():.2f} of the free run, {x.std():.2f} of the target")

figure, axes = plt.subplots(3, 1, figsize=(10, 7), layout="constrained", height_ratios=(3, 2, 3))
shown = np.r_[0 : 5 * PERIOD, n_train - 2 * PERIOD : n_train]
time = np.arange(-len(shown), N_FREE) / PERIOD
axes[0].plot(time, np.r_[target[shown], target[n_train:]], color=GREY, linewidth=4, label="target")
axes[0].plot(time[: len(shown)], np.array(outputs)[shown], color="k", label="output, learning")
axes[0].plot(time[len(shown) :], free, color=ORANGE, label="output, free")
axes[0].set(ylabel="four sines", xlabel="periods (learning: the first 5 and last 2 of 25)")
axes[0].axvline(0, color="k", linewidth=0.8, linestyle="--")
axes[0].axvline(-2, color="k", linewidth=0.8, linestyle=":")
axes[0].legend(loc="lower left", ncols=3, frameon=False, bbox_to_anchor=(0, 1))
axes[1].semilogy(np.arange(n_train) / PERIOD, changes, color="k", linewidth=0.6)
axes[1].set(ylabel="change of the\nreadout in a step", xlabel="periods of learning")
lorenz_time = np.arange(3000) * 0.01 * 0.9056
axes[2].plot(lorenz_time, x[8001:], color=GREY, linewidth=4, label="Lorenz, x / 8")
axes[2].plot(lorenz_time, free_x, color=ORANGE, label="output, free")
axes[2].set(ylabel="Lorenz", xlabel="Lyapunov times after the last step of learning")
axes[2].legend(loc="lower left", ncols=2, frameon=False, bbox_to_anchor=(0, 1))
for axis in axes:
    axis.spines[["top", "right"]].set_visible(False)
figure.savefig("force_learning.png", dpi=150)
print("wrote force_learning.png")
