"""What the benchmarks share: options, a description of the machine, interleaved timing, a table."""

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

PACKAGES = ("esnkit", "numpy", "scipy", "scikit-learn", "numba", "reservoirpy", "rclib")
SHORT = 1.0  # seconds
# The peers have no bias and inputs of scale 1: the same weights then give the same states.
PLAIN = {"input_scaling": 1.0, "bias_scaling": 0.0}
_clocks = [time.perf_counter]
LINE = "{:<36}{:>11}{:>11}{:>10}{:>13}{:>10}  {}"


def parse(doc: str, **options: Any) -> argparse.Namespace:
    """Read the command line: ``--quick`` and the options given as name=(default, help)."""
    parser = argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="NUMBA_NUM_THREADS, OPENBLAS_NUM_THREADS and OMP_NUM_THREADS set the threads; "
        "OPENBLAS_CORETYPE chooses BLAS kernels, NUMBA_CPU_NAME and NUMBA_CPU_FEATURES Numba's.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--cpu", action="store_true", help="time of the processor, not the clock")
    for name, (default, text) in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    args = parser.parse_args()
    if args.cpu:
        _clocks.insert(0, time.process_time)
    return args


def peer(name: str) -> Any:
    """Import a package to compare with, or say that it is missing and return None."""
    with suppress(ImportError):
        return importlib.import_module(name)
    print(f"({name} is not installed and left out; pip install -e '.[bench]')")


def describe() -> None:
    import llvmlite.binding as llvm
    import numba
    import scipy.linalg  # noqa: F401  brings its own BLAS
    from threadpoolctl import threadpool_info

    print(f"Python {platform.python_version()}", end="")
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            print(f", {name} {version(name)}", end="")
    features = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()
    wide = "AVX-512" if "+avx512f" in features else "AVX2" if "+avx2" in features else "SSE"
    print(f"\n{_cpu_name()}, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.2f}")
    cpu = numba.config.CPU_NAME or llvm.get_host_cpu_name()
    print(f"Numba: {cpu}, {wide}, {numba.config.NUMBA_NUM_THREADS} threads")
    for pool in threadpool_info():
        kernels = pool.get("architecture", "")
        print(f"{pool['prefix']} {pool['version']} {kernels}: {pool['num_threads']} threads")


def _cpu_name() -> str:
    with suppress(OSError, StopIteration), open("/proc/cpuinfo") as info:
        return next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    return platform.processor() or platform.machine()


def head(title: str, unit: str) -> None:
    print(f"\n{title}")
    print(LINE.format("", "first call", "median", "IQR", unit, "ratio", "goal"))


def compare(
    work: str,
    cases: dict[str, Callable[[], Any]],
    *,
    goals: dict[str, float] | None = None,
    per: float = 1.0,
    limit: float | None = None,
    repeats: int = 7,
) -> dict[str, float]:
    """Time all cases in turn, print a line each, and return the medians in seconds.

    The first call of each, which may compile, is not counted; short ones are made several times a
    turn, after one that is not counted, since what the case before leaves to be cleared up would
    take a large part of it. Ratios are to the first case, ``limit`` is the most for it in
    seconds * ``per``.
    """
    first = [_time(run) for run in cases.values()]
    turns = [(run, _time(run)) for run in cases.values()]
    times = np.array([[_turn(*turn) for turn in turns] for _ in range(repeats)])
    medians = dict(zip(cases, np.median(times, axis=0), strict=True))
    spread = np.subtract(*np.percentile(times, [75, 25], axis=0))
    print(work)
    for i, (name, median) in enumerate(medians.items()):
        ratio, goal = median / next(iter(medians.values())), (goals or {}).get(name)
        verdict = "" if goal is None else f">= {goal:g} {'ok' if ratio >= goal else 'MISSED'}"
        if i == 0 and limit is not None:
            verdict = f"<= {limit:g} {'ok' if median * per <= limit else 'MISSED'}"
        shown = [f"{t:.3g} s" for t in (first[i], median, spread[i])]
        shown += [f"{median * per:.4g}", f"{ratio:.2f}", verdict]
        print(LINE.format("  " + name, *shown), flush=True)
    return medians


def _turn(run: Callable[[], Any], seconds: float) -> float:
    if seconds < SHORT:
        run()
    return _time(run, 1 + int(0.05 / (seconds + 1e-6)))


def _time(run: Callable[[], Any], number: int = 1) -> float:
    start = _clocks[0]()
    for _ in range(number):
        run()
    return (_clocks[0]() - start) / number


def rerun(*arguments: str, threads: int) -> None:
    """Run this script again in a new process, on so many threads."""
    names = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    env = os.environ | dict.fromkeys(names, str(threads))
    subprocess.run([sys.executable, sys.argv[0], *arguments], env=env, check=True)
