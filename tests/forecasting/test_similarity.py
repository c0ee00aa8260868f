"""Adaptive intervals: weights by similar states, and intervals that follow the volatility."""

import numpy as np
import pytest
from forecast_problems import DRIVEN, EXOG, esn
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._conformal import upper_quantile
from esnkit.forecasting._similarity import (
    TEMPERATURES,
    _weighted_quantiles,
    cosine_similarities,
    similarity_weights,
    softmax,
)


def two_regimes(n, seed):
    """Noise ten times as large where the state is positive; states, errors and the regimes."""
    rng = np.random.default_rng(seed)
    angle = rng.normal(size=n + 1)
    states = np.c_[angle, 0.1 * rng.normal(size=(n + 1, 3))]
    loud = angle > 0
    return states, np.where(loud, 10.0, 1.0)[:n, None, None] * rng.normal(size=(n, 1, 1)), loud


def test_weights_are_the_softmax_of_cosines_over_a_temperature():
    states, errors, _ = two_regimes(200, 0)
    weights = similarity_weights(states, errors, np.arange(200), 0.9)
    centred = states - states.mean(axis=0)
    cosines = [a @ centred[-1] / np.linalg.norm(a) for a in centred[:-1]]
    cosines = np.array(cosines) / np.linalg.norm(centred[-1])
    candidates = [np.exp(cosines / t) / np.exp(cosines / t).sum() for t in TEMPERATURES]
    assert any(np.allclose(weights, each) for each in candidates)
    np.testing.assert_allclose(cosine_similarities(states)[-1, :-1], cosines)


def test_weighted_quantiles_of_all_rows_equal_those_of_each():
    rng = np.random.default_rng(0)
    errors, weights = rng.normal(size=(30, 2)), rng.dirichlet(np.ones(30), size=30)
    found = _weighted_quantiles(errors, weights, 0.8)
    expected = np.stack([upper_quantile(errors, 0.8, row) for row in weights])
    np.testing.assert_array_equal(found, expected)


def test_weights_that_do_not_help_are_equal():
    rng = np.random.default_rng(0)
    states, errors = rng.normal(size=(301, 4)), rng.normal(size=(300, 2, 1))
    assert similarity_weights(states, errors, np.arange(300), 0.9) is None
    assert similarity_weights(states[:3], errors[:2], np.arange(2), 0.5) is None  # all overlap
    assert similarity_weights(states[:1], errors[:0], np.arange(0), 0.5) is None  # none is complete


def test_the_errors_of_a_calm_state_are_small_ones():
    rows = []
    for seed in range(8):
        states, errors, loud = two_regimes(150, seed)
        weights = similarity_weights(states, errors, np.arange(150), 0.9)
        rows.append((loud[-1], upper_quantile(np.abs(errors), 0.9, weights).item()))
    calm = np.mean([width for is_loud, width in rows if not is_loud])
    assert 1.2 < calm < 5 < 12 < np.mean([width for is_loud, width in rows if is_loud])


def heteroscedastic(n, seed):
    """A series whose noise is five times as large after positive values."""
    rng = np.random.default_rng(seed)
    y, noise, size = np.zeros(n), rng.normal(size=n), np.ones(n)
    for t in range(1, n):
        size[t] = 1.5 if y[t - 1] > 0 else 0.3
        y[t] = 0.7 * y[t - 1] + size[t] * noise[t]
    return y, size


@pytest.mark.parametrize("estimator, lags", [(esn(n_units=20, alpha=10.0), None), (Ridge(), 3)])
def test_adaptive_intervals_follow_the_volatility(estimator, lags):
    y, size = heteroscedastic(500, 0)
    loud = size > 1
    rows = np.sort(
        np.r_[400 + np.flatnonzero(loud[400:])[:5], 400 + np.flatnonzero(~loud[400:])[:5]]
    )
    mistakes = {}
    for intervals in ("split", "adaptive"):
        model = Forecaster(estimator, lags=lags, calibration=0.5, intervals=intervals).fit(y[:400])
        widths = []
        for seen, row in zip([400, *rows], rows, strict=False):
            model = model.update(y[seen:row]) if row > seen else model
            _, lower, upper = model.forecast(1, interval=0.9)
            widths.append((upper - lower).item())
        mistakes[intervals] = np.abs(np.log(widths / (2 * 1.645 * size[rows]))).mean()
    assert np.mean(np.array(widths)[loud[rows]]) > 1.3 * np.mean(np.array(widths)[~loud[rows]])
    assert mistakes["adaptive"] < 0.75 * mistakes["split"]


def test_states_come_with_the_last_row_and_the_inputs_of_the_next():
    values, exog = DRIVEN[:300, None], EXOG[:301, None]
    for estimator, lags in ((esn(), None), (Ridge(), 2)):
        model = Forecaster(estimator, lags=lags).fit(values[:200], exog=exog[:200])
        found = model._ensemble.states(values[200:], exog[200:], [0, 60, 100])
        moved = model.update(values[200:], exog=exog[200:300])._ensemble
        np.testing.assert_allclose(found[2:], moved.states(values[:0], exog[300:], [0]), rtol=1e-9)
        assert found.shape == (3, 60 if lags is None else 4)
        assert not np.allclose(found[0], found[1])


def test_a_softmax_of_large_logits_is_finite():
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0])), [0.5, 0.5])
