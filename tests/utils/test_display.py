"""Displays of progress: on terminals, in files, and on streams that nobody reads."""

import io
import os
import threading
import time
from contextlib import suppress

import pytest
from terminals import Terminal

from esnkit.kernels.compilation import Announcements, write_line
from esnkit.utils import _display
from esnkit.utils._display import Display, pause


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(_display, "DELAY", 0.0)
    monkeypatch.setattr(_display, "REFRESH", 0.001)


def show(stream, monkeypatch, text="working", end=""):
    """Show a text until it has been asked for twice."""
    monkeypatch.setattr("sys.stderr", stream)
    asked = threading.Semaphore(0)

    def ask():
        asked.release()
        return text

    display = Display(ask)
    assert asked.acquire(timeout=20) and (not display.terminal or asked.acquire(timeout=20))
    display.close(end)
    return stream.getvalue()


def test_a_line_on_a_terminal_overwrites_itself_and_fits(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = show(Terminal(), monkeypatch, "x" * 30, "done in 3 s")
    first, *_, last = text.split("\r")[1:]
    assert first == "x" * 19 and last == "esnkit: done in 3 s\n"


def test_lines_in_a_file_become_rare(monkeypatch):
    assert show(io.StringIO(), monkeypatch, end="done") == "esnkit: working\nesnkit: done\n"
    lines, elapsed = 0, 2.0
    while elapsed < 3600:
        lines, elapsed = lines + 1, elapsed + pause(elapsed)
    assert pause(2.0) == 2.0 and lines < 80


def test_nothing_is_shown_of_short_work(monkeypatch):
    monkeypatch.setattr(_display, "DELAY", 1e6)
    monkeypatch.setattr("sys.stderr", Terminal())
    display = Display(lambda: "working")
    display.close()
    assert display.stream.getvalue() == ""


def test_one_display_at_a_time_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    first, second = Display(lambda: "first"), Display(lambda: "second")
    assert Announcements.suspended == 1
    second.close("end of the second")
    first.close("end of the first")
    text = first.stream.getvalue()
    assert "second" not in text.replace("end of the second", "") and "end of the second" in text
    assert Announcements.suspended == 0 and Display._on_terminal is None


def test_a_full_pipe_stops_nobody(monkeypatch):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writing, b"x" * 65536)
    os.set_blocking(writing, True)
    stream = open(writing, "w")
    monkeypatch.setattr("sys.stderr", stream)

    def work():
        display = Display(lambda: "working")
        time.sleep(0.02)
        display.close("done")

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(timeout=20)
    waits = worker.is_alive()
    os.close(reading)  # ends a write that waits
    worker.join()
    with suppress(BrokenPipeError):
        stream.close()
    assert not waits


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_stops_nobody():
    with pytest.raises(OSError), open("/dev/full", "w") as stream:
        write_line("working\n", stream)
        stream.write("x")  # the stream itself raises when it is closed


def test_a_display_needs_no_thread(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    display = Display(lambda: "working")
    display.close("done")
    assert display.stream.getvalue() == "esnkit: done\n"
