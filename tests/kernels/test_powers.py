"""Powers of a matrix times a vector against products with the dense matrix."""

import numpy as np
import pytest
from processes import with_and_without_numba
from reference import power_times_vector as reference
from reservoir_problems import ReservoirProblem, as_dense, as_layout, both_dtypes, tolerance

from esnkit.kernels.powers import power_times_vector

packed_layouts = pytest.mark.parametrize("layout", ["diagonals", "ell"])


def random_layout(layout, n_units, degree, dtype, rng):
    """Return a random contraction in a layout, with unequal rows if it is an Ell."""
    W = rng.normal(size=(n_units, n_units))
    shifts = rng.choice(n_units, min(degree, n_units), replace=False)
    columns = (np.arange(n_units)[:, None] + shifts) % n_units
    if layout == "ell":
        columns = rng.integers(n_units, size=(n_units, degree))
    kept = np.zeros_like(W)
    np.put_along_axis(kept, columns, 1, axis=1)
    W *= kept
    return as_layout(layout, (W / np.abs(W).sum(axis=1).max()).astype(dtype))[0]


@packed_layouts
@both_dtypes
def test_powers_equal_repeated_products_for_random_sizes(layout, dtype):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n_units, degree = int(rng.integers(1, 300)), int(rng.integers(1, 12))
        W = random_layout(layout, n_units, degree, dtype, rng)
        v, m = rng.normal(size=n_units).astype(dtype), int(rng.integers(1, 9))
        got, wanted = power_times_vector(W, v, m), reference(as_dense(W, n_units), v, m)
        assert got.dtype == dtype and got.shape == v.shape
        limit = tolerance(dtype) * np.abs(v).max()
        np.testing.assert_allclose(got, wanted, rtol=0, atol=limit)


@packed_layouts
@both_dtypes
@pytest.mark.parametrize("n_units", [1, 31, 32, 33, 64, 100])
def test_powers_have_the_bits_of_linear_units_without_input(layout, dtype, n_units):
    problem = ReservoirProblem(layout, n_units, 0, [7], dtype)
    ones, zeros = np.ones(n_units, dtype), np.zeros(n_units, dtype)
    problem.input_weights = problem.input_weights._replace(b=zeros, gain=ones, keep=zeros)
    _, last = problem.run(activation="identity")
    assert np.array_equal(power_times_vector(problem.W, problem.x0[0], 7), last[0])


@packed_layouts
def test_the_power_of_a_sum_of_exponents_is_the_power_of_a_power(layout):
    rng = np.random.default_rng(0)
    W, v = random_layout(layout, 90, 5, np.float64, rng), rng.normal(size=90)
    once = power_times_vector(W, power_times_vector(W, v, 4), 9)
    assert np.array_equal(once, power_times_vector(W, v, 13))


@packed_layouts
def test_the_zeroth_power_is_the_vector_itself(layout):
    rng = np.random.default_rng(0)
    W, v = random_layout(layout, 10, 2, np.float64, rng), rng.normal(size=10)
    before = v.copy()
    result = power_times_vector(W, v, 0)
    assert np.array_equal(result, v) and not np.shares_memory(result, v)
    power_times_vector(W, v, 3)
    assert np.array_equal(v, before)


UNCOMPILED = """
import numpy as np
from esnkit.kernels.layouts import Diagonals, Ell
from esnkit.kernels.powers import power_times_vector
rng = np.random.default_rng(0)
W, v = rng.uniform(-0.3, 0.3, (3, 70)), rng.normal(size=70)
print(*power_times_vector(Diagonals(W, np.array([0, 5, 60], np.uint64)), v, 5))
print(*power_times_vector(Ell(W, rng.integers(70, size=(3, 70)).astype(np.uint32)), v, 5))
"""


def test_uncompiled_powers_are_the_same():
    found = with_and_without_numba(UNCOMPILED)
    compiled, plain = (np.array(out.split(), float) for out in found)
    assert compiled.size == 140
    np.testing.assert_allclose(plain, compiled, rtol=1e-12, atol=1e-12)
