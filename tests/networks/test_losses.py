"""Losses against scikit-learn's metrics, their derivatives against differences."""

import numpy as np
import pytest
from gradients import difference
from sklearn.metrics import log_loss, mean_squared_error

from esnkit.networks._losses import LOSSES, log_softmax

RNG = np.random.default_rng(0)
OUTPUTS, CODES = RNG.normal(size=(9, 3)), RNG.integers(0, 3, 9)
TARGETS = {"squared": RNG.normal(size=(9, 3)), "softmax": np.eye(3)[CODES]}
ROWS = RNG.uniform(0, 1, 9) * (np.arange(9) != 4)
WEIGHTS = {"none": None, "rows": ROWS, "outputs": RNG.uniform(0, 1, (9, 3))}


def cases():
    for loss in LOSSES:
        for weights in WEIGHTS:
            if (loss, weights) != ("softmax", "outputs"):
                yield loss, WEIGHTS[weights]


every_case = pytest.mark.parametrize(("loss", "weights"), list(cases()))


@every_case
def test_the_gradient_is_that_of_the_value(loss, weights):
    outputs = OUTPUTS.copy()
    value = LOSSES[loss][0]
    expected = difference(lambda: value(outputs, TARGETS[loss], weights).value, outputs)
    found = value(outputs, TARGETS[loss], weights).gradient
    np.testing.assert_allclose(found, expected, atol=1e-9)


@every_case
def test_the_curvature_is_the_slope_of_the_gradient(loss, weights):
    value, curvature = LOSSES[loss]
    V, step = RNG.normal(size=OUTPUTS.shape), 1e-5
    up, down = (value(OUTPUTS + s * V, TARGETS[loss], weights).gradient for s in (step, -step))
    np.testing.assert_allclose(curvature(OUTPUTS, V, weights), (up - down) / (2 * step), atol=1e-9)


@pytest.mark.parametrize("weights", [None, ROWS])
def test_values_are_those_of_scikit_learn(weights):
    squared = LOSSES["squared"][0](OUTPUTS, TARGETS["squared"], weights).value
    expected = mean_squared_error(TARGETS["squared"], OUTPUTS, sample_weight=weights) / 2
    assert squared == pytest.approx(expected, rel=1e-12)
    entropy = LOSSES["softmax"][0](OUTPUTS, TARGETS["softmax"], weights).value
    p = np.exp(log_softmax(OUTPUTS))
    assert entropy == pytest.approx(
        log_loss(CODES, p, sample_weight=weights, labels=[0, 1, 2]), rel=1e-12
    )


def test_total_weight_makes_means_of_batches_the_mean_of_all():
    whole = LOSSES["squared"][0](OUTPUTS, TARGETS["squared"], ROWS)
    parts = [
        LOSSES["squared"][0](OUTPUTS[s], TARGETS["squared"][s], ROWS[s])
        for s in (slice(0, 5), slice(5, 9))
    ]
    total = sum(part.total for part in parts)
    assert total == pytest.approx(whole.total)
    mean = sum(part.total * part.value for part in parts) / total
    assert mean == pytest.approx(whole.value)


def test_large_outputs_do_not_overflow():
    loss = LOSSES["softmax"][0](np.array([[1e4, 0.0], [0.0, -1e4]]), np.eye(2)[[1, 0]], None)
    assert loss.value == 5000.0 and np.all(np.isfinite(loss.gradient))


def test_nothing_taught_is_no_loss():
    loss = LOSSES["squared"][0](OUTPUTS, TARGETS["squared"], np.zeros(9))
    assert loss.value == 0 and loss.total == 0 and not loss.gradient.any()
