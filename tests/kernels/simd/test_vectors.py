"""Vectors of the kernels against the arrays that stand for them uncompiled."""

import numpy as np
import pytest
from numba import njit

from esnkit.kernels.activations import CODES, activate, activated, fma
from esnkit.kernels.simd.vectors import (
    aligned,
    fill,
    gather,
    join,
    load,
    multiply,
    part,
    store,
    store_past,
    width,
)

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def mixed(a, places, place, value, out):
    """Use every operation once; ``out`` begins one element late, where nothing is aligned."""
    for at in range(0, out.size - width(a), width(a)):
        total = fma(load(a, at), fill(value), gather(a, 3, places, place))
        store(out, at + 1, multiply(total, load(a, at + 1)))


def several(a, places, place, value, out):
    """The same with vectors of four, which are joined and parted; ``out`` begins a line."""
    one, four = load(a, 1), load(a, 2, 4)
    joined = join(one, load(a, 3), fill(value), load(a, 7))
    total = fma(four, fill(value, four), gather(a, 3, places, place, 4))
    store_past(out, 0, fma(joined, four, total))
    store(out, 4 * width(a), multiply(part(joined, 0), part(joined, 3)))


def applied(code, x, half, out):
    store(out, 0, activated(code, load(x, 0), half))


compiled = njit(applied)


@both
def test_compiled_vectors_are_arrays(dtype):
    rng = np.random.default_rng(0)
    a = rng.normal(size=200).astype(dtype)
    places = rng.integers(0, 190, 40).astype(np.uint32)
    slow, fast = np.zeros(130, dtype), np.zeros(130, dtype)
    for function, out in ((mixed, slow), (njit(mixed), fast)):
        function(a, places, 5, dtype(0.7), out)
    np.testing.assert_allclose(fast, slow, rtol=4 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
    assert slow[0] == fast[0] == 0 and np.all(slow[1 : 1 + width(a)] != 0)


@both
def test_compiled_vectors_of_several_are_arrays(dtype):
    rng = np.random.default_rng(1)
    a = rng.normal(size=200).astype(dtype)
    places = rng.integers(0, 190, 100).astype(np.uint32)
    slow, fast = aligned(100, a), aligned(100, a)
    for function, out in ((several, slow), (njit(several), fast)):
        function(a, places, 5, dtype(0.7), out)
    used = 5 * width(a)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(fast[:used], slow[:used], rtol=4 * eps, atol=4 * eps)


@both
@pytest.mark.parametrize("name", sorted(CODES))
def test_activated_vectors_have_the_bits_of_activated_arrays(dtype, name):
    for seed in range(20):
        x = np.random.default_rng(seed).normal(0, 4, 64 // np.dtype(dtype).itemsize).astype(dtype)
        out, wanted = np.empty_like(x), x.copy()
        compiled(CODES[name], x, dtype(0.5), out)
        activate(CODES[name], wanted)
        assert np.array_equal(out, wanted)
