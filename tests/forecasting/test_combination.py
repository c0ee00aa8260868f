"""The median of several forecasters of one series."""

from dataclasses import dataclass

import numpy as np

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


def test_a_naive_model_has_half_of_the_weight_and_advances():
    first = Combination([Constant(value) for value in (1.0, 2.0, 9.0)], naive=Constant(6.0))
    assert first.roll(NO_ROWS, AHEAD, [0], 2)[0, :, 0].tolist() == [4.0, 4.0]
    limited = Combination([Constant(2.0)], high=3.0, naive=Constant(6.0))
    assert limited.roll(NO_ROWS, AHEAD, [0], 1).tolist() == [[[3.0]]]
    assert first.advance(np.zeros((3, 1)), np.empty((3, 0))).naive.n_rows == 3


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
