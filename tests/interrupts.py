"""Interrupts at a chosen line of the library."""

import sys
from pathlib import Path

import numpy as np

import esnkit
from esnkit.utils import _threads

SOURCE = Path(esnkit.__file__).parent


class Interrupt:
    """Raise KeyboardInterrupt before a line of esnkit is executed: the k-th one in the block.

    `parts` limit it to files and folders whose paths within the package begin so.
    """

    def __init__(self, k, parts=("",)):
        self.k, self.n_lines = k, 0
        self.sources = tuple(f"{SOURCE}/{part}" for part in parts)

    def __enter__(self):
        self.outer, self.settings = sys.gettrace(), np.geterr()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.outer)
        np.seterr(**self.settings)  # the line may be the end of a block with others

    def trace(self, frame, event, _):
        # Signals arrive between calls, not within the few statements of `_threads`.
        file = frame.f_code.co_filename
        if not file.startswith(self.sources) or file == _threads.__file__:
            return None
        if event == "line":
            self.n_lines += 1
            if self.n_lines == self.k:
                raise KeyboardInterrupt
        return self.trace
