"""Lorenz 63: for how many Lyapunov times a closed-loop forecast is valid.

    python benchmarks/accuracy_lorenz.py [--quick] [--select] [--seeds 10]

8000 training steps with dt = 0.01, then forecasts from other pieces of the attractor: the model
hears 100 steps and goes on alone. The forecast is valid up to the first step at which
sqrt(mean_d((u_d - v_d)^2 / std_d^2)) > 0.3 (Platt et al. 2022), with the standard deviations of
the training series; a Lyapunov time is 1 / 0.9056. Inputs are centred and divided by one common
standard deviation. Every seed has its own reservoir and its own training series; all are tested
on the same starts, each with an initial state of its own. The medians run over seeds and starts.

Two sources of data: DOP853 with rtol = atol = 1e-12, as in the literature, and make_lorenz, whose
only error is float64 rounding. Beyond some 23 Lyapunov times the first differs from the true
orbit itself, so the agreement of the two is printed, too: it bounds what the first can show.

The noisy rows have Gaussian noise of 1e-3 of the standard deviation on the training series, and
in the last one on the 100 steps heard before a forecast, too; their settings are others.

Published for reservoirs of N = 300 to 1000 units: about 10 to 12 Lyapunov times.

The settings below are what ``--select`` finds on validation data: seeds, training series and
starts are different ones from all those of the table.
"""

import numpy as np
from _accuracy import free_run, heading, parse, row, select, show, verdict
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
DT, EXPONENT, THRESHOLD, NOISE = 0.01, 0.9056, 0.3, 1e-3
N_TRAIN, WASHOUT, WARMUP, HORIZON = 8000, 100, 100, 4000
TRAIN, TEST, VALIDATION_TRAIN, VALIDATION = 10_000, 20_000, 30_000, 40_000


def dop853(n_timesteps, seed):
    """Return a piece of the attractor from DOP853 at a tolerance of 1e-12."""
    start = make_lorenz(1, random_state=seed)[0]
    span = (0.0, DT * (n_timesteps - 1))
    times = np.linspace(*span, n_timesteps)
    solved = solve_ivp(_flow, span, start, "DOP853", times, rtol=1e-12, atol=1e-12)
    return solved.y.T.copy()


def _flow(t, u):
    x, y, z = u
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z


def taylor(n_timesteps, seed):
    """Return the same piece with rounding as the only error."""
    return make_lorenz(n_timesteps, dt=DT, random_state=seed)


class Scaled:
    """A model of the centred and scaled series; the noises are parts of the deviation."""

    def __init__(self, series, seed, n_units, noise, settings, heard_noise=0.0):
        self.mean, self.size, self.std = series.mean(axis=0), series.std(), series.std(axis=0)
        self.heard_noise = heard_noise
        self.rng = np.random.default_rng(seed)
        z = self.scaled(series, noise)
        model = ESNRegressor(n_units, washout=WASHOUT, random_state=seed, **settings)
        self.model = model.fit(z[:-1], z[1:])

    def scaled(self, series, noise):
        noisy = series + noise * self.std * self.rng.standard_normal(series.shape)
        return (noisy - self.mean) / self.size

    def valid_time(self, series):
        """Return the valid prediction time after the first steps of a series."""
        heard = self.scaled(series[:WARMUP], self.heard_noise)
        truth = self.scaled(series[WARMUP:], 0.0)
        forecast = free_run(self.model, len(truth), heard)
        return valid_time(truth, forecast, self.std / self.size)


def valid_time(truth, forecast, std):
    return valid_prediction_time(
        truth, forecast, dt=DT, threshold=THRESHOLD, lyapunov_exponent=EXPONENT, std=std
    )


def valid_times(
    source, seeds, starts, n_units, noise=0.0, heard_noise=0.0, train=TRAIN, **settings
):
    """Return valid prediction times (n_seeds, n_starts)."""
    tests = [source(WARMUP + HORIZON, start) for start in starts]
    times = []
    for seed in seeds:
        series = source(N_TRAIN + 1, train + seed)
        model = Scaled(series, seed, n_units, noise, settings, heard_noise)
        times.append([model.valid_time(series) for series in tests])
    return np.array(times)


def validate(n_units, noise, n_seeds=3, n_starts=20, **settings):
    """Return minus the median valid prediction time on validation data."""
    seeds, starts = range(100, 100 + n_seeds), range(VALIDATION, VALIDATION + n_starts)
    times = valid_times(taylor, seeds, starts, n_units, noise, train=VALIDATION_TRAIN, **settings)
    return -float(np.median(times))


def choose(options, n_units):
    if not options.select:
        return CLEAN, NOISY
    clean = {**GRID, "alpha": CLEAN_ALPHAS}
    noisy = {**GRID, "alpha": NOISY_ALPHAS}
    return (
        select(lambda **s: validate(n_units, 0.0, **s), clean, CLEAN),
        select(lambda **s: validate(n_units, NOISE, **s), noisy, NOISY),
    )


def main():
    options = parse(__doc__)
    n_units, n_starts = (200, 3) if options.quick else (1000, 20)
    seeds = range(options.seeds or (2 if options.quick else 10))
    starts = range(TEST, TEST + n_starts)
    clean, noisy = choose(options, n_units)
    print(f"\nN = {n_units}, {len(seeds)} seeds, {n_starts} starts; valid time in Lyapunov times")
    print(f"clean: {show(clean)}\nnoisy: {show(noisy)}")
    heading()
    middle = row("DOP853", valid_times(dop853, seeds, starts, n_units, **clean))
    row("make_lorenz", valid_times(taylor, seeds, starts, n_units, **clean))
    for heard_noise, title in ((0.0, "training"), (NOISE, "all it hears")):
        times = valid_times(dop853, seeds, starts, n_units, NOISE, heard_noise, **noisy)
        row(f"DOP853, noise on {title}", times)
    row("DOP853 against make_lorenz", [agreement(start) for start in starts])
    if not options.quick:
        verdict("Lyapunov times, DOP853, N = 1000", middle, ">=", 23)


def agreement(seed):
    """Return for how long the two sources of data agree."""
    truth = taylor(HORIZON, seed)
    return valid_time(truth, dop853(HORIZON, seed), truth.std(axis=0))


if __name__ == "__main__":
    main()
