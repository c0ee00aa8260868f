"""The encoder-decoder: gradients, penalty, and decoding against a slow twin."""

import numpy as np
import pytest
from gradients import slope
from network_problems import free_parameters
from reference import cell_step
from seq2seq_problems import quick, reversed_words, words

from esnkit.networks._cells import cell_choices, find_cell
from esnkit.networks._eigenvalues import eigenvalues
from esnkit.networks._encoder_decoder import (
    PairSpec,
    initial_pair_theta,
    make_pair_batch,
    pair_gradient,
    pair_loss,
    pair_views,
    pair_weight_decay_mask,
)
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._spec import Spec, parameter_views

LENGTHS, N_SYMBOLS = np.array([4, 1, 6, 3]), np.array([2, 5, 0, 3])


def make_pair(cell="lstm", both=False, attention=True, dim=0, n_layers=1, tokens=True):
    width = 8 if both else 4
    encoder = Spec(
        cell, 4, 3, width, n_layers, both, tokens=tokens, embedding_dim=dim * tokens, head=False
    )
    decoder = Spec(cell, 4, 6, 4, n_layers, tokens=True, embedding_dim=dim, head=False)
    return PairSpec(encoder, decoder, attention)


def ragged_pairs(pair):
    rng = np.random.default_rng(1)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    inputs = rng.normal(size=(offsets[-1], 3))
    if pair.encoder.tokens:
        inputs = rng.integers(0, 3, offsets[-1])
    source = SequenceBatch(inputs, offsets, np.empty((len(inputs), 0)), True)
    return make_pair_batch(source, rng.integers(0, pair.end, N_SYMBOLS.sum()), N_SYMBOLS, pair.end)


def random_theta(pair):
    """Return parameters, and which of them are used: a GRU has blocks that are zero for good."""
    free = np.ones(pair_weight_decay_mask(pair).size, dtype=bool)
    parts = pair_views(pair, free)
    parts["encoder"][:] = free_parameters(pair.encoder)
    parts["decoder"][:] = free_parameters(pair.decoder)
    return np.random.default_rng(0).normal(size=free.size) * free, free


def check_gradient(pair, alpha=0.0):
    pairs, (theta, free) = ragged_pairs(pair), random_theta(pair)
    value, gradient, total = pair_gradient(pair, theta, pairs, alpha)
    assert total == N_SYMBOLS.sum() + N_SYMBOLS.size
    np.testing.assert_allclose(pair_loss(pair, theta, pairs, alpha), value, rtol=1e-12)
    assert not gradient[~free].any()
    rng = np.random.default_rng(1)
    for name, part in pair_views(pair, gradient).items():
        scale = np.abs(part).max()
        assert scale > 0, f"nothing reaches {name}"
        for values in rng.normal(size=(3, *part.shape)):
            direction = np.zeros(theta.size)
            pair_views(pair, direction)[name][:] = values
            direction *= free / np.linalg.norm(direction)
            error = slope(lambda: pair_loss(pair, theta, pairs, alpha), theta, direction)
            error -= gradient @ direction
            assert abs(error) < 1e-6 * max(scale, 1e-4), name


@pytest.mark.parametrize("cell", [find_cell(cell) for cell in cell_choices()])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("dim", [0, 2])
def test_gradient_is_that_of_the_loss(cell, both, attention, dim):
    check_gradient(make_pair(cell, both, attention, dim))


def test_gradient_of_two_layers_with_penalty_and_numbers():
    check_gradient(make_pair(both=True, n_layers=2, tokens=False), alpha=0.7)


def test_the_penalty_is_half_the_squared_weights_over_the_number_of_tokens():
    pair = make_pair()
    pairs, (theta, _) = ragged_pairs(pair), random_theta(pair)
    added = pair_loss(pair, theta, pairs, alpha=0.7) - pair_loss(pair, theta, pairs)
    weights = theta[pair_weight_decay_mask(pair)]
    np.testing.assert_allclose(added, 0.35 * np.sum(weights**2) / len(pairs.target.Y))


def test_biases_are_not_penalised():
    pair = make_pair(both=True)
    parts = pair_views(pair, pair_weight_decay_mask(pair))
    free = [name for name, part in parts.items() if not part.all()]
    assert free == ["encoder", "decoder", "bridge_b", "head_b"]
    assert not parts["bridge_b"].any() and not parts["head_b"].any()
    assert not parameter_views(pair.encoder, parts["encoder"])["M_0_reverse"][:, -1].any()


def test_the_loss_does_not_depend_on_the_evaluation_batch_size(monkeypatch):
    pair = make_pair()
    pairs, (theta, _) = ragged_pairs(pair), random_theta(pair)
    whole = pair_loss(pair, theta, pairs)
    monkeypatch.setattr("esnkit.networks._encoder_decoder.EVALUATION_BATCH_SIZE", 3)
    np.testing.assert_allclose(pair_loss(pair, theta, pairs), whole, rtol=1e-12)


def test_init_applies_to_the_recurrent_weights_of_both_networks():
    pair = make_pair("tanh", both=True)
    theta = initial_pair_theta(pair, np.random.default_rng(0), "identity", 10)
    for name, spec in (("encoder", pair.encoder), ("decoder", pair.decoder)):
        M = parameter_views(spec, pair_views(pair, theta)[name])["M_0"]
        assert np.array_equal(M[:, -5:-1], np.eye(4))


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def E_of(p, name):
    """Return the eigenvalues of a layer, if it has some, given the name of its weights."""
    exponents = p.get(name.replace("M_", "exponents_"))
    return None if exponents is None else eigenvalues(exponents)


def encoder_states(spec, theta, x):
    """Return the states of the last layer (n_timesteps, n_units), both directions side by side."""
    p, n = parameter_views(spec, theta), spec.n_units
    rows = p["embedding"][x] if spec.embedding_dim else np.eye(spec.n_features)[x]
    for layer in range(spec.n_layers):
        parts = []
        for name, order in ((f"M_{layer}", 1), (f"M_{layer}_reverse", -1)):
            if name in p:
                h, c, found = np.zeros(n), np.zeros(n), []
                for row in rows[::order]:
                    h, c = cell_step(NAMES[spec.cell], p[name], row, h, c, E=E_of(p, name))
                    found.append(h)
                parts.append(found[::order])
        rows = np.concatenate(parts, axis=1)
    return rows


NAMES = {find_cell(cell): cell for cell in cell_choices()}  # of the slow twin


def decoded(pair, theta, x, max_length):
    """Decode one sequence, step by step; return codes and attention."""
    p, spec = pair_views(pair, theta), pair.decoder
    d, n = parameter_views(spec, p["decoder"]), spec.n_units
    H = encoder_states(pair.encoder, p["encoder"], x)
    last = np.concatenate([H[-1, :n], H[0, n:]])
    state = np.tanh(p["bridge_W"] @ last + p["bridge_b"]).reshape(-1, n)
    hs, cs = state[: spec.n_layers], np.resize(state[spec.n_layers :], (spec.n_layers, n))
    latest, codes, attention = pair.end, [], []
    while len(codes) < max_length:
        row = d["embedding"][latest] if spec.embedding_dim else np.eye(spec.n_features)[latest]
        for k in range(spec.n_layers):
            name, cell = f"M_{k}", NAMES[spec.cell]
            hs[k], cs[k] = cell_step(cell, d[name], row, hs[k], cs[k], E=E_of(d, name))
            row = hs[k]
        weights = np.zeros(len(H))
        if pair.attention:
            weights = softmax(H @ (p["score_W"].T @ row))
            row = np.tanh(p["mix_W"] @ np.concatenate([weights @ H, row]))
        latest = np.argmax(p["head_W"] @ row + p["head_b"])
        if latest == pair.end:
            break
        codes.append(latest)
        attention.append(weights)
    return np.array(codes, dtype=int), np.array(attention).reshape(-1, len(H))


@pytest.mark.parametrize("cell", cell_choices())
@pytest.mark.parametrize(
    "params",
    [
        {"bidirectional": True, "embedding_dim": 3},
        {"n_layers": 2},
        {"attention": False},
    ],
)
def test_predictions_are_those_of_the_slow_twin(cell, params):
    X, y = reversed_words()
    model = quick(cell=cell, learning_rate_init=0.1, max_iter=10, **params).fit(X, y)
    fresh = words(15, seed=1)
    predictions = model.predict(fresh)
    assert len({codes.size for codes in predictions}) > 1 and {a.size for a in predictions} - {0, 8}
    for i, x in enumerate(fresh):
        codes, attention = decoded(model._pair, model._theta, x, 8)
        assert np.array_equal(predictions[i], model.classes_[codes])
        if model.attention:
            np.testing.assert_allclose(model.attention_weights([x])[0], attention, atol=1e-12)
