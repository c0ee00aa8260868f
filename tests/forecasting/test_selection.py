"""The selection for one series: errors beside naive forecasts."""

import numpy as np
import pytest

from esnkit.forecasting._candidates import make_windows
from esnkit.forecasting._selection import select

VALUES = np.tile([1.0, 5.0, 2.0, 8.0], 15) + 0.01 * np.arange(60)


def test_errors_are_those_of_the_rolling_forecasts_and_baselines_repeat_values():
    selection = select(VALUES, np.empty((60, 0)), [4.0, 40.0], 6, False, 0, {})
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
    selection = select(falling, np.empty((40, 0)), [], 5, True, 0, {})
    ahead = selection.combination.roll(np.empty((0, 1)), np.empty((9, 0)), [0], 9)
    assert ahead.min() >= 0
