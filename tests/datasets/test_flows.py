"""Quadratic flows against an independent integration, and what their equations imply."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from esnkit.datasets import make_double_scroll, make_lorenz96, make_rossler


def rossler(t, s, a=0.2, b=0.2, c=5.7):
    return [-s[1] - s[2], s[0] + a * s[1], b + s[2] * (s[0] - c)]


def lorenz96(t, x, forcing=8.0):
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing


def double_scroll(t, s):
    voltage = s[0] - s[1]
    g = voltage / 3.44 + 2 * 2.25e-5 * np.sinh(11.6 * voltage)
    return [s[0] / 1.2 - g, g - s[2], s[1] - 0.193 * s[2]]


FLOWS = {
    "rossler": (make_rossler, rossler, 0.1),
    "lorenz96": (make_lorenz96, lorenz96, 0.01),
    "double scroll": (make_double_scroll, double_scroll, 0.25),
}
every_flow = pytest.mark.parametrize("make, slope, dt", FLOWS.values(), ids=FLOWS)


@every_flow
@pytest.mark.parametrize("seed", [None, 3])
def test_flows_follow_dop853(make, slope, dt, seed):
    X = make(101, random_state=seed)
    times = dt * np.arange(len(X))
    exact = solve_ivp(slope, times[[0, -1]], X[0], "DOP853", times, rtol=1e-12, atol=1e-12).y.T
    assert np.abs(X - exact).max() < 1e-8 and X.std() > 0.1


@every_flow
def test_flows_are_as_accurate_at_any_sampling(make, slope, dt):
    fine = make(41, n_discard=0)
    coarse = make(3, dt=20 * dt, n_discard=0)
    np.testing.assert_allclose(coarse, fine[::20], rtol=0, atol=1e-9)


@every_flow
def test_flows_discard_rows_of_one_orbit_and_draw_starts_with_a_seed_only(make, slope, dt):
    assert np.array_equal(make(30, n_discard=20), make(50, n_discard=0)[20:])
    assert np.array_equal(make(5), make(5)) and not np.array_equal(make(5), make(5, random_state=1))
    assert np.array_equal(make(5, random_state=1), make(5, random_state=1))
    start = make(1, n_discard=7)[0]
    np.testing.assert_allclose(make(2, initial_state=start, n_discard=0)[0], start, rtol=1e-15)


def test_parameters_and_fixed_points():
    X = make_rossler(80, a=0.1, b=0.3, c=4.0, n_discard=0)
    exact = solve_ivp(
        rossler, (0, 7.9), np.ones(3), "DOP853", 0.1 * np.arange(80), rtol=1e-12, atol=1e-12,
        args=(0.1, 0.3, 4.0),
    )  # fmt: skip
    assert np.abs(X - exact.y.T).max() < 1e-9
    uniform = np.full(6, 3.0)  # x_i = forcing is a fixed point
    X = make_lorenz96(5, n_features=6, forcing=3.0, initial_state=uniform, n_discard=0)
    np.testing.assert_allclose(X, 3.0, rtol=1e-14)
    assert np.array_equal(make_double_scroll(5, initial_state=np.zeros(3)), np.zeros((5, 3)))


def test_volumes_of_lorenz96_shrink_by_its_divergence():
    rng = np.random.default_rng(0)
    start, size = 8 + rng.uniform(-1, 1, 5), 1e-6
    corners = np.vstack([start, start + size * np.eye(5)])
    ends = [
        make_lorenz96(2, n_features=5, dt=0.1, initial_state=x, n_discard=0)[1] for x in corners
    ]
    volume = abs(np.linalg.det((np.array(ends[1:]) - ends[0]) / size))
    np.testing.assert_allclose(np.log(volume), -5 * 0.1, rtol=1e-4)


@pytest.mark.parametrize(
    "make, arguments, name",
    [
        (make_rossler, {"n_timesteps": 0}, "n_timesteps"),
        (make_rossler, {"dt": 0.0}, "dt"),
        (make_rossler, {"a": -1.0}, "a"),
        (make_rossler, {"c": np.nan}, "c"),
        (make_rossler, {"initial_state": [1.0, 2.0]}, "initial_state"),
        (make_rossler, {"initial_state": [0.0, 0.0, 1e3], "n_timesteps": 3000}, "initial_state"),
        (make_lorenz96, {"n_features": 3}, "n_features"),
        (make_lorenz96, {"forcing": np.inf}, "forcing"),
        (make_lorenz96, {"initial_state": np.zeros(39)}, "initial_state"),
        (make_lorenz96, {"random_state": "seed"}, "random_state"),
        (make_double_scroll, {"n_discard": -1}, "n_discard"),
        (make_double_scroll, {"dt": np.inf}, "dt"),
        (make_double_scroll, {"initial_state": [11.0, 0.0, 0.0]}, "initial_state"),
    ],
)
def test_a_wrong_value_is_refused_by_name(make, arguments, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        make(**arguments)
