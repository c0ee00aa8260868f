"""Small echo state networks, and their equations in plain NumPy, for several test files."""

import numpy as np
import pytest
from reference import ridge_augmented, sequence_features

from esnkit import (
    ESNClassifier,
    ESNRegressor,
)

DTYPES = [np.float64, np.float32]


both = pytest.mark.parametrize("dtype", DTYPES)


with_and_without_input = pytest.mark.parametrize("include_input", [True, False])


every_topology = pytest.mark.parametrize(
    "topology", ["diagonals", "random", "dense", "cycle", "orthogonal"]
)


def regressor(n_units=15, **params):
    params = {"degree": 4, "bias_scaling": 0.3, "alpha": 1e-3, "random_state": 0} | params
    return ESNRegressor(n_units, **params)


def classifier(n_units=15, **params):
    return ESNClassifier(n_units, degree=4, bias_scaling=0.3, random_state=0, **params)


def weights_of(model):
    r = model.reservoir_
    return r.W_.toarray(), np.hstack([r.W_fb_, r.W_in_]), r.b_, r.leak_rate_, r.activation


def features(model, sequences, pooling=None, **params):
    return sequence_features(*weights_of(model), sequences, pooling, **params)


def slow_answer(model, sequences, y, w=None, pooling=None, alpha=1e-3, **params):
    """Fit by augmented least squares on the features of a loop; return its answer to them."""
    Z = features(model, sequences, pooling, **params)
    w = np.ones(len(Z)) if w is None else w
    coef, intercept = ridge_augmented(Z, y, alpha, w, standardize=pooling is not None)
    return Z @ coef + intercept


def coefficients(model):
    return np.c_[model.readout_.coef_, model.readout_.intercept_]


def ridge_rows(Z, y, w, standardize=False):
    """Return the coefficients of a ridge on the rows of weight above zero, the rest left out."""
    kept = w > 0
    coef, intercept = ridge_augmented(Z[kept], y[kept], 1e-3, w[kept], standardize)
    return np.c_[coef.T, intercept]


def assert_same_readout(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-8)
