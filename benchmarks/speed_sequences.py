"""Many short sequences: time of the states, and of fitting and predicting a classifier.

    python benchmarks/speed_sequences.py [--quick]

states    1000 sequences x 100 steps, N = 500: esnkit with one thread and with all, against a loop
          in NumPy that advances all sequences at once by dense products, and against reservoirpy
classify  1000 sequences x 100 x 12 in four classes: fit, then predict 1000 others, from the last
          state; the weights of reservoirpy and rclib are drawn in advance, and each runs with one
          worker or thread and with several
"""

from functools import partial

import numba
import numpy as np
from _bench import PEER_SETTINGS, compare, describe, import_peer, parse, print_header
from threadpoolctl import threadpool_limits

from esnkit import ESNClassifier, Reservoir, RidgeReadout


def make_sequences(n_sequences, n_steps, n_features, seed=0):
    """Return noisy sines and labels; the four classes differ in their means."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=n_sequences)
    levels = np.random.default_rng(0).normal(0, 0.3, (4, 1, n_features))[labels]
    phase = rng.uniform(0, 2 * np.pi, (n_sequences, 1, n_features))
    noise = 0.3 * rng.standard_normal((n_sequences, n_steps, n_features))
    return levels + 0.5 * np.sin(0.2 * np.arange(n_steps)[:, None] + phase) + noise, labels


def numpy_states(W, W_in, X):
    """Return the states of all sequences, advanced at once with a dense W."""
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
    print_header(
        "States of {} sequences x {} steps x {}, N = {}".format(*X.shape, args.units), "us/step"
    )
    threads = numba.config.NUMBA_NUM_THREADS
    for topology in ("diagonals", "random", "cycle"):
        reservoir = Reservoir(args.units, topology=topology, **PEER_SETTINGS, random_state=0).fit(X)
        X_float32 = X.astype(np.float32)
        reservoir_float32 = Reservoir(
            args.units, topology=topology, **PEER_SETTINGS, random_state=0
        ).fit(X_float32)
        cases = {
            f"esnkit, {threads} threads": partial(reservoir.transform, X),
            "esnkit, 1 thread": partial(on_threads, 1, reservoir.transform, X),
            f"esnkit, {threads} threads, float32": partial(reservoir_float32.transform, X_float32),
        }
        W = reservoir.W_.toarray()
        cases["NumPy, batched"] = partial(numpy_states, W, reservoir.W_in_, X)
        if reservoirpy and topology == "diagonals":
            node = reservoirpy.nodes.Reservoir(W=reservoir.W_, Win=reservoir.W_in_)
            node.run(X[0, :1])
            cases["reservoirpy"] = partial(reservoirpy_states, node, 1, X)
        difference = np.abs(
            reservoir.transform(X[:50]) - numpy_states(W, reservoir.W_in_, X[:50])
        ).max()
        per = 1e6 / (X.shape[0] * X.shape[1])
        goals, limit = ({"NumPy, batched": 8}, 0.7) if topology == "diagonals" else ({}, None)
        title = f"{topology} (same states to {difference:.0e})"
        compare(title, cases, goals=goals, per=per, limit=limit, repeats=args.repeats)


def esnkit_classify(n_units, X, labels, X_new):
    model = ESNClassifier(
        n_units,
        leak_rate=1.0,
        include_input=False,
        pooling="last",
        readout=RidgeReadout(1e-2),
        **PEER_SETTINGS,
        random_state=0,
    )
    return model.fit(X, labels).predict(X_new)


def reservoirpy_classify(reservoirpy, node, workers, X, labels, X_new):
    states = reservoirpy_states(node, workers, X)[:, -1]
    readout = reservoirpy.nodes.Ridge(1e-2).fit(states, np.eye(4)[labels])
    return readout.run(reservoirpy_states(node, workers, X_new)[:, -1]).argmax(axis=1)


def rclib_last_states(model, X):
    """Return the last state of every sequence."""
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
    X_new, labels_new = make_sequences(n_sequences, n_steps, 12, seed=2)
    data = X, labels, X_new
    cases = {"esnkit": partial(esnkit_classify, args.units, *data)}
    reservoir = Reservoir(args.units, **PEER_SETTINGS, random_state=0).fit(X)
    if reservoirpy:
        node = reservoirpy.nodes.Reservoir(W=reservoir.W_, Win=reservoir.W_in_)
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
    print_header(f"Classify {n_sequences} x {n_steps} x 12, N = {args.units}: fit and predict", "s")
    accuracy = ", ".join(
        f"{name} {np.mean(run() == labels_new):.3f}" for name, run in cases.items()
    )
    goals = {"reservoirpy": 20, "rclib": 10, "rclib, 1 thread": 10}
    compare(f"(accuracy: {accuracy})", cases, goals=goals, repeats=args.repeats)


def main():
    args = parse(
        __doc__,
        repeats=(7, "timings of each case"),
        units=(500, "units of the reservoir"),
        features=(3, "features of the sequences in the first part"),
    )
    describe()
    reservoirpy, rclib = import_peer("reservoirpy"), import_peer("rclib")
    n_sequences, n_steps = (100, 20) if args.quick else (1000, 100)
    X, _ = make_sequences(n_sequences, n_steps, args.features)
    time_states(args, X, reservoirpy)
    time_classify(args, n_sequences, n_steps, reservoirpy, rclib)


if __name__ == "__main__":
    main()
