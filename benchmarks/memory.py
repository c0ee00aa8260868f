"""Memory that fit and predict need for a very long series, in addition to the data.

    python benchmarks/memory.py [--quick]

T = 1 000 000 steps, 3 inputs, N = 500: all states would take 4 GB. Each solver runs in a new
process. A figure is the peak resident size after the call minus the resident size before it, when
the data are in memory and the kernels are compiled. The peak includes that of the compilation.
"""

import resource
import subprocess
import sys
import time

import numpy as np
from _bench import describe, parse

from esnkit import ESNRegressor

LIMIT = 300  # MB


def peak():
    """Return the largest resident size so far, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 2**20 if sys.platform == "darwin" else size / 2**10


def in_use():
    """Return the resident size in MB; without /proc, the largest so far."""
    try:
        with open("/proc/self/statm") as pages:
            return int(pages.read().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return peak()


def measure(n_steps, n_units, solver):
    rng = np.random.default_rng(0)
    X = np.empty((n_steps, 3))
    rng.standard_normal(out=X)
    y = np.roll(X[:, 0], 1) + 0.5 * np.roll(X[:, 1], 2)
    model = ESNRegressor(n_units, alpha=1e-3, solver=solver, random_state=0)
    model.fit(X[:5000], y[:5000]).predict(X[:5000])
    for name, run in (("fit", lambda: model.fit(X, y)), ("predict", lambda: model.predict(X))):
        before, start = in_use(), time.perf_counter()
        run()
        extra, seconds = peak() - before, time.perf_counter() - start
        outcome = "ok" if extra < LIMIT else "MISSED"
        print(f"  {solver}, {name}: {extra:.0f} MB extra (before: {before:.0f} MB), ", end="")
        print(f"{seconds:.1f} s, goal < {LIMIT} MB {outcome}", flush=True)


def main():
    args = parse(__doc__, solver=("", "measure only this solver, in this process"))
    n_steps, n_units = (100_000, 100) if args.quick else (1_000_000, 500)
    if args.solver:
        measure(n_steps, n_units, args.solver)
        return
    describe()
    print(f"\nT = {n_steps}, N = {n_units}", flush=True)
    for solver in ("auto", "qr"):
        command = [sys.executable, sys.argv[0], "--solver", solver, *["--quick"] * args.quick]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
