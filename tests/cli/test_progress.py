"""The progress bar of long runs."""

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
