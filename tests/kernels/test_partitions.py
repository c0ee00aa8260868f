"""Partitions of the units: what each owns, and threads that wait for each other."""

import time

import numpy as np
import pytest
from banded_problems import BandedProblem, both_dtypes

from esnkit.kernels.activations import CODES
from esnkit.kernels.partitions import (
    Partition,
    _block_ranges,
    run_partition,
    shared_by_partitions,
)
from esnkit.kernels.reservoir import run
from esnkit.utils._threads import run_together


@pytest.mark.parametrize("n_partitions", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("edge", [1, 2, 4])
def test_partitions_own_every_block_once(n_partitions, edge):
    for n_blocks in range(n_partitions * (2 * edge + 2), n_partitions * (2 * edge + 2) + 40):
        owned = []
        for number in range(n_partitions):
            ranges = _block_ranges(Partition(number, edge), n_partitions, n_blocks)
            owned += [b for first, last in ranges for b in range(first, last)]
            assert (ranges[:2, 1] - ranges[:2, 0] == edge).all()
        assert sorted(owned) == list(range(n_blocks))


@pytest.mark.parametrize("n_partitions", [1, 2, 3, 5])
def test_the_first_and_the_last_block_belong_to_the_last_partition(n_partitions):
    n_blocks = 8 * n_partitions
    ranges = _block_ranges(Partition(n_partitions - 1, 2), n_partitions, n_blocks)
    owned = {b for first, last in ranges for b in range(first, last)}
    assert {0, n_blocks - 1} <= owned
    assert ranges[3, 0] == 0


def start(problem, n_partitions, n_rows):
    """Return the state, the output, and the function of a partition that runs it."""
    state, out = problem.x0[0].copy(), np.zeros((len(problem.U), problem.n_units), problem.dtype)
    shared = shared_by_partitions(n_partitions, n_rows, state)
    weights = problem.W, problem.input_weights, CODES["tanh"]

    def run_one(number):
        partition = Partition(number, 2)
        return run_partition(*weights, problem.U[:n_rows], state, shared, partition, out[:n_rows])

    return state, out, run_one


@both_dtypes
@pytest.mark.parametrize("n_partitions", [1, 2, 4])
@pytest.mark.parametrize("shift", [0, 2050, 30])
def test_partitions_have_the_bits_of_the_whole(dtype, n_partitions, shift):
    problem = BandedProblem(2051, [1, 5, -3, 40], dtype)
    problem.input_weights = problem.input_weights._replace(shift=shift)
    state, out, run_one = start(problem, n_partitions, 40)
    tasks = [lambda number=number: run_one(number) for number in range(n_partitions)]
    n_made, *others = run_together(tasks, lambda: None)
    assert 0 < n_made <= 40 and set(others) <= {n_made}  # fewer on a busy machine
    states, last = problem.run(run, n_rows=n_made)
    assert np.array_equal(out[:n_made], states[:n_made]) and np.array_equal(state, last[0])


def test_a_partition_that_waits_long_ends_the_run_for_all():
    problem = BandedProblem(2048, [1, 5, -3])
    # Compiled by now, so that what is late below is the sleeper alone.
    assert start(problem, 1, 40)[-1](0) == 40
    for n_rows, n_made in ((40, 2), (1, 1)):
        state, out, run_one = start(problem, 2, n_rows)

        def late(run_one=run_one):
            time.sleep(0.3)
            return run_one(1)

        made = run_together([lambda run_one=run_one: run_one(0), late], lambda: None)
        assert made == [n_made, n_made]
        states, last = problem.run(run, n_rows=n_made)
        assert np.array_equal(out[:n_made], states[:n_made]) and np.array_equal(state, last[0])
        assert not out[n_made:].any()
