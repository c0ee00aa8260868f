"""Errors of the user, messages on standard error, and a guard of standard output."""

import os
import sys
from contextlib import suppress


class UserError(Exception):
    """An error in the command or in a file, in one line; the command ends with exit code 2."""


class OutputError(Exception):
    """Standard output cannot be written to; the cause is the error of the system."""


class GuardedOutput:
    """Standard output whose errors are told apart from all others."""

    def __init__(self, stream):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write some text."""
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputError from error

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputError from error

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def say(message: str) -> None:
    """Print a line on standard error; control characters of a file must not reach the terminal.

    Whether anybody reads it is not essential: where standard error is closed, nothing happens.
    """
    if sys.stderr is not None:  # where it is closed, print would write to standard output
        shown = (c if c.isprintable() else ascii(c)[1:-1] for c in message)
        try:
            print("esnkit:", "".join(shown), file=sys.stderr, flush=True)
        except (OSError, ValueError):
            discard(sys.stderr)


def discard(stream) -> None:
    """Send what is still buffered to nowhere: at exit, the interpreter would report it again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
