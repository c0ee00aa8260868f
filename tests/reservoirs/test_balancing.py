"""Diagonal similarities: the sizes they promise, and the eigenvalues they leave alone."""

import numpy as np
import pytest
import scipy.sparse as sp

from esnkit.reservoirs._balancing import balance_cycles, balance_fully, balance_sums


def ring(seed, n_units=12):
    rng = np.random.default_rng(seed)
    i = np.arange(n_units)
    W = sp.csr_array((10.0 ** rng.uniform(-12, 12, n_units), ((i + 1) % n_units, i)))
    W.sort_indices()
    return W


@pytest.mark.parametrize("seed", range(5))
def test_the_weights_of_a_ring_become_equal_within_powers_of_two(seed):
    W = ring(seed)
    mean = np.exp(np.mean(np.log(W.data)))
    for balanced in (balance_cycles(W), balance_fully(balance_cycles(W))):
        assert np.all(np.abs(np.log2(balanced.data / mean)) <= 1.01)
        assert np.exp(np.mean(np.log(balanced.data))) == pytest.approx(mean, rel=1e-12)


def test_equal_sums_need_no_scaling():
    W = sp.csr_array(np.random.default_rng(0).uniform(0.5, 1.0, (20, 20)))
    balanced, reached = balance_sums(W)
    assert reached
    assert np.array_equal(balanced.toarray(), W.toarray())
