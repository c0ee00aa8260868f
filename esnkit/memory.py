"""Arrays that batch after batch writes anew.

A system hands out new memory page by page as it is first written to, which for the tapes of long
batches takes longer than writing to them does.
"""

from typing import Any

import numpy as np

__all__ = ["Memory"]

CACHE_LINE = 64


class Memory:
    """Blocks of memory, handed out in turn, and again from the first one after :meth:`rewind`.

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
        self._n_used = 0

    def rewind(self) -> None:
        """Take back all arrays."""
        self._n_used = 0

    def empty(self, size: int, dtype: Any) -> np.ndarray:
        """Return an array of whatever was there; it begins on a line of the cache."""
        n_bytes = size * np.dtype(dtype).itemsize
        if self._n_used == len(self._blocks):
            self._blocks.append(np.empty(0, np.uint8))
        block = self._blocks[self._n_used]
        if block.size < n_bytes + CACHE_LINE:
            block = self._blocks[self._n_used] = np.empty(n_bytes + CACHE_LINE, np.uint8)
        self._n_used += 1
        start = -block.__array_interface__["data"][0] % CACHE_LINE
        return block[start : start + n_bytes].view(dtype)
