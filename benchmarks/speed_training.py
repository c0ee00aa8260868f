"""One update of a recurrent network: forward, backward and Adam, against PyTorch.

    python benchmarks/speed_training.py [--quick] [--only update|cells|ragged|stream|memory|compile]

update   a batch of sequences with two inputs and one target per sequence, float32, from the same
         weights in both libraries. Vanishing gradients become subnormal numbers, which are slow:
         a second row of PyTorch flushes them to zero, as esnkit does
cells    an update of the cells without recurrent weights against one of a GRU with as many units,
         over 784 steps; in CPU time, with updates in turn
ragged   time of a batch of lengths from 1 to T against a batch of equal lengths with as many steps
stream   one sequence, step by step, from the state of the step before
memory   memory of an update of the longest batch, as the growth of the process
compile  first fits of all three cells in new processes, with an empty and with a filled cache
"""

import os
import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np
from _bench import compare, describe, import_peer, parse, print_header
from memory import in_use

from esnkit import RNNRegressor
from esnkit.networks import CELLS
from esnkit.networks._batch import make_batch

# An update without the validation of `RNNRegressor.partial_fit` has no public function.
from esnkit.networks._loss_gradient import loss_gradient
from esnkit.networks._spec import Spec, n_parameters
from esnkit.networks._torch import to_torch
from esnkit.networks._weights import join_weights, split_weights
from esnkit.optim import adam_state, adam_step
from esnkit.utils._workspace import Workspace

NAMES = {cell: CELLS[cell].torch_module for cell in ("lstm", "gru", "tanh")}
SHORT, LONG = (32, 100), (100, 784)  # sequences, time steps
# Lower bounds of how many times as fast as PyTorch an update is: by units for SHORT, then for LONG
# with 128 units.
GOALS = {
    "lstm": ({32: 2, 64: 1.6, 128: 1.3, 256: 1.2}, 1.8),
    "gru": ({32: 6, 64: 4, 128: 2.5, 256: 1.6}, 2),
    "tanh": ({32: 10, 64: 5, 128: 3, 256: 1.4}, 2),
}
# The least number of times as fast as a GRU, by cells.
CELL_GOALS = {"mingru": 3, "minlstm": 3, "lru": 3}
COMPILE = """
import sys, time
import numpy as np
from esnkit import RNNRegressor
X = np.zeros((2, 5, 2), np.float32)
for _ in range(2):
    start = time.perf_counter()
    for cell in ("rnn", "lstm", "gru"):
        RNNRegressor(8, cell=cell, max_iter=1, random_state=0).fit(X, X[:, 0, 0])
    print(time.perf_counter() - start)
"""


class Problem:
    """Random weights and data, and updates of them in both libraries."""

    def __init__(self, cell, n_units, n_sequences, n_steps):
        rng = np.random.default_rng(0)
        self.spec = Spec(cell, n_units, 2, 1, pooling="last")
        drawn = rng.uniform(-1, 1, n_parameters(self.spec)) / np.sqrt(n_units)
        self.theta = np.zeros(drawn.size, np.float32)
        join_weights(self.spec, split_weights(self.spec, drawn), self.theta)
        self.X = rng.uniform(size=(n_sequences, n_steps, 2)).astype(np.float32)
        self.Y = rng.uniform(size=(n_sequences, 1)).astype(np.float32)
        self.offsets = np.arange(n_sequences + 1) * n_steps
        self.state, self.workspace = adam_state(self.theta), Workspace()

    def update(self):
        """Make one update in esnkit; return the loss before it."""
        batch = make_batch(self.X.reshape(-1, 2), self.offsets)
        self.workspace.rewind()
        loss, gradient, _, _ = loss_gradient(
            self.spec, self.theta, batch, self.Y, workspace=self.workspace
        )
        adam_step(self.theta, gradient, self.state)
        return loss

    def in_torch(self, torch):
        """Return the same network in PyTorch, and a function that updates it."""
        rnn = getattr(torch.nn, NAMES[self.spec.cell])(2, self.spec.n_units)
        readout = torch.nn.Linear(self.spec.n_units, 1)
        arrays = to_torch(self.spec, self.theta)
        weights = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        readout.load_state_dict({k: weights.pop(f"head.{k}") for k in ("weight", "bias")})
        rnn.load_state_dict(weights)
        optimizer = torch.optim.Adam([*rnn.parameters(), *readout.parameters()])
        # Time is the first axis, which is the fastest order in PyTorch.
        X = torch.from_numpy(np.ascontiguousarray(self.X.swapaxes(0, 1)))
        Y = torch.from_numpy(self.Y)

        def update():
            optimizer.zero_grad()
            loss = 0.5 * ((readout(rnn(X)[0][-1]) - Y) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss.item()

        return rnn, update


def flush_subnormals(torch, run):
    """Run with subnormal numbers flushed to zero."""
    torch.set_flush_denormal(True)
    try:
        return run()
    finally:
        torch.set_flush_denormal(False)


def time_update(args, torch, cell, n_units, size, goal):
    problem = Problem(cell, n_units, *size)
    cases = {"esnkit": problem.update}
    difference = 0.0
    if torch:
        _, update = problem.in_torch(torch)
        difference = abs(problem.update() / update() - 1)
        cases |= {"PyTorch": update, "PyTorch, flushing": partial(flush_subnormals, torch, update)}
    goals = {name: goal for name in cases if name != "esnkit"}
    title = f"{NAMES[cell]}, {n_units} units, {size[0]} x {size[1]} (same loss to {difference:.0e})"
    repeats = args.repeats if size == SHORT else min(args.repeats, 3)
    compare(title, cases, goals=goals, per=1e3, repeats=repeats)


def time_updates(args, torch):
    print_header("Forward, backward and Adam step of a batch of two inputs, float32", "ms")
    for cell, (goals, long_goal) in GOALS.items():
        if args.cell not in ("", cell):
            continue
        for n_units, goal in goals.items():
            if not args.quick or n_units <= 64:
                time_update(args, torch, cell, n_units, SHORT, goal)
        if not args.quick:
            time_update(args, torch, cell, 128, LONG, long_goal)


def cpu_seconds(update):
    """Return the CPU time of one call."""
    start = time.process_time()
    update()
    return time.process_time() - start


def time_cells(args):
    n_sequences, n_steps = (32, 100) if args.quick else (32, LONG[1])
    print(f"\nUpdate of {n_sequences} x {n_steps}, float32, CPU ms, least of {args.repeats}")
    for n_units in (64, 128):
        updates = {
            cell: Problem(cell, n_units, n_sequences, n_steps).update
            for cell in ("gru", *CELL_GOALS)
        }
        for update in updates.values():
            update()
        rounds = [
            {cell: cpu_seconds(update) for cell, update in updates.items()}
            for _ in range(args.repeats)
        ]
        least = {cell: min(times[cell] for times in rounds) for cell in updates}
        for cell, goal in CELL_GOALS.items():
            ratio = least["gru"] / least[cell]
            print(
                f"  {n_units} units: {cell} {1e3 * least[cell]:.1f}, GRU {1e3 * least['gru']:.1f}: "
                f"{ratio:.1f} times as fast, >= {goal} {'ok' if ratio >= goal else 'MISSED'}"
            )


def time_ragged(args):
    print_header(
        "A ragged batch and one of equal lengths with as many time steps, 64 units", "us/step"
    )
    n_sequences, longest = 64, 40 if args.quick else 199
    lengths = np.linspace(1, longest, n_sequences).round().astype(int)
    for cell in GOALS:
        ragged = Problem(cell, 64, n_sequences, longest)
        ragged.X = ragged.X.reshape(-1, 2)[: lengths.sum()].copy()
        ragged.offsets = np.concatenate([[0], np.cumsum(lengths)])
        equal = Problem(cell, 64, n_sequences, int(lengths.mean().round()))
        cases = {"ragged": ragged.update, "equal": equal.update}
        title = f"{NAMES[cell]}, {lengths.sum()} steps of at most {longest}"
        compare(title, cases, per=1e6 / lengths.sum(), repeats=args.repeats)


def torch_steps(torch, rnn, x, n_steps):
    state = None
    with torch.no_grad():
        for _ in range(n_steps):
            _, state = rnn(x, state)


def esnkit_steps(stepper, x, n_steps):
    for _ in range(n_steps):
        stepper.step(x)


def time_stream(args, torch):
    n_steps = 100 if args.quick else 1000
    print_header("One sequence step by step, 64 units, float32", "us/step")
    for cell in GOALS:
        problem = Problem(cell, 64, 1, 1)
        model = RNNRegressor(64, cell="rnn" if cell == "tanh" else cell, pooling="last", max_iter=0)
        stepper = model.fit(problem.X, problem.Y[:, 0]).stream()
        cases = {"esnkit": partial(esnkit_steps, stepper, problem.X[0, 0], n_steps)}
        if torch:
            rnn, _ = problem.in_torch(torch)
            x = torch.from_numpy(problem.X[0])
            cases["PyTorch"] = partial(torch_steps, torch, rnn, x, n_steps)
        compare(
            NAMES[cell],
            cases,
            goals={"PyTorch": 20},
            per=1e6 / n_steps,
            repeats=args.repeats,
        )


def measure_memory(args):
    n_sequences, n_steps = (20, 100) if args.quick else LONG
    print(f"\nMemory of an update, {n_sequences} sequences x {n_steps} steps x 128 units")
    for cell in GOALS:
        problem = Problem(cell, 128, n_sequences, n_steps)
        small = Problem(cell, 128, 1, 1)
        small.update()
        before = in_use()
        problem.update()
        extra = in_use() - before
        n_values = extra * 2**20 / 4 / (n_sequences * n_steps * 128)
        print(f"  {NAMES[cell]}: {extra:.0f} MB, {n_values:.1f} values per sequence, step and unit")


def time_compile():
    print("\nFirst and second fit of all three cells, in a new process")
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"NUMBA_CACHE_DIR": cache}
        for name in ("empty cache", "filled cache"):
            process = subprocess.run(
                [sys.executable, "-c", COMPILE], env=env, check=True, capture_output=True, text=True
            )
            first, second = map(float, process.stdout.split())
            seconds, limit = (first, 60.0) if name == "empty cache" else (first - second, 0.5)
            outcome = f"<= {limit:g} s {'ok' if seconds <= limit else 'MISSED'}"
            print(f"  {name}: {first:.2f} s, then {second:.3f} s; {seconds:.2f} s {outcome}")


def main():
    args = parse(
        __doc__,
        repeats=(7, "timings of each case"),
        only=("", "run only this part"),
        cell=("", "update only this cell: lstm, gru or tanh"),
    )
    describe()
    torch = import_peer("torch")
    if torch:
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
        print(f"torch {torch.__version__}: {torch.get_num_threads()} threads")
    run = {
        "update": partial(time_updates, args, torch),
        "cells": partial(time_cells, args),
        "ragged": partial(time_ragged, args),
        "stream": partial(time_stream, args, torch),
        "memory": partial(measure_memory, args),
        "compile": time_compile,
    }
    for part in [args.only] if args.only else run:
        run[part]()


if __name__ == "__main__":
    main()
