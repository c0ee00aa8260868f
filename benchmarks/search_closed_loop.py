"""Search for settings of closed loops: 60 trials of Optuna beside a grid of 600.

    python benchmarks/search_closed_loop.py [--quick] [--seeds 5]

Mackey-Glass with tau = 17, squashed as in accuracy_mackey_glass.py. The score is NRMSE84 of free
runs by recycle validation (Racca and Magri 2021): the network is trained on the whole series of
4000 steps, and runs freely from four origins in each of five windows within it. The grid has five
spectral radii, four leak rates, five input scalings and six penalties; the trials draw from the
same ranges. Scikit-learn's search fits once for every window, those of esnkit once for all. All
times are CPU seconds in one thread, with the fit of the best settings. Each seed has another
reservoir, series and sampler.

The last column is NRMSE84 of the best settings on 50 segments of another series, as in
accuracy_mackey_glass.py.
"""

import time

import numpy as np
from _accuracy import bootstrap_median, parse, print_goal
from accuracy_mackey_glass import make_series, nrmse84, squash
from scipy.stats import loguniform, uniform
from sklearn.model_selection import GridSearchCV

from esnkit import ESNRegressor
from esnkit.model_selection import (
    RecycleValidation,
    ReservoirRandomizedSearchCV,
    ReservoirSearchCV,
    nrmse_at,
)

GRID = {
    "spectral_radius": (0.6, 0.75, 0.9, 1.05, 1.2),
    "leak_rate": (0.4, 0.6, 0.8, 1.0),
    "input_scaling": (0.3, 0.6, 0.9, 1.2, 1.5),
    "alpha": (1e-16, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6),
}
SPACE = {
    "spectral_radius": uniform(0.6, 0.6),
    "leak_rate": uniform(0.4, 0.6),
    "input_scaling": uniform(0.3, 1.2),
    "alpha": loguniform(1e-16, 1e-6),
}
N_TRAIN, WASHOUT, HORIZON = 4000, 500, 84
N_WINDOWS, N_RUNS, STRIDE = 5, 4, 140  # a free run starts every 140 steps of a window
TEST = 10_000  # added to the seed of the training series


def run(search, train, test):
    """Return CPU seconds, log10 of the best validation score, and that of the test."""
    start = time.process_time()
    search.fit(train[:-1], train[1:])
    seconds = time.process_time() - start
    error = nrmse84(search.best_estimator_, test, n_starts=50)
    return seconds, np.log10(-search.best_score_), np.log10(error)


def searches(model, seed, quick):
    """Return the searches, by name."""
    length = HORIZON + (N_RUNS - 1) * STRIDE
    cv = RecycleValidation(N_WINDOWS, horizon=length, stride=N_TRAIN // (N_WINDOWS + 1))
    shared = {"scoring": nrmse_at(HORIZON, n_windows=N_RUNS, stride=STRIDE), "cv": cv}
    grid = {name: values[:2] for name, values in GRID.items()} if quick else GRID
    n_grid = int(np.prod([len(values) for values in grid.values()]))
    trials = {"n_iter": 8 if quick else 60, "random_state": seed} | shared
    return {
        f"GridSearchCV, {n_grid}": GridSearchCV(model, grid, **shared),
        f"ReservoirSearchCV, {n_grid}": ReservoirSearchCV(model, grid, **shared),
        f"Optuna, {trials['n_iter']}": ReservoirRandomizedSearchCV(
            model, SPACE, search="optuna", **trials
        ),
        f"random, {trials['n_iter']}": ReservoirRandomizedSearchCV(model, SPACE, **trials),
    }


def main():
    options = parse(__doc__)
    rows = {}
    for seed in range(options.seeds or (1 if options.quick else 5)):
        train = squash(make_series(N_TRAIN + 1, seed))
        test = make_series(50 * (1000 + HORIZON), TEST + seed)
        model = ESNRegressor(50 if options.quick else 200, washout=WASHOUT, random_state=seed)
        model.fit(train[:-1], train[1:])  # compiles
        for name, search in searches(model, seed, options.quick).items():
            rows.setdefault(name, []).append(run(search, train, test))
            print(f"{name:26}" + "{:10.2f}{:10.3f}{:10.3f}".format(*rows[name][-1]), flush=True)
    print(f"\n{'median':26}{'CPU s':>10}{'log10 NRMSE84':>26}{'on another series':>26}")
    for name, values in rows.items():
        seconds, *errors = np.transpose(values)
        spread = "".join(
            "{1:12.2f} ({0:.2f}, {2:.2f})".format(*bootstrap_median(e)) for e in errors
        )
        print(f"{name:26}{np.median(seconds):10.2f}{spread}")
    if not options.quick:
        print_goals(*(np.array(values) for values in rows.values()))


def print_goals(grid, shared, trials, random):
    """Print the goals of the trials beside the grid of scikit-learn's search."""
    print_goal("Optuna - grid, log10 NRMSE84", np.median(trials[:, 1] - grid[:, 1]), "<=", 0.2)
    print_goal("time of Optuna / grid", np.median(trials[:, 0] / grid[:, 0]), "<=", 0.1)


if __name__ == "__main__":
    main()
