import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from esnkit import AutoForecaster, ESNClassifier, ESNRegressor, Forecaster
from esnkit.adapters._tags import tags_of


@pytest.mark.parametrize(
    ("estimator", "missing", "randomness"),
    [
        (AutoForecaster(), True, "deterministic"),
        (AutoForecaster(missing="raise", random_state=None), False, "stochastic"),
        (Forecaster(ESNRegressor(random_state=0)), True, "deterministic"),
        (Forecaster(ESNRegressor()), True, "stochastic"),
        (ESNClassifier(random_state=1), False, "deterministic"),
        (ESNClassifier(random_state=np.random.RandomState(0)), False, "stochastic"),
        (LinearRegression(), False, "deterministic"),
    ],
    ids=range(7),
)
def test_tags_follow_from_parameters(estimator, missing, randomness):
    tags = tags_of(estimator)
    assert tags == {"capability:missing_values": missing, "property:randomness": randomness}
