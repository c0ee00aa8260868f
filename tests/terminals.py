"""Streams that stand for a terminal."""

import io


class Terminal(io.StringIO):
    """A terminal without a file."""

    def isatty(self):
        return True
