"""NARMA-10: normalised mean squared error (NMSE) of a series driven by random input.

    python benchmarks/accuracy_narma.py [--quick] [--select] [--seeds 10]

    y(t+1) = 0.3 y(t) + 0.05 y(t) [y(t) + ... + y(t-9)] + 1.5 u(t-9) u(t) + 0.1,  u ~ U[0, 0.5]

(Atiya and Parlos 2000, eq. 86.) The model predicts y(t+1) from u(0), ..., u(t), without feedback of
the target. It is trained on 2000 steps, with a washout of 200, and tested on the 2000 that follow,
from the last training state. NMSE is the mean squared error divided by the variance of the target
over the test steps (its square root is an NRMSE). Every seed has its own reservoir and series;
make_narma draws a diverging series again, and the number of these is printed.

The baseline is a linear model of the last 40 inputs: memory without nonlinearity.

``--select`` finds the settings below on validation data: its seeds and series differ from those of
the table. The penalty is selected by leave-one-out on the training steps of each model.
"""

import warnings

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select
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
TEST, VALIDATION = 0, 1000  # first seeds


def nmse(seed, n_units, n_train=N_TRAIN, **settings):
    """Return the test error of a network; its reservoir and its series depend on the seed."""
    u, y = make_narma(n_train + N_TEST, random_state=seed)
    model = ESNRegressor(n_units, washout=WASHOUT, alpha=ALPHAS, random_state=seed, **settings)
    model.fit(u[:n_train], y[:n_train])
    forecast = model.predict(u[n_train:], initial_state=model.last_state_)
    return nrmse(y[n_train:], forecast) ** 2


def linear_nmse(seed, n_train=N_TRAIN):
    """Return the test error of a linear model of the last inputs."""
    u, y = make_narma(n_train + N_TEST, random_state=seed)
    taps = sliding_window_view(u.ravel(), N_TAPS)
    y = y[N_TAPS - 1 :]
    n_train_rows = n_train - N_TAPS + 1
    model = RidgeReadout(1e-8).fit(taps[:n_train_rows], y[:n_train_rows])
    return nrmse(y[n_train_rows:], model.predict(taps[n_train_rows:])) ** 2


def count_redrawn(seeds):
    """Return the number of series that diverged and were drawn again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for seed in seeds:
            make_narma(N_TRAIN + N_TEST, random_state=seed)
    return len(caught)


def ignore_redrawn():
    """Ignore the warnings of diverging series, which :func:`count_redrawn` counts."""
    warnings.filterwarnings("ignore", "a NARMA stream", UserWarning)


def validate(n_units, n_seeds=10, **settings):
    """Return the median error on validation data."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    return float(np.median([nmse(seed, n_units, **settings) for seed in seeds]))


def main():
    options = parse(__doc__)
    ignore_redrawn()
    n_units = 100 if options.quick else 500
    seeds = range(TEST, TEST + (options.seeds or (2 if options.quick else 10)))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: validate(n_units, **s), GRID, SETTINGS)
    print(f"\nN = {n_units}, {len(seeds)} seeds, {count_redrawn(seeds)} series drawn again")
    print(format_settings(settings))
    print_header()
    median = print_row("NMSE, test", [nmse(seed, n_units, **settings) for seed in seeds])
    print_row(f"NMSE, {N_TAPS} inputs, linear", [linear_nmse(seed) for seed in seeds])
    if not options.quick:
        print_goal("NMSE, N = 500", median, "<=", 0.011)


if __name__ == "__main__":
    main()
