"""Passes over partitions: states that do not agree are found, and carried."""

import logging

import numpy as np
import pytest
from partitioned import SERIES_CUTS, assert_same_fit, series

from esnkit import ESNRegressor
from esnkit.distributed import _start_states


def test_the_log_tells_how_partitions_start(arrays, caplog):
    caplog.set_level(logging.INFO, "esnkit.distributed")
    X, Y = (arrays(part, SERIES_CUTS) for part in series())
    ESNRegressor(20, random_state=0).fit(X, Y)
    # The partitions have 700, 700 and 7 rows.
    assert "2 of 3 partitions start from a warm-up, of at most 512 rows" in caplog.text


def test_wrong_start_states_are_found_and_replaced(arrays, monkeypatch, caplog):
    found = _start_states._warmed_up

    def wrong(*args):
        state, n_rows = found(*args)
        return state if state is None else state + 1e-9, n_rows

    monkeypatch.setattr(_start_states, "_warmed_up", wrong)
    X, Y = series()
    one = ESNRegressor(20, random_state=0).fit(X, Y)
    model = ESNRegressor(20, random_state=0).fit(arrays(X, SERIES_CUTS), arrays(Y, SERIES_CUTS))
    assert "they are carried from one partition to the next" in caplog.text
    assert_same_fit(model, one)
    np.testing.assert_array_equal(model.last_state_, one.last_state_)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_any_number_of_partitions(arrays, n):
    X, Y = series(1000)
    edges = tuple(np.linspace(0, 1000, n + 1).astype(int)[1:].tolist())
    model = ESNRegressor(20, random_state=0).fit(arrays(X, edges), arrays(Y, edges))
    assert_same_fit(model, ESNRegressor(20, random_state=0).fit(X, Y))
