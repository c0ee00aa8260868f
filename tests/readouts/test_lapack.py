"""LAPACK calls against NumPy, and the threads that they run in."""

import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import LinAlgError

from esnkit.readouts import RidgeReadout, _blas
from esnkit.readouts import _lapack as lapack
from esnkit.utils import _threads

RNG = np.random.default_rng(0)


def symmetric(n):
    A = RNG.standard_normal((n + 3, n))
    return np.asfortranarray(A.T @ A)


@pytest.mark.parametrize("n", [1, 2, 40])
def test_factors_and_solutions_equal_those_of_numpy(n):
    A, B = symmetric(n), RNG.standard_normal((n, 3))
    G = A.copy(order="F")
    assert lapack.cholesky(G) == 0
    assert_allclose(np.tril(G), np.linalg.cholesky(A), atol=1e-10)
    assert_allclose(A @ lapack.solve_cholesky(G, B), B, atol=1e-9)
    condition = np.linalg.cond(A, 1)
    norm = np.linalg.norm(A, 1)
    assert 1 <= lapack.reciprocal_condition(G, norm) * condition * (1 + 1e-9) <= 3
    R = np.triu(A)
    condition = np.linalg.cond(R, 1)
    assert 1 <= lapack.reciprocal_condition_of_triangle(R) * condition * (1 + 1e-9) <= 3
    assert_allclose(lapack.invert_triangle(R + np.tril(A, -1)) @ R, np.eye(n), atol=1e-6)
    values, vectors = lapack.eigh(np.tril(A))
    assert_allclose((vectors * values) @ vectors.T, A, atol=1e-10)
    assert_array_equal(lapack.matmul(A, B), A @ B)
    diagonal, beside, Q = lapack.tridiagonal(np.tril(A))
    T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    assert_allclose(Q @ T @ Q.T, A, atol=1e-10)
    assert_allclose(Q @ Q.T, np.eye(n), atol=1e-12)
    factors = lapack.factor_tridiagonal(diagonal, beside)
    assert_allclose(T @ lapack.solve_tridiagonal(*factors, B), B, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (3, 7), (0, 4), (40, 40)])
@pytest.mark.parametrize("routine", ["dgesdd", "dgesvd"])
def test_singular_values_equal_those_of_numpy(shape, routine):
    A = RNG.standard_normal(shape)
    U, s, Vt = lapack._svd(routine, A)
    assert U.shape[1] == len(s) == len(Vt) == min(shape)
    assert_allclose((U * s) @ Vt, A, atol=1e-12)
    if shape[0]:
        R, order = lapack.pivoted_qr(A)
        assert_allclose(np.linalg.norm(R, axis=0), np.linalg.norm(A[:, order], axis=0))


def test_what_does_not_converge_is_an_error():
    assert lapack.cholesky(np.asfortranarray(-np.eye(3))) == 1
    with pytest.raises(LinAlgError):
        lapack.robust_svd(np.full((4, 4), np.nan))
    with pytest.raises(LinAlgError):
        lapack.factor_tridiagonal(-np.ones(3), np.zeros(2))


@pytest.mark.parametrize("params", [{"solver": "gram"}, {"solver": "qr"}, {"alpha": [1e-3, 1.0]}])
@pytest.mark.parametrize("n_rows", [12, 60])
def test_long_calls_run_in_threads_with_the_same_bits(params, n_rows, monkeypatch):
    X, y = RNG.standard_normal((n_rows, 20)), RNG.standard_normal((n_rows, 2))
    expected = RidgeReadout(**params).fit(X, y)
    on_main, elsewhere, call = set(), set(), _blas._call

    def record(name, *arguments):
        is_main = threading.current_thread() is threading.main_thread()
        asks_for_size = any(isinstance(a, int) and a == -1 for a in arguments)
        (on_main if is_main and not asks_for_size else elsewhere).add(name)
        call(name, *arguments)

    monkeypatch.setattr(_threads, "MAX_CALL_WORK", 0)
    monkeypatch.setattr(_blas, "_call", record)
    found = RidgeReadout(**params).fit(X, y)
    assert not on_main and elsewhere
    assert_array_equal(found.coef_, expected.coef_)
