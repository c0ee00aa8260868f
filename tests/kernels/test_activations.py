import numpy as np
import pytest

from esnkit.kernels.activations import CODES, activate, tanh_array

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def fast_tanh(x):
    out = np.empty_like(x)
    tanh_array(x, out)
    return out


def applied(name, x):
    out = x.copy()
    activate(CODES[name], out)
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
