"""Memory capacity: closed forms, single regressions as a twin, and its bound."""

import numpy as np
import pytest
from driven_reservoirs import Features, delay_line, linear
from sklearn.linear_model import LinearRegression

from esnkit import ESNRegressor, Reservoir
from esnkit.analysis import memory_capacity
from esnkit.analysis._memory_capacity import _squared_correlations, column_space, within_bound


@pytest.mark.parametrize(("n_units", "weight"), [(2, 1.0), (20, 0.5), (50, 3.0)])
def test_a_delay_line_remembers_as_many_inputs_as_it_has_units(n_units, weight):
    for seed in range(10):
        found = memory_capacity(delay_line(n_units, weight), n_timesteps=1000, random_state=seed)
        assert found.capacity == pytest.approx(n_units, rel=1e-9)
        np.testing.assert_allclose(found.curve[:n_units], 1)
        assert not found.curve[n_units:].any() and found.capacity <= n_units


def test_a_delay_that_is_half_noise_has_half_of_the_capacity():
    # u(t-1) beside 2 u(t) u(t-2), whose variance is that of the part it hides, and no linear part.
    hidden = Features(lambda u, v, w: v + np.sqrt(3) * u * w)
    found = memory_capacity(hidden, max_delay=5, n_timesteps=100_000, random_state=0)
    assert found.curve[1, 0] == pytest.approx(0.5, abs=0.01)
    assert not np.delete(found.curve, 1).any() and found.capacity == found.curve.sum()


@pytest.mark.parametrize("washout", [0, 50])
def test_every_delay_is_a_regression_of_its_own(washout):
    reservoir = Reservoir(12, leak_rate=0.7, random_state=3).fit(np.zeros((5, 2)))
    found = memory_capacity(
        reservoir, max_delay=9, n_timesteps=600, washout=washout, input_range=(0, 2),
        random_state=5,
    )  # fmt: skip
    start = max(washout, 9)
    u = np.random.RandomState(5).uniform(0, 2, (start + 600, 2))
    states, threshold = reservoir.transform(u)[start:], 13.83 / 300  # chi-square, one tail of 1e-4
    assert found.threshold == pytest.approx(threshold, rel=1e-3)
    wanted = np.zeros((10, 2))
    for k in range(10):
        for column in range(2):
            y = u[start - k : start + 600 - k, column]
            fitted = LinearRegression().fit(states[:300], y[:300]).predict(states[300:])
            r = np.corrcoef(fitted, y[300:])[0, 1]
            wanted[k, column] = r**2 if r > 0 and r**2 > threshold else 0
    np.testing.assert_allclose(found.curve, wanted, atol=1e-9)
    assert (wanted == 0).any() and (wanted[wanted > 0] < 0.9).any()
    assert found.capacity == pytest.approx(wanted.sum()) and found.n_features == 12


@pytest.mark.parametrize(("topology", "wanted"), [("orthogonal", 94), ("cycle", 97)])
def test_a_hundred_linear_units_remember_about_a_hundred_inputs(topology, wanted):
    for seed in range(2):
        found = memory_capacity(
            linear(topology, 100, seed), n_timesteps=15_000, max_delay=200, random_state=seed
        )
        assert wanted <= found.capacity <= 100


@pytest.mark.parametrize("radius", [0.5, 0.95, 1.0])
@pytest.mark.parametrize("topology", ["diagonals", "cycle", "orthogonal", "antisymmetric"])
def test_the_capacity_is_never_more_than_the_number_of_units(topology, radius):
    for seed in range(10):
        reservoir = linear(topology, 6, seed, radius)
        assert memory_capacity(reservoir, n_timesteps=400, random_state=seed).capacity <= 6


def test_an_estimator_is_measured_as_its_reservoir():
    X = np.random.default_rng(0).uniform(size=(60, 1))
    model = ESNRegressor(8, random_state=0).fit(X, X[:, 0])
    one, other = (
        memory_capacity(m, n_timesteps=200, random_state=0) for m in (model, model.reservoir_)
    )
    np.testing.assert_array_equal(one.curve, other.curve)


def test_constant_and_dependent_features_count_once():
    copies = Features(lambda u, v, w: u, lambda u, v, w: 2 * u, lambda u, v, w: 0 * u + 7)
    for seed in range(5):  # of which some add what chance explains
        found = memory_capacity(copies, n_timesteps=100, random_state=seed)
        assert found.capacity == pytest.approx(1) and found.n_features == 3
    nothing = Features(lambda u, v, w: 0 * u)
    assert memory_capacity(nothing, n_timesteps=500, random_state=0).capacity == 0


def test_the_column_space_is_orthonormal_and_reached_by_its_matrix():
    rows = np.random.default_rng(0).normal(size=(50, 4)) * [1, 1e-20, 1e6, 1] + 3
    rows[:, 3] = rows[:, 0] + rows[:, 2]
    U, M = column_space(rows)
    assert U.shape == (50, 2)  # the second column is below the rounding errors of its mean
    np.testing.assert_allclose(U.T @ U, np.eye(2), atol=1e-12)
    np.testing.assert_allclose((rows - rows.mean(axis=0)) @ M, U, atol=1e-8)


def test_sums_above_the_bound_are_scaled_to_it():
    np.testing.assert_allclose(within_bound(np.array([2.0, 2.0]), 3), [1.5, 1.5])
    np.testing.assert_array_equal(within_bound(np.array([0.2, 0.1]), 3), [0.2, 0.1])


def test_negative_correlations_are_chance():
    predicted = np.array([[1.0, 1.0, 0.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
    targets = np.array([[5.0, 4.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    wanted = np.corrcoef(predicted[:, 1], targets[1])[0, 1]
    assert wanted < 0
    np.testing.assert_allclose(_squared_correlations(predicted, targets), [1, 0, 0])
