"""Start-up: time to import the estimators, and time of the first fit in a new process.

    python benchmarks/import_time.py [--quick]

Every measurement runs in a new process. `import esnkit` alone loads no estimator, so the modules
that `from esnkit import ESNRegressor, Forecaster` loads are imported, and compared with an import
of the dependencies. The first fit, with compiled kernels on disk, is compared with the second.
"""

import json
import statistics
import subprocess
import sys

from _bench import describe, parse

IMPORT = """
import time
start = time.perf_counter()
import {}
print(time.perf_counter() - start)
"""
FIT = """
import json, time
import numpy as np
from esnkit import ESNClassifier, ESNRegressor
rng = np.random.default_rng(0)
X, y = rng.normal(size=(2000, 3)), rng.normal(size=2000)
batch, labels = rng.normal(size=(100, 20, 3)), np.arange(100) % 3
model = {}
times = []
for _ in range(3):
    start = time.perf_counter()
    model.fit({}).predict({})
    times.append(time.perf_counter() - start)
print(json.dumps(times))
"""
ESTIMATORS = "esnkit.esn, esnkit.forecasting"
DEPENDENCIES = "numpy, scipy.sparse, sklearn.base, numba"
FITS = {
    "ESNRegressor, diagonals": ("ESNRegressor()", "X, y", "X"),
    "ESNRegressor, random": ("ESNRegressor(topology='random')", "X, y", "X"),
    "ESNRegressor, float32": ("ESNRegressor()", "X.astype('f'), y", "X.astype('f')"),
    "ESNClassifier, sequences": ("ESNClassifier()", "batch, labels", "batch"),
}


def run_in_new_process(code):
    """Return what the code prints, as JSON."""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(process.stderr)
    return json.loads(process.stdout)


def time_imports(repeats):
    imports = {
        "esnkit": ESTIMATORS,
        DEPENDENCIES: DEPENDENCIES,
        "reservoirpy": "reservoirpy, sklearn.base",
    }
    times = {name: [] for name in imports}
    for _ in range(repeats):
        for name, modules in list(imports.items()):
            try:
                times[name].append(run_in_new_process(IMPORT.format(modules)))
            except RuntimeError:
                del imports[name], times[name]
    for name, values in times.items():
        print(f"import {name}: {statistics.median(values):.3f} s, from {min(values):.3f}", end="")
        print(f" to {max(values):.3f}")
    ratio = statistics.median(times["esnkit"]) / statistics.median(times[DEPENDENCIES])
    print(f"ratio {ratio:.3f}, goal <= 1.2 {'ok' if ratio <= 1.2 else 'MISSED'}\n")


def time_fits(repeats):
    for name, expressions in FITS.items():
        code = FIT.format(*expressions)
        uncached = run_in_new_process(code)[0]
        runs = [run_in_new_process(code) for _ in range(repeats)]
        extra = statistics.median(first - second for first, second, _ in runs)
        first, second = (statistics.median(run[i] for run in runs) for i in (0, 1))
        print(f"{name}: first fit and predict {first:.3f} s, second {second:.3f} s, ", end="")
        print(f"extra {extra:.3f} s, goal <= 0.5 {'ok' if extra <= 0.5 else 'MISSED'} ", end="")
        print(f"(before, kernels may not be on disk: {uncached:.2f} s)")


def main():
    args = parse(__doc__, repeats=(7, "processes per measurement"))
    describe()
    print(f"\nMedians of {args.repeats} new processes")
    run_in_new_process(IMPORT.format(ESTIMATORS))
    repeats = 2 if args.quick else args.repeats
    time_imports(repeats)
    time_fits(repeats)


if __name__ == "__main__":
    main()
