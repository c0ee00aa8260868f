"""Successive halving: rounds, shorter folds, and who is left."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from strategy_problems import FOLDS, X, Y, evaluator

from esnkit import ESNRegressor
from esnkit.model_selection._halving import (
    Round,
    best_first,
    evaluate_by_halving,
    plan_rounds,
    rounds,
    shortened,
    washout_of,
)

ALPHAS = [{"alpha": alpha} for alpha in (1e4, 1e3, 1.0, 10.0, 1e5, 100.0, 1e-3)]


def test_rounds_end_with_all_rows_and_at_least_two_candidates():
    assert rounds(60, 9000, 100) == [
        Round(60, 1 / 27),
        Round(20, 1 / 9),
        Round(7, 1 / 3),
        Round(3, 1),
    ]
    assert rounds(60, 950, 100) == [Round(60, 1 / 9), Round(20, 1 / 3), Round(7, 1)]
    assert rounds(3, 9000, 100) == [Round(3, 1)]
    assert rounds(4, 9000, 100) == [Round(4, 1 / 3), Round(2, 1)]
    assert rounds(60, 150, 100) == [Round(60, 1)]


def test_the_washout_adds_to_the_rows_of_the_first_round():
    folds = [(np.arange(900), np.arange(9)), (np.arange(1800), np.arange(9))]
    short = evaluator(folds=folds)
    assert len(plan_rounds(short, 60, True, 0)) == 3
    assert len(plan_rounds(short, 60, True, 101)) == 1
    assert len(plan_rounds(short, 60, False, 101)) == 4
    assert washout_of(make_pipeline(StandardScaler(), ESNRegressor(washout=7))) == 7
    assert washout_of(Ridge()) == 0


def test_a_series_keeps_its_last_rows_and_sequences_some_of_all_parts():
    train, test = np.arange(10, 40), np.arange(5)
    for is_series, expected in ((True, [37, 38, 39]), (False, [10, 24, 39])):
        rows, same = shortened((train, test), 0.1, is_series)
        np.testing.assert_array_equal(rows, expected)
        assert same is test
    np.testing.assert_array_equal(shortened((train, test), 1, False)[0], train)


def test_the_best_candidates_reach_all_rows():
    plan, told = [Round(7, 1 / 3), Round(3, 1)], []
    found, more = evaluate_by_halving(evaluator(), ALPHAS, plan, True, None, told.append)
    assert told == [item.score(None) for item in found]
    assert more == {"iter": [0] * 7 + [1] * 3, "n_resources": [14] * 7 + [40] * 3}
    shorter = [(train[-14:], test) for train, test in KFold(3).split(X)]
    scores = [cross_val_score(Ridge(**alpha), X, Y, cv=shorter).mean() for alpha in ALPHAS]
    np.testing.assert_allclose([item.score(None) for item in found[:7]], scores)
    best = [ALPHAS[i] for i in np.argsort(scores)[::-1][:3]]
    assert [item.candidate for item in found[7:]] == best
    last = [cross_val_score(Ridge(**alpha), X, Y, cv=FOLDS).mean() for alpha in best]
    np.testing.assert_allclose([item.score(None) for item in found[7:]], last)


def test_candidates_that_fail_leave_first():
    items = evaluator().evaluate(ALPHAS[:3])
    items[1].fits[0][0]["test_scores"] = np.nan
    order = best_first(ALPHAS[:3], items, None)
    assert order[-1] == ALPHAS[1]
    assert best_first(ALPHAS, [], None) == ALPHAS
