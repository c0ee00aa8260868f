"""Row products, means and centring against plain NumPy."""

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from ridge_problems import SOLVERS, data

from esnkit.kernels import linalg


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 15, 16, 64, 100, 131])
@pytest.mark.parametrize("apart", [0, 3])
def test_affine_row_has_the_bits_of_affine_and_of_the_reference(dtype, n, apart):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((37, n + apart)).astype(dtype)[:, :n]
    coef = rng.standard_normal((3, n)).astype(dtype)
    intercept, out = rng.standard_normal(3).astype(dtype), np.empty((37, 3), dtype)
    linalg.affine(X, coef, intercept, out)
    row, lanes = np.empty(3, dtype), np.empty(16, dtype)
    for i in range(37):
        linalg.affine_row(X[i], coef, intercept, lanes, row)
        assert_array_equal(row, out[i])
        assert_array_equal(row, reference.affine_lanes(X[i], coef, intercept))


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_scale_lower_against_numpy(n):
    rng = np.random.default_rng(n)
    rows, scale = rng.normal(size=(n + 3, n)), rng.uniform(0.5, 2.0, n)
    gram = rows.T @ rows
    lower, out = np.asfortranarray(gram), np.full((n, n), np.nan, order="F")
    lower[np.triu_indices(n, 1)] = np.nan  # never read
    norm = linalg.scale_lower(lower, 0.5, scale, out)
    wanted = scale[:, None] * (gram + 0.5 * np.eye(n)) * scale
    assert_allclose(np.tril(out), np.tril(wanted), rtol=1e-14, atol=1e-14)
    assert_allclose(norm, np.linalg.norm(wanted, 1), rtol=1e-13)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("offset", [0, 2.0**26])
def test_centring_against_numpy(solver, offset):
    X, _ = data(50, 7)
    X = np.round(X * 2**20) / 2**20
    w = np.random.default_rng(8).random(50)
    mean, out = np.empty((2, 7)), np.empty((7, 50))
    linalg.weighted_mean(X + offset, w, 0, mean)
    centred = X - np.average(X, axis=0, weights=w)
    assert_allclose(mean[0] - offset + mean[1], (X - centred)[0], rtol=1e-13)
    assert_array_equal(mean[0], mean.sum(axis=0))
    rows = out.reshape(50, 7) if solver == "gram" else out
    centre = linalg.centre_rows if solver == "gram" else linalg.centre_columns
    centre(X + offset, np.sqrt(w), mean, rows)
    wanted = np.sqrt(w)[:, None] * centred
    assert_allclose(rows if solver == "gram" else rows.T, wanted, rtol=1e-12, atol=1e-14)


def test_move_mean_keeps_steps_below_the_rounding_of_the_mean():
    mean = np.array([[2.0**26, -1.0], [0.0, 0.0]])
    for _ in range(1000):
        linalg.move_mean(mean, np.full(2, 2.0**-40))
    assert_array_equal(mean, [[2.0**26, -1.0 + 1000 * 2.0**-40], [1000 * 2.0**-40, 0.0]])


def test_inverse_diagonals_against_numpy():
    rng = np.random.default_rng(0)
    Q, pivots, ratios = rng.normal(size=(9, 150)), 1 + rng.random((3, 9)), rng.normal(size=(3, 8))
    out = np.empty((3, 150))
    linalg.inverse_diagonals(Q, pivots, ratios, out)
    for found, d, below in zip(out, pivots, ratios, strict=True):
        L = np.eye(9) + np.diag(below, -1)
        assert_allclose(found, np.diag(Q.T @ np.linalg.inv(L * d @ L.T) @ Q), rtol=1e-11)
