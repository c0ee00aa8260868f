"""Compilation of kernels: the decorator, the log message, and the pause of garbage collection."""

import gc
import logging
from functools import partial
from typing import Any

import numba
from numba.core import event

from esnkit.kernels.cache import KernelCache, directories

__all__ = ["kernel"]

SECONDS = 10  # of compiling in a first fit, about


def kernel(function: Any = None, **options: Any) -> Any:
    """Compile a function when it is first called, and keep its code on disk.

    Parameters
    ----------
    function : callable
    **options
        Options of ``numba.njit``. ``inline="always"`` puts the body of a small function into its
        callers before types are inferred: it is never compiled on its own, which saves more time
        than anything else.
    """
    if function is None:
        return partial(kernel, **options)
    compiled = numba.njit(**{"nogil": True, "error_model": "numpy", **options})(function)
    if hasattr(compiled, "_cache"):  # not with NUMBA_DISABLE_JIT
        compiled._cache = KernelCache(function)
    return compiled


class _Compilations(event.Listener):
    """Announces the first compilation of a process, and suspends garbage collection in each.

    Compiling allocates many objects that live, which the collector visits again and again, for a
    tenth of the time. Numba's lock keeps other threads from compiling at the same time.
    """

    def __init__(self) -> None:
        self._depth, self._announced, self._collects = 0, False, False

    def on_start(self, event: Any) -> None:
        if not _is_ours(event):
            return
        if self._depth == 0:
            self._collects = gc.isenabled()
            gc.disable()
        self._depth += 1
        if not self._announced:
            self._announced = True
            _announce()

    def on_end(self, event: Any) -> None:
        if not _is_ours(event):
            return
        self._depth -= 1
        if self._depth == 0 and self._collects:
            gc.enable()


def _is_ours(compilation: Any) -> bool:
    return compilation.data["dispatcher"].py_func.__module__.startswith("esnkit.kernels.")


def _announce() -> None:
    """Log that kernels are compiled, or write it to standard error if no logging is set up."""
    where = directories()
    message = f"compiling kernels for this machine, about {SECONDS} s"
    message += f"; kept in {where[0]}" if where else ""
    logger = logging.getLogger("esnkit")
    if logger.hasHandlers() or logger.level != logging.NOTSET:
        logger.info(message)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("esnkit: %(message)s"))
    handler.emit(logger.makeRecord("esnkit", logging.INFO, __file__, 0, message, (), None))


event.register("numba:compile", _Compilations())
