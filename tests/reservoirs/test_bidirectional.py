"""Bidirectional reservoirs against a run of the reversed sequences."""

import numpy as np
import pytest

from esnkit import BidirectionalReservoir, Reservoir, ReservoirRegressor, check_reservoir

X = np.random.default_rng(0).normal(size=(40, 2))


def both(**params):
    return BidirectionalReservoir(Reservoir(7, **params), random_state=0)


def test_features_are_those_of_both_directions():
    sequences = [X, X[:1], X[5:20]]
    fitted = both().fit(sequences)
    for states, x in zip(fitted.transform(sequences), sequences, strict=True):
        back = fitted.reservoir_.transform(x[::-1])[::-1]
        expected = np.hstack([fitted.reservoir_.transform(x), back])
        np.testing.assert_allclose(states, expected, atol=1e-14)


def test_it_keeps_the_contract():
    check_reservoir(both())
    check_reservoir(both(noise=0.01))


def test_a_target_may_depend_on_what_follows():
    y = np.roll(X[:, 0], -1)
    y[-1] = 0.0
    forwards = ReservoirRegressor(Reservoir(30, random_state=0)).fit(X, y).score(X, y)
    model = ReservoirRegressor(BidirectionalReservoir(Reservoir(30, random_state=0))).fit(X, y)
    assert model.score(X, y) > max(0.9, forwards)
    with pytest.raises(ValueError, match="needs a causal reservoir: BidirectionalReservoir"):
        model.predict(X, return_state=True)


def test_it_has_no_initial_state():
    fitted = both().fit(X)
    with pytest.raises(ValueError, match="initial_state needs a causal reservoir"):
        fitted.transform(X, initial_state=np.zeros(14))
