"""Any regressor or classifier of scikit-learn as the readout."""

import numpy as np
import pytest
from esn_models import (
    assert_same_readout,
    classifier,
    coefficients,
    features,
    regressor,
    ridge_rows,
    slow_answer,
)
from sklearn.ensemble import StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVR

from esnkit import (
    Forecaster,
)


def test_weights_reach_a_readout_of_scikit_learn(X, y, rng):
    w = rng.random(len(X)) * (rng.random(len(X)) < 0.7)
    model = regressor(readout=Ridge(1e-3)).fit(X, y, sample_weight=w)
    assert_same_readout(coefficients(model), ridge_rows(features(model, [X]), y, w))


def test_a_readout_without_weights_takes_zeros_and_ones(X, y):
    model = regressor(readout=KNeighborsRegressor(3), washout=5).fit(X, y)
    Z = features(model, [X])
    alone = KNeighborsRegressor(3).fit(Z[5:], y[5:])
    np.testing.assert_allclose(model.predict(X), alone.predict(Z), atol=1e-10)
    with pytest.raises(ValueError, match="sample_weight: KNeighborsRegressor takes no weights"):
        model.fit(X, y, sample_weight=np.arange(60.0))


def test_a_list_of_alphas_takes_the_best_of_them(X, y):
    alphas = [1e-6, 1e-2, 1.0, 100.0]
    model = regressor(alpha=alphas).fit(X, y)
    Z = features(model, [X])
    by_scikit_learn = RidgeCV(alphas).fit(Z, y).alpha_
    assert model.readout_.alpha_ == by_scikit_learn
    one = regressor(alpha=by_scikit_learn).fit(X, y)
    np.testing.assert_allclose(model.predict(X), one.predict(X), atol=1e-8)


@pytest.mark.parametrize("readout", [Ridge(1e-3), RidgeCV([1e-3, 1.0])])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_linear_readout_of_scikit_learn(readout, n_outputs, X, y):
    y = y[:, :n_outputs]
    model = regressor(readout=readout).fit(X, y)
    alpha = getattr(model.readout_, "alpha_", 1e-3)
    wanted = slow_answer(model, [X], y, alpha=alpha)
    np.testing.assert_allclose(model.predict(X), wanted, atol=1e-7)
    assert model.predict(X).shape == y.shape
    assert not hasattr(readout, "coef_"), "the readout given is left as it was"


def test_regressors_of_one_output_read_several(rng):
    X = rng.normal(size=(60, 2))
    weights = np.arange(59) % 3
    one = regressor(readout=SVR()).fit(X[:-1], X[1:, 0], sample_weight=weights)
    both = regressor(readout=SVR()).fit(X[:-1], X[1:], sample_weight=weights)
    np.testing.assert_allclose(both.predict(X)[:, 0], one.predict(X), rtol=1e-9)
    assert classifier(readout=SVR()).fit(X, X[:, 0] > 0).score(X, X[:, 0] > 0) > 0.8


def test_searches_and_frozen_readouts_stay_what_they_are(rng):
    X = rng.normal(size=(60, 2))
    searched = regressor(readout=GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]})).fit(X[:-1], X[1:])
    assert searched.readout_.best_params_["alpha"] in (0.1, 1.0)
    states = np.hstack([searched.reservoir_.transform(X), X])
    frozen = FrozenEstimator(Ridge().fit(states[:-1], X[1:]))
    assert regressor(readout=frozen).fit(X[:-1], X[1:]).predict(X).shape == (60, 2)


def test_regressors_that_predict_only_once_fitted_read_states(rng):
    X = rng.normal(size=(60, 2))
    readout = StackingRegressor([("a", Ridge())], cv=2)
    assert regressor(readout=readout).fit(X, X[:, 0]).score(X, X[:, 0]) > 0.5
    assert Forecaster(readout, lags=2).fit(X[:, 0]).forecast(3).shape == (3,)


def test_the_number_of_outputs_cannot_be_assigned():
    X = np.sin(np.arange(60.0))[:, None]
    model = regressor().fit(X, X)
    model.n_outputs_ = 2
    with pytest.raises(ValueError, match="must have 2 rows, one for every output of n_outputs_"):
        model.predict(X)
