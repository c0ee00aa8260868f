"""Differencing, and its exact inverse."""

import numpy as np
import pytest

from esnkit.forecasting._differencing import (
    MAX_ORDER,
    check_differences,
    count_lost,
    difference,
    integrate,
    longest_lag,
)

AVERAGED = [((12, 3),), ((7, 2), 1), ((8, 3), (3, 5)), (2, (5, 4), 1)]


@pytest.mark.parametrize("lags", [(), (1,), (1, 1), (12,), (12, 1), (3, 12, 2), *AVERAGED])
def test_integration_inverts_differencing_to_1e_10(lags):
    rows = np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0) + 1e3
    z = difference(rows, lags)
    assert len(z) == len(rows) - count_lost(lags)
    again = integrate(z[50 - count_lost(lags) :], rows[:50], lags)
    np.testing.assert_allclose(again, rows[50:], rtol=0, atol=1e-10)


@pytest.mark.parametrize("lags", AVERAGED)
def test_differences_from_means_of_seasons_agree_with_loops(lags):
    rows = list(np.random.default_rng(1).normal(size=60))
    z = difference(np.array(rows), lags)
    for lag in lags:
        length, n = lag if isinstance(lag, tuple) else (lag, 1)
        starts = range(length * n, len(rows))
        rows = [rows[t] - np.mean([rows[t - k * length] for k in range(1, n + 1)]) for t in starts]
    np.testing.assert_allclose(z, rows, rtol=0, atol=1e-14)


def test_lags_and_numbers_of_seasons_are_counted():
    assert count_lost(()) == 0 and count_lost((3, (5, 4), 1)) == 24
    assert longest_lag((), 2) == 2 and longest_lag((3, (5, 4), 1), 2) == 5


def test_differences_of_a_season_and_then_of_one_step():
    t = np.arange(40.0)
    series = np.tile([0.0, 5.0, 1.0, 2.0], 10) + 3 * t
    np.testing.assert_array_equal(difference(series, (4,)), np.full(36, 12.0))
    np.testing.assert_array_equal(difference(series, (4, 1)), np.zeros(35))


@pytest.mark.parametrize(
    "differences, lags",
    [
        (0, ()),
        (1, (1,)),
        (MAX_ORDER, (1,) * MAX_ORDER),
        ((12, 1), (12, 1)),
        ([7], (7,)),
        ((), ()),
        ([[7, 2], (5, np.int64(1))], ((7, 2), 5)),
    ],
)
def test_an_order_or_lags_are_accepted(differences, lags):
    assert check_differences(differences) == lags


@pytest.mark.parametrize(
    "differences",
    [-1, 1.5, True, "1", (0,), (1.0,), None, MAX_ORDER + 1, ((7, 0),), ((7,),), ((7, 2.0),)],
)
def test_other_differences_are_refused(differences):
    with pytest.raises(ValueError, match="differences must be an order from 0 to 2 or a tuple"):
        check_differences(differences)


def test_a_season_given_as_an_order_gets_a_hint():
    with pytest.raises(ValueError, match=r"for one difference at that lag write \(24,\)"):
        check_differences(24)
