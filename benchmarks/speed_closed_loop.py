"""Closed loop: every prediction is the next input.

    python benchmarks/speed_closed_loop.py [--quick]

All models are trained on the Lorenz system and then run in closed loop for 5000 steps, with three
outputs and without the input in the readout. The row "reservoirpy" steps its two nodes, which is
faster than stepping the model that joins them. esnkit and reservoirpy have the same weights; rclib
draws its own, with the same density.
"""

from functools import partial

import numpy as np
from _bench import PEER_SETTINGS, compare, describe, import_peer, parse, print_header

from esnkit import ESNRegressor
from esnkit.datasets import make_lorenz

ALPHA = 1e-4


def numpy_loop(W, W_in, coef, intercept, u, n_steps):
    x = np.zeros(W.shape[0])
    out = np.empty((n_steps, u.size))
    for t in range(n_steps):
        x = np.tanh(W_in @ u + W @ x)
        u = coef @ x + intercept
        out[t] = u
    return out


def reservoirpy_nodes_loop(node, readout, u, n_steps):
    out = np.empty((n_steps, u.size))
    for t in range(n_steps):
        u = readout.step(node.step(u))
        out[t] = u
    return out


def reservoirpy_model_loop(model, u, n_steps):
    out = np.empty((n_steps, u.size))
    for t in range(n_steps):
        u = model.step(u)
        out[t] = u
    return out


def cases_for(n_units, series, n_steps, topology, reservoirpy, rclib):
    X, Y = series[:-1], series[1:]
    model = ESNRegressor(
        n_units,
        topology=topology,
        alpha=ALPHA,
        solver="gram",
        include_input=False,
        **PEER_SETTINGS,
        random_state=0,
    ).fit(X, Y)
    cases = {"esnkit": partial(model.generate, n_steps)}
    W, W_in = model.reservoir_.W_, model.reservoir_.W_in_
    if reservoirpy:
        node = reservoirpy.nodes.Reservoir(W=W, Win=W_in)
        readout = reservoirpy.nodes.Ridge(ALPHA, name="readout")
        rpy_model = node >> readout
        rpy_model.fit(X, Y)
        cases["reservoirpy"] = partial(reservoirpy_nodes_loop, node, readout, series[-1], n_steps)
        cases["reservoirpy, as a model"] = partial(
            reservoirpy_model_loop, rpy_model, series[-1], n_steps
        )
    if rclib:
        esn = rclib.ESN()
        esn.add_reservoir(rclib.reservoirs.RandomSparse(n_units, 0.9, 10 / n_units))
        esn.set_readout(rclib.readouts.Ridge(ALPHA, include_bias=True))
        esn.fit(X, Y)
        cases["rclib"] = partial(esn.predict_generative, series[-1:], n_steps)
    coef, intercept = model.readout_.coef_, model.readout_.intercept_
    cases["NumPy/SciPy"] = partial(numpy_loop, W, W_in, coef, intercept, series[-1], n_steps)
    return cases


def main():
    args = parse(__doc__, repeats=(7, "timings of each case"))
    describe()
    peers = import_peer("reservoirpy"), import_peer("rclib")
    n_steps = 500 if args.quick else 5000
    series = make_lorenz(1000 if args.quick else 5000)
    series = (series - series.mean(axis=0)) / series.std(axis=0)
    print_header(f"Closed loop, {n_steps} steps, 3 outputs, float64", "us/step")
    for topology in ("diagonals", "random"):
        for n_units in (300, 1000):
            cases = cases_for(n_units, series, n_steps, topology, *peers)
            title, goals = f"{topology}, N = {n_units}", {"reservoirpy": 10, "rclib": 2.5}
            compare(title, cases, goals=goals, per=1e6 / n_steps, repeats=args.repeats)


if __name__ == "__main__":
    main()
