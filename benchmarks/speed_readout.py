"""Ridge readouts: Gram against orthogonal factor, one alpha against twenty, and the rule of "auto".

    python benchmarks/speed_readout.py [--part speed|rule] [--quick]

speed  seconds to fit on reservoir states (20 000 rows), on one thread and on two
rule   for each alpha, how far the Gram's predictions are from the orthogonal factor's, in units
       of the target's deviation, beside the two measures by which "auto" chooses: alpha over
       the Gram's rounding (eps times its trace), and the condition
"""

import sys
import warnings

import numpy as np
from _bench import compare, describe, head, parse, rerun

from esnkit import Reservoir, RidgeReadout
from esnkit.datasets import make_lorenz, make_mackey_glass, make_narma
from esnkit.readouts._accumulator import (
    MAX_GRAM_CONDITION,
    MIN_ALPHA_OVER_ROUNDING,
    Accumulator,
)
from esnkit.readouts._least_squares import EPS

SETTINGS = {
    "lorenz": {"spectral_radius": 0.4, "input_scaling": 0.3, "bias_scaling": 0.3},
    "mackey_glass": {"spectral_radius": 0.95, "leak_rate": 0.6, "bias_scaling": 0.2},
    "narma": {"spectral_radius": 0.9, "input_scaling": 0.5, "bias_scaling": 0.2},
}
SETTINGS["noisy lorenz"] = SETTINGS["lorenz"]


def series(task, n_rows):
    """Return inputs and targets, one step ahead."""
    if task == "narma":
        u, y = make_narma(n_rows + 1, random_state=0)
        return u.reshape(len(u), -1)[:-1], y.reshape(len(y), -1)[:-1]
    if task == "mackey_glass":
        s = np.tanh(make_mackey_glass(n_rows + 1).reshape(n_rows + 1, -1) - 1)
    else:
        s = make_lorenz(n_rows + 1, random_state=0)
        s = (s - s.mean(axis=0)) / s.std(axis=0)
    if task.startswith("noisy"):
        s = s + 1e-3 * np.random.default_rng(0).standard_normal(s.shape)
    return s[:-1], s[1:]


def states(task, n_rows, n_units):
    u, y = series(task, n_rows + 200)
    reservoir = Reservoir(n_units, random_state=0, **SETTINGS[task]).fit(u)
    return reservoir.transform(u)[200:], y[200:]


def speed(quick):
    n_rows, sizes = (2000, (100,)) if quick else (20_000, (300, 1000, 2000))
    repeats = 1 if quick else 3
    head(f"fit, {n_rows} rows", "s")
    for n_units in sizes:
        X, y = states("lorenz", n_rows, n_units)
        fits = {
            "orthogonal factor": lambda X=X, y=y: RidgeReadout(solver="qr").fit(X, y),
            "Gram": lambda X=X, y=y: RidgeReadout(solver="gram").fit(X, y),
        }
        compare(f"lorenz, N = {n_units}", fits, goals={"Gram": 1 / 3}, repeats=repeats)
    n_units, alphas = sizes[min(1, len(sizes) - 1)], np.logspace(-5, 2, 20)
    for task in ("lorenz", "narma"):
        X, y = states(task, n_rows, n_units)
        fits = {
            "20 alphas, leave-one-out": lambda X=X, y=y: RidgeReadout(alphas).fit(X, y),
            "1 alpha, leave-one-out": lambda X=X, y=y: RidgeReadout(alphas[:1]).fit(X, y),
            "1 alpha": lambda X=X, y=y: RidgeReadout(alphas[0]).fit(X, y),
        }
        goals = dict.fromkeys(list(fits)[1:], 1 / 1.5)
        compare(f"{task}, N = {n_units}", fits, goals=goals, repeats=repeats)


def rule(quick):
    n_rows, sizes = (2000, (100,)) if quick else (6000, (300, 1000))
    print(f'"auto": Gram at once if alpha / rounding > {MIN_ALPHA_OVER_ROUNDING:g}', end="")
    print(f", else if condition < {MAX_GRAM_CONDITION:g}\n")
    line = "{:<14}{:>6}{:>9}{:>13}{:>12}{:>12}{:>12}"
    print(line.format("task", "N", "alpha", "a / rounding", "condition", "Gram - QR", "error QR"))
    for task in SETTINGS:
        for n_units in sizes:
            X, y = states(task, n_rows, n_units)
            gram, qr = (Accumulator(k, n_units, y.shape[1]).add(X, y, None) for k in ("gram", "qr"))
            rounding = EPS * gram.totals()[0][1].triangle.trace()
            for alpha in 10.0 ** np.arange(-14, 1, 1):
                (B, *_), condition = gram.solve(alpha)
                (best, *_), _ = qr.solve(alpha)
                Z, target = X - X.mean(axis=0), y - y.mean(axis=0)
                apart = np.sqrt(np.mean((Z @ (B - best)) ** 2)) / y.std()
                error = np.sqrt(np.mean((Z @ best - target) ** 2)) / y.std()
                shown = f"{alpha:.0e}", f"{alpha / rounding:.1e}", f"{condition:.1e}"
                print(line.format(task, n_units, *shown, f"{apart:.1e}", f"{error:.1e}"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    options = parse(
        __doc__, part=("all", "speed or rule"), threads=(0, "threads; 0: one, then two")
    )
    if options.part == "rule":
        rule(options.quick)
    elif options.threads:
        describe()
        speed(options.quick)
    else:
        for threads in (1, 2):
            rerun(*sys.argv[1:], "--threads", str(threads), threads=threads)
        if options.part == "all":
            rule(options.quick)
