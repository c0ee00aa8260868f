"""One sequence on several threads against the same sequence on one, bit for bit."""

import threading
import time

import numpy as np
import pytest
from reference import reservoir_states

from esnkit import Reservoir
from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Diagonals, Forcing, InputWeights
from esnkit.kernels.reservoir import run, run_part, shared_by_parts
from esnkit.reservoirs import _unit_threads as parts
from esnkit.sequences._initial_state import no_clamp
from esnkit.utils._threads import run_together

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


class Case:
    """A reservoir whose units hear only units near them, and an input sequence for it."""

    def __init__(self, n_units, shifts, dtype=np.float64, n_features=2, n_rows=40):
        self.rng = np.random.default_rng([n_units, n_features, *np.abs(shifts)])
        self.dtype, self.n_units = dtype, n_units
        shifts = np.sort(np.array(shifts) % n_units)
        weights = self.draw(shifts.size, n_units) / shifts.size
        self.W = Diagonals(weights, shifts.astype(np.uint64))
        self.w_in, self.b = self.draw(n_features, n_units), self.draw(n_units)
        leak = self.rng.uniform(0.2, 1.0, n_units).astype(dtype)
        self.drive = InputWeights(self.w_in, self.b, leak, 1 - leak)
        self.U, self.x0 = self.draw(n_rows, n_features), self.draw(1, n_units)
        self.held = Forcing(np.empty((0, n_units), dtype), *no_clamp(dtype))

    def draw(self, *shape):
        return self.rng.normal(size=shape).astype(self.dtype)

    def run(self, kernel, first=0, every=True, n_rows=None):
        """Return (states, last state) of the rows from ``first`` on."""
        n_rows = n_rows or len(self.U)
        out = np.full((n_rows if every else 0, self.n_units), np.nan, self.dtype)
        last = self.x0.copy()
        kernel(
            self.W, self.drive, CODES["tanh"], self.held, self.U, np.array([first]),
            np.array([n_rows - first]), last, out,
        )  # fmt: skip
        return out, last

    def dense(self):
        W = np.zeros((self.n_units, self.n_units), self.dtype)
        rows = np.arange(self.n_units)
        for weights, shift in zip(self.W.weights, self.W.shifts, strict=True):
            W[rows, (rows + int(shift)) % self.n_units] = weights
        return W


@pytest.fixture
def noted(monkeypatch):
    """Return where it is noted in how many parts sequences are run."""
    numbers = []

    def note(tasks, release):
        numbers.append(len(tasks))
        return run_together(tasks, release)

    monkeypatch.setattr(parts, "run_together", note)
    return numbers


@pytest.fixture
def in_parts(monkeypatch, noted):
    """Let reservoirs of any size be run in parts; return where their numbers are noted."""
    monkeypatch.setattr(parts, "PARTED", 1)
    monkeypatch.setattr(parts, "LONG", 2**14)
    monkeypatch.setattr(parts, "_backoff", parts._Backoff())
    return noted


def set_threads(monkeypatch, n_threads):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", n_threads)
    monkeypatch.setattr(parts, "n_processors", lambda: 8)


@both
@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize("n_units", [4096, 4191])
@pytest.mark.parametrize("shifts", [[1], [0, 3, 31, 32, 33], [-33, -32, 2, 40], [-1, 1]])
def test_parts_have_the_bits_of_the_whole(in_parts, monkeypatch, dtype, n_threads, n_units, shifts):
    set_threads(monkeypatch, n_threads)
    case = Case(n_units, shifts, dtype)
    for every in (True, False):
        parts._backoff.left = 0
        for got, wanted in zip(
            case.run(parts.run_one, every=every), case.run(run, every=every), strict=True
        ):
            assert np.array_equal(got, wanted, equal_nan=True)
    assert in_parts[0] == in_parts[-1] == n_threads


def test_random_shifts_sizes_and_rows(in_parts, monkeypatch):
    rng = np.random.default_rng(0)
    for _ in range(60):
        set_threads(monkeypatch, int(rng.integers(2, 7)))
        parts._backoff.left = 0
        n_units, reach = int(rng.integers(600, 3000)), int(rng.integers(1, 150))
        shifts = rng.choice(np.arange(-reach, reach + 1), min(4, 2 * reach + 1), replace=False)
        case = Case(n_units, shifts, n_features=int(rng.integers(0, 5)), n_rows=70)
        first = int(rng.integers(70))
        for got, wanted in zip(case.run(parts.run_one, first), case.run(run, first), strict=True):
            assert np.array_equal(got, wanted, equal_nan=True)
    assert len(in_parts) > 40 and set(in_parts) >= {2, 3, 4}


def test_parts_equal_the_loop(in_parts, monkeypatch):
    set_threads(monkeypatch, 2)
    case = Case(700, [2, 5, -7])
    wanted = reservoir_states(
        case.dense(), case.w_in.T, case.b, case.drive.leak, "tanh", case.U, case.x0[0], None,
        case.held.units, np.empty((40, 0)),
    )  # fmt: skip
    np.testing.assert_allclose(case.run(parts.run_one)[0], wanted, rtol=1e-13, atol=1e-13)
    assert set(in_parts) == {2}


@pytest.mark.parametrize(
    "change",
    [
        {"shifts": [1, 1000]},
        {"n_units": 300},
        {"n_features": 40},
    ],
)
def test_what_cannot_be_cut_is_run_whole(in_parts, monkeypatch, change):
    set_threads(monkeypatch, 2)
    case = Case(**{"n_units": 2048, "shifts": [1, 100], **change})
    assert np.array_equal(case.run(parts.run_one)[0], case.run(run)[0])
    assert in_parts == []


def test_small_reservoirs_and_short_sequences_are_run_whole(monkeypatch):
    set_threads(monkeypatch, 2)
    monkeypatch.setattr(parts, "run_together", None)
    Case(2048, [1], n_rows=3000).run(parts.run_one)
    Case(8192, [1], n_rows=100).run(parts.run_one)


def test_states_with_noise_or_held_units_are_run_whole(in_parts, monkeypatch):
    set_threads(monkeypatch, 2)
    case = Case(2048, [1, 5])
    case.held = Forcing(case.draw(40, 2048), *case.held[1:])
    noisy = case.run(parts.run_one)[0]
    assert np.array_equal(noisy, case.run(run)[0]) and in_parts == []


def test_a_run_that_ends_early_is_completed(in_parts, monkeypatch):
    set_threads(monkeypatch, 3)

    def ended(n_parts, n_rows, x0):
        x, done = shared_by_parts(n_parts, n_rows, x0)
        done[done == n_rows] = 7
        return x, done

    monkeypatch.setattr(parts, "shared_by_parts", ended)
    case = Case(2048, [1, 5, -3], n_rows=100)
    for got, wanted in zip(case.run(parts.run_one), case.run(run), strict=True):
        assert np.array_equal(got, wanted)
    assert in_parts == [3] * 4  # 7 rows, 8 alone, 7, 16 alone, 7, 32 alone, 7, 16 to the end
    monkeypatch.setattr(parts, "shared_by_parts", shared_by_parts)
    parts._backoff.left = 0
    case.run(parts.run_one)
    assert len(in_parts) >= 5


def test_a_part_that_waits_long_ends_the_run_for_all():
    case = Case(2048, [1, 5, -3])

    def start(n_parts, n_rows):
        last, out = case.x0[0].copy(), np.zeros((40, 2048))
        x, done = shared_by_parts(n_parts, n_rows, last)
        arrays = case.W, case.drive, CODES["tanh"], case.U[:n_rows], last, x, done
        return last, out, lambda part: run_part(*arrays, part, 2, out[:n_rows])

    # Compiled by now, so that what is late below is the sleeper alone.
    assert start(1, 40)[-1](0) == 40
    for n_rows, n_made in ((40, 2), (1, 1)):
        last, out, make = start(2, n_rows)

        def late(make=make):
            time.sleep(0.3)
            return make(1)

        made = run_together([lambda make=make: make(0), late], lambda: None)
        assert made == [n_made, n_made]
        states, state = case.run(run, n_rows=n_made)
        assert np.array_equal(out[:n_made], states[:n_made]) and np.array_equal(last, state[0])
        assert not out[n_made:].any()


def test_a_failing_task_releases_the_others():
    gone = threading.Event()

    def fails():
        raise MemoryError("no room")

    for tasks in ([gone.wait, fails], [fails, gone.wait]):
        gone.clear()
        with pytest.raises(MemoryError, match="no room"):
            run_together(tasks, gone.set)
    assert run_together([lambda: 1, lambda: 2], gone.set) == [1, 2]


def fail_in_start(monkeypatch, failure, n_started):
    """Raise a failure when a thread more than these is started; return all that were."""
    start, started = threading.Thread.start, []

    def start_or_fail(thread):
        if len(started) == n_started:
            raise failure
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    return started


REFUSED = RuntimeError("can't start new thread")


def test_no_task_is_begun_where_a_thread_cannot_be_started(monkeypatch):
    started, begun = fail_in_start(monkeypatch, REFUSED, 1), []
    assert run_together([lambda: begun.append(0)] * 3, lambda: None) is None
    started[0].join()
    assert begun == []


def test_without_threads_a_sequence_is_run_whole(in_parts, monkeypatch):
    set_threads(monkeypatch, 2)
    case = Case(2048, [1, 100])
    fail_in_start(monkeypatch, REFUSED, 0)
    assert np.array_equal(case.run(parts.run_one)[0], case.run(run)[0])
    assert set(in_parts) == {2}


def test_an_interrupt_leaves_no_thread_at_work(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    n_threads, begun, gone = threading.active_count(), [], threading.Event()
    with pytest.raises(KeyboardInterrupt):
        run_together([interrupted, lambda: begun.append(gone.wait())], gone.set)
    assert begun == [True] and threading.active_count() == n_threads

    started = fail_in_start(monkeypatch, KeyboardInterrupt(), 1)
    with pytest.raises(KeyboardInterrupt):
        run_together([lambda: begun.append(0)] * 3, lambda: None)
    started[0].join()
    assert begun == [True]


def test_large_reservoirs_are_run_in_parts(monkeypatch, noted):
    monkeypatch.setattr(parts, "_backoff", parts._Backoff())
    states = []
    X = np.random.default_rng(0).uniform(-1, 1, (1100, 3))
    reservoir = Reservoir(4100, random_state=0).fit(X)
    for n_threads in (1, 2):
        set_threads(monkeypatch, n_threads)
        states.append(reservoir.transform(X))
        assert set(noted) == ({2} if n_threads == 2 else set())
    assert np.array_equal(*states)
