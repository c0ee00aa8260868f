"""One sequence on several threads against the same sequence on one, bit for bit."""

import threading

import numpy as np
import pytest
from banded_problems import BandedProblem, both_dtypes
from reference import reservoir_states
from reservoir_problems import as_dense

from esnkit import Reservoir
from esnkit.kernels.partitions import SharedStates, shared_by_partitions
from esnkit.kernels.reservoir import run
from esnkit.reservoirs import _unit_threads
from esnkit.utils import _threads
from esnkit.utils._threads import run_together


@pytest.fixture
def partition_counts(monkeypatch):
    """Return the list in which the number of partitions of every run is recorded."""
    counts = []

    def record(tasks, release):
        counts.append(len(tasks))
        return run_together(tasks, release)

    monkeypatch.setattr(_unit_threads, "run_together", record)
    return counts


@pytest.fixture
def any_size(monkeypatch, partition_counts):
    """Let reservoirs of any size be partitioned; return where the numbers are recorded."""
    monkeypatch.setattr(_unit_threads, "MIN_UNITS", 1)
    monkeypatch.setattr(_unit_threads, "MIN_STATES", 2**12)
    monkeypatch.setattr(_unit_threads, "_backoff", _unit_threads._Backoff())
    return partition_counts


def set_threads(monkeypatch, n_threads):
    monkeypatch.setattr(_unit_threads, "n_threads", lambda: n_threads)
    monkeypatch.setattr(_threads, "n_processors", lambda: 8)


@both_dtypes
@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize("n_units", [2048, 2143])
@pytest.mark.parametrize("shifts", [[1], [0, 3, 31, 32, 33], [-33, -32, 2, 40], [-1, 1]])
def test_partitions_have_the_bits_of_the_whole(
    any_size, monkeypatch, dtype, n_threads, n_units, shifts
):
    set_threads(monkeypatch, n_threads)
    problem = BandedProblem(n_units, shifts, dtype, n_rows=5)
    for every in (True, False):
        _unit_threads._backoff.left = 0
        found = problem.run(_unit_threads.run_one, every=every)
        for got, wanted in zip(found, problem.run(run, every=every), strict=True):
            assert np.array_equal(got, wanted, equal_nan=True)
    assert any_size[0] == any_size[-1] == n_threads


def test_random_shifts_sizes_and_rows(any_size, monkeypatch):
    rng = np.random.default_rng(0)
    for _ in range(30):
        set_threads(monkeypatch, int(rng.integers(2, 5)))
        _unit_threads._backoff.left = 0
        n_units, reach = int(rng.integers(600, 3000)), int(rng.integers(1, 150))
        shifts = rng.choice(np.arange(-reach, reach + 1), min(4, 2 * reach + 1), replace=False)
        problem = BandedProblem(n_units, shifts, n_features=int(rng.integers(0, 5)), n_rows=12)
        first = int(rng.integers(8))
        found = problem.run(_unit_threads.run_one, first)
        for got, wanted in zip(found, problem.run(run, first), strict=True):
            assert np.array_equal(got, wanted, equal_nan=True)
    assert len(any_size) > 24 and set(any_size) >= {2, 3, 4}


def test_partitions_equal_the_loop(any_size, monkeypatch):
    set_threads(monkeypatch, 2)
    problem = BandedProblem(700, [2, 5, -7])
    w_in, b, gain, *_ = problem.input_weights
    wanted = reservoir_states(
        as_dense(problem.W, 700), w_in.T, b, gain, "tanh", problem.U, problem.x0[0]
    )
    states = problem.run(_unit_threads.run_one)[0]
    np.testing.assert_allclose(states, wanted, rtol=1e-13, atol=1e-13)
    assert set(any_size) == {2}


@pytest.mark.parametrize(
    "change",
    [
        {"shifts": [1, 1000]},
        {"n_units": 300},
        {"n_features": 40},
    ],
)
def test_what_cannot_be_divided_runs_on_one_thread(any_size, monkeypatch, change):
    set_threads(monkeypatch, 2)
    problem = BandedProblem(**{"n_units": 2048, "shifts": [1, 100], **change})
    assert np.array_equal(problem.run(_unit_threads.run_one)[0], problem.run(run)[0])
    assert any_size == []


def test_small_reservoirs_and_short_sequences_run_on_one_thread(monkeypatch):
    set_threads(monkeypatch, 2)
    monkeypatch.setattr(_unit_threads, "run_together", None)
    BandedProblem(2048, [1], n_rows=3000).run(_unit_threads.run_one)
    BandedProblem(8192, [1], n_rows=100).run(_unit_threads.run_one)


def test_states_with_noise_run_on_one_thread(any_size, monkeypatch):
    set_threads(monkeypatch, 2)
    problem = BandedProblem(2048, [1, 5])
    problem.forcing = problem.forcing._replace(noise=problem.draw(40, 2048))
    noisy = problem.run(_unit_threads.run_one)[0]
    assert np.array_equal(noisy, problem.run(run)[0]) and any_size == []


def test_a_run_that_ends_early_is_completed(any_size, monkeypatch):
    set_threads(monkeypatch, 3)
    monkeypatch.setattr(_unit_threads, "MIN_STATES", 2**14)
    monkeypatch.setattr(_unit_threads, "_backoff", _unit_threads._Backoff())

    def ends_early(n_partitions, n_rows, x0):
        states, progress = shared_by_partitions(n_partitions, n_rows, x0)
        progress[progress == n_rows] = 7
        return SharedStates(states, progress)

    monkeypatch.setattr(_unit_threads, "shared_by_partitions", ends_early)
    problem = BandedProblem(2048, [1, 5, -3], n_rows=100)
    found = problem.run(_unit_threads.run_one)
    for got, wanted in zip(found, problem.run(run), strict=True):
        assert np.array_equal(got, wanted)
    assert any_size == [3] * 4  # 7 rows, 8 alone, 7, 16 alone, 7, 32 alone, 7, 16 to the end
    monkeypatch.setattr(_unit_threads, "shared_by_partitions", shared_by_partitions)
    _unit_threads._backoff.left = 0
    problem.run(_unit_threads.run_one)
    assert len(any_size) >= 5


def test_without_threads_a_sequence_runs_on_one(any_size, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    set_threads(monkeypatch, 2)
    problem = BandedProblem(2048, [1, 100])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert np.array_equal(problem.run(_unit_threads.run_one)[0], problem.run(run)[0])
    assert set(any_size) == {2}


def test_large_reservoirs_are_partitioned(monkeypatch, partition_counts):
    monkeypatch.setattr(_unit_threads, "_backoff", _unit_threads._Backoff())
    states = []
    X = np.random.default_rng(0).uniform(-1, 1, (1100, 3))
    reservoir = Reservoir(4100, random_state=0).fit(X)
    for n_threads in (1, 2):
        set_threads(monkeypatch, n_threads)
        states.append(reservoir.transform(X))
        assert set(partition_counts) == ({2} if n_threads == 2 else set())
    assert np.array_equal(*states)
