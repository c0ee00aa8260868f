"""Lorenz 63: valid prediction time of closed-loop forecasts, in Lyapunov times.

    python benchmarks/accuracy_lorenz.py [--quick] [--select] [--seeds 10]

The model is trained on 8000 steps with dt = 0.01, then tested on other segments of the attractor:
a warm-up of 100 steps, then the closed loop. The forecast is valid up to the first step at which
sqrt(mean_d((u_d - v_d)^2 / std_d^2)) > 0.3 (Platt et al. 2022), with the standard deviations of
the training series; a Lyapunov time is 1 / 0.9056. Inputs are centred and divided by one common
standard deviation. Every seed has its own reservoir and training series; all seeds share the test
segments, which start at different points of the attractor. The medians are over seeds and segments.

The data come from two sources: DOP853 with rtol = atol = 1e-12, as in the literature, and
make_lorenz, whose only error is float64 rounding. After some 23 Lyapunov times the DOP853 solution
itself differs from the exact orbit. The last row is the time for which both sources agree; it
bounds the valid prediction times that DOP853 data can show.

The noisy rows have Gaussian noise of 1e-3 of the standard deviation on the training series, the
second of them on the warm-up as well; they have their own settings.

Published for reservoirs of N = 300 to 1000 units: about 10 to 12 Lyapunov times.

``--select`` finds the settings below on validation data: its seeds, training series and test
segments differ from those of the table.
"""

from functools import partial

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
from scipy.integrate import solve_ivp

from esnkit import ESNRegressor
from esnkit.datasets import make_lorenz
from esnkit.metrics import valid_prediction_time

CLEAN = {
    "spectral_radius": 0.6,
    "leak_rate": 0.6,
    "input_scaling": 0.3,
    "bias_scaling": 2.0,
    "alpha": 1e-26,
}
NOISY = {
    "spectral_radius": 0.05,
    "leak_rate": 0.2,
    "input_scaling": 0.2,
    "bias_scaling": 0.5,
    "alpha": 1e-9,
}
GRID = {
    "spectral_radius": (0.05, 0.2, 0.4, 0.6, 0.9),
    "leak_rate": (0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
    "input_scaling": (0.1, 0.2, 0.3, 0.5),
    "bias_scaling": (0.1, 0.3, 0.5, 1.0, 2.0),
}
CLEAN_ALPHAS = (1e-14, 1e-18, 1e-20, 1e-22, 1e-24, 1e-26)
NOISY_ALPHAS = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
DT, LYAPUNOV_EXPONENT, THRESHOLD, NOISE = 0.01, 0.9056, 0.3, 1e-3
N_TRAIN, WASHOUT, WARMUP, HORIZON = 8000, 100, 100, 4000
# First seeds of the series.
TRAIN, TEST, VALIDATION_TRAIN, VALIDATION = 10_000, 20_000, 30_000, 40_000


def dop853(n_timesteps, seed):
    """Return a segment of the attractor from DOP853 with tolerances of 1e-12."""
    start = make_lorenz(1, random_state=seed)[0]
    span = (0.0, DT * (n_timesteps - 1))
    times = np.linspace(*span, n_timesteps)
    solution = solve_ivp(_flow, span, start, "DOP853", times, rtol=1e-12, atol=1e-12)
    return solution.y.T.copy()


def _flow(t, u):
    x, y, z = u
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z


def taylor(n_timesteps, seed):
    """Return the same segment, with rounding as the only error."""
    return make_lorenz(n_timesteps, dt=DT, random_state=seed)


class ScaledModel:
    """A model of the centred and scaled series.

    ``noise`` on the training series and ``warmup_noise`` are relative to the standard deviation.
    """

    def __init__(self, series, seed, n_units, noise, settings, warmup_noise=0.0):
        self.mean, self.scale, self.std = series.mean(axis=0), series.std(), series.std(axis=0)
        self.warmup_noise = warmup_noise
        self.rng = np.random.default_rng(seed)
        z = self.transform(series, noise)
        model = ESNRegressor(n_units, washout=WASHOUT, random_state=seed, **settings)
        self.model = model.fit(z[:-1], z[1:])

    def transform(self, series, noise):
        noisy = series + noise * self.std * self.rng.standard_normal(series.shape)
        return (noisy - self.mean) / self.scale

    def valid_time(self, series):
        """Return the valid prediction time after a warm-up with the first steps of a series."""
        warmup = self.transform(series[:WARMUP], self.warmup_noise)
        observed = self.transform(series[WARMUP:], 0.0)
        forecast = closed_loop(self.model, len(observed), warmup)
        return valid_time(observed, forecast, self.std / self.scale)


def valid_time(observed, forecast, std):
    return valid_prediction_time(
        observed, forecast, dt=DT, threshold=THRESHOLD, lyapunov_exponent=LYAPUNOV_EXPONENT, std=std
    )


def valid_times(
    source, seeds, starts, n_units, noise=0.0, warmup_noise=0.0, train=TRAIN, **settings
):
    """Return valid prediction times (n_seeds, n_starts)."""
    tests = [source(WARMUP + HORIZON, start) for start in starts]
    times = []
    for seed in seeds:
        series = source(N_TRAIN + 1, train + seed)
        model = ScaledModel(series, seed, n_units, noise, settings, warmup_noise)
        times.append([model.valid_time(series) for series in tests])
    return np.array(times)


def validate(n_units, noise, n_seeds=3, n_starts=20, **settings):
    """Return the negative median of the valid prediction times on validation data."""
    seeds, starts = range(100, 100 + n_seeds), range(VALIDATION, VALIDATION + n_starts)
    times = valid_times(taylor, seeds, starts, n_units, noise, train=VALIDATION_TRAIN, **settings)
    return -float(np.median(times))


def select_settings(options, n_units):
    """Return the settings for clean and for noisy data."""
    if not options.select:
        return CLEAN, NOISY
    clean = {**GRID, "alpha": CLEAN_ALPHAS}
    noisy = {**GRID, "alpha": NOISY_ALPHAS}
    searches = (("clean", 0.0, clean, CLEAN), ("noisy", NOISE, noisy, NOISY))
    return [
        select(partial(validate, n_units, noise), grid, start, title=f"Validation scores, {name}")
        for name, noise, grid, start in searches
    ]


def main():
    options = parse(__doc__)
    n_units, n_starts = (200, 3) if options.quick else (1000, 20)
    seeds = range(options.seeds or (2 if options.quick else 10))
    starts = range(TEST, TEST + n_starts)
    clean, noisy = select_settings(options, n_units)
    print(f"\nN = {n_units}, {len(seeds)} seeds, {n_starts} segments; valid time in Lyapunov times")
    print(f"clean: {format_settings(clean)}\nnoisy: {format_settings(noisy)}")
    print_header()
    median = print_row("DOP853", valid_times(dop853, seeds, starts, n_units, **clean))
    print_row("make_lorenz", valid_times(taylor, seeds, starts, n_units, **clean))
    for warmup_noise, title in ((0.0, "training"), (NOISE, "training, warm-up")):
        times = valid_times(dop853, seeds, starts, n_units, NOISE, warmup_noise, **noisy)
        print_row(f"DOP853, noise on {title}", times)
    print_row("DOP853 against make_lorenz", [agreement(start) for start in starts])
    if not options.quick:
        print_goal("Lyapunov times, DOP853, N = 1000", median, ">=", 23)


def agreement(seed):
    """Return the time for which the two sources of data agree."""
    exact = taylor(HORIZON, seed)
    return valid_time(exact, dop853(HORIZON, seed), exact.std(axis=0))


if __name__ == "__main__":
    main()
