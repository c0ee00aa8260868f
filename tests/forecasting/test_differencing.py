"""Differencing, and its exact inverse."""

import numpy as np
import pytest

from esnkit.forecasting._differencing import MAX_ORDER, check_differences, difference, integrate


@pytest.mark.parametrize("lags", [(), (1,), (1, 1), (12,), (12, 1), (3, 12, 2)])
def test_integration_inverts_differencing_to_1e_10(lags):
    rows = np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0) + 1e3
    z = difference(rows, lags)
    assert len(z) == len(rows) - sum(lags)
    again = integrate(z[50 - sum(lags) :], rows[:50], lags)
    np.testing.assert_allclose(again, rows[50:], rtol=0, atol=1e-10)


def test_differences_of_a_season_and_then_of_one_step():
    t = np.arange(40.0)
    series = np.tile([0.0, 5.0, 1.0, 2.0], 10) + 3 * t
    np.testing.assert_array_equal(difference(series, (4,)), np.full(36, 12.0))
    np.testing.assert_array_equal(difference(series, (4, 1)), np.zeros(35))


@pytest.mark.parametrize(
    "differences, lags",
    [(0, ()), (1, (1,)), (MAX_ORDER, (1,) * MAX_ORDER), ((12, 1), (12, 1)), ([7], (7,)), ((), ())],
)
def test_an_order_or_lags_are_accepted(differences, lags):
    assert check_differences(differences) == lags


@pytest.mark.parametrize("differences", [-1, 1.5, True, "1", (0,), (1.0,), None, MAX_ORDER + 1])
def test_other_differences_are_refused(differences):
    with pytest.raises(ValueError, match="differences must be an order from 0 to 2 or a tuple"):
        check_differences(differences)


def test_a_season_given_as_an_order_gets_a_hint():
    with pytest.raises(ValueError, match=r"for one difference at that lag write \(24,\)"):
        check_differences(24)
