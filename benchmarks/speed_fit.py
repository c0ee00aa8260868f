"""Time to fit and predict a long series, and the cost of leave-one-out.

    python benchmarks/speed_fit.py [--quick]

fit    Lorenz, 20 000 steps to fit and 5000 to predict, N = 1000 and 2000, in one process with one
       thread and in another with two. The times of esnkit include drawing and scaling the weights.
       The peers have theirs in advance (reservoirpy the same ones); a second row of reservoirpy
       includes drawing its own. All solve the same ridge problem with the Gram matrix. A second row
       of esnkit has solver="auto", which uses an orthogonal factor if the Gram matrix is too
       ill-conditioned.
loo    20 penalties with leave-one-out against one penalty, T = 20 000, N = 1000: the readout alone
       on given states, and a whole fit of ESNRegressor
"""

from functools import partial

import numpy as np
from _bench import PEER_SETTINGS, compare, describe, import_peer, parse, print_header, rerun

from esnkit import ESNRegressor, RidgeReadout
from esnkit.datasets import make_lorenz


def esnkit_run(n_units, alpha, solver, X, Y, X_new):
    model = ESNRegressor(
        n_units, alpha=alpha, solver=solver, include_input=False, **PEER_SETTINGS, random_state=0
    ).fit(X, Y)
    return model.predict(X_new, initial_state=model.last_state_)


def reservoirpy_run(reservoirpy, node, alpha, X, Y, X_new):
    node.reset()
    model = node >> reservoirpy.nodes.Ridge(alpha, name="readout")
    model.fit(X, Y)
    return model.run(X_new)


def reservoirpy_draw_and_run(reservoirpy, n_units, alpha, X, Y, X_new):
    node = reservoirpy.nodes.Reservoir(n_units, sr=0.9, rc_connectivity=10 / n_units)
    node.run(X[:1])
    return reservoirpy_run(reservoirpy, node, alpha, X, Y, X_new)


def rclib_run(rclib, n_units, alpha, model, X, Y, X_new):
    model.reset_reservoirs()
    model.fit(X, Y)
    return model.predict(X_new, reset_state_before_predict=False)


def time_fit(args, n_train, n_test, sizes, alpha):
    reservoirpy, rclib = import_peer("reservoirpy"), import_peer("rclib")
    series = make_lorenz(n_train + n_test + 1)
    series = (series - series.mean(axis=0)) / series.std(axis=0)
    X, Y, X_new = series[:n_train], series[1 : n_train + 1], series[n_train:-1]
    Y_new = series[n_train + 1 :]
    print_header(f"Fit {n_train} steps and predict {n_test}, {args.threads} thread(s)", "s")
    for n_units in sizes:
        cases = {"esnkit": partial(esnkit_run, n_units, alpha, "gram", X, Y, X_new)}
        cases["esnkit, solver auto"] = partial(esnkit_run, n_units, alpha, "auto", X, Y, X_new)
        if reservoirpy:
            reservoir = (
                ESNRegressor(n_units, **PEER_SETTINGS, random_state=0)
                .fit(X[:10], Y[:10])
                .reservoir_
            )
            node = reservoirpy.nodes.Reservoir(W=reservoir.W_, Win=reservoir.W_in_)
            node.run(X[:1])
            problem = alpha, X, Y, X_new
            cases["reservoirpy"] = partial(reservoirpy_run, reservoirpy, node, *problem)
            cases["reservoirpy, with drawing"] = partial(
                reservoirpy_draw_and_run, reservoirpy, n_units, *problem
            )
        if rclib:
            model = rclib.ESN()
            model.add_reservoir(rclib.reservoirs.RandomSparse(n_units, 0.9, 10 / n_units))
            model.set_readout(rclib.readouts.Ridge(alpha, include_bias=True))
            cases["rclib"] = partial(rclib_run, rclib, n_units, alpha, model, X, Y, X_new)
        errors = [np.sqrt(np.mean((run() - Y_new) ** 2)) for run in cases.values()]
        errors = ", ".join(f"{e:.0e}" for e in errors)
        goals = {"reservoirpy": 3, "reservoirpy, with drawing": 3, "rclib": 2.5}
        title = f"N = {n_units}, alpha = {alpha:g} (errors {errors})"
        compare(title, cases, goals=goals, repeats=args.repeats)


def time_leave_one_out(args, n_steps, n_units, alpha):
    series = make_lorenz(n_steps + 1)
    series = (series - series.mean(axis=0)) / series.std(axis=0)
    X, Y = series[:-1], series[1:]
    model = ESNRegressor(n_units, **PEER_SETTINGS, random_state=0).fit(X[:10], Y[:10])
    states = model.reservoir_.transform(X)
    penalties = list(np.logspace(-4, 4, 20))
    print_header(f"Leave-one-out, T = {n_steps}, N = {n_units}, {args.threads} thread(s)", "s")
    for what in ("readout on given states", "whole fit"):
        cases = {}
        for name, alphas in (
            ("20 penalties", penalties),
            ("1, plain", 1.0),
            ("1 in a list", [1.0]),
        ):
            if what == "whole fit":
                model = ESNRegressor(n_units, alpha=alphas, random_state=0, **PEER_SETTINGS)
                cases[name] = partial(model.fit, X, Y)
            else:
                cases[name] = partial(RidgeReadout(alphas).fit, states, Y)
        medians = list(compare(what, cases, repeats=args.repeats).values())
        for name, median in zip(("plain", "in a list"), medians[1:], strict=True):
            ratio = medians[0] / median
            outcome = "ok" if ratio <= 1.5 else "MISSED"
            print(f"  20 penalties / 1 {name}: {ratio:.2f}, goal <= 1.5 {outcome}")


def main():
    args = parse(
        __doc__,
        repeats=(5, "timings of each case"),
        alpha=(1e-4, "penalty"),
        threads=(0, "1 or 2; 0 runs both, each in a new process"),
    )
    if args.threads == 0:
        options = ["--repeats", str(args.repeats), "--alpha", str(args.alpha)]
        for threads in (1, 2):
            rerun(
                *options,
                *["--quick"] * args.quick,
                *["--cpu"] * args.cpu,
                "--threads",
                str(threads),
                threads=threads,
            )
        return
    describe()
    n_train, n_test, sizes = (2000, 500, (200,)) if args.quick else (20_000, 5000, (1000, 2000))
    time_fit(args, n_train, n_test, sizes, args.alpha)
    time_leave_one_out(args, n_train, sizes[0], args.alpha)


if __name__ == "__main__":
    main()
