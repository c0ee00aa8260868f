"""Fits to dask collections: equality with one machine, time, CPU time and memory of workers.

    python benchmarks/cluster.py [--quick] [--part series|lost|sequences]

Workers are processes of one thread. `series`: T = 2 000 000 steps, 3 inputs, N = 500, 16
partitions, on one worker and on two, beside one process. `lost`: the same, and one of two workers
is killed in the middle. `sequences`: 100 000 ragged sequences in a bag of delayed lists,
`ESNClassifier` as it comes. Every partition is generated where it is needed. Time is wall-clock
time, which counts only where nothing else runs; the CPU time of a worker is that of its process.
The memory of a worker is the largest resident size of its process, with what it has imported.
"""

import logging
import os
import resource
import signal
import sys
import threading
import time

import dask
import dask.array as da
import dask.bag as db
import numpy as np
from _bench import describe, parse
from distributed import Client, LocalCluster

from esnkit import ESNClassifier, ESNRegressor

MAX_MEMORY, MIN_SPEED_UP, MAX_DIFFERENCE = 600, 1.5, 1e-9
SERIES = {"n_steps": 2_000_000, "n_units": 500, "n_partitions": 16}
BAG = {"n_sequences": 100_000, "n_partitions": 50}
CLASSES = ("slow", "middle", "fast")


def inputs(i, n):
    """Return the inputs of partition i."""
    return np.random.default_rng(i).standard_normal((n, 3))


def targets(i, n):
    """Return delayed inputs, the first of which are those of the partition before."""
    before = inputs(i - 1, n)[-2:] if i else np.zeros((2, 3))
    u = np.concatenate([before, inputs(i, n)])
    return u[1:-1, 0] + 0.5 * u[:-2, 1]


def series(n_steps, n_partitions):
    n = n_steps // n_partitions

    def array(function, shape):
        parts = [dask.delayed(function)(i, n) for i in range(n_partitions)]
        return da.concatenate([da.from_delayed(part, shape, dtype=float) for part in parts])

    return array(inputs, (n, 3)), array(targets, (n,))


def sequences(i, n):
    """Return noisy sines of three periods in partition i, and their labels."""
    rng = np.random.default_rng([i, 1])
    labels, lengths = rng.integers(3, size=n), rng.integers(20, 61, n)
    phases = rng.uniform(0, 6, n)
    X = [
        np.sin(np.arange(k) / (5.0, 4.0, 3.5)[label] + phase)[:, None]
        + 0.7 * rng.standard_normal((k, 1))
        for k, label, phase in zip(lengths, labels, phases, strict=True)
    ]
    return X, [CLASSES[label] for label in labels]


def bags(n_sequences, n_partitions):
    n = n_sequences // n_partitions
    parts = [dask.delayed(sequences, nout=2)(i, n) for i in range(n_partitions)]
    return tuple(db.from_delayed([part[k] for part in parts]) for k in (0, 1))


def usage():
    """Return the largest resident size so far in MB, and the CPU time in s, of this process."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10), time.process_time()


def cluster(n_workers):
    return LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0")


def timed(client, run):
    """Return the time, and the memory and the CPU time of every worker."""
    before, start = client.run(usage), time.perf_counter()
    run()
    seconds, after = time.perf_counter() - start, client.run(usage)
    sizes = [size for size, _ in after.values()]
    cpu = [after[worker][1] - before.get(worker, (0, 0))[1] for worker in after]
    return seconds, max(sizes), cpu


def difference(model, one):
    a, b = (np.append(m.readout_.coef_, m.readout_.intercept_) for m in (model, one))
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def verdict(value, limit, is_upper=True):
    outcome = "ok" if (value <= limit) == is_upper else "MISSED"
    return f"{'<=' if is_upper else '>='} {limit:g} {outcome}"


def on_one_machine(model, X, y):
    """Fit in this process, and print the time, the CPU time and the memory beside the data."""
    X, y = dask.compute(X, y, scheduler="synchronous")
    model.fit(X[:500], y[:500])
    (before, cpu), start = usage(), time.perf_counter()
    model.fit(X, y)
    after, cpu_after = usage()
    print(
        f"  one process: {time.perf_counter() - start:.1f} s, CPU {cpu_after - cpu:.1f} s, "
        f"{after - before:.0f} MB beside the data",
        flush=True,
    )
    return model


def on_workers(n_workers, model, small, data, one, repeats):
    """Fit several times, print medians, and return the median time and CPU time per worker."""
    with cluster(n_workers) as workers, Client(workers) as client:
        for _ in range(2):
            model.fit(*small)
        found = [timed(client, lambda: model.fit(*data)) for _ in range(repeats)]
    times, sizes = [seconds for seconds, _, _ in found], max(size for _, size, _ in found)
    cpu = np.median([max(seconds) for _, _, seconds in found])
    low, high = np.percentile(times, [25, 75])
    error = difference(model, one)
    print(
        f"  {n_workers} workers: {np.median(times):.1f} s (IQR {high - low:.1f} s), CPU of the "
        f"busiest worker {cpu:.1f} s, memory {sizes:.0f} MB {verdict(sizes, MAX_MEMORY)}, "
        f"difference {error:.1e} {verdict(error, MAX_DIFFERENCE)}",
        flush=True,
    )
    return np.median(times), cpu


def compare_workers(model, small, data, repeats):
    one = on_one_machine(type(model)(**model.get_params()), *data)
    results = [on_workers(n, model, small, data, one, repeats) for n in (1, 2)]
    for name, k in (("time", 0), ("CPU time of a worker", 1)):
        ratio = results[0][k] / results[1][k]
        print(f"  {name}, one worker / two: {ratio:.2f} {verdict(ratio, MIN_SPEED_UP, False)}")


def measure_series(size, repeats):
    model = ESNRegressor(size["n_units"], random_state=0)
    print(f"\n{size}", flush=True)
    data, small = (series(n, size["n_partitions"]) for n in (size["n_steps"], 16_000))
    compare_workers(model, small, data, repeats)


def measure_lost(size):
    print(f"\n{size}, one of two workers killed in the middle", flush=True)
    X, y = series(size["n_steps"], size["n_partitions"])
    model, again = (ESNRegressor(size["n_units"], random_state=0) for _ in range(2))
    with cluster(2) as workers, Client(workers) as client:
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        victim = next(iter(client.run(os.getpid).values()))
        timer = threading.Timer(seconds / 2, os.kill, (victim, signal.SIGKILL))
        timer.start()
        start = time.perf_counter()
        again.fit(X, y)
        print(f"  {seconds:.1f} s, with the loss {time.perf_counter() - start:.1f} s")
        timer.cancel()
    error = difference(again, model)
    print(f"  difference {error:.1e} {verdict(error, MAX_DIFFERENCE)}")


def measure_sequences(size, repeats):
    print(f"\n{size}", flush=True)
    data = bags(**size)
    small = bags(200, 2)
    compare_workers(ESNClassifier(random_state=0), small, data, repeats)


def main():
    args = parse(__doc__, part=("all", "series, lost or sequences"), repeats=(3, "of every fit"))
    logging.getLogger("esnkit.distributed").setLevel(logging.INFO)
    logging.getLogger("esnkit.distributed").addHandler(logging.StreamHandler(sys.stdout))
    describe()
    print(f"dask {dask.__version__}")
    size, bag = SERIES, BAG
    if args.quick:
        size = {"n_steps": 32_000, "n_units": 50, "n_partitions": 4}
        bag = {"n_sequences": 400, "n_partitions": 4}
    if args.part in ("all", "series"):
        measure_series(size, args.repeats)
    if args.part in ("all", "lost"):
        measure_lost(size)
    if args.part in ("all", "sequences"):
        measure_sequences(bag, args.repeats)


if __name__ == "__main__":
    main()
