"""Arrays that batch after batch writes anew.

A system hands out new memory page by page as it is first written to, which for the tapes of long
batches takes longer than writing to them does.
"""

from typing import Any

import numpy as np

__all__ = ["Memory"]

CACHE_LINE = 64


class Memory:
    """Blocks of memory, handed out in turn, and again after :meth:`rewind`.

    Attributes
    ----------
    n_used : int
        Arrays handed out; what to rewind to later, to keep those.

    Examples
    --------
    >>> memory = Memory()
    >>> a = memory.empty(3, float)
    >>> memory.rewind()
    >>> np.shares_memory(a, memory.empty(2, float))
    True
    """

    def __init__(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._arrays: list[np.ndarray] = []  # what was last made of each
        self._beside: Memory | None = None
        self.n_used = 0

    def rewind(self, n_used: int = 0) -> None:
        """Take back all arrays but the first ones."""
        self.n_used = n_used

    def beside(self) -> "Memory":
        """Return another memory, always the same, for what runs at the same time."""
        if self._beside is None:
            self._beside = Memory()
        return self._beside

    def empty(self, size: int, dtype: Any) -> np.ndarray:
        """Return an array of whatever was there; it begins on a line of the cache."""
        k = self.n_used
        self.n_used += 1
        if k == len(self._blocks):
            self._blocks.append(_aligned(0))
            self._arrays.append(self._blocks[k])
        array = self._arrays[k]
        if array.size != size or array.dtype != dtype:
            n_bytes = size * np.dtype(dtype).itemsize
            if self._blocks[k].size < n_bytes:
                self._blocks[k] = _aligned(n_bytes)
            self._arrays[k] = array = self._blocks[k][:n_bytes].view(dtype)
        return array


def _aligned(n_bytes: int) -> np.ndarray:
    """Return new bytes that begin on a line of the cache."""
    block = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -block.ctypes.data % CACHE_LINE
    return block[start : start + n_bytes]
