"""BLAS and LAPACK calls against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from esnkit.readouts._blas import WIDE_FROM, add_gram, add_orthogonal


def fortran(*shape, seed=0):
    return np.asfortranarray(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize(("m", "n", "p"), [(1, 1, 1), (7, 3, 2), (3, 7, 1), (200, 40, 5)])
def test_add_gram_adds_products_in_place(m, n, p):
    ZX, ZY = (np.ascontiguousarray(fortran(m, width)) for width in (n, p))
    G, C = fortran(n, n, seed=1), fortran(n, p, seed=2)
    before, upper = (G + ZX.T @ ZX, C + ZX.T @ ZY), np.triu(G, 1)
    add_gram(G, C, ZX, ZY)
    assert_allclose(np.tril(G), np.tril(before[0]), rtol=1e-12, atol=1e-12)
    assert_allclose(C, before[1], rtol=1e-12, atol=1e-12)
    assert np.array_equal(np.triu(G, 1), upper), "the upper triangle is not written"


@pytest.mark.parametrize(
    ("m", "n", "p"), [(1, 1, 1), (7, 3, 2), (3, 7, 1), (90, 40, 5), (9, WIDE_FROM, 1)]
)
def test_add_orthogonal_updates_a_factorisation(m, n, p):
    R, C, ZX, ZY = np.triu(fortran(n, n)), fortran(n, p), fortran(m, n, seed=1), fortran(m, p)
    rows, targets = np.vstack([R, ZX]), np.vstack([C, ZY])
    R = np.asfortranarray(R + np.tril(fortran(n, n, seed=3), -1))
    lower = np.tril(R, -1)
    add_orthogonal(R, C, ZX, ZY)
    assert np.array_equal(np.tril(R, -1), lower), "the lower triangle is neither read nor written"
    R = np.triu(R)
    assert_allclose(R.T @ R, rows.T @ rows, rtol=1e-10, atol=1e-10 * n)
    assert_allclose(R.T @ C, rows.T @ targets, rtol=1e-10, atol=1e-10 * n)
    assert_allclose((C**2).sum() + (ZY**2).sum(), (targets**2).sum())


def test_add_orthogonal_of_rows_that_end_in_a_triangle():
    n, p = 6, 2
    R, C, ZY = np.triu(fortran(n, n)), fortran(n, p), fortran(n + 1, p, seed=4)
    ZX = fortran(n + 1, n, seed=1)
    ZX[1:] = np.triu(ZX[1:])
    rows, targets = np.vstack([R, ZX]), np.vstack([C, ZY])
    R = np.asfortranarray(R)
    add_orthogonal(R, C, ZX, ZY, n_triangular=n)
    assert_allclose(np.triu(R).T @ np.triu(R), rows.T @ rows, atol=1e-12)
    assert_allclose(np.triu(R).T @ C, rows.T @ targets, atol=1e-12)
