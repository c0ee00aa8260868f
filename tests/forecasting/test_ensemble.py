"""Members of an ensemble: their seeds, how they are combined, and the default network."""

import numpy as np
import pytest
from forecast_problems import WAVE, esn
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import ExtraTreeRegressor

from esnkit import Forecaster, Reservoir, ReservoirRegressor
from esnkit.forecasting._ensemble import ModelSpec, fit_ensemble


def test_an_ensemble_is_the_mean_or_median_of_differently_seeded_members():
    model = Forecaster(esn(), n_ensemble=3, random_state=1).fit(WAVE)
    seeds = [member.random_state for member in model.estimators_]
    assert len(set(seeds)) == 3
    alone = [Forecaster(esn(random_state=seed)).fit(WAVE).forecast(6) for seed in seeds]
    np.testing.assert_allclose(model.forecast(6), np.mean(alone, axis=0), rtol=1e-9)
    median = Forecaster(esn(), n_ensemble=3, random_state=1, combine="median").fit(WAVE)
    np.testing.assert_allclose(median.forecast(6), np.median(alone, axis=0), rtol=1e-9)
    np.testing.assert_array_equal(clone(model).fit(WAVE).forecast(6), model.forecast(6))


@pytest.mark.parametrize(
    "estimator, lags",
    [
        (ReservoirRegressor(Reservoir(20, random_state=3)), None),
        (ReservoirRegressor(Reservoir(20, random_state=1), random_state=3), None),
        (make_pipeline(StandardScaler(), RandomForestRegressor(3, random_state=3)), 2),
    ],
)
def test_members_take_their_seeds_from_within_the_estimator(estimator, lags):
    ahead = [Forecaster(estimator, lags=lags, n_ensemble=2).fit(WAVE[:90]) for _ in range(2)]
    seeded = Forecaster(estimator, lags=lags, n_ensemble=2, random_state=3).fit(WAVE[:90])
    np.testing.assert_array_equal(ahead[0].forecast(5), ahead[1].forecast(5))
    np.testing.assert_array_equal(ahead[0].forecast(5), seeded.forecast(5))


def test_models_that_vote_have_different_seeds_in_every_member():
    tree = ExtraTreeRegressor(random_state=0)
    model = Forecaster(VotingRegressor([("a", tree), ("b", tree)]), lags=3, n_ensemble=2)
    for member in model.fit(WAVE[:90]).estimators_:
        assert len({tree.random_state for tree in member.estimators_}) == 2


def spec(**parameters):
    defaults = {
        "estimator": esn(), "strategy": "recursive", "lags": None, "horizon": None,
        "differences": (7,), "scale": True, "n_ensemble": 2, "combine": "mean", "random_state": 0,
    }  # fmt: skip
    return ModelSpec(**(defaults | parameters))


def test_advancing_returns_another_ensemble_and_leaves_the_first():
    values, no_exog = WAVE[:, None], np.empty((400, 0))
    first = fit_ensemble(spec(), values[:300], no_exog[:300])
    before = first.roll(values[:0], no_exog[:5], [0], 5)
    second = first.advance(values[300:340], no_exog[300:340])
    np.testing.assert_array_equal(first.roll(values[:0], no_exog[:5], [0], 5), before)
    after = first.roll(values[300:340], no_exog[:45], [0, 40], 5)
    np.testing.assert_allclose(second.roll(values[:0], no_exog[:5], [0], 5)[0], after[1], rtol=1e-9)
    np.testing.assert_array_equal(after[0], before[0])
    assert len(first.recent) == 7 and np.array_equal(second.recent, values[333:340])


def test_rows_fewer_than_a_model_needs_are_refused():
    assert spec(strategy="direct", horizon=4, lags=(1, 5)).min_rows == 7 + 5 + 4
    with pytest.raises(ValueError, match="series has n_samples=8 time steps, .* need at least 9"):
        fit_ensemble(spec(), WAVE[:8, None], np.empty((8, 0)))
