"""Updates against their published equations, against scikit-learn's, and on known problems."""

import pickle

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from esnkit.optim._first_order import (
    MOMENTUM_SCHEDULES,
    adam_state,
    adam_step,
    clip_by_norm,
    momentum_at,
    sgd_state,
    sgd_step,
)

CURVATURE = np.array([1.0, 10.0, 40.0])
MINIMUM = np.array([1.0, -2.0, 0.5])


def slope(theta):
    return CURVATURE * (theta - MINIMUM)


def test_adam_is_the_published_update():
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(6)
    expected, m, v, state = theta.copy(), 0.0, 0.0, adam_state(theta)
    for t in range(1, 30):
        g = rng.standard_normal(6)
        adam_step(theta, g, state, learning_rate_init=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g**2
        rate = 0.01 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t)
        expected -= rate * m / (np.sqrt(v) + 1e-3)
    np.testing.assert_allclose(theta, expected, rtol=1e-13)
    assert state.n_updates[0] == 29


def descend(theta, step, state, n_updates, **parameters):
    for _ in range(n_updates):
        step(theta, slope(theta), state, **parameters)
    return theta


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("step", "start", "parameters"),
    [
        (adam_step, adam_state, {"learning_rate_init": 0.05}),
        (sgd_step, sgd_state, {"learning_rate_init": 0.02, "nesterovs_momentum": False}),
        (sgd_step, sgd_state, {"learning_rate_init": 0.02}),
    ],
)
def test_every_optimiser_finds_a_known_minimum(step, start, parameters, dtype):
    theta = np.zeros(3, dtype)
    descend(theta, step, start(theta), 2000, **parameters)
    assert theta.dtype == dtype
    np.testing.assert_allclose(theta, MINIMUM, atol=1e-5)


def test_classical_momentum_is_the_published_update():
    theta, state = np.array([2.0, 2.0, 2.0]), sgd_state(np.zeros(3))
    expected, v = theta.copy(), 0.0
    for _ in range(20):
        v = 0.8 * v - 0.01 * slope(expected)
        expected = expected + v
    found = descend(
        theta, sgd_step, state, 20, learning_rate_init=0.01, momentum=0.8, nesterovs_momentum=False
    )
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("schedule", MOMENTUM_SCHEDULES)
def test_the_look_ahead_point_follows_nesterovs_published_update(schedule):
    def rate(t):  # may change, too
        return 0.01 / (1 + t / 100)

    ahead = np.array([2.0, 2.0, 2.0])
    theta, v, state = ahead.copy(), np.zeros(3), sgd_state(ahead)
    n_updates = 1100
    for t in range(n_updates):
        mu = momentum_at(schedule, t, 0.97)
        np.testing.assert_allclose(ahead, theta + mu * v, rtol=1e-9, atol=1e-12)
        v = mu * v - rate(t) * slope(theta + mu * v)
        theta = theta + v
        coming = 0.0 if t == n_updates - 1 else momentum_at(schedule, t + 1, 0.97)
        sgd_step(
            ahead,
            slope(ahead),
            state,
            learning_rate_init=rate(t),
            momentum=mu,
            next_momentum=coming,
        )
    np.testing.assert_allclose(ahead, theta, rtol=1e-9)
    np.testing.assert_allclose(state.velocity, v, rtol=1e-6, atol=1e-12)


def fit_linear_network(X, y, n_updates, **parameters):
    """Return the parameters of scikit-learn's network of one unit after full-batch updates."""
    model = MLPRegressor(
        hidden_layer_sizes=(1,),
        activation="identity",
        alpha=0.0,
        batch_size=len(X),
        shuffle=False,
        random_state=0,
        **parameters,
    )
    for _ in range(n_updates):
        model.partial_fit(X, y)
    return np.concatenate([*(W.ravel() for W in model.coefs_), *model.intercepts_])


@pytest.mark.parametrize(
    ("solver", "parameters"),
    [
        ("adam", {"learning_rate_init": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4}),
        ("sgd", {"learning_rate_init": 0.01, "momentum": 0.8, "nesterovs_momentum": True}),
        ("sgd", {"learning_rate_init": 0.01, "momentum": 0.8, "nesterovs_momentum": False}),
    ],
)
def test_parameters_mean_what_they_mean_in_scikit_learn(solver, parameters):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 2)), rng.standard_normal(40)
    start = fit_linear_network(X, y, 1, solver=solver, **parameters | {"learning_rate_init": 1e-99})
    theta = start.copy()
    state = adam_state(theta) if solver == "adam" else sgd_state(theta)
    step = adam_step if solver == "adam" else sgd_step
    for _ in range(10):
        hidden = X @ theta[:2] + theta[3]
        error = (theta[2] * hidden + theta[4] - y) / len(y)
        back = theta[2] * error
        gradient = np.array([*(X.T @ back), hidden @ error, back.sum(), error.sum()])
        step(theta, gradient, state, **parameters)
    found = fit_linear_network(X, y, 10, solver=solver, **parameters)
    assert np.abs(found - start).max() > 0.05
    np.testing.assert_allclose(theta, found, rtol=1e-10)


def test_momentum_schedules():
    assert momentum_at("constant", 5, 0.3) == 0.3
    for t in (0, 249, 250, 500, 5000):
        closed = 1 - 1 / (2 * (t // 250 + 1))
        assert momentum_at("increasing", t, 0.99) == pytest.approx(min(closed, 0.99))
    assert [momentum_at("delayed", t, 0.995) for t in (0, 999, 1000)] == [0.9, 0.9, 0.995]
    with pytest.raises(ValueError, match="momentum_schedule must be one of .*'delayed'.*got 'x'"):
        momentum_at("x", 0, 0.9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_keeps_the_direction_and_returns_the_norm(dtype):
    gradient = np.array([3.0, 4.0, 12.0], dtype)
    kept = gradient.copy()
    assert clip_by_norm(gradient, None) == clip_by_norm(gradient, 13.0) == 13.0
    assert np.array_equal(gradient, kept)
    assert clip_by_norm(gradient, 6.5) == 13.0 and gradient.dtype == dtype
    np.testing.assert_allclose(gradient, kept / 2, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_a_gradient_whose_square_overflows(dtype):
    large = np.finfo(dtype).max / 8
    gradient = np.full(16, large, dtype)
    assert clip_by_norm(gradient, 4.0) == pytest.approx(4.0 * large)
    np.testing.assert_allclose(gradient, 1.0, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_clipping_does_not_change_gradients_that_are_not_finite(bad):
    gradient = np.array([1.0, bad])
    assert not np.isfinite(clip_by_norm(gradient, 1.0))
    assert np.array_equal(gradient, [1.0, bad], equal_nan=True)


@pytest.mark.parametrize("clip_norm", [0.0, -1.0, np.nan])
def test_a_clip_norm_must_be_positive(clip_norm):
    with pytest.raises(ValueError, match="clip_norm must be a finite number > 0, got"):
        clip_by_norm(np.ones(2), clip_norm)


@pytest.mark.parametrize(("step", "start"), [(adam_step, adam_state), (sgd_step, sgd_state)])
def test_a_pickled_state_continues_with_the_same_bits(step, start):
    theta = np.zeros(3)
    state = start(theta)
    descend(theta, step, state, 5)
    other, other_state = pickle.loads(pickle.dumps((theta, state)))
    assert np.array_equal(descend(theta, step, state, 5), descend(other, step, other_state, 5))
