"""NARMA-10: normalised mean squared error, NMSE, of the series that a random input drives.

    python benchmarks/accuracy_narma.py [--quick] [--select] [--seeds 10]

    y(t+1) = 0.3 y(t) + 0.05 y(t) [y(t) + ... + y(t-9)] + 1.5 u(t-9) u(t) + 0.1,  u ~ U[0, 0.5]

(Atiya and Parlos 2000, eq. 86.) The model predicts y(t+1) from u(0), ..., u(t); no true output is
ever fed back. 2000 steps to train, 200 of them a washout, and the 2000 that follow to test, with
the state carried over. NMSE is the mean squared error divided by the variance of the target
over the test steps (its square root is an NRMSE). Every seed has its own reservoir and its own
series; make_narma draws a diverging series again, and the number of those is printed.

Beside it stands what memory alone can do: a linear model of the last 40 inputs.

The settings below are what ``--select`` finds on validation data: seeds and series are different
ones from all those of the table. The penalty is chosen by leave-one-out on the training steps of
each model.
"""

import warnings

import numpy as np
from _accuracy import heading, parse, row, select, show, verdict
from numpy.lib.stride_tricks import sliding_window_view

from esnkit import ESNRegressor, RidgeReadout
from esnkit.datasets import make_narma
from esnkit.metrics import nrmse

ALPHAS = [10.0**k for k in range(-14, -4)]
SETTINGS = {
    "spectral_radius": 0.95,
    "leak_rate": 0.9,
    "input_scaling": 0.01,
    "bias_scaling": 0.2,
}
GRID = {
    "spectral_radius": (0.8, 0.85, 0.9, 0.95, 0.98),
    "leak_rate": (0.8, 0.9, 1.0),
    "input_scaling": (0.005, 0.01, 0.03, 0.1, 0.3),
    "bias_scaling": (0.0, 0.1, 0.2, 0.3, 0.5),
}
N_TRAIN, N_TEST, WASHOUT, N_TAPS = 2000, 2000, 200, 40
TEST, VALIDATION = 0, 1000


def nmse(seed, n_units, n_train=N_TRAIN, **settings):
    """Return the test error of a reservoir with a seed and a series of its own."""
    u, y = make_narma(n_train + N_TEST, random_state=seed)
    model = ESNRegressor(n_units, washout=WASHOUT, alpha=ALPHAS, random_state=seed, **settings)
    model.fit(u[:n_train], y[:n_train])
    forecast = model.predict(u[n_train:], initial_state=model.last_state_)
    return nrmse(y[n_train:], forecast) ** 2


def delay_line(seed, n_train=N_TRAIN):
    """Return the test error of a linear model of the last inputs."""
    u, y = make_narma(n_train + N_TEST, random_state=seed)
    taps = sliding_window_view(u.ravel(), N_TAPS)
    y = y[N_TAPS - 1 :]
    first = n_train - N_TAPS + 1
    model = RidgeReadout(1e-8).fit(taps[:first], y[:first])
    return nrmse(y[first:], model.predict(taps[first:])) ** 2


def redrawn(seeds):
    """Return how often a series had to be drawn again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for seed in seeds:
            make_narma(N_TRAIN + N_TEST, random_state=seed)
    return len(caught)


def hush():
    """Count diverging series once, by ``redrawn``, in place of a warning at every use."""
    warnings.filterwarnings("ignore", "a NARMA stream", UserWarning)


def validate(n_units, n_seeds=10, **settings):
    """Return the median error on validation data."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    return float(np.median([nmse(seed, n_units, **settings) for seed in seeds]))


def main():
    options = parse(__doc__)
    hush()
    n_units = 100 if options.quick else 500
    seeds = range(TEST, TEST + (options.seeds or (2 if options.quick else 10)))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: validate(n_units, **s), GRID, SETTINGS)
    print(f"\nN = {n_units}, {len(seeds)} seeds, {redrawn(seeds)} series drawn again")
    print(show(settings))
    heading()
    middle = row("NMSE, test", [nmse(seed, n_units, **settings) for seed in seeds])
    row(f"NMSE, {N_TAPS} inputs, linear", [delay_line(seed) for seed in seeds])
    if not options.quick:
        verdict("NMSE, N = 500", middle, "<=", 0.011)


if __name__ == "__main__":
    main()
