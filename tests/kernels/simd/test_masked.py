"""Masked loads and stores against the arrays that stand for them uncompiled."""

import numpy as np
import pytest
from numba import njit

from esnkit.kernels.simd.masked import TINY, drop_tiny, load_first, store_first
from esnkit.kernels.simd.vectors import address, load, store, width

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def copy_first(a, n, out):
    """Copy the first n elements, and do arithmetic with them."""
    store(out, 0, load_first(a, 1, n))
    store_first(out, width(a), load(a, 2), n)
    store_first(
        out, 2 * width(a), load(a, 2) / load(a, 4) + load(a, 2) * load(a, 3) - load(a, 3), n
    )


def copy_first_by_address(a, n, out):
    source, target = address(a), address(out)
    store(target, 0, load_first(source, 1, n))
    store_first(target, width(a), load(source, 2), n)


@both
@pytest.mark.parametrize("function", [copy_first, copy_first_by_address])
def test_only_the_first_elements_are_read_and_written(dtype, function):
    a = np.random.default_rng(0).normal(size=40).astype(dtype)
    compiled = njit(function)
    for n in range(0, width(a) + 2):
        slow, fast = np.full(60, 7, dtype), np.full(60, 7, dtype)
        function(a, n, slow)
        compiled(a, n, fast)
        np.testing.assert_allclose(fast, slow, rtol=4 * np.finfo(dtype).eps, atol=1e-6)
        vector = fast[: width(a)]
        assert np.array_equal(vector[:n], a[1:][: min(n, width(a))]) and not vector[n:].any()
        assert np.all(fast[width(a) :][n : width(a)] == 7)


@njit
def read_to_the_end(a, out):
    for at in range(0, a.size, width(a)):
        store_first(out, at, load_first(a, at, a.size - at), a.size - at)


@both
def test_a_loop_over_vectors_ends_with_the_array(dtype):
    for size in range(1, 40):
        a = np.random.default_rng(size).normal(size=size).astype(dtype)
        guarded = np.full(size + 20, np.nan, dtype)
        read_to_the_end(a, guarded[:size])
        assert np.array_equal(guarded[:size], a) and np.isnan(guarded[size:]).all()


@njit
def drop(a, out):
    store(out, 0, drop_tiny(load(a, 0)))


@both
def test_what_is_smaller_than_tiny_becomes_zero(dtype):
    tiny = TINY[8 * np.dtype(dtype).itemsize]
    a = np.zeros(64 // np.dtype(dtype).itemsize, dtype)
    a[:8] = [tiny, -tiny, tiny / 2, -tiny / 2, 1, -1, 0, np.inf]
    out = np.empty_like(a)
    drop(a, out)
    assert np.array_equal(out, drop_tiny(a))
    assert out[:8].tolist() == [tiny, -tiny, 0, 0, 1, -1, 0, np.inf]
