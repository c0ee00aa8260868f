"""What the instruments run on: which reservoir, which weights, which inputs."""

import numpy as np
import pytest
from driven_reservoirs import Features
from sklearn.base import clone

from esnkit import DeepReservoir, ESNRegressor, IntrinsicPlasticityReservoir, Reservoir
from esnkit.analysis import memory_capacity
from esnkit.analysis._driven import drawn_reservoir, features_of, random_inputs, run_batch

RNG = np.random.RandomState(0)
X = np.random.default_rng(0).uniform(size=(30, 2))


def test_a_fitted_reservoir_runs_as_it_is_and_another_is_drawn():
    fitted = Reservoir(5, random_state=0).fit(X)
    assert drawn_reservoir(fitted, RNG) is fitted
    model = ESNRegressor(5, random_state=0).fit(X, X[:, 0])
    assert drawn_reservoir(model, RNG) is model.reservoir_
    unfitted = Reservoir(5, random_state=0)
    drawn = drawn_reservoir(unfitted, RNG, X.astype("f4"))
    assert drawn.W_in_.shape == (5, 2) and drawn.W_in_.dtype == np.float32
    assert not hasattr(unfitted, "W_")
    assert drawn_reservoir(unfitted, RNG).n_features_in_ == 1


def test_a_seed_makes_a_reservoir_without_one_reproducible():
    unseeded, state = Reservoir(5), np.random.RandomState(1)
    first = drawn_reservoir(unseeded, np.random.RandomState(1)).W_.data
    np.testing.assert_array_equal(first, drawn_reservoir(unseeded, state).W_.data)
    assert not np.array_equal(first, drawn_reservoir(unseeded, state).W_.data)
    runs = [memory_capacity(unseeded, n_timesteps=200, random_state=s).curve for s in (3, 3, 4)]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])


def test_the_seed_of_a_nested_reservoir_is_kept():
    deep = DeepReservoir(Reservoir(5, random_state=3), 2)
    drawn = drawn_reservoir(deep, np.random.RandomState(1))
    for layer, wanted in zip(drawn.layers_, deep.fit(X[:, :1]).layers_, strict=True):
        np.testing.assert_array_equal(layer.W_.data, wanted.W_.data)


def test_inputs_too_large_to_be_squared_or_for_their_dtype_are_refused():
    with pytest.raises(
        ValueError, match=r"input_range must be a number in \[-1e\+100, 1e\+100\], got 1e\+200"
    ):
        memory_capacity(Reservoir(3), input_range=(0, 1e200))
    with pytest.raises(ValueError, match="input_range must be finite in float32"):
        memory_capacity(Reservoir(3).fit(X.astype("f4")), input_range=(0, 1e50))


def test_the_scale_of_the_inputs_reaches_weights_that_depend_on_it():
    auto = drawn_reservoir(Reservoir(3, input_scaling="auto", random_state=0), RNG, 5 + 2 * X)
    np.testing.assert_allclose(auto.input_mean_, (5 + 2 * X).mean(axis=0))
    unfitted = Reservoir(3, input_scaling="auto", random_state=0)
    auto = drawn_reservoir(unfitted, np.random.RandomState(0), input_range=(2.0, 4.0))
    np.testing.assert_allclose(auto.input_mean_, 3, atol=0.1)
    np.testing.assert_allclose(auto.input_scale_, 2 / np.sqrt(12), rtol=0.1)
    plastic = drawn_reservoir(IntrinsicPlasticityReservoir(unfitted), RNG)
    assert (plastic.gain_ != 1).any()


def test_inputs_fill_their_interval_in_the_dtype_of_the_reservoir():
    reservoir = Reservoir(3).fit(X.astype("f4"))
    u = random_inputs(reservoir, 4000, (2.0, 5.0), np.random.RandomState(0))
    assert u.shape == (4000, 2) and u.dtype == np.float32
    assert 2 <= u.min() < 2.01 and 4.99 < u.max() <= 5
    np.testing.assert_allclose(u.var(axis=0), 9 / 12, rtol=0.05)


@pytest.mark.parametrize("n_steps", [1, 7, 9000])
def test_batches_give_the_last_features_of_every_sequence(n_steps):
    reservoir = Reservoir(4, random_state=0).fit(X)
    inputs = np.random.default_rng(1).uniform(size=(3, n_steps, 2))
    start = np.random.default_rng(2).uniform(size=(3, 4))
    state = start.copy()
    last = run_batch(reservoir, inputs, state)
    wanted = [
        reservoir.transform(u, initial_state=x)[-1] for u, x in zip(inputs, start, strict=True)
    ]
    np.testing.assert_allclose(last, wanted, rtol=1e-12)
    np.testing.assert_array_equal(last, state)


def test_features_are_those_of_transform():
    reservoir = clone(Reservoir(4, random_state=0)).fit(X.astype("f4"))
    rows = features_of(reservoir, X.astype("f4"))
    np.testing.assert_array_equal(rows, reservoir.transform(X.astype("f4")))
    assert rows.dtype == np.float64


def test_features_that_overflow_are_refused():
    growing = Features(lambda u, v, w: np.exp(1e4 * u))
    with pytest.raises(FloatingPointError, match="must stay finite, got NaN or infinity: lower"):
        with np.errstate(over="ignore"):
            memory_capacity(growing, n_timesteps=100)


@pytest.mark.parametrize("wrong", [Reservoir, ESNRegressor(5), None, 3])
def test_what_has_no_reservoir_is_refused(wrong):
    with pytest.raises(TypeError, match="reservoir must be a reservoir .* or a fitted estimator"):
        memory_capacity(wrong)
