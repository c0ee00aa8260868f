"""States of one long series: esnkit against reservoirpy, rclib and a NumPy/SciPy loop.

    python benchmarks/speed_states.py [--quick]

Three inputs, ten non-zeros a row, tanh, leak rate 1, random weights of radius 0.9. esnkit,
reservoirpy and the loop have the same weights, and their states are compared. rclib draws its own,
of the same density, and has no call that returns states: it is timed predicting one output, which
adds one product of a row a step. Where a dense matrix is small enough to be faster than a sparse
one, reservoirpy and the loop are timed with that too.
"""

from functools import partial

import numpy as np
from _bench import PLAIN, compare, describe, head, parse, peer

from esnkit import Reservoir

# (topology, n_units, what esnkit should be faster than, and how many times)
GOALS = [
    ("diagonals", 100, {"reservoirpy": 30, "rclib": 4}),
    ("diagonals", 1000, {"reservoirpy": 8, "rclib": 6}),
    ("diagonals", 10_000, {"reservoirpy": 8, "NumPy/SciPy": 4}),
    ("random", 100, {"reservoirpy": 15}),
    ("random", 1000, {"reservoirpy": 3}),
    ("random", 10_000, {"reservoirpy": 3}),
    ("cycle", 1000, {}),
]
DENSE_BELOW = 300


def numpy_states(W, W_in, X):
    drive = X @ W_in.T
    states = np.empty_like(drive)
    x = np.zeros(W.shape[0])
    for t in range(len(X)):
        x = np.tanh(drive[t] + W @ x)
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


def cases_for(topology, n_units, X, peers):
    """Return what to time, and how far any states of the same weights are from esnkit's."""
    reservoir = Reservoir(n_units, topology=topology, **PLAIN, random_state=0).fit(X)
    single = Reservoir(n_units, topology=topology, **PLAIN, random_state=0).fit(
        X.astype(np.float32)
    )
    cases = {
        "esnkit": partial(reservoir.transform, X),
        "esnkit, float32": partial(single.transform, X.astype(np.float32)),
    }
    W, W_in = reservoir.W_, reservoir.W_in_
    kinds = {"": W} | ({" (dense W)": W.toarray()} if n_units <= DENSE_BELOW else {})
    for suffix, weights in kinds.items():
        if peers["reservoirpy"]:
            node = peers["reservoirpy"].nodes.Reservoir(W=weights, Win=W_in)
            node.run(X[:1])
            cases["reservoirpy" + suffix] = partial(reservoirpy_states, node, X)
        cases["NumPy/SciPy" + suffix] = partial(numpy_states, weights, W_in, X)
    start = X[:200]
    reference = reservoir.transform(start)
    others = [numpy_states(W, W_in, start)]
    if peers["reservoirpy"]:
        others.append(peers["reservoirpy"].nodes.Reservoir(W=W, Win=W_in).run(start))
    if peers["rclib"] and topology != "cycle" and n_units <= 1000:
        cases["rclib"] = partial(rclib_model(peers["rclib"], n_units, X).predict, X)
    return cases, max(np.abs(reference - states).max() for states in others)


def main():
    args = parse(__doc__, repeats=(7, "how often each is timed"))
    describe()
    peers = {name: peer(name) for name in ("reservoirpy", "rclib")}
    n_steps = 500 if args.quick else 10_000
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (n_steps, 3))
    head(f"One series, T = {n_steps}, 3 inputs, 10 non-zeros a row", "us/step")
    for topology, n_units, goals in GOALS:
        if args.quick and n_units > 1000:
            continue
        cases, difference = cases_for(topology, n_units, X, peers)
        work = f"{topology}, N = {n_units} (same states to {difference:.0e})"
        repeats = args.repeats if n_units <= 1000 else min(args.repeats, 5)
        compare(work, cases, goals=goals, per=1e6 / n_steps, repeats=repeats)


if __name__ == "__main__":
    main()
