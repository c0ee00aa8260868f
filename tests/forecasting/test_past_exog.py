"""Inputs known up to the present only."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, ESNRegressor, Forecaster

RNG = np.random.default_rng(0)
LEAD = RNG.standard_normal(300).cumsum() * 0.1 + np.sin(np.arange(300) / 5)
SERIES = np.concatenate([np.zeros(3), LEAD[:-3]]) + 0.01 * RNG.standard_normal(300)
MODELS = {
    "network": Forecaster(ESNRegressor(40, alpha=1e-3, random_state=0)),
    "lags": Forecaster(Ridge(1e-3), lags=4),
    "direct": Forecaster(Ridge(1e-3), lags=4, strategy="direct", horizon=5),
    "chosen": Forecaster(random_state=0),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@each_model
def test_an_input_that_leads_the_series_makes_the_next_steps_known(model):
    with_lead = clone(model).backtest(SERIES, 3, 10, past_exog=LEAD)
    without = clone(model).backtest(SERIES, 3, 10)
    assert with_lead.scores["nrmse"] < 0.6 * without.scores["nrmse"]


@each_model
def test_the_forecast_is_that_of_both_together_without_the_input(model):
    joint = np.c_[SERIES, LEAD]
    both = clone(model).fit(joint[:280])
    past = clone(model).fit(SERIES[:280], past_exog=LEAD[:280])
    assert (past.n_features_in_, past.n_past_exog_) == (1, 1)
    np.testing.assert_allclose(past.forecast(5), both.forecast(5)[:, 0], rtol=1e-6)
    for ends in zip(past.forecast(5, interval=0.8), both.forecast(5, interval=0.8), strict=True):
        np.testing.assert_allclose(ends[0], ends[1][:, 0], rtol=1e-6)
    quantiles = past.forecast(5, quantiles=[0.2, 0.9])
    np.testing.assert_allclose(quantiles, both.forecast(5, quantiles=[0.2, 0.9])[:, 0], rtol=1e-6)
    past.update(SERIES[280:290], past_exog=LEAD[280:290])
    both.update(joint[280:290])
    np.testing.assert_allclose(past.forecast(5), both.forecast(5)[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(past.history(3), SERIES[287:290])
    score = past.score(SERIES[290:], past_exog=LEAD[290:])
    predicted = both._ensemble.roll(joint[290:], np.empty((20, 0)), [0, 5], 5)[:, :, 0].ravel()
    if model.horizon == 5:
        error = np.sqrt(np.mean((predicted - SERIES[290:]) ** 2)) / SERIES[290:].std()
        assert score == pytest.approx(-error, rel=1e-6)
    if model.strategy == "recursive":
        paths = past.sample(5, 7, random_state=0)
        expected = both.sample(5, 7, random_state=0)[:, :, 0]
        np.testing.assert_allclose(paths, expected, rtol=1e-6)


def test_later_values_of_the_input_reach_no_forecast():
    changed = LEAD.copy()
    changed[280:] += 100
    results = [
        Forecaster(Ridge(), lags=4).backtest(SERIES, 20, 1, past_exog=past).forecasts
        for past in (LEAD, changed)
    ]
    np.testing.assert_array_equal(*results)


def test_names_labels_and_counts_are_checked():
    days = pd.date_range("2024-01-01", periods=300, freq="D")
    series, past = pd.Series(SERIES, days), pd.DataFrame({"rain": LEAD}, days)
    model = Forecaster(Ridge(), lags=4).fit(series[:280], past_exog=past[:280])
    assert list(model.forecast(3).index) == list(days[280:283])
    calls = {
        "past_exog must be given: the model was fitted with 1": lambda: model.update(series[280:]),
        "past_exog must have the columns": lambda: model.update(
            series[280:], past_exog=past[280:].rename(columns={"rain": "snow"})
        ),
        "past_exog must have the index of its time steps": lambda: model.update(
            series[280:], past_exog=past[:20]
        ),
        "past_exog must have 300 rows": lambda: Forecaster().fit(series, past_exog=past[:9]),
        "past_exog must be None: the model was fitted without": lambda: AutoForecaster(
            quick=True, seasons=[]
        ).fit(SERIES[:40]).update([1.0], past_exog=[1.0]),
    }  # fmt: skip
    for message, call in calls.items():
        with pytest.raises(ValueError, match=message):
            call()
    model.update(series[280:], past_exog=past[280:])


def test_counts_end_at_zero_and_inputs_do_not():
    counts = RNG.poisson(2.0, 100).astype(float)
    model = Forecaster(Ridge(), lags=3).fit(counts, past_exog=-np.arange(100.0))
    assert (np.stack(model.forecast(9, interval=0.9)) >= 0).all()


def test_missing_values_of_the_input_are_predicted():
    holes = LEAD.copy()
    holes[[0, 50, 51, 279]] = np.nan
    complete = Forecaster(Ridge(), lags=4).fit(SERIES[:280], past_exog=LEAD[:280]).forecast(3)
    found = Forecaster(Ridge(), lags=4).fit(SERIES[:280], past_exog=holes[:280]).forecast(3)
    np.testing.assert_allclose(found, complete, atol=0.3)
