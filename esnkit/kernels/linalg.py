"""Linear algebra below the readouts: row products of fixed order, centring, BLAS in threads.

Two kinds of code live here. Numba kernels compute ``x @ coef.T + intercept`` with one summation
order per row, and centre blocks of rows. The LAPACK half calls SciPy's own BLAS without holding
the interpreter lock and on one BLAS thread, so that the bits of a result depend neither on the
number of threads nor on who else is computing.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import njit
from threadpoolctl import ThreadpoolController


@njit(cache=True, nogil=True)
def dot(x, c, lanes):
    """Sum x[k] * c[k] in 16 interleaved partial sums, added pairwise at the end."""
    n = x.size
    whole = n - n % 64
    lanes[:] = 0
    for k in range(0, whole, 64):
        for j in range(16):
            a = lanes[j] + x[k + j] * c[k + j]
            a = a + x[k + 16 + j] * c[k + 16 + j]
            a = a + x[k + 32 + j] * c[k + 32 + j]
            lanes[j] = a + x[k + 48 + j] * c[k + 48 + j]
    for k in range(whole, n):
        lanes[k % 16] += x[k] * c[k]
    width = 8
    while width > 0:
        for j in range(width):
            lanes[j] += lanes[j + width]
        width //= 2
    return lanes[0]


@njit(cache=True, nogil=True)
def affine_row(x, coef, intercept, lanes, out):
    """Write coef @ x + intercept into out; coef (n_out, n), lanes (16,) is work space.

    All arrays have one dtype. ``affine`` does the very same arithmetic, bit for bit.
    """
    for o in range(out.size):
        out[o] = dot(x, coef[o], lanes) + intercept[o]


@njit(cache=True, nogil=True)
def affine(X, coef, intercept, out):
    """Write X @ coef.T + intercept into out (n_rows, n_out); coef (n_out, n), one dtype.

    A row of the answer never depends on the rows around it: the order of its sums is fixed.
    """
    lanes = np.empty(16, X.dtype)
    for start in range(0, X.shape[0], 16):  # 16 rows stay in cache while coef passes by
        stop = min(start + 16, X.shape[0])
        for o in range(coef.shape[0]):
            for i in range(start, stop):
                out[i, o] = dot(X[i], coef[o], lanes) + intercept[o]


@njit(cache=True, nogil=True)
def weighted_mean(X, w, mean):
    """Write the mean of the rows of X, weighted by w (> 0), into mean (float64).

    Summed about the first row, so that a common offset does not eat digits.
    """
    mean[:] = 0
    total = 0.0
    for i in range(X.shape[0]):
        total += w[i]
        for j in range(X.shape[1]):
            mean[j] += w[i] * (np.float64(X[i, j]) - np.float64(X[0, j]))
    for j in range(X.shape[1]):
        mean[j] = np.float64(X[0, j]) + mean[j] / total


@njit(cache=True, nogil=True)
def centre_rows(X, root, mean, out):
    """Write root[i] * (X[i] - mean) into out (n_rows, n), row by row, in float64."""
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i, j] = root[i] * (np.float64(X[i, j]) - mean[j])


@njit(cache=True, nogil=True)
def centre_columns(X, root, mean, out):
    """Write root[i] * (X[i] - mean) into the columns of out (n, n_rows), in float64."""
    for start in range(0, X.shape[0], 16):  # 16 rows by a few columns stay in cache
        stop = min(start + 16, X.shape[0])
        for j in range(X.shape[1]):
            for i in range(start, stop):
                out[j, i] = root[i] * (np.float64(X[i, j]) - mean[j])


def n_threads() -> int:
    """Return how many threads kernels may be spread over (``NUMBA_NUM_THREADS``)."""
    return numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]


@cache
def _routine(name: str) -> tuple[Callable[..., None], Any]:
    """Return a BLAS or LAPACK routine of SciPy's, and its integer type.

    SciPy exports them for Cython as capsules. Called through ctypes they release the
    interpreter lock, which the wrappers in ``scipy.linalg.blas`` and ``lapack`` hold.
    """
    from scipy.linalg import cython_blas, cython_lapack

    exported = {**cython_blas.__pyx_capi__, **cython_lapack.__pyx_capi__}
    api = ctypes.pythonapi
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", api)
    )
    signature = name_of(exported[name])
    arguments = signature[signature.index(b"(") + 1 : -1].split(b", ")
    integer = ctypes.c_int if b"int *" in arguments else ctypes.c_int64
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arguments))
    return prototype(pointer_of(exported[name], signature)), integer


def _call(name: str, *arguments: Any) -> None:
    """Call a Fortran routine: strings, integers and floats by reference, arrays by address."""
    routine, integer = _routine(name)
    held: list[Any] = []
    for a in arguments:
        if isinstance(a, np.ndarray):
            held.append(a.ctypes.data)
        elif isinstance(a, bytes):
            held.append(ctypes.cast(ctypes.c_char_p(a), ctypes.c_void_p))
        else:
            held.append(ctypes.byref(ctypes.c_double(a) if isinstance(a, float) else integer(a)))
    routine(*held)


def add_gram(G: np.ndarray, C: np.ndarray, ZX: np.ndarray, ZY: np.ndarray) -> None:
    """Add ZX.T @ ZX to the lower triangle of G and ZX.T @ ZY to C, in place.

    G (n, n) and C (n, n_out) are Fortran-ordered, ZX (m, n) and ZY (m, n_out) C-ordered.
    """
    m, n = ZX.shape
    p = ZY.shape[1]
    _call("dsyrk", b"L", b"N", n, m, 1.0, ZX, n, 1.0, G, n)
    _call("dgemm", b"N", b"T", n, p, m, 1.0, ZX, n, ZY, p, 1.0, C, n)


def add_orthogonal(
    R: np.ndarray, C: np.ndarray, ZX: np.ndarray, ZY: np.ndarray, n_triangular: int = 0
) -> None:
    """Replace R by the triangular factor of [R; ZX], and [C; ZY] by its product with Q.T.

    R (n, n), C (n, n_out), ZX (m, n) and ZY (m, n_out) are Fortran-ordered; all four are
    overwritten, ZY by what lies outside the span. The last ``n_triangular`` rows of ZX are
    upper triangular. Needs 2 m n^2 operations: the reflectors have one entry in R each.
    """
    m, n = ZX.shape
    p = ZY.shape[1]
    panel = min(n, 16 if n < 512 else 32)  # columns per block reflector: fastest as measured
    T = np.empty((panel, n), order="F")
    info = np.zeros(1, np.int64)
    tri = min(n_triangular, n)
    _call("dtpqrt", m, n, tri, panel, R, n, ZX, m, T, panel, np.empty(panel * n), info)
    work = np.empty(panel * p)
    _call("dtpmqrt", b"L", b"T", m, p, n, tri, panel, ZX, m, T, panel, C, n, ZY, m, work, info)


class _Threads:
    """Two worker threads, and the count of those who want BLAS on one thread."""

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
            _threads.pool = ThreadPoolExecutor(2, thread_name_prefix="esnkit")
        pool = _threads.pool
    waiting = [pool.submit(task) for task in tasks[1:]]
    try:
        first = tasks[0]()
    finally:
        wait(waiting)  # the arrays they work on are the caller's again
    return [first, *(w.result() for w in waiting)]
