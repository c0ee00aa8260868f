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
        self.n_used = 0

    def rewind(self, n_used: int = 0) -> None:
        """Take back all arrays but the first ones."""
        self.n_used = n_used

    def empty(self, size: int, dtype: Any) -> np.ndarray:
        """Return an array of whatever was there; it begins on a line of the cache."""
        n_bytes = size * np.dtype(dtype).itemsize
        if self.n_used == len(self._blocks):
            self._blocks.append(_aligned(n_bytes))
        elif self._blocks[self.n_used].size < n_bytes:
            self._blocks[self.n_used] = _aligned(n_bytes)
        self.n_used += 1
        return self._blocks[self.n_used - 1][:n_bytes].view(dtype)


def _aligned(n_bytes: int) -> np.ndarray:
    """Return new bytes that begin on a line of the cache."""
    block = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -block.ctypes.data % CACHE_LINE
    return block[start : start + n_bytes]
