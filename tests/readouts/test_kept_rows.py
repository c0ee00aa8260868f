"""Streams whose rows are kept if they are few."""

import numpy as np
import pytest
from ridge_problems import blocks_of

from esnkit.readouts import _kept_rows
from esnkit.readouts._kept_rows import KeptRows


class Stream:
    """A stream that counts its passes and reuses its buffer."""

    def __init__(self, n_rows=10, w=None):
        self.X = np.arange(2.0 * n_rows).reshape(-1, 2)
        self.n_passes = 0
        self.make = blocks_of(self.X, self.X[:, :1], w, size=3)

    def __call__(self):
        self.n_passes += 1
        yield from self.make()


@pytest.mark.parametrize(
    ("n_rows", "keep", "largest", "n_passes"),
    [(10, True, 20, 1), (10, True, 19, 3), (None, True, 20, 3), (10, False, 20, 3)],
)
def test_few_rows_are_read_once(n_rows, keep, largest, n_passes, monkeypatch):
    monkeypatch.setattr(_kept_rows, "MAX_KEPT", largest)
    stream = Stream(w=np.ones(10))
    rows = KeptRows(stream, n_rows, keep)
    for _ in range(3):
        blocks = [(X.copy(), Y, w) for X, Y, w in rows()]
        assert np.array_equal(np.concatenate([X for X, _, _ in blocks]), stream.X)
        assert all(len(w) == len(X) for X, _, w in blocks)
    assert stream.n_passes == n_passes


def test_no_more_rows_than_features_are_kept_however_many_they_are(monkeypatch):
    monkeypatch.setattr(_kept_rows, "MAX_KEPT", 0)
    assert KeptRows(Stream(2), 2, True).are_kept
    assert not KeptRows(Stream(3), 3, True).are_kept


def test_a_pass_that_ends_early_is_not_complete():
    stream = Stream()
    rows = KeptRows(stream, 10, True)
    next(rows())
    assert sum(len(X) for X, _, _ in rows()) == 10
    assert stream.n_passes == 2
