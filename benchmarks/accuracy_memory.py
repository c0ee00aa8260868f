"""Memory capacity and information processing capacity of linear reservoirs, and a long memory.

    python benchmarks/accuracy_memory.py [--quick] [--seeds 10]

Linear units, 100 for the memory capacity (on held-out steps) and 50 for the information processing
capacity up to degree two, with the same radius for all topologies. No capacity exceeds the number
of linearly independent units. For permutations that is the number of distinct eigenvalues: cycles
of the same length, or of lengths with a common divisor, share some. "Share" is the least part of
that number that was found. The goals are those of the literature for cycles and orthogonal matrices
(Rodan and Tino 2011; White, Lee and Sompolinsky 2004).

The task of long memory are scikit-learn's digits, 64 pixels in permuted order, of which a ridge
classifier sees the features of the last time step alone: 1200 to learn, 597 to test.
"""

import numpy as np
from _accuracy import parse
from sklearn.datasets import load_digits

from esnkit import DeepReservoir, MemoryReservoir, Reservoir, ReservoirClassifier, RidgeReadout
from esnkit.analysis import information_processing_capacity, memory_capacity

RADIUS = 0.95
TOPOLOGIES = {  # the least capacity of 100 units, as a goal
    "delay_line": 98.0,
    "cycle": 97.0,
    "orthogonal": 94.0,
    "permutation": None,
    "sparse_orthogonal": None,
    "diagonals": None,
    "random": None,
}
ALPHAS = tuple(10.0**k for k in range(-6, 4))
WITH_LAST_STATES = {  # of 64 + n units
    "Reservoir": lambda n, s: Reservoir(64 + n, random_state=s),
    "DeepReservoir, 4 layers": lambda n, s: DeepReservoir(
        Reservoir((64 + n) // 4), 4, random_state=s
    ),
    "Reservoir, ES2N": lambda n, s: Reservoir(64 + n, update="es2n", leak_rate=0.1, random_state=s),
    "MemoryReservoir": lambda n, s: MemoryReservoir(Reservoir(n), 64, random_state=s),
}
ROW = "{:22}{:>9}{:>9}{:>9}{:>9}   {}"


def linear(topology, n_units, seed):
    own = {"input_weights": np.eye(n_units, 1)} if topology == "delay_line" else {}
    return Reservoir(
        n_units, topology=topology, spectral_radius=RADIUS, activation="identity",
        bias_scaling=0.0, random_state=seed, **own,
    )  # fmt: skip


def n_independent(reservoir):
    """Return the number of linearly independent units."""
    if reservoir.topology != "permutation":
        return reservoir.n_units
    weights = reservoir.fit(np.zeros((2, 1))).W_.toarray()
    return len(np.unique(np.linalg.eigvals(weights).round(6)))


def show(topology, measure, n_units, goal, seeds):
    reservoirs = [linear(topology, n_units, seed) for seed in seeds]
    capacities = [measure(r, s).capacity for r, s in zip(reservoirs, seeds, strict=True)]
    low, middle, high = np.min(capacities), np.median(capacities), np.max(capacities)
    share = np.min(np.divide(capacities, [n_independent(r) for r in reservoirs]))
    outcome = "" if goal is None else f">= {goal:g} {'ok' if low >= goal else 'MISSED'}"
    if high > n_units:
        outcome += f", MORE THAN {n_units}"
    columns = [f"{c:.2f}" for c in (low, middle, high)]
    print(ROW.format(topology, *columns, f"{share:.1%}", outcome), flush=True)


def recalled(reservoir, seed):
    return memory_capacity(reservoir, random_state=seed)


def processed(reservoir, seed):
    return information_processing_capacity(reservoir, max_degree=2, random_state=seed)


def permuted_digits():
    """Return sequences of 64 pixels, and labels, in random order."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    pixels = images[:, rng.permutation(64), np.newaxis] / 16
    order = rng.permutation(len(labels))
    return pixels[order], labels[order]


def share_known(reservoir, X, y):
    """Return the accuracy on the digits that are not learned."""
    readout = RidgeReadout(ALPHAS, scoring="classification")
    model = ReservoirClassifier(reservoir, readout).fit(X[:1200], y[:1200])
    return model.score(X[1200:], y[1200:])


def main():
    options = parse(__doc__)
    seeds = range(options.seeds or (2 if options.quick else 10))
    print(f"\nmemory capacity of 100 linear units, {len(seeds)} seeds")
    print(ROW.format("", "least", "median", "largest", "share", "goal"))
    for topology, goal in TOPOLOGIES.items():
        show(topology, recalled, 100, goal, seeds)
    print(f"\ninformation processing capacity of 50 linear units, {len(seeds)} seeds")
    print(ROW.format("", "least", "median", "largest", "share", "goal"))
    for topology, goal in TOPOLOGIES.items():
        show(topology, processed, 50, None if goal is None else 49.0, seeds)
    print(f"\npermuted digits, last features, {len(seeds)} seeds")
    X, y = permuted_digits()
    for name, make in WITH_LAST_STATES.items():
        for n_units in (100, 400):
            found = [share_known(make(n_units, seed), X, y) for seed in seeds]
            text = f"{np.min(found):.3f} {np.median(found):.3f} {np.max(found):.3f}"
            print(f"{name}, {64 + n_units} units: {text}", flush=True)


if __name__ == "__main__":
    main()
