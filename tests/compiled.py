"""Compiled functions of test files, whose code stays on disk as that of kernels does."""

import inspect
from hashlib import sha256
from pathlib import Path

from numba import njit

from esnkit.kernels.cache import KernelCache


class _Cache(KernelCache):
    """Code that is found by what the test file holds too: directories go by the kernels alone."""

    def __init__(self, function):
        super().__init__(function)
        source = Path(inspect.getsourcefile(function)).read_bytes()
        self._name += f"-{sha256(source).hexdigest()[:16]}"


def compiled(function):
    """Compile a function at the top of a test file, which uses kernels and its arguments alone."""
    dispatcher = njit(function)
    if hasattr(dispatcher, "_cache"):  # not with NUMBA_DISABLE_JIT
        dispatcher._cache = _Cache(function)
    return dispatcher
