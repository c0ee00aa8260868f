"""Kuramoto-Sivashinsky: valid prediction time of forecasts of a chaotic field, in Lyapunov times.

    python benchmarks/accuracy_kuramoto_sivashinsky.py [--quick] [--select] [--seeds 3]

Fields on rings of length 22 (64 points) and 200 (512 points), a row every 0.25 units of time. The
forecast is valid up to the first row at which the root mean square error over the ring exceeds the
threshold times the standard deviation of the training field: 0.3 as in Platt et al. (2022), and
0.4 as in Pathak et al. (2018). The largest Lyapunov exponents are published ones: 0.043 per unit of
time at length 22 (Edson et al. 2019, the lowest of 0.043 to 0.05) and 0.09 at 200 (Pathak et al.).

A network serves all patches of 4 points, and sees 8 more on every side. Its input weights fall with
the distance d from the patch, as exp(-(d / reach)^2) but not below 0.05.

Every seed has its own reservoir and training field; the tests start every 100 rows of a field from
another initial state, known up to the start. The settings below were found by hand with other seeds
and fields; `--select` searches around them, with other ones again. The medians are over seeds and
starts. Published, reservoirs of 5000 units: 5 to
6 at length 22 with one reservoir, about 8 at 200 with 64 reservoirs and 70 000 rows (Pathak et al.
2018).
"""

import time
from functools import partial

import numpy as np
from _accuracy import format_settings, parse, print_goal, print_header, print_row, select

from esnkit import ESNRegressor, PatchForecaster
from esnkit.datasets import make_kuramoto_sivashinsky
from esnkit.metrics import valid_prediction_time

DT, WASHOUT, WARMUP = 0.25, 30, 200
PATCHES = {"patch_size": 4, "overlap": 8}
COMMON = {"spectral_radius": 0.3, "bias_scaling": 1.0}
SETTINGS = {
    22: {"noise": 1e-4, "reach": 8.0, "input_scaling": 0.12, "alpha": 1e-5, **COMMON},
    200: {"noise": 5e-5, "reach": 5.0, "input_scaling": 0.15, "alpha": 1e-7, **COMMON},
}
GRID = {
    "noise": (5e-5, 1e-4, 2e-4),
    "alpha": (1e-5, 1e-6, 1e-7, 1e-8),
    "reach": (3.0, 5.0, 8.0, np.inf),
    "spectral_radius": (0.1, 0.3, 0.6),
    "input_scaling": (0.1, 0.12, 0.15),
    "bias_scaling": (0.5, 1.0, 2.0),
}
# Of every length: number of points, exponent, number of rows to learn from and to forecast.
RINGS = {22: (64, 0.043, 8000, 900), 200: (512, 0.09, 1000, 480)}
N_UNITS = 3000
STRIDE = 100  # rows from one start to the next
TRAIN, TEST, VALIDATION_TRAIN, VALIDATION = 10_000, 20_000, 30_000, 40_000  # first seeds


def field(length, n_timesteps, seed):
    n_points = RINGS[length][0]
    return make_kuramoto_sivashinsky(
        n_timesteps, length=length, n_points=n_points, dt=DT, random_state=seed
    )


def make_model(n_units, seed, noise, reach, input_scaling, **settings):
    scaling = input_scaling * weights_by_distance(**PATCHES, reach=reach)
    network = ESNRegressor(
        n_units, input_scaling=scaling, quadratic=True, washout=WASHOUT, **settings
    )
    return PatchForecaster(network, noise=noise, random_state=seed, **PATCHES)


def weights_by_distance(patch_size, overlap, reach):
    """Return the relative size of the input weights of all points that a patch sees."""
    place = np.arange(-overlap, patch_size + overlap)
    distance = np.maximum(np.maximum(-place, place - patch_size + 1), 0)
    return np.maximum(np.exp(-((distance / reach) ** 2)), 0.05)


def valid_times(length, model, seeds, n_starts, n_train, train=TRAIN, test=TEST):
    """Return valid times (n_thresholds, n_seeds, n_starts), and the CPU time of fits and forecasts.

    ``model`` makes a forecaster from a seed.
    """
    _, exponent, _, horizon = RINGS[length]
    observed = field(length, WARMUP + STRIDE * (n_starts - 1) + horizon, test)
    times, seconds = [], np.zeros(2)
    for seed in seeds:
        series = field(length, n_train, train + seed)
        started = time.process_time()
        fitted = model(seed).fit(series)
        seconds[0] += time.process_time() - started
        times.append(free_runs(fitted, observed, n_starts, horizon))
        seconds[1] += time.process_time() - started
    seconds[1] -= seconds[0]
    return np.moveaxis(times, 2, 0) * DT * exponent, seconds / len(seeds)


def free_runs(model, observed, n_starts, horizon):
    """Return the valid steps (n_starts, n_thresholds) of forecasts along a field.

    The model has not seen the field: its state there forgets in the first rows what it was before.
    """
    model, steps = model.update(observed[:WARMUP]), []
    for k in range(n_starts):
        start = WARMUP + k * STRIDE
        ahead = observed[start : start + horizon]
        try:
            forecast = model.forecast(horizon)
        except FloatingPointError:
            forecast = np.full_like(ahead, np.nan)
        steps.append(
            [
                valid_prediction_time(ahead, forecast, threshold=threshold, std=model.scale_)
                for threshold in (0.3, 0.4)
            ]
        )
        model.update(observed[start : start + STRIDE])
    return steps


def validate(length, n_units, n_train, **settings):
    """Return the negative median of the valid times on validation data."""
    model = partial(make_model, n_units, **settings)
    times, _ = valid_times(
        length, model, (100,), 12, n_train, train=VALIDATION_TRAIN, test=VALIDATION
    )
    return -float(np.median(times[0]))


def main():
    options = parse(__doc__)
    n_starts = 3 if options.quick else 20
    seeds = range(options.seeds or (1 if options.quick else 3))
    for length, (_, _, n_train, _) in RINGS.items():
        n_units, n_train = (200, 400) if options.quick else (N_UNITS, n_train)
        settings = SETTINGS[length]
        if options.select:
            settings = select(partial(validate, length, n_units, n_train), GRID, settings)
        model = partial(make_model, n_units, **settings)
        times, (fit, forecast) = valid_times(length, model, seeds, n_starts, n_train)
        print(f"\nlength {length}, N = {n_units}, {n_train} rows, {len(seeds)} seeds")
        print(f"{format_settings(settings)}; CPU time: fit {fit:.0f} s, forecasts {forecast:.0f} s")
        print_header()
        medians = [
            print_row(f"threshold {threshold}", scores)
            for threshold, scores in zip((0.3, 0.4), times, strict=True)
        ]
        if not options.quick:
            goal = 6 if length == 22 else 8
            print_goal(f"Lyapunov times, length {length}", medians[1], ">=", goal)


if __name__ == "__main__":
    main()
