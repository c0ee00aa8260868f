"""`ContextParrot`: the copy of the paper, in the containers of a forecaster."""

import numpy as np
import pandas as pd
import pytest

from esnkit.baselines import ContextParrot, context_parrot

SERIES = np.sin(np.arange(60) ** 1.1) + np.arange(60) % 7


def test_it_copies_from_all_rows_seen():
    model = ContextParrot(4).fit(SERIES[:50])
    np.testing.assert_array_equal(model.forecast(9), context_parrot(SERIES[:50], 9, 4))
    model.update(SERIES[50:])
    np.testing.assert_array_equal(model.forecast(9), context_parrot(SERIES, 9, 4))


def test_series_are_copied_one_by_one_into_their_container():
    days = pd.date_range("2024-01-01", periods=60, name="day")
    table = pd.DataFrame({"a": SERIES, "b": SERIES[::-1]}, days)
    ahead = ContextParrot(5).fit(table).forecast(8)
    assert list(ahead.index) == list(pd.date_range(days[-1], periods=9)[1:])
    np.testing.assert_array_equal(ahead["b"], context_parrot(SERIES[::-1].copy(), 8, 5))


def test_a_motif_is_repeated_without_an_error_and_its_interval_is_empty():
    motif = np.tile([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0], 8)
    ahead, lower, upper = ContextParrot(3).fit(motif).forecast(14, interval=0.9)
    np.testing.assert_array_equal(np.stack([ahead, lower, upper]), np.tile(motif[:14], (3, 1)))


def test_what_it_cannot_use_is_refused():
    with pytest.raises(ValueError, match="n_samples=9 time steps, but ContextParrot.* at least 10"):
        ContextParrot().fit(SERIES[:9])
    with pytest.raises(ValueError, match="context_length must be an integer >= 1, got 0"):
        ContextParrot(0).fit(SERIES)


def test_exogenous_inputs_have_no_effect():
    inputs = np.arange(60.0)
    ahead = ContextParrot().fit(SERIES[:50], exog=inputs[:50]).forecast(10, exog=inputs[50:])
    np.testing.assert_array_equal(ahead, ContextParrot().fit(SERIES[:50]).forecast(10))
