"""Shares of sequences as numbers of time steps."""

import numpy as np

from esnkit.utils._shares import steps_of_shares


def test_shares_are_rounded_and_are_one_step_at_least():
    shares = np.arange(1, 101) / 100
    np.testing.assert_array_equal(steps_of_shares(shares, [100])[0], np.arange(1, 101))
    found = steps_of_shares(shares, [1, 3, 1000])
    assert found.dtype == np.int64 and found.shape == (3, 100)
    assert found[:, 0].tolist() == [1, 1, 10] and found[:, -1].tolist() == [1, 3, 1000]
    assert found[1, [16, 49, 50, 83]].tolist() == [1, 2, 2, 3]
