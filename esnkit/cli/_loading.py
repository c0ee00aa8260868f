"""What a terminal shows while libraries are loaded; it needs none of them."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

DELAY, REFRESH = 2.0, 0.5  # seconds until the text is shown, and until it changes


@contextmanager
def loading() -> Iterator[None]:
    """Show on a terminal that libraries are loaded, if that takes more than two seconds."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield
        return
    start, loaded = time.monotonic(), threading.Event()
    shown: list[str] = []

    def show() -> None:
        wait = DELAY
        while not loaded.wait(wait):
            shown.append(f"{time.monotonic() - start:.1f} s: loading libraries")
            _write(stream, f"\r{shown[-1]}")
            wait = REFRESH

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loaded.set()
        thread.join(timeout=1.0)
        if shown:
            _write(stream, "\r" + " " * len(shown[-1]) + "\r")


def _write(stream, text: str) -> None:
    with suppress(OSError, ValueError):  # of a terminal that is gone
        stream.write(text)
        stream.flush()
