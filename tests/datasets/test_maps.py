"""Chaotic maps: their recurrences, exponents and bounds."""

import numpy as np
import pytest

from esnkit.datasets import make_henon, make_logistic_map


def test_henon_is_its_recurrence_and_has_its_exponent():
    X = make_henon(20_000)
    x, y = X.T
    np.testing.assert_allclose(x[1:], 1 - 1.4 * x[:-1] ** 2 + y[:-1], rtol=0, atol=1e-15)
    np.testing.assert_allclose(y[1:], 0.3 * x[:-1], rtol=0, atol=1e-15)
    direction, total = np.array([1.0, 0.0]), 0.0
    for value in x:
        direction = np.array([-2.8 * value * direction[0] + direction[1], 0.3 * direction[0]])
        size = np.linalg.norm(direction)
        direction, total = direction / size, total + np.log(size)
    assert abs(total / len(x) - 0.419) < 0.01


def test_the_logistic_map_has_its_exponent_and_density():
    x = make_logistic_map(20_000, initial_state=0.3)[:, 0]
    np.testing.assert_allclose(x[1:], 4 * x[:-1] * (1 - x[:-1]), rtol=0, atol=1e-15)
    assert abs(np.log(np.abs(4 - 8 * x)).mean() - np.log(2)) < 0.02
    assert abs(np.mean(x < 0.25) - 1 / 3) < 0.02  # of the arcsine law
    np.testing.assert_allclose(make_logistic_map(5, r=2.0)[:, 0], 0.5)  # a stable fixed point


@pytest.mark.parametrize("make", [make_henon, make_logistic_map])
def test_maps_discard_rows_of_one_orbit_and_draw_starts_with_a_seed_only(make):
    assert np.array_equal(make(30, n_discard=20), make(50, n_discard=0)[20:])
    assert np.array_equal(make(5), make(5)) and not np.array_equal(make(5), make(5, random_state=1))
    assert np.array_equal(make(5, random_state=1), make(5, random_state=1))


@pytest.mark.parametrize(
    "make, arguments, message",
    [
        (make_henon, {"n_timesteps": 0}, "n_timesteps must be"),
        (make_henon, {"a": np.nan}, "a must be"),
        (make_henon, {"b": np.inf}, "b must be"),
        (make_henon, {"a": 2.0}, "a, b and initial_state must give a bounded orbit"),
        (make_henon, {"initial_state": [5.0, 5.0]}, "a, b and initial_state must give"),
        (make_henon, {"initial_state": 0.3}, "initial_state must be"),
        (make_logistic_map, {"r": 4.1}, "r must be"),
        (make_logistic_map, {"initial_state": 1.5}, "initial_state must be"),
        (make_logistic_map, {"n_discard": -1}, "n_discard must be"),
    ],
)
def test_a_wrong_value_is_refused_by_name(make, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make(**arguments)
