"""Backtests: windows, refits, scores."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE, esn
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from esnkit import Forecaster
from esnkit.baselines import persistence
from esnkit.forecasting._backtest import backtest
from esnkit.metrics import mase, nrmse


def test_backtest_windows_end_with_the_series():
    model = Forecaster(Ridge(1e-9), lags=6)
    result = model.backtest(DRIVEN, 10, 4, exog=EXOG, stride=15)
    np.testing.assert_array_equal(result.origins, [345, 360, 375, 390])
    assert result.forecasts.shape == result.observed.shape == (4, 10)
    np.testing.assert_array_equal(result.observed[-1], DRIVEN[390:])
    by_hand = clone(model).fit(DRIVEN[:345], exog=EXOG[:345])
    by_hand.update(DRIVEN[345:360], EXOG[345:360])
    np.testing.assert_allclose(result.forecasts[1], by_hand.forecast(10, EXOG[360:]), rtol=1e-9)
    assert not hasattr(model, "n_features_in_")


def test_the_first_rows_have_the_time_stamps_of_the_series_and_their_rule():
    # Four days tell nothing of weekends, which the rule of all leaves out.
    index = pd.bdate_range("2024-01-01", periods=20, freq="B").to_numpy()
    days = pd.Series([1.0, 2, 3, 4, 5] * 4, index)
    model = Forecaster(Ridge(1e-6), lags=1, calendar="weekday")
    result = model.backtest(days, 3, n_windows=2, stride=13)
    assert result.origins.tolist() == [4, 17]
    assert result.forecasts.loc[days.index[3]].index.tolist() == days.index[4:7].tolist()
    wednesday_and_thursday = result.forecasts.loc[days.index[16], "series"][:2]
    np.testing.assert_allclose(wednesday_and_thursday, [3, 4], atol=1e-3)  # Fridays are not known


def test_backtest_can_fit_anew_at_every_origin():
    result = Forecaster(Ridge(1.0), lags=3).backtest(DRIVEN, 5, 3, refit=True)
    last = Forecaster(Ridge(1.0), lags=3).fit(DRIVEN[:395]).forecast(5)
    np.testing.assert_allclose(result.forecasts[-1], last, rtol=1e-12)
    assert set(result.scores) == {"nrmse", "mase"}


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s, e: (s, e.sample(frac=1, random_state=0)), "exog must have the index"),
        (lambda s, e: (s, e.shift(freq="-7D")), "exog must have the index"),
        (lambda s, e: (s[::-1], e[::-1]), "series must have its oldest row first"),
        (lambda s, e: (s.drop(s.index[50:60]), None), "series must have a regular index"),
    ],
)
def test_a_backtest_reads_indices_as_fit_does(change, message):
    index = pd.date_range("2024-01-01", periods=200, freq="h")
    series, inputs = pd.Series(WAVE[:200], index), pd.DataFrame({"a": EXOG[:200]}, index)
    changed, exog = change(series, inputs)
    with pytest.raises(ValueError, match=message):
        Forecaster(Ridge(), lags=2).backtest(changed, 5, 3, exog=exog)


class Naive:
    """The methods that a backtest asks of a forecaster, as a third party may write them."""

    def fit(self, series, exog=None):
        self.series = series

    def update(self, new, exog=None):
        self.series = np.concatenate([self.series, new])

    def forecast(self, n_steps, exog=None, interval=None):
        return persistence(self.series, n_steps)


def test_any_object_with_fit_update_and_forecast_is_backtested():
    result = backtest(Naive(), WAVE, 3, 4)
    assert result.forecasts.tolist() == [[WAVE[origin - 1]] * 3 for origin in result.origins]
    assert result.observed.ravel().tolist() == WAVE[-12:].tolist()
    y_pred = result.forecasts.ravel()
    assert result.scores["nrmse"] == pytest.approx(nrmse(WAVE[-12:], y_pred))
    assert result.scores["mase"] == pytest.approx(mase(WAVE[-12:], y_pred, WAVE[:-12]))


def test_several_series_give_windows_with_columns():
    table = np.c_[WAVE, DRIVEN]
    result = Forecaster(Ridge(), lags=2).backtest(table, 5, 3, interval=0.8)
    for windows in (result.forecasts, result.observed, result.lower, result.upper):
        assert windows.shape == (3, 5, 2)
    inside = (result.lower <= result.observed) & (result.observed <= result.upper)
    assert result.scores["coverage"] == inside.mean()


@pytest.mark.parametrize("name", ["wave", None])
def test_windows_of_dates_are_frames_with_dates(name):
    index = pd.date_range("2024-01-01", periods=400, freq="D", name="day")
    series, model = pd.Series(WAVE, index, name=name), Forecaster(Ridge(), lags=2)
    plain = model.backtest(WAVE, 5, 3, interval=0.8)
    result = model.backtest(series, 5, 3, interval=0.8)
    for key in ("forecasts", "observed", "lower", "upper"):
        frame = result[key]
        assert list(frame.columns) == [name or "series"] and frame.index.names == ["origin", "day"]
        assert frame.index.get_level_values(1).tolist() == index[-15:].tolist()
        assert frame.index.get_level_values(0).tolist() == np.repeat(index[384:395:5], 5).tolist()
        np.testing.assert_array_equal(frame.to_numpy().reshape(3, 5), plain[key])
    assert result.scores == plain.scores
    assert (result.observed.droplevel(0).squeeze() == series[-15:]).all()
    window = result.forecasts.loc[index[389]].squeeze()
    expected = clone(model).fit(series[:385]).update(series[385:390]).forecast(5)
    np.testing.assert_allclose(window, expected)


def test_windows_of_tables_have_a_column_per_series():
    table = pd.DataFrame({"a": WAVE, "b": DRIVEN})
    result = Forecaster(Ridge(), lags=2).backtest(table, 5, 1)
    assert result.forecasts.shape == (5, 2) and result.forecasts.index.names == ["origin", "time"]
    assert result.forecasts.index.tolist() == [(394, row) for row in range(395, 400)]
    np.testing.assert_array_equal(result.observed, table[-5:])


def test_windows_of_polars_have_columns_of_dates():
    pl = pytest.importorskip("polars")
    index = pd.date_range("2024-01-01", periods=400, freq="D")
    frame = pl.DataFrame({"x": WAVE, "day": index.to_numpy()})
    result = Forecaster(Ridge(), lags=2).backtest(frame, 5, 3)
    assert result.forecasts.columns == ["origin", "day", "x"]
    assert result.forecasts["day"].to_list() == index[-15:].tolist()
    assert result.forecasts["origin"].to_list() == np.repeat(index[384:395:5], 5).tolist()
    bare = Forecaster(Ridge(), lags=2).backtest(frame["x"], 5, 3)
    assert bare.observed.columns == ["origin", "step", "x"]
    assert bare.observed["origin"].to_list() == np.repeat([385, 390, 395], 5).tolist()
    assert bare.observed["step"].to_list() == [1, 2, 3, 4, 5] * 3


def test_what_the_estimators_have_chosen_is_returned():
    network = esn(n_units=20, alpha=[1e-6, 1e-2])
    result = Forecaster(network, n_ensemble=2, random_state=0).backtest(WAVE, 5, 3)
    (settings,) = result.settings
    assert set(settings) == {"alpha"} and len(settings["alpha"]) == 2
    assert set(settings["alpha"]) <= {1e-6, 1e-2}
    search = GridSearchCV(Ridge(), {"alpha": [1e-6, 10.0]}, cv=TimeSeriesSplit(3))
    result = Forecaster(search, lags=3).backtest(WAVE, 5, 3, refit=True)
    assert result.settings == [{"alpha": [1e-6]}] * 3
    assert Forecaster(Ridge(), lags=3).backtest(WAVE, 5, 3).settings == [{}]
