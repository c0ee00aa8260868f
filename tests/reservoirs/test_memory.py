"""Memory reservoirs against their equations, and what they keep."""

import numpy as np
import pytest
from reference import memory_reservoir_states

from esnkit import MemoryReservoir, Reservoir, ReservoirRegressor, check_reservoir
from esnkit.analysis import memory_capacity
from esnkit.export._fitted_step import fitted_step

X = np.random.default_rng(0).normal(size=(60, 2))


def memory(n_units=9, n_memory=11, **params):
    return MemoryReservoir(Reservoir(n_units, degree=3), n_memory, random_state=0, **params)


@pytest.mark.parametrize("radius", [None, 0.7, 1.0])
def test_states_follow_the_equations(radius):
    fitted = memory(memory_radius=radius).fit(X)
    r = fitted.layers_[1]
    weights = r.W_.toarray(), r.W_in_, r.b_, r.leak_rate_, "tanh"
    wanted = memory_reservoir_states(11, 0.5 ** (1 / 11) if radius is None else radius, weights, X)
    np.testing.assert_allclose(fitted.transform(X), wanted, rtol=0, atol=1e-12)
    assert fitted.n_state_ == fitted.n_features_out_ == 20


def test_each_unit_receives_one_unit_of_the_memory_or_all():
    for params, count in (({}, 1), ({"interlayer_weights": "uniform"}, 11)):
        assert set(np.count_nonzero(memory(**params).fit(X).layers_[1].W_in_, axis=1)) == {count}


def test_it_keeps_the_contract_and_works_in_a_regressor():
    check_reservoir(memory())
    late = np.roll(X[:, 0], 4) * np.roll(X[:, 0], 3)
    model = ReservoirRegressor(MemoryReservoir(Reservoir(80, spectral_radius=0.1), 10)).fit(X, late)
    assert model.score(X, late) > 0.9


def test_the_memory_holds_standardised_inputs_with_automatic_scaling():
    scaled = memory().set_params(reservoir__input_scaling="auto")
    first, second = (scaled.fit_transform(rows) for rows in (X, 1000 * X + 3))
    np.testing.assert_allclose(first, second, atol=1e-9)
    standardised = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(first[0, [0, 5]], standardised[0])


def test_outputs_that_are_fed_back_are_kept_too():
    model = ReservoirRegressor(memory().set_params(reservoir__feedback_scaling=0.5), feedback=True)
    state = model.fit(X[:, :1], X[:, 1]).reservoir_.layers_[0].transform(X[:, ::-1])
    np.testing.assert_allclose(state[0, [0, 5]], [0.5 * X[0, 1], X[0, 0]])


def test_a_cycle_keeps_as_many_inputs_as_it_has_units():
    kept = memory_capacity(MemoryReservoir(Reservoir(5), 30, random_state=0), random_state=0)
    assert 29.5 < kept.capacity < 35


def test_its_step_is_exported():
    model = ReservoirRegressor(memory()).fit(X, X[:, 0])
    assert [layer.activation for layer in fitted_step(model).layers] == ["identity", "tanh"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_memory": 1}, "n_memory must be an integer >= 2"),
        ({"memory_radius": 1.5}, "memory_radius must be"),
    ],
)
def test_parameters_out_of_range_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        memory(**params).fit(X)
