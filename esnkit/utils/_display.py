"""Lines of text on standard error that show the progress of a task while it runs."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from esnkit.kernels.compilation import Announcements, write_line

__all__ = ["DELAY", "Display", "pause"]

DELAY = 2.0  # seconds: nothing is shown of work that ends before
REFRESH = 0.5  # seconds between two lines on a terminal, where one replaces the other


def pause(elapsed: float) -> float:
    """Return the seconds until the next line in a file, after work of ``elapsed`` seconds."""
    return max(2.0, elapsed / 10)


class Display:
    """Shows a text that changes, from a thread, until it is closed.

    On a terminal the text is one line that overwrites itself; elsewhere there are few lines. A
    second display on the same terminal shows its end alone.

    Parameters
    ----------
    text : callable () -> str
    bar : callable () -> str, optional
        Text before that one on a terminal.
    """

    _on_terminal: "tuple[int, Display] | None" = None  # the process, and its display

    def __init__(self, text: Callable[[], str], bar: Callable[[], str] = str):
        self.text, self.bar = text, bar
        self.stream = sys.stderr  # None where it is closed
        self.start, self.closed, self.width = time.monotonic(), threading.Event(), 0
        self.terminal = False
        with suppress(AttributeError, ValueError):  # None, or closed
            self.terminal = self.stream.isatty()
        is_free = Display._on_terminal is None or Display._on_terminal[0] != os.getpid()
        self.thread = threading.Thread(target=self._run, daemon=True)
        if self.terminal and is_free:
            Display._on_terminal = os.getpid(), self
            Announcements.suspended += 1
        if self.stream is not None and (is_free or not self.terminal):
            with suppress(RuntimeError):  # no more threads: the end alone is shown
                self.thread.start()

    def close(self, end: str = "") -> None:
        """Stop, erase a line on a terminal, and write the text of the end if there is one."""
        self.closed.set()
        if Display._on_terminal == (os.getpid(), self):
            Display._on_terminal = None
            Announcements.suspended -= 1
        if self.thread.ident is not None:
            self.thread.join(timeout=1.0)  # longer where the terminal is stopped
        if self.width:
            write_line("\r" + " " * self.width + "\r", self.stream)
        if end:
            write_line(f"esnkit: {end}\n", self.stream)

    def _run(self) -> None:
        wait = DELAY
        while not self.closed.wait(wait):
            self._show()
            wait = REFRESH if self.terminal else pause(time.monotonic() - self.start)

    def _show(self) -> None:
        if not self.terminal:
            write_line(f"esnkit: {self.text()}\n", self.stream)
            return
        columns = shutil.get_terminal_size().columns - 1
        line = (self.bar() + self.text())[:columns]
        write_line("\r" + line.ljust(self.width), self.stream)
        self.width = len(line)
