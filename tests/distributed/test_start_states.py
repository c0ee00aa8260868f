"""States at the ends of partitions, from their last rows or carried through them."""

import numpy as np
import pytest
from third_party import TappedDelayLine

from esnkit import Reservoir
from esnkit.distributed._start_states import MIN_WARM_UP, Start, agree, end_of
from esnkit.sequences import Sequences


def ends(reservoir, n_rows=3000, dtype=np.float64):
    """Return the end of a series by a warm-up, and by a run from its start."""
    values = np.random.default_rng(0).standard_normal((n_rows, 2)).astype(dtype)
    reservoir.prepare(2, dtype=dtype)
    inputs = Sequences(values, np.array([0, n_rows]), "series")
    start = Start(np.full((1, reservoir.n_state_), 0.3, dtype), n_rows=5)
    found, carried = (end_of(reservoir, inputs, start, warm_up) for warm_up in (True, False))
    assert found.n_rows == carried.n_rows == n_rows + 5
    assert carried.n_warm_up == 0 and start.state[0, 0] == dtype(0.3)
    return found, carried


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("leak_rate", [1.0, 0.1])
def test_a_reservoir_that_forgets_is_warmed_up(dtype, leak_rate):
    found, carried = ends(Reservoir(30, leak_rate=leak_rate, random_state=0), dtype=dtype)
    assert MIN_WARM_UP < found.n_warm_up < 3000
    assert agree(found.state, carried.state)


def test_a_warm_up_is_as_long_as_the_memory():
    found = [ends(Reservoir(30, leak_rate=a, random_state=0), 9000)[0] for a in (1.0, 0.3)]
    assert found[0].n_warm_up < found[1].n_warm_up


@pytest.mark.parametrize(
    "reservoir",
    [
        Reservoir(30, leak_rate=1e-3, random_state=0),
        Reservoir(30, spectral_radius=3.0, random_state=0),
        Reservoir(30, activation="identity", spectral_radius=1.0, random_state=0),
    ],
    ids=["slow", "chaotic", "integrating"],
)
def test_a_reservoir_that_does_not_forget_carries_its_state(reservoir):
    found, carried = ends(reservoir)
    assert found.n_warm_up == 0
    np.testing.assert_array_equal(found.state, carried.state)


@pytest.mark.parametrize("n_rows", [1, MIN_WARM_UP, 2 * MIN_WARM_UP])
def test_few_rows_carry_the_state(n_rows):
    found, carried = ends(Reservoir(5, random_state=0), n_rows)
    assert found.n_warm_up == 0
    np.testing.assert_array_equal(found.state, carried.state)


def test_any_reservoir_can_be_warmed_up():
    found, carried = ends(TappedDelayLine())
    assert found.n_warm_up == 2 * MIN_WARM_UP
    np.testing.assert_array_equal(found.state, carried.state)


def test_states_agree_up_to_rounding():
    state = np.array([[0.5, -0.25]])
    assert agree(state + 1e-15, state) and not agree(state + 1e-13, state)
    assert agree(1e6 * state + 1e-9, 1e6 * state)
    assert agree(np.float32(state) + np.float32(1e-6), np.float32(state))
    assert not agree(np.full((1, 2), np.nan), state)
