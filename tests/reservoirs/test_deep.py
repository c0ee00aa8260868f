"""Deep reservoirs against their layers, run one after the other by hand."""

import numpy as np
import pytest

from esnkit import (
    BidirectionalReservoir,
    DeepReservoir,
    Forecaster,
    IntrinsicPlasticityReservoir,
    Reservoir,
    ReservoirRegressor,
    check_reservoir,
)

X = np.random.default_rng(0).normal(size=(40, 2))
PARAMS = {"leak_rate": [1.0, 0.5, 0.2], "n_units": [8, 5, 6]}


def deep(**params):
    return DeepReservoir(Reservoir(7), layer_params=PARAMS, random_state=0, **params)


def test_a_layer_receives_the_features_of_the_one_before():
    fitted = deep().fit(X)
    inputs, features = X, []
    for layer in fitted.layers_:
        inputs = layer.transform(inputs)
        features.append(inputs)
    np.testing.assert_array_equal(fitted.transform(X), np.hstack(features))
    assert fitted.n_state_ == fitted.n_features_out_ == 19
    assert [layer.W_in_.shape for layer in fitted.layers_] == [(8, 2), (5, 8), (6, 5)]


def test_units_receive_one_unit_of_the_layer_before_or_all():
    sparse, dense = deep().fit(X), deep(interlayer_weights="uniform").fit(X)
    for fitted, n_inputs in ((sparse, [2, 1, 1]), (dense, [2, 8, 5])):
        counts = [np.count_nonzero(layer.W_in_, axis=1) for layer in fitted.layers_]
        assert [set(count) for count in counts] == [{n} for n in n_inputs]
    given = DeepReservoir(Reservoir(4), 2, layer_params={"input_weights": ["normal", "normal"]})
    assert np.all(given.fit(X).layers_[1].W_in_)
    plastic = DeepReservoir(IntrinsicPlasticityReservoir(Reservoir(6), n_epochs=1), 2).fit(X)
    assert np.count_nonzero(plastic.layers_[1].reservoir_.W_in_) == 6
    with pytest.raises(ValueError, match="interlayer_weights must be one of"):
        deep(interlayer_weights="dense").fit(X)


def test_layers_have_an_input_scaling_of_their_own():
    fitted = deep(interlayer_scaling=3.0).fit(X)
    small = DeepReservoir(Reservoir(50, input_scaling=0.01), 3, random_state=0).fit(X)
    for layers, first, others in ((fitted.layers_, 0.5, 3.0), (small.layers_, 0.01, 1.0)):
        largest = [np.abs(layer.W_in_).max() for layer in layers]
        assert largest[0] <= first and all(first < size <= others for size in largest[1:])
    with pytest.raises(ValueError, match="interlayer_scaling must be a finite number"):
        deep(interlayer_scaling=-1).fit(X)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_it_keeps_the_contract(noise):
    check_reservoir(DeepReservoir(Reservoir(7, noise=noise), 2, random_state=0))


def test_noise_is_added_in_every_layer_of_a_fit_alone():
    noisy = deep().set_params(reservoir__noise=0.1)
    states, plain = noisy.fit_transform(X), noisy.transform(X)
    assert (states != plain).all(axis=0).all()
    np.testing.assert_array_equal(noisy.fit_transform(X), states)
    np.testing.assert_array_equal(deep().fit(X).transform(X), plain)


def test_scaling_by_the_data_is_that_of_the_inputs():
    scaled = deep().set_params(reservoir__input_scaling="auto")
    first, second = (scaled.fit_transform(rows) for rows in (X, 1000 * X + 3))
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_it_works_in_regressors_and_forecasters():
    series = np.sin(np.arange(300) / 5)
    model = ReservoirRegressor(deep(), random_state=1)
    assert model.fit(series[:-1, None], series[1:]).score(series[:-1, None], series[1:]) > 0.99
    forecast = Forecaster(model).fit(series).forecast(5)
    np.testing.assert_allclose(np.ravel(forecast), np.sin(np.arange(300, 305) / 5), atol=0.05)


def test_layers_must_be_causal():
    with pytest.raises(ValueError, match="DeepReservoir needs a causal reservoir: Bidirectional"):
        DeepReservoir(BidirectionalReservoir()).fit(X)
