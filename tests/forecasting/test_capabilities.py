"""What a forecaster asks of an estimator, and how it refuses others."""

import numpy as np
import pytest
from forecast_problems import WAVE, esn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import ESNRegressor, Forecaster, Reservoir, ReservoirRegressor, RNNRegressor
from esnkit.forecasting._capabilities import (
    carries_state,
    check_lags,
    check_memory,
    check_regressor,
    is_causal,
)


class Integrator(RegressorMixin, BaseEstimator):
    """A third party's regressor with a state: the running sum of the inputs."""

    def fit(self, X, y):
        sums = np.cumsum(X, axis=0)
        self.gain_ = np.sum(sums * y.reshape(len(y), -1)) / np.sum(sums**2)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X, *, initial_state=None, return_state=False):
        start = np.zeros(X.shape[1]) if initial_state is None else initial_state
        sums = start + np.cumsum(X, axis=0)
        return (self.gain_ * sums, sums[-1]) if return_state else self.gain_ * sums


def test_a_state_is_told_by_the_signature_of_predict():
    assert carries_state(ESNRegressor()) and carries_state(RNNRegressor())
    assert carries_state(Integrator()) and carries_state(Reservoir(), "transform")
    assert not carries_state(Ridge()) and not carries_state(None)


def test_a_third_partys_regressor_with_a_state_is_forecast():
    model = Forecaster(Integrator(), scale=False).fit(np.arange(8.0))
    gain = model.estimators_[0].gain_
    sums, expected = 28.0, []
    for _ in range(3):
        expected.append(gain * sums)
        sums += expected[-1]
    np.testing.assert_allclose(model.forecast(3), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "lags, expected", [(3, (1, 2, 3)), ([9, 1], (1, 9)), (range(1, 3), (1, 2))]
)
def test_lags_are_sorted(lags, expected):
    assert check_lags(lags) == expected and check_memory(Ridge(), lags) == expected


def test_lags_go_with_estimators_without_a_state_only():
    assert check_memory(esn(), None) is None
    with pytest.raises(ValueError, match="lags must be given for Ridge, which has no state"):
        check_memory(Ridge(), None)
    with pytest.raises(ValueError, match="lags must be None for ESNRegressor, whose state holds"):
        check_memory(esn(), 3)


@pytest.mark.parametrize("inner", [esn(), make_pipeline(Reservoir(5), Ridge())])
@pytest.mark.parametrize("lags", [None, 2])
def test_a_state_that_is_not_carried_on_is_refused(inner, lags):
    with pytest.raises(ValueError, match="estimator must carry its state from call to call"):
        check_memory(make_pipeline(StandardScaler(), inner), lags)


class Acausal(Integrator):
    """Says by its `causal` that it needs future inputs."""

    causal = False


@pytest.mark.parametrize("estimator", [Acausal(), RNNRegressor(4, bidirectional=True)])
def test_estimators_that_need_future_inputs_are_refused(estimator):
    assert not is_causal(estimator) and is_causal(esn()) and is_causal(Ridge())
    with pytest.raises(ValueError, match="estimator must be causal to continue a series, got "):
        Forecaster(estimator).fit(WAVE)


def test_feedback_is_refused():
    with pytest.raises(ValueError, match=r"got ReservoirRegressor\(feedback=True\)"):
        check_memory(ReservoirRegressor(feedback=True), None)


@pytest.mark.parametrize("estimator", [Ridge, "ridge", None, LogisticRegression(), Reservoir()])
def test_other_objects_than_regressors_are_refused(estimator):
    with pytest.raises(TypeError, match="estimator must be a regressor"):
        check_regressor(estimator)
