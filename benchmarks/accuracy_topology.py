"""Accuracy of the topology "diagonals" against "random": five tasks, two sizes, 30 seeds.

    python benchmarks/accuracy_topology.py [--data PATH] [--quick] [--select] [--seeds 30]
                                           [--task NAME] [--units N]

The tasks are memory capacity (the sum over the lags 1 to 2 N of the squared correlation of
u(t - k) with its linear reconstruction, on test steps; Jaeger 2001) and the tasks of the other
accuracy scripts: NARMA-10, Mackey-Glass, Lorenz 63 and Japanese Vowels. For every task and size
both topologies have the same settings; ``--select`` finds those with the best mean score of both
topologies on validation data. All reservoirs have degree 10 and uniform weights. Sizes other than
100 and 500, such as the large reservoirs whose W is banded, have the settings of 500 units.

A row has both medians over the seeds, their difference with its 95 % bootstrap interval, and the
better topology if that interval does not contain zero.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import accuracy_japanese_vowels as vowels
import accuracy_lorenz as lorenz
import accuracy_mackey_glass as mackey_glass
import accuracy_narma as narma
import numpy as np
from _accuracy import bootstrap_difference, format_settings, parse, select

from esnkit import Reservoir, analysis

TOPOLOGIES = ("diagonals", "random")
ROW = "{:28}{:>5}{:>12}{:>12}{:>13}  {:24}{}"
VALIDATION_SEEDS = range(500, 505)
MEMORY_STEPS = 12_000  # half of which fit the readout
N_SEGMENTS = 10  # of the Lorenz system
MEMORY_GRID = {
    "spectral_radius": (0.8, 0.9, 0.95, 0.99, 1.0),
    "input_scaling": (1e-6, 1e-5, 1e-4, 1e-3, 1e-2),
    "bias_scaling": (0.0, 0.2),
}
MEMORY = {
    100: {
        "spectral_radius": 0.99,
        "input_scaling": 1e-5,
        "bias_scaling": 0.0,
    },
    500: {
        "spectral_radius": 0.99,
        "input_scaling": 1e-5,
        "bias_scaling": 0.0,
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
# The inputs are the whole state of the Lorenz system, so reservoirs with little memory score best.
# With a radius of at least 0.4 the topology still matters.
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
    """A score, its direction, and the settings for every size."""

    name: str
    sign: int  # 1: higher is better, -1: lower is better
    score: Callable[..., float]  # (seed, n_units, **settings), on test data
    validate: Callable[..., float]  # the same on validation data
    grid: dict[str, tuple]
    settings: dict[int, dict[str, Any]]


def memory_capacity(seed, n_units, **settings):
    reservoir = Reservoir(n_units, random_state=seed, **settings)
    steps = {"max_delay": 2 * n_units, "n_timesteps": MEMORY_STEPS, "input_range": (-0.5, 0.5)}
    return analysis.memory_capacity(reservoir, random_state=seed, **steps).curve[1:].sum()


def mackey_glass_error(seed, n_units, **settings):
    return mackey_glass.score(seed, seed, mackey_glass.TEST + seed, n_units, **settings)


def lorenz_time(train, first_start, seed, n_units, **settings):
    starts = range(first_start, first_start + N_SEGMENTS)
    times = lorenz.valid_times(lorenz.taylor, [seed], starts, n_units, train=train, **settings)
    return np.median(times)


def vowel_errors(train, test, seed, n_units, **settings):
    return vowels.errors(train, test, seed, n_units, settings)


def vowel_cross_validation(train, seed, n_units, **settings):
    return vowels.cross_validate(*train, n_units, 1, first_seed=seed, **settings)


def make_tasks(folder):
    train, test = vowels.read_split(folder, "TRAIN"), vowels.read_split(folder, "TEST")
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
    """Return the mean over both topologies of the median score; lower is better."""
    medians = [
        np.median([task.validate(s, n_units, topology=t, **settings) for s in VALIDATION_SEEDS])
        for t in TOPOLOGIES
    ]
    return -task.sign * float(np.mean(medians))


def compare(task, n_units, seeds, settings):
    """Print the row of a task and size."""
    scores = [
        np.array([task.score(seed, n_units, topology=t, **settings) for seed in seeds])
        for t in TOPOLOGIES
    ]
    low, difference, high = bootstrap_difference(*scores)
    better = np.sign(difference) * task.sign if low > 0 or high < 0 else 0
    conclusion = {0: "no difference", 1: "diagonals better", -1: "diagonals WORSE"}[int(better)]
    medians = [f"{np.median(s):.4g}" for s in scores]
    interval = f"[{low:+.3g}, {high:+.3g}]"
    print(
        ROW.format(task.name, n_units, *medians, f"{difference:+.3g}", interval, conclusion),
        flush=True,
    )


def main():
    narma.ignore_redrawn()
    options = parse(
        __doc__,
        data=(None, vowels.DATA_HELP),
        task=("", "only tasks whose name contains this"),
        units=(0, "only this size"),
    )
    sizes = (options.units,) if options.units else (100,) if options.quick else (100, 500)
    seeds = range(options.seeds or (3 if options.quick else 30))
    tasks = make_tasks(vowels.find_folder(options.data))
    tasks = [task for task in tasks if options.task in task.name]
    settings = {(t.name, n): t.settings.get(n, t.settings[500]) for t in tasks for n in sizes}
    if options.select:
        for t in tasks:
            for n in sizes:
                print(f"\n{t.name}, N = {n}")
                settings[t.name, n] = select(partial(validate, t, n), t.grid, settings[t.name, n])
    print(f"\n{len(seeds)} seeds")
    print(ROW.format("", "N", *TOPOLOGIES, "difference", "95 % interval", ""))
    for t in tasks:
        for n in sizes:
            compare(t, n, seeds, settings[t.name, n])
    print("\nsettings of both topologies")
    for (name, n), values in settings.items():
        print(f"{name}, {n}: {format_settings(values)}")


if __name__ == "__main__":
    main()
