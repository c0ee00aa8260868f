"""Multiple superimposed oscillators: NRMSE of a free run of 300 steps.

    python benchmarks/accuracy_mso.py [--quick] [--select] [--seeds 10]

MSO-n is a sum of n sines (``make_mso``): 100 steps of washout, 300 of training, and a free run over
the 300 that follow (Koryakin, Lohmann and Butz 2012, Neural Networks 36). NRMSE is the root mean
squared error divided by the standard deviation of these 300 values. Every seed has its own
reservoir. A linear recurrence of order 2n continues the series exactly, so that the units are
linear, and rounding errors and what is left of the start after the washout limit the score.

The baseline is a linear model of the last 2n values, by least squares, in closed loop.

``--select`` finds the settings below on other series: sums of eight sines of random frequencies in
the range of MSO-8, and of random phases.
"""

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select

from esnkit import NVAR, ESNRegressor, ReservoirRegressor, RidgeReadout
from esnkit.datasets import make_mso
from esnkit.metrics import nrmse

SETTINGS = {"topology": "orthogonal", "spectral_radius": 0.8, "input_scaling": 1.0, "alpha": 1e-26}
GRID = {
    "topology": ("cycle", "orthogonal", "sparse_orthogonal", "eigenvalues", "diagonals"),
    "spectral_radius": (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    "input_scaling": (0.1, 1.0, 10.0),
    "alpha": (1e-20, 1e-22, 1e-24, 1e-26, 1e-28),
}
ORDERS = (2, 5, 8, 12)
WASHOUT, N_TRAIN, HORIZON = 100, 300, 300
SPLIT, VALIDATION = WASHOUT + N_TRAIN, 1000  # first seed of the validation


def free_run(model, series):
    """Return the error of a free run after the training steps."""
    model.fit(series[: SPLIT - 1], series[1:SPLIT])
    try:
        forecast = model.generate(HORIZON)
    except FloatingPointError:
        return np.inf
    return nrmse(series[SPLIT : SPLIT + HORIZON], forecast)


def score(series, seed, n_units, **settings):
    """Return the error of a linear reservoir."""
    return free_run(
        ESNRegressor(
            n_units, activation="identity", bias_scaling=0.0, solver="qr", washout=WASHOUT,
            random_state=seed, **settings,
        ),
        series,
    )  # fmt: skip


def baseline(series, n_values):
    """Return the error of a linear model of the last values."""
    model = ReservoirRegressor(
        NVAR(n_values, orders=1), RidgeReadout(0.0, solver="qr"), include_input=False,
        washout=WASHOUT,
    )  # fmt: skip
    return free_run(model, series)


def other_series(seed):
    """Return a sum of eight sines of random frequencies and phases."""
    rng = np.random.default_rng(seed)
    frequencies, phases = rng.uniform(0.2, 1.32, 8), rng.uniform(0.0, 2.0 * np.pi, 8)
    steps = np.arange(SPLIT + HORIZON)[:, np.newaxis]
    return np.sin(steps * frequencies + phases).sum(axis=1, keepdims=True)


def validate(n_units, n_seeds=20, **settings):
    """Return the median of the log10 error on other series."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    errors = [score(other_series(seed), seed, n_units, **settings) for seed in seeds]
    return float(np.log10(np.median(errors)))


def main():
    options = parse(__doc__)
    n_units = 100
    seeds = range(options.seeds or (2 if options.quick else 10))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: validate(n_units, **s), GRID, SETTINGS)
    print(f"\nN = {n_units}, {len(seeds)} seeds\n{format_settings(settings)}")
    print_header()
    medians = {}
    for order in ORDERS:
        series = make_mso(SPLIT + HORIZON, n_oscillators=order)
        scores = [score(series, seed, n_units, **settings) for seed in seeds]
        medians[order] = print_row(f"NRMSE, MSO-{order}", scores)
        print_row(f"  {2 * order} values, linear", [baseline(series, 2 * order)])
    scores = [score(other_series(seed), seed, n_units, **settings) for seed in seeds]
    print_row("NRMSE, eight random frequencies", scores)
    if not options.quick:
        print_goal("NRMSE, MSO-8", medians[8], "<=", 1e-10)


if __name__ == "__main__":
    main()
