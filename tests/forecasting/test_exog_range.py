"""Exogenous inputs that are unlike all inputs of `fit`."""

import warnings

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE, esn, every_model, make
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._transforms import ExogTransform

PROMOTION = np.r_[np.zeros(350), np.ones(50)]


def silent(call, *arguments, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return call(*arguments, **keywords)


@pytest.mark.parametrize(("settings", "level"), [
    ({}, 0.0), ({}, -3e6), ({"scale": False}, 0.1), ({"differences": 1}, -3e6),
])  # fmt: skip
@every_model
def test_a_column_that_did_not_vary_in_fit_has_no_effect(name, settings, level):
    inputs = pd.DataFrame({"u": EXOG, "promotion": PROMOTION + level})
    model = make(name, **settings).fit(DRIVEN[:350], exog=inputs[:350])
    ahead, changed = inputs[350:360].assign(promotion=level), inputs[350:360]
    message = "exog column 'promotion' did not vary in fit and does now"
    with pytest.warns(UserWarning, match=message):
        with_promotion = model.forecast(10, changed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(model.forecast(10, ahead), with_promotion)
    with pytest.warns(UserWarning, match=message):
        score = model.score(DRIVEN[350:360], exog=changed)
    assert score == model.score(DRIVEN[350:360], exog=ahead)
    with pytest.warns(UserWarning, match=message):
        model.update(DRIVEN[350:360], changed)
    later = inputs[360:370].assign(promotion=level)
    other = make(name, **settings).fit(DRIVEN[:350], exog=inputs[:350])
    other.update(DRIVEN[350:360], ahead)
    np.testing.assert_array_equal(
        silent(model.forecast, 10, later), silent(other.forecast, 10, later)
    )


def test_a_first_promotion_does_not_move_the_forecast_of_a_sine():
    sine = np.sin(np.arange(400) / 5)
    model = Forecaster(esn()).fit(sine[:350], exog=PROMOTION[:350])
    with pytest.warns(UserWarning, match="exog column 0 did not vary in fit"):
        ahead = model.forecast(20, PROMOTION[350:370])
    np.testing.assert_array_equal(ahead, model.forecast(20, np.zeros(20)))
    assert np.abs(ahead - sine[350:370]).max() < 0.1


def test_a_change_in_the_first_row_alone_is_none():
    # No model sees the inputs of the first row: they act on the row itself, which is not predicted.
    first = np.r_[1.0, np.zeros(399)]
    model = Forecaster(Ridge(), lags=3).fit(WAVE[:350], exog=first[:350])
    with pytest.warns(UserWarning, match="did not vary"):
        np.testing.assert_array_equal(model.forecast(5, np.ones(5)), model.forecast(5, np.zeros(5)))


@pytest.mark.parametrize(("model", "rows"), [
    (Forecaster(esn(washout=20)), range(21)),
    (Forecaster(esn(washout=20), differences=1), range(21)),
    (Forecaster(esn(washout=20), strategy="direct", horizon=5), range(25)),
    (Forecaster(esn(washout=20), n_ensemble=2, random_state=0), range(10)),
    (Forecaster(random_state=0), range(11)),
    (Forecaster(Ridge(), lags=(3, 5)), range(348, 350)),
])  # fmt: skip
def test_a_change_in_rows_that_no_weight_is_learned_from_is_none(model, rows):
    inputs = np.zeros(400)
    inputs[rows] = 1.0
    model = model.fit(DRIVEN[:350], exog=np.c_[EXOG, inputs][:350])
    off, on = np.c_[EXOG[350:355], np.zeros(5)], np.c_[EXOG[350:355], np.ones(5)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = model.forecast(5, off)
    with pytest.warns(UserWarning, match="exog column 1 did not vary in fit"):
        np.testing.assert_array_equal(model.forecast(5, on), expected)


@pytest.mark.parametrize("level", [0.3, -1e9, 1e-9])
@pytest.mark.parametrize("order", [0, 1])
def test_rounding_noise_is_no_change(level, order):
    noise = level * (1 + 1e-13 * np.clip(EXOG, -3, 3))
    model = Forecaster(Ridge(1e-6), lags=3, differences=order).fit(WAVE[:350], exog=noise[:350])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = model.forecast(5, noise[350:355])
    with pytest.warns(UserWarning, match="exog column 0 did not vary in fit"):
        np.testing.assert_array_equal(model.forecast(5, np.arange(5) * level), expected)


def test_small_changes_of_large_values_are_changes():
    inputs = 1e9 + 0.01 * EXOG
    model = Forecaster(Ridge(1e-6), lags=3).fit(DRIVEN[:350], exog=inputs[:350])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ahead = model.forecast(5, inputs[350:355])
    plain = Forecaster(Ridge(1e-6), lags=3).fit(DRIVEN[:350], exog=EXOG[:350])
    np.testing.assert_allclose(ahead, plain.forecast(5, EXOG[350:355]), atol=1e-3)


def test_a_backtest_names_the_column():
    inputs = pd.DataFrame({"u": EXOG, "promotion": PROMOTION})
    model = Forecaster(Ridge(), lags=3)
    with pytest.warns(UserWarning, match="exog column 'promotion' did not vary in fit"):
        model.backtest(DRIVEN, 20, 3, exog=inputs)


def test_a_ramp_is_constant_once_it_is_differenced():
    ramp = 0.1 * np.arange(400)
    model = Forecaster(Ridge(), lags=3, differences=1).fit(WAVE[:350], exog=ramp[:350])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        straight = model.forecast(5, ramp[350:355])
    with pytest.warns(UserWarning, match="did not vary"):
        np.testing.assert_array_equal(model.forecast(5, 2 * ramp[350:355]), straight)


@pytest.mark.parametrize("scale", [True, False])
def test_a_column_that_leaves_its_range_by_far_is_named(scale):
    inputs = pd.DataFrame({"u": EXOG, "v": np.cos(np.arange(400))})
    model = Forecaster(Ridge(), lags=3, scale=scale).fit(DRIVEN[:350], exog=inputs[:350])
    ahead = inputs[350:360].assign(
        v=lambda frame: frame.v * 0 + np.r_[np.ones(4), [9, 30], [1] * 4]
    )
    with pytest.warns(UserWarning) as caught:
        model.forecast(10, ahead)
    (message,) = [str(warning.message) for warning in caught if warning.category is UserWarning]
    assert message.startswith("exog column 'v' leaves the range that it had in fit: in step 6 it")
    assert "and at most 30 times" in message
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.forecast(10, ahead.clip(upper=9.0))


def test_intervals_calibrate_models_that_saw_less_without_more_warnings():
    late = np.r_[np.zeros(300), np.ones(50), np.zeros(50)]
    model = Forecaster(Ridge(), lags=3).fit(WAVE[:350], exog=late[:350])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.forecast(5, late[350:355], interval=0.8)


@given(
    st.floats(-1e200, 1e200),
    st.integers(0, 2),
    st.booleans(),
    st.lists(st.floats(-1e200, 1e200), min_size=3, max_size=6),
)
def test_constants_of_any_size_stay_as_they_were(level, order, scale, later):
    rows = np.full((10, 1), level)
    transform = ExogTransform((1,) * order, scale, "exog").fit(rows)
    assert transform.constant_.all()
    z = transform.transform(np.array(later)[:, None])
    np.testing.assert_array_equal(z, np.repeat(transform.transform(rows)[:1], len(z), axis=0))
    assert not len(transform.changed_constants(rows))
