"""ResidualsDisplay: errors of a backtest, and their autocorrelation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.plotting import ResidualsDisplay

pytest.importorskip("matplotlib.pyplot")
RNG = np.random.default_rng(0)


def test_the_autocorrelation_is_that_of_the_definition():
    e = RNG.standard_normal(60).cumsum()
    display = ResidualsDisplay.from_residuals(e, name="kWh")
    c = e - e.mean()
    expected = [np.sum(c[k:] * c[: len(c) - k]) / np.sum(c * c) for k in range(1, 16)]
    np.testing.assert_allclose(display.autocorrelation_, expected)
    assert display.axes_[0].get_ylabel() == "kWh"
    large = ResidualsDisplay.from_residuals(1e300 * e)
    np.testing.assert_allclose(large.autocorrelation_, expected)
    assert all(tick == round(tick) for tick in large.axes_[2].get_xticks())
    limits = [line.get_ydata()[0] for line in display.axes_[2].get_lines()[1:]]
    np.testing.assert_allclose(limits, [-1.96 / 60**0.5, 1.96 / 60**0.5])


def test_errors_are_those_of_a_backtest():
    dates = pd.date_range("2020-01-01", periods=100, freq="D")
    series = pd.Series(np.sin(np.arange(100) / 3) + 0.1 * RNG.standard_normal(100), dates)
    model = Forecaster(Ridge(), lags=4).fit(series)
    display = ResidualsDisplay.from_forecaster(model)
    result = model.backtest(series, 1, 30)
    np.testing.assert_array_equal(display.residuals, (result.observed - result.forecasts).squeeze())
    assert display.times[0] == dates[70]
    exog = np.arange(100.0)[:, None] % 7
    model = Forecaster(Ridge(), lags=4).fit(np.c_[series, series], exog=exog)
    display = ResidualsDisplay.from_forecaster(model, exog=exog, column=1, n_windows=9)
    assert len(display.residuals) == 9


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: ResidualsDisplay.from_residuals([1.0, 2.0]), "at least 4 finite values, got 2"),
        (lambda: ResidualsDisplay.from_residuals(np.ones(9), times=[1]), "times must have 9"),
        (lambda: ResidualsDisplay.from_residuals([np.nan] * 9), "finite"),
    ],
)
def test_wrong_calls_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="forecaster must be a fitted Forecaster"):
        ResidualsDisplay.from_forecaster(Ridge())


def test_constant_errors_have_no_autocorrelation():
    assert not ResidualsDisplay.from_residuals(np.ones(8)).autocorrelation_.any()


@pytest.mark.parametrize("value", [1.0, 0.1])
def test_equal_errors_have_no_autocorrelation(value):
    display = ResidualsDisplay.from_residuals(np.full(20, value))  # 0.1: their mean is rounded
    np.testing.assert_array_equal(display.autocorrelation_, np.zeros(5))
    assert all(tick == round(tick) for tick in display.axes_[2].get_xticks())
    single = ResidualsDisplay.from_residuals([1.0, 2.0, 4.0, 3.0])
    assert all(tick == round(tick) for tick in single.axes_[2].get_xticks())
