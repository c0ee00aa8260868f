"""The median of several forecasters of one series."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from esnkit.forecasting._combination import Combination, SeparateSeries


@dataclass
class Constant:
    """A member that forecasts one value, NaN where it runs away."""

    value: float
    n_rows: int = 0

    def advance(self, values, exog):
        return Constant(self.value, self.n_rows + len(values))

    def roll(self, values, exog, origins, n_steps):
        return np.full((len(origins), n_steps, 1), self.value)


NO_ROWS, AHEAD = np.empty((0, 1)), np.empty((2, 0))


def forecast(*values, positive=False):
    members = [Constant(value) for value in values]
    return Combination(members, 0.0 if positive else -np.inf).roll(NO_ROWS, AHEAD, [0], 2)[0, :, 0]


def test_the_forecast_is_the_median_of_the_members_that_do_not_run_away():
    assert forecast(1.0, 2.0, 100.0).tolist() == [2.0, 2.0]
    assert forecast(1.0, np.nan, 2.0).tolist() == [1.5, 1.5]
    assert np.isnan(forecast(np.nan, np.nan, positive=True)).all()


def test_a_simple_forecast_has_its_share_unless_it_runs_away():
    members = [Constant(value) for value in (1.0, 2.0, 9.0)]
    first = Combination(members, simple=Constant(6.0), simple_share=0.25)
    assert first.roll(NO_ROWS, AHEAD, [0], 2)[0, :, 0].tolist() == [3.0, 3.0]
    limited = Combination([Constant(2.0)], high=3.0, simple=Constant(6.0), simple_share=0.5)
    assert limited.roll(NO_ROWS, AHEAD, [0], 1).tolist() == [[[3.0]]]
    assert first.advance(np.zeros((3, 1)), np.empty((3, 0))).simple.n_rows == 3
    lost = replace(first, simple=Constant(np.nan))
    assert lost.roll(NO_ROWS, AHEAD, [0], 2)[0, :, 0].tolist() == [2.0, 2.0]


def test_forecasts_stay_in_their_range():
    assert forecast(-3.0, positive=True).tolist() == [0.0, 0.0]
    assert forecast(-3.0).tolist() == [-3.0, -3.0]
    assert Combination([], 0.0, 1.0).limit(np.array([-1.0, 2.0])).tolist() == [0.0, 1.0]


def test_all_members_advance_and_the_first_combination_stays():
    first = Combination([Constant(1.0), Constant(2.0)])
    second = first.advance(np.zeros((3, 1)), np.empty((3, 0)))
    assert [member.n_rows for member in second.members] == [3, 3]
    assert [member.n_rows for member in first.members] == [0, 0]


def test_separate_series_know_their_columns_alone():
    parts = [Combination([Constant(value)], 0.0 if value < 0 else -9.0) for value in (1.0, -2.0)]
    series = SeparateSeries(parts)
    assert series.roll(np.empty((0, 2)), AHEAD, [0], 2)[0].tolist() == [[1.0, 0.0]] * 2
    assert series.limit(np.array([[-1.0, -1.0]])).tolist() == [[-1.0, 0.0]]
    later = series.advance(np.zeros((3, 2)), np.empty((3, 0)))
    assert [part.members[0].n_rows for part in later.parts] == [3, 3]


class Steps(Constant):
    """A member whose sample paths are its value, or diverge."""

    def sample(self, errors, exog, n_steps, n_samples, rng):
        value = np.nan if self.value is None else self.value
        return np.full((n_samples, n_steps, 1), value) + errors[0]


def test_every_path_comes_from_one_member_and_none_from_those_that_diverge():
    rng = np.random.RandomState(0)
    errors = [np.array([[0.0]]), np.array([[0.0]]), np.array([[0.5]])]
    part = Combination([Steps(-1.0), Steps(None), Steps(2.0)], low=0.0)
    paths = part.sample(errors, AHEAD, 2, 300, rng)
    assert paths.shape == (300, 2, 1) and set(np.unique(paths)) == {0.0, 2.5}
    assert 100 < (paths[:, 0, 0] == 0).sum() < 200 and (paths[:, 0] == paths[:, 1]).all()
    with pytest.raises(FloatingPointError, match="diverged"):
        Combination([Steps(None)]).sample(errors[:1], AHEAD, 2, 3, rng)
    both = SeparateSeries([part, Combination([Steps(7.0)])])
    assert (both.sample([errors, errors[:1]], AHEAD, 2, 5, rng)[:, :, 1] == 7.0).all()


def test_paths_come_from_networks_and_move_with_the_forecast():
    rng, errors = np.random.RandomState(0), [np.array([[0.0]])] * 2
    members = [Steps(1.0), Steps(1.0), Constant(5.0)]
    part = Combination(members, simple=Constant(4.0), simple_share=0.5)
    assert part.roll(NO_ROWS, AHEAD, [0], 2)[0, :, 0].tolist() == [2.5, 2.5]
    assert np.unique(part.sample(errors, AHEAD, 2, 9, rng)).tolist() == [2.5]


class OneRunaway:
    """A member one of whose sample paths runs away."""

    def sample(self, errors, exog, n_steps, n_samples, rng):
        paths = rng.normal(size=(n_samples, n_steps, 1))
        paths[:2, -1, 0] = 1e9, np.inf
        return paths


def test_paths_that_run_away_are_replaced_by_others():
    paths = Combination([OneRunaway()]).sample([None], AHEAD, 2, 50, np.random.RandomState(0))
    assert paths.shape == (50, 2, 1) and np.abs(paths).max() < 5
    assert len(np.unique(paths[:, 0])) == 48
