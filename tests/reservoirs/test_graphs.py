"""Degrees and shapes of small worlds, bands and antisymmetric matrices."""

import numpy as np
import pytest

from esnkit.reservoirs.topologies import make_topology


def make(name, n_units, degree, seed=0, params=None):
    rng = np.random.default_rng(seed)
    return make_topology(name, n_units, rng, degree=degree, params=params).toarray()


def ring_distance(i, j, n_units):
    return min((i - j) % n_units, (j - i) % n_units)


@pytest.mark.parametrize("n_units, degree", [(20, 4), (20, 5), (9, 8), (9, 50), (2, 1), (50, 1)])
@pytest.mark.parametrize("rewiring", [0.0, 0.3, 1.0])
def test_a_small_world_keeps_its_degree_without_loops(n_units, degree, rewiring):
    W = make("small_world", n_units, degree, params={"rewiring": rewiring})
    assert (np.count_nonzero(W, axis=1) == min(degree, n_units - 1)).all()
    assert not np.diag(W).any()
    if rewiring == 0.0:
        near = [
            [ring_distance(i, j, n_units) for j in np.flatnonzero(W[i])] for i in range(n_units)
        ]
        assert np.max(near) == (min(degree, n_units - 1) + 1) // 2


def test_rewired_sources_are_uniform_and_as_many_as_asked():
    n_units, degree = 400, 10
    W = make("small_world", n_units, degree, params={"rewiring": 0.25})
    far = [j for i in range(n_units) for j in np.flatnonzero(W[i]) if ring_distance(i, j, 400) > 5]
    assert len(far) / (n_units * degree) == pytest.approx(0.25, abs=0.03)
    assert np.histogram(far, 4, (0, 400))[0] == pytest.approx(len(far) / 4, rel=0.2)


@pytest.mark.parametrize("n_units, degree", [(8, 1), (8, 3), (8, 4), (3, 50), (1, 2)])
def test_a_band_fills_the_diagonals_around_the_main_one(n_units, degree):
    W = make("band", n_units, degree)
    i, j = np.nonzero(W)
    expected = [k for k in range(-(degree // 2), degree - degree // 2) if abs(k) < n_units]
    assert sorted(set((j - i).tolist())) == expected
    assert W.astype(bool).sum() == sum(n_units - abs(k) for k in expected)


@pytest.mark.parametrize("n_units, degree", [(9, 4), (10, 4), (10, 5), (10, 50), (2, 2), (9, 1)])
def test_an_antisymmetric_matrix_has_imaginary_eigenvalues(n_units, degree):
    W = make("antisymmetric", n_units, degree)
    assert np.array_equal(W, -W.T) and W.any()
    np.testing.assert_allclose(np.linalg.eigvals(W).real, 0.0, atol=1e-12)
    assert (np.count_nonzero(W, axis=1) <= max(2, degree)).all()
    if degree in (4, 5):
        has_half = n_units % 2 == 0 and W[0, n_units // 2] != 0
        assert (np.count_nonzero(W, axis=1) == 4 - has_half).all()


@pytest.mark.parametrize("wrong, error", [(-0.1, ValueError), (1.1, ValueError), ("a", TypeError)])
def test_a_wrong_probability_is_named(wrong, error):
    with pytest.raises(error, match=r"topology_params\['rewiring'\] must be a number in \[0, 1\]"):
        make("small_world", 8, 2, params={"rewiring": wrong})
