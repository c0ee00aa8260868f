"""The text on a terminal while libraries are loaded."""

import io
import subprocess
import sys
import time

import pytest
from processes import ROOT
from terminals import Terminal

from esnkit.cli import _loading
from esnkit.cli._loading import loading


def shown_on(stream, monkeypatch, seconds=20.0):
    """Return what is shown until the text is there, or some seconds have passed."""
    monkeypatch.setattr("sys.stderr", stream)
    with loading():
        end = time.monotonic() + seconds
        while "loading" not in stream.getvalue() and time.monotonic() < end:
            time.sleep(0.005)
    return stream.getvalue()


def test_it_is_shown_after_a_delay_and_erased(monkeypatch):
    monkeypatch.setattr(_loading, "DELAY", 0.01)
    text = shown_on(Terminal(), monkeypatch)
    assert "s: loading libraries" in text and text.split("\r")[-2].strip() == ""


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_nothing_is_shown_in_files_or_of_quick_work(kind, monkeypatch):
    monkeypatch.setattr(_loading, "DELAY", 0.0 if kind is io.StringIO else 1e6)
    assert shown_on(kind(), monkeypatch, 0.02) == ""


def test_it_loads_no_library():
    code = "import esnkit.cli, sys; assert {'numpy', 'numba', 'sklearn'}.isdisjoint(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
