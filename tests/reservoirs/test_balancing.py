"""Diagonal similarities: the sizes they promise, and the eigenvalues they leave alone."""

import numpy as np
import pytest
import scipy.sparse as sp

from esnkit.reservoirs._balancing import balance_fully, balance_sums, cycle_scales, rows_of


def ring(seed, n_units=12):
    rng = np.random.default_rng(seed)
    i = np.arange(n_units)
    W = sp.csr_array((10.0 ** rng.uniform(-12, 12, n_units), ((i + 1) % n_units, i)))
    W.sort_indices()
    return W


def two_groups_with_weak_links(seed):
    """Return two groups of random links, joined by two weak ones, all scaled at random."""
    rng = np.random.default_rng(seed)
    W = np.zeros((30, 30))
    for group in (slice(0, 15), slice(15, 30)):
        W[group, group] = rng.random((15, 15)) < 0.15
        W[group, group] += np.roll(np.eye(15), 1, axis=0)
    W[0, 20], W[25, 3] = 10.0 ** rng.uniform(-200, 0, 2)
    scale = 10.0 ** rng.uniform(-12, 12, 30)
    return sp.csr_array(W * scale / scale[:, np.newaxis])


def largest_cycle_mean(W):
    """Return log2 of the largest geometric mean by the theorem of Karp (1978)."""
    n = W.shape[0]
    with np.errstate(divide="ignore"):
        weights = np.log2(np.abs(W.toarray()))
    sums = [np.where(np.arange(n) == 0, 0.0, -np.inf)]
    for _ in range(n):
        sums.append((sums[-1][:, np.newaxis] + weights).max(axis=0))
    with np.errstate(invalid="ignore"):
        means = (sums[n] - np.array(sums[:n])) / np.arange(n, 0, -1)[:, np.newaxis]
    means = np.where(np.isfinite(sums[:n]), means, np.inf).min(axis=0)
    return means[np.isfinite(sums[n])].max()


def random_links(seed):
    """Return a ring of three to eight units with random links of weights from 1e-12 to 1e12."""
    rng = np.random.default_rng(seed)
    n = 3 + seed % 6
    present = (rng.random((n, n)) < 0.35) | np.roll(np.eye(n, dtype=bool), 1, axis=0)
    return sp.csr_array(np.where(present, 10.0 ** rng.uniform(-12, 12, (n, n)), 0.0))


@pytest.mark.parametrize("build", [ring, two_groups_with_weak_links, random_links])
@pytest.mark.parametrize("first", range(0, 60, 20))
def test_scales_of_cycles_bound_the_entries_by_the_largest_mean(build, first):
    for seed in range(first, first + 20):
        W = build(seed)
        x, mean = cycle_scales(W)
        assert mean == pytest.approx(largest_cycle_mean(W), abs=1e-9)
        logs = np.log2(np.abs(W.data)) + x[W.indices] - x[rows_of(W)]
        assert logs.max() <= mean + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_the_weights_of_a_ring_become_equal_within_powers_of_two(seed):
    W = ring(seed)
    mean = np.exp(np.mean(np.log(W.data)))
    balanced, exponent = balance_fully(W)
    data = np.ldexp(balanced.data, exponent)
    assert np.all(np.abs(np.log2(data / mean)) <= 1.01)
    assert np.exp(np.mean(np.log(data))) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_full_balancing_makes_sums_equal_and_changes_no_eigenvalue(seed):
    W = two_groups_with_weak_links(seed)
    balanced, exponent = balance_fully(W)
    moduli = abs(balanced).toarray()
    np.fill_diagonal(moduli, 0.0)
    rows, columns = moduli.sum(axis=1), moduli.sum(axis=0)
    assert 0.5 <= abs(balanced).max() <= 1.0
    # Scales are rounded to powers of two, a factor of 2^0.5 in each direction.
    assert np.all(np.maximum(rows, columns) <= 4.1 * np.minimum(rows, columns) + 1e-7)
    shift = np.log2(np.abs(W.data)) - np.log2(np.abs(balanced.data)) - exponent
    scale = np.linalg.lstsq(_differences(W), shift, rcond=None)[0]
    assert np.abs(_differences(W) @ scale - shift).max() <= 1e-9


def _differences(W):
    """Return the matrix that takes x to x_i - x_j for each entry (i, j) of W."""
    units = np.arange(W.shape[0])
    return 1.0 * (rows_of(W)[:, np.newaxis] == units) - (W.indices[:, np.newaxis] == units)


def test_equal_sums_need_no_scaling():
    W = sp.csr_array(np.random.default_rng(0).uniform(0.5, 1.0, (20, 20)))
    balanced, reached = balance_sums(W)
    assert reached
    assert np.array_equal(balanced.toarray(), W.toarray())


def test_weights_beyond_the_range_of_a_product_are_balanced():
    W = sp.csr_array(np.array([[0.0, 1e300, 0.0], [1e-300, 0.0, 1e308], [0.0, 1e-320, 0.0]]))
    balanced, exponent = balance_fully(W)
    radius = np.sqrt(1e300 * 1e-300 + 1e308 * 1e-320)
    got = np.abs(np.linalg.eigvals(balanced.toarray())).max()
    assert np.ldexp(got, exponent) == pytest.approx(radius, rel=1e-9)
