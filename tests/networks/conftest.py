import math

import pytest

from esnkit.networks import _trainer


@pytest.fixture(autouse=True)
def no_interrupt_before(monkeypatch):
    """Let the first interrupt of a test be the first one in a long time."""
    monkeypatch.setattr(_trainer, "_last_interrupt", -math.inf)
