"""Draw and scale large reservoirs: esnkit against reservoirpy.

    python benchmarks/speed_build.py [--quick]

N = 10 000 and 50 000, ten non-zeros per row, spectral radius 0.9, three inputs. reservoirpy draws
with `degree=10`, which is faster than a density. benchmarks/spectral_radius.py measures the
accuracy of the radius.
"""

from functools import partial

import numpy as np
from _bench import compare, describe, import_peer, parse, print_header

from esnkit import Reservoir


def build(topology, n_units):
    return Reservoir(n_units, topology=topology, random_state=0).fit(np.zeros((1, 3)))


def reservoirpy_build(reservoirpy, n_units):
    draw = partial(reservoirpy.mat_gen.normal, degree=10, direction="in")
    node = reservoirpy.nodes.Reservoir(n_units, sr=0.9, W=draw, seed=0)
    node.initialize(np.zeros(3))
    return node


def main():
    args = parse(__doc__, repeats=(3, "timings of each case"))
    describe()
    reservoirpy = import_peer("reservoirpy")
    print_header("Draw and scale, 10 non-zeros per row", "s")
    sizes = {1000: None} if args.quick else {10_000: 1.5, 50_000: 12.0}
    for n_units, limit in sizes.items():
        cases = {f"esnkit, {t}": partial(build, t, n_units) for t in ("diagonals", "random")}
        goals = {}
        if reservoirpy:
            cases["reservoirpy"] = partial(reservoirpy_build, reservoirpy, n_units)
            goals = {"reservoirpy": 3} if n_units == 50_000 else {}
        compare(f"N = {n_units}", cases, goals=goals, limit=limit, repeats=args.repeats)


if __name__ == "__main__":
    main()
