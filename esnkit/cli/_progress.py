"""A progress bar on a terminal, for work that takes longer than two seconds."""

import logging
import sys
import threading
import time
from contextlib import contextmanager, nullcontext, suppress

_WIDTH, _DELAY = 30, 2.0


class _Notes(logging.Handler):
    """What the library logs, such as that it compiles: shown until the next step is done."""

    text = ""

    def emit(self, record):
        self.text = record.getMessage().partition(";")[0]


@contextmanager
def _logged(handler):
    """Send what the library logs from the level INFO on to a handler."""
    logger = logging.getLogger("esnkit")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


@contextmanager
def progress(total: int, stream=None):
    """Show how many of `total` steps are done; yields the function that counts one more.

    Nothing is shown within the first two seconds, nor where `stream`, by default standard
    error, is not a terminal.
    """
    stream = sys.stderr if stream is None else stream
    labels: list[str] = []
    notes = _Notes()
    start, done = time.monotonic(), threading.Event()

    def show(text: str):
        with suppress(OSError, ValueError):  # of a terminal that is gone
            stream.write(text)
            stream.flush()

    def draw():
        while not done.wait(0.2):
            elapsed = time.monotonic() - start
            if elapsed > _DELAY:
                filled = _WIDTH * len(labels) // max(total, 1)
                bar = "#" * filled + "." * (_WIDTH - filled)
                label = notes.text or (labels[-1] if labels else "")
                show(f"\r[{bar}] {len(labels)}/{total} {elapsed:.0f} s  {label:<46.46}")

    def step(label: str = ""):
        labels.append(label)
        notes.text = ""

    thread = threading.Thread(target=draw, daemon=True)
    is_terminal = stream is not None and stream.isatty()  # None where standard error is closed
    if is_terminal:
        thread.start()
    try:
        with _logged(notes) if is_terminal else nullcontext():
            yield step
    finally:
        done.set()
        if is_terminal:
            thread.join()
            if time.monotonic() - start > _DELAY:
                show("\r" + " " * 100 + "\r")
