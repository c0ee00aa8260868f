"""Errors of a combination on rows held out, and their weights."""

import numpy as np
import pytest

from esnkit import AutoForecaster
from esnkit.baselines import exponential_smoothing
from esnkit.forecasting._adaptive_errors import _rolling_errors, adaptive_errors
from esnkit.forecasting._similarity import similarity_weights

RNG = np.random.default_rng(0)
STEPS = 2

pytestmark = [
    pytest.mark.filterwarnings("ignore:the baseline"),
    pytest.mark.usefixtures("no_regressions_as_baselines"),
]


def fitted(values, **parameters):
    return AutoForecaster(seasons=[], horizon=STEPS, quick=True, **parameters).fit(values)


def second_forecasts(model, values):
    """Forecast from rolling origins with the networks that are fitted to the first rows."""
    networks = [calibrator._ensemble for calibrator in model._calibrators[0]]
    start, exog = round(0.7 * len(values)), np.empty((len(values), 0))
    origins = np.arange(start, len(values) - STEPS + 1)
    rolled = [
        network.roll(values[start:], exog, origins - start, STEPS)[:, :, 0] for network in networks
    ]
    return networks, origins, np.median(rolled, axis=0)


def smoothed_forecasts(series, origins):
    """Return the forecasts of exponential smoothing from each origin."""
    return np.stack([exponential_smoothing(series[:k, 0], STEPS) for k in origins])


def test_errors_are_those_of_the_median_and_of_its_mean_with_smoothed_ones():
    walk = np.random.default_rng(4).normal(size=(80, 1)).cumsum(axis=0)
    model = fitted(walk)
    part, exog = model._ensemble.parts[0], np.empty((80, 0))
    share = model.smoothing_share_
    assert 0.3 < share < 1
    found = _rolling_errors(part, model._calibrators[0], walk, exog, STEPS)[:, :, 0]
    _, origins, medians = second_forecasts(model, walk)
    observed = np.stack([walk[k : k + STEPS, 0] for k in origins])
    ahead = (1 - share) * medians + share * smoothed_forecasts(walk, origins)
    np.testing.assert_allclose(found, observed - ahead, atol=1e-9)


def test_weights_come_from_the_states_of_all_networks_side_by_side():
    t = np.arange(160)
    series = 3 * np.sin(2 * np.pi * t / 12)[:, None]
    series[:, 0] += np.where(t % 12 < 6, 1.5, 0.1) * RNG.normal(size=160)
    model = fitted(series, intervals="adaptive")
    part, calibrators = model._ensemble.parts[0], model._calibrators[0]
    no_exog = np.empty((160, 0)), np.empty((STEPS, 0))
    found = adaptive_errors(part, calibrators, series, *no_exog, STEPS, 0.8)
    networks, origins, medians = second_forecasts(model, series)
    observed = np.stack([series[k : k + STEPS, 0] for k in origins])
    share = model.smoothing_share_  # there are no seasons
    ahead = (1 - share) * medians + share * smoothed_forecasts(series, origins)
    np.testing.assert_allclose(found.errors[:, :, 0], observed - ahead, atol=1e-9)
    ends = np.append(origins, 160) - origins[0]
    states = [network.states(series[origins[0] :], no_exog[0], ends) for network in networks]
    expected = similarity_weights(np.hstack(states), found.errors, origins, 0.8)
    assert len(states) > 1 and np.ptp(found.weights) > 0
    np.testing.assert_allclose(found.weights, expected)
    half_widths = model.forecast(STEPS, interval=0.8)[2] - model.forecast(STEPS)
    np.testing.assert_allclose(half_widths, found.half_widths(0.8))
