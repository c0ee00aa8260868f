"""Many short sequences: states, and classification end to end.

    python benchmarks/speed_sequences.py [--quick]

states    1000 sequences x 100 steps, N = 500: esnkit on one thread and on all, against all
          sequences advanced together by dense products in NumPy, and against reservoirpy
classify  1000 sequences x 100 x 12 in four classes: fit, then predict 1000 others, from the last
          state; reservoirpy and rclib get their weights beforehand and the better of their ways
"""

from functools import partial

import numba
import numpy as np
from _bench import PLAIN, compare, describe, head, parse, peer
from threadpoolctl import threadpool_limits

from esnkit import ESNClassifier, Reservoir


def make_sequences(n_sequences, n_steps, n_features, seed=0):
    """Sines in noise, about levels that tell the four classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=n_sequences)
    levels = np.random.default_rng(0).normal(0, 0.3, (4, 1, n_features))[labels]
    phase = rng.uniform(0, 2 * np.pi, (n_sequences, 1, n_features))
    noise = 0.3 * rng.standard_normal((n_sequences, n_steps, n_features))
    return levels + 0.5 * np.sin(0.2 * np.arange(n_steps)[:, None] + phase) + noise, labels


def numpy_states(W, W_in, X):
    """Advance all sequences together, W dense."""
    n_sequences, n_steps, _ = X.shape
    states = np.empty((n_sequences, n_steps, len(W)))
    x = np.zeros((n_sequences, len(W)))
    for t in range(n_steps):
        x = np.tanh(X[:, t] @ W_in.T + x @ W.T)
        states[:, t] = x
    return states


def on_threads(n_threads, run, *args):
    before, numba.config.NUMBA_NUM_THREADS = numba.config.NUMBA_NUM_THREADS, n_threads
    try:
        return run(*args)
    finally:
        numba.config.NUMBA_NUM_THREADS = before


def reservoirpy_states(node, workers, X):
    node.reset()
    return node.run(X, workers=workers)


def time_states(args, X, reservoirpy):
    head("States of {} sequences x {} steps x {}, N = {}".format(*X.shape, args.units), "us/step")
    cases = {}
    threads = numba.config.NUMBA_NUM_THREADS
    for topology in ("diagonals", "random", "cycle"):
        reservoir = Reservoir(args.units, topology=topology, **PLAIN, random_state=0).fit(X)
        small = X.astype(np.float32)
        single = Reservoir(args.units, topology=topology, **PLAIN, random_state=0).fit(small)
        cases = {
            f"esnkit, {threads} threads": partial(reservoir.transform, X),
            "esnkit, 1 thread": partial(on_threads, 1, reservoir.transform, X),
            f"esnkit, {threads} threads, float32": partial(single.transform, small),
        }
        W = reservoir.W_.toarray()
        cases["NumPy, batched"] = partial(numpy_states, W, reservoir.W_in_, X)
        if reservoirpy and topology == "diagonals":
            node = reservoirpy.nodes.Reservoir(W=reservoir.W_, Win=reservoir.W_in_)
            node.run(X[0, :1])
            cases["reservoirpy"] = partial(reservoirpy_states, node, 1, X)
        far = np.abs(reservoir.transform(X[:50]) - numpy_states(W, reservoir.W_in_, X[:50])).max()
        per = 1e6 / (X.shape[0] * X.shape[1])
        goals, limit = ({"NumPy, batched": 8}, 0.7) if topology == "diagonals" else ({}, None)
        work = f"{topology} (same states to {far:.0e})"
        compare(work, cases, goals=goals, per=per, limit=limit, repeats=args.repeats)


def esnkit_classify(n_units, X, labels, X_new):
    model = ESNClassifier(n_units, include_input=False, **PLAIN, random_state=0)
    return model.fit(X, labels).predict(X_new)


def reservoirpy_classify(reservoirpy, node, workers, X, labels, X_new):
    states = reservoirpy_states(node, workers, X)[:, -1]
    readout = reservoirpy.nodes.Ridge(1e-2).fit(states, np.eye(4)[labels])
    return readout.run(reservoirpy_states(node, workers, X_new)[:, -1]).argmax(axis=1)


def rclib_last_states(model, X):
    """Run every sequence in C++ and read off the state it ends in."""
    reservoir = model.get_reservoir(0)
    rows = []
    for sequence in X:
        model.predict(sequence)
        rows.append(reservoir.getState()[0])
    return np.array(rows)


def rclib_classify(rclib, model, X, labels, X_new):
    readout = rclib._rclib.RidgeReadout(1e-2, True)
    readout.fit(rclib_last_states(model, X), np.eye(4)[labels])
    return readout.predict(rclib_last_states(model, X_new)).argmax(axis=1)


def on_one_openmp_thread(run):
    with threadpool_limits(1, user_api="openmp"):
        return run()


def time_classify(args, n_sequences, n_steps, reservoirpy, rclib):
    X, labels = make_sequences(n_sequences, n_steps, 12, seed=1)
    X_new, truth = make_sequences(n_sequences, n_steps, 12, seed=2)
    data = X, labels, X_new
    cases = {"esnkit": partial(esnkit_classify, args.units, *data)}
    drawn = Reservoir(args.units, **PLAIN, random_state=0).fit(X)
    if reservoirpy:
        node = reservoirpy.nodes.Reservoir(W=drawn.W_, Win=drawn.W_in_)
        node.run(X[0, :1])
        cases["reservoirpy"] = partial(reservoirpy_classify, reservoirpy, node, 1, *data)
        cases["reservoirpy, 2 workers"] = partial(reservoirpy_classify, reservoirpy, node, 2, *data)
    if rclib:
        model = rclib.ESN()
        model.add_reservoir(rclib.reservoirs.RandomSparse(args.units, 0.9, 10 / args.units))
        model.set_readout(rclib.readouts.Ridge(1.0, include_bias=False))
        model.fit(X[0], X[0][:, :1])
        cases["rclib"] = partial(rclib_classify, rclib, model, *data)
        cases["rclib, 1 thread"] = partial(on_one_openmp_thread, cases["rclib"])
    head(f"Classify {n_sequences} x {n_steps} x 12, N = {args.units}: fit and predict", "s")
    right = ", ".join(f"{name} {np.mean(run() == truth):.3f}" for name, run in cases.items())
    goals = {"reservoirpy": 20, "rclib": 10, "rclib, 1 thread": 10}
    compare(f"(right: {right})", cases, goals=goals, repeats=args.repeats)


def main():
    args = parse(
        __doc__,
        repeats=(7, "how often each is timed"),
        units=(500, "N"),
        features=(3, "inputs of the first part"),
    )
    describe()
    reservoirpy, rclib = peer("reservoirpy"), peer("rclib")
    n_sequences, n_steps = (100, 20) if args.quick else (1000, 100)
    X, _ = make_sequences(n_sequences, n_steps, args.features)
    time_states(args, X, reservoirpy)
    time_classify(args, n_sequences, n_steps, reservoirpy, rclib)


if __name__ == "__main__":
    main()
