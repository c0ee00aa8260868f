"""Mackey-Glass, tau = 30: NRMSE 84 steps ahead in closed loop (NRMSE84), 400 units.

    python benchmarks/accuracy_mackey_glass_30.py [--quick] [--select] [--seeds 10]

The definition is that of Jaeger (2001), GMD report 148, section 4.2, as in
``accuracy_mackey_glass.py``: 50 segments of a test series, each with a warm-up of 1000 steps. A
network is trained on 3000 or 21 000 steps, the first 1000 of which are a washout. Every seed has
its own reservoir and three pairs of a training and a test series; each pair gives a score.

The network keeps delayed inputs on a cycle (ES2N, Ceni and Gallicchio 2024), and its readout reads
the squares of half of the units.

Published in the report, 400 units: 0.11 (3000 steps) and 0.032 (21 000 steps).

``--select`` finds the settings below on validation data, with 21 000 steps: its reservoirs and
series differ from those of the table.
"""

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select
from accuracy_mackey_glass import HORIZON, WARMUP, WASHOUT, nrmse84, squash

from esnkit import ESNRegressor
from esnkit.datasets import make_mackey_glass

SETTINGS = {
    "topology": "diagonals",
    "spectral_radius": 0.2,
    "update": "es2n",
    "leak_rate": 0.1,
    "input_scaling": 5.0,
    "input_density": 0.1,
    "bias_scaling": 0.7,
    "quadratic": True,
    "alpha": 1e-12,
}
GRID = {
    "quadratic": (True, False),
    "leak_rate": (0.07, 0.1, 0.13, 0.16, 0.2),
    "input_scaling": (3.0, 5.0, 8.0),
    "bias_scaling": (0.2, 0.4, 0.7, 1.0),
    "spectral_radius": (0.2, 0.4, 0.6),
    "input_density": (0.05, 0.1, 0.2),
    "alpha": (1e-12, 1e-11, 1e-10, 1e-9),
}
LENGTHS = (3000, 21_000)
# Seed s trains on the series s, s + SERIES_STRIDE, ... and tests on the same numbers plus TEST.
# Validation uses the seeds from VALIDATION on.
SERIES_STRIDE, TEST, VALIDATION = 1000, 10_000, 500


def make_series(n_timesteps, seed):
    """Return the original series (n_timesteps, 1); its initial history depends on the seed."""
    return make_mackey_glass(n_timesteps, tau=30.0, method="euler", random_state=seed)


def score(seed, train, test, n_train, n_units=400, n_starts=50, **settings):
    """Return NRMSE84 for the seeds of a reservoir, a training and a test series."""
    z = squash(make_series(n_train + 1, train))
    model = ESNRegressor(n_units, washout=WASHOUT, random_state=seed, **settings)
    model.fit(z[:-1], z[1:])
    return nrmse84(model, make_series(n_starts * (WARMUP + HORIZON), test), n_starts)


def validate(n_seeds=10, **settings):
    """Return the median of NRMSE84 over seeds, on validation data."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    return float(np.median([score(s, s, TEST + s, LENGTHS[-1], **settings) for s in seeds]))


def main():
    options = parse(__doc__)
    n_starts, n_series = (10, 1) if options.quick else (50, 3)
    seeds = range(options.seeds or (2 if options.quick else 10))
    settings = select(validate, GRID, SETTINGS) if options.select else SETTINGS
    print(f"\n{len(seeds)} seeds, {n_series} series each, {n_starts} segments each")
    print(format_settings(settings))
    print_header()
    for n_train in LENGTHS:
        scores = []
        for seed in seeds:
            series = [SERIES_STRIDE * k + seed for k in range(n_series)]
            pairs = [(s, TEST + s) for s in series]
            scores.append([score(seed, *p, n_train, 400, n_starts, **settings) for p in pairs])
        median = print_row(f"NRMSE84, {n_train} steps", scores)
    if not options.quick:
        print_goal("NRMSE84, 21 000 steps", median, "<=", 0.03)


if __name__ == "__main__":
    main()
