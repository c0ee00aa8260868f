"""Directions for hat values: eigenvectors where they are precise, else factors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from esnkit.readouts import _hat_values
from esnkit.readouts._accumulator import Accumulator
from esnkit.readouts._hat_values import hat_directions

ALPHAS = np.array([1e-6, 1e-3, 1.0, 1e3, 1e9])


def statistics_of(X, solver):
    y = X @ np.ones((X.shape[1], 2)) / np.abs(X).max()
    ((_, statistics),) = Accumulator(solver, X.shape[1], 2).add(X, y, None).totals()
    return statistics


def hat_values(found, Z, alphas):
    hats = np.full((len(Z), len(alphas)), np.nan)
    for served, directions, weights, _ in found:
        hats[:, served] = (Z @ directions) ** 2 @ weights
    return hats


def expected_hat_values(Z, sizes, alphas):
    """Solve with columns of length one, which is precise for features of any size."""
    scaled = Z / sizes
    penalties = [np.diag(alpha / sizes**2) for alpha in alphas]
    solved = [np.linalg.solve(scaled.T @ scaled + P, scaled.T) for P in penalties]
    return np.stack([np.einsum("ij,ji->i", scaled, S) for S in solved], axis=1)


@pytest.mark.parametrize("solver", ["gram", "qr"])
@pytest.mark.parametrize(("span", "n_sets"), [(0, 1), (4, 4), (8, 5)])
def test_hat_values_of_columns_of_any_size(solver, span, n_sets):
    sizes = 10.0 ** np.linspace(-span, span, 8)
    X = np.random.default_rng(0).standard_normal((60, 8)) * sizes
    found, coefs = hat_directions(statistics_of(X, solver), ALPHAS)
    assert 1 <= len(found) <= n_sets
    assert span == 0 or len(found) > 1
    Z = X - X.mean(axis=0)
    assert_allclose(hat_values(found, Z, ALPHAS), expected_hat_values(Z, sizes, ALPHAS), atol=1e-8)
    singles = [statistics_of(X, solver).solve(alpha)[0] for alpha in ALPHAS]
    assert_allclose(coefs, singles, rtol=1e-10, atol=1e-12 * np.abs(coefs).max())


@pytest.mark.parametrize("solver", ["gram", "qr"])
def test_factors_and_eigenvectors_agree_where_both_are_precise(solver, monkeypatch):
    X = np.random.default_rng(0).standard_normal((60, 8))
    statistics = statistics_of(X, solver)
    eigen, _ = hat_directions(statistics, ALPHAS)
    monkeypatch.setattr(_hat_values, "_is_precise", lambda *_: False)
    factors, _ = hat_directions(statistics, ALPHAS)
    assert len(eigen) == 1 and len(factors) > 1
    Z = X - X.mean(axis=0)
    assert_allclose(hat_values(factors, Z, ALPHAS), hat_values(eigen, Z, ALPHAS), atol=1e-8)


@pytest.mark.parametrize("solver", ["gram", "qr"])
def test_directions_without_freedom_are_dropped(solver, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3)) @ rng.standard_normal((3, 20))
    X += 1e-7 * rng.standard_normal(X.shape)
    statistics = statistics_of(X, solver)
    alphas = ALPHAS[1:]
    for is_precise in (True, False):
        monkeypatch.setattr(_hat_values, "_is_precise", lambda *_, p=is_precise: p)
        found, _ = hat_directions(statistics, alphas)
        assert max(served.directions.shape[1] for served in found) < 10
        Z = X - X.mean(axis=0)
        hats = hat_values(found, Z, alphas)
        assert_allclose(hats, expected_hat_values(Z, np.ones(20), alphas), atol=1e-6)


def test_singular_features_of_different_sizes_have_directions():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4)) * [1e8, 1.0, 1e-6, 1.0]
    wide = np.c_[X, X[:, 0]]
    found, _ = hat_directions(statistics_of(wide, "qr"), np.array([0.0]))
    Z = X - X.mean(axis=0)
    wanted = expected_hat_values(Z, np.linalg.norm(Z, axis=0), [0.0])
    assert_allclose(hat_values(found, wide - wide.mean(axis=0), [0.0]), wanted, rtol=1e-8)
