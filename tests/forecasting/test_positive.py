"""Forecasts and intervals of counts end at zero."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from esnkit import Forecaster
from esnkit.forecasting._positive import is_positive

FALLING = np.arange(40.0)[::-1] + 3
NOISY = FALLING + np.random.default_rng(0).integers(0, 4, 40)


def forecaster(**parameters):
    return Forecaster(LinearRegression(), lags=2, **parameters)


@pytest.mark.parametrize(
    "values, counts",
    [([0.0, 2.0], True), ([-1.0, 2.0], False), ([0.5, 2.0], False), ([0.0, 0.0], True)],
)
def test_counts_are_whole_and_not_negative(values, counts):
    assert is_positive("auto", np.array(values)) is counts
    assert is_positive(False, np.array(values)) is False


@pytest.mark.parametrize("positive, series", [("auto", NOISY), (True, NOISY + 0.5)])
def test_forecasts_and_intervals_end_at_zero(positive, series):
    model = forecaster(positive=positive).fit(series)
    ahead, lower, upper = model.forecast(9, interval=0.5)
    assert ahead[-1] == 0.0 and (lower >= 0).all() and (upper >= ahead).all()
    assert model.update([0.0]).forecast(9).min() == 0.0


@pytest.mark.parametrize("positive, series", [("auto", NOISY + 0.5), (False, NOISY)])
def test_others_go_on_below_zero(positive, series):
    assert forecaster(positive=positive).fit(series).forecast(9)[-1] < 0


def test_every_series_has_its_own_limit():
    table = np.c_[FALLING, FALLING + 0.5]
    ahead = forecaster().fit(table).forecast(9)
    assert ahead[-1, 0] == 0.0 and ahead[-1, 1] < 0


def test_scores_are_those_of_the_forecasts():
    zeros = np.r_[np.zeros(8), 1.0]
    positive, free = (forecaster(positive=p).fit(FALLING) for p in (True, False))
    assert positive.score(zeros) > free.score(zeros)
