"""The progress bar of long runs."""

import logging
import time

from esnkit.cli._progress import progress


class Terminal(list):
    def write(self, text):
        self.append(text)

    def flush(self):
        pass

    def isatty(self):
        return True


def test_the_bar_waits_two_seconds_and_cleans_up(monkeypatch):
    quick, slow = Terminal(), Terminal()
    with progress(3, quick) as step:
        step("a")
    assert quick == []
    monkeypatch.setattr("esnkit.cli._progress._DELAY", 0.0)
    with progress(4, slow) as step:
        step("one")
        step("two")
        time.sleep(0.5)
    assert "2/4" in slow[0] and "two" in slow[0] and slow[-1].strip() == ""


def test_the_bar_shows_that_kernels_are_compiled_until_the_next_step(monkeypatch):
    monkeypatch.setattr("esnkit.cli._progress._DELAY", 0.0)
    terminal, logger = Terminal(), logging.getLogger("esnkit")
    before = logger.level, list(logger.handlers)
    with progress(4, terminal) as step:
        step("one")
        logger.info("compiling kernels for this machine, about 10 s; kept in /somewhere")
        time.sleep(0.5)
        step("two")
        time.sleep(0.5)
    shown = "".join(terminal)
    assert "1/4" in shown and "compiling kernels for this machine, about 10 s" in shown
    assert "/somewhere" not in shown and "two" in terminal[-2]
    assert (logger.level, logger.handlers) == before
