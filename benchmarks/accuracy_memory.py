"""Memory capacity and information processing capacity of linear reservoirs, ten seeds.

    python benchmarks/accuracy_memory.py [--quick] [--seeds 10]

Linear units, 100 for the memory capacity (on held-out steps) and 50 for the information processing
capacity up to degree two, with the same radius for all topologies. No capacity exceeds the number
of linearly independent units. For permutations that is the number of distinct eigenvalues: cycles
of the same length, or of lengths with a common divisor, share some. "Share" is the least part of
that number that was found. The goals are those of the literature for cycles and orthogonal matrices
(Rodan and Tino 2011; White, Lee and Sompolinsky 2004).
"""

import numpy as np
from _accuracy import parse

from esnkit import Reservoir
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


if __name__ == "__main__":
    main()
