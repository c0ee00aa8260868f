"""Sums of classification losses against SciPy."""

import numpy as np
import pytest
from classification_problems import best_temperature, log_loss
from numpy.testing import assert_allclose

from esnkit.readouts._classification_losses import LossSums


def scores(seed, n_classes=5, n_rows=60, signal=0.5):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n_rows)
    Y = np.eye(n_classes)[labels]
    found = signal * Y + rng.normal(size=Y.shape) * 10 ** rng.uniform(-2, 0)
    return found, Y, rng.exponential(size=n_rows)


def sums_of(S, Y, w, size=1.0):
    sums = LossSums(np.array([size]), Y.shape[1])
    sums.add_weights(w)
    sums.add(np.ascontiguousarray(S.T)[None], Y.argmax(axis=1), w)
    return sums


@pytest.mark.parametrize("seed", range(12))
def test_the_temperature_is_that_of_an_optimiser(seed):
    S, Y, w = scores(seed, n_classes=2 + seed)
    sums = sums_of(S, Y, w)
    temperature, loss = best_temperature(S, Y, w)
    found = sums.calibrate()
    assert_allclose(found.temperatures, [temperature], rtol=0.02)
    assert_allclose(found.log_losses, [loss], rtol=2e-3)
    assert log_loss(S, Y, w, found.temperatures[0]) < loss + 2e-4
    assert_allclose(sums.error_rates(), [np.average(S.argmax(1) != Y.argmax(1), weights=w)])


@pytest.mark.parametrize("n_rows", [1, 60, 3000])
def test_sums_of_several_alphas_are_those_of_each(n_rows):
    S, Y, w = scores(2, n_rows=n_rows)
    units = np.array([1.0, 3.0, 0.2])
    together = LossSums(units, Y.shape[1])
    together.add_weights(w)
    together.add(units[:, None, None] * np.ascontiguousarray(S.T), Y.argmax(axis=1), w)
    alone = [sums_of(u * S, Y, w, u) for u in units]
    for found, *wanted in zip(together.calibrate(), *(s.calibrate() for s in alone), strict=True):
        assert_allclose(found, np.concatenate(wanted), rtol=1e-10)
    assert_allclose(together.error_rates(), np.concatenate([s.error_rates() for s in alone]))


@pytest.mark.parametrize("unit", [1e-200, 1e-6, 1e5, 1e200])
def test_temperatures_have_the_unit_of_the_scores(unit):
    S, Y, w = scores(3)
    plain, scaled = (sums_of(S * u, Y, w, u).calibrate() for u in (1.0, unit))
    assert_allclose(scaled.temperatures, plain.temperatures * unit, rtol=1e-9)
    assert_allclose(scaled.log_losses, plain.log_losses, rtol=1e-9)


def test_merged_sums_are_those_of_all_rows_in_any_units_of_weight():
    S, Y, w = scores(1)
    merged = sums_of(S[:20], Y[:20], 7 * w[:20])
    merged.merge(sums_of(S[20:], Y[20:], 7 * w[20:]))
    for found, wanted in zip(merged.calibrate(), sums_of(S, Y, w).calibrate(), strict=True):
        assert_allclose(found, wanted, rtol=1e-10)
    assert_allclose(merged.n_effective(), sums_of(S, Y, w).n_effective())


@pytest.mark.parametrize("unit", [1e-280, 1e280])
def test_tiny_and_huge_weights_keep_the_number_of_effective_rows(unit):
    S, Y, w = scores(1)
    sums = sums_of(S[:20], Y[:20], unit * w[:20])
    sums.merge(sums_of(S[20:], Y[20:], unit * w[20:]))
    assert_allclose(sums.n_effective(), np.sum(w) ** 2 / np.sum(w**2))
    assert_allclose(sums.calibrate().temperatures, sums_of(S, Y, w).calibrate().temperatures)


@pytest.mark.parametrize("n_rows", [4, 1000])
def test_separated_rows_are_as_certain_as_their_number_allows(n_rows):
    Y = np.eye(2)[np.arange(n_rows) % 2]
    found = sums_of(Y, Y, np.ones(n_rows)).calibrate()
    probability = 1 / (1 + np.exp(-1 / found.temperatures[0]))
    assert_allclose(1 - probability, 1 / (n_rows + 2), rtol=0.05)


def test_scores_of_the_wrong_class_are_worth_nothing():
    Y = np.eye(2)[np.arange(20) % 2]
    found = sums_of(1 - Y, Y, np.ones(20)).calibrate()
    assert found.temperatures[0] == 64 and abs(found.log_losses[0] - np.log(2)) < 0.02
