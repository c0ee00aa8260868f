"""Features of the readout: pooling of states."""

import numpy as np
import pytest

from esnkit.esn._features import _pool


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in (3, 9, 4)]


def packed(sequences):
    return np.concatenate(sequences), np.cumsum([0, *map(len, sequences)])


@pytest.mark.parametrize("washout", [0, 2])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_pooling_reduces_every_sequence_to_a_row(pooling, washout, sequences):
    rows = _pool(*packed(sequences), pooling, washout)
    wanted = [X[-1] if pooling == "last" else X[washout:].mean(axis=0) for X in sequences]
    np.testing.assert_allclose(rows, wanted, rtol=1e-14)
