"""Vectors of the kernels against the arrays that stand for them uncompiled."""

import numpy as np
import pytest
from numba import njit

from esnkit.kernels.simd.elementary import fma
from esnkit.kernels.simd.vectors import (
    address,
    aligned,
    fill,
    gather,
    is_aligned,
    join,
    load,
    multiply,
    part,
    row_size,
    store,
    store_nontemporal,
    width,
)

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def mixed(a, indices, first, value, out):
    """Use every operation once; ``out`` begins one element late, where nothing is aligned."""
    for at in range(0, out.size - width(a), width(a)):
        total = fma(load(a, at), fill(value), gather(a, 3, indices, first))
        store(out, at + 1, multiply(total, load(a, at + 1)))


def joined_vectors(a, indices, first, value, out):
    """The same with four vectors in one; ``out`` begins on a cache line."""
    one, four = load(a, 1), load(a, 2, 4)
    joined = join(one, load(a, 3), fill(value), load(a, 7))
    total = fma(four, fill(value, four), gather(a, 3, indices, first, 4))
    store_nontemporal(out, 0, fma(joined, four, total))
    store(out, 4 * width(a), multiply(part(joined, 0), part(joined, 3)))


@both
def test_compiled_vectors_are_arrays(dtype):
    rng = np.random.default_rng(0)
    a = rng.normal(size=200).astype(dtype)
    indices = rng.integers(0, 190, 40).astype(np.uint32)
    slow, fast = np.zeros(130, dtype), np.zeros(130, dtype)
    for function, out in ((mixed, slow), (njit(mixed), fast)):
        function(a, indices, 5, dtype(0.7), out)
    np.testing.assert_allclose(fast, slow, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
    assert slow[0] == fast[0] == 0 and np.all(slow[1 : 1 + width(a)] != 0)


@both
def test_compiled_joined_vectors_are_arrays(dtype):
    rng = np.random.default_rng(1)
    a = rng.normal(size=200).astype(dtype)
    indices = rng.integers(0, 190, 100).astype(np.uint32)
    slow, fast = aligned(100, a), aligned(100, a)
    for function, out in ((joined_vectors, slow), (njit(joined_vectors), fast)):
        function(a, indices, 5, dtype(0.7), out)
    used = 5 * width(a)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(fast[:used], slow[:used], rtol=4 * eps, atol=4 * eps)


def by_address(a, indices, out):
    """Load, gather and store through addresses in place of the arrays."""
    source, target = address(a), address(out)
    store(target, 0, fma(load(source, 1), load(source, 2, 1), load(source, 3)))
    store(target, width(a), gather(source, 3, address(indices), 5, 1))
    store_nontemporal(target, 2 * width(a), load(source, 4))


@both
def test_addresses_stand_for_arrays(dtype):
    rng = np.random.default_rng(2)
    a = rng.normal(size=200).astype(dtype)
    indices = rng.integers(0, 190, 40).astype(np.uint32)
    slow, fast = aligned(48, a), aligned(48, a)
    for function, out in ((by_address, slow), (njit(by_address), fast)):
        function(a, indices, out)
    used, eps = 3 * width(a), np.finfo(dtype).eps
    np.testing.assert_allclose(fast[:used], slow[:used], rtol=4 * eps, atol=4 * eps)


@njit
def copy_vectors(source, target):
    for at in range(0, target.size, width(target)):
        store(target, at, load(source, at))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint32])
def test_vectors_of_numbers_and_indices_are_copied(dtype):
    source = np.random.default_rng(0).integers(0, 2**31, 64).astype(dtype)
    target = np.zeros(64, dtype)
    copy_vectors(source, target)
    assert np.array_equal(source, target)


@both
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_aligned_arrays_begin_on_a_cache_line(dtype, size):
    array = aligned(size, np.empty(0, dtype))
    assert array.shape == (size,) and array.dtype == dtype
    assert array.ctypes.data % 64 == 0 and is_aligned(array)
    assert size == 1 or not is_aligned(array[1:])


def test_row_size_is_the_stride_between_rows():
    assert row_size(np.empty((5, 8))[:, :3]) == 8 and row_size(np.empty((2, 5, 8))) == 8
