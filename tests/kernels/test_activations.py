"""Activations by code, in place and of vectors."""

import numpy as np
import pytest
from numba import njit

from esnkit.kernels.activations import CODES, activate, activated
from esnkit.kernels.simd.vectors import load, store

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def applied(name, x):
    out = x.copy()
    activate(CODES[name], out)
    return out


@njit
def activate_vector(code, x, out):
    store(out, 0, activated(code, load(x, 0)))


@both
def test_sigmoid_is_the_logistic_function(dtype):
    x = np.random.default_rng(0).normal(0, 8, 20_000).astype(dtype)
    exact = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    assert np.abs(applied("sigmoid", x) - exact).max() <= 2 * np.finfo(dtype).eps
    edges = applied("sigmoid", np.array([-np.inf, -1000, 0, 1000, np.inf], dtype))
    assert edges.tolist() == [0, 0, 0.5, 1, 1]


@both
def test_relu_cuts_below_zero(dtype):
    x = np.array([-np.inf, -2, -1e-30, 0, 1e-30, 3, np.inf], dtype)
    assert np.array_equal(applied("relu", x), np.maximum(x, 0))


@both
def test_identity_leaves_everything(dtype):
    x = np.array([-np.inf, -2, 0, 1e-30, 3], dtype)
    assert np.array_equal(applied("identity", x), x)


@pytest.mark.parametrize("name", sorted(CODES))
def test_no_activation_hides_nan(name):
    assert np.isnan(applied(name, np.array([np.nan, 1.0])))[0]


@both
@pytest.mark.parametrize("name", sorted(CODES))
def test_activated_vectors_have_the_bits_of_activated_arrays(dtype, name):
    for seed in range(20):
        x = np.random.default_rng(seed).normal(0, 4, 64 // np.dtype(dtype).itemsize).astype(dtype)
        out = np.empty_like(x)
        activate_vector(CODES[name], x, out)
        assert np.array_equal(out, applied(name, x))
