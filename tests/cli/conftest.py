"""Every test of the command line runs in a folder of its own, and compares few settings.

Nothing is told of progress, so that a slow machine prints the same lines.
"""

import pytest


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("esnkit.utils._display.DELAY", 1e6)
