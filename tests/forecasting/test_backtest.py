"""Backtests: windows, refits, scores."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE
from sklearn.base import clone
from sklearn.linear_model import Ridge

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
