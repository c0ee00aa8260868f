"""Python threads for kernels that release the interpreter lock, and BLAS limited to one thread."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import cache
from queue import SimpleQueue
from typing import Any

import numpy as np
from threadpoolctl import LibController, ThreadpoolController

from esnkit.kernels.linalg import limit_numba_threads, numba_threads

__all__ = [
    "MAX_CALL_WORK",
    "interruptible",
    "n_processors",
    "n_threads",
    "one_blas_thread",
    "one_thread",
    "processors_per_caller",
    "run_tasks",
    "run_together",
    "threads_beside",
]

# Multiply-adds of one call of a kernel, a fraction of a second: an interrupt may wait for its end.
MAX_CALL_WORK = 2**28


def n_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _ThreadState:
    """The queue of worker threads, the blocks that limit BLAS to one thread, and busy callers."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.limiting: set[object] = set()  # one for each block that limits BLAS
        self.before_limit: list[tuple[LibController, int]] = []  # numbers of threads
        self.callers: set[int] = set()  # in blocks of `processors_per_caller`
        self.queue: SimpleQueue[_SharedTask] | None = None  # of the worker threads

    def limit_blas(self, block: object) -> None:
        """Limit BLAS to one thread until `release_blas` has been called for every block."""
        with self.lock:
            if not self.before_limit:
                self.before_limit = [(library, library.num_threads) for library in _blas()]
            if not self.limiting:
                _set_blas_threads((library, 1) for library, _ in self.before_limit)
            self.limiting.add(block)

    def release_blas(self, block: object) -> None:
        """Remove the limit if no other block needs it."""
        with self.lock:
            self.limiting.discard(block)
            if not self.limiting:
                _set_blas_threads(self.before_limit)
                self.before_limit = []

    def blas_threads(self) -> int:
        """Return how many threads BLAS may use outside of all blocks that limit it."""
        with self.lock:
            found = self.before_limit or [(library, library.num_threads) for library in _blas()]
        return min((n for _, n in found if n), default=n_processors())


_state = _ThreadState()
_thread = threading.local()


def _reset_state() -> None:
    """Start anew in a forked child, which inherits no threads, but the limit of BLAS."""
    global _state
    inherited, _state = _state, _ThreadState()
    _thread.limits_blas = False
    _set_blas_threads(inherited.before_limit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(  # no other thread may be about to change the limit
        before=lambda: _state.lock.acquire(),
        after_in_parent=lambda: _state.lock.release(),
        after_in_child=_reset_state,
    )


@cache
def _blas() -> tuple[LibController, ...]:
    import scipy.linalg  # noqa: F401  only loaded libraries are found: NumPy's BLAS and SciPy's

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


def _set_blas_threads(numbers: Iterable[tuple[LibController, int]]) -> None:
    """Set the numbers of threads of libraries."""
    for library, n in numbers:
        # threadpoolctl 3.8 ignores all threads but the first one that limits OpenBLAS.
        getattr(library, "_real_set_num_threads", library.set_num_threads)(n)


def n_threads() -> int:
    """Return the number of threads for kernels and for BLAS together.

    It is the lower one of the limits of Numba and of BLAS, which ``numba.set_num_threads``,
    ``threadpoolctl`` and the environment set, and 1 within :func:`one_thread`.
    """
    if getattr(_thread, "is_single", False):
        return 1
    return min(numba_threads(), _state.blas_threads())


@contextmanager
def one_thread() -> Iterator[None]:
    """Let the calling thread start no others inside the block: its caller runs several of them."""
    before, _thread.is_single = getattr(_thread, "is_single", False), True
    try:
        yield
    finally:
        _thread.is_single = before


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread inside the block: with several, the last bits of results differ.

    The limit applies to the whole process: the first block to be entered sets it, the last one to
    be left removes it.
    """
    if getattr(_thread, "limits_blas", False):  # inside of another block of this thread
        yield
        return
    state, block = _state, object()
    try:
        state.limit_blas(block)
        _thread.limits_blas = True
        yield
    finally:
        try:
            _thread.limits_blas = False
            state.release_blas(block)
        except BaseException:  # an interrupt
            _thread.limits_blas = False
            state.release_blas(block)
            raise


@contextmanager
def threads_beside(n_jobs: int) -> Iterator[None]:
    """Let a job start no threads inside the block if jobs side by side use all processors.

    It limits BLAS to one thread as well, as joblib does for processes.
    """
    if n_jobs < 2 or n_processors() >= 2 * n_jobs:
        yield
        return
    with one_thread(), one_blas_thread():
        yield


@contextmanager
def processors_per_caller() -> Iterator[Callable[[], int]]:
    """Yield a function that divides the processors by the number of threads in such blocks.

    Threads that wait for one another, more of them than processors, would wait for very long.
    """
    callers, caller = _state.callers, threading.get_ident()
    try:
        callers.add(caller)
        yield lambda: n_processors() // len(callers)
    finally:
        callers.discard(caller)


def interruptible(work: float, function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``, but let an interrupt end a long call at once, not after its end.

    A call of more than ``MAX_CALL_WORK`` multiply-adds runs in another thread, which goes on after
    an interrupt: the function must release the interpreter lock, and write to arrays alone that
    nobody reads after an interrupt.
    """
    # Interrupts are raised in the main thread alone.
    if work <= MAX_CALL_WORK or threading.current_thread() is not threading.main_thread():
        return function(*args)
    result: Future[Any] = Future()
    settings, n_numba = np.geterr(), numba_threads()
    is_single = getattr(_thread, "is_single", False)

    def run() -> None:
        try:
            _thread.is_single = is_single
            limit_numba_threads(n_numba)
            with np.errstate(**settings):
                result.set_result(function(*args))
        except BaseException as error:
            result.set_exception(error)

    try:
        threading.Thread(target=run, name="esnkit-call", daemon=True).start()
    except RuntimeError:  # no thread can start
        return function(*args)
    return result.result()


class _SharedTask:
    """A task that runs at most once: in a thread of the pool, or in the thread that waits for it.

    Who claims it is decided by one operation of a dictionary, which no interrupt can divide.
    """

    def __init__(self, task: Callable[[], Any]):
        self.task = task
        self.future: Future[Any] = Future()
        self.claims: dict[str, str] = {}

    def claim(self, claimant: str) -> bool:
        """Return whether "pool" or "caller" may run the task, now and from now on."""
        return self.claims.setdefault("by", claimant) == claimant

    def run_in_pool(self) -> None:
        """Run the task, unless the caller has claimed it."""
        if not self.claim("pool"):
            return
        try:
            self.future.set_result(self.task())
        except BaseException as error:
            self.future.set_exception(error)

    def result(self) -> Any:
        """Run the task, or wait for the thread of the pool that has claimed it."""
        return self.task() if self.claim("caller") else self.future.result()

    def cancel(self) -> None:
        """Return once the task has ended, or can no longer begin."""
        if not self.claim("caller"):
            wait([self.future])


def run_tasks(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run independent tasks, in parallel if there are several threads, and list their results.

    The calling thread runs what no other thread has begun, all of it if the system refuses
    threads. An exception of a task, or an interrupt, is raised only after all tasks have ended or
    been cancelled, so that none of them still writes to the arrays of the caller.
    """
    tasks = list(tasks)
    if len(tasks) < 2 or n_threads() < 2:
        return [task() for task in tasks]
    others = [_SharedTask(task) for task in tasks[1:]]
    try:
        _submit(others)
        return [tasks[0](), *(other.result() for other in others)]
    finally:
        for other in others:
            other.cancel()


def _submit(tasks: list[_SharedTask]) -> None:
    """Give tasks to the worker threads; if none can start, the tasks are left to the caller."""
    with _state.lock:
        queue = _state.queue = _state.queue or _start_workers(n_threads())
    if queue is not None:
        for task in tasks:
            queue.put(task)


def _start_workers(n: int) -> "SimpleQueue[_SharedTask] | None":
    """Start n worker threads and return their queue, or None if the system refuses threads.

    They are daemon threads: a program that an interrupt ends does not wait for their last task.
    """
    queue: SimpleQueue[_SharedTask] = SimpleQueue()

    def work() -> None:
        while True:
            task = queue.get()
            task.run_in_pool()
            del task  # and with it the arrays of the caller

    for i in range(n):
        try:
            threading.Thread(target=work, name=f"esnkit_{i}", daemon=True).start()
        except RuntimeError:
            if i == 0:
                return None
            break
    return queue


def run_together(
    tasks: Sequence[Callable[[], Any]], release: Callable[[], None]
) -> list[Any] | None:
    """Run tasks that wait for one another, each in a separate thread, and list their results.

    If a task raises, ``release`` is called, which must let the other tasks end; the exception is
    then raised. Returns None, before any task has begun, if the system refuses a thread.
    """
    results: list[Any] = [None] * len(tasks)
    errors: list[BaseException] = []
    all_started: list[bool] = []
    gate = threading.Event()

    def run(i: int) -> None:
        gate.wait()
        if not all_started:
            return
        try:
            results[i] = tasks[i]()
        except BaseException as error:
            errors.append(error)
            release()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(1, len(tasks))]
    try:
        for thread in threads:
            thread.start()
        all_started.append(True)
        gate.set()
        run(0)
    except BaseException as error:
        release()
        gate.set()
        if not all_started and isinstance(error, RuntimeError):
            return None
        raise
    finally:
        for thread in threads if all_started else []:
            thread.join()
    if errors:
        raise errors[0]
    return results
