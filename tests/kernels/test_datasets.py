"""Time loops of the series generators against the recurrences, one step at a time."""

import numpy as np
import pytest
import reference

from esnkit.kernels import datasets


def test_mackey_glass_euler_equals_the_recurrence():
    y = np.full(17 * 10 + 501, 1.2)
    for start, stop in ((170, 200), (200, y.size - 1)):
        datasets.mackey_glass_euler(y, 170, 0.1, start, stop)
    wanted = reference.mackey_glass_euler(500, 170, 0.1, 1.2)
    np.testing.assert_allclose(y[170:], wanted, rtol=1e-12)


def test_mackey_glass_rk4_is_of_fourth_order():
    errors = []
    for n in (20, 40):  # steps in one delay of 17
        y, slope = np.full(n + 1 + 2 * n, 1.2), np.zeros(3 * n + 1)
        for start, stop in ((n, n + 3), (n + 3, y.size - 1)):
            datasets.mackey_glass_rk4(y, slope, n, 17 / n, start, stop)
        times = np.arange(0, 2 * n + 1) * 17 / n
        exact = reference.mackey_glass_exact(times, 17.0, 1.2)
        errors.append(np.abs(y[n:] - exact).max())
    assert errors[1] < errors[0] / 10


def test_lorenz_series_equals_small_runge_kutta_steps():
    state, out = np.array([1.0, 2.0, 20.0]), np.empty((40, 3))
    wanted = reference.lorenz_rk4(40, 0.05, 200, state)
    datasets.lorenz(out, state, 0.05, 10.0, 28.0, 8.0 / 3.0)
    np.testing.assert_allclose(out, wanted, rtol=1e-7)


def test_lorenz_continues_from_the_state_that_it_leaves():
    state, halves, whole = np.array([1.0, 2.0, 20.0]), np.empty((20, 3)), np.empty((20, 3))
    datasets.lorenz(whole, state.copy(), 0.05, 10.0, 28.0, 8.0 / 3.0)
    for half in (halves[:10], halves[10:]):
        datasets.lorenz(half, state, 0.05, 10.0, 28.0, 8.0 / 3.0)
    assert np.array_equal(halves, whole)


@pytest.mark.parametrize("order, coefficients, squash", [
    (10, (0.3, 0.05, 0.1), False), (20, (0.3, 0.05, 0.01), True), (30, (0.2, 0.04, 0.001), False),
])  # fmt: skip
def test_narma_equals_the_recurrence(order, coefficients, squash):
    u = np.random.default_rng(0).uniform(0, 0.5, 200)
    y = np.empty(200)
    for start, stop in ((0, 50), (50, y.size)):
        datasets.narma(y, u, order, (*coefficients, squash), start, stop)
    np.testing.assert_allclose(y, reference.narma(u, order), rtol=1e-12)


def test_a_quadratic_flow_with_the_terms_of_lorenz_is_the_lorenz_system():
    terms = [(0, 0, -1), (0, 1, -1), (1, 0, -1), (1, 1, -1), (1, 0, 2), (2, 0, 1), (2, 2, -1)]
    factors = np.array([-10.0, 10.0, 28.0, -1.0, -1.0, 1.0, -8 / 3])
    rows, expected = np.empty((60, 3)), np.empty((60, 3))
    datasets.quadratic_flow(rows, np.ones(3), 0.05, np.array(terms), factors)
    datasets.lorenz(expected, np.ones(3), 0.05, 10.0, 28.0, 8 / 3)
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-10)


def test_a_quadratic_flow_that_becomes_infinite_ends_in_nan():
    rows = np.empty((5, 1))  # x' = 1 + x^2, x = tan(t)
    datasets.quadratic_flow(rows, np.zeros(1), 0.5, np.array([(0, 0, 0), (0, -1, -1)]), np.ones(2))
    np.testing.assert_allclose(rows[:4, 0], np.tan([0.0, 0.5, 1.0, 1.5]), rtol=1e-13)
    assert np.isnan(rows[4, 0])
