"""The distribution that intrinsic plasticity reaches, and what it leaves as it is."""

import numpy as np
import pytest
from scipy import stats

from esnkit import (
    NVAR,
    DeepReservoir,
    IntrinsicPlasticityReservoir,
    MemoryReservoir,
    Reservoir,
    ReservoirRegressor,
    check_reservoir,
)

X = np.random.default_rng(0).uniform(-1, 1, (3000, 1))


def plastic(activation="tanh", n_units=30, **params):
    reservoir = Reservoir(n_units, activation=activation, random_state=0)
    return IntrinsicPlasticityReservoir(reservoir, **params)


@pytest.mark.parametrize("mean, std", [(0.0, 0.2), (0.1, 0.3), (-0.2, 0.1)])
def test_tanh_units_reach_the_moments_of_the_gaussian(mean, std):
    states = plastic(mean=mean, std=std, learning_rate=2e-4, n_epochs=30).fit_transform(X)[200:]
    np.testing.assert_allclose(states.mean(axis=0), mean, atol=0.03)
    assert states.std() == pytest.approx(std, rel=0.1)


def test_the_distribution_of_a_unit_is_near_the_gaussian():
    # Uniform inputs have an excess kurtosis of -1.2, and so do units that they drive alone.
    reservoir = Reservoir(60, input_scaling=1.5, spectral_radius=0.9, random_state=0)
    before = reservoir.fit_transform(X)[200:]
    fitted = IntrinsicPlasticityReservoir(reservoir, std=0.2, learning_rate=2e-4, n_epochs=30)
    after = fitted.fit_transform(X)[200:]
    distance = [
        np.mean([stats.kstest(unit, "norm", (0, 0.2)).statistic for unit in states.T])
        for states in (before, after)
    ]
    assert distance[1] < 0.1 < 2 * distance[1] + 0.1 < distance[0]


def test_sigmoid_units_reach_the_mean_of_the_exponential():
    states = plastic("sigmoid", mean=0.2, learning_rate=1e-3, n_epochs=30).fit_transform(X)[200:]
    np.testing.assert_allclose(states.mean(axis=0), 0.2, atol=0.03)
    assert (np.median(states, axis=0) < 0.19).all()  # of an exponential, 0.2 ln 2 = 0.14


def test_the_gains_are_factors_of_the_rows():
    fitted = plastic().fit(X)
    drawn = Reservoir(30, random_state=0).fit(X)
    gain = fitted.gain_[:, np.newaxis]
    np.testing.assert_allclose(fitted.reservoir_.W_in_, gain * drawn.W_in_)
    np.testing.assert_allclose(fitted.reservoir_.W_.toarray(), gain * drawn.W_.toarray())
    assert not np.allclose(fitted.gain_, 1.0)


def test_it_keeps_the_contract_and_works_in_a_regressor():
    check_reservoir(plastic())
    series = np.sin(np.arange(300) / 5)[:, np.newaxis]
    model = ReservoirRegressor(plastic(), random_state=0).fit(series[:-1], series[1:])
    assert model.score(series[:-1], series[1:]) > 0.99
    assert model.generate(5).shape == (5, 1)


def test_it_agrees_with_float32():
    states = plastic().fit_transform(X[:500])
    single = plastic().fit_transform(X[:500].astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, states, atol=1e-4)


def test_large_inputs_are_adapted_to_as_well():
    states = plastic(learning_rate=1e-3, n_epochs=20).fit_transform(300 * X)[200:]
    np.testing.assert_allclose(states.std(axis=0), 0.2, atol=0.05)


def test_large_steps_say_how_to_mend_them():
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        plastic(learning_rate=1.0, std=0.05).fit(X)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: plastic(mean=1.0), ValueError, "mean must be"),
        (lambda: plastic("sigmoid", mean=0.0), ValueError, "mean must be"),
        (lambda: plastic(std=0.0), ValueError, "std must be"),
        (lambda: plastic(learning_rate=0), ValueError, "learning_rate must be"),
        (lambda: plastic(n_epochs=0), ValueError, "n_epochs must be"),
        (lambda: plastic("relu"), ValueError, "activation of reservoir must be one of"),
        (lambda: IntrinsicPlasticityReservoir(NVAR()), TypeError, "reservoir must be a Reservoir"),
        (lambda: IntrinsicPlasticityReservoir(3), TypeError, "reservoir must be a reservoir"),
    ],
    ids=["mean", "positive mean", "std", "rate", "epochs", "relu", "nvar", "number"],
)
def test_wrong_parameters_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make().fit(X[:10])


def test_feedback_is_refused():
    reservoir = IntrinsicPlasticityReservoir(Reservoir(10, random_state=0))
    with pytest.raises(ValueError, match="feedback must be False"):
        reservoir.prepare(1, 1, inputs=X)


def test_euler_is_refused():
    reservoir = Reservoir(10, update="euler", topology="antisymmetric", random_state=0)
    with pytest.raises(ValueError, match="update of reservoir"):
        IntrinsicPlasticityReservoir(reservoir).fit(X)


def test_with_auto_scaling_the_unit_and_the_mean_of_the_inputs_do_not_matter():
    auto = IntrinsicPlasticityReservoir(Reservoir(20, input_scaling="auto", random_state=0))
    states = auto.fit_transform(X[:500])
    other_units = auto.fit_transform(1e3 * X[:500] + 1e6)
    np.testing.assert_allclose(other_units, states, atol=1e-7)
    assert states[200:].std(axis=0).mean() < 0.6  # 0.97 where the units are saturated


def test_inputs_whose_squares_overflow_are_refused():
    with pytest.raises(FloatingPointError, match="squares of W_in_ .* left the range of float64"):
        plastic().fit(1e200 * X[:50])


def test_every_layer_adapts_to_the_one_before_it():
    deep = DeepReservoir(plastic(n_units=20, n_epochs=20), 2, random_state=0)
    states = deep.fit_transform(X)[200:]
    for layer, columns in zip(deep.layers_, (slice(20), slice(20, 40)), strict=True):
        np.testing.assert_allclose(states[:, columns].std(axis=0), 0.2, atol=0.06)
        assert not np.allclose(layer.gain_, 1.0)
    twin = deep.layers_[1].reservoir
    twin = IntrinsicPlasticityReservoir(twin, n_epochs=20).fit(deep.layers_[0].transform(X))
    np.testing.assert_allclose(deep.layers_[1].gain_, twin.gain_)
    with_memory = MemoryReservoir(plastic(n_units=20), 10).fit(X)
    assert not np.allclose(with_memory.layers_[1].gain_, 1.0)
