"""The feed-forward network on a window of past values."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from esnkit import Forecaster
from esnkit.baselines import RidgeAutoregression, WindowMLP

LOGISTIC = [0.3]
for _ in range(150):
    LOGISTIC.append(3.7 * LOGISTIC[-1] * (1 - LOGISTIC[-1]))
SERIES = np.array(LOGISTIC)
SMALL = {"hidden_layer_sizes": (5,), "alpha": 1e-3, "random_state": 0}


def test_it_learns_a_map_that_no_linear_model_can():
    models = WindowMLP(1, **SMALL), RidgeAutoregression(1)
    error, linear_error = (
        np.abs(model.fit(SERIES[:140]).forecast(4) - SERIES[140:144]).max() for model in models
    )
    assert error < 0.05 < 0.2 < linear_error


def test_it_is_scikit_learns_network_with_lags():
    network = MLPRegressor(solver="lbfgs", activation="tanh", max_iter=30, **SMALL)
    with pytest.warns(ConvergenceWarning):
        expected = Forecaster(network, lags=(1, 3)).fit(SERIES).forecast(5)
    with pytest.warns(ConvergenceWarning):
        found = WindowMLP((1, 3), max_iter=30, **SMALL).fit(SERIES).forecast(5)
    np.testing.assert_array_equal(found, expected)


def test_parameters_are_checked():
    for params in ({"alpha": -1.0}, {"hidden_layer_sizes": (0,)}, {"activation": "step"},
                   {"max_iter": 0}, {"lags": 0}, {"random_state": -1}):  # fmt: skip
        with pytest.raises(ValueError, match=next(iter(params))):
            WindowMLP(**{"lags": 2} | params).fit(SERIES)
