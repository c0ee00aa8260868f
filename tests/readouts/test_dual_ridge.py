"""The dual form against scikit-learn on standardised features."""

import numpy as np
import pytest
from classification_problems import classes
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from esnkit.readouts._dual_ridge import DualRidge


@pytest.mark.parametrize("smallest", [1e-13, 1e-3])  # from singular vectors, and from a Gram matrix
def test_solutions_are_those_of_scaled_features(smallest):
    X, Y, w = classes(12, 30)
    X[:, 4] = 0.1  # constant
    X[:, 5] += 2.0**34
    X[:, 5] -= 2.0**34  # which rounds
    shifted = X.copy()
    shifted[:, 5] += 2.0**34
    dual, far = DualRidge(X, Y, w, smallest), DualRidge(shifted, Y, w, smallest)
    assert_allclose(far.solve(1.0), dual.solve(1.0), rtol=1e-9, atol=1e-12)
    scaler = StandardScaler().fit(X, sample_weight=w)
    assert_allclose(dual.scale, scaler.scale_, rtol=1e-8)
    for alpha in (1e-3, 10.0):
        wanted = Ridge(alpha).fit(scaler.transform(X), Y, w).coef_ / scaler.scale_
        assert_allclose(dual.solve(alpha).T, wanted, atol=1e-8 * np.abs(wanted).max())


@pytest.mark.parametrize("smallest", [1e-13, 1e-3])
def test_leave_one_out_errors_are_those_of_refits(smallest):
    X, Y, w = classes(9, 20)
    dual = DualRidge(X, Y, w, smallest)
    ((errors, _),) = dual.errors(np.array([1e-3]))
    for i in range(9):
        others = np.arange(9) != i
        model = Ridge(1e-3, solver="svd").fit(X[others] / dual.scale, Y[others], w[others])
        left = (Y[i] - model.predict(X[[i]] / dual.scale)[0]) * np.sqrt(w[i])
        assert_allclose(errors[i], left, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("smallest", [1e-13, 1e-3])
@pytest.mark.parametrize("n_rows", [2, 9])
def test_condition_and_rounding_errors(n_rows, smallest):
    X, Y, w = classes(n_rows, 20)
    dual, alphas = DualRidge(X, Y, w, smallest), np.array([1e-3, 10.0])
    Z, y = (X - dual.mean_x) / dual.scale, (Y - dual.mean_y) * np.sqrt(w)[:, None]
    Z *= np.sqrt(w)[:, None]
    intercept = np.outer(np.sqrt(w), np.sqrt(w)) / w.sum()
    for alpha, (_, rounding) in zip(alphas, dual.errors(alphas), strict=True):
        penalised = np.vstack([Z, np.sqrt(alpha) * np.eye(20)])
        assert_allclose(dual.condition(alpha), np.linalg.cond(penalised))
        S = np.linalg.inv(Z @ Z.T + alpha * np.eye(n_rows)) - intercept / alpha
        size = np.sqrt(np.diag(S).max() * np.einsum("ij,ik,kj->j", y, S, y))
        wanted = n_rows * np.finfo(float).eps * size / np.diag(S)[:, None]
        assert_allclose(rounding, wanted, rtol=1e-4)


def test_without_a_penalty_the_solution_of_least_norm_interpolates():
    X, Y, w = classes(10, 25)
    X[1] = X[0]  # dependent rows
    Y[1] = Y[0]
    dual = DualRidge(X, Y, w, 0.0)
    B = dual.solve(0.0)
    assert_allclose((X - dual.mean_x) @ B + dual.mean_y, Y, atol=1e-9)
    Z = (X - dual.mean_x) / dual.scale * np.sqrt(w)[:, None]
    wanted = np.linalg.pinv(Z) @ ((Y - dual.mean_y) * np.sqrt(w)[:, None])
    assert_allclose(B * dual.scale[:, None], wanted, atol=1e-9)
    assert dual.condition(0.0) == np.inf


def test_constant_features_without_a_penalty_have_an_infinite_condition():
    X, Y, _ = classes(10, 25)
    assert DualRidge(np.ones_like(X), Y, np.ones(10), 0.0).condition(0.0) == np.inf
