"""Elementary functions: accuracy in either precision, special values, compiled and not."""

import numpy as np
import pytest
from numba import njit

from esnkit.kernels.activations import tanh_array
from esnkit.kernels.simd.elementary import (
    absolute,
    fma,
    maximum,
    minimum,
    positive,
    positive_sigmoid,
    sigmoid,
    tanh,
)  # fmt: skip
from esnkit.kernels.simd.vectors import fill, load, store, width

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def fast_tanh(x):
    out = np.empty_like(x)
    tanh_array(x, out)
    return out


def errors_in_ulp(x):
    exact = np.tanh(x.astype(np.longdouble))
    # The spacing of the value rounded towards zero is the finer one at a power of two.
    ulp = np.spacing(np.nextafter(np.abs(exact).astype(x.dtype), x.dtype.type(0)))
    return np.abs(fast_tanh(x).astype(np.longdouble) - exact) / ulp


def everywhere(dtype):
    """Arguments of every magnitude, dense where tanh bends and where its pieces meet."""
    rng = np.random.default_rng(0)
    largest, smallest = np.log10(np.finfo(dtype).max), np.log10(np.finfo(dtype).tiny)
    halves = np.arange(60) * np.log(2) / 4  # half a step of n in x = n ln 2 / 2
    edges = halves[:, None] * (1 + np.linspace(-1e-6, 1e-6, 201))
    parts = rng.uniform(0, 25, 200_000), rng.uniform(0, 1, 200_000), edges.ravel()
    powers = 10.0 ** rng.uniform(smallest, largest, 100_000)
    return np.concatenate([*parts, powers]).astype(dtype)


@both
def test_tanh_errs_by_3_ulp_at_most(dtype):
    assert errors_in_ulp(everywhere(dtype)).max() <= 3


@both
def test_tanh_is_odd_and_never_beyond_one(dtype):
    x = everywhere(dtype)
    assert np.array_equal(fast_tanh(-x), -fast_tanh(x))
    assert fast_tanh(x).max() == 1


@both
def test_tanh_of_tiny_arguments_is_the_argument(dtype):
    tiny, eps = np.finfo(dtype).tiny, np.finfo(dtype).eps
    x = np.array([np.finfo(dtype).smallest_subnormal, tiny / 4, tiny, 1e-30, eps**2], dtype)
    assert np.array_equal(fast_tanh(x), x)


@both
def test_tanh_keeps_the_sign_of_zero(dtype):
    out = fast_tanh(np.array([0.0, -0.0], dtype))
    assert np.array_equal(out, [0, 0]) and np.signbit(out).tolist() == [False, True]


@both
def test_tanh_saturates_at_infinity_and_hands_nan_on(dtype):
    x = np.array([np.inf, -np.inf, np.nan, -np.nan], dtype)
    assert np.array_equal(fast_tanh(x), np.array([1, -1, np.nan, np.nan], dtype), equal_nan=True)


@both
def test_tanh_does_not_depend_on_the_place_in_the_array(dtype):
    x = np.random.default_rng(1).normal(0, 3, 67).astype(dtype)
    alone = np.concatenate([fast_tanh(x[i : i + 1]) for i in range(x.size)])
    assert np.array_equal(fast_tanh(x), alone)


@njit
def fma_array(a, b, c, out):
    for i in range(out.size):
        out[i] = fma(a[i], b[i], c[i])


@both
def test_fma_rounds_once(dtype):
    tiny = np.finfo(dtype).eps
    a, out = np.array([1 + tiny, 1 + tiny], dtype), np.empty(2, dtype)
    fma_array(a, a, np.array([-1, 0], dtype), out)
    exact = [2 * float(tiny) + float(tiny) ** 2, (1 + float(tiny)) ** 2]
    assert np.array_equal(out, np.array(exact, dtype))


def all_functions(x, out):
    """Apply every function to a vector and to numbers; ``out`` (6, width)."""
    vector = load(x, 0)
    store(out, 0, tanh(vector))
    store(out, width(x), sigmoid(vector))
    store(out, 2 * width(x), positive(vector))
    for i in range(width(x)):
        out[3, i], out[4, i], out[5, i] = tanh(x[i]), sigmoid(x[i]), positive(x[i])


compiled = njit(all_functions)


@both
def test_vectors_have_the_bits_of_numbers(dtype):
    for seed in range(20):
        x = np.random.default_rng(seed).normal(0, 4, 64 // np.dtype(dtype).itemsize).astype(dtype)
        x[:3] = [np.inf, -np.inf, np.nan]
        out, plain = np.empty((6, x.size), dtype), np.empty((6, x.size), dtype)
        compiled(x, out)
        assert np.array_equal(out[:3], out[3:], equal_nan=True)
        with np.errstate(invalid="ignore"):
            all_functions(x, plain)
        limit = 4 * np.finfo(dtype).eps
        np.testing.assert_allclose(out, plain, rtol=limit, atol=limit)


@njit
def wide_sigmoid(x, out):
    store(out, 0, sigmoid(load(x, 0, 4)))
    store(out, 4 * width(x), fma(load(x, 0, 4), fill(x[0], load(x, 0, 4)), load(x, 0, 4)))


@both
def test_four_vectors_at_once_have_the_bits_of_one(dtype):
    n = 4 * 64 // np.dtype(dtype).itemsize
    x = np.random.default_rng(0).normal(0, 4, n).astype(dtype)
    out, one, total = np.empty((2, n), dtype), np.empty((6, n // 4), dtype), np.empty(n, dtype)
    wide_sigmoid(x, out)
    for first in range(0, n, n // 4):
        compiled(x[first:], one)
        assert np.array_equal(out[0, first : first + n // 4], one[1])
    fma_array(x, np.full(n, x[0]), x, total)
    assert np.array_equal(out[1], total)


def positive_sigmoids(x, out):
    """Apply the function to a vector, and to numbers; ``out`` (2, width)."""
    store(out, 0, positive_sigmoid(load(x, 0)))
    for i in range(width(x)):
        out[1, i] = positive_sigmoid(x[i])


@both
def test_a_sigmoid_near_zero_has_a_small_relative_error(dtype):
    n, function = 64 // np.dtype(dtype).itemsize, njit(positive_sigmoids)
    for x in np.linspace(-80, 80, 200 * n).reshape(-1, n).astype(dtype):
        out = np.empty((2, n), dtype)
        function(x, out)
        exact = 1 / (1 + np.exp(-x.astype(np.longdouble)))
        np.testing.assert_allclose(out[0], exact, rtol=2e-6 if dtype is np.float32 else 2e-14)
        assert np.array_equal(out[0], out[1]) and np.all(out <= 1)
    x[:4] = [-np.inf, -500, np.inf, np.nan]
    plain = np.empty_like(out)
    function(x, out)
    positive_sigmoids(x, plain)
    np.testing.assert_allclose(out, plain, rtol=1e-5)
    assert out[0, 0] == out[0, 1] > 0 and out[0, 2] == 1 and np.isnan(out[0, 3])


def signs_and_extremes(x, y, out):
    a, b = load(x, 0), load(y, 0)
    store(out, 0, absolute(a))
    store(out, width(x), minimum(a, b))
    store(out, 2 * width(x), maximum(a, b))
    for i in range(width(x)):
        out[3, i], out[4, i] = absolute(x[i]), minimum(x[i], y[i])
        out[5, i] = maximum(x[i], y[i])


@both
def test_modulus_and_extremes(dtype):
    x, y = np.random.default_rng(0).normal(size=(2, 64 // np.dtype(dtype).itemsize)).astype(dtype)
    x[:3] = [np.inf, -np.inf, -0.0]
    wanted = np.stack([np.abs(x), np.minimum(x, y), np.maximum(x, y)] * 2)
    for function in (njit(signs_and_extremes), signs_and_extremes):
        out = np.empty((6, x.size), dtype)
        function(x, y, out)
        np.testing.assert_array_equal(out, wanted)
