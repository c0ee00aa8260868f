"""Series to forecast, and forecasters of every kind, for several test files."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from esnkit import ESNRegressor, Forecaster

T = np.arange(400)
WAVE = np.sin(T / 5) + 0.4 * np.sin(T / 3)
EXOG = np.random.default_rng(1).normal(size=400)
# The inputs of a row act on that row, and on the next.
DRIVEN = WAVE + 0.5 * EXOG + 0.3 * np.r_[0.0, EXOG[:-1]]


def esn(**parameters):
    settings = {"n_units": 60, "input_scaling": 0.1, "bias_scaling": 0.0, "alpha": 1e-6}
    settings["random_state"] = 0
    return ESNRegressor(**(settings | parameters))


MODELS = {
    "esn": (esn(), {}),
    "esn direct": (esn(), {"strategy": "direct", "horizon": 20}),
    "ridge": (Ridge(1e-9), {"lags": 6}),
    "ridge, some lags": (Ridge(1e-9), {"lags": (1, 2, 3, 4, 5, 6, 9)}),
    "ridge direct": (Ridge(1e-9), {"lags": 6, "strategy": "direct", "horizon": 20}),
}
every_model = pytest.mark.parametrize("name", MODELS)


def make(name, **more):
    estimator, settings = MODELS[name]
    return Forecaster(estimator, **(settings | more))
