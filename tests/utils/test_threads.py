"""Threads: independent tasks, tasks that wait for one another, and the limit of BLAS."""

import os
import threading
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from processes import outputs_of

from esnkit.utils import _threads
from esnkit.utils._threads import (
    MAX_CALL_WORK,
    interruptible,
    n_processors,
    n_threads,
    one_blas_thread,
    one_thread,
    processors_per_caller,
    run_tasks,
    run_together,
    threads_beside,
)


def test_the_blas_limit_is_nested_and_removed_at_the_end():
    from threadpoolctl import threadpool_info

    def threads():
        return [d["num_threads"] for d in threadpool_info() if d["user_api"] == "blas"]

    with one_blas_thread():  # the first limit loads the BLAS of SciPy
        pass
    before = threads()
    with one_blas_thread():
        with one_blas_thread():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_an_error_is_raised_after_all_tasks_have_ended():
    done = []

    def slow():
        done.append(1)

    def wrong():
        raise KeyError("wrong")

    for tasks in ([wrong, slow], [slow, wrong]):
        with pytest.raises(KeyError):
            run_tasks(tasks)
    assert run_tasks([]) == [] and done


def blas_threads():
    from threadpoolctl import threadpool_info

    return {d["num_threads"] for d in threadpool_info() if d["user_api"] == "blas"}


def test_the_blas_limit_lasts_until_the_last_block_ends():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            entered.set()
            leave.wait()

    thread, before = threading.Thread(target=other), blas_threads()
    with one_blas_thread():
        thread.start()
        entered.wait()
    assert blas_threads() == {1}
    leave.set()
    thread.join()
    assert blas_threads() == before


def test_the_blas_limit_is_removed_after_an_error():
    before = blas_threads()
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert blas_threads() == before


def test_results_are_in_the_order_of_the_tasks():
    assert run_tasks(lambda i=i: i**2 for i in range(20)) == [i**2 for i in range(20)]


def test_without_threads_the_caller_runs_every_task_once(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    counts = [0] * 6
    results = []

    def count(i):
        counts[i] += 1
        return i

    monkeypatch.setattr(_threads, "n_threads", lambda: 2)
    monkeypatch.setattr(_threads, "_state", _threads._ThreadState())
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        results += run_tasks(partial(count, i) for i in range(3))
    assert _threads._state.queue is None
    results += run_tasks(partial(count, i) for i in range(3, 6))  # nothing is left in a queue
    assert results == [0, 1, 2, 3, 4, 5] and counts == [1] * 6


@contextmanager
def busy_pool():
    """Keep every thread of the pool, and the thread that gave them tasks, waiting."""
    release, all_wait = threading.Event(), threading.Barrier(n_threads() + 2, timeout=30)

    def hold():
        all_wait.wait()
        release.wait()

    busy = threading.Thread(target=run_tasks, args=([hold] * (n_threads() + 1),))
    busy.start()
    all_wait.wait()
    try:
        yield
    finally:
        release.set()
        busy.join()


@pytest.mark.skipif(n_threads() < 2, reason="one thread")
def test_the_caller_runs_what_busy_threads_have_not_begun():
    with busy_pool():
        assert run_tasks([threading.get_ident] * 3) == [threading.get_ident()] * 3


@pytest.mark.skipif(n_threads() < 2, reason="one thread")
@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_an_error_cancels_what_has_not_begun(error):
    begun = []

    def fail():
        raise error

    with busy_pool(), pytest.raises(error):
        run_tasks([fail, lambda: begun.append(1)])
    assert run_tasks([int, int, int]) == [0, 0, 0] and begun == []


@pytest.mark.skipif(n_threads() < 2, reason="one thread")
def test_tasks_run_in_parallel():
    barrier = threading.Barrier(2, timeout=30)
    assert sorted(run_tasks([barrier.wait, barrier.wait])) == [0, 1]


def test_tasks_that_wait_for_one_another_all_run():
    barrier = threading.Barrier(5, timeout=30)
    assert sorted(run_together([barrier.wait] * 5, barrier.abort)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("i", [0, 2])
def test_an_error_releases_the_tasks_that_wait(i):
    barrier = threading.Barrier(3)

    def wait():
        with pytest.raises(threading.BrokenBarrierError):
            barrier.wait()

    def fail():
        raise KeyError("wrong")

    tasks = [wait, wait, wait]
    tasks[i] = fail
    with pytest.raises(KeyError, match="wrong"):
        run_together(tasks, barrier.abort)


def test_without_enough_threads_no_task_begins(monkeypatch):
    begun, released = [], []
    start = threading.Thread.start
    n_started = 0

    def limited(thread):
        nonlocal n_started
        n_started += 1
        if n_started > 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    tasks = [lambda: begun.append(1)] * 3
    assert run_together(tasks, lambda: released.append(1)) is None
    assert not begun and released


def test_the_number_of_processors_is_that_of_this_process():
    assert 1 <= n_processors() <= os.cpu_count()


def test_a_child_forked_within_the_limit_has_the_threads_of_blas_back(output_of):
    code = (
        "import os, threading\n"
        "from esnkit.utils._threads import _blas, _state, n_threads, one_blas_thread\n"
        "numbers = lambda: [library.num_threads for library in _blas()] + [n_threads()]\n"
        "before, entered, leave = numbers(), threading.Event(), threading.Event()\n"
        "def limit():\n"
        "    with one_blas_thread():\n"
        "        entered.set(), leave.wait()\n"
        "threading.Thread(target=limit).start()\n"
        "entered.wait()\n"
        "limited = {library.num_threads for library in _blas()} == {1}\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if numbers() == before else 1)\n"
        "print(os.waitpid(child, 0)[1], limited, n_threads() == before[-1])\n"
        "leave.set()"
    )
    assert output_of(code).split() == ["0", "True", "True"]


def test_a_forked_child_has_threads_of_its_own(output_of):
    code = (
        "import os\n"
        "from esnkit.utils._threads import one_blas_thread, run_tasks\n"
        "run_tasks([int, int])\n"
        "with one_blas_thread():\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os._exit(0 if run_tasks([int, int, int]) == [0, 0, 0] else 1)\n"
        "print(os.waitpid(child, 0)[1])"
    )
    assert output_of(code) == "0\n"


def test_one_thread_needs_no_pool(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 1)
    callers = run_tasks([threading.get_ident] * 3)
    assert np.unique(callers).tolist() == [threading.get_ident()]


def test_a_long_call_starts_no_threads_where_the_caller_may_not(monkeypatch):
    monkeypatch.setattr(_threads, "numba_threads", lambda: 2)
    monkeypatch.setattr(_threads._state, "blas_threads", lambda: 2)
    for work in (1, MAX_CALL_WORK + 1):
        assert interruptible(work, n_threads) == 2
        with one_thread():
            assert interruptible(work, n_threads) == 1


@pytest.mark.parametrize(("n_jobs", "n_free"), [(1, 4), (2, 4), (3, 1), (4, 1)])
def test_jobs_on_all_processors_start_no_threads(monkeypatch, n_jobs, n_free):
    from threadpoolctl import threadpool_info

    monkeypatch.setattr(_threads, "n_processors", lambda: 4)
    monkeypatch.setattr(_threads, "numba_threads", lambda: 4)
    monkeypatch.setattr(_threads._state, "blas_threads", lambda: 4)
    with threads_beside(n_jobs):
        assert n_threads() == n_free
        if n_free == 1:
            blas = [d["num_threads"] for d in threadpool_info() if d["user_api"] == "blas"]
            assert set(blas) == {1}
    assert n_threads() == 4


def test_an_interrupt_leaves_no_thread_at_work(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    n_before, begun, ended = threading.active_count(), [], threading.Event()
    with pytest.raises(KeyboardInterrupt):
        run_together([interrupt, lambda: begun.append(ended.wait())], ended.set)
    assert begun == [True] and threading.active_count() == n_before


def test_an_interrupt_while_threads_start_begins_no_task(monkeypatch):
    start, started, begun = threading.Thread.start, [], []

    def interrupt_the_second(thread):
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupt_the_second)
    with pytest.raises(KeyboardInterrupt):
        run_together([lambda: begun.append(0)] * 3, lambda: None)
    started[0].join()
    assert begun == []


def test_busy_callers_share_the_processors(monkeypatch):
    monkeypatch.setattr(_threads, "n_processors", lambda: 5)
    entered, leave = threading.Event(), threading.Event()

    def other():
        with processors_per_caller():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with processors_per_caller() as share:
        assert share() == 5
        thread.start()
        entered.wait()
        assert share() == 2
        leave.set()
        thread.join()
        assert share() == 5


# What runs after the main thread has ended, while the interpreter shuts down.
LATE = """
import atexit, threading, numpy as np
from esnkit import ESNRegressor
from esnkit.datasets import make_lorenz

X = np.sin(np.arange(24_000.0)).reshape(20, 1200, 1)
models = [ESNRegressor(20, random_state=0).fit(X, X) for _ in range(3)]

def check(model):
    expected = model.predict(X)
    print(np.array_equal(model.fit(X, X).predict(X), expected), len(make_lorenz(9)), flush=True)

class Late(threading.Thread):
    def run(self):
        threading.main_thread().join()
        check(models[1])

atexit.register(check, models[0])
Late().start()
"""


def test_fits_at_the_shutdown_of_the_interpreter_end():
    assert outputs_of(LATE, {"NUMBA_NUM_THREADS": "2"}) == ["True 9\n" * 2]


LIMITED = """
import numba
import numpy as np
from threadpoolctl import threadpool_limits
from esnkit import Reservoir
from esnkit.utils import _threads
from esnkit.utils._threads import n_threads, one_blas_thread

numba.set_num_threads(1)
Reservoir(50, random_state=0).fit_transform(np.zeros((40, 3, 1)))
print(n_threads(), _threads._state.queue)
numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
with threadpool_limits(1), one_blas_thread():
    Reservoir(50, random_state=0).fit_transform(np.zeros((40, 3, 1)))
    print(n_threads(), _threads._state.queue)
with threadpool_limits(2), one_blas_thread():
    print(n_threads())
"""


def test_the_limits_of_numba_and_of_threadpoolctl_are_respected():
    serial = {"NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "1"}
    both, limited = outputs_of(LIMITED, {"NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}, serial)
    assert both.split() == ["1", "None", "1", "None", "2"]
    assert limited.split() == ["1", "None", "1", "None", "2"]
