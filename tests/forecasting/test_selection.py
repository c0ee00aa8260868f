"""The selection for one series: errors beside naive forecasts."""

import numpy as np
import pytest

from esnkit.forecasting._candidates import make_structures, make_windows
from esnkit.forecasting._selection import Options, select

OPTIONS = Options(horizon=1, quick=False, seed=0, settings={}, models=())
VALUES = np.tile([1.0, 5.0, 2.0, 8.0], 15) + 0.01 * np.arange(60)


def select_members(values, periods, horizon, **parameters):
    positive = parameters.pop("positive", False)
    options = OPTIONS._replace(horizon=horizon, **parameters)
    return select(values, np.empty((len(values), 0)), periods, positive, options)


def test_errors_are_those_of_the_rolling_forecasts_and_baselines_repeat_values():
    selection = select_members(VALUES, [4.0, 40.0], 6)
    windows = make_windows(60, 6)
    assert selection.errors.shape == (len(windows.origins), 6)
    assert selection.error == pytest.approx(windows.weights @ selection.errors.mean(axis=1))
    # The season of 40 steps is longer than the rows before the first origin.
    assert set(selection.baselines) == {"naive", "seasonal naive (4 steps)"}
    assert selection.baselines["seasonal naive (4 steps)"] == pytest.approx(0.01 * 16 / 3)
    assert selection.error < 1e-3 < selection.baselines["naive"]
    assert selection.members[0] == selection.candidates[0]


def test_positive_members_are_limited():
    falling = np.maximum(30.0 - np.arange(40), 0.0)
    selection = select_members(falling, [], 5, positive=True)
    ahead = selection.combination.roll(np.empty((0, 1)), np.empty((9, 0)), [0], 9)
    assert ahead.min() >= 0


def test_quick_selections_try_half_as_many_and_smaller_networks():
    values = np.tile(VALUES, 3)
    selection = select_members(values, [4.0], 6, quick=True)
    assert {candidate["leak_rate"] for candidate in selection.candidates} == {1.0}
    assert 2 * len(selection.candidates) == len(make_structures(values, [4.0], {}))
    networks = selection.combination.estimators
    assert {network.reservoir_.n_units for network in networks} == {50}
    given = select_members(values, [4.0], 6, quick=True, settings={"leak_rate": 0.5})
    assert {candidate["leak_rate"] for candidate in given.candidates} == {0.5}
