"""The selection for one series: errors beside naive forecasts."""

from dataclasses import replace

import numpy as np
import pytest

from esnkit.baselines import exponential_smoothing
from esnkit.forecasting import _selection
from esnkit.forecasting._candidates import Search, make_structures, make_windows
from esnkit.forecasting._selection import select, use_better_baseline

VALUES = np.tile([1.0, 5.0, 2.0, 8.0], 15) + 0.01 * np.arange(60)


def test_errors_are_those_of_the_rolling_forecasts_and_baselines_repeat_values():
    selection = select(VALUES[:, None], np.empty((60, 0)), [4.0, 40.0], Search(6))
    windows = make_windows(60, 6)
    assert selection.errors.shape == (len(windows.origins), 6)
    assert selection.error == pytest.approx(windows.weights @ selection.errors.mean(axis=1))
    # The season of 40 steps is longer than the rows before the first origin.
    names = ["naive", "seasonal naive (4 steps)", "drift", "mean", "exponential smoothing"]
    others = ["context parrot (4 steps)", "autoregressive (AIC)", "ridge (7 lags)"]
    assert list(selection.baselines) == names + others
    assert selection.baselines["seasonal naive (4 steps)"] == pytest.approx(0.01 * 16 / 3)
    assert selection.error < 1e-3 < selection.baselines["naive"]
    assert selection.members[0] == selection.candidates[0]


def test_positive_members_are_limited():
    falling = np.random.default_rng(0).poisson(np.maximum(30.0 - np.arange(40), 0.0)).astype(float)
    selection = select(falling[:, None], np.empty((40, 0)), [], Search(5, positive=True))
    ahead = selection.combination.roll(np.empty((0, 1)), np.empty((9, 0)), [0], 9)
    assert ahead.min() >= 0


def test_quick_selections_try_half_as_many_and_smaller_networks():
    values = np.tile(VALUES, 3)
    selection = select(values[:, None], np.empty((180, 0)), [4.0], Search(6, quick=True))
    assert {candidate["leak_rate"] for candidate in selection.candidates} == {1.0}
    assert 2 * len(selection.candidates) == len(make_structures(values, [4.0], Search(6)))
    networks = selection.combination.estimators
    assert {network.reservoir_.n_units for network in networks} == {50}


def test_candidates_of_a_long_series_of_hours_have_slow_units_unless_quick():
    def leak_rates(**given):
        settings = {"n_units": 2, "alpha": 1.0, "differences": (24,)}
        search, hours = Search(5, settings=settings | given.pop("settings", {}), **given), 1000
        values = np.sin(np.arange(hours) / 24 * 2 * np.pi)[:, None]
        selection = select(values, np.empty((hours, 0)), [24.0, 168.0], search)
        return {candidate["leak_rate"] for candidate in selection.candidates}

    assert leak_rates() == {(0.1, 1.0), (1 / 24, 1.0)}
    assert leak_rates(quick=True) == {1.0}
    assert leak_rates(settings={"leak_rate": 0.5}) == {0.5}


def test_a_better_baseline_forecasts_in_place_of_the_members():
    t = np.arange(90)
    waves = 3 + np.sin(t / 3) + np.sin(t / 7.3)  # an autoregression has no error
    networks = select(waves[:80, None], np.empty((80, 0)), [], Search(9, positive=True))
    best = use_better_baseline(networks, waves[:80, None], np.empty((80, 0)))
    assert networks.better_baseline == "autoregressive (AIC)" and networks.error > 1e-4
    ahead = best.combination.roll(np.empty((0, 1)), np.empty((9, 0)), [0], 9)[0, :, 0]
    np.testing.assert_allclose(ahead, waves[80:89], atol=1e-9)
    assert best.combination.low == 0 and best.errors.max() < 1e-9 < networks.errors.max()
    equal = networks._replace(substitute=None)
    assert use_better_baseline(equal, waves[:80, None], np.empty((80, 0))) is equal


def test_half_of_the_forecast_of_a_random_walk_is_exponential_smoothing():
    walk = np.random.default_rng(0).normal(size=60).cumsum()
    found = select(walk[:, None], np.empty((60, 0)), [], Search(5))
    ahead = found.combination.roll(np.empty((0, 1)), np.empty((5, 0)), [0], 5)[0, :, 0]
    median, share = replace(found.combination, simple=None), found.smoothing_share
    ahead_of_median = median.roll(np.empty((0, 1)), np.empty((5, 0)), [0], 5)[0, :, 0]
    assert 0.3 < share < 1 and found.combination.simple_share == share
    smoothed = exponential_smoothing(walk, 5)
    np.testing.assert_allclose(ahead, (1 - share) * ahead_of_median + share * smoothed)
    seasonal = select(VALUES[:, None], np.empty((60, 0)), [4.0], Search(6))
    assert seasonal.smoothing_share == 0.0 and seasonal.combination.simple is None


def test_no_later_value_of_a_past_only_input_stands_for_a_missing_one(monkeypatch):
    seen = []

    def choose(values, filled, *args):
        seen.append(filled)
        raise StopIteration

    monkeypatch.setattr(_selection, "_select", choose)
    rows = np.c_[VALUES, VALUES[::-1]]
    rows[10:20] = np.nan
    with pytest.raises(StopIteration):
        select(rows, np.empty((60, 0)), [], Search(6, n_past=1))
    assert (seen[0][10:20, 1] == rows[9, 1]).all() and np.ptp(seen[0][10:20, 0]) > 0


def test_a_naive_forecast_stands_for_rolling_forecasts_that_all_run_away(monkeypatch):
    def choose(candidates, windows):
        """Return two members, of which both run away in one window, and one in another."""
        rows = [candidate.forecasts.copy() for candidate in candidates[:2]]
        rows[0][2, 3], rows[1][2, 0], rows[1][5, 1] = 1e9, np.nan, -1e12
        pairs = zip(candidates, rows, strict=False)
        return [candidate._replace(forecasts=part) for candidate, part in pairs]

    plain = select(VALUES[:, None], np.empty((60, 0)), [4.0], Search(6))
    monkeypatch.setattr(_selection, "choose_members", choose)
    monkeypatch.setattr(_selection, "simple_share", lambda *args: 0.0)
    found = select(VALUES[:, None], np.empty((60, 0)), [4.0], Search(6))
    windows = make_windows(60, 6)
    k = windows.origins[2]
    lag = found.combination.naive_lags[0]
    naive = VALUES[k - lag : k][np.arange(6) % lag]
    np.testing.assert_allclose(found.errors[2], VALUES[k : k + 6] - naive)
    assert found.errors.shape == (len(windows.origins), 6) and np.isfinite(found.errors).all()
    assert found.error < plain.error + np.abs(found.errors[2]).mean()
