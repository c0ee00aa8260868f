"""What all forecasters have in common, on one that forecasts the last value."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from esnkit.forecasting._conformal import StepErrors
from esnkit.forecasting._forecasts_mixin import ForecastsMixin, check_quantiles


class LastValue:
    """An ensemble of one model, which repeats the last row."""

    def __init__(self, last):
        self.last = last

    def advance(self, values, exog):
        return LastValue(values[-1])

    def roll(self, values, exog, origins, n_steps):
        known = [values[origin - 1] if origin else self.last for origin in origins]
        return np.repeat(np.array(known)[:, None], n_steps, axis=1)

    def limit(self, values):
        return np.minimum(values, 10.0)

    def exog_out_of_range(self, exog):
        return np.array([], dtype=int), np.zeros_like(exog)


class Naive(ForecastsMixin, BaseEstimator):
    """A forecaster made of these."""

    verbose = 0

    def fit(self, series, y=None, exog=None):
        values, _ = self._read(series, y, exog)
        self._ensemble = LastValue(values[-1])
        return self

    def _errors_ahead(self, n_steps, ahead, level):
        ends = np.array([-level, level])[:, None, None]
        return StepErrors(np.repeat(ends, n_steps, axis=1))

    def _sample(self, ahead, n_steps, n_samples, rng):
        return self._ensemble.last + rng.normal(size=(n_samples, n_steps, 1)).cumsum(axis=1)


SERIES = pd.Series(np.arange(9.0), pd.date_range("2024", periods=9), name="x")


def test_forecasts_continue_the_index_and_intervals_are_limited():
    model = Naive().fit(SERIES)
    assert model.forecast(2).tolist() == [8.0, 8.0]
    answer = model.forecast(2, interval=0.5)
    assert answer.iloc[0].tolist() == [8.0, 7.5, 8.5]
    assert list(answer.index) == list(pd.date_range("2024-01-10", periods=2))
    assert Naive().fit([9.8]).forecast(1, interval=0.5)[2].tolist() == [10.0]
    with pytest.raises(ValueError, match="n_steps"):
        model.forecast(0)


def test_updates_history_backtests_and_scores():
    model = Naive().fit(SERIES[:5]).update(SERIES[5:7])
    assert model.forecast(1).tolist() == [6.0] and model.n_timesteps_ == 7
    assert model.history(2).tolist() == [5.0, 6.0]
    assert model.score(SERIES[7:]) == pytest.approx(-np.sqrt((1 + 4) / 2) / 0.5)
    result = model.backtest(SERIES, 2, n_windows=2)
    assert result.forecasts["x"].tolist() == [4.0, 4.0, 6.0, 6.0]


def test_forecasts_far_from_the_series_are_warned_of():
    with pytest.warns(RuntimeWarning, match="leaves the range of the series"):
        model = Naive().fit(SERIES)
        model._ensemble = LastValue(np.array([200.0]))
        model.forecast(1)


def test_quantiles_are_limited_and_named():
    frame = Naive().fit(SERIES).forecast(2, quantiles=[0.75, 0.25])
    assert list(frame) == ["x_0.75", "x_0.25"] and frame.iloc[0].tolist() == [8.75, 7.25]
    assert Naive().fit([9.8]).forecast(1, quantiles=[0.8]).tolist() == [[10.0]]
    assert check_quantiles(np.array([0.1])).tolist() == [0.1]


def test_samples_have_the_shape_of_arrays_and_reproduce():
    model = Naive().fit(SERIES)
    paths = model.sample(3, 5, random_state=1)
    assert paths.shape == (5, 3)
    np.testing.assert_array_equal(paths, model.sample(3, 5, random_state=1))
    assert Naive().fit(SERIES.to_frame()).sample(3).shape == (100, 3, 1)
