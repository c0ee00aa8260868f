import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, ESNRegressor, Forecaster, SeriesTransform
from esnkit.adapters import SktimeForecaster

pytest.importorskip("sktime")
from sktime.forecasting.base import ForecastingHorizon  # noqa: E402
from sktime.forecasting.model_selection import ForecastingGridSearchCV  # noqa: E402
from sktime.split import ExpandingWindowSplitter  # noqa: E402
from sktime.utils.estimator_checks import check_estimator  # noqa: E402

# sktime warns of what is to come in its own classes.
may_warn = pytest.mark.filterwarnings("ignore")

pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")
MONTHS = pd.period_range("2010-01", periods=90, freq="M")
RNG = np.random.default_rng(0)
INPUTS = pd.DataFrame(RNG.normal(size=(90, 2)), MONTHS, ["price", "rain"])
WAVE = np.sin(np.arange(90) / 2) + 0.1 * RNG.normal(size=90) + INPUTS["price"]
TRAIN, TEST = slice(None, 70), slice(70, 80)


def network():
    return Forecaster(ESNRegressor(20, random_state=0))


@may_warn
def test_checks_of_sktime():
    check_estimator(SktimeForecaster, raise_exceptions=True, verbose=False)


def test_forecasts_and_quantiles_are_those_of_the_forecaster():
    y = pd.DataFrame({"a": WAVE, "b": WAVE.cumsum()})
    model = SktimeForecaster(network()).fit(y[TRAIN], INPUTS[TRAIN])
    ours = network().fit(y[TRAIN], exog=INPUTS[TRAIN])
    fh, rows = [2, 5, 10], [1, 4, 9]
    expected = ours.forecast(10, exog=INPUTS[TEST]).iloc[rows]
    # sktime calls it a frequency of periods or none, the stamps are the same.
    pd.testing.assert_frame_equal(model.predict(fh, X=INPUTS), expected, check_freq=False)
    found = model.predict_quantiles(fh, X=INPUTS, alpha=[0.9, 0.1])
    fan = ours.forecast(10, exog=INPUTS[TEST], quantiles=[0.1, 0.9]).iloc[rows]
    for name in "ab":
        for level in (0.1, 0.9):
            assert found[name, level].tolist() == fan[f"{name}_{level}"].tolist()
    ends = model.predict_interval(fh, X=INPUTS, coverage=0.8)
    assert ends["b", 0.8, "lower"].tolist() == fan["b_0.1"].tolist()


def test_means_are_those_of_the_forecaster():
    model = Forecaster(Ridge(), lags=1, transformer=SeriesTransform(power=0))
    y = np.exp(WAVE[TRAIN])
    ours, adapter = clone(model).fit(y), SktimeForecaster(model, bias_adjust=True).fit(y)
    assert (
        adapter.predict([1, 3]).tolist() == ours.forecast(3, bias_adjust=True).iloc[[0, 2]].tolist()
    )
    assert adapter.predict([1, 3]).tolist() != ours.forecast(3).iloc[[0, 2]].tolist()
    with pytest.raises(TypeError, match="bias_adjust must be True or False"):
        SktimeForecaster(model, bias_adjust=1).fit(y)


def test_none_stands_for_auto_forecaster_with_the_last_step_as_horizon():
    model = SktimeForecaster().fit(WAVE[TRAIN], fh=[1, 4])
    expected = AutoForecaster(horizon=4).fit(WAVE[TRAIN]).forecast(4)
    assert model.predict().tolist() == expected.iloc[[0, 3]].tolist()
    assert model.forecaster is None
    given = SktimeForecaster(AutoForecaster(horizon=9, quick=True)).fit(WAVE[TRAIN], fh=[1, 4])
    assert given.forecaster_.horizon == 9


@pytest.mark.parametrize("refits", [False, True])
def test_update_advances_states_or_fits_anew(refits):
    model = SktimeForecaster(network()).fit(WAVE[TRAIN], INPUTS[TRAIN])
    # Rows that are known already change nothing.
    model.update(WAVE[60:80], INPUTS[60:80], update_params=refits)
    if refits:
        ours = network().fit(WAVE[:80], exog=INPUTS[:80])
    else:
        ours = network().fit(WAVE[TRAIN], exog=INPUTS[TRAIN]).update(WAVE[TEST], INPUTS[TEST])
    expected = ours.forecast(3, exog=INPUTS[80:83])
    assert model.predict([1, 2, 3], X=INPUTS[80:83]).tolist() == expected.tolist()


@pytest.mark.parametrize(
    "start, freq, is_relative",
    [
        ("2024-03-29", "h", True),
        ("2024-03-29", "h", False),
        ("2024-10-26", "30min", True),
        ("2024-02-20", "D", False),
    ],
)
@may_warn
def test_times_of_a_zone_continue_over_a_change_of_clocks(start, freq, is_relative):
    times = pd.date_range(start, periods=60, freq=freq, tz="Europe/London")
    y = pd.Series(np.sin(np.arange(60) / 4), times)
    fh = ForecastingHorizon(range(1, 21) if is_relative else times[40:], is_relative=is_relative)
    found = SktimeForecaster(network()).fit(y[:40]).predict(fh)
    expected = network().fit(y[:40]).forecast(20)
    pd.testing.assert_series_equal(found, expected, check_freq=False)


def test_inputs_may_have_more_rows_than_the_series():
    model = SktimeForecaster(network()).fit(WAVE[TRAIN], INPUTS)
    expected = SktimeForecaster(network()).fit(WAVE[TRAIN], INPUTS[TRAIN])
    assert model.predict([1, 2], X=INPUTS).tolist() == expected.predict([1, 2], X=INPUTS).tolist()


@may_warn
def test_tools_of_sktime():
    search = ForecastingGridSearchCV(
        SktimeForecaster(Forecaster(Ridge(1e-9), lags=1)),
        ExpandingWindowSplitter(fh=[1, 2], initial_window=60, step_length=10),
        {"forecaster__lags": [1, 2]},
        backend="None",
    ).fit(pd.Series(np.sin(np.arange(90) / 2), MONTHS))
    assert search.best_params_ == {"forecaster__lags": 2}


def test_tags_are_those_of_the_forecaster():
    assert SktimeForecaster().get_tag("capability:missing_values")
    strict = SktimeForecaster(AutoForecaster(missing="raise"))
    assert not strict.get_tag("capability:missing_values")
    with pytest.raises(ValueError, match="missing"):
        strict.fit(WAVE.where(WAVE < 2.0))


def test_errors_name_the_way_out():
    model = SktimeForecaster(network()).fit(WAVE[TRAIN], INPUTS[TRAIN])
    with pytest.raises(ValueError, match=r"X must have a row for each step .* none for 2015-12"):
        model.predict([1, 4], X=INPUTS.drop(MONTHS[71]))
    with pytest.raises(ValueError, match="consecutive numbers as index"):
        SktimeForecaster(network()).fit(WAVE[TRAIN].set_axis(range(0, 350, 5)))
    with pytest.raises(NotImplementedError, match="in-sample"):
        model.predict([-1])
    model.update(WAVE[:60], INPUTS[:60], update_params=False)
    with pytest.raises(NotImplementedError, match="after 2015-10, the last row seen"):
        model.predict([1], X=INPUTS)
