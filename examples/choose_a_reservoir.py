"""Choose a reservoir: seven of them, of about a hundred features each, on four tasks.

Each task requires something else. The input of thirty steps ago requires memory and nothing else;
NARMA-10 products of inputs ten steps apart; the product of a slow and a fast average of the input
memories of two lengths; a free run of the Lorenz system an accurate map from one state to the next.
Spectral radius, input scaling and penalty of each reservoir (of `NVAR` delays, orders and penalty)
are chosen on the training rows. The errors are those on other rows, the medians of five seeds.

You learn how to exchange the reservoir of an estimator, how to search its parameters, and which
reservoir to try first. None is the best for everything: ES2N remembers longest of all that have
units, units of many leak rates serve tasks of several time scales, the default is good where inputs
are to be multiplied, and NVAR is hard to beat where a few delays and their products suffice. Layers
and parallel parts divide the same hundred units, which is no gain here.

Writes choose_a_reservoir.png.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter
from sklearn.base import clone
from sklearn.model_selection import TimeSeriesSplit

from esnkit import (
    NVAR,
    DeepReservoir,
    ParallelReservoir,
    Reservoir,
    ReservoirRegressor,
    ReservoirSearchCV,
    RidgeReadout,
)
from esnkit.analysis import memory_capacity
from esnkit.datasets import make_lorenz, make_narma
from esnkit.metrics import nrmse
from esnkit.model_selection import RecycleValidation, valid_time

N_TRAIN, WASHOUT, SEEDS = 2000, 100, range(5)
LORENZ = {"dt": 0.02, "lyapunov_exponent": 0.9056}
TIME_SCALES = {"leak_rate": [1.0, 0.3, 0.1, 0.03]}
RESERVOIRS = {
    "default": Reservoir(100),
    "cycle": Reservoir(100, topology="cycle"),
    "slow and fast": Reservoir(100, leak_rate=(0.01, 1.0)),
    "ES2N": Reservoir(100, update="es2n", leak_rate=0.1),
    "deep, 4 x 25": DeepReservoir(Reservoir(25), 4),
    "parallel, 4 x 25": ParallelReservoir(Reservoir(25), 4, reservoir_params=TIME_SCALES),
    "NVAR": NVAR(),
}


def grids_of(reservoir):
    """Return the parameters to try: 18 candidates each."""
    alphas = {"readout__alpha": [1e-9, 1e-6, 1e-3]}
    if isinstance(reservoir, NVAR):
        squares = {"reservoir__delays": [2, 4, 12], "reservoir__orders": [(1, 2)]}
        lines = {"reservoir__delays": [12, 32, 100], "reservoir__orders": [(1,)]}
        return [squares | alphas, lines | alphas]
    prefix = "reservoir__" if isinstance(reservoir, Reservoir) else "reservoir__reservoir__"
    radii = {f"{prefix}spectral_radius": [0.4, 0.9, 0.99]}
    scalings = {f"{prefix}input_scaling": [0.03, 0.3]}
    return [radii | scalings | alphas]


def fitted_with_seeds(reservoir, X, y, **options):
    """Choose parameters, and return an estimator with them for every seed."""
    model = ReservoirRegressor(
        reservoir,
        RidgeReadout(),
        include_input=not isinstance(reservoir, NVAR),
        washout=WASHOUT,
        random_state=0,
    )
    best = ReservoirSearchCV(model, grids_of(reservoir), **options).fit(X, y).best_estimator_
    return [clone(best).set_params(random_state=seed).fit(X, y) for seed in SEEDS]


def predict(reservoir, X, y):
    """Return the errors of all seeds, and their estimators."""
    known, rest = slice(0, N_TRAIN), slice(N_TRAIN, None)
    models = fitted_with_seeds(reservoir, X[known], y[known], cv=TimeSeriesSplit(3))
    return [nrmse(y[rest], model.predict(X)[rest]) for model in models], models


def run_freely(reservoir, series):
    """Return the valid times of the free runs of all seeds, in Lyapunov times."""
    X, y = series[:-1], series[1:]
    models = fitted_with_seeds(
        reservoir, X[:N_TRAIN], y[:N_TRAIN],
        scoring=valid_time(200, **LORENZ), cv=RecycleValidation(3, horizon=200, warmup=WASHOUT),
    )  # fmt: skip
    score = valid_time(500, n_windows=4, std=series.std(axis=0), **LORENZ)
    return [score(model, X[N_TRAIN:], y[N_TRAIN:]) for model in models]


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


def average(values, rate):
    """Return an exponential moving average."""
    return standardised(lfilter([rate], [1.0, rate - 1.0], values))


noise = np.random.default_rng(0).uniform(-1.0, 1.0, (4000, 1))
u, narma = make_narma(4000, order=10, random_state=0)
lorenz = standardised(make_lorenz(4500, dt=LORENZ["dt"], random_state=0))
TASKS = {
    "recall of 30 steps": (noise, np.roll(noise[:, 0], 30)),
    "NARMA-10": (standardised(u), narma),
    "slow x fast average": (noise, average(noise[:, 0], 0.01) * average(noise[:, 0], 0.3)),
    "Lorenz, free run": None,
}

print(f"{'':18}{'memory':>8}" + "".join(f"{task:>26}" for task in TASKS))
table = {}
for name, reservoir in RESERVOIRS.items():
    (recall, models), *others = (predict(reservoir, *data) for data in TASKS.values() if data)
    memory = memory_capacity(models[0], max_delay=150, n_timesteps=3000, random_state=0).capacity
    table[name] = [recall, *(errors for errors, _ in others), run_freely(reservoir, lorenz)]
    cells = [f"{np.median(v):.3f} ({min(v):.3f} to {max(v):.3f})" for v in table[name]]
    print(f"{name:18}{memory:8.0f}" + "".join(f"{cell:>26}" for cell in cells))
print("memory: capacity of at most 100, with the parameters for recall; NRMSE, and Lyapunov times")
print("of the free run: medians of five seeds, and the range")

figure, panels = plt.subplots(1, len(TASKS), figsize=(12, 3.6), layout="constrained", sharey=True)
names = list(table)
for column, (task, axes) in enumerate(zip(TASKS, panels, strict=True)):
    medians = [np.median(table[name][column]) for name in names]
    best = names[np.argmax(medians) if TASKS[task] is None else np.argmin(medians)]
    print(f"best for {task}: {best}")
    for row, name in enumerate(names):
        colour = "tab:blue" if name == best else "0.6"
        axes.barh(row, medians[row], 0.6, color=colour, alpha=0.5)
        axes.plot(table[name][column], [row] * len(SEEDS), ".", color=colour, markersize=5)
    axes.set_title(task, loc="left", fontsize=10)
    axes.set_xlabel(
        "Lyapunov times, larger is better" if TASKS[task] is None else "NRMSE, smaller is better"
    )
    axes.spines[["top", "right"]].set_visible(False)
figure.supxlabel("bars: medians of five seeds, which are the dots", fontsize=9)
panels[0].set_yticks(range(len(names)), names)
panels[0].invert_yaxis()
figure.savefig("choose_a_reservoir.png", dpi=150)
print("wrote choose_a_reservoir.png")
