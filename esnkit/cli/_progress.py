"""A progress bar on a terminal, for what takes longer than two seconds."""

import sys
import threading
import time
from contextlib import contextmanager

_WIDTH, _PATIENCE = 30, 2.0


@contextmanager
def progress(total: int, stream=None):
    """Show how many of `total` steps are done; yields the function that counts one more.

    Nothing is shown within the first two seconds, nor where `stream`, by default standard
    error, is not a terminal.
    """
    stream = sys.stderr if stream is None else stream
    labels: list[str] = []
    start, over = time.monotonic(), threading.Event()

    def draw():
        while not over.wait(0.2):
            passed = time.monotonic() - start
            if passed > _PATIENCE:
                filled = _WIDTH * len(labels) // max(total, 1)
                bar = "#" * filled + "." * (_WIDTH - filled)
                label = labels[-1] if labels else ""
                stream.write(f"\r[{bar}] {len(labels)}/{total} {passed:.0f} s  {label:<40.40}")
                stream.flush()

    def step(label: str = ""):
        labels.append(label)

    thread = threading.Thread(target=draw, daemon=True)
    shown = stream is not None and stream.isatty()  # None where standard error is closed
    if shown:
        thread.start()
    try:
        yield step
    finally:
        over.set()
        if shown:
            thread.join()
            if time.monotonic() - start > _PATIENCE:
                stream.write("\r" + " " * 100 + "\r")
                stream.flush()
