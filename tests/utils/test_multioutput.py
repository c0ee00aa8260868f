"""Several outputs with regressors that take one, and with those that take all."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.svm import SVR

from esnkit.utils._multioutput import fit_outputs

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X @ np.random.default_rng(1).normal(size=(3, 2))


def test_a_regressor_of_several_outputs_is_fitted_once():
    model = fit_outputs(Ridge(), X, Y)
    assert isinstance(model, Ridge) and model.predict(X).shape == (40, 2)


def test_a_regressor_of_one_output_is_cloned():
    model = fit_outputs(SVR(), X, Y)
    assert isinstance(model, MultiOutputRegressor) and len(model.estimators_) == 2
    np.testing.assert_allclose(model.predict(X)[:, 1], SVR().fit(X, Y[:, 1]).predict(X))


@pytest.mark.parametrize("y", [Y[:, 0], Y[:, :1]])
def test_a_single_output_is_one_dimensional(y):
    assert isinstance(fit_outputs(SVR(), X, y), SVR)


def test_weights_reach_every_output():
    weights = np.arange(40.0)
    model = fit_outputs(SVR(), X, Y, sample_weight=weights)
    alone = SVR().fit(X, Y[:, 0], sample_weight=weights)
    np.testing.assert_allclose(model.predict(X)[:, 0], alone.predict(X))


def test_errors_of_the_estimator_are_passed_on():
    with pytest.raises(ValueError, match="NaN"):
        fit_outputs(Ridge(), X, np.full((40, 2), np.nan))
