"""Accuracy of the topology "diagonals" against "random": five tasks, two sizes, 30 seeds.

    python benchmarks/accuracy_topology.py [--data PATH] [--quick] [--select] [--seeds 30]
                                           [--task NAME] [--units N]

The tasks are memory capacity (the sum over the lags 1 to 2 N of the squared correlation of
u(t - k) with its linear reconstruction, on steps not trained on; Jaeger 2001), and those of the
four scripts beside this one: NARMA-10, Mackey-Glass, Lorenz 63 and Japanese Vowels. For every
task and size both topologies have the same settings, those with the best score averaged over the
two on validation data, as ``--select`` finds them; degree 10 and uniform weights throughout.
Another size, as of the large reservoirs whose units hear only those near them, has the settings of
500 units.

For every task: both medians over the seeds, their difference with its 95 % bootstrap interval,
and where that interval does not contain zero, which of the two is better.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import accuracy_japanese_vowels as vowels
import accuracy_lorenz as lorenz
import accuracy_mackey_glass as mackey_glass
import accuracy_narma as narma
import numpy as np
from _accuracy import difference, parse, select, show

from esnkit import ESNRegressor

TOPOLOGIES = ("diagonals", "random")
LINE = "{:28}{:>5}{:>12}{:>12}{:>13}  {:24}{}"
VALIDATION_SEEDS = range(500, 505)
MEMORY_STEPS = 200, 6000, 3000  # washout, training, test
N_STARTS = 10
MEMORY_GRID = {
    "spectral_radius": (0.8, 0.9, 0.95, 0.99, 1.0),
    "input_scaling": (1e-6, 1e-5, 1e-4, 1e-3, 1e-2),
    "bias_scaling": (0.0, 0.2),
    "alpha": (1e-28, 1e-26, 1e-24, 1e-22, 1e-20, 1e-18, 1e-16, 1e-14),
}
MEMORY = {
    100: {
        "spectral_radius": 0.99,
        "input_scaling": 1e-5,
        "bias_scaling": 0.0,
        "alpha": 1e-28,
    },
    500: {
        "spectral_radius": 0.99,
        "input_scaling": 1e-5,
        "bias_scaling": 0.0,
        "alpha": 1e-28,
    },
}
NARMA = {
    100: {
        "spectral_radius": 0.8,
        "leak_rate": 1.0,
        "input_scaling": 0.03,
        "bias_scaling": 0.5,
    },
    500: {
        "spectral_radius": 0.98,
        "leak_rate": 0.9,
        "input_scaling": 0.01,
        "bias_scaling": 0.3,
    },
}
MACKEY_GLASS = {
    100: {
        "spectral_radius": 1.1,
        "leak_rate": 0.4,
        "input_scaling": 0.85,
        "bias_scaling": 0.5,
        "alpha": 1e-12,
    },
    500: {
        "spectral_radius": 0.8,
        "leak_rate": 0.5,
        "input_scaling": 0.85,
        "bias_scaling": 0.5,
        "alpha": 1e-16,
    },
}
# Reservoirs without memory do best on Lorenz, whose state is seen whole; a radius of at least 0.4
# lets the topology count.
LORENZ_GRID = {
    **lorenz.GRID,
    "spectral_radius": (0.4, 0.6, 0.9),
    "alpha": (1e-12, 1e-16, 1e-20, 1e-22, 1e-24),
}
LORENZ = {
    100: {
        "spectral_radius": 0.4,
        "leak_rate": 1.0,
        "input_scaling": 0.1,
        "bias_scaling": 2.0,
        "alpha": 1e-20,
    },
    500: {
        "spectral_radius": 0.4,
        "leak_rate": 0.8,
        "input_scaling": 0.2,
        "bias_scaling": 1.0,
        "alpha": 1e-24,
    },
}
VOWELS = {
    100: {
        "spectral_radius": 0.9,
        "leak_rate": 0.05,
        "input_scaling": 0.2,
        "bias_scaling": 1.0,
        "alpha": 0.01,
        "pooling": "last",
    },
    500: {
        "spectral_radius": 1.2,
        "leak_rate": 0.05,
        "input_scaling": 0.2,
        "bias_scaling": 2.0,
        "alpha": 0.03,
        "pooling": "last",
    },
}


class Task(NamedTuple):
    """What is measured, whether more of it is better, and the settings for every size."""

    name: str
    sign: int  # 1: more is better, -1: less is better
    score: Callable[..., float]  # (seed, n_units, **settings), on test data
    validate: Callable[..., float]  # the same on validation data
    grid: dict[str, tuple]
    settings: dict[int, dict[str, Any]]


def memory_capacity(seed, n_units, **settings):
    washout, n_train, n_test = MEMORY_STEPS
    n_lags, first = 2 * n_units, 2 * n_units + washout
    u = np.random.default_rng(seed).uniform(-0.5, 0.5, first + n_train + n_test)
    lags = np.stack([np.roll(u, k) for k in range(1, n_lags + 1)], axis=1)[n_lags:]
    u = u[n_lags:, None]
    stop = washout + n_train
    model = ESNRegressor(n_units, washout=washout, random_state=seed, **settings)
    model.fit(u[:stop], lags[:stop])
    found = model.predict(u[stop:], initial_state=model.last_state_)
    found, lags = found - found.mean(axis=0), lags[stop:] - lags[stop:].mean(axis=0)
    covariance = (found * lags).sum(axis=0)
    return np.sum(covariance**2 / ((found**2).sum(axis=0) * (lags**2).sum(axis=0)))


def mackey_glass_error(seed, n_units, **settings):
    return mackey_glass.score(seed, seed, mackey_glass.TEST + seed, n_units, **settings)


def lorenz_time(train, first, seed, n_units, **settings):
    starts = range(first, first + N_STARTS)
    times = lorenz.valid_times(lorenz.taylor, [seed], starts, n_units, train=train, **settings)
    return np.median(times)


def vowel_errors(train, test, seed, n_units, **settings):
    return vowels.errors(train, test, seed, n_units, settings)


def vowel_cross_validation(train, seed, n_units, **settings):
    return vowels.cross_validate(*train, n_units, 1, first=seed, **settings)


def tasks(folder):
    train, test = vowels.read(folder, "TRAIN"), vowels.read(folder, "TEST")
    return [
        Task("memory capacity", 1, memory_capacity, memory_capacity, MEMORY_GRID, MEMORY),
        Task("NARMA-10, NMSE", -1, narma.nmse, narma.nmse, narma.GRID, NARMA),
        Task(
            "Mackey-Glass, log10 NRMSE84",
            -1,
            mackey_glass_error,
            mackey_glass_error,
            mackey_glass.GRID,
            MACKEY_GLASS,
        ),
        Task(
            "Lorenz, Lyapunov times",
            1,
            partial(lorenz_time, lorenz.TRAIN, lorenz.TEST),
            partial(lorenz_time, lorenz.VALIDATION_TRAIN, lorenz.VALIDATION),
            LORENZ_GRID,
            LORENZ,
        ),
        Task(
            "Japanese Vowels, errors",
            -1,
            partial(vowel_errors, train, test),
            partial(vowel_cross_validation, train),
            vowels.GRID,
            VOWELS,
        ),
    ]


def validate(task, n_units, **settings):
    """Return the median score of both topologies, averaged, less being better."""
    medians = [
        np.median([task.validate(s, n_units, topology=t, **settings) for s in VALIDATION_SEEDS])
        for t in TOPOLOGIES
    ]
    return -task.sign * float(np.mean(medians))


def compare(task, n_units, seeds, settings):
    """Print the line of a task and size."""
    scores = [
        np.array([task.score(seed, n_units, topology=t, **settings) for seed in seeds])
        for t in TOPOLOGIES
    ]
    low, gap, high = difference(*scores)
    better = np.sign(gap) * task.sign if low > 0 or high < 0 else 0
    verdict = {0: "no difference", 1: "diagonals better", -1: "diagonals WORSE"}[int(better)]
    medians = [f"{np.median(s):.4g}" for s in scores]
    span = f"[{low:+.3g}, {high:+.3g}]"
    print(LINE.format(task.name, n_units, *medians, f"{gap:+.3g}", span, verdict), flush=True)


def main():
    narma.hush()
    options = parse(
        __doc__,
        data=(None, vowels.DATA),
        task=("", "only tasks so named"),
        units=(0, "only this size"),
    )
    sizes = (options.units,) if options.units else (100,) if options.quick else (100, 500)
    seeds = range(options.seeds or (3 if options.quick else 30))
    chosen = [task for task in tasks(vowels.find(options.data)) if options.task in task.name]
    settings = {(t.name, n): t.settings.get(n, t.settings[500]) for t in chosen for n in sizes}
    if options.select:
        for t in chosen:
            for n in sizes:
                print(f"\n{t.name}, N = {n}")
                ask = partial(validate, t, n)
                settings[t.name, n] = select(ask, t.grid, settings[t.name, n])
    print(f"\n{len(seeds)} seeds")
    print(LINE.format("", "N", *TOPOLOGIES, "difference", "95 % interval", ""))
    for t in chosen:
        for n in sizes:
            compare(t, n, seeds, settings[t.name, n])
    print("\nsettings of both")
    for (name, n), kept in settings.items():
        print(f"{name}, {n}: {show(kept)}")


if __name__ == "__main__":
    main()
