"""Spectral radius: accuracy against dense and wide-basis references, and the time to build.

    python benchmarks/spectral_radius.py [--part small|medium|large|speed] [--seeds 200]

small   up to 500 units, every topology and weight distribution, against dense eigenvalues
medium  3000 units, against dense eigenvalues (about half a minute each)
large   10 000 and 50 000 units, against ARPACK for eight eigenvalues with 200 basis vectors
speed   time to build and scale, ten non-zeros per row, and that of reservoirpy if installed
"""

import argparse
import platform
import time
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from scipy.sparse.linalg import eigs
from threadpoolctl import threadpool_info

from esnkit.reservoirs import TOPOLOGIES, rescale, spectral_radius
from esnkit.reservoirs.topologies import WEIGHTS, make_topology


def show_versions():
    names = []
    for name in ("numpy", "scipy", "reservoirpy"):
        try:
            names.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            names.append(f"{name} not installed")
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    threads = max((pool["num_threads"] for pool in blas), default=1)
    kernel = blas[0].get("architecture", "unknown") if blas else "unknown"
    print(f"{platform.machine()} ({kernel}), {threads} BLAS threads; {', '.join(names)}\n")


def timed(function, *args):
    start = time.perf_counter()
    result = function(*args)
    return result, time.perf_counter() - start


def dense_radius(W):
    return np.abs(np.linalg.eigvals(W.toarray())).max()


def wide_basis_radius(W):
    start = np.random.default_rng(12345).standard_normal(W.shape[0])
    values = eigs(W, k=8, ncv=200, tol=1e-10, v0=start, return_eigenvectors=False)
    return np.abs(values).max()


def format_times(times):
    """Return the median and the range of times in milliseconds."""
    low, median, high = np.quantile(times, [0, 0.5, 1])
    return f"{1e3 * median:9.1f} [{1e3 * low:.1f}, {1e3 * high:.1f}]"


def accuracy(title, reference, cases):
    """Print a row: largest and median relative error over the cases, and the times of both."""
    errors, times, reference_times = [], [], []
    for W in cases:
        radius, seconds = timed(spectral_radius, W)
        expected, reference_seconds = timed(reference, W)
        errors.append(abs(radius / expected - 1))
        times.append(seconds)
        reference_times.append(reference_seconds)
    columns = f"{len(errors):5d} {max(errors):9.1e} {np.median(errors):9.1e} {format_times(times)}"
    print(f"{title:32s} {columns}  {format_times(reference_times)}", flush=True)


def header(text):
    print(f"\n{text}")
    print(f"{'':32s} cases   max err   med err   esnkit ms [range]  reference ms [range]")


def small(seeds):
    header("Up to 500 units, degree 2 to 20, against dense eigenvalues")
    for name in TOPOLOGIES:
        for weights in sorted(WEIGHTS) if "weights" in TOPOLOGIES[name].parameters else ["uniform"]:
            accuracy(f"{name}, {weights}", dense_radius, small_cases(name, weights, seeds))


def small_cases(name, weights, seeds):
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        n_units, degree = int(rng.integers(4, 501)), int(rng.choice([2, 3, 5, 10, 20]))
        yield make_topology(name, n_units, rng, degree=degree, weights=weights)


def medium(seeds):
    header("3000 units, ten non-zeros per row, against dense eigenvalues")
    for name in TOPOLOGIES:
        accuracy(name, dense_radius, [make_topology(name, 3000, np.random.default_rng(0))])


def large(seeds):
    header("Ten non-zeros per row, against ARPACK with k = 8, ncv = 200")
    for n_units, n_cases in ((10_000, min(seeds, 10)), (50_000, min(seeds, 2))):
        for name in ("diagonals", "random"):
            generators = map(np.random.default_rng, range(n_cases))
            cases = (make_topology(name, n_units, rng) for rng in generators)
            accuracy(f"{name}, {n_units}", wide_basis_radius, cases)


def build(name, n_units, seed):
    return rescale(make_topology(name, n_units, np.random.default_rng(seed)), 0.9)


def peer_build(n_units, seed):
    from reservoirpy.mat_gen import uniform

    return uniform(n_units, n_units, connectivity=10 / n_units, sr=0.9, seed=seed)


def speed(seeds):
    print("\nBuild and scale, ten non-zeros per row, ms [range]")
    for n_units, n_cases in ((100, 20), (300, 20), (1000, 10), (10_000, 5), (50_000, 3)):
        build("random", n_units, 0)
        for name in ("diagonals", "random"):
            times = [timed(build, name, n_units, seed)[1] for seed in range(n_cases)]
            print(f"{name:12s} {n_units:6d} {format_times(times)}", flush=True)
        try:
            times = [timed(peer_build, n_units, seed)[1] for seed in range(min(n_cases, 3))]
        except ImportError:
            continue
        print(f"{'reservoirpy':12s} {n_units:6d} {format_times(times)}", flush=True)


PARTS = {"small": small, "medium": medium, "large": large, "speed": speed}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--seeds", type=int, default=200)
    options = parser.parse_args()
    show_versions()
    for part in options.part or PARTS:
        PARTS[part](options.seeds)
