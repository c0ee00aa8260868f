"""Inverses of the dual problem, on the complement of the intercept."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from esnkit.readouts._dual_inverses import dual_inverses


def problem(n_rows, sizes, seed=0):
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.5, 2, n_rows)
    X = rng.standard_normal((n_rows, len(sizes))) * sizes
    root = np.sqrt(w / w.sum())
    return root[:, None] * (X - w @ X / w.sum()), root


def proportional_to(F):
    S = F @ F.T
    return S / np.abs(S).max()


@pytest.mark.parametrize("sizes", [np.ones(9), 10.0 ** np.linspace(0, 3, 9)])
@pytest.mark.parametrize("alpha", [1e-8, 1e-2, 1e4])
def test_factors_are_those_of_the_inverse(sizes, alpha):
    Z, root = problem(7, sizes)
    (F,) = dual_inverses(Z, root, np.array([alpha]))
    assert F.shape == (7, 6)
    complement = np.linalg.svd(root[None])[2][1:].T
    inverse = np.linalg.inv(complement.T @ (Z @ Z.T) @ complement + alpha * np.eye(6))
    wanted = complement @ inverse @ complement.T
    assert_allclose(proportional_to(F), wanted / np.abs(wanted).max(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-250, 1e-3, 1.0, 1e120])
def test_factors_do_not_depend_on_the_unit_of_the_features(scale):
    sizes = 10.0 ** np.linspace(-6, 6, 9)
    Z, root = problem(7, sizes)
    alphas = np.array([0.0, 1e-12, 1.0, 1e8])
    with np.errstate(under="ignore"):
        scaled = dual_inverses(scale * Z, root, alphas * scale**2)
        for i, (F, wanted) in enumerate(zip(scaled, dual_inverses(Z, root, alphas), strict=True)):
            if alphas[i] == 0 or scale > 1e-150:  # alpha underflows
                assert_allclose(proportional_to(F), proportional_to(wanted), rtol=1e-6, atol=1e-9)


def test_dependent_rows_of_different_sizes_have_no_precise_factor():
    Z, root = problem(6, np.array([1e8, 1.0, 1e-6]))
    weak, strong = dual_inverses(Z, root, np.array([0.0, 1e12]))
    assert weak is None and np.isfinite(strong).all()


def test_a_single_row_has_an_empty_factor():
    (F,) = dual_inverses(np.zeros((1, 3)), np.ones(1), np.array([1.0]))
    assert F.shape == (1, 0)
