"""Memory capacity and information processing capacity of linear reservoirs, ten seeds.

    python benchmarks/accuracy_memory.py [--quick] [--seeds 10]

Linear units, 100 for the memory capacity (on held-out steps) and 50 for the information processing
capacity up to degree two, with the same radius for all topologies. No capacity exceeds the number
of units. The goals are those of the literature for cycles and orthogonal matrices (Rodan and Tino
2011; White, Lee and Sompolinsky 2004).
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
ROW = "{:22}{:>9}{:>9}{:>9}   {}"


def linear(topology, n_units, seed):
    own = {"input_weights": np.eye(n_units, 1)} if topology == "delay_line" else {}
    return Reservoir(
        n_units, topology=topology, spectral_radius=RADIUS, activation="identity",
        bias_scaling=0.0, random_state=seed, **own,
    )  # fmt: skip


def show(topology, capacities, n_units, goal):
    low, middle, high = np.min(capacities), np.median(capacities), np.max(capacities)
    outcome = "" if goal is None else f">= {goal:g} {'ok' if low >= goal else 'MISSED'}"
    if high > n_units:
        outcome += f", MORE THAN {n_units}"
    print(ROW.format(topology, *(f"{c:.2f}" for c in (low, middle, high)), outcome), flush=True)


def main():
    options = parse(__doc__)
    seeds = range(options.seeds or (2 if options.quick else 10))
    print(f"\nmemory capacity of 100 linear units, {len(seeds)} seeds")
    print(ROW.format("", "least", "median", "largest", "goal"))
    for topology, goal in TOPOLOGIES.items():
        found = [memory_capacity(linear(topology, 100, s), random_state=s).capacity for s in seeds]
        show(topology, found, 100, goal)
    print(f"\ninformation processing capacity of 50 linear units, {len(seeds)} seeds")
    print(ROW.format("", "least", "median", "largest", "goal"))
    for topology, goal in TOPOLOGIES.items():
        found = [
            information_processing_capacity(
                linear(topology, 50, s), max_degree=2, random_state=s
            ).capacity
            for s in seeds
        ]
        show(topology, found, 50, None if goal is None else 49.0)


if __name__ == "__main__":
    main()
