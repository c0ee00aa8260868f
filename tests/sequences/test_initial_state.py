"""Initial states and clamps in every form that a user may give."""

import numpy as np
import pytest

from esnkit.sequences import Clamp, Sequences, resolve_clamp, resolve_initial_state
from esnkit.sequences._initial_state import clamp_rows, no_clamp


def test_initial_states():
    rng = np.random.default_rng(0)

    def states(initial):
        return resolve_initial_state(initial, 3, 4, np.float64)

    vector, each = rng.normal(size=4), rng.normal(size=(3, 4))
    assert not states(None).any()
    assert np.array_equal(states(vector), [vector] * 3)
    assert np.array_equal(states(vector[None]), [vector] * 3)
    assert np.array_equal(states(each), each)
    assert not np.shares_memory(states(each), each)
    assert np.array_equal(states(([3, 1], [5.0, 6.0])), [[0, 6, 0, 5]] * 3)
    assert np.array_equal(states(([2], 7.0)), [[0, 0, 7, 0]] * 3)
    assert np.array_equal(states(([2], [[1], [2], [3]]))[:, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (np.zeros(5), r"initial_state has shape \(5,\)"),
        (np.zeros((2, 4)), r"initial_state has shape \(2, 4\)"),
        (np.full(4, np.nan), "initial_state must be finite"),
        ("state", "initial_state must hold numbers"),
        (([0, 4], [1, 1]), "initial_state needs distinct unit indices"),
        (([1, 1], [1, 2]), "initial_state needs distinct unit indices"),
        (([-1], [1]), "initial_state needs distinct unit indices"),
        (([0.5], [1]), "initial_state needs a vector of unit indices"),
        (([0, 1], [1, 2, 3]), r"initial_state has values of shape \(3,\), expected \(2,\)"),
        (([0], [[1], [2]]), "initial_state has values of shape"),
        (([0], [1], [2]), "initial_state must be a pair"),
    ],
)
def test_initial_states_that_do_not_fit_are_refused(initial, message):
    with pytest.raises(ValueError, match=message):
        resolve_initial_state(initial, 3, 4, np.float64)


def test_clamps():
    sequences = Sequences(np.zeros((20, 3)), np.arange(0, 21, 5), "batch")

    def clamp(pair):
        return resolve_clamp(pair, sequences, 6, np.float64)

    assert clamp(None)[0].size == 0
    units, values = clamp(([5, 2], [1.0, 2.0]))
    assert units.tolist() == [5, 2] and values.tolist() == [[1, 2]]
    rows = np.arange(40.0).reshape(20, 2)
    assert np.array_equal(clamp(([0, 1], rows))[1], rows)
    assert np.array_equal(clamp(([0, 1], rows.reshape(4, 5, 2)))[1], rows)
    with pytest.raises(ValueError, match="clamp has values of shape"):
        clamp(([0, 1], rows[:7]))
    with pytest.raises(ValueError, match=r"clamp has values of shape \(4, 2\) for sequence 0"):
        clamp(([0, 1], rows.reshape(5, 4, 2)[:4]))
    with pytest.raises(TypeError, match="clamp must be a pair"):
        clamp([0, 1])


def test_one_row_for_one_unit_is_one_value():
    sequences = Sequences(np.zeros((1, 3)), np.array([0, 1]), "series")
    assert resolve_clamp(([2], np.array([[0.5]])), sequences, 6, np.float64)[1] == 0.5
    state = resolve_initial_state(([2], np.array([[0.5]])), 1, 6, np.float64)
    assert np.array_equal(state, [[0, 0, 0.5, 0, 0, 0]])
    empty = np.empty(0, int), np.empty(0)
    assert not resolve_initial_state(empty, 3, 6, np.float64).any()


def test_clamps_of_ragged_sequences():
    sequences = Sequences(np.zeros((9, 3)), np.array([0, 2, 3, 9]), "ragged")
    rows = np.arange(18.0).reshape(9, 2)
    parts = [rows[:2], rows[2:3], rows[3:]]
    objects = np.empty(3, object)
    objects[:] = parts
    for given in (rows, parts, tuple(parts), objects):
        assert np.array_equal(resolve_clamp(([4, 1], given), sequences, 6, np.float64)[1], rows)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([np.zeros((2, 2)), np.zeros((1, 2))], "values for 2 sequences, expected 3"),
        ([np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((5, 2))], r"\(2, 2\) for sequence 1"),
        ([np.zeros((2, 2)), np.zeros((1, 1)), np.zeros((6, 2))], r"\(1, 1\) for sequence 1"),
        ([np.zeros((2, 2)), np.zeros(1), np.zeros((6, 2))], r"\(1,\) for sequence 1"),
        ([np.zeros((2, 1)), np.zeros((1, 1)), np.zeros((6, 1))], r"\(9, 1\), expected \(2,\)"),
        ([np.zeros((2, 2)), np.full((1, 2), np.nan), np.zeros((6, 2))], "must be finite"),
        (np.zeros((3, 3, 2)), r"\(3, 2\) for sequence 0"),
    ],
)
def test_clamps_of_ragged_sequences_that_do_not_fit_are_refused(values, message):
    sequences = Sequences(np.zeros((9, 3)), np.array([0, 2, 3, 9]), "ragged")
    with pytest.raises(ValueError, match=f"clamp .*{message}"):
        resolve_clamp(([4, 1], values), sequences, 6, np.float64)


def test_values_too_large_for_float32_are_refused():
    sequences = Sequences(np.zeros((9, 3), np.float32), np.array([0, 9]), "series")
    with pytest.raises(ValueError, match="clamp must be finite in float32"):
        resolve_clamp(([0], [1e300]), sequences, 6, np.float32)
    with pytest.raises(ValueError, match="initial_state must be finite in float32"):
        resolve_initial_state(([0], [1e300]), 1, 6, np.float32)


def test_without_a_clamp_there_are_no_units():
    clamp = no_clamp(np.float32)
    assert isinstance(clamp, Clamp) and clamp.units.dtype == np.int64
    assert clamp.values.shape == (1, 0) and clamp.values.dtype == np.float32


def test_rows_of_a_clamp_are_those_of_the_time_steps():
    values = np.arange(10.0).reshape(5, 2)
    assert np.array_equal(clamp_rows(values, 1, 3), values[1:3])
    assert np.array_equal(clamp_rows(values[:1], 1, 3), values[:1])
