"""Naive forecasts, those that copy, and the order of an autoregressive model."""

import math

import numpy as np
import pytest

from esnkit.baselines import (
    autoregressive_order,
    context_parrot,
    drift,
    persistence,
    seasonal_naive,
)


def test_persistence_repeats_the_last_value():
    past = np.arange(10.0)
    np.testing.assert_array_equal(persistence(past, 3), [9, 9, 9])
    np.testing.assert_array_equal(persistence(np.c_[past, -past], 2), [[9, -9], [9, -9]])


def test_the_seasonal_naive_forecast_repeats_the_last_season():
    past = np.arange(10.0)
    np.testing.assert_array_equal(seasonal_naive(past, 6, 4), [6, 7, 8, 9, 6, 7])
    np.testing.assert_array_equal(seasonal_naive(past, 2, 10), [0, 1])
    table = seasonal_naive(np.c_[past, -past], 3, 2)
    np.testing.assert_array_equal(table, [[8, -8], [9, -9], [8, -8]])


@pytest.mark.parametrize("period", [1, 3, 7])
def test_a_season_of_the_past_is_continued(period):
    series = np.tile(np.arange(period), 30)
    np.testing.assert_array_equal(seasonal_naive(series[: 7 * period], 20, period), series[:20])


def test_drift_continues_the_line_through_the_ends():
    past = np.r_[3.0, 40.0, -7.0, 9.0]
    np.testing.assert_allclose(drift(past, 3), [11, 13, 15])
    np.testing.assert_allclose(drift(np.c_[past, -past], 2), [[11, -11], [13, -13]])
    assert np.isfinite(drift([-1.5e308, 0.0, 1.5e308], 1)).sum() == 0  # beyond the range, no NaN
    np.testing.assert_allclose(drift([1e308, -1e308, 1e308], 2), [1e308, 1e308])
    np.testing.assert_array_equal(drift([-1e308, 1e308], 2), [np.inf, np.inf])


def parrot_step_by_step(x, n_steps, length):
    """Algorithm 1 of Zhang and Gilpin (2025), in its own words and indices."""
    n = len(x)
    last, distances = x[n - length :], {}
    for end in range(length, n - length + 1):
        distances[end] = np.linalg.norm(x[end - length : end] - last)
    end = min(distances, key=distances.get)
    copied = []
    while len(copied) < n_steps:
        copied.extend(x[end:])
    return np.array(copied[:n_steps])


@pytest.mark.parametrize(("length", "n_steps"), [(1, 9), (4, 3), (7, 70), (20, 5)])
def test_the_parrot_copies_what_followed_the_nearest_segment(length, n_steps):
    past = np.random.default_rng(length).normal(size=(40, 2)) * [1e200, 1e-200]
    found = context_parrot(past, n_steps, length)
    scaled = past / [1e200, 1e-200]
    for j in range(2):
        expected = parrot_step_by_step(scaled[:, j], n_steps, length)
        np.testing.assert_allclose(found[:, j] / past[0, j], expected / scaled[0, j])
        np.testing.assert_array_equal(found[:, j], context_parrot(past[:, j], n_steps, length))


def test_the_order_by_aic_is_that_of_one_fit_per_order():
    rng, n, most = np.random.default_rng(0), 400, 12
    series = np.zeros(n)
    for t in range(3, n):
        series[t] = 0.5 * series[t - 1] - 0.4 * series[t - 3] + rng.normal()
    aic = []
    for p in range(most + 1):
        lags = [series[most - k : n - k] for k in range(1, p + 1)]
        design = np.column_stack([np.ones(n - most), *lags])
        rest = series[most:] - design @ np.linalg.lstsq(design, series[most:], rcond=None)[0]
        aic.append((n - most) * math.log(rest @ rest / (n - most)) + 2 * p)
    for unit in (1e-200, 1.0, 1e200):
        assert autoregressive_order(unit * series, most) == int(np.argmin(aic))


WRONG = [
    (lambda: persistence([], 2), ValueError, "past must be 1-D or 2-D with at least 1 time step"),
    (lambda: persistence(np.ones((2, 2, 2)), 2), ValueError, "past must be 1-D or 2-D"),
    (lambda: persistence([1.0, np.nan], 2), ValueError, "past must be finite"),
    (lambda: persistence(["a"], 2), ValueError, "past must hold numbers"),
    (lambda: persistence([1.0], 0), ValueError, "n_steps must be an integer >= 1, got 0"),
    (lambda: persistence([1.0], 1.5), TypeError, "n_steps must be an integer >= 1, got 1.5"),
    (lambda: seasonal_naive([1.0, 2.0], 2, 3), ValueError, "past .* at least 3 time step"),
    (lambda: seasonal_naive([1.0, 2.0], 2, 0), ValueError, "period must be an integer >= 1, got 0"),
    (lambda: drift([1.0], 2), ValueError, "past .* at least 2 time step"),
    (lambda: context_parrot(np.ones(7), 2, 4), ValueError, "past .* at least 8 time step"),
    (lambda: context_parrot(np.ones(7), 2, 0), ValueError, "context_length must be an integer >="),
    (lambda: autoregressive_order(np.ones(9), 0), ValueError, "max_order must be an integer >= 1"),
    (lambda: autoregressive_order(np.ones(9), 4), ValueError, "series .* at least 10 time steps"),
    (lambda: autoregressive_order(np.ones((9, 1)), 2), ValueError, "series must be 1-D"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_wrong_calls_name_the_argument(case):
    call, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        call()
