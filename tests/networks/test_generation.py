"""Closed loops of networks: rows and tokens, warm-up, states, exogenous inputs."""

import numpy as np
import pytest
from training_problems import quick, untrained

from esnkit import Forecaster, forecast
from esnkit.networks._cells import cell_choices
from esnkit.networks._rnn import RNNClassifier
from esnkit.preprocessing._tokens import TokenEncoder


@pytest.mark.parametrize("cell", cell_choices())
def test_generating_in_two_parts_equals_generating_at_once(cell):
    s = np.sin(np.arange(120) / 4)[:, None]
    model = quick(cell=cell, max_iter=5, n_layers=2).fit(s[:-1], s[1:])
    y, state = model.generate(5, warmup=s[:50], return_state=True)
    assert np.array_equal(y[0], model.predict(s[:50])[-1])
    more = model.generate(3, warmup=y[-1:], initial_state=state)
    assert np.array_equal(np.vstack([y, more]), model.generate(8, warmup=s[:50]))
    assert np.array_equal(model.generate(4), model.generate(4, warmup=s))
    rows, inputs = [], s[:50]
    for _ in range(5):
        rows.append(model.predict(inputs)[-1])
        inputs = np.vstack([inputs, rows[-1]])
    np.testing.assert_allclose(y, rows, atol=1e-12)


def test_exogenous_inputs_stand_beside_the_generated_rows():
    rng = np.random.default_rng(0)
    X, e = rng.normal(size=(60, 1)), rng.normal(size=(6, 1))
    model = quick(max_iter=2).fit(np.hstack([X, X[::-1]])[:-1], X[1:])
    warmup = np.hstack([X, X[::-1]])
    y = model.generate(6, warmup=warmup, exog=e)
    inputs = np.vstack([warmup, np.hstack([y, e])[:5]])
    np.testing.assert_allclose(model.predict(inputs)[-6:], y, atol=1e-12)
    with pytest.raises(ValueError, match=r"exog is needed: an array of shape \(6, 1\)"):
        model.generate(6, warmup=warmup)


def test_one_vector_becomes_a_sequence():
    start = np.random.default_rng(0).uniform(0.5, 1, (20, 1))
    series = start[:, None] * 0.8 ** np.arange(6)[:, None]
    model = quick(max_iter=150).fit(series[:, :-1], series[:, 1:])
    y = model.generate(5, warmup=[[0.8]])
    np.testing.assert_allclose(y[:, 0], 0.8 * 0.8 ** np.arange(1, 6), atol=0.1)


def test_a_forecaster_gives_the_rows_of_generate():
    series = np.sin(np.arange(150) / 4)
    model = Forecaster(quick(max_iter=30)).fit(series)
    assert model.forecast(10).shape == (10,)
    inner = quick(max_iter=5).fit(series[:-1, None], series[1:, None])
    out = forecast(inner, series, 7)
    assert np.array_equal(out, inner.generate(7, warmup=series[:, None])[:, 0])


def test_a_forecaster_refuses_a_bidirectional_network():
    series = np.sin(np.arange(60) / 4)
    with pytest.raises(ValueError, match="bidirectional=False"):
        Forecaster(quick(bidirectional=True)).fit(series)


@pytest.mark.parametrize("embedding_dim", [None, 4])
def test_tokens_are_read_and_sampled(embedding_dim):
    encoder = TokenEncoder().fit(["abcabcabcabc"])
    codes = encoder.transform(["abcabcabcabc", "cabcabcab"])
    model = quick(
        RNNClassifier, n_tokens=encoder.n_tokens_, embedding_dim=embedding_dim, max_iter=80
    ).fit([c[:-1] for c in codes], [c[1:, 0] for c in codes])
    assert model.score([c[:-1] for c in codes], [c[1:, 0] for c in codes]) > 0.9
    drawn = model.generate(6, warmup=codes[0], temperature=0)
    assert encoder.inverse_transform([drawn]) == ["abcabc"]
    hot = model.generate(50, warmup=codes[0], temperature=50.0, random_state=0)
    assert np.array_equal(hot, model.generate(50, codes[0], temperature=50.0, random_state=0))
    assert len(set(hot.tolist())) == 3
    part, state = model.generate(2, warmup=codes[0], temperature=0, return_state=True)
    rest = model.generate(4, warmup=part[-1:, None], initial_state=state, temperature=0)
    assert np.array_equal(np.concatenate([part, rest]), drawn)
    with pytest.raises(ValueError, match=r"X contains the token 9 in row 0, expected integers in"):
        model.predict(np.array([[9]]))


def test_a_sequence_is_generated_from_a_state_alone():
    vectors = np.random.default_rng(0).uniform(-1, 1, (20, 8))
    waves = np.cumsum(vectors[:, :1, None] * np.ones((20, 6, 1)), axis=1)
    before = np.concatenate([np.zeros((20, 1, 1)), waves[:, :-1]], axis=1)
    model = quick(cell="rnn", max_iter=5).fit(before, waves, initial_state=vectors)
    alone, state = model.generate(4, initial_state=vectors[0], return_state=True)
    stepper = model.stream(vectors[0])
    expected = [model._theta[-1] + vectors[0] @ model.get_weights()["W_out"][0]]
    for _ in range(3):
        expected.append(stepper.step([expected[-1]])[0])
    np.testing.assert_allclose(alone[:, 0], expected, rtol=1e-12)
    assert np.array_equal(state, stepper.state) or np.allclose(state, stepper.state, rtol=1e-12)
    part = model.generate(3, initial_state=([1], [0.5]))
    full = np.zeros(8)
    full[1] = 0.5
    assert np.array_equal(part, model.generate(3, initial_state=full))


def test_counts_are_forecast_as_the_numbers_they_are():
    counts = np.array([112, 118, 132, 129, 121, 135, 148, 148, 136, 119])[:, None]
    model = untrained(counts[:-1], counts[1:])
    assert np.array_equal(model.generate(3), model.generate(3, warmup=counts))
    tokens = untrained(counts[:-1], counts[1:], n_tokens=200)
    with pytest.raises(ValueError, match="generate feeds 1 outputs back into 1 features of tokens"):
        tokens.generate(3)


def test_sampled_tokens_are_a_warm_up():
    codes = np.array([0, 1, 2] * 4)
    model = untrained(codes[:-1, None], codes[1:], estimator=RNNClassifier)
    drawn = model.generate(5, warmup=codes[:4, None], random_state=0)
    again = model.generate(5, warmup=drawn, random_state=1)
    assert np.array_equal(model.generate(5, warmup=drawn[:, None], random_state=1), again)


@pytest.mark.parametrize("kind", [float, bool, np.int8])
def test_labels_may_be_tokens_of_another_type(kind):
    tokens = np.array([0, 1] * 6)
    model = RNNClassifier(8, max_iter=1, random_state=0).fit(tokens[:-1, None], tokens[1:])
    other = RNNClassifier(8, max_iter=1, random_state=0)
    drawn = other.fit(tokens[:-1, None], tokens[1:].astype(kind)).generate(3, temperature=0)
    assert np.array_equal(drawn, model.generate(3, temperature=0))


def test_a_temperature_divides_the_outputs():
    codes = np.array([0, 1] * 6)
    model = untrained(codes[:-1, None], codes[1:], estimator=RNNClassifier)
    model.set_weights({"W_out": np.zeros((2, 8)), "b_out": np.log([1.0, 9.0])})
    for temperature, share in ((1.0, 0.9), (2.0, 0.75), (0.5, 81 / 82)):
        drawn = model.generate(4000, codes[:1], temperature=temperature, random_state=0)
        assert drawn.mean() == pytest.approx(share, abs=0.02)
