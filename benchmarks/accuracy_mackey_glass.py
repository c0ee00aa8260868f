"""Mackey-Glass, tau = 17: NRMSE 84 steps ahead in closed loop (NRMSE84).

    python benchmarks/accuracy_mackey_glass.py [--quick] [--select] [--seeds 10]

The definition is that of Jaeger (2001), GMD report 148, section 4.2: the Euler recurrence with a
step of 0.1, sampled at every tenth value and squashed by tanh(y - 1); 3000 training steps with a
washout of 1000; then, on another series, a warm-up of 1000 steps and 84 steps in closed loop.
NRMSE84 is the root mean squared error of the 84th step over 50 such segments, in the original
coordinates, divided by the standard deviation of the original series. Every seed has its own
reservoir and three pairs of a training and a test series; each pair gives a score.

Published, N = 1000: 10^-4.2 (Jaeger and Haas 2004, Science 304).

``--select`` finds the settings below on validation data: its reservoirs and series differ from
those of the table.
"""

import numpy as np
from _accuracy import (
    closed_loop,
    format_settings,
    parse,
    print_goal,
    print_header,
    print_row,
    select,
)

from esnkit import ESNRegressor
from esnkit.datasets import make_mackey_glass

SETTINGS = {
    "spectral_radius": 0.85,
    "leak_rate": 0.7,
    "input_scaling": 0.85,
    "bias_scaling": 0.35,
    "alpha": 1e-18,
}
GRID = {
    "spectral_radius": (0.7, 0.8, 0.85, 0.9, 1.0),
    "leak_rate": (0.5, 0.6, 0.65, 0.7, 0.8, 1.0),
    "input_scaling": (0.5, 0.7, 0.85, 1.0, 1.3),
    "bias_scaling": (0.0, 0.15, 0.25, 0.35, 0.5, 0.8),
    "alpha": (1e-14, 1e-16, 1e-17, 1e-18, 3e-19, 1e-19, 1e-20),
}
N_TRAIN, WASHOUT, WARMUP, HORIZON = 3000, 1000, 1000, 84
# Seed s trains on the series s, s + SERIES_STRIDE, ... and tests on the same numbers plus TEST.
# Validation uses the seeds from VALIDATION on.
SERIES_STRIDE, TEST, VALIDATION = 1000, 10_000, 500


def make_series(n_timesteps, seed):
    """Return the original series (n_timesteps, 1); its initial history depends on the seed."""
    return make_mackey_glass(n_timesteps, method="euler", random_state=seed)


def squash(y):
    return np.tanh(y - 1)


def unsquash(z):
    # Forecasts outside (-1, 1) have no original value: clipping gives them a large error.
    return np.arctanh(np.clip(np.nan_to_num(z, nan=1.0), -1 + 1e-12, 1 - 1e-12)) + 1


def nrmse84(model, y, n_starts=50):
    """Return NRMSE84 of a fitted model over consecutive segments of the original series y."""
    length = WARMUP + HORIZON
    errors = []
    for segment in y[: n_starts * length].reshape(n_starts, length, 1):
        forecast = closed_loop(model, HORIZON, squash(segment[:WARMUP]))
        errors.append(unsquash(forecast[-1]) - segment[-1])
    return np.sqrt(np.mean(np.square(errors)) / y.var())


def score(seed, train, test, n_units=1000, n_starts=50, **settings):
    """Return log10 NRMSE84 for the seeds of a reservoir, a training and a test series."""
    z = squash(make_series(N_TRAIN + 1, train))
    model = ESNRegressor(n_units, washout=WASHOUT, random_state=seed, **settings)
    model.fit(z[:-1], z[1:])
    return np.log10(nrmse84(model, make_series(n_starts * (WARMUP + HORIZON), test), n_starts))


def validate(n_units=1000, n_seeds=24, **settings):
    """Return the median of log10 NRMSE84 over seeds, on validation data."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    return float(np.median([score(s, s, TEST + s, n_units, **settings) for s in seeds]))


def main():
    options = parse(__doc__)
    n_units, n_starts, n_series = (200, 10, 1) if options.quick else (1000, 50, 3)
    seeds = range(options.seeds or (2 if options.quick else 10))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: validate(n_units, **s), GRID, SETTINGS)
    scores = []
    for seed in seeds:
        series = [SERIES_STRIDE * k + seed for k in range(n_series)]
        scores.append([score(seed, s, TEST + s, n_units, n_starts, **settings) for s in series])
    print(f"\nN = {n_units}, {len(seeds)} seeds, {n_series} series each, {n_starts} segments each")
    print(format_settings(settings))
    print_header()
    median = print_row("log10 NRMSE84, test", scores)
    if not options.quick:
        print_goal("log10 NRMSE84, N = 1000", median, "<=", -5.0)


if __name__ == "__main__":
    main()
