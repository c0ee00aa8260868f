"""Work that the fits of a search share: results in bounded memory, found by comparing inputs."""

import numbers
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np

from esnkit.utils._pandas import is_pandas

__all__ = [
    "SharedWork",
    "equal_data",
    "equal_values",
    "is_immutable",
    "is_prefix",
    "share_work",
    "shared_work",
]


class Result(Protocol):
    """What may be kept."""

    @property
    def n_bytes(self) -> int:
        """Bytes of memory that it takes, which may grow."""


class SharedWork:
    """Results of earlier calls, the last used of which are kept in bounded memory.

    A result is found by comparing the inputs that it was computed from. What is no longer kept is
    computed again.

    Parameters
    ----------
    max_bytes : float
        Memory of all results.
    """

    def __init__(self, max_bytes: float):
        self.max_bytes = max_bytes
        self.results: list[Result] = []  # the last used one is the last

    def find(self, kind: type, matches: Callable[[Any], bool]) -> Any:
        """Return the last used result of a kind that matches, or None."""
        for i in range(len(self.results) - 1, -1, -1):
            result = self.results[i]
            if isinstance(result, kind) and matches(result):
                self.results.append(self.results.pop(i))
                return result
        return None

    def all_of(self, kind: type) -> list[Any]:
        """Return all results of a kind."""
        return [result for result in self.results if isinstance(result, kind)]

    def keep(self, result: Result) -> None:
        """Keep a result, as long as there is room."""
        self.results.append(result)
        self.trim()

    def has_room(self, n_bytes: float) -> bool:
        """Return whether a result of this size can be kept at all."""
        return n_bytes <= self.max_bytes

    def trim(self) -> None:
        """Forget the results that were not used for longest, as many as exceed the memory."""
        sizes = [result.n_bytes for result in self.results]
        total = sum(sizes)
        while total > self.max_bytes:
            total -= sizes.pop(0)
            del self.results[0]

    def forget(self, *kinds: type) -> None:
        """Forget all results of some kinds."""
        self.results = [result for result in self.results if not isinstance(result, kinds)]


_current: ContextVar[SharedWork | None] = ContextVar("esnkit_shared_work", default=None)


def shared_work() -> SharedWork | None:
    """Return what the fits in this thread share, None outside of a search."""
    return _current.get()


@contextmanager
def share_work(work: SharedWork | None) -> Iterator[None]:
    """Let the fits inside the block, in this thread, share their work; None shares nothing."""
    token = _current.set(work)
    try:
        yield
    finally:
        _current.reset(token)


def equal_data(a: Any, b: Any) -> bool:
    """Return whether two arrays, frames, or lists of arrays are known to hold the same numbers."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray) and a.dtype != object:
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, (list, tuple)) or isinstance(a, np.ndarray):
        return len(a) == len(b) and all(map(equal_data, a, b))
    if is_pandas(a):  # equal ones have equal names and dtypes
        return bool(a.equals(b))
    return _are_equal_scalars(a, b)


def is_prefix(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Return whether the rows of b begin with those of a; None stands for rows of ones."""
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and len(a) <= len(b) and np.array_equal(a, b[: len(a)])


def equal_values(a: Any, b: Any) -> bool:
    """Return whether two values of a parameter are known to be equal."""
    if a is b or _are_equal_scalars(a, b):
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal_values, a, b))
    if isinstance(a, np.ndarray) and a.dtype != object:
        return a.dtype == b.dtype and np.array_equal(a, b)
    try:
        return pickle.dumps(a) == pickle.dumps(b)
    except Exception:  # of any class of the user
        return False


def is_immutable(value: Any) -> bool:
    """Return whether a value is None, a number of Python, text, or a tuple of these."""
    if type(value) is tuple:
        return all(map(is_immutable, value))
    return type(value) in (type(None), bool, int, float, str)


def _are_equal_scalars(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, (str, bytes, numbers.Number)) and a == b
