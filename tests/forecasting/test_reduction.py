"""Recursive and direct models, with a state and with lags."""

import numpy as np
import pytest
from forecast_problems import DRIVEN, EXOG, MODELS, WAVE, esn, every_model, make
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVR

from esnkit import ESNRegressor, Forecaster
from esnkit.forecasting._reduction import make_reduction, rolling_forecasts


@every_model
def test_exogenous_inputs_act_on_the_row_they_belong_to(name):
    model = make(name).fit(DRIVEN[:350], exog=EXOG[:350])
    blind = make(name).fit(DRIVEN[:350])
    observed = DRIVEN[350:370]
    error = np.abs(model.forecast(20, EXOG[350:]) - observed).mean()
    # lags hold the exact relation; 60 random units a rough copy of it
    share = 1e-3 if "ridge" in name else 0.7
    assert error < share * np.abs(blind.forecast(20) - observed).mean()


def test_a_forecast_does_not_see_inputs_beyond_its_end():
    for name in MODELS:
        model = make(name).fit(DRIVEN[:350], exog=EXOG[:350])
        longer = np.r_[EXOG[350:355], np.full(10, 99.0)]
        np.testing.assert_array_equal(model.forecast(5, longer), model.forecast(5, EXOG[350:355]))


@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_regressors_of_one_output_forecast_several_series(strategy):
    model = Forecaster(
        GradientBoostingRegressor(n_estimators=3), lags=3, strategy=strategy, horizon=2
    )
    assert model.fit(np.c_[WAVE, DRIVEN]).forecast(2).shape == (2, 2)
    assert model.fit(WAVE).forecast(2).shape == (2,)


@pytest.mark.parametrize("inner, name, fits", [(Ridge(), "alpha", 1), (SVR(), "C", 2)])
def test_a_search_is_fitted_once_where_it_takes_all_series(inner, name, fits):
    class Counting(GridSearchCV):
        done = 0

        def fit(self, X, y):
            fitted = super().fit(X, y)
            Counting.done += 1
            return fitted

    model = Forecaster(Counting(inner, {name: [0.1, 1.0]}, cv=2), lags=3)
    assert model.fit(np.c_[WAVE, DRIVEN]).forecast(2).shape == (2, 2)
    assert Counting.done == fits


def test_rolling_forecasts_call_the_regressor_once_a_step():
    class Counting(RandomForestRegressor):
        calls = 0

        def predict(self, X):
            Counting.calls += 1
            return super().predict(X)

    Forecaster(Counting(n_estimators=2), lags=3).fit(WAVE).forecast(5, interval=0.8)
    assert Counting.calls == 10


class Doubling(RegressorMixin, BaseEstimator):
    """Doubles the last value, without a state."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return 2.0 * X[:, :1]


class DoublingWithState(Doubling):
    def predict(self, X, initial_state=None, return_state=False):
        return (2.0 * X[:, :1], 0) if return_state else 2.0 * X[:, :1]

    def generate(self, n_steps, first, exog=None, initial_state=None):
        if first.any():
            raise FloatingPointError("the closed loop diverged")
        return np.zeros((n_steps, 1))


@pytest.mark.parametrize("estimator, lags", [(Doubling(), (1,)), (DoublingWithState(), None)])
def test_forecasts_are_nan_from_the_origins_alone_where_the_loop_diverges(estimator, lags):
    z, no_exog = np.array([1.0, 2.0, 4.0, 0.0, -1.0])[:, None], np.empty((404, 0))
    model = make_reduction(estimator, "recursive", lags, 1).fit(z[:2], no_exog[:2])
    ahead = rolling_forecasts(model, z[2:], no_exog, [1, 2, 3], 400)
    assert np.isnan(ahead[[0, 2]]).all() and not ahead[1].any()


class WithoutKernelLoop(ESNRegressor):
    """A regressor with a state, but without `generate`, as a third party may write it."""

    generate = property()


@pytest.mark.parametrize("n_exog", [0, 2])
def test_a_regressor_with_a_state_needs_no_generate(n_exog):
    z, e = WAVE[:200, None], np.c_[EXOG, EXOG[::-1]][:210, :n_exog]
    params = {"n_units": 30, "alpha": 1e-4, "random_state": 0}
    loops = [
        make_reduction(model(**params), "recursive", None, 1).fit(z, e[:200])
        for model in (ESNRegressor, WithoutKernelLoop)
    ]
    assert not hasattr(loops[1].estimator, "generate")
    kernel, steps = (loop.run(10, e[200:]) for loop in loops)
    np.testing.assert_allclose(kernel, steps, rtol=1e-9)


@pytest.mark.parametrize("n_exog", [0, 1])
@pytest.mark.parametrize("lags", [None, (1, 2, 5)])
@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_rolling_forecasts_equal_advancing_to_each_origin(strategy, lags, n_exog):
    z, e = DRIVEN[:, None], EXOG[:, None][:, :n_exog]
    model = make_reduction(Ridge(1e-3) if lags else esn(), strategy, lags, 4).fit(z[:300], e[:300])
    rolled = rolling_forecasts(model, z[300:360], e[300:364], [0, 1, 30, 60], 4)
    assert rolled.shape == (4, 4, 1)
    for forecast, origin in zip(rolled, [0, 1, 30, 60], strict=True):
        moved = model.copy()
        moved.advance(z[300 : 300 + origin], e[300 : 300 + origin])
        np.testing.assert_allclose(forecast, moved.run(4, e[300 + origin :][:4]), rtol=1e-9)


@pytest.mark.parametrize("n_exog", [0, 1])
@pytest.mark.parametrize("lags", [None, (1, 2, 5)])
def test_one_step_forecasts_of_many_origins_are_predictions_in_one_pass(lags, n_exog):
    z, e = DRIVEN[:, None], EXOG[:, None][:, :n_exog]
    estimator = Ridge(1e-3) if lags else esn()
    model = make_reduction(estimator, "recursive", lags, 1).fit(z[:300], e[:300])
    origins = [0, 1, 30, 59]
    rolled = rolling_forecasts(model, z[300:360], e[300:361], origins, 1)
    alone = [rolling_forecasts(model, z[300:360], e[300:361], [k], 1)[0] for k in origins]
    np.testing.assert_allclose(rolled, alone, rtol=1e-12)
    calls = []
    predict = type(estimator).predict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(estimator), "predict", lambda *a, **k: calls.append(a) or predict(*a, **k)
        )
        rolling_forecasts(model, z[300:360], e[300:361], origins, 1)
    assert len(calls) == 1


def test_a_direct_model_predicts_its_first_steps_without_the_others():
    z, none = WAVE[:200, None], np.empty((200, 0))
    for estimator, lags in ((esn(), None), (Ridge(1e-6), (1, 2, 3))):
        model = make_reduction(estimator, "direct", lags, 6).fit(z, none)
        np.testing.assert_array_equal(model.run(2, none[:2]), model.run(6, none[:6])[:2])


@pytest.mark.parametrize("n_exog", [0, 1])
@pytest.mark.parametrize("lags", [None, (1, 2, 5)])
def test_paths_are_closed_loops_with_noise_after_every_step(lags, n_exog):
    z, e = DRIVEN[:, None], EXOG[:, None][:, :n_exog]
    model = make_reduction(Ridge(1e-3) if lags else esn(), "recursive", lags, 1).fit(
        z[:300], e[:300]
    )
    noise = np.random.default_rng(0).normal(size=(3, 4, 1))
    paths = model.sample(noise, e[300:304])
    for path, errors in zip(paths, noise, strict=True):
        moved = model.copy()
        for k in range(4):
            step = moved.run(1, e[300 + k : 301 + k]) + errors[k]
            np.testing.assert_allclose(path[k], step[0], rtol=1e-9)
            moved.advance(step, e[300 + k : 301 + k])
    np.testing.assert_allclose(model.sample(0 * noise, e[300:304])[1], model.run(4, e[300:304]))


@pytest.mark.parametrize("lags", [None, (1, 2, 5)])
@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_a_model_that_restarts_runs_over_the_series_again(strategy, lags):
    z, e = DRIVEN[:300, None], EXOG[:310, None]
    model = make_reduction(Ridge(1e-3) if lags else esn(), strategy, lags, 4).fit(z, e[:300])
    again = model.restart()
    again.advance(z[:10], e[:10])
    again.advance(z[10:], e[10:300])
    np.testing.assert_allclose(again.run(4, e[300:304]), model.run(4, e[300:304]), rtol=1e-9)
    if strategy == "recursive":
        start = model.restart()
        start.advance(z[:10], e[:10])
        rolled = rolling_forecasts(start, z[10:], e[10:], np.arange(290), 1)[:, 0]
        np.testing.assert_allclose(start.predict_next(z[10:], e[10:300]), rolled, rtol=1e-6)
