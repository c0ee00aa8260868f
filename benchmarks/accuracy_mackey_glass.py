"""Mackey-Glass, tau = 17: error 84 steps ahead in closed loop, NRMSE84.

    python benchmarks/accuracy_mackey_glass.py [--quick] [--select] [--seeds 10]

The definition is that of Jaeger (2001), GMD report 148, section 4.2: the Euler recurrence with a
step of 0.1, every tenth value kept and squashed by tanh(y - 1); 3000 training steps, the first
1000 of which are a washout; the model then hears 1000 steps of a run of its own, and goes on
alone for 84. NRMSE84 is the root of the mean squared error of the 84th step over 50 such starts,
in the original coordinates, divided by the standard deviation of the original series. Every seed
has its own reservoir and three training runs of its own, each of which gives a model and a score;
the run that is tested on belongs to no training.

Published, N = 1000: 10^-4.2 (Jaeger and Haas 2004, Science 304).

The settings below are what ``--select`` finds on validation data: reservoirs, training runs and a
run to score on that are different ones from all those of the table.
"""

import numpy as np
from _accuracy import free_run, heading, parse, row, select, show, verdict

from esnkit import ESNRegressor
from esnkit.datasets import make_mackey_glass

SETTINGS = {
    "spectral_radius": 0.8,
    "leak_rate": 0.7,
    "input_scaling": 0.85,
    "bias_scaling": 0.35,
    "alpha": 1e-18,
}
GRID = {
    "spectral_radius": (0.7, 0.8, 0.9, 1.0),
    "leak_rate": (0.5, 0.6, 0.7, 0.8, 1.0),
    "input_scaling": (0.5, 0.7, 0.85, 1.0, 1.3),
    "bias_scaling": (0.0, 0.2, 0.35, 0.5, 0.8),
    "alpha": (1e-14, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20),
}
N_TRAIN, WASHOUT, WARMUP, HORIZON = 3000, 1000, 1000, 84
TRAIN, TEST_RUN, VALIDATION_RUN, VALIDATION_SEED = 1000, 10_000, 20_000, 100


def run(n_timesteps, seed):
    """Return a run of the original series (n_timesteps, 1), with a history of its own."""
    return make_mackey_glass(n_timesteps, method="euler", random_state=seed)


def squash(y):
    return np.tanh(y - 1)


def unsquash(z):
    # Beyond +-1 there is no original value; a forecast that goes there is as wrong as can be.
    return np.arctanh(np.clip(np.nan_to_num(z, nan=1.0), -1 + 1e-12, 1 - 1e-12)) + 1


def nrmse84(model, y, n_starts=50):
    """Return NRMSE84 of a fitted model over consecutive pieces of the original series y."""
    length = WARMUP + HORIZON
    errors = []
    for piece in y[: n_starts * length].reshape(n_starts, length, 1):
        forecast = free_run(model, HORIZON, squash(piece[:WARMUP]))
        errors.append(unsquash(forecast[-1]) - piece[-1])
    return np.sqrt(np.mean(np.square(errors)) / y.var())


def fit(seed, n_units=1000, train=None, **settings):
    """Return a model of a training run, by default that of the seed."""
    z = squash(run(N_TRAIN + 1, seed if train is None else train))
    model = ESNRegressor(n_units, washout=WASHOUT, random_state=seed, **settings)
    return model.fit(z[:-1], z[1:])


def validate(n_units=1000, n_seeds=25, n_starts=20, **settings):
    """Return the median of log10 NRMSE84 over seeds, on validation data."""
    y = run(n_starts * (WARMUP + HORIZON), VALIDATION_RUN)
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + n_seeds)
    scores = [nrmse84(fit(seed, n_units, **settings), y, n_starts) for seed in seeds]
    return float(np.median(np.log10(scores)))


def main():
    options = parse(__doc__)
    n_units, n_starts = (200, 10) if options.quick else (1000, 50)
    seeds = range(options.seeds or (2 if options.quick else 10))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: validate(n_units, **s), GRID, SETTINGS)
    y = run(n_starts * (WARMUP + HORIZON), TEST_RUN)
    trains = range(1 if options.quick else 3)
    models = [[fit(seed, n_units, TRAIN * k + seed, **settings) for k in trains] for seed in seeds]
    scores = np.log10([[nrmse84(model, y, n_starts) for model in own] for own in models])
    solver = models[0][0].readout_.solver_
    print(f"\nN = {n_units}, {len(seeds)} seeds, {len(trains)} training runs, solver {solver}")
    print(show(settings))
    heading()
    middle = row("log10 NRMSE84, test", scores)
    if not options.quick:
        verdict("log10 NRMSE84, N = 1000", middle, "<=", -5.0)


if __name__ == "__main__":
    main()
