"""What all baselines have from the forecaster: updates, intervals, backtests, containers."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from esnkit.baselines import AutoregressiveModel, ContextParrot, RidgeAutoregression, WindowMLP

WAVE = np.sin(np.arange(90) / 3) + 0.1 * np.random.default_rng(0).normal(size=90)
MODELS = [AutoregressiveModel(4), RidgeAutoregression(6, alpha=1.0), ContextParrot(6)]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_several_series_are_forecast_as_each_alone(model):
    both = np.stack(model.fit(np.c_[WAVE, 3 - WAVE[::-1]]).forecast(4, interval=0.8))
    for j, series in enumerate((WAVE, 3 - WAVE[::-1])):
        alone = np.stack(clone(model).fit(series).forecast(4, interval=0.8))
        np.testing.assert_allclose(both[:, :, j], alone, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_intervals_are_those_of_fits_before_every_origin_and_follow_updates(model):
    model = clone(model).fit(WAVE[:60])
    before = model.forecast(5, interval=0.9)
    again = pickle.loads(pickle.dumps(model)).update(WAVE[60:])
    refitted = clone(model).fit(WAVE)
    assert np.ptp(before[2] - before[1]) >= 0 and (before[2] > before[1]).all()
    widths = [m.forecast(5, interval=0.9) for m in (again, refitted)]
    np.testing.assert_allclose(*(upper - lower for _, lower, upper in widths))


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_forecasts_and_intervals_of_counts_end_at_zero(model):
    falling = np.maximum(30 - np.arange(60.0) + np.random.default_rng(0).integers(0, 4, 60), 0)
    counts = np.c_[falling, falling[::-1]]
    plain = clone(model).set_params(positive=False).fit(counts)
    model = clone(model).fit(counts)
    wanted = np.maximum(plain.forecast(6), 0)
    np.testing.assert_array_equal(model.forecast(6), wanted)
    for ends in (
        model.forecast(6, interval=0.9),
        np.moveaxis(model.forecast(6, quantiles=[0.1]), 2, 0),
    ):
        assert np.min(ends) == 0
    assert np.min(plain.forecast(6, interval=0.9)) < 0
    assert model.backtest(counts, 5, n_windows=3, interval=0.9).lower.min() == 0
    assert (
        clone(model).set_params(positive=True).fit(counts + 0.5).forecast(9, interval=0.9)[1].min()
        == 0
    )
    with pytest.raises(ValueError, match="positive=True needs a series without negative values"):
        clone(model).set_params(positive=True).fit(WAVE)
    with pytest.raises(TypeError, match="positive must be 'auto', True or False"):
        clone(model).set_params(positive="yes").fit(WAVE)


def test_backtests_and_scores():
    result = AutoregressiveModel(4).backtest(WAVE, 6, n_windows=3)
    assert result.forecasts.shape == (3, 6) and result.scores["nrmse"] < 0.5
    model = ContextParrot(6).fit(WAVE[:70])
    assert -1 < model.score(WAVE[70:]) < 0


def test_unfitted_models_say_so():
    for model in (AutoregressiveModel(), ContextParrot()):
        with pytest.raises(NotFittedError):
            model.forecast(3)
    with pytest.raises(NotFittedError):
        _ = AutoregressiveModel().order_
    with pytest.raises(NotFittedError):
        _ = RidgeAutoregression().coef_


@pytest.mark.parametrize(
    "model",
    [
        AutoregressiveModel(4),
        RidgeAutoregression(4),
        WindowMLP(4, hidden_layer_sizes=(8,), random_state=0),
        ContextParrot(6),
    ],
    ids=lambda model: type(model).__name__,
)
def test_missing_values_stand_neither_in_forecasts_nor_in_errors(model):
    wave = 3 + np.sin(np.arange(112) * np.pi / 6)
    holes = wave.copy()
    holes[[0, 17, 40, 41, 86, 95]] = np.nan
    model = clone(model).fit(holes[:90])
    assert np.abs(model.forecast(6) - wave[90:96]).max() < 0.25
    model.update(holes[90:100])
    forecast, lower, upper = model.forecast(12, interval=0.8)
    assert np.abs(forecast - wave[100:]).max() < 0.25
    assert (lower <= forecast).all() and (forecast <= upper).all() and (upper < lower + 3).all()
    assert model.backtest(holes, 6, 2).scores["nrmse"] < 0.3
