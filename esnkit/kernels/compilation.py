"""Compilation of kernels: the decorator, the log message, and the pause of garbage collection."""

import gc
import logging
import select
import sys
import time
from contextlib import suppress
from functools import partial
from typing import Any

import numba
from numba.core import event

from esnkit.kernels.cache import KernelCache, directories

__all__ = [
    "Announcements",
    "compile_seconds",
    "has_handlers",
    "is_compiling",
    "kernel",
    "write_line",
]

# Of compiling, as measured on an idle and on a busy machine: 4 to 9 s for a first fit of an echo
# state network, 8 to 15 s for a first forecast, 12 to 30 s for a first fit of a trained network.
SECONDS = "5 to 30"
LOGGER = logging.getLogger("esnkit.kernels")
DEFAULT_HANDLER = "esnkit.default"  # the name of the handler of the package, which writes nothing


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
        self.depth, self._announced, self._collects = 0, False, False
        self.start = self.seconds = 0.0  # of the current compilation, and of all before

    def on_start(self, event: Any) -> None:
        if not _is_ours(event):
            return
        if self.depth == 0:
            self._collects = gc.isenabled()
            gc.disable()
            self.start = time.monotonic()
        self.depth += 1
        if not self._announced:
            self._announced = True
            _announce()

    def on_end(self, event: Any) -> None:
        if not _is_ours(event):
            return
        self.depth -= 1
        if self.depth == 0:
            self.seconds += time.monotonic() - self.start
            if self._collects:
                gc.enable()


def _is_ours(compilation: Any) -> bool:
    return compilation.data["dispatcher"].py_func.__module__.startswith("esnkit.kernels.")


def is_compiling() -> bool:
    """Return whether a thread compiles a kernel at the moment."""
    return _compilations.depth > 0


def compile_seconds() -> float:
    """Return how long this process has compiled kernels, besides the one at the moment."""
    return _compilations.seconds


def has_handlers(logger: logging.Logger) -> bool:
    """Return whether a program has set up logging: a handler besides that of the package."""
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.get_name() != DEFAULT_HANDLER for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def write_line(text: str, stream: Any) -> None:
    """Write to standard error, unless it is closed, or full and nobody reads it: never wait."""
    with suppress(OSError, ValueError, AttributeError):
        if _is_ready(stream):
            stream.write(text)
            stream.flush()


def _is_ready(stream: Any) -> bool:
    """Return whether a stream takes a line at once, as far as the system tells."""
    try:
        return bool(select.select([], [stream.fileno()], [], 0)[1])
    except (OSError, ValueError, AttributeError):
        return True  # no file, or a system that tells it of sockets only


class Announcements:
    """How many displays say by themselves that kernels are compiled."""

    suspended = 0


def _announce() -> None:
    """Log that kernels are compiled, or write it to standard error if no logging is set up."""
    where = directories()
    message = f"compiling kernels for this machine, about {SECONDS} s"
    message += f"; kept in {where[0]}" if where else ""
    if has_handlers(LOGGER) or logging.getLogger("esnkit").level != logging.NOTSET:
        LOGGER.info(message)
    elif not Announcements.suspended:
        write_line(f"esnkit: {message}\n", sys.stderr)


_compilations = _Compilations()
event.register("numba:compile", _compilations)
