"""Santa Fe laser: normalised mean squared error (NMSE) one step ahead.

    python benchmarks/accuracy_laser.py [--quick] [--select] [--seeds 10]

Data set A of the Santa Fe competition with its continuation, 10 093 integers, divided by 256. The
first 2000 steps are for training, the next 3000 for validation, the last 5092 for the test; the
states run on from part to part, and the readout learns from the training steps alone. NMSE is the
mean squared error divided by the variance of the target over the part that is scored. Every seed
has its own reservoir.

The goal is the best median of plain networks of this library before their settings were chosen
here; published figures use other splits. The baselines are the last value, and a linear model of
the last 20 values.

``--select`` finds the settings below by the median NMSE of the validation part, with reservoirs
that are not those of the table. The penalty is selected by leave-one-out on the training steps of
each model. Needs the series: pip install 'esnkit[datasets]'.
"""

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select
from numpy.lib.stride_tricks import sliding_window_view

from esnkit import ESNRegressor, RidgeReadout
from esnkit.datasets import load_santa_fe_laser
from esnkit.metrics import nrmse

ALPHAS = [10.0**k for k in range(-12, 1)]
SETTINGS = {
    "topology": "sparse_orthogonal",
    "spectral_radius": 0.7,
    "leak_rate": 0.9,
    "input_scaling": 1.5,
    "bias_scaling": 0.2,
}
GRID = {
    "topology": ("sparse_orthogonal", "random", "diagonals", "cycle"),
    "spectral_radius": (0.5, 0.6, 0.7, 0.8, 0.9),
    "leak_rate": (0.7, 0.8, 0.9, 1.0),
    "input_scaling": (0.5, 1.0, 1.5, 2.0, 3.0),
    "bias_scaling": (0.0, 0.1, 0.2, 0.5, 1.0),
}
N_TRAIN, N_VALIDATION, WASHOUT, N_TAPS = 2000, 3000, 50, 20
END = N_TRAIN + N_VALIDATION
TEST, VALIDATION = 0, 1000  # first seeds


def nmse(series, seed, n_units, *, test, **settings):
    """Return the error of a network on the test part, or on the validation part."""
    X, y = series[:-1], series[1:]
    model = ESNRegressor(n_units, washout=WASHOUT, alpha=ALPHAS, random_state=seed, **settings)
    model.fit(X[:N_TRAIN], y[:N_TRAIN])
    rows, state = slice(N_TRAIN, END), model.last_state_
    if test:
        _, state = model.predict(X[rows], initial_state=state, return_state=True)
        rows = slice(END, None)
    return nrmse(y[rows], model.predict(X[rows], initial_state=state)) ** 2


def linear_nmse(series):
    """Return the test error of a linear model of the last values."""
    rows, y = sliding_window_view(series[:-1].ravel(), N_TAPS), series[N_TAPS:].ravel()
    model = RidgeReadout(1e-8).fit(rows[: N_TRAIN - N_TAPS + 1], y[: N_TRAIN - N_TAPS + 1])
    first = END - N_TAPS + 1
    return nrmse(y[first:], model.predict(rows[first:])) ** 2


def validate(series, n_units, n_seeds=10, **settings):
    """Return the median error on the validation part."""
    seeds = range(VALIDATION, VALIDATION + n_seeds)
    return float(np.median([nmse(series, s, n_units, test=False, **settings) for s in seeds]))


def main():
    options = parse(__doc__)
    series = load_santa_fe_laser() / 256.0
    n_units = 100 if options.quick else 500
    seeds = range(TEST, TEST + (options.seeds or (2 if options.quick else 10)))
    settings = SETTINGS
    if options.select:
        settings = select(lambda **s: validate(series, n_units, **s), GRID, SETTINGS)
    print(f"\nN = {n_units}, {len(seeds)} seeds\n{format_settings(settings)}")
    print_header()
    scores = [nmse(series, seed, n_units, test=True, **settings) for seed in seeds]
    median = print_row("NMSE, test", scores)
    print_row(f"NMSE, {N_TAPS} values, linear", [linear_nmse(series)])
    print_row("NMSE, the last value", [nrmse(series[END + 1 :], series[END:-1]) ** 2])
    if not options.quick:
        print_goal("NMSE, N = 500", median, "<=", 0.0064)


if __name__ == "__main__":
    main()
