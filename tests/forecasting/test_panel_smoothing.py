"""Exponential smoothing of many series: from the last observed rows, with a share by its errors."""

import numpy as np
import pytest

from esnkit import PanelForecaster
from esnkit.baselines import exponential_smoothing
from esnkit.forecasting._packed_series import pack_series
from esnkit.forecasting._panel_smoothing import PanelSmoothing

RNG = np.random.default_rng(0)
SMOOTHING = PanelSmoothing((4,), horizon=3, share=0.25, min_rows=9)


def test_forecasts_are_those_of_each_series_from_its_last_observed_row():
    series = [RNG.normal(size=n).cumsum() for n in (20, 9, 8)]
    holes = series[0].copy()
    holes[[5, 18, 19]] = np.nan
    found = SMOOTHING.forecast(pack_series([*series, holes]).interpolated(), 5)
    for rows, ahead in zip(series[:2], found, strict=False):
        np.testing.assert_array_equal(ahead, exponential_smoothing(rows, 5, [4], 3))
    assert np.isnan(found[2]).all()
    known = np.where(np.arange(18) == 5, holes[1], holes[:18])  # the value a season before
    np.testing.assert_array_equal(found[3], exponential_smoothing(known, 7, [4], 3)[2:])


def test_the_mean_is_weighted_where_both_forecast():
    combined = SMOOTHING.combine(np.array([[4.0], [4.0], [np.nan]]), np.array([[8], [np.nan], [8]]))
    np.testing.assert_array_equal(combined, [[5], [4], [np.nan]])


@pytest.mark.usefixtures("few_panel_candidates")
def test_shares_are_inversely_proportional_to_squared_errors():
    walks = RNG.normal(size=(60, 5)).cumsum(axis=0)
    model = PanelForecaster(seasons=(), horizon=4).fit(walks)
    share, smoothed = model.smoothing_share_, exponential_smoothing(walks, 4, (), 4)
    alone = model._ensemble._replace(smoothing=None)
    median = alone.forecast(model._recent(model._panel.packed), np.empty((5, 4, 0)))
    expected = (1 - share) * model._as_given(median) + share * smoothed.T
    np.testing.assert_allclose(model.forecast(4), expected.T, rtol=1e-12)
    squares = model.baselines_["exponential smoothing"] ** 2, model.candidates_[0]["error"] ** 2
    assert 0.2 < share < 0.6 and share == pytest.approx(squares[1] / sum(squares), abs=0.1)


@pytest.mark.usefixtures("few_panel_candidates")
def test_smoothing_has_no_share_of_short_series_or_of_series_without_noise():
    waves = np.sin(np.arange(80)[:, None] * np.array([0.3, 0.41, 0.57]))
    assert PanelForecaster(seasons=(), horizon=4).fit(waves).smoothing_share_ == 0
    walks = [RNG.normal(size=n).cumsum() for n in (40, 40, 40, 5)]
    model = PanelForecaster(seasons=(), horizon=4).fit(walks)
    assert model.smoothing_share_ > 0.1 and model._ensemble.smoothing.min_rows > 5
    alone = model._ensemble._replace(smoothing=None)
    median = model._as_given(
        alone.forecast(model._recent(model._panel.packed), np.empty((4, 2, 0)))
    )
    np.testing.assert_array_equal(model.forecast(2)[3], median[3])
    assert (model.forecast(2)[0] != median[0]).all()
