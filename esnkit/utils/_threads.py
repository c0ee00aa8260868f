"""Threads for kernels that release the interpreter lock, and BLAS kept on one of them."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

from esnkit.kernels.linalg import n_threads

__all__ = ["n_processors", "one_blas_thread", "run_tasks", "run_together"]


def n_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Threads:
    """Worker threads, and the count of those who want BLAS on one thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.limit = ExitStack()
        self.pool: ThreadPoolExecutor | None = None


_threads = _Threads()


def _forget_threads() -> None:
    """Start afresh in a forked child, where threads and held locks do not exist."""
    global _threads
    _threads = _Threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  both BLAS libraries must be loaded to be found

    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS on one thread inside, as parallel BLAS changes the last bits of its answers.

    The limit belongs to the process: the first to enter sets it, the last to leave lifts it.
    """
    state = _threads
    with state.lock:
        if state.users == 0:
            state.limit.enter_context(_controller().limit(limits=1, user_api="blas"))
        state.users += 1
    try:
        yield
    finally:
        with state.lock:
            state.users -= 1
            if state.users == 0:
                state.limit.close()


def run_tasks(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run independent tasks, side by side where threads are to be had, and list their results."""
    tasks = list(tasks)
    if len(tasks) < 2 or n_threads() < 2:
        return [task() for task in tasks]
    with _threads.lock:
        if _threads.pool is None:
            _threads.pool = ThreadPoolExecutor(n_threads(), thread_name_prefix="esnkit")
        pool = _threads.pool
    waiting = [pool.submit(task) for task in tasks[1:]]
    try:
        first = tasks[0]()
    finally:
        wait(waiting)  # the arrays they work on are the caller's again
    return [first, *(w.result() for w in waiting)]


def run_together(
    tasks: Sequence[Callable[[], Any]], release: Callable[[], None]
) -> list[Any] | None:
    """Run tasks that wait for one another, each on a thread of its own, and list their results.

    Where one of them fails, ``release`` must let the others end. Returns None, with no task begun,
    where the system has no more threads.
    """
    results: list[Any] = [None] * len(tasks)
    failures: list[BaseException] = []
    begun: list[bool] = []
    opened = threading.Event()

    def work(place: int) -> None:
        opened.wait()
        if not begun:
            return
        try:
            results[place] = tasks[place]()
        except BaseException as failure:
            failures.append(failure)
            release()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(1, len(tasks))]
    try:
        for thread in threads:
            thread.start()
        begun.append(True)
        opened.set()
        work(0)
    except BaseException as failure:
        release()
        opened.set()
        if not begun and isinstance(failure, RuntimeError):
            return None
        raise
    finally:
        for thread in threads if begun else []:
            thread.join()
    if failures:
        raise failures[0]
    return results
