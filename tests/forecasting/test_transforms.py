"""The transform of a series: exact round trips, and numbers near the largest float."""

import warnings

import numpy as np
import pytest
from forecast_problems import WAVE, T, every_model, make
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._transforms import ExogTransform, RowTransform, mean_and_scale


def test_scaling_leaves_constant_columns_alone():
    rows = np.c_[np.full(50, 0.1), np.arange(50.0)]
    mean, scale = mean_and_scale(rows)
    assert scale[0] == 1.0
    np.testing.assert_allclose((rows - mean) / scale * scale + mean, rows, atol=1e-12)


def test_rare_flags_have_a_moderate_scale_and_the_first_columns_may_be_used_alone():
    rare = np.r_[np.zeros(99), 1.0]
    columns = np.stack([rare, np.arange(100) % 2, 2 * rare], axis=1)
    z = ExogTransform((), True, n_used=2).fit(columns).transform(columns)
    np.testing.assert_allclose(np.ptp(z, axis=0), [1 / 0.4, 1 / 0.5])
    others = ExogTransform((), True).fit(columns).transform(columns)
    assert np.ptp(others[:, 2]) == pytest.approx(1 / rare.std())
    assert np.ptp(ExogTransform((), False).fit(columns).transform(columns)[:, 0]) == 1


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("lags", [(), (1,), (12, 1)])
def test_the_inverse_returns_the_rows_that_follow(lags, scale):
    rows = np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0) * [1.0, 1e4] + 1e3
    transform = RowTransform(lags, scale).fit(rows[:50])
    z = transform.transform(rows)
    assert len(z) == len(rows) - transform.n_lost and transform.n_lost == sum(lags)
    after = transform.inverse_transform(z[50 - transform.n_lost :], rows[:50])
    np.testing.assert_allclose(after, rows[50:], rtol=1e-11)


def test_transformed_rows_have_mean_zero_and_deviation_one():
    rows = np.random.default_rng(0).normal(3.0, 5.0, size=(60, 2))
    z = RowTransform((1,), True).fit(rows).transform(rows)
    np.testing.assert_allclose([z.mean(axis=0), z.std(axis=0)], [[0, 0], [1, 1]], atol=1e-12)
    plain = RowTransform((1,), False).fit(rows).transform(rows)
    np.testing.assert_array_equal(plain, np.diff(rows, axis=0))


def test_the_transform_names_its_argument():
    far = np.array([[-1.7e308], [1.7e308]])
    with pytest.raises(ValueError, match="exog must stay finite in float64 when differenced"):
        RowTransform((1,), True, "exog").fit(far)


@pytest.mark.parametrize("size", [1e-290, 1e160, 1e300])
@every_model
def test_series_of_any_size_that_float64_holds_are_forecast(name, size):
    expected = make(name).fit(2 + WAVE[:200]).forecast(3, interval=0.5)
    found = make(name).fit(size * (2 + WAVE[:200])).forecast(3, interval=0.5)
    np.testing.assert_allclose(np.array(found) / size, expected, rtol=1e-5)
    scores, large = (make(name).backtest(s * (2 + WAVE[:200]), 5, 2).scores for s in (1.0, size))
    assert large == pytest.approx(scores, rel=1e-3)


HALVES = np.where(T[:60] % 2, 1.0, -1.0) * 1.2e308
ONE_UP = np.r_[np.full(50, -1.2e308), 1.7e308]


@pytest.mark.parametrize(
    "series, settings, error, message",
    [
        (HALVES, {"differences": 1}, ValueError, "series must stay finite in float64 when diff"),
        (HALVES, {"differences": 1, "scale": False}, ValueError, "series must stay finite"),
        (ONE_UP, {}, ValueError, "series must stay finite in float64 when differenced and scaled"),
    ],
)
def test_values_that_leave_the_range_of_float64_are_refused(series, settings, error, message):
    with pytest.raises(error, match=message), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Forecaster(Ridge(), lags=2, **settings).fit(series).forecast(60)


def test_a_forecast_beyond_float64_gives_way_to_the_last_value():
    model = Forecaster(Ridge(), lags=2, differences=1).fit(T * 4e305)
    with pytest.warns(RuntimeWarning, match="runs away: it is not finite"):
        np.testing.assert_array_equal(model.forecast(60), T[-1] * 4e305)
