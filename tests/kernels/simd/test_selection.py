"""Choices between vectors, against NumPy."""

import numpy as np
import pytest
from numba import njit

from esnkit.kernels.simd.masked import load_first, store_first
from esnkit.kernels.simd.selection import where_positive


def select(x, y, out):
    store_first(out, 0, where_positive(load_first(x, 0, x.size), load_first(y, 0, y.size)), x.size)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_positive_elements_select(dtype):
    x = np.array([1.0, -1.0, 0.0, -0.0, np.nan, 1e-30, np.inf, -np.inf], dtype)
    y = np.arange(1, 9, dtype=dtype)
    slow, fast = np.full(8, 9.0, dtype), np.full(8, 9.0, dtype)
    select(x, y, slow)
    njit(select)(x, y, fast)
    assert fast.tolist() == slow.tolist() == [1, 0, 0, 0, 0, 6, 7, 0]
