"""Start-up: the time of importing the estimators, and of the first fit in a fresh process.

    python benchmarks/import_time.py [--quick]

Every measurement is a process of its own. `import esnkit` alone loads nothing; what is timed is
`from esnkit import ESNRegressor, Forecaster`, against importing what esnkit stands on. The first
fit, with compiled kernels on disk, is compared with the second one.
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
ESTIMATORS = "esnkit.esn._presets, esnkit.forecasting._forecaster"
FOUNDATIONS = "numpy, scipy.sparse, sklearn.base, numba"
FITS = {
    "ESNRegressor, diagonals": ("ESNRegressor()", "X, y", "X"),
    "ESNRegressor, random": ("ESNRegressor(topology='random')", "X, y", "X"),
    "ESNRegressor, float32": ("ESNRegressor()", "X.astype('f'), y", "X.astype('f')"),
    "ESNClassifier, sequences": ("ESNClassifier()", "batch, labels", "batch"),
}


def fresh(code):
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(answer.stderr)
    return json.loads(answer.stdout)


def time_imports(repeats):
    wanted = {
        "esnkit": ESTIMATORS,
        FOUNDATIONS: FOUNDATIONS,
        "reservoirpy": "reservoirpy, sklearn.base",
    }
    times = {name: [] for name in wanted}
    for _ in range(repeats):
        for name, modules in list(wanted.items()):
            try:
                times[name].append(fresh(IMPORT.format(modules)))
            except RuntimeError:
                del wanted[name], times[name]
    for name, values in times.items():
        print(f"import {name}: {statistics.median(values):.3f} s, from {min(values):.3f}", end="")
        print(f" to {max(values):.3f}")
    ratio = statistics.median(times["esnkit"]) / statistics.median(times[FOUNDATIONS])
    print(f"ratio {ratio:.3f}, goal <= 1.2 {'ok' if ratio <= 1.2 else 'MISSED'}\n")


def time_fits(repeats):
    for name, parts in FITS.items():
        code = FIT.format(*parts)
        compiling = fresh(code)[0]
        runs = [fresh(code) for _ in range(repeats)]
        extra = statistics.median(first - second for first, second, _ in runs)
        first, second = (statistics.median(run[i] for run in runs) for i in (0, 1))
        print(f"{name}: first fit and predict {first:.3f} s, second {second:.3f} s, ", end="")
        print(f"extra {extra:.3f} s, goal <= 0.5 {'ok' if extra <= 0.5 else 'MISSED'} ", end="")
        print(f"(kernels perhaps not yet on disk: {compiling:.2f} s)")


def main():
    args = parse(__doc__, repeats=(7, "how many processes for each"))
    describe()
    print(f"\nMedians of {args.repeats} fresh processes")
    fresh(IMPORT.format(ESTIMATORS))
    repeats = 2 if args.quick else args.repeats
    time_imports(repeats)
    time_fits(repeats)


if __name__ == "__main__":
    main()
