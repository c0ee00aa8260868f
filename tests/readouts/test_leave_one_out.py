"""Leave-one-out errors in closed form against models fitted without each row."""

import warnings

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from ridge_problems import SOLVERS, assert_same_model, data
from scipy.linalg import LinAlgWarning

from esnkit.readouts import RidgeReadout
from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._leave_one_out import leave_one_out


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_equals_literal_refits(solver, weighted):
    X, Y = data(30, 8, 2, noise=1.0)
    rng = np.random.default_rng(5)
    w = rng.random(Y.shape) * (rng.random(Y.shape) < 0.8) if weighted else np.ones(Y.shape)
    alphas = [1e-6, 0.1, 3.0, 100.0]
    model = RidgeReadout(alphas, solver=solver).fit(X, Y, w)
    wanted = [
        np.mean([reference.leave_one_out_by_refits(X, Y[:, [o]], a, w[:, o]) for o in range(2)])
        for a in alphas
    ]
    assert_allclose(model.loo_scores_, wanted, rtol=1e-8)
    assert model.alpha_ == alphas[np.argmin(wanted)]
    assert model.loo_mse_ == model.loo_scores_.min()
    assert_same_model(model, RidgeReadout(model.alpha_, solver=solver).fit(X, Y, w), 1e-11)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n_rows", "n_features"), [(25, 40), (30, 30), (31, 30), (3, 50)])
def test_the_dual_form_equals_literal_refits(solver, n_rows, n_features):
    X, Y = data(n_rows + 4, n_features, 2, noise=1.0)
    w = np.random.default_rng(5).uniform(0.5, 2, Y.shape)
    w[1:5] = 0  # rows without weight
    alphas = [1e-8, 0.1, 30.0]
    model = RidgeReadout(alphas, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        model.fit_blocks(lambda: [(X[:6], Y[:6], w[:6]), (X[6:], Y[6:], w[6:])])
    wanted = [
        np.mean([reference.leave_one_out_by_refits(X, Y[:, [o]], a, w[:, o]) for o in range(2)])
        for a in alphas
    ]
    assert_allclose(model.loo_scores_, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("X", "alphas"),
    [
        (1e-9 * np.random.default_rng(0).normal(size=(15, 20)), [1e-18, 1e-17]),
        (np.random.default_rng(1).normal(size=(6, 2)) @ np.ones((2, 8)), [1e-12, 1.0]),
        (np.random.default_rng(2).normal(size=(7, 9))[[0, 0, 1, 2, 3, 4, 5]], [1e-10, 1.0]),
    ],
)
def test_the_dual_form_with_features_of_any_size_and_rank(X, alphas):
    y = np.random.default_rng(3).normal(size=(len(X), 1))
    wanted = [reference.leave_one_out_by_refits(X, y, a, np.ones(len(X))) for a in alphas]
    model = RidgeReadout(alphas, solver="qr").fit(X, y)
    assert_allclose(model.loo_scores_, np.ravel(wanted), rtol=1e-4)


def test_a_single_row_has_infinite_error_for_every_alpha():
    with pytest.warns(UserWarning, match="no leave-one-out error is finite"):
        model = RidgeReadout([1.0, 10.0, 2.0]).fit(np.ones((1, 3)), [1.0])
    assert np.all(model.loo_scores_ == np.inf) and model.alpha_ == 10.0


def test_blocks_with_and_without_weights_alternate():
    X, Y = data(8, 20, 2)
    mixed = RidgeReadout([1.0, 10.0]).fit_blocks(
        lambda: iter([(X[:4], Y[:4], None), (X[4:], Y[4:], np.ones((4, 2)))])
    )
    assert_allclose(mixed.loo_scores_, RidgeReadout([1.0, 10.0]).fit(X, Y).loo_scores_, rtol=1e-9)


def test_outputs_with_few_and_with_many_rows_use_different_forms():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 30))
    Y = X[:, :2] + 0.1 * rng.standard_normal((60, 2))
    w = np.ones((60, 2))
    w[20:, 0] = 0
    alphas = [1e-12, 1e-3]
    wanted = [
        np.mean([reference.leave_one_out_by_refits(X, Y[:, [o]], a, w[:, o]) for o in range(2)])
        for a in alphas
    ]
    assert_allclose(RidgeReadout(alphas).fit(X, Y, w).loo_scores_, wanted, rtol=1e-6)


def test_eigenvectors_without_freedom_are_left_out():
    t = np.linspace(0, 40, 3000)[:, None]
    rng = np.random.default_rng(6)
    X = np.tanh(np.sin(t) @ rng.uniform(-1, 1, (1, 60)) + np.cos(t) @ rng.uniform(-1, 1, (1, 60)))
    y = np.sin(2 * t[:, 0]) + 0.1 * rng.standard_normal(3000)
    fast = RidgeReadout([1e-2, 1.0]).fit(X, y)
    left = [(y - _hat(X, a) @ y) / (1 - np.diag(_hat(X, a))) for a in (1e-2, 1.0)]
    assert_allclose(fast.loo_scores_, np.mean(np.square(left), axis=1), rtol=1e-8)


def _hat(X, alpha):
    Z = X - X.mean(axis=0)
    hat = Z @ np.linalg.solve(Z.T @ Z + alpha * np.eye(X.shape[1]), Z.T)
    return hat + 1 / len(X)


def test_a_row_that_determines_its_own_prediction_has_infinite_error():
    X, Y = data(30, 3)
    X = np.hstack([X, np.eye(30)[:, :1]])
    model = RidgeReadout([0.0, 1.0]).fit(X, Y)
    assert model.loo_scores_[0] == np.inf and model.alpha_ == 1.0


def errors_of(X, y, solver, alphas):
    accumulator = Accumulator(solver, X.shape[1], y.shape[1]).add(X, y, None)
    return leave_one_out(accumulator, lambda task, merge: task([(X, y, None)]), alphas)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_rows", [80, 5])
def test_errors_are_in_units_of_huge_targets(solver, n_rows):
    X, Y = data(n_rows, 6)
    alphas = np.array([10.0, 0.1, 10.0])
    plain, scaled = (errors_of(X, y, solver, alphas) for y in (Y, np.ldexp(Y, 600)))
    assert plain[0].shape == (3, 3) and plain[1] == 0
    assert_array_equal(plain[0][0], plain[0][2])
    assert_allclose(np.ldexp(scaled[0], scaled[1] - 1200), plain[0], rtol=1e-12)
