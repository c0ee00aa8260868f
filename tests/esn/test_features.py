"""Features of the readout: states of every step, or pooled over a sequence."""

import numpy as np
import pytest
from esn_models import both, coefficients, features, regressor, slow_answer
from reference import pooled
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from esnkit import Reservoir
from esnkit.esn import _features
from esnkit.pooling import ModelSpace
from esnkit.pooling import _base as pooling_base


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_pooled_targets_against_the_reference_for_short_and_long_sequences(pooling, rng):
    # Longer than a block of 2048 rows, exactly as long, two blocks, and short ones between.
    lengths = [3, 5000, 1, 2048, 2049, 40, 4096, 2, 2047]
    sequences = [rng.normal(size=(n, 2)) for n in lengths]
    y = rng.normal(size=(len(lengths), 3))
    model = regressor(5, target="sequence", pooling=pooling).fit(sequences, y)
    wanted = slow_answer(model, sequences, y, pooling=pooling)
    np.testing.assert_allclose(model.predict(sequences), wanted, rtol=0, atol=1e-9)
    for X, answer in zip(sequences, model.predict(sequences), strict=True):
        assert np.array_equal(model.predict(X[None])[0], answer)


@pytest.mark.parametrize(
    ("washout", "lengths"), [(3, [4, 20_000, 40, 9, 8193]), (9000, [9001, 20_000, 9500])]
)
def test_the_mean_of_a_sequence_starts_after_the_washout(washout, lengths, rng):
    sequences = [rng.normal(size=(n, 2)) for n in lengths]
    y = rng.normal(size=(len(lengths), 2))
    model = regressor(5, pooling="mean", washout=washout).fit(sequences, y)
    wanted = slow_answer(model, sequences, y, pooling="mean", washout=washout)
    np.testing.assert_allclose(model.predict(sequences), wanted, rtol=0, atol=1e-9)


def test_the_last_state_does_not_know_a_washout(ragged, rng):
    y = rng.normal(size=len(ragged))
    most = min(map(len, ragged)) - 1
    with_it, without = regressor(washout=most).fit(ragged, y), regressor().fit(ragged, y)
    np.testing.assert_array_equal(with_it.predict(ragged), without.predict(ragged))


def test_a_score_leaves_out_the_washout_unless_the_state_goes_on(X, y):
    model = regressor(washout=7).fit(X, y)
    answer = model.predict(X)
    assert model.score(X, y) == pytest.approx(r2_score(y[7:], answer[7:]), rel=1e-12)
    batch, targets = X[:30].reshape(3, 10, -1), y[:30].reshape(3, 10, -1)
    rows = [part[:, 7:].reshape(9, -1) for part in (targets, model.predict(batch))]
    wanted = r2_score(*rows)
    assert model.score(batch, targets) == pytest.approx(wanted, rel=1e-12)
    state = model.last_state_
    answer = model.predict(X, initial_state=state)
    assert model.score(X, y, initial_state=state) == pytest.approx(r2_score(y, answer), rel=1e-12)
    with pytest.raises(ValueError, match="washout=7 leaves no time step"):
        model.score(X[:7], y[:7])


@both
def test_the_mean_of_a_long_sequence_keeps_its_digits(dtype, rng):
    X = rng.normal(size=(1, 20_000, 1)).astype(dtype)
    short = rng.normal(size=(6, 8, 1)).astype(dtype)
    params = {"input_scaling": 0.5, "pooling": "mean", "alpha": 1.0}
    model = regressor(5, **params).fit(short, short[:, -1])
    Z = features(model, X, "mean")
    wanted = Z @ model.readout_.coef_.T + model.readout_.intercept_
    limit = 300 * np.finfo(dtype).eps
    np.testing.assert_allclose(model.predict(X), wanted, rtol=limit, atol=limit)


@pytest.mark.parametrize("washout", [1, 7])
def test_washout_is_zeros_at_the_start_of_every_sequence(washout, ragged, X, y):
    w = np.r_[np.zeros(washout), np.ones(len(X) - washout)]
    one, other = regressor(washout=washout).fit(X, y), regressor().fit(X, y, sample_weight=w)
    assert np.array_equal(coefficients(one), coefficients(other))
    targets = [X.cumsum(axis=0) for X in ragged]
    w = [(np.arange(len(X)) >= washout) * 1.0 for X in ragged]
    one = regressor(washout=washout).fit(ragged, targets)
    other = regressor().fit(ragged, targets, sample_weight=w)
    assert np.array_equal(coefficients(one), coefficients(other))


@pytest.mark.parametrize("include_input", [True, False])
@pytest.mark.parametrize("washout", [0, 2])
def test_what_is_pooled_are_states_and_inputs_after_the_washout(washout, include_input, rng):
    X = [rng.normal(size=(n, 2)) for n in (3, 40, 5, 70, 9)]
    params = {"include_input": include_input, "washout": washout, "pooling": "statistics"}
    model = regressor(5, **params).fit(X, rng.normal(size=5))
    for x, prediction in zip(X, model.predict(X), strict=True):
        Z = model.reservoir_.transform(x)
        inputs = (x - model.reservoir_.input_mean_) / model.reservoir_.input_scale_
        rows = np.hstack([Z, inputs])[washout:] if include_input else Z[washout:]
        wanted = model.readout_.coef_ @ pooled(rows, "statistics") + model.readout_.intercept_
        np.testing.assert_allclose(prediction, wanted[0], atol=1e-10)


def half_squared(states):
    """Return [x0, x1^2, x2, x3^2, ...]."""
    return states ** (1 + np.arange(states.shape[-1]) % 2)


@pytest.mark.parametrize("pooling", ["last", "statistics"])
def test_the_squares_of_half_of_the_states_are_pooled(pooling, rng):
    X = [rng.normal(size=(n, 2)) for n in (3, 40, 5, 70, 9)]
    model = regressor(5, pooling=pooling, quadratic=True).fit(X, rng.normal(size=5))
    for x, prediction in zip(X, model.predict(X), strict=True):
        inputs = (x - model.reservoir_.input_mean_) / model.reservoir_.input_scale_
        rows = np.hstack([half_squared(model.reservoir_.transform(x)), inputs])
        row = rows[-1:] if pooling == "last" else pooled(rows, pooling)
        wanted = model.readout_.coef_ @ np.ravel(row) + model.readout_.intercept_
        np.testing.assert_allclose(prediction, wanted[0], atol=1e-10)


@both
def test_a_quadratic_readout_of_streams_and_closed_loops(dtype, wave, monkeypatch):
    wave = wave.astype(dtype)
    X, y = wave[:-1], wave[1:]
    model = regressor(quadratic=True).fit(X, y)
    Z = np.hstack([half_squared(model.reservoir_.transform(X)), X])
    ridge = Ridge(1e-3).fit(Z.astype(float), y)
    limit = 1e-9 if dtype == np.float64 else 1e-3
    np.testing.assert_allclose(model.predict(X), ridge.predict(Z), rtol=0, atol=limit)
    stream = regressor(quadratic=True).partial_fit(X[:150], y[:150]).partial_fit(X[150:], y[150:])
    np.testing.assert_allclose(stream.predict(X), model.predict(X), rtol=0, atol=limit)
    rows = model.generate(5, warmup=wave)
    monkeypatch.setattr(Reservoir, "run_closed_loop", None)  # single steps
    assert np.array_equal(model.generate(5, warmup=wave), rows)


def test_squares_beyond_the_range_are_an_error_and_no_warning(wave):
    with pytest.raises(FloatingPointError, match="squares of features, .* left the range of float"):
        regressor(quadratic=True, activation="identity").fit(1e200 * wave, wave)


def test_statistics_of_states_with_a_clamp_and_initial_state(rng):
    X, state, clamp = rng.normal(size=(6, 40, 2)), rng.normal(size=(6, 5)), ([1], [0.3])
    model = regressor(5, pooling="statistics", include_input=False).fit(X, rng.normal(size=6))
    for kept in ({}, {"clamp": clamp}):
        states = model.reservoir_.transform(X, initial_state=state, **kept)
        Z = np.array([pooled(rows, "statistics") for rows in states])
        wanted = Z @ model.readout_.coef_.T + model.readout_.intercept_
        found = model.predict(X, initial_state=state, **kept)
        np.testing.assert_allclose(found, wanted.ravel(), atol=1e-10)


@pytest.mark.parametrize("washout", [0, 2])
def test_sums_of_the_reservoir_have_the_bits_of_those_of_stored_states(washout, rng, monkeypatch):
    X = [rng.normal(2, 3, size=(n, 2)) for n in (3, 40, 5, 70, 9)]
    params = {"input_scaling": "auto", "pooling": "statistics", "washout": washout}
    model = regressor(5, **params).fit(X, rng.normal(size=5))
    at_once = model.predict(X)
    for name, value in (("MAX_SEQUENCES", 2), ("MIN_SEQUENCES", 100)):
        monkeypatch.setattr(_features, name, value)
        np.testing.assert_array_equal(model.predict(X), at_once)


def test_pooling_learns_from_states_with_clamp_noise_and_initial_state(rng):
    X, y = rng.normal(size=(4, 30, 2)), rng.normal(size=4)
    state, clamp = rng.normal(size=(4, 5)), ([1], [0.3])
    seen = []

    def spread(states):
        seen.append(states)
        return states.std(axis=0)

    model = regressor(5, noise=0.01, pooling=spread, include_input=False)
    model.fit(X, y, initial_state=state, clamp=clamp)
    noisy = model.reservoir_
    wanted = noisy._features(X, state, clamp, False, noisy.noise_stream())
    np.testing.assert_array_equal(seen[-4:], wanted)
    seen.clear()
    model.predict(X, initial_state=state, clamp=clamp)
    np.testing.assert_array_equal(seen, noisy.transform(X, initial_state=state, clamp=clamp))


def test_partial_fit_keeps_the_components_of_its_first_call(rng):
    X, y = rng.normal(size=(6, 30, 2)), rng.normal(size=6)
    model = regressor(5, pooling=ModelSpace(3)).partial_fit(X[:3], y[:3])
    first = model.pooling_.components.copy()
    once = regressor(5, pooling=ModelSpace(3)).fit(X[:3], y[:3])
    np.testing.assert_allclose(coefficients(model), coefficients(once), atol=1e-8)
    model.partial_fit(X[3:], y[3:])
    np.testing.assert_array_equal(model.pooling_.components, first)


def test_the_number_of_threads_changes_no_bit(rng, monkeypatch):
    X, y = rng.normal(size=(40, 60, 2)), rng.normal(size=40)
    for pooling in ("statistics", "pyramid", "quantiles", "model_space"):
        results = []
        for n in (1, 4):
            monkeypatch.setattr(pooling_base, "n_threads", lambda n=n: n)
            monkeypatch.setattr(pooling_base, "MIN_SHARE", 1)
            results.append(regressor(5, pooling=pooling).fit(X, y).predict(X))
        np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("pooling", ["statistics", "pyramid", "quantiles", ModelSpace(4)])
def test_a_pooled_sequence_does_not_depend_on_the_others(pooling, ragged, rng):
    ragged.insert(3, rng.normal(size=(9000, 2)))  # longer than a block
    model = regressor(5, pooling=pooling, alpha=1.0).fit(ragged, rng.normal(size=len(ragged)))
    predictions = model.predict(ragged)
    for i in (0, 1, 3, 4, 70):
        assert np.array_equal(model.predict([ragged[i]]), predictions[i : i + 1])
