"""Exponential smoothing: the three best of several models."""

from itertools import product

import numpy as np
import pytest
from reference import exponential_smoothing as one_model

from esnkit.baselines import exponential_smoothing

RNG = np.random.default_rng(0)
WALK = RNG.normal(size=40).cumsum()


def every_model(values, n_steps, periods, horizon):
    """Return the mean of the three best models, with errors at every row of the last two thirds."""
    n_rows, errors, forecasts = len(values), [], []
    first = max(max(periods), n_rows // 3)
    for period, logs in product(periods, (False, True) if values.min() > 0 else (False,)):
        rows = np.log(values) if logs else values
        whole = rows[: min(n_rows // period, 4) * period].reshape(-1, period)
        season = np.mean([part - part.mean() for part in whole], axis=0)
        change = np.mean([rows[t] - rows[t - period] for t in range(period, n_rows)]) / period
        gammas = (0.0, 0.1, 0.3) if period > 1 else (0.0,)
        for alpha, gamma, share in product((1.0, 0.6, 0.3, 0.15), gammas, (0.0, 0.5, 1.0)):
            given = rows, values, logs, alpha, gamma, share * change, whole[0].mean(), season
            errors.append(one_model(*given, horizon)[1][first:].mean())
            forecasts.append(one_model(*given, n_steps)[0][-1])
    return np.mean([forecasts[k] for k in np.argsort(errors, kind="stable")[:3]], axis=0)


@pytest.mark.parametrize("values", [WALK, np.exp(WALK / 4)], ids=["of any sign", "positive"])
@pytest.mark.parametrize(
    ("periods", "horizon"), [((), 3), ((4,), 6), ((3, 10), 1)], ids=["level", "season", "two"]
)
def test_the_forecast_is_the_mean_of_the_three_best_models(values, periods, horizon):
    expected = every_model(values, 5, periods or (1,), horizon)
    found = exponential_smoothing(values, 5, periods, horizon)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_seasons_and_trends_are_continued():
    months = np.arange(72)
    season = np.tile([3.0, -1.0, 0.0, -2.0, 5.0, -5.0], 12)
    for series in (10 + 0.2 * months + season, np.exp(0.02 * months + season / 5)):
        found = exponential_smoothing(series[:60], 12, [6])
        np.testing.assert_allclose(found, series[60:], rtol=0.05)


def test_every_column_is_a_series_whose_unit_does_not_matter():
    table = np.c_[WALK, np.exp(WALK / 4)]
    expected = [exponential_smoothing(column, 4, [5]) for column in table.T]
    for unit in (2.0**-1000, 1.0, 2.0**1000):
        found = exponential_smoothing(unit * table, 4, [5])
        np.testing.assert_allclose(found / unit, np.stack(expected, axis=1), rtol=1e-12)


def test_short_and_long_series():
    np.testing.assert_array_equal(exponential_smoothing([2.0], 2, [12]), [2, 2])
    np.testing.assert_array_equal(exponential_smoothing([0.0, 0.0], 2), [0, 0])
    days = np.sin(2 * np.pi * np.arange(7000) / 7) + RNG.normal(size=7000)
    np.testing.assert_array_equal(
        exponential_smoothing(days, 9, [7]), exponential_smoothing(days[-3000:], 9, [7])
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([], 1), "past must be 1-D or 2-D with at least 1 time step"),
        (([1.0, np.nan], 1), "past must be finite"),
        ((WALK, 0), "n_steps must be an integer >= 1"),
        ((WALK, 1, [0]), "a period in periods must be an integer >= 1"),
        ((WALK, 1, [], 0), "horizon must be an integer >= 1"),
    ],
)
def test_bad_input_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        exponential_smoothing(*given)
