"""Forecasts without weights as models of series."""

import numpy as np
import pytest

from esnkit.baselines import drift, exponential_smoothing, persistence, seasonal_naive
from esnkit.forecasting._rules import RULES, Rule

VALUES = np.random.default_rng(0).normal(size=(30, 1)).cumsum(axis=0)
NO_EXOG = np.empty((30, 0))


@pytest.mark.parametrize("name", RULES)
def test_rules_roll_and_advance_without_change(name):
    rule = Rule(name, 1 if name in ("naive", "drift", "mean") else 3)
    fitted = rule.fit(VALUES[:20], NO_EXOG[:20])
    ahead = fitted.roll(VALUES[20:], NO_EXOG, [0, 4], 5)
    later = fitted.advance(VALUES[20:24], NO_EXOG[:4])
    np.testing.assert_array_equal(ahead[1], later.roll(VALUES[:0], NO_EXOG, [0], 5)[0])
    np.testing.assert_array_equal(ahead[0], fitted.roll(VALUES[:0], NO_EXOG, [0], 5)[0])
    shortest = rule.fit(VALUES[: rule.min_rows], NO_EXOG[: rule.min_rows])
    assert np.isfinite(shortest.roll(VALUES[:0], NO_EXOG, [0], 2)).all()


def test_rules_are_the_functions_of_their_names():
    expected = {
        "naive": persistence(VALUES, 4),
        "drift": drift(VALUES, 4),
        "mean": np.full((4, 1), VALUES.mean()),
        "seasonal naive": seasonal_naive(VALUES, 4, 7),
    }
    for name, forecast in expected.items():
        length = 7 if name == "seasonal naive" else 1
        found = Rule(name, length).fit(VALUES, NO_EXOG).roll(VALUES[:0], NO_EXOG, [0], 4)
        np.testing.assert_array_equal(found[0], forecast)


def test_exponential_smoothing_chooses_by_forecasts_of_one_horizon():
    rule = Rule("exponential smoothing", 3, (3,), horizon=2)
    fitted = rule.fit(VALUES, NO_EXOG)
    few, many = (fitted.roll(VALUES[:0], NO_EXOG, [0], n_steps)[0] for n_steps in (3, 9))
    np.testing.assert_array_equal(few, many[:3])
    np.testing.assert_array_equal(few, exponential_smoothing(VALUES, 3, [3], horizon=2))
    assert (few != exponential_smoothing(VALUES, 3, [3], horizon=7)).any()


def test_a_rule_that_runs_away_has_no_forecast():
    growth = np.exp(np.arange(40.0))[:, None]  # of which logarithms are straight
    fitted = Rule("exponential smoothing").fit(growth, NO_EXOG)
    assert np.isfinite(fitted.roll(VALUES[:0], NO_EXOG, [0], 5)).all()
    assert np.isnan(fitted.roll(VALUES[:0], NO_EXOG, [0], 9)).all()


@pytest.mark.parametrize("name", ["seasonal naive", "exponential smoothing"])
def test_rows_that_have_no_effect_are_not_kept(name):
    rows = np.random.default_rng(1).normal(size=(3100, 2)).cumsum(axis=0)
    rule = Rule(name, 7, (7,), 4)
    fitted = rule.fit(rows[:3050], rows).advance(rows[3050:], rows)
    assert len(fitted.rows) == rule.max_rows < 3050
    for j, column in enumerate(fitted.roll(rows[:0], rows, [0], 9)[0].T):
        whole = exponential_smoothing(rows[:, j], 9, [7], 4)
        expected = seasonal_naive(rows[:, j], 9, 7) if name == "seasonal naive" else whole
        np.testing.assert_array_equal(column, expected)
