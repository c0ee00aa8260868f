"""Ranks of responses: closed forms, and NumPy's rank."""

import numpy as np
import pytest
from driven_reservoirs import Features, delay_line

from esnkit import Reservoir
from esnkit.analysis import generalization_rank, kernel_rank


def test_the_kernel_rank_is_that_of_the_last_states():
    reservoir = Reservoir(20, random_state=0).fit(np.zeros((3, 2)))
    rank = kernel_rank(
        reservoir, n_sequences=30, n_timesteps=15, tol=0.05, input_range=(0, 1), random_state=7
    )
    u = np.random.RandomState(7).uniform(0, 1, (30, 15, 2))
    states = reservoir.transform(u)[:, -1]
    assert rank == np.linalg.matrix_rank(states, 0.05 * np.linalg.norm(states, 2)) and 1 < rank < 20


@pytest.mark.parametrize("n_units", [2, 12])
def test_a_delay_line_separates_as_many_inputs_as_it_has_units(n_units):
    line = delay_line(n_units, 1.0)
    assert kernel_rank(line, n_sequences=100, random_state=0) == n_units
    assert kernel_rank(line, n_sequences=100, n_timesteps=3, tol=0) <= 4  # with the bias
    assert kernel_rank(line, n_sequences=1, random_state=0) == 1


def test_features_that_are_functions_of_each_other_count_once():
    copies = Features(lambda u, v, w: u, lambda u, v, w: 2 * u, lambda u, v, w: u + v)
    assert kernel_rank(copies, n_sequences=9, random_state=0) == 2
    assert kernel_rank(Features(lambda u, v, w: 0 * u), n_sequences=9) == 0


def test_what_lies_before_the_common_part_is_forgotten():
    line = delay_line(5, 1.0)
    ranks = [
        generalization_rank(line, n_common=n, noise=0, n_sequences=40, random_state=0)
        for n in (0, 2, 4, 5, 100)
    ]
    # The common entries are one direction more than those that differ.
    assert ranks == [5, 4, 2, 1, 1]
    assert kernel_rank(line, n_sequences=40, random_state=0) == ranks[0]


def test_noise_has_its_own_directions():
    line = delay_line(5, 1.0)
    assert generalization_rank(line, noise=0.2, n_sequences=40, random_state=0) == 5
    assert generalization_rank(line, noise=1e-4, n_sequences=40, random_state=0) == 1
    assert generalization_rank(line, noise=1e-4, tol=0, n_sequences=40, random_state=0) == 5
    # The noise is a share of the width of the range.
    narrow = generalization_rank(line, noise=0.2, input_range=(0.999, 1), random_state=0)
    assert narrow == 1


def test_the_same_seed_gives_the_same_rank():
    reservoir = Reservoir(40)
    for rank in (kernel_rank, generalization_rank):
        assert rank(reservoir, random_state=3) == rank(reservoir, random_state=3)
