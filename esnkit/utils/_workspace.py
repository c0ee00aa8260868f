"""Arrays in memory that is used again: batch after batch, or call after call.

A system hands out new memory page by page as it is first written to, which for the buffers of long
batches and for the states of long series takes longer than the writing.
"""

import contextlib
import math
import mmap
import weakref
from collections import deque
from typing import Any

import numpy as np

__all__ = ["Workspace", "recycled"]

CACHE_LINE = 64
# Smaller blocks have few pages; of larger ones the allocators of most systems give pages back.
MIN_RECYCLED_BYTES, HUGE_PAGE = 2**20, 2**21
# MADV_FREE lets the system take a block back at any time, so that keeping it costs nothing.
_CAN_RECYCLE = hasattr(mmap, "MADV_FREE")
_free: deque[mmap.mmap] = deque(maxlen=8)  # those of two threads that fit at the same time


def recycled(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an uninitialised array; a large one takes the memory of one that was deleted.

    In the meantime that memory is free: the system takes it back as soon as it needs any.

    Examples
    --------
    >>> a = recycled((2**12, 2**11), float)
    >>> address = a.ctypes.data
    >>> del a
    >>> recycled((2**12, 2**11), float).ctypes.data == address
    True
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if n_bytes < MIN_RECYCLED_BYTES or not _CAN_RECYCLE:
        return np.empty(shape, dtype)
    try:
        block = _take(n_bytes)
    except (OSError, OverflowError):
        return np.empty(shape, dtype)  # whose error says how much memory is missing
    owner = np.frombuffer(block, np.uint8)  # every view of it keeps it alive
    weakref.finalize(owner, _give_back, block).atexit = False
    return owner[:n_bytes].view(dtype).reshape(shape)


def _take(n_bytes):
    """Return a free block of at most twice the size, or a new one."""
    for _ in range(len(_free)):
        try:
            block = _free.popleft()
        except IndexError:  # another thread took the last one
            break
        if n_bytes <= len(block) <= 2 * n_bytes:
            return block
        _free.append(block)
    block = mmap.mmap(
        -1, -(-n_bytes // HUGE_PAGE) * HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    )
    with contextlib.suppress(OSError, AttributeError):
        block.madvise(mmap.MADV_HUGEPAGE)
    return block


def _give_back(block):
    with contextlib.suppress(OSError):
        block.madvise(mmap.MADV_FREE)
        _free.append(block)


class Workspace:
    """Uninitialised arrays, handed out in turn, and again after :meth:`rewind`.

    Attributes
    ----------
    n_used : int
        Arrays handed out; rewinding to this number later keeps them.

    Examples
    --------
    >>> workspace = Workspace()
    >>> a = workspace.empty(3, float)
    >>> workspace.rewind()
    >>> np.shares_memory(a, workspace.empty(2, float))
    True
    """

    def __init__(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._arrays: list[np.ndarray] = []  # the last view of each block
        self._sibling: Workspace | None = None
        self.n_used = 0

    def rewind(self, n_used: int = 0) -> None:
        """Take back all arrays but the first ones."""
        self.n_used = n_used

    def sibling(self) -> "Workspace":
        """Return another workspace, always the same, for what runs at the same time."""
        if self._sibling is None:
            self._sibling = Workspace()
        return self._sibling

    def empty(self, size: int, dtype: Any) -> np.ndarray:
        """Return an uninitialised array that begins on a cache line."""
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
    """Return new bytes that begin on a cache line."""
    block = np.empty(n_bytes + CACHE_LINE, np.uint8)
    start = -block.ctypes.data % CACHE_LINE
    return block[start : start + n_bytes]
