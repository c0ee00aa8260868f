"""Shared by the benchmarks: options, description of the machine, interleaved timing, tables."""

import argparse
import hashlib
import importlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = (
    "esnkit", "numpy", "scipy", "scikit-learn", "numba", "reservoirpy", "rclib",
    "OpenReservoirComputing", "jax",
)  # fmt: skip
# Cases faster than this run once, untimed, before each timing.
MAX_WARM_UP_SECONDS = 1.0
# A timing repeats a fast case for about this long.
MIN_TIMED_SECONDS = 0.05
# With these settings the states are those of the peers, which have no bias and do not scale inputs.
PEER_SETTINGS = {"input_scaling": 1.0, "bias_scaling": 0.0}
ROW = "{:<36}{:>11}{:>11}{:>10}{:>13}{:>10}  {}"
_clock = time.perf_counter


def parse(doc: str, **options: Any) -> argparse.Namespace:
    """Parse the command line: ``--quick``, ``--cpu`` and options given as name=(default, help)."""
    global _clock
    parser = argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="NUMBA_NUM_THREADS, OPENBLAS_NUM_THREADS and OMP_NUM_THREADS set the threads; "
        "OPENBLAS_CORETYPE sets the kernels of BLAS, NUMBA_CPU_NAME and NUMBA_CPU_FEATURES the "
        "target of Numba.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to test the script")
    parser.add_argument("--cpu", action="store_true", help="measure CPU time, not wall-clock time")
    for name, (default, text) in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    args = parser.parse_args()
    if args.cpu:
        _clock = time.process_time
    return args


def import_peer(name: str) -> Any:
    """Return a package to compare with; if it is not installed, print so and return None."""
    with suppress(ImportError):
        return importlib.import_module(name)
    print(f"({name} is not installed: its rows are left out; pip install -e '.[bench]')")


@cache
def versions_of(*packages: str) -> dict[str, str]:
    """Return the versions that a result depends on, for esnkit a hash of its source code."""
    found = {package: version(package) for package in packages if package != "esnkit"}
    if "esnkit" in packages:
        folder = Path(importlib.import_module("esnkit").__file__ or "").parent
        source = b"".join(file.read_bytes() for file in sorted(folder.rglob("*.py")))
        found["esnkit"] = hashlib.md5(source).hexdigest()
    return found


def describe() -> None:
    """Print the versions of the packages, the processor and the numbers of threads."""
    import llvmlite.binding as llvm
    import numba
    import scipy.linalg  # noqa: F401  loads a BLAS that threadpool_info then lists
    from threadpoolctl import threadpool_info

    print(f"Python {platform.python_version()}", end="")
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            print(f", {name} {version(name)}", end="")
    features = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()
    vectors = "AVX-512" if "+avx512f" in features else "AVX2" if "+avx2" in features else "SSE"
    print(f"\n{_cpu_name()}, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.2f}")
    cpu = numba.config.CPU_NAME or llvm.get_host_cpu_name()
    print(f"Numba: {cpu}, {vectors}, {numba.config.NUMBA_NUM_THREADS} threads")
    for pool in threadpool_info():
        kernels = pool.get("architecture", "")
        print(f"{pool['prefix']} {pool['version']} {kernels}: {pool['num_threads']} threads")


def _cpu_name() -> str:
    with suppress(OSError, StopIteration), open("/proc/cpuinfo") as info:
        return next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    return platform.processor() or platform.machine()


def print_header(title: str, unit: str) -> None:
    """Print the header of a table of :func:`compare`."""
    print(f"\n{title}")
    print(ROW.format("", "first call", "median", "IQR", unit, "ratio", "goal"))


def compare(
    title: str,
    cases: dict[str, Callable[[], Any]],
    *,
    goals: dict[str, float] | None = None,
    per: float = 1.0,
    limit: float | None = None,
    repeats: int = 7,
) -> dict[str, float]:
    """Time all cases in turn, print one row per case, and return the medians in seconds.

    The first call of each case may compile, so it has its own column and does not enter the median.
    A fast case runs once, untimed, before each timing, because the system may still release the
    memory of the case before; it is then called several times. ``per`` converts seconds to the unit
    of the header. The ratio is the median of a case divided by that of the first case. ``goals``
    are lower bounds of the ratios; ``limit`` is an upper bound of the first case, in that unit.
    """
    first = [_time(run) for run in cases.values()]
    cases_and_seconds = [(run, _time(run)) for run in cases.values()]
    times = np.array([[_repeat(*case) for case in cases_and_seconds] for _ in range(repeats)])
    medians = dict(zip(cases, np.median(times, axis=0), strict=True))
    spread = np.subtract(*np.percentile(times, [75, 25], axis=0))
    print(title)
    for i, (name, median) in enumerate(medians.items()):
        ratio, goal = median / next(iter(medians.values())), (goals or {}).get(name)
        outcome = "" if goal is None else f">= {goal:g} {'ok' if ratio >= goal else 'MISSED'}"
        if i == 0 and limit is not None:
            outcome = f"<= {limit:g} {'ok' if median * per <= limit else 'MISSED'}"
        columns = [f"{t:.3g} s" for t in (first[i], median, spread[i])]
        columns += [f"{median * per:.4g}", f"{ratio:.2f}", outcome]
        print(ROW.format("  " + name, *columns), flush=True)
    return medians


def _repeat(run: Callable[[], Any], seconds: float) -> float:
    """Return the mean time of several calls; ``seconds`` is the time of one call so far."""
    if seconds < MAX_WARM_UP_SECONDS:
        run()
    return _time(run, 1 + int(MIN_TIMED_SECONDS / (seconds + 1e-6)))


def _time(run: Callable[[], Any], n_calls: int = 1) -> float:
    start = _clock()
    for _ in range(n_calls):
        run()
    return (_clock() - start) / n_calls


def rerun(*arguments: str, threads: int) -> None:
    """Run this script in a new process with the given number of threads."""
    names = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    env = os.environ | dict.fromkeys(names, str(threads))
    subprocess.run([sys.executable, sys.argv[0], *arguments], env=env, check=True)
