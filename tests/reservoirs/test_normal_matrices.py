"""Orthogonal matrices, permutations and given eigenvalues."""

import numpy as np
import pytest

from esnkit import Reservoir
from esnkit.reservoirs.topologies import make_topology


def make(name, n_units, degree=10, seed=0, **params):
    rng = np.random.default_rng(seed)
    return make_topology(name, n_units, rng, degree=degree, params=params).toarray()


def test_a_permutation_has_one_connection_into_and_out_of_each_unit():
    W = make("permutation", 30)
    assert (W.sum(axis=0) == 1).all() and (W.sum(axis=1) == 1).all() and set(W.ravel()) == {0, 1}


@pytest.mark.parametrize(
    ("n_units", "degree", "most"), [(1, 10, 1), (2, 2, 2), (31, 1, 1), (64, 9, 8), (64, 16, 16)]
)
def test_sparse_orthogonal_is_orthogonal_with_its_degree(n_units, degree, most):
    W = make("sparse_orthogonal", n_units, degree)
    np.testing.assert_allclose(W @ W.T, np.eye(n_units), atol=1e-14)
    assert np.count_nonzero(W, axis=1).max() <= most
    assert np.count_nonzero(W) > 0.8 * most * n_units


@pytest.mark.parametrize("n_units", [1, 2, 7, 20])
def test_drawn_eigenvalues_lie_on_the_circle(n_units):
    values = np.linalg.eigvals(make("eigenvalues", n_units))
    np.testing.assert_allclose(np.abs(values), 1.0, rtol=1e-13)
    assert np.sum(values.imag > 0) == n_units // 2


def test_given_eigenvalues_are_those_of_the_matrix():
    given = np.array([0.5, 0.3 + 0.4j, -0.9, 0.3 - 0.4j, 0.1j, -0.1j])
    reservoir = Reservoir(
        6, topology="eigenvalues", topology_params={"eigenvalues": given}, spectral_radius=None
    )
    W = reservoir.fit(np.zeros((2, 1))).W_.toarray()
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(W)), np.sort_complex(given))
    half = reservoir.set_params(spectral_radius=0.45).fit(np.zeros((2, 1))).W_.toarray()
    np.testing.assert_allclose(half, W / 2, rtol=1e-14)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0.5, 0.5], "must be n_units=3 numbers, got shape"),
        (["a", "b", "c"], "must be n_units=3 numbers"),
        ([0.5, np.nan, 1.0], "must be finite"),
        ([0.5, 0.1j, 0.1j], "must hold the conjugate of every complex number"),
        ([0.5, 0.1j, -0.2j], "must hold the conjugate of every complex number"),
    ],
)
def test_wrong_eigenvalues_are_named(wrong, message):
    with pytest.raises(ValueError, match=rf"topology_params\['eigenvalues'\] {message}"):
        make("eigenvalues", 3, eigenvalues=wrong)
