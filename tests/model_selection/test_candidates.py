"""Groups of candidates that differ in the penalty alone."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import (
    ESNRegressor,
    Forecaster,
    ParallelReservoir,
    Reservoir,
    ReservoirRegressor,
    RidgeReadout,
)
from esnkit.model_selection._candidates import Candidate, group_candidates, shares_work

ALPHAS = [1e-4, 1e-2, 1.0]


def places(estimator, grid):
    candidates = [Candidate(i, params) for i, params in enumerate(ParameterGrid(grid))]
    return [[c.place for c in group] for group in group_candidates(estimator, candidates)]


@pytest.mark.parametrize(
    ("estimator", "prefix", "other"),
    [
        (ESNRegressor(), "", "n_units"),
        (RidgeReadout(), "", "solver"),
        (ReservoirRegressor(Reservoir(), RidgeReadout()), "readout__", "reservoir__n_units"),
        (make_pipeline(StandardScaler(), ESNRegressor()), "esnregressor__", "esnregressor__noise"),
        (Forecaster(ESNRegressor()), "estimator__", "estimator__n_units"),
    ],
)
def test_candidates_of_a_group_differ_in_the_penalty(estimator, prefix, other):
    grid = {f"{prefix}alpha": ALPHAS, other: ["a", "b"]}
    assert places(estimator, grid) == [[0, 2, 4], [1, 3, 5]]


def test_other_parameters_named_alpha_are_no_penalties():
    model = ReservoirRegressor(Reservoir(), Ridge())
    assert places(model, {"readout__alpha": ALPHAS}) == [[0], [1], [2]]


def test_equal_arrays_are_one_value():
    grid = [{"leak_rate": [np.ones(3)], "alpha": [a]} for a in ALPHAS]
    assert places(ESNRegressor(), grid) == [[0, 1, 2]]


def test_what_shares_work():
    assert shares_work(ESNRegressor()) and shares_work(RidgeReadout())
    assert shares_work(make_pipeline(Reservoir(), Ridge()))
    assert shares_work(ParallelReservoir([]))  # which no reservoir can be made of
    assert not shares_work(Ridge()) and not shares_work(make_pipeline(StandardScaler(), Ridge()))
