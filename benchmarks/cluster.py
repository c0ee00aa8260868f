"""Fits to dask collections: equality with one machine, time, CPU time and memory of workers.

    python benchmarks/cluster.py [--quick] [--part series|lost|sequences|sizes]

Workers are processes of one thread. `series`: T = 2 000 000 steps, 3 inputs, N = 500, 16
partitions, on one worker and on two, beside one process. `lost`: the same, and one of two workers
is killed in the middle. `sequences`: 100 000 ragged sequences in a bag of delayed lists,
`ESNClassifier` as it comes. Every partition is generated where it is needed. Time is wall-clock
time, which counts only where nothing else runs; the CPU time of a worker is that of its process.
The memory of a worker is the largest resident size of its process, with what it has imported.
`sizes`: one process at 1e4, 1e5 and 1e6 steps; then 1e9 steps on many workers, simulated from the
CPU times of single tasks.
"""

import heapq
import logging
import os
import resource
import signal
import sys
import threading
import time
from functools import partial

import dask
import dask.array as da
import dask.bag as db
import numpy as np
from _bench import describe, parse
from distributed import Client, LocalCluster
from sklearn.base import clone

from esnkit import ESNClassifier, ESNRegressor
from esnkit.distributed._partitions import Part
from esnkit.distributed._start_states import Start
from esnkit.distributed._tasks import Model, merge_runs, next_start, run, summarise
from esnkit.readouts._accumulator import Accumulator, accumulate_blocks

MAX_MEMORY, MIN_SPEED_UP, MAX_DIFFERENCE = 600, 1.5, 1e-9
SERIES = {"n_steps": 2_000_000, "n_units": 500, "n_partitions": 16}
BAG = {"n_sequences": 100_000, "n_partitions": 40}
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


def difference(model, one, X=None):
    """Return the relative difference of the coefficients, or of predictions or probabilities."""
    if X is None:
        a, b = (np.append(m.readout_.coef_, m.readout_.intercept_) for m in (model, one))
    else:
        a, b = (getattr(m, "predict_proba", m.predict)(X) for m in (model, one))
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def verdict(value, limit, is_upper=True):
    outcome = "ok" if (value <= limit) == is_upper else "MISSED"
    return f"{'<=' if is_upper else '>='} {limit:g} {outcome}"


def on_one_machine(model, X, y):
    """Fit in this process, and print the time, the CPU time and the memory beside the data."""
    X, y = dask.compute(X, y, scheduler="synchronous")
    model.fit(X[:2000], y[:2000])
    (before, cpu), start = usage(), time.perf_counter()
    model.fit(X, y)
    after, cpu_after = usage()
    print(
        f"  one process: {time.perf_counter() - start:.1f} s, CPU {cpu_after - cpu:.1f} s, "
        f"{after - before:.0f} MB beside the data",
        flush=True,
    )
    return model


def on_workers(n_workers, model, data, expected, repeats):
    """Fit several times, print medians, and return the median time and CPU time per worker."""
    (small, data), (one, X) = data, expected
    with cluster(n_workers) as workers, Client(workers) as client:
        for _ in range(2):
            model.fit(*small)
        found = [timed(client, lambda: model.fit(*data)) for _ in range(repeats)]
    times, sizes = [seconds for seconds, _, _ in found], max(size for _, size, _ in found)
    cpu = np.median([max(seconds) for _, _, seconds in found])
    low, high = np.percentile(times, [25, 75])
    errors = difference(model, one), difference(model, one, X)
    print(
        f"  {n_workers} workers: {np.median(times):.1f} s (IQR {high - low:.1f} s), CPU of the "
        f"busiest worker {cpu:.1f} s, memory {sizes:.0f} MB\n"
        f"    difference of predictions {errors[1]:.1e} {verdict(errors[1], MAX_DIFFERENCE)}, of "
        f"coefficients {errors[0]:.1e}",
        flush=True,
    )
    return np.median(times), cpu, sizes


def compare_workers(model, small, data, X, repeats):
    """Fit on one and on two workers, and return the memory of a worker."""
    expected = on_one_machine(clone(model), *data), X
    results = [on_workers(n, model, (small, data), expected, repeats) for n in (1, 2)]
    for name, k in (("time", 0), ("CPU time of a worker", 1)):
        ratio = results[0][k] / results[1][k]
        print(f"  {name}, one worker / two: {ratio:.2f} {verdict(ratio, MIN_SPEED_UP, False)}")
    return max(sizes for _, _, sizes in results)


def measure_series(size, repeats):
    model = ESNRegressor(size["n_units"], random_state=0)
    print(f"\n{size}", flush=True)
    data, small = (series(n, size["n_partitions"]) for n in (size["n_steps"], 16_000))
    size = compare_workers(model, small, data, inputs(0, 10_000), repeats)
    print(f"  memory of a worker: {size:.0f} MB {verdict(size, MAX_MEMORY)}")


def measure_lost(size):
    print(f"\n{size}, one of two workers killed in the middle", flush=True)
    X, y = series(size["n_steps"], size["n_partitions"])
    model, again = (ESNRegressor(size["n_units"], random_state=0) for _ in range(2))
    with cluster(2) as workers, Client(workers) as client:
        model.fit(*series(16_000, size["n_partitions"]))
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
    small, X = bags(200, 2), sequences(0, 1000)[0]
    for share in (4, 1):  # partitions of the same size
        part = {name: n // share for name, n in size.items()}
        print(f"\n{part}", flush=True)
        compare_workers(ESNClassifier(random_state=0), small, bags(**part), X, repeats)


def cpu_time(function, *args, repeats=3):
    """Return the result of a call, and the median CPU time of some."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function(*args)
        times.append(time.process_time() - start)
    return result, float(np.median(times))


def task_times(n_rows, n_units):
    """Return the CPU times of the tasks of one partition: summary, start, run and merge."""
    X, y = inputs(0, n_rows), targets(0, n_rows)
    model = ESNRegressor(n_units, random_state=0).fit(X[:5000], y[:5000])
    task = partial(accumulate_blocks, solver="auto", alpha=1e-6, n_rows=10**9, standardize=False)
    sent, part = Model(model, "rows"), Part(X, y)
    start = Start(np.zeros((1, n_units)))
    _, of_summary = cpu_time(summarise, 0, clone(model), part, "rows")
    _, of_start = cpu_time(next_start, 0, sent, part, start, True)
    ran, of_run = cpu_time(run, 0, task, sent, part, start)
    _, of_merge = cpu_time(merge_runs, Accumulator.merge, ran, ran)
    return of_summary, of_start, of_run, of_merge


def simulated(times, n_partitions, n_workers, overhead=1e-3):
    """Return the time of a fit whose tasks go to the first free worker.

    The starts of the partitions follow one another. The scheduler takes ``overhead`` for every
    task, of which each partition has five; data are where they are needed.
    """
    of_summary, of_start, of_run, of_merge = times
    free, known = [0.0] * n_workers, 0.0
    for _ in range(n_partitions):  # the start of the next partition is found before this one runs
        heapq.heappush(free, max(heapq.heappop(free), known) + of_start + of_run + of_merge)
        known += of_start + overhead
    total = max(free) + of_merge * np.log2(n_partitions) + of_summary * n_partitions / n_workers
    return max(total, 5 * overhead * n_partitions)


def measure_sizes(sizes, n_units, n_rows):
    print(f"\nOne process, N = {n_units}", flush=True)
    for n_steps in sizes:
        print(f"  T = {n_steps}", end="")
        on_one_machine(ESNRegressor(n_units, random_state=0), *series(n_steps, 1))
    times = task_times(n_rows, n_units)
    names = "summary", "start", "run", "merge"
    print(f"CPU times of the tasks of a partition of {n_rows} steps: ", end="")
    print(", ".join(f"{name} {seconds:.4f} s" for name, seconds in zip(names, times, strict=True)))
    for total in (2_000_000, 10**9):
        for n_workers in (1, 2, 16, 64, 256):
            seconds = simulated(times, max(1, total // n_rows), n_workers)
            print(f"  T = {total:.0e}, {n_workers} workers, simulated: {seconds:.0f} s")


def main():
    args = parse(
        __doc__, part=("all", "series, lost, sequences or sizes"), repeats=(3, "of every fit")
    )
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
    if args.part in ("all", "sizes"):
        steps = (1000, 10_000) if args.quick else (10_000, 100_000, 1_000_000)
        measure_sizes(steps, size["n_units"], steps[-1] // 8)


if __name__ == "__main__":
    main()
