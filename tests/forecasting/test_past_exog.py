"""Inputs known up to the present only."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, ESNRegressor, Forecaster, SeriesTransform

pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")
RNG = np.random.default_rng(0)
LEAD = RNG.standard_normal(300).cumsum() * 0.1 + np.sin(np.arange(300) / 5)
SERIES = np.concatenate([np.zeros(3), LEAD[:-3]]) + 0.01 * RNG.standard_normal(300)
MODELS = {
    "network": Forecaster(ESNRegressor(40, alpha=1e-3, random_state=0)),
    "lags": Forecaster(Ridge(1e-3), lags=4),
    "direct": Forecaster(Ridge(1e-3), lags=4, strategy="direct", horizon=5),
    "chosen": Forecaster(horizon=3, random_state=0),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@each_model
def test_an_input_that_leads_the_series_makes_the_next_steps_known(model):
    with_lead = clone(model).backtest(SERIES, 3, 10, past_exog=LEAD)
    without = clone(model).backtest(SERIES, 3, 10)
    assert with_lead.scores["nrmse"] < 0.6 * without.scores["nrmse"]


@pytest.mark.parametrize("model", [MODELS[name] for name in ("network", "lags", "direct")])
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


def test_inputs_have_no_power_transform():
    transform = SeriesTransform(power=0.0, differences=1)
    model = Forecaster(Ridge(1e-6), lags=4, transformer=transform)
    model.fit(np.exp(SERIES[:280]), past_exog=LEAD[:280])
    logarithms = Forecaster(Ridge(1e-6), lags=4, differences=1)
    logarithms.fit(SERIES[:280], past_exog=LEAD[:280])
    np.testing.assert_allclose(np.log(model.forecast(5)), logarithms.forecast(5), rtol=1e-9)
    model.update(np.exp(SERIES[280:]), past_exog=np.where(LEAD[280:] > 0.5, np.nan, -9.0))
    assert np.isfinite(model.forecast(5, interval=0.8)).all()


def oracle(y, x, origin, n_steps, n_lags=6):
    """Forecast y by least squares on the last lags of y and x, each step by a fit of its own."""
    windows = np.array([np.r_[1, y[k - n_lags : k], x[k - n_lags : k]]
                        for k in range(n_lags, origin + 1)])  # fmt: skip
    fits = [
        np.linalg.lstsq(windows[: origin - n_lags - step], y[n_lags + step : origin], rcond=None)
        for step in range(n_steps)
    ]
    return np.array([windows[-1] @ fit[0] for fit in fits])


def auto(**parameters):
    return AutoForecaster(horizon=3, seasons=[], quick=True, **parameters)


def test_networks_are_nearly_as_good_as_least_squares_that_sees_the_lead():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(140)
    for t in range(1, 140):
        x[t] += 0.8 * x[t - 1]
    y = 50 + np.r_[np.zeros(3), x[:-3]] + 0.1 * rng.standard_normal(140)
    errors = {"with": [], "without": [], "oracle": []}
    for name, past in (("with", x), ("without", None)):
        found = auto().backtest(y, 3, 5, past_exog=past)
        errors[name] = np.abs(found.forecasts - found.observed)
    ahead = np.stack([oracle(y, x, origin, 3) for origin in found.origins])
    errors["oracle"] = np.abs(ahead - found.observed)
    means = {name: np.mean(sizes) for name, sizes in errors.items()}
    assert means["with"] < 2.5 * means["oracle"] and means["with"] < 0.25 * means["without"]


def test_an_input_without_effect_is_left_out_or_does_no_harm():
    rng, t = np.random.default_rng(0), np.arange(90)
    y = np.sin(t / 3) + 0.1 * rng.standard_normal(90)
    plain = auto().backtest(y, 3, 6).scores["nrmse"]
    noise = auto().backtest(y, 3, 6, past_exog=rng.standard_normal((90, 2))).scores["nrmse"]
    assert noise < 1.15 * plain


def test_several_series_of_an_automatic_forecaster_share_the_input():
    days = pd.date_range("2024-01-01", periods=100, freq="D")
    both = pd.DataFrame({"a": SERIES[:100], "b": 2 - SERIES[:100]}, days)
    past = pd.DataFrame({"rain": LEAD[:100]}, days)
    model = auto().fit(both[:90], past_exog=past[:90])
    assert (model.n_features_in_, model.n_past_exog_) == (2, 1)
    members = model.members_[0]
    assert members[0]["past_exog"] and all("past_exog" in c for c in model.candidates_[1])
    alone = auto().fit(both["b"][:90], past_exog=past[:90])
    np.testing.assert_allclose(model.forecast(3)["b"], alone.forecast(3))
    for each in (model, alone):
        each.update(*((both if each is model else both["b"])[90:97],), past_exog=past[90:97])
    ahead = model.forecast(3, interval=0.8)
    np.testing.assert_allclose(ahead["b_lower"], alone.forecast(3, interval=0.8)["b_lower"])
    assert (ahead["a_lower"] < ahead["a"]).all() and list(ahead.index) == list(days[97:])
    assert np.abs(model.forecast(3) - both[97:]).to_numpy().max() < 0.1
    assert model.sample(3, 7, random_state=0).shape == (7, 3, 2)
    assert model.score(both[97:], past_exog=past[97:]) > -0.7
    assert list(model.history(2)) == ["a", "b"]
    with pytest.raises(ValueError, match="past_exog must be given: the model was fitted with 1"):
        model.update(both[97:])


def test_missing_values_of_both_are_predicted_by_an_automatic_forecaster():
    y, x = SERIES[:110].copy(), LEAD[:110].copy()
    x[np.random.default_rng(0).random(110) < 0.2] = y[[20, 21, 60]] = np.nan
    x[[0, 106]], x[103:106] = np.nan, LEAD[103:106]
    model = auto().fit(y[:107], past_exog=x[:107])
    assert any(member["past_exog"] for member in model.members_)
    assert np.abs(model.forecast(2) - SERIES[107:109]).max() < 0.3
    x[1::2] = y[::2] = np.nan  # no row has both
    ahead = auto().fit(y[:107], past_exog=x[:107]).forecast(3, interval=0.8)
    assert np.isfinite(ahead).all()


def test_intervals_beside_exponential_smoothing_have_the_inputs():
    walk, rng = RNG.standard_normal(60).cumsum(), np.random.default_rng(0)
    model = auto().fit(walk, past_exog=rng.standard_normal(60).cumsum())
    assert model.smoothing_share_ > 0 and any(member["past_exog"] for member in model.members_)
    assert np.isfinite(model.forecast(3, interval=0.8)).all()


def test_other_models_and_huge_inputs_are_refused():
    pytest.importorskip("statsforecast")
    with pytest.raises(ValueError, match="no use for exogenous or past-only inputs"):
        auto(models=("esn", "ets")).fit(SERIES[:40], past_exog=LEAD[:40])
    with pytest.raises(ValueError, match="past_exog must have values up to 1e.300"):
        auto().fit(SERIES[:40], past_exog=1e305 * LEAD[:40])
