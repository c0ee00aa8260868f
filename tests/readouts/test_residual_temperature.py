"""The temperature from sums against that of leave-one-out scores."""

import numpy as np
import pytest
from classification_problems import best_temperature, classes, deviations, log_loss
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from esnkit.readouts import RidgeReadout
from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._residual_temperature import _moments, residual_temperature


@pytest.mark.parametrize("solver", ["gram", "qr"])
@pytest.mark.parametrize(("n_rows", "distance"), [(90, 0.3), (400, 0.5), (1500, 0.1)])
def test_its_log_loss_is_near_the_least(solver, n_rows, distance):
    drawn = classes(n_rows + 3000, 40, distance=distance)
    X, Y, w = (part[:n_rows] for part in drawn)
    model = RidgeReadout(1.0, solver=solver, standardize=True, scoring="classification")
    scores = model.fit(X, Y, w).predict(X)
    exact = model.temperature_
    streamed = RidgeReadout(**model.get_params()).partial_fit(X[:50], Y[:50], w[:50])
    found = streamed.partial_fit(X[50:], Y[50:], w[50:]).temperature_
    assert 0.6 < found / exact < 1.7
    assert_allclose(streamed.predict(X), scores, rtol=1e-8)
    test, labels, weights = (part[n_rows:] for part in drawn)
    losses = [log_loss(model.predict(test), labels, weights, t) for t in (exact, found)]
    assert losses[1] < losses[0] + 0.01 + 6 / n_rows


def test_two_classes_have_twice_the_residual_variance():
    X, Y, _ = classes(100_000, 2, n_classes=2, distance=0.3)
    model = RidgeReadout(0.0).fit(X, Y)
    variance = ((Y - model.predict(X)) ** 2).mean(axis=0)
    found = residual_temperature(Accumulator("gram", 2, 2).add(X, Y, None), 0.0)
    assert_allclose(found, variance.sum(), rtol=0.01)


def test_separated_and_unrelated_classes_have_finite_temperatures():
    Y = np.eye(2)[np.arange(40) % 2]
    rng = np.random.default_rng(0)
    separated = Accumulator("qr", 2, 2).add(Y + 0.0, Y, None)
    assert_allclose(residual_temperature(separated, 0.0), 1 / np.log(41), rtol=2e-3)
    unrelated = Accumulator("qr", 30, 2).add(rng.normal(size=(40, 30)), Y, None)
    assert residual_temperature(unrelated, 1e-3) > 1


@pytest.mark.parametrize("n_rows", [2, 30])
def test_rows_of_one_class_so_far(n_rows):
    X, Y = np.random.default_rng(0).normal(size=(n_rows, 4)), np.eye(3)[[0] * n_rows]
    model = RidgeReadout(1.0, scoring="classification").partial_fit(X, Y)
    found = model.probabilities(model.predict(X[:1]))[0]
    assert_allclose(found[0], (n_rows + 1) / (n_rows + 2), rtol=2e-3)  # the rule of succession


def streamed(X, Y, w=None, **settings):
    """Return a readout that has read rows in two calls."""
    n = len(X) // 3
    model = RidgeReadout(scoring="classification", **settings)
    model.partial_fit(X[:n], Y[:n], None if w is None else w[:n])
    return model.partial_fit(X[n:], Y[n:], None if w is None else w[n:])


@pytest.mark.parametrize("deviation", [0.0, 1.0])
@pytest.mark.parametrize("n_features", [3, 300])
@pytest.mark.parametrize("counts", [[100, 100], [180, 20], [4, 98, 98], [60, *[15] * 9]])
def test_scores_that_tell_nothing_give_about_the_shares(counts, n_features, deviation):
    rng = np.random.default_rng(0)
    Y = np.eye(len(counts))[rng.permutation(np.repeat(np.arange(len(counts)), counts))]
    X, test = 3 + deviation * rng.standard_normal((2, len(Y), n_features))
    model = streamed(X, Y, alpha=1.0, standardize=True)
    scores, w = model.predict(test), np.ones(len(Y))
    least = best_temperature(scores, Y, w)[1]
    assert log_loss(scores, Y, w, model.temperature_) < least + (0.05 if deviation else 0.005)


@pytest.mark.parametrize("alpha", [1e-8, 1e-3, 1.0])
@pytest.mark.parametrize("solver", ["gram", "qr"])
def test_few_rows_that_the_features_interpolate(solver, alpha):
    for distance in (0.0, 0.5):
        X, Y, _ = classes(60, 300, distance=distance)
        exact = RidgeReadout(alpha, standardize=True, scoring="classification").fit(X, Y)
        found = streamed(X, Y, alpha=alpha, solver=solver, standardize=True).temperature_
        assert 0.6 < found / exact.temperature_ < 1.7


@pytest.mark.parametrize("n_rows", [60, 500])
@pytest.mark.parametrize("distance", [0.0, 0.2])
def test_classes_of_unequal_weights(n_rows, distance):
    X, Y, _ = classes(n_rows, 300, distance=distance)
    w = Y @ [1.0, 9.0, 1.0]
    exact = RidgeReadout(1.0, standardize=True, scoring="classification").fit(X, Y, w)
    found = streamed(X, Y, w, alpha=1.0, standardize=True).temperature_
    assert_allclose(1 / found, 1 / exact.temperature_, rtol=0.3, atol=0.7)


@pytest.mark.parametrize("class_weights", [[1.0, 1.0, 1.0], [0.5, 1.0, 7.0]])
@pytest.mark.parametrize("alpha", [1e-9, 1.0])
@pytest.mark.parametrize("n_features", [5, 100])
@pytest.mark.parametrize("solver", ["gram", "qr"])
def test_moments_are_those_of_rows(solver, n_features, alpha, class_weights):
    X, Y, _ = classes(60, n_features)
    w = Y @ class_weights
    accumulator = Accumulator(solver, n_features, 3, standardize=True)
    accumulator = accumulator.add(X[:25], Y[:25], w[:25])
    accumulator = accumulator.merge(
        Accumulator(solver, n_features, 3, standardize=True).add(X[25:], Y[25:], w[25:])
    )
    Z = (X - np.average(X, axis=0, weights=w)) / deviations(X, w) * np.sqrt(w)[:, None]
    target = (Y - np.average(Y, axis=0, weights=w)) * np.sqrt(w)[:, None]
    U, s, _ = np.linalg.svd(Z, full_matrices=False)
    U, shrunk = U[:, s > 1e-9], alpha / (s[s > 1e-9] ** 2 + alpha)
    outside = target - U @ (U.T @ target) if n_features < len(X) - 1 else 0.0
    residuals = (outside + U @ (shrunk[:, None] * (U.T @ target))) / np.sqrt(w)[:, None]
    total = len(X) - 1 - len(shrunk) + shrunk.sum()  # of 1 - h
    a = np.exp(brentq(lambda t: (1 / (1 + w * np.exp(t))).sum() - total, -9, 40, xtol=1e-13))
    in_class = [np.average(residuals[y == 1], axis=0, weights=w[y == 1]) for y in Y.T]
    centred = residuals - Y @ in_class
    within = (w * centred.T) @ centred / w.sum() / np.average((1 + w * a) ** -2.0, weights=w)
    found = _moments(accumulator, alpha)
    assert_allclose(found.shares, w @ Y / w.sum())
    means = np.eye(3) - (1 + a * np.array(class_weights))[:, None] * in_class
    assert_allclose(found.means, means, rtol=1e-3, atol=1e-4)
    assert_allclose(found.covariance, within, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("distance", [0.1, 0.5])
def test_weights_per_output(n_classes, distance):
    X, Y, _ = classes(600, 20, n_classes=n_classes, distance=distance)
    w = np.random.default_rng(1).uniform(0.5, 1.5, Y.shape)
    exact = RidgeReadout(1.0, standardize=True, scoring="classification").fit(X, Y, w)
    found = streamed(X, Y, w, alpha=1.0, standardize=True).temperature_
    assert 0.8 < found / exact.temperature_ < 1.2


@pytest.mark.parametrize(("size", "weight"), [(1e-60, 1e-290), (1e60, 1e80), (0.0, 1.0)])
@pytest.mark.parametrize("per_output", [False, True])
def test_sizes_far_from_one_and_outputs_without_weight(size, weight, per_output):
    X, Y, _ = classes(30, 4)
    w = weight * (Y + np.eye(30)[:, :3] if per_output else np.ones(30))
    model = RidgeReadout(0.0, solver="qr", scoring="classification").partial_fit(size * X, Y, w)
    assert np.isfinite(model.temperature_)
    assert model.temperature_ > 0
