"""Members over many series: their median, and the gaps that it fills."""

from dataclasses import replace

import numpy as np
import pytest

from esnkit.forecasting import _panel_ensemble
from esnkit.forecasting._packed_series import pack_series
from esnkit.forecasting._panel_ensemble import PanelEnsemble, _blocks, clear_far, find_gaps
from esnkit.forecasting._panel_network import PanelStructure
from esnkit.forecasting._panel_selection import PanelCandidate, Reservoirs, fit_member

RNG = np.random.default_rng(0)
EMPTY = np.empty((1, 1)), np.empty((1, 1))  # forecasts and errors of a candidate
SERIES = [20 + RNG.normal(size=n).cumsum() for n in (30, 24, 40)]
INPUTS = [RNG.normal(size=(len(v), 2)) for v in SERIES]
PACKED = pack_series(SERIES, INPUTS)
STRUCTURE = PanelStructure((1,), lags=(3,))


def member_of(packed, structure=STRUCTURE):
    return fit_member(PanelCandidate(1.0, structure, 0.1, *EMPTY), packed, Reservoirs(0))


def with_gap(series, start, stop):
    """Return the packed series, some rows of one missing."""
    observed = PACKED.observed.copy()
    first = PACKED.offsets[series]
    observed[first + start : first + stop] = False
    return PACKED._replace(observed=observed).interpolated()


def test_means_have_the_errors_of_each_step_in_the_scale_of_each_series():
    member = member_of(PACKED._replace(values=np.exp(PACKED.values / 9)), PanelStructure(power=0.0))
    member = replace(member, errors=RNG.normal(size=(7, 2)))
    medians, scale = np.array([[2.0, 3.0, 5.0], [1.0, 4.0, 9.0], [7.0, 8.0, 6.0]]), [0.1, 0.5, 0.0]
    member = replace(member, network=replace(member.network, scale=np.array(scale)))
    step = [[0, 1, 1], [1, 1, 1], [0, 1, 1]]  # the second series ends with a missing value
    expected = medians.copy()
    for i, k in np.ndindex(3, 3):
        errors = member.errors[:, step[i][k]] * scale[i]
        expected[i, k] *= np.mean(np.exp(errors - errors.mean()))
    for limit in (1, 1_000_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_panel_ensemble, "MAX_ERRORS_AT_ONCE", limit)
            found = member.means(medians, np.array([0, 1, 0]))
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (expected[:2] > medians[:2]).all() and (expected[2] == medians[2]).all()


def test_a_gap_is_filled_by_the_closed_loop_from_the_row_before_it():
    holes, member = with_gap(1, 15, 18), member_of(PACKED)
    filled = PanelEnsemble([member], 1).fill(holes)
    rows = np.flatnonzero(~holes.observed)
    np.testing.assert_array_equal(filled.values[holes.observed], PACKED.values[holes.observed])
    ahead = np.zeros((3, 3, 2))
    ahead[1] = INPUTS[1][15:18]
    before = member.advance(PACKED.head(np.array([30, 15, 40])))
    wanted = before.forecast(ahead, np.array([False, True, False]))[1]
    np.testing.assert_allclose(filled.values[rows], wanted, rtol=1e-9)


def test_past_only_inputs_known_in_a_gap_lead_the_loop_that_fills_it():
    holes, past = with_gap(1, 15, 18), RNG.normal(size=(len(PACKED.values), 1))
    structure = STRUCTURE._replace(past_exog=True)
    ensemble = PanelEnsemble([member_of(PACKED._replace(past=past), structure)], 1)
    changed, first = past.copy(), PACKED.offsets[1] + 15
    changed[first] += 1
    before, after = (
        ensemble.fill(holes._replace(past=rows)).values[first : first + 3]
        for rows in (past, changed)
    )
    assert after[0] == before[0] and (np.abs(after - before)[1:] > 1e-6).all()


def test_several_gaps_of_several_series_are_filled_one_after_the_other():
    series = [values.copy() for values in SERIES]
    series[0][[8, 9, 20]] = series[2][[12, 39]] = np.nan
    holes, member = pack_series(series, INPUTS).interpolated(), member_of(PACKED)
    filled = PanelEnsemble([member], 1).fill(holes)
    again = member.advance(filled.head(np.array([20, 24, 39])))
    ahead = np.stack([INPUTS[0][20:21], INPUTS[1][:1], INPUTS[2][39:40]])
    wanted = again.forecast(ahead, np.ones(3, dtype=bool))[:, 0]
    np.testing.assert_allclose(filled.values[[20, 93]], wanted[[0, 2]], rtol=1e-6)


def test_gaps_before_there_are_rows_enough_keep_what_stood_there():
    holes = with_gap(1, 2, 4)
    filled = PanelEnsemble([member_of(PACKED)], 1).fill(holes)
    np.testing.assert_array_equal(filled.values, holes.values)
    shorter = PanelEnsemble([member_of(PACKED), member_of(PACKED, PanelStructure())], 1)
    assert (shorter.fill(holes).values != holes.values).any()  # by the member in reserve


def test_gaps_are_runs_of_missing_values_of_a_series():
    series = [np.array([1, np.nan, np.nan, 2, np.nan]), np.array([1, 2.0]), np.array([1, np.nan])]
    gaps = find_gaps(pack_series(series))
    assert gaps.series.tolist() == [0, 0, 2] and gaps.first.tolist() == [1, 4, 1]
    assert gaps.lengths.tolist() == [2, 1, 1]


def test_forecasts_far_from_the_values_run_away():
    values = np.array([[25.0, 26.0], [25.0, 1e9], [np.nan, 20.0]])
    found = clear_far(values, PACKED, np.array([0, 1, 2]))
    assert np.isnan(found).tolist() == [[False] * 2, [True] * 2, [True] * 2]


def test_series_with_gaps_come_in_blocks(monkeypatch):
    monkeypatch.setattr("esnkit.forecasting._panel_ensemble.MAX_ROWS_AT_ONCE", 35)
    holes = [np.where(np.arange(len(v)) == 9, np.nan, v) for v in SERIES]
    blocks = _blocks(pack_series([*holes, np.ones(9)]))
    assert np.concatenate(blocks).tolist() == [0, 1, 2] and len(blocks) > 1
    filled = PanelEnsemble([member_of(PACKED)], 1).fill(pack_series(holes, INPUTS).interpolated())
    monkeypatch.undo()
    wanted = PanelEnsemble([member_of(PACKED)], 1).fill(pack_series(holes, INPUTS).interpolated())
    np.testing.assert_allclose(filled.values, wanted.values, rtol=1e-9)


def test_values_without_a_logarithm_are_missing_to_the_members_that_take_it():
    plain, log = member_of(PACKED), member_of(PACKED, PanelStructure((1,), 0.0))
    new = pack_series([np.array([-3.0, 22.0]), np.array([20.0]), np.array([21.0])])
    longer = PACKED.append(new._replace(inputs=np.zeros((4, 2))))
    missing = longer._replace(observed=longer.values > 0)
    ensemble = PanelEnsemble([plain, log], 2)
    found, wanted = ensemble.advance(longer).members, ensemble.advance(missing.interpolated())
    np.testing.assert_array_equal(found[0].walk.state, plain.advance(longer).walk.state)
    np.testing.assert_array_equal(found[1].walk.state, wanted.members[1].walk.state)
    assert np.abs(found[0].walk.state - wanted.members[0].walk.state).max() > 0.01


class Falling:
    """A member that predicts a value below those seen."""

    def fill(self, packed, series, gaps):
        """Return the value for every gap."""
        return np.full((len(gaps.series), gaps.lengths.max()), -5.0)


def test_values_that_stand_in_stay_positive_where_all_others_are():
    series = [np.array([8.0, np.nan, 2.0]), np.array([8.0, np.nan, 0.0]), np.array([9, np.nan, -1])]
    filled = PanelEnsemble([Falling()], 1).fill(pack_series(series).interpolated())
    assert filled.values[1::3].tolist() == [1.0, 0.0, -5.0]
