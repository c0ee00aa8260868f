"""Regressions on lags as models of one series."""

import numpy as np
import pytest

from esnkit.forecasting._baseline_models import (
    Regression,
    default_order,
    least_squares,
)

VALUES = np.random.default_rng(0).normal(size=(30, 1)).cumsum(axis=0)
NO_EXOG = np.empty((30, 0))


def test_regressions_fit_as_few_rows_as_they_say():
    for model in (
        Regression(least_squares(), by_aic=True),
        Regression(least_squares()),
        Regression(least_squares(), (1, 2, 3), by_aic=True),
        Regression(least_squares(), (2, 5)),
    ):
        model.fit(VALUES[: model.min_rows], NO_EXOG[: model.min_rows])
        with pytest.raises((ValueError, IndexError)):
            model.fit(VALUES[: model.min_rows - 1], NO_EXOG[: model.min_rows - 1])


def test_the_default_order_grows_with_the_logarithm_and_leaves_rows_to_fit():
    assert [default_order(n) for n in (5, 8, 60, 100, 1000)] == [1, 2, 17, 20, 30]


def test_huge_values_have_an_order():
    wave = 1e300 * np.sin(np.arange(60.0))[:, None]
    ahead = Regression(least_squares(), by_aic=True).fit(wave, np.empty((60, 0)))
    found = ahead.roll(wave[:0], np.empty((5, 0)), [0], 5)[0, :, 0]
    np.testing.assert_allclose(found, 1e300 * np.sin(np.arange(60.0, 65)), rtol=1e-4)
