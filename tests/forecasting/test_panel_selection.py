"""The choice of networks over series: structures, windows, errors, and widths of intervals."""

import numpy as np
import pytest

from esnkit.forecasting._packed_series import pack_series
from esnkit.forecasting._panel_network import PanelStructure
from esnkit.forecasting._panel_selection import (
    PanelCandidate,
    PanelSelection,
    Reservoirs,
    _errors_to_come,
    choose_members,
    error_sizes,
    evaluate,
    fit_member,
    make_structures,
    make_windows,
    reserve,
    select_for_panel,
)

RNG = np.random.default_rng(0)
EMPTY = np.empty((1, 1)), np.empty((1, 1))  # forecasts and errors of a candidate
SERIES = [20 + RNG.normal(size=n).cumsum() for n in (30, 30, 24, 40, 28, 9, 3)]
PACKED = pack_series(SERIES)


def test_structures_differ_in_differences_transform_season_inputs_and_lags():
    structures = make_structures(PACKED.values, [4.0], has_clock=True)
    assert len(set(structures)) == len(structures) == 20
    assert {s.power for s in structures} == {None, 0.0}
    assert {s.differences for s in structures} == {(), (1,), (4,), (4, 1)}
    assert {s.lags for s in structures} == {(), (4,)}
    assert {s.seasons for s in structures} == {(), ((4.0, 2),)}
    assert len(make_structures(-PACKED.values, [], has_clock=True)) == 2
    assert {s.power for s in make_structures(np.zeros(3), [], False)} == {None, 0.5}


def test_all_structures_are_judged_by_the_same_windows_of_the_series_long_enough():
    structures = [PanelStructure(), PanelStructure((12,)), PanelStructure((12,), lags=(12,))]
    windows, usable = make_windows(PACKED, structures, 4, [], 0)
    assert usable == structures[:2]  # half of the series are too short for the last one
    assert windows.packed.n_series == 6 and windows.horizon == 4
    assert windows.known.min() >= 15
    lengths = windows.packed.lengths[windows.series]
    assert (windows.known + 4 <= lengths).all()
    for known, series, observed in zip(
        windows.known, windows.series, windows.observed, strict=True
    ):
        start = windows.packed.offsets[series] + known
        np.testing.assert_array_equal(observed, windows.packed.values[start : start + 4])


def test_errors_are_relative_to_the_size_of_each_series_and_limited():
    windows, _ = make_windows(PACKED, [PanelStructure()], 3, [], 0)
    forecasts = np.repeat(windows.observed[:, None], 3, axis=1)
    sizes = windows.sizes[windows.series][:, None]
    forecasts[:, 1] += 2 * sizes
    forecasts[:, 2] = np.inf
    np.testing.assert_allclose(windows.errors(forecasts), [0, 2, 10])


def test_power_errors_are_relative_to_the_scales_of_the_series():
    packed = pack_series([np.exp(np.abs(values) / 20) for values in SERIES])
    windows, _ = make_windows(packed, [PanelStructure()], 3, [], 0)
    scale = np.arange(windows.packed.n_series) / 2.0  # the first series is constant
    forecasts = 2 * windows.observed
    forecasts[-1] = np.inf
    windows.packed.observed[windows.packed.offsets[3] - 1] = False
    expected = np.full(forecasts.shape, -np.log(2)) / np.maximum(scale, 0.5)[windows.series, None]
    expected[windows.series == 0], expected[-1], expected[~windows.is_observed] = [np.nan] * 3
    found = windows.power_errors(forecasts, 0.0, scale)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(found).sum(axis=0).tolist() == [4, 4, 5]


def test_a_candidate_knows_no_value_after_its_origin(monkeypatch):
    monkeypatch.setattr(f"{evaluate.__module__}.PENALTIES", np.array([0.1]))
    windows, _ = make_windows(PACKED, [PanelStructure()], 3, [], 0)
    changed = windows.packed.values.copy()
    changed[windows.packed.offsets[1:] - 1] += 100.0
    later = windows._replace(packed=windows.packed._replace(values=changed))
    before, after = (
        evaluate(PanelStructure((1,)), given, Reservoirs(0)).forecasts for given in (windows, later)
    )
    np.testing.assert_allclose(after, before, rtol=1e-9)


def test_members_differ_in_more_than_their_past_only_inputs():
    candidates = [
        PanelCandidate(error, PanelStructure((lag,), past_exog=past), 1.0, *EMPTY)
        for error, lag, past in ((1.0, 4, True), (1.01, 4, False), (1.05, 1, False), (1.2, 7, True))
    ]
    assert choose_members(candidates) == [candidates[0], candidates[2]]


def test_the_shortest_series_have_the_best_candidates_that_they_suffice_for():
    candidates = [
        PanelCandidate(error, PanelStructure((lag,) if lag else ()), 1.0, *EMPTY)
        for error, lag in ((1.0, 12), (1.1, 4), (1.2, 0), (1.3, 1))
    ]
    lengths = np.array([30, 13, 12, 5, 4, 2])
    assert reserve(candidates[:1], candidates, lengths) == candidates[1:3]
    assert reserve(candidates[:3], candidates, lengths) == []


def test_a_member_forecasts_the_series_asked_for_that_are_long_enough():
    candidate = PanelCandidate(1.0, PanelStructure((4,)), 0.1, *EMPTY)
    member = fit_member(candidate, PACKED, Reservoirs(0))
    asked = np.ones(7, dtype=bool)
    asked[0] = False
    found = member.forecast(np.empty((7, 3, 0)), asked)
    assert np.isnan(found).all(axis=1).tolist() == [True] + [False] * 5 + [True]
    longer = PACKED.append(pack_series([np.full(2, 20.0)] * 7))
    assert np.isfinite(member.advance(longer).forecast(np.empty((7, 3, 0)), asked)[-1]).all()


def test_readouts_of_many_series_are_fitted_to_some(monkeypatch):
    monkeypatch.setattr("esnkit.forecasting._panel_selection.MAX_FITTED_ROWS", 60)
    candidate = PanelCandidate(1.0, PanelStructure(), 0.1, *EMPTY)
    member = fit_member(candidate, PACKED, Reservoirs(0))
    assert np.isfinite(member.forecast(np.empty((7, 3, 0)), np.ones(7, dtype=bool))).all()


def test_members_are_close_to_the_best_and_forecast_better_than_the_naive():
    waves = [10 + np.sin(np.arange(40) / 2 + k) for k in range(8)]
    found = select_for_panel(pack_series(waves), [], 5, False, 0)
    errors = [candidate.error for candidate in found.candidates]
    assert errors == sorted(errors) and errors[found.ensemble.n_chosen - 1] <= 1.1 * errors[0]
    assert found.error < 0.2 * found.naive_error
    assert found.relative_errors.shape[1] == 5


def test_errors_of_few_series_are_widened_by_up_to_half_and_runaways_count():
    few, many = pack_series(SERIES[:2]), pack_series(SERIES[:5] * 8)
    for packed, factor in ((few, 1.5), (many, 1.2)):
        windows, _ = make_windows(packed, [PanelStructure()], 4, [], 0)
        found = _errors_to_come(windows, windows.observed - 1)
        wanted = np.repeat(factor / windows.sizes[windows.series][:, None], 4, axis=1)
        np.testing.assert_allclose(found, wanted)
        assert (_errors_to_come(windows, windows.observed + np.inf) == -factor * 100).all()


@pytest.mark.parametrize("lag", [1, 4])
def test_error_sizes_are_mean_changes(lag):
    long = pack_series([RNG.normal(size=3000) + 10 for _ in range(3)])
    wanted = [np.abs(v[lag:] - v[:-lag]).mean() for v in np.split(long.values, 3)]
    np.testing.assert_allclose(error_sizes(long, lag), wanted, rtol=1e-2)


def with_missing(*rows):
    """Return the packed series, some rows of the first one missing."""
    observed = PACKED.observed.copy()
    observed[list(rows)] = False
    return PACKED._replace(observed=observed).interpolated()


def test_the_row_before_an_origin_is_observed():
    packed = with_missing(24, 25, 28)  # the rows before the origins would be 22, 24 and 26
    windows, _ = make_windows(packed, [PanelStructure()], 3, [], 0)
    assert windows.packed.observed[windows.packed.offsets[windows.series] + windows.known - 1].all()
    complete, _ = make_windows(PACKED, [PanelStructure()], 3, [], 0)
    assert (np.diff(windows.origins, axis=0) >= 0).all()
    assert (windows.origins <= complete.origins).all()


def test_errors_of_missing_values_do_not_count():
    windows, _ = make_windows(with_missing(27, 29), [PanelStructure()], 3, [], 0)
    forecasts = windows.observed + np.where(windows.is_observed, 0.0, 9.0)
    assert windows.errors(forecasts[:, None]) == 0
    assert not windows.is_observed.all()
    np.testing.assert_array_equal(
        np.isnan(_errors_to_come(windows, forecasts)), ~windows.is_observed
    )
    forecasts[3, 0] = np.nan  # which runs away
    assert windows.errors(forecasts[:, None]) > 0


def test_windows_without_observed_values_and_those_of_constant_series_are_left_out():
    complete, _ = make_windows(PACKED, [PanelStructure()], 3, [], 0)
    windows, _ = make_windows(with_missing(27, 28, 29), [PanelStructure()], 3, [], 0)
    assert (complete.series == 0).sum() == 3 and (windows.series == 0).sum() < 3
    flat = pack_series([*SERIES[:5], np.ones(30)])
    windows, _ = make_windows(flat, [PanelStructure()], 3, [], 0)
    assert windows.series.max() == 4 and windows.sizes[5] == 0
    windows, _ = make_windows(pack_series([np.ones(30)] * 2), [PanelStructure()], 3, [], 0)
    assert len(windows.series) == 6
    gap = np.r_[np.ones(9), np.full(20, np.nan), 1.0]
    with pytest.raises(ValueError, match="gaps of at least 3 rows"):
        make_windows(pack_series([gap]).interpolated(), [PanelStructure()], 3, [], 0)


def test_the_choice_for_series_with_gaps_is_the_better_one_of_two(monkeypatch):
    packed, given = with_missing(10, 11, 20), []
    results = [PanelSelection(Filling(), [], error, 1, 1, np.ones((1, 1))) for error in (2.0, 1.0)]

    def choose(packed, *_):
        given.append(packed.values)
        return results[len(given) - 1]

    monkeypatch.setattr("esnkit.forecasting._panel_selection._select", choose)
    assert select_for_panel(packed, [], 3, False, 0) is results[1]
    np.testing.assert_array_equal(given[1], packed.values + 1)
    given.clear()
    assert select_for_panel(PACKED, [], 3, False, 0) is results[0] and len(given) == 1


class Filling:
    """Members that fill gaps by other values."""

    def fill(self, packed):
        """Return other values."""
        return packed._replace(values=packed.values + 1)
