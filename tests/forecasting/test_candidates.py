"""Candidates: what is tried, by which windows it is judged, and what is chosen."""

import numpy as np
import pytest

from esnkit.forecasting._candidates import (
    LEAK_RATES,
    N_MEMBERS,
    PENALTIES,
    Candidate,
    Search,
    Windows,
    choose_members,
    choose_penalty,
    evaluate_structures,
    leak_rates_of,
    make_averaged_structures,
    make_structures,
    make_windows,
)
from esnkit.forecasting._penalty_path import Structure

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("horizon", [1, 5, 12, 100])
@pytest.mark.parametrize("n_rows", [12, 20, 50, 500])
def test_windows_end_with_the_series_and_recent_ones_weigh_more(n_rows, horizon):
    windows = make_windows(n_rows, horizon)
    assert windows.origins[-1] + windows.horizon == n_rows and windows.horizon <= horizon
    assert windows.origins[0] >= min(9, n_rows - windows.horizon)
    assert (np.diff(windows.origins) > 0).all() and len(windows.origins) <= 8
    assert (np.diff(windows.weights) > 0).all() and windows.weights.sum() == pytest.approx(1)
    rows = np.arange(n_rows)
    np.testing.assert_array_equal(windows.observed(rows)[:, 0], windows.origins)


def test_windows_span_several_of_the_longest_season():
    assert make_windows(5000, 24).origins[0] == 5000 - 8 * 24
    assert make_windows(5000, 24, 0, 168.0).origins[0] == 5000 - 6 * 168
    assert make_windows(5000, 168, 0, 168.0).origins[0] == 5000 - 8 * 168
    assert make_windows(500, 24, 0, 365.25).origins[0] == 200


def test_errors_are_weighted_means_and_finite():
    windows = make_windows(50, 4)
    observed = np.zeros((8, 4))
    forecasts = np.zeros((8, 3, 4))
    forecasts[:, 1] = 2.0
    forecasts[3, 2] = np.inf
    found = windows.errors(forecasts, observed)
    assert found[:2].tolist() == [0.0, pytest.approx(2.0)] and 1e290 < found[2] < np.inf


@pytest.mark.parametrize(
    ("values", "powers"),
    [([1.0, 2.0], {None, 0.0}), ([0.0, 2.0], {None, 0.5}), ([-1.0, 2.0], {None})],
)
def test_transforms_suit_the_values(values, powers):
    structures = make_structures(np.array(values), [], Search(5))
    assert {structure.power for structure in structures} == powers
    assert {structure.differences for structure in structures} == {(), (1,)}


def test_seasons_are_lags_and_inputs_and_nothing_is_tried_twice():
    structures = make_structures(np.array([-1.0]), [4.0, 52.1775], Search(5))
    assert len(set(structures)) == len(structures)
    assert {s.differences for s in structures} >= {(4,), (4, 1), (52,), (52, 1)}
    terms = {s.seasons for s in structures if s.seasons}
    assert terms == {((4.0, 2), (52.1775, 2)), ((4.0, 2), (52.1775, 6))}


def test_seasons_of_long_series_are_averaged_as_far_as_their_rows_suffice():
    def differences(n_rows, periods, **given):
        structures = make_averaged_structures(-np.ones(n_rows), periods, Search(5, **given))
        assert len(set(structures)) == len(structures)
        return {structure.differences for structure in structures}

    def profiles(week):
        return {(week, (24, 2)), (week, (24, 7))}

    assert differences(5000, [24.0, 168.0]) == {((168, 2),), ((168, 6),), *profiles((168, 6))}
    assert differences(1700, [24.0, 168.0]) == {((168, 2),), ((168, 3),), *profiles((168, 3))}
    assert differences(1000, [24.0, 168.0]) == profiles(168)
    assert differences(1000, [24.0]) == {((24, 2),), ((24, 6),)}
    for none in ((999, [24.0]), (5000, [])):
        assert not differences(*none)
    assert not differences(5000, [24.0], quick=True)
    assert not differences(5000, [24.0], settings={"differences": (24,)})


@pytest.mark.parametrize(
    ("n_rows", "periods"), [(999, [48.0, 336.0]), (5000, [48.0]), (5000, [7.0, 365.25]), (5000, [])]
)
def test_only_long_series_of_hours_have_units_with_time_constants_up_to_a_day(n_rows, periods):
    assert leak_rates_of(1000, [48.0, 336.0]) == ((0.1, 1.0), (1 / 48, 1.0))
    assert leak_rates_of(n_rows, periods) == LEAK_RATES


def test_settings_that_are_given_are_those_of_all_candidates():
    settings = {"differences": (4,), "leak_rate": 0.5, "alpha": 2.0, "n_units": 7}
    search = Search(3, settings=settings)
    structures = make_structures(np.array([-1.0]), [4.0], search)
    assert [s[:1] + s[2:4] for s in structures] == [((4,), (), 0.5), ((4,), ((4.0, 2),), 0.5)]
    values, windows = RNG.normal(size=40), make_windows(40, 3, 4)
    (best, _) = evaluate_structures(values[:, None], np.empty((43, 0)), structures, windows, search)
    assert best.penalty == 2.0 and (best.network["n_units"], best.network["leak_rate"]) == (7, 0.5)


def test_windows_begin_after_the_rows_that_differences_take():
    windows = make_windows(40, 20, 30)
    assert windows.horizon == 3 and windows.origins.tolist() == [36, 37]


def errors_with(**at):
    errors = np.ones(len(PENALTIES))
    for power, error in at.items():
        errors[np.searchsorted(PENALTIES, 10.0 ** int(power[1:].replace("m", "-")) * 0.99)] = error
    return errors


@pytest.mark.parametrize(
    ("errors", "exponent"),
    [
        (errors_with(), 3),
        (errors_with(e1=0.5), 1),
        (errors_with(e0=0.5, e1=0.503), 1),  # one percent is no difference
        (errors_with(em6=0.8), 3),  # small penalties must gain a lot
        (errors_with(em6=0.5, em4=0.52), -4),
    ],
)
def test_large_penalties_are_preferred(errors, exponent):
    assert PENALTIES[choose_penalty(errors, 100, many_windows())] == pytest.approx(10.0**exponent)


def many_windows():
    """Return so many windows that their errors have no noise."""
    return Windows(np.arange(1000), np.full(1000, 1e-3), 1)


@pytest.mark.parametrize(("n", "excess"), [(1, 1.0), (2, 0.25), (4, 1 / 16)])
def test_few_windows_tell_no_penalty_from_a_larger_one(n, excess):
    windows = Windows(10 * np.arange(n), np.full(n, 1 / n), 10)
    for sign, exponent in ((-1, 3), (1, 1)):
        errors = errors_with(e1=1.0, e2=5.0, e3=1 + (1 + sign * 0.01) * excess)
        errors[PENALTIES < 1] = 1.0
        assert PENALTIES[choose_penalty(errors, 100, windows)] == pytest.approx(10.0**exponent)
    errors = errors_with(em6=0.75 / (1 + excess), em4=0.74)
    assert PENALTIES[choose_penalty(errors, 100, windows)] == pytest.approx(1e3)
    errors = errors_with(em6=0.65 / (1 + excess), em4=0.65 * (1 - 0.01 * excess))
    assert PENALTIES[choose_penalty(errors, 100, windows)] == pytest.approx(1e-4)


def test_long_series_have_small_penalties_without_a_margin():
    errors = np.where(np.abs(PENALTIES - 1e-4) < 1e-6, 0.9, 1.0)
    assert PENALTIES[choose_penalty(errors, 999, many_windows())] == pytest.approx(1e3)
    assert PENALTIES[choose_penalty(errors, 1000, many_windows())] == pytest.approx(1e-4)


def candidate(error, structure):
    return Candidate(error, structure, 1.0, np.zeros((1, 1)), {})


def test_members_differ_and_none_is_much_worse_than_the_best():
    best, twin = Structure((1,)), Structure((1,), leak_rate=(0.1, 1.0))
    others = [Structure((lag,)) for lag in range(2, 20)]
    candidates = [candidate(1.0, best), candidate(1.1, twin)]
    candidates += [candidate(1.2, other) for other in others]
    windows = Windows(10 * np.arange(8), np.full(8, 1 / 8), 10)
    members = choose_members(candidates, windows)
    assert len(members) == N_MEMBERS and [m.structure for m in members][:2] == [best, others[0]]
    for n, largest in ((8, 1.265), (4, 1.75), (1, 7.0)):
        windows = Windows(10 * np.arange(n), np.full(n, 1 / n), 10)
        pairs = [[candidate(1.0, best), candidate(largest + d, twin)] for d in (-0.01, 0.01)]
        pairs = [[a, b._replace(structure=others[0])] for a, b in pairs]
        assert [len(choose_members(pair, windows)) for pair in pairs] == [2, 1]


def test_the_candidate_that_suits_is_first_and_long_differences_wait_for_rows():
    values = np.tile(RNG.normal(size=12), 6) + 0.5 * np.arange(72)
    windows = make_windows(72, 12)
    structures = [Structure(), Structure((12,)), Structure((70,))]
    ranked = evaluate_structures(
        values[:, None], np.empty((84, 0)), structures, windows, Search(12)
    )
    assert [item.structure for item in ranked] == [Structure((12,)), Structure()]
    observed = windows.observed(values)
    for item in ranked:
        assert item.error == pytest.approx(windows.errors(item.forecasts, observed))
