"""Linear dynamical systems against the joint normal distribution of all states and rows."""

import pickle

import numpy as np
import pytest
from checks import parametrize_with_checks
from linear_systems import RNG, TRUE, joint, random_system
from sklearn.exceptions import ConvergenceWarning

from esnkit.baselines import LinearDynamicalSystem


def fitted(system):
    model = LinearDynamicalSystem(len(system.A), max_iter=0)
    model.fit(RNG.standard_normal((60, len(system.C))))
    model._system = system
    return model


def draw(lengths, seed=0):
    model = fitted(TRUE)
    return [model.sample(n, seed + i)[0] for i, n in enumerate(lengths)]


def test_the_system_that_made_the_rows_is_found():
    X = draw([50, 200, 200, 31, 4] * 3)
    model = LinearDynamicalSystem(2, tol=1e-4).fit(X)
    assert np.diff(model.log_likelihoods_).min() > 0
    assert model.score(X) == pytest.approx(model.log_likelihoods_[-1], rel=1e-10)
    assert model.score(X) > fitted(TRUE).score(X)
    found = np.linalg.eigvals(model.A_)
    np.testing.assert_allclose(np.sort(found), np.sort(np.linalg.eigvals(TRUE.A)), atol=0.05)
    new = draw([80] * 5, seed=100)
    assert abs(model.score(new) - fitted(TRUE).score(new)) < 0.05


def test_forecasts_are_conditional_normal_distributions():
    system = random_system(2, 2)
    model, y = fitted(system), RNG.standard_normal((12, 2))
    ahead, lower, upper = model.forecast(3, y, interval=0.9)
    _, means, V = joint(system, y)
    mean, covariance = means[-1], V[-1, :, -1]
    for step in range(3):
        mean, covariance = system.A @ mean, system.A @ covariance @ system.A.T + system.Q
        deviation = np.sqrt(np.diag(system.C @ covariance @ system.C.T + system.R))
        np.testing.assert_allclose(ahead[step], system.C @ mean + system.d)
        np.testing.assert_allclose(upper[step] - ahead[step], 1.6448536 * deviation, rtol=1e-6)
        np.testing.assert_allclose(ahead[step] - lower[step], upper[step] - ahead[step])
    predictions = model.predict(y)
    np.testing.assert_allclose(predictions[5], model.forecast(1, y[:5])[0])
    means, covariances = model.smooth(y, return_cov=True)
    np.testing.assert_allclose(covariances[4], V[4, :, 4], atol=1e-9)
    np.testing.assert_allclose(model.filter(y, return_cov=True)[1][-1], V[-1, :, -1], atol=1e-9)


def test_containers():
    X = draw([30] * 4)
    model = LinearDynamicalSystem(2, max_iter=3, tol=0.0)
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        model.fit(np.stack(X))
    batch, ragged = model.predict(np.stack(X)), model.predict(X)
    np.testing.assert_array_equal(batch, np.stack(ragged))
    np.testing.assert_allclose(ragged[2], model.predict(X[2]))
    assert model.forecast(5).shape == (4, 5, 3) and model.forecast(5, X[0]).shape == (5, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).forecast(5), model.forecast(5))
    sample, states = model.sample(6, random_state=0)
    assert sample.shape == (6, 3) and states.shape == (6, 2)
    with pytest.raises(ValueError, match="of at least 11 time steps for n_states=6, got n_samples"):
        LinearDynamicalSystem(6).fit(np.stack(X)[:1, :9])


def test_samples_have_the_distribution_of_the_model():
    X, _ = fitted(TRUE).sample(50_000, random_state=0)
    stationary = np.linalg.solve(np.eye(4) - np.kron(TRUE.A, TRUE.A), TRUE.Q.ravel()).reshape(2, 2)
    expected = TRUE.C @ stationary @ TRUE.C.T + TRUE.R
    np.testing.assert_allclose(np.cov(X.T), expected, atol=8.0)
    np.testing.assert_allclose(X.mean(axis=0), TRUE.d, atol=1.0)


def test_statsmodels_agrees():
    statespace = pytest.importorskip("statsmodels.tsa.statespace.kalman_filter")
    system, y = random_system(3, 2), RNG.standard_normal((50, 2))
    other = statespace.KalmanFilter(2, 3)
    other.bind(y.copy())
    other["design"], other["obs_intercept"] = system.C, system.d[:, None]
    other["transition"], other["selection"] = system.A, np.eye(3)
    other["state_cov"], other["obs_cov"] = system.Q, system.R
    other.initialize_known(system.m, system.P)
    result, model = other.filter(), fitted(system)
    assert result.llf_obs.sum() / 50 == pytest.approx(model.score(y), rel=1e-9)
    np.testing.assert_allclose(result.filtered_state.T, model.filter(y), atol=1e-9)


ORDER = {
    "check_methods_sample_order_invariance": "rows are time steps",
    "check_methods_subset_invariance": "rows are time steps",
}


@parametrize_with_checks(
    [LinearDynamicalSystem(1, max_iter=5, tol=1.0)], expected_failed_checks=lambda estimator: ORDER
)
def test_common_checks(estimator, check):
    check(estimator)


def test_a_constant_column_stays_and_sizes_without_squares_are_refused():
    noise = np.random.default_rng(0).normal(size=(20, 1))
    model = LinearDynamicalSystem(max_iter=0).fit(np.full((20, 1), 3.0))
    np.testing.assert_allclose(model.forecast(2), 3.0, rtol=1e-6)
    for size, message in ((1e290, r"values up to 1e\+140"), (1e-300, "squares are not zero")):
        with pytest.raises(ValueError, match=message):
            LinearDynamicalSystem(max_iter=0).fit(noise * size)
