"""States of one long series: esnkit against reservoirpy, rclib, orc and a NumPy/SciPy loop.

    python benchmarks/speed_states.py [--quick]

Three inputs, ten non-zeros per row, tanh, leak rate 1, spectral radius 0.9. esnkit, reservoirpy,
orc (JAX on the CPU; its first call compiles) and the loop have the same weights, and their states
are compared. rclib draws its own weights, with the same density, and has no call that returns
states: its time is that of predicting one output, which adds one scalar product per step. For small
reservoirs, reservoirpy and the loop also run with a dense W, which can be faster than a sparse one.

A deep reservoir is compared with runs of its layers one by one, each over the stored inputs that it
has in the deep one: without their states side by side, and with them, as the deep one gives them.
"""

import os
from functools import partial
from itertools import pairwise

import numpy as np
from _bench import PEER_SETTINGS, compare, describe, import_peer, parse, print_header

from esnkit import DeepReservoir, Reservoir

# topology, n_units, and the lower bounds of how many times as fast as the peers esnkit is
GOALS = [
    ("diagonals", 100, {"reservoirpy": 30, "rclib": 4, "orc": 15}),
    ("diagonals", 1000, {"reservoirpy": 8, "rclib": 6, "orc": 10}),
    ("diagonals", 10_000, {"reservoirpy": 8, "NumPy/SciPy": 4}),
    ("random", 100, {"reservoirpy": 15}),
    ("random", 1000, {"reservoirpy": 3}),
    ("random", 10_000, {"reservoirpy": 3}),
    ("cycle", 1000, {}),
]
MAX_DENSE_UNITS = 300


def numpy_states(W, W_in, X):
    inputs = X @ W_in.T
    states = np.empty_like(inputs)
    x = np.zeros(W.shape[0])
    for t in range(len(X)):
        x = np.tanh(inputs[t] + W @ x)
        states[t] = x
    return states


def reservoirpy_states(node, X):
    node.reset()
    return node.run(X)


def rclib_model(rclib, n_units, X):
    model = rclib.ESN()
    model.add_reservoir(rclib.reservoirs.RandomSparse(n_units, 0.9, 10 / n_units))
    model.set_readout(rclib.readouts.Ridge(1.0, include_bias=False))
    model.fit(X[:50], X[:50, :1])
    return model


def orc_model(orc, W, W_in):
    """Return a forecaster of orc with the given weights."""
    import equinox
    import jax

    n_units, n_inputs = W_in.shape
    model = orc.forecaster.ESNForecaster(
        n_inputs, n_units, leak_rate=1.0, bias=0.0, Wr_density=10 / n_units
    )
    W = jax.experimental.sparse.BCOO.fromdense(W.toarray()[np.newaxis], n_batch=1)
    return equinox.tree_at(lambda m: (m.driver.wr, m.embedding.win), model, (W, W_in[np.newaxis]))


def orc_states(model, X):
    states = model.force(X, np.zeros((1, model.res_dim)))
    return np.asarray(states)[:, 0]


def cases_for(topology, n_units, X, peers):
    """Return the cases to time, and the largest difference of the states for the same weights."""
    reservoir = Reservoir(n_units, topology=topology, **PEER_SETTINGS, random_state=0).fit(X)
    reservoir_float32 = Reservoir(n_units, topology=topology, **PEER_SETTINGS, random_state=0).fit(
        X.astype(np.float32)
    )
    cases = {
        "esnkit": partial(reservoir.transform, X),
        "esnkit, float32": partial(reservoir_float32.transform, X.astype(np.float32)),
    }
    W, W_in = reservoir.W_, reservoir.W_in_
    matrices = {"": W} | ({" (dense W)": W.toarray()} if n_units <= MAX_DENSE_UNITS else {})
    for suffix, matrix in matrices.items():
        if peers["reservoirpy"]:
            node = peers["reservoirpy"].nodes.Reservoir(W=matrix, Win=W_in)
            node.run(X[:1])
            cases["reservoirpy" + suffix] = partial(reservoirpy_states, node, X)
        cases["NumPy/SciPy" + suffix] = partial(numpy_states, matrix, W_in, X)
    orc = peers["orc"] and n_units <= 1000 and orc_model(peers["orc"], W, W_in)
    if orc:
        cases["orc"] = partial(orc_states, orc, X)
    start = X[:200]
    reference = reservoir.transform(start)
    others = [numpy_states(W, W_in, start)]
    if peers["reservoirpy"]:
        others.append(peers["reservoirpy"].nodes.Reservoir(W=W, Win=W_in).run(start))
    if orc:
        others.append(orc_states(orc, start))
    if peers["rclib"] and topology != "cycle" and n_units <= 1000:
        cases["rclib"] = partial(rclib_model(peers["rclib"], n_units, X).predict, X)
    return cases, max(np.abs(reference - states).max() for states in others)


def deep_cases(n_units, n_layers, X, interlayer_weights):
    """Return the cases to time of a deep reservoir."""
    layer = Reservoir(n_units, **PEER_SETTINGS)
    deep = DeepReservoir(
        layer, n_layers, interlayer_weights=interlayer_weights, random_state=0
    ).fit(X)
    inputs = [X]
    for below, _ in pairwise(deep.layers_):
        inputs.append(below.transform(inputs[-1]))

    def run_layers():
        return [layer.transform(x) for layer, x in zip(deep.layers_, inputs, strict=True)]

    return {
        "deep": partial(deep.transform, X),
        "its layers alone": run_layers,
        "its layers alone, side by side": lambda: np.hstack(run_layers()),
    }


def main():
    args = parse(__doc__, repeats=(7, "timings of each case"))
    describe()
    os.environ["JAX_ENABLE_X64"] = "1"  # orc reads it when it is imported
    peers = {name: import_peer(name) for name in ("reservoirpy", "rclib", "orc")}
    n_steps = 500 if args.quick else 10_000
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (n_steps, 3))
    print_header(f"One series, T = {n_steps}, 3 inputs, 10 non-zeros per row", "us/step")
    for topology, n_units, goals in GOALS:
        if args.quick and n_units > 1000:
            continue
        cases, difference = cases_for(topology, n_units, X, peers)
        title = f"{topology}, N = {n_units} (same states to {difference:.0e})"
        repeats = args.repeats if n_units <= 1000 else min(args.repeats, 5)
        compare(title, cases, goals=goals, per=1e6 / n_steps, repeats=repeats)
    for interlayer_weights in ("informed", "uniform"):
        title = f"deep, 5 layers of 200 units, {interlayer_weights} weights between them"
        cases = deep_cases(200, 5, X, interlayer_weights)
        goals = {"its layers alone": 1.0}
        compare(title, cases, goals=goals, per=1e6 / n_steps, repeats=args.repeats)


if __name__ == "__main__":
    main()
