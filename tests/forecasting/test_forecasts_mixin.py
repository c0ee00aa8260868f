"""What all forecasters have in common, on one that forecasts the last value."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, Forecaster
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
    model = Naive().fit(SERIES + 0.25)
    assert model.forecast(2).tolist() == [8.25, 8.25]
    answer = model.forecast(2, interval=0.5)
    assert answer.iloc[0].tolist() == [8.25, 7.75, 8.75]
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


def opening_hours(index):
    return ((index.hour >= 9) & (index.hour < 17) & (index.day_of_week < 5)).astype(float)


HOURS = pd.date_range("2024-03-28", periods=24 * 9, freq="h", tz="Europe/Berlin")
OPEN = opening_hours(HOURS)
PERIODS = pd.period_range("2024-03-28", periods=24 * 9, freq="h")
WITH_TIMES = {
    "pandas": lambda: pd.Series(OPEN, HOURS),
    "periods": lambda: pd.Series(opening_hours(PERIODS), PERIODS),
    "polars": lambda: pytest.importorskip("polars").DataFrame({"t": HOURS, "open": OPEN}),
    "pyarrow": lambda: pytest.importorskip("pyarrow").table({"t": HOURS, "open": OPEN}),
}


@pytest.mark.parametrize("kind", WITH_TIMES)
def test_columns_of_the_calendar_tell_what_a_model_without_memory_needs(kind):
    # The clocks of Berlin change on 31 March: the hours are those of local time.
    whole = WITH_TIMES[kind]()
    is_frame = kind in ("polars", "pyarrow")
    known, half, rest = (
        whole.slice(start, n_rows) if is_frame else whole[start : start + n_rows]
        for start, n_rows in ((0, 192), (192, 12), (192, 24))
    )
    model = Forecaster(Ridge(1e-6), lags=1, calendar=("hour", "weekday")).fit(known)

    def values(container):
        return np.asarray(container["open"] if is_frame else container, dtype=float)

    assert model.n_exog_ == 0
    assert np.abs(values(model.forecast(24)) - values(rest)).max() < 0.1
    assert model.score(rest) > -0.1
    assert np.abs(values(model.update(half).forecast(12)) - values(rest)[12:]).max() < 0.1
    assert model.backtest(whole, 12, n_windows=3).scores["nrmse"] < 0.1


def test_the_calendar_stands_beside_exogenous_inputs():
    x = np.random.default_rng(0).normal(size=len(OPEN))
    series = pd.Series(2 * OPEN + x, HOURS, name="open")
    parameters = {"lags": 1, "calendar": ["hour", "weekday"], "strategy": "direct", "horizon": 3}
    model = Forecaster(Ridge(1e-6), **parameters).fit(series[:192], exog=x[:192])
    assert model.n_exog_ == 1
    answer = model.forecast(3, exog=x[192:195], interval=0.5)
    assert np.abs(answer["open"] - series[192:195]).max() < 0.2
    assert model.score(series[192:], exog=x[192:]) > -0.1
    result = model.backtest(series, 3, n_windows=4, exog=x, interval=0.5)
    assert result.scores["nrmse"] < 0.1
    holed, holed_x = series.copy(), x.copy()
    holed.iloc[50:53] = holed_x[100:102] = np.nan
    model = Forecaster(Ridge(1e-6), **parameters).fit(holed[:192], exog=holed_x[:192])
    holed_x[193] = np.nan
    model.update(holed[192:194], exog=holed_x[192:194])
    assert np.abs(model.forecast(3, exog=x[194:197]) - series[194:197]).max() < 0.3
    with pytest.warns(UserWarning, match="exog column 0 leaves the range"):
        model.forecast(3, exog=[0.0, 0.0, 30.0])


def test_a_month_that_fit_has_not_seen_has_no_effect():
    days = pd.Series(np.sin(np.arange(60)), pd.date_range("2023-01-01", periods=60))
    forecasts = [
        Forecaster(Ridge(), lags=2, calendar=calendar).fit(days[:59]).forecast(9)
        for calendar in ("month", ("month", "day"))
    ]
    assert np.abs(forecasts[0]).max() < 2 and np.isfinite(forecasts[1]).all()


def test_the_calendar_needs_time_stamps_and_known_names():
    with pytest.raises(ValueError, match="calendar needs a series with time stamps"):
        Forecaster(Ridge(), lags=1, calendar="hour").fit(OPEN)
    with pytest.raises(ValueError, match="calendar must have different names"):
        Forecaster(Ridge(), lags=1, calendar="second").fit(SERIES)
    with pytest.raises(ValueError, match="country must be given"):
        Forecaster(Ridge(), lags=1, calendar="holidays").fit(SERIES)


def test_an_automatic_forecaster_has_the_calendar_and_its_baselines_have_not():
    days = pd.date_range("2024-01-01", periods=84)
    series = pd.Series(np.where(days.day_of_week < 5, 5.0, 1.0), days)
    series += np.random.default_rng(0).normal(scale=0.1, size=84)
    parameters = {"horizon": 7, "seasons": [], "quick": True}
    plain = AutoForecaster(**parameters).fit(series[:77])
    model = AutoForecaster(**parameters, calendar="weekend").fit(series[:77])
    assert model.baselines_ == plain.baselines_
    assert model.error_ < 0.8 * plain.error_
    assert np.abs(model.forecast(7) - series[77:]).max() < 1
    best = AutoForecaster(**parameters, calendar="weekend", best=True).fit(series[:77])
    assert np.isfinite(best.update(series[77:]).forecast(3)).all()


def test_quantiles_are_limited_and_named():
    frame = Naive().fit(SERIES + 0.5).forecast(2, quantiles=[0.75, 0.25])
    assert list(frame) == ["x_0.75", "x_0.25"] and frame.iloc[0].tolist() == [9.25, 7.75]
    assert Naive().fit([9.8]).forecast(1, quantiles=[0.8]).tolist() == [[10.0]]
    assert check_quantiles(np.array([0.1])).tolist() == [0.1]


def test_samples_have_the_shape_of_arrays_and_reproduce():
    model = Naive().fit(SERIES)
    paths = model.sample(3, 5, random_state=1)
    assert paths.shape == (5, 3)
    np.testing.assert_array_equal(paths, model.sample(3, 5, random_state=1))
    assert Naive().fit(SERIES.to_frame()).sample(3).shape == (100, 3, 1)
