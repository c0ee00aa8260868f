"""Mackey-Glass and Lorenz series against independent integrations."""

import numpy as np
import pytest
import reference
from scipy.integrate import solve_ivp

from esnkit.datasets import make_lorenz, make_mackey_glass

LYAPUNOV_TIME = 1.0 / 0.9056


@pytest.mark.parametrize("tau", [17.0, 30.0])
@pytest.mark.parametrize("initial_value", [0.7, 1.2])
def test_mackey_glass_solves_the_delay_equation(tau, initial_value):
    X = make_mackey_glass(200, tau=tau, initial_value=initial_value, n_discard=0)
    exact = reference.mackey_glass_exact(np.arange(200.0), tau, initial_value)
    assert np.abs(X[:, 0] - exact).max() < 1e-6


def test_mackey_glass_is_of_fourth_order():
    exact = reference.mackey_glass_exact(np.arange(200.0), 17.0, 1.2)
    errors = [
        np.abs(make_mackey_glass(200, n_substeps=n, n_discard=0)[:, 0] - exact).max()
        for n in (4, 8, 16)
    ]
    assert errors[0] / errors[1] > 13 and errors[1] / errors[2] > 13


def test_mackey_glass_agrees_with_a_tenth_of_the_step():
    coarse, fine = (make_mackey_glass(500, n_substeps=n, n_discard=100) for n in (10, 100))
    assert np.abs(coarse - fine).max() < 1e-6


def test_mackey_glass_with_one_step_per_delay():
    X = make_mackey_glass(60, tau=0.25, dt=0.25, n_substeps=1, n_discard=0, initial_value=0.3)
    exact = reference.mackey_glass_exact(0.25 * np.arange(60), 0.25, 0.3)
    assert np.abs(X[:, 0] - exact).max() < 1e-6


def test_mackey_glass_euler_is_the_published_recurrence():
    X = make_mackey_glass(300, method="euler", n_discard=50, initial_value=0.9)
    y = reference.mackey_glass_euler(3490, 170, 0.1, 0.9)
    np.testing.assert_allclose(X[:, 0], y[500::10], rtol=0, atol=1e-12)


def test_mackey_glass_draws_its_history_only_with_a_random_state():
    assert np.array_equal(make_mackey_glass(20), make_mackey_glass(20))
    assert np.array_equal(make_mackey_glass(20), make_mackey_glass(20, initial_value=1.2))
    one, same, other = (make_mackey_glass(20, random_state=s) for s in (1, 1, 2))
    assert np.array_equal(one, same) and not np.allclose(one, other)


def dop853(state, n_rows, dt):
    times = dt * np.arange(n_rows)
    return solve_ivp(
        reference.lorenz_slope, times[[0, -1]], state, "DOP853", times, rtol=1e-12, atol=1e-12
    ).y.T


@pytest.mark.parametrize("seed", range(3))
def test_lorenz_follows_dop853_for_five_lyapunov_times(seed):
    dt = 0.01
    X = make_lorenz(int(5 * LYAPUNOV_TIME / dt) + 1, dt=dt, random_state=seed)
    assert np.abs(X - dop853(X[0], len(X), dt)).max() < 1e-6


def test_lorenz_follows_runge_kutta_in_tiny_steps():
    X = make_lorenz(30, dt=0.1, n_discard=0)
    assert np.abs(X - reference.lorenz_rk4(30, 0.1, 200, np.ones(3))).max() < 1e-7


def test_lorenz_is_as_accurate_at_any_sampling():
    fine = make_lorenz(801, dt=0.01, n_discard=0)
    coarse = make_lorenz(9, dt=1.0, n_discard=0)
    assert np.abs(fine[::100] - coarse).max() < 1e-8


def test_lorenz_takes_a_start_and_other_parameters():
    X = make_lorenz(500, rho=0.5, initial_state=[1, 2, 3], n_discard=0)
    assert np.array_equal(X[0], [1.0, 2.0, 3.0])
    assert np.abs(make_lorenz(2, dt=50.0, rho=0.5, n_discard=0)[1]).max() < 1e-9  # a stable origin


def test_lorenz_discards_rows_of_the_same_orbit():
    assert np.array_equal(make_lorenz(50, n_discard=30), make_lorenz(80, n_discard=0)[30:])


def test_lorenz_draws_its_start_only_with_a_random_state():
    assert np.array_equal(make_lorenz(20), make_lorenz(20))
    one, same, other = (make_lorenz(20, random_state=s) for s in (1, 1, 2))
    assert np.array_equal(one, same) and not np.allclose(one, other)


@pytest.mark.parametrize(
    "make, arguments, name",
    [
        (make_mackey_glass, {"n_timesteps": 0}, "n_timesteps"),
        (make_mackey_glass, {"tau": 0.0}, "tau"),
        (make_mackey_glass, {"tau": -17.0}, "tau"),
        (make_mackey_glass, {"tau": 17.05}, "tau"),
        (make_mackey_glass, {"tau": 0.01}, "tau"),
        (make_mackey_glass, {"dt": 0.0}, "dt"),
        (make_mackey_glass, {"n_substeps": 0}, "n_substeps"),
        (make_mackey_glass, {"n_discard": -1}, "n_discard"),
        (make_mackey_glass, {"initial_value": -0.1}, "initial_value"),
        (make_mackey_glass, {"initial_value": np.nan}, "initial_value"),
        (make_mackey_glass, {"method": "rk2"}, "method"),
        (make_lorenz, {"n_timesteps": -5}, "n_timesteps"),
        (make_lorenz, {"dt": np.inf}, "dt"),
        (make_lorenz, {"sigma": 0.0}, "sigma"),
        (make_lorenz, {"rho": -1.0}, "rho"),
        (make_lorenz, {"beta": np.nan}, "beta"),
        (make_lorenz, {"initial_state": [1.0, 2.0]}, "initial_state"),
        (make_lorenz, {"initial_state": [1.0, np.inf, 2.0]}, "initial_state"),
        (make_lorenz, {"initial_state": "abc"}, "initial_state"),
        (make_lorenz, {"random_state": 1.5}, "random_state"),
        (make_lorenz, {"initial_state": [1e300] * 3}, "initial_state"),
        (make_lorenz, {"rho": 1e20}, "rho"),
        (make_mackey_glass, {"random_state": "seed"}, "random_state"),
        (make_mackey_glass, {"tau": 300, "dt": 300}, "dt / n_substeps"),
        (make_mackey_glass, {"tau": 300, "dt": 300, "method": "euler"}, "dt / n_substeps"),
    ],
)
def test_a_wrong_value_is_refused_by_name(make, arguments, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        make(**arguments)


@pytest.mark.parametrize("make", [make_mackey_glass, make_lorenz])
def test_a_length_that_is_no_integer_is_refused(make):
    with pytest.raises(TypeError, match="n_timesteps"):
        make(10.5)


def test_generators_return_contiguous_float64():
    for X in (make_mackey_glass(9), make_lorenz(9)):
        assert X.dtype == np.float64 and X.flags.c_contiguous and len(X) == 9
