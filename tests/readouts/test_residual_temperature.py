"""The temperature from sums against that of leave-one-out scores."""

import numpy as np
import pytest
from classification_problems import classes, log_loss
from numpy.testing import assert_allclose

from esnkit.readouts import RidgeReadout
from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._residual_temperature import residual_temperature


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
    assert_allclose(found, variance.sum(), rtol=1e-3)


def test_separated_and_unrelated_classes_have_finite_temperatures():
    Y = np.eye(2)[np.arange(40) % 2]
    rng = np.random.default_rng(0)
    separated = Accumulator("qr", 2, 2).add(Y + 0.0, Y, None)
    assert_allclose(residual_temperature(separated, 0.0), 1 / np.log(41))
    unrelated = Accumulator("qr", 30, 2).add(rng.normal(size=(40, 30)), Y, None)
    assert residual_temperature(unrelated, 1e-3) > 1
    one_class = Accumulator("gram", 2, 2).add(rng.normal(size=(9, 2)), Y[[0] * 9], None)
    assert residual_temperature(one_class, 1.0) == 1.0
