"""Lines and rings against matrices written down entry by entry."""

import numpy as np
import pytest

from esnkit.reservoirs import TOPOLOGIES
from esnkit.reservoirs.topologies import make_topology


def make(name, n_units, **params):
    return make_topology(name, n_units, np.random.default_rng(0), params=params).toarray()


def test_a_delay_line_moves_the_state_by_one_unit():
    for n_units in (1, 2, 6):
        assert np.array_equal(make("delay_line", n_units), np.eye(n_units, k=-1))


def test_a_delay_line_with_feedback_is_tridiagonal():
    expected = np.eye(6, k=-1) + 0.3 * np.eye(6, k=1)
    np.testing.assert_array_equal(make("delay_line_feedback", 6, backward_weight=0.3), expected)


def test_a_double_cycle_is_a_circulant():
    expected = np.roll(np.eye(5), 1, axis=0) + 0.2 * np.roll(np.eye(5), -1, axis=0)
    np.testing.assert_array_equal(make("double_cycle", 5, backward_weight=0.2), expected)


@pytest.mark.parametrize(
    ("n_units", "jump_size", "pairs"),
    [
        (9, 3, [(0, 3), (3, 6), (6, 0)]),  # the last jump ends where the first begins
        (10, 3, [(0, 3), (3, 6), (6, 9)]),  # no jump crosses unit 0
        (6, 3, [(0, 3)]),  # there and back again: one pair
        (5, 5, []),  # from unit 0 to itself
        (4, 7, []),
    ],
)
def test_jumps_go_around_the_cycle_once(n_units, jump_size, pairs):
    expected = np.roll(np.eye(n_units), 1, axis=0)
    for i, j in pairs:
        expected[i, j] += 0.4
        expected[j, i] += 0.4
    W = make("cycle_jumps", n_units, jump_size=jump_size, jump_weight=0.4)
    np.testing.assert_array_equal(W, expected)


def test_a_chain_of_rings_has_blocks_and_couplings():
    expected = np.zeros((8, 8))
    for ring in ([0, 1, 2], [3, 4, 5], [6, 7]):
        for k, unit in enumerate(ring):
            expected[unit, ring[k - 1]] = 1.0
    expected[3, 0] = expected[6, 3] = 0.5
    np.testing.assert_array_equal(make("chain_of_rings", 8, ring_size=3, coupling=0.5), expected)


@pytest.mark.parametrize(
    ("name", "key", "wrong", "error"),
    [
        ("delay_line_feedback", "backward_weight", 0.0, ValueError),
        ("double_cycle", "backward_weight", 1.5, ValueError),
        ("cycle_jumps", "jump_size", 1, ValueError),
        ("cycle_jumps", "jump_weight", -0.1, ValueError),
        ("chain_of_rings", "ring_size", 0, ValueError),
        ("chain_of_rings", "ring_size", 2.5, TypeError),
        ("chain_of_rings", "coupling", "one", TypeError),
    ],
)
def test_wrong_parameters_are_named(name, key, wrong, error):
    assert key in TOPOLOGIES[name].own
    with pytest.raises(error, match=rf"topology_params\['{key}'\] must be"):
        make(name, 8, **{key: wrong})
