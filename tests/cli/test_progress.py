"""The progress of commands: a bar on a terminal, lines in a file."""

import io
import re
import time

import pytest
from terminals import Terminal

from esnkit.cli._progress import progress
from esnkit.kernels import compilation


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("esnkit.utils._display.DELAY", 0.0)
    monkeypatch.setattr("esnkit.utils._display.REFRESH", 0.01)
    monkeypatch.setattr("esnkit.utils._display.pause", lambda elapsed: 0.01)


def shown_while(stream, monkeypatch, work):
    monkeypatch.setattr("sys.stderr", stream)
    with progress("forecast", 4) as part:
        with part("one"):
            pass
        with part("two", 2):
            work()


def wait_for(stream, text):
    """Return once a text is shown; the test fails by its own time limit if that never happens."""
    end = time.monotonic() + 20
    while text not in stream.getvalue():
        assert time.monotonic() < end, stream.getvalue()
        time.sleep(0.005)


def test_a_bar_on_a_terminal_that_is_erased(monkeypatch):
    stream = Terminal()
    shown_while(stream, monkeypatch, lambda: wait_for(stream, "two"))
    assert "\r[#####...............] " in stream.getvalue()
    assert "\n" not in stream.getvalue() and stream.getvalue().split("\r")[-2].strip() == ""


def test_lines_in_a_file(monkeypatch):
    stream = io.StringIO()
    shown_while(stream, monkeypatch, lambda: wait_for(stream, "two"))
    assert re.match(r"esnkit: [\d.]+ s: forecast", stream.getvalue())
    assert "[" not in stream.getvalue()


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_it_says_that_kernels_are_compiled(kind, monkeypatch):
    stream = kind()
    monkeypatch.setattr(compilation._compilations, "depth", 1)
    shown_while(stream, monkeypatch, lambda: wait_for(stream, "two, compiling kernels"))


def test_the_announcement_does_not_go_through_a_bar(monkeypatch):
    stream, file = Terminal(), io.StringIO()
    for logger in (compilation.LOGGER, compilation.LOGGER.parent):
        monkeypatch.setattr(logger, "propagate", False)
    for to in (stream, file):
        shown_while(to, monkeypatch, compilation._announce)
    assert "kept in" not in stream.getvalue() and "kept in" in file.getvalue()
    assert compilation.Announcements.suspended == 0


def test_nothing_where_standard_error_is_closed(monkeypatch):
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        shown_while(stream, monkeypatch, lambda: time.sleep(0.03))
