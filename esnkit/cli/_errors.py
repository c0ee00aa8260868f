"""Errors of the user, and messages on standard error."""

import sys


class UserError(Exception):
    """An error in the command or in a file, in one line; the command ends with exit code 2."""


def say(message: str) -> None:
    """Print a line on standard error; control characters of a file must not reach the terminal."""
    if sys.stderr is not None:  # where it is closed, print would write to standard output
        shown = (c if c.isprintable() else ascii(c)[1:-1] for c in message)
        print("esnkit:", "".join(shown), file=sys.stderr)
