"""Readouts: Gram matrix against orthogonal factor, one alpha against twenty, rule of "auto".

    python benchmarks/speed_readout.py [--part speed|online|rule] [--quick]

online microseconds per row of recursive least squares, beside those of reservoirpy
speed  seconds to fit 20 000 rows of reservoir states, with one thread and with two
rule   for each alpha, the root mean squared difference of the predictions of both solvers, in
       standard deviations of the target, and the two measures by which "auto" chooses: alpha
       divided by the rounding error of the Gram matrix (eps times its trace), and the condition
"""

import sys
import warnings

import numpy as np
from _bench import compare, describe, import_peer, parse, print_header, rerun

from esnkit import Reservoir, RidgeReadout
from esnkit.datasets import make_lorenz, make_mackey_glass, make_narma
from esnkit.readouts import LMSReadout, RLSReadout
from esnkit.readouts._accumulator import MAX_GRAM_CONDITION, MIN_ALPHA_OVER_ROUNDING

EPS = np.finfo(float).eps
WASHOUT = 200
SETTINGS = {
    "lorenz": {"spectral_radius": 0.4, "input_scaling": 0.3, "bias_scaling": 0.3},
    "mackey_glass": {"spectral_radius": 0.95, "leak_rate": 0.6, "bias_scaling": 0.2},
    "narma": {"spectral_radius": 0.9, "input_scaling": 0.5, "bias_scaling": 0.2},
}
SETTINGS["noisy lorenz"] = SETTINGS["lorenz"]


def make_series(task, n_rows):
    """Return inputs, and targets one step ahead."""
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


def make_states(task, n_rows, n_units):
    """Return the states after a washout, and their targets."""
    u, y = make_series(task, n_rows + WASHOUT)
    reservoir = Reservoir(n_units, random_state=0, **SETTINGS[task]).fit(u)
    return reservoir.transform(u)[WASHOUT:], y[WASHOUT:]


def speed(quick):
    n_rows, sizes = (2000, (100,)) if quick else (20_000, (300, 1000, 2000))
    repeats = 1 if quick else 3
    print_header(f"fit, {n_rows} rows", "s")
    for n_units in sizes:
        X, y = make_states("lorenz", n_rows, n_units)
        fits = {
            "orthogonal factor": lambda X=X, y=y: RidgeReadout(solver="qr").fit(X, y),
            "Gram matrix": lambda X=X, y=y: RidgeReadout(solver="gram").fit(X, y),
        }
        compare(f"lorenz, N = {n_units}", fits, goals={"Gram matrix": 1 / 3}, repeats=repeats)
    n_units, alphas = sizes[min(1, len(sizes) - 1)], np.logspace(-5, 2, 20)
    for task in ("lorenz", "narma"):
        X, y = make_states(task, n_rows, n_units)
        fits = {
            "20 alphas, leave-one-out": lambda X=X, y=y: RidgeReadout(alphas).fit(X, y),
            "1 alpha, leave-one-out": lambda X=X, y=y: RidgeReadout(alphas[:1]).fit(X, y),
            "1 alpha": lambda X=X, y=y: RidgeReadout(alphas[0]).fit(X, y),
        }
        goals = dict.fromkeys(list(fits)[1:], 1 / 1.5)
        compare(f"{task}, N = {n_units}", fits, goals=goals, repeats=repeats)


def online(quick):
    n_rows = 100 if quick else 2000
    peer = import_peer("reservoirpy")
    print_header(f"online readouts, {n_rows} rows", "us per row")
    for n_units in (100,) if quick else (100, 300, 1000):
        X, y = make_states("narma", n_rows, n_units)
        for forgetting in (1.0, 0.999):
            fits = {
                "RLSReadout": lambda X=X, y=y, f=forgetting: RLSReadout(forgetting=f).fit(X, y),
                "LMSReadout": lambda X=X, y=y: LMSReadout().fit(X, y),
            }
            if peer is not None:
                from reservoirpy.nodes import RLS

                fits["reservoirpy RLS"] = lambda X=X, y=y, f=forgetting: RLS(
                    forgetting=f
                ).partial_fit(X, y)
            goals = {"reservoirpy RLS": 5.0}
            title = f"N = {n_units}, forgetting {forgetting}"
            compare(title, fits, goals=goals, per=1e6 / n_rows, repeats=1 if quick else 5)


def rule(quick):
    n_rows, sizes = (2000, (100,)) if quick else (6000, (300, 1000))
    print(f'"auto" uses the Gram matrix if alpha / rounding > {MIN_ALPHA_OVER_ROUNDING:g}', end=" ")
    print(f"or if the condition < {MAX_GRAM_CONDITION:g}\n")
    line = "{:<14}{:>6}{:>9}{:>13}{:>12}{:>12}{:>12}"
    print(line.format("task", "N", "alpha", "a / rounding", "condition", "Gram - QR", "NRMSE QR"))
    for task in SETTINGS:
        for n_units in sizes:
            X, y = make_states(task, n_rows, n_units)
            rounding = EPS * np.square(X - X.mean(axis=0)).sum()
            for alpha in 10.0 ** np.arange(-14, 1, 1):
                gram, qr = (
                    RidgeReadout(alpha, solver=solver).fit(X, y) for solver in ("gram", "qr")
                )
                y_pred = qr.predict(X)
                difference = np.sqrt(np.mean((gram.predict(X) - y_pred) ** 2)) / y.std()
                error = np.sqrt(np.mean((y_pred - y) ** 2)) / y.std()
                columns = f"{alpha:.0e}", f"{alpha / rounding:.1e}", f"{gram.condition_:.1e}"
                print(line.format(task, n_units, *columns, f"{difference:.1e}", f"{error:.1e}"))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    options = parse(
        __doc__, part=("all", "speed, online or rule"), threads=(0, "threads; 0: one, then two")
    )
    if options.part == "rule":
        rule(options.quick)
    elif options.part == "online":
        describe()
        online(options.quick)
    elif options.threads:
        describe()
        speed(options.quick)
    else:
        for threads in (1, 2):
            rerun(*sys.argv[1:], "--threads", str(threads), threads=threads)
        if options.part == "all":
            online(options.quick)
            rule(options.quick)
