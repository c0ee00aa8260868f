"""An encoder and a decoder with attention, as plain functions of one flat vector ``theta``.

    encoder   h_1 .. h_S = layers(x_1 .. x_S)
    decoder   g_0 = tanh(B h_last + b),   g_1 .. g_T = layers(end, y_1 .. y_(T-1))
    attention a_t = softmax over s of g_t . (W_a h_s),   g_t <- tanh(W_c [sum_s a_ts h_s; g_t])
    output    p(y_t) = softmax(W g_t + b)

Attention is Luong's global attention with the general score (Luong, Pham & Manning 2015). It does
not feed back into the decoder, so both recurrences run in the kernels (`_bptt.py`), and attention
is products of padded blocks. ``end`` is the token after the last symbol, and the first input of the
decoder.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._batch import Batch, InitialState, make_batch
from esnkit.networks._bptt import Tape, run, run_backward
from esnkit.networks._initializers import glorot, initial_theta
from esnkit.networks._losses import LOSSES, Loss, log_softmax
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._pooling import pool_rows, pool_rows_backward
from esnkit.networks._spec import Spec, consecutive_slices, n_parameters, weight_decay_mask
from esnkit.networks._weights import HEAD, join_weights, split_weights
from esnkit.utils._plain_state import plain_record

__all__ = [
    "PairBatch",
    "PairSpec",
    "decode",
    "initial_pair_theta",
    "join_pair_weights",
    "make_pair_batch",
    "pair_gradient",
    "pair_loss",
    "pair_slices",
    "pair_views",
    "pair_weight_decay_mask",
    "run_pair",
    "run_pair_backward",
    "split_pair_weights",
]

NETWORKS = ("encoder", "decoder")
# Sequences that are decoded, or evaluated without training, at a time.
EVALUATION_BATCH_SIZE = 256
_ALL = np.array(True)  # an InitialState of all units

Views = dict[str, np.ndarray]


@plain_record
class PairSpec(NamedTuple):
    """Architecture of an encoder and a decoder, two networks without heads."""

    encoder: Spec
    decoder: Spec  # its inputs are symbols and `end`, as tokens
    attention: bool

    @property
    def end(self) -> int:
        """The token that ends a sequence of symbols."""
        return self.decoder.n_features - 1


class PairBatch(NamedTuple):
    """Input sequences and target sequences."""

    source: SequenceBatch
    # Inputs are `end`, then the symbols; Y (n_target_rows, 1) is the symbols, then `end`.
    target: SequenceBatch

    @property
    def lengths(self) -> np.ndarray:
        """Number of time steps of every input sequence."""
        return self.source.lengths

    def subset(self, chosen: np.ndarray) -> "PairBatch":
        """Return some of the pairs of sequences."""
        return PairBatch(self.source.subset(chosen), self.target.subset(chosen))


class Block(NamedTuple):
    """Rows of ragged sequences in one padded array."""

    values: np.ndarray  # (n_sequences, longest, n_columns), zero where there is padding
    mask: np.ndarray  # (n_sequences, longest) bool, False where there is padding


class Attention(NamedTuple):
    """Tape of the attention."""

    queries: Block
    weights: np.ndarray  # (n_sequences, longest target, longest source)
    mixed: np.ndarray  # (n_target_rows, n_source_units + n_units)
    out: np.ndarray  # (n_target_rows, n_units)


class Encoded(NamedTuple):
    """Tape of the encoder."""

    states: np.ndarray  # (n_source_rows, n_source_units)
    last: np.ndarray  # (n_sequences, n_source_units)
    start: np.ndarray  # (n_sequences, n_state) of the decoder
    batch: Batch
    tape: Tape


class PairTape(NamedTuple):
    """What the backward pass needs of a forward pass."""

    source: Encoded
    keys: Block
    states: np.ndarray  # (n_target_rows, n_units) of the decoder
    batch: Batch
    tape: Tape
    attention: Attention | None


def make_pair_batch(
    source: SequenceBatch, codes: np.ndarray, lengths: np.ndarray, end: int
) -> PairBatch:
    """Put ``end`` before the codes of every target for the inputs, and behind them for Y."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    Y = np.insert(codes, offsets[1:], end)
    inputs = np.insert(codes, offsets[:-1], end)
    target = SequenceBatch(inputs, offsets + np.arange(len(offsets)), Y[:, None], True)
    return PairBatch(source, target)


@lru_cache(maxsize=64)
def pair_slices(pair: PairSpec) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return slice and shape of every named array in ``theta``, in order."""
    encoder, decoder = pair.encoder, pair.decoder
    n, n_source = decoder.n_units, encoder.n_outputs
    shapes: dict[str, tuple[int, ...]] = {
        "encoder": (n_parameters(encoder),),
        "decoder": (n_parameters(decoder),),
        "bridge_W": (decoder.n_state, n_source),
        "bridge_b": (decoder.n_state,),
    }
    if pair.attention:
        shapes |= {"score_W": (n, n_source), "mix_W": (n, n_source + n)}
    shapes |= {"head_W": (pair.end + 1, n), "head_b": (pair.end + 1,)}
    return consecutive_slices(shapes)


def pair_views(pair: PairSpec, theta: np.ndarray) -> Views:
    """Return the named arrays in ``theta`` as views: writing to them changes it."""
    return {name: theta[at].reshape(shape) for name, (at, shape) in pair_slices(pair).items()}


@lru_cache(maxsize=8)
def pair_weight_decay_mask(pair: PairSpec) -> np.ndarray:
    """Return a mask of the entries of ``theta`` that the L2 penalty covers: no biases."""
    mask = np.ones(max(at.stop for at, _ in pair_slices(pair).values()), dtype=bool)
    views = pair_views(pair, mask)
    views["encoder"][:] = weight_decay_mask(pair.encoder)
    views["decoder"][:] = weight_decay_mask(pair.decoder)
    views["bridge_b"][:] = views["head_b"][:] = False
    return mask


def initial_pair_theta(
    pair: PairSpec, rng: np.random.Generator, init: str, longest: int, dtype: Any = np.float64
) -> np.ndarray:
    """Draw the initial parameters: of the networks by ``init``, of all others Glorot-uniform."""
    theta = np.zeros(len(pair_weight_decay_mask(pair)))
    for name, view in pair_views(pair, theta).items():
        if name in NETWORKS:
            view[:] = initial_theta(getattr(pair, name), rng, init, longest=longest)
        elif view.ndim == 2:
            view[:] = glorot(rng, *view.shape)
    return theta.astype(dtype)


def split_pair_weights(pair: PairSpec, theta: np.ndarray) -> Views:
    """Return copies of all arrays in ``theta`` by name."""
    named: Views = {}
    for name, view in pair_views(pair, theta).items():
        if name in NETWORKS:
            weights = split_weights(getattr(pair, name), view)
            named |= {f"{name}_{key}": value for key, value in weights.items()}
        else:
            named[HEAD.get(name, name)] = view.copy()
    return named


def join_pair_weights(pair: PairSpec, named: Views, theta: np.ndarray) -> None:
    """Write the arrays that :func:`split_pair_weights` returns into ``theta``."""
    for name, view in pair_views(pair, theta).items():
        if name in NETWORKS:
            prefix = f"{name}_"
            weights = {k.removeprefix(prefix): v for k, v in named.items() if k.startswith(prefix)}
            join_weights(getattr(pair, name), weights, view)
        else:
            view[:] = named[HEAD.get(name, name)]


def run_pair(pair: PairSpec, theta: np.ndarray, batch: PairBatch) -> tuple[np.ndarray, PairTape]:
    """Run forward; the inputs of the decoder are the true symbols (teacher forcing).

    Returns
    -------
    outputs : ndarray of shape (n_target_rows, n_symbols + 1)
        Before the softmax.
    tape : PairTape
    """
    p, target = pair_views(pair, theta), batch.target
    source = _encode(pair, p, batch.source)
    start = InitialState(source.start, _ALL)
    target_batch = make_batch(target.inputs, target.offsets, start)
    states, tape = run(pair.decoder, p["decoder"], target_batch)
    keys = _pad(source.states, batch.source.offsets)
    attention = _attend(p, states, target.offsets, keys) if pair.attention else None
    outputs = _apply_head(p, states if attention is None else attention.out)
    return outputs, PairTape(source, keys, states, target_batch, tape, attention)


def _encode(pair: PairSpec, p: Views, source: SequenceBatch) -> Encoded:
    """Run the encoder, and map its last states to the initial states of the decoder."""
    batch = make_batch(source.inputs, source.offsets)
    states, tape = run(pair.encoder, p["encoder"], batch)
    last = pool_rows(states, source.offsets, "last", pair.encoder.n_units)
    return Encoded(states, last, np.tanh(last @ p["bridge_W"].T + p["bridge_b"]), batch, tape)


def _apply_head(p: Views, states: np.ndarray) -> np.ndarray:
    return states @ p["head_W"].T + p["head_b"]


def run_pair_backward(
    pair: PairSpec, theta: np.ndarray, tape: PairTape, d_outputs: np.ndarray
) -> np.ndarray:
    """Turn the gradient of the outputs into that of the parameters."""
    p, gradient = pair_views(pair, theta), np.zeros_like(theta)
    d, source, attention = pair_views(pair, gradient), tape.source, tape.attention
    d["head_W"] += d_outputs.T @ (tape.states if attention is None else attention.out)
    d["head_b"] += d_outputs.sum(axis=0)
    d_states = d_outputs @ p["head_W"]
    d_encoded = np.zeros_like(source.states)
    if attention is not None:
        d_states, d_encoded = _attend_backward(p, d, tape.states, tape.keys, attention, d_states)
    d_start = np.empty_like(source.start)
    d["decoder"][:] = run_backward(pair.decoder, tape.tape, d_states, d_initial_state=d_start)
    d_start *= 1 - source.start**2
    d["bridge_W"] += d_start.T @ source.last
    d["bridge_b"] += d_start.sum(axis=0)
    d_last = d_start @ p["bridge_W"]
    d_encoded += pool_rows_backward(d_last, source.batch.offsets, "last", pair.encoder.n_units)
    d["encoder"][:] = run_backward(pair.encoder, source.tape, d_encoded)
    return gradient


def _pad(rows: np.ndarray, offsets: np.ndarray) -> Block:
    lengths = np.diff(offsets)
    mask = np.arange(lengths.max()) < lengths[:, None]
    values = np.zeros((*mask.shape, rows.shape[1]), rows.dtype)
    values[mask] = rows
    return Block(values, mask)


def _attend(p: Views, states: np.ndarray, offsets: np.ndarray, keys: Block) -> Attention:
    """Mix every state of the decoder with a weighted mean of the states of the encoder."""
    queries = _pad(states @ p["score_W"], offsets)
    scores = queries.values @ keys.values.transpose(0, 2, 1)
    weights = np.exp(log_softmax(np.where(keys.mask[:, None], scores, -np.inf)))
    context = (weights @ keys.values)[queries.mask]
    mixed = np.concatenate([context, states], axis=1)
    return Attention(queries, weights, mixed, np.tanh(mixed @ p["mix_W"].T))


def _attend_backward(
    p: Views, d: Views, states: np.ndarray, keys: Block, attention: Attention, d_out: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of the states of the decoder and of the encoder."""
    queries, weights, mixed, out = attention
    d_inner = d_out * (1 - out**2)
    d["mix_W"] += d_inner.T @ mixed
    d_mixed = d_inner @ p["mix_W"]
    n_source = keys.values.shape[2]
    d_context = np.zeros_like(queries.values)
    d_context[queries.mask] = d_mixed[:, :n_source]
    d_weights = d_context @ keys.values.transpose(0, 2, 1)
    d_scores = weights * (d_weights - np.sum(weights * d_weights, axis=2, keepdims=True))
    d_keys = weights.transpose(0, 2, 1) @ d_context
    d_keys += d_scores.transpose(0, 2, 1) @ queries.values
    d_queries = (d_scores @ keys.values)[queries.mask]
    d["score_W"] += states.T @ d_queries
    return d_mixed[:, n_source:] + d_queries @ p["score_W"].T, d_keys[keys.mask]


def pair_gradient(
    pair: PairSpec, theta: np.ndarray, batch: PairBatch, alpha: float = 0.0
) -> tuple[float, np.ndarray, float]:
    """Return the mean loss per symbol, its gradient, and the number of symbols with the ends."""
    outputs, tape = run_pair(pair, theta, batch)
    value, d_outputs, total = _symbol_loss(outputs, batch)
    gradient = run_pair_backward(pair, theta, tape, d_outputs)
    if alpha:
        added, slope = _penalty(pair, theta, alpha, len(outputs))
        value, gradient = value + added, gradient + slope
    return value, gradient, total


def pair_loss(pair: PairSpec, theta: np.ndarray, batch: PairBatch, alpha: float = 0.0) -> float:
    """Return the mean loss per symbol over all pairs of sequences."""
    value, total, n = 0.0, len(batch.target.Y), len(batch.lengths)
    for first in range(0, n, EVALUATION_BATCH_SIZE):
        group = batch.subset(np.arange(first, min(first + EVALUATION_BATCH_SIZE, n)))
        outputs, _ = run_pair(pair, theta, group)
        value += _symbol_loss(outputs, group).value * len(outputs) / total
    return value + _penalty(pair, theta, alpha, total)[0]


def _symbol_loss(outputs: np.ndarray, batch: PairBatch) -> Loss:
    indicators = np.zeros_like(outputs)
    np.put_along_axis(indicators, batch.target.Y, 1.0, axis=1)
    return LOSSES["softmax"][0](outputs, indicators, None)


def _penalty(
    pair: PairSpec, theta: np.ndarray, alpha: float, n_targets: int
) -> tuple[float, np.ndarray]:
    slope = (alpha / n_targets) * np.where(pair_weight_decay_mask(pair), theta, 0)
    return 0.5 * float(np.vdot(slope, theta)), slope.astype(theta.dtype, copy=False)


def decode(
    pair: PairSpec, theta: np.ndarray, source: SequenceBatch, max_length: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Decode every sequence greedily: the most likely symbol is the next input, until `end`.

    Yields
    ------
    codes : ndarray of shape (n_decoded,), int64
    weights : ndarray of shape (n_decoded, n_timesteps)
        The attention for every symbol; zeros without attention.
    """
    n = len(source.lengths)
    for first in range(0, n, EVALUATION_BATCH_SIZE):
        group = source.subset(np.arange(first, min(first + EVALUATION_BATCH_SIZE, n)))
        codes, weights = _decode_batch(pair, theta, group, max_length)
        n_decoded = np.count_nonzero(codes != pair.end, axis=1)
        for i, (length, n_timesteps) in enumerate(zip(n_decoded, group.lengths, strict=True)):
            yield codes[i, :length], weights[i, :length, :n_timesteps]


def _decode_batch(
    pair: PairSpec, theta: np.ndarray, source: SequenceBatch, max_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes (n_sequences, max_length), filled up with `end`, and the attention weights."""
    p = pair_views(pair, theta)
    encoded = _encode(pair, p, source)
    keys, state = _pad(encoded.states, source.offsets), encoded.start
    n = len(source.lengths)
    codes = np.full((n, max_length), pair.end)
    weights = np.zeros((n, max_length, keys.mask.shape[1]), theta.dtype)
    running, latest = np.arange(n), np.full(n, pair.end)
    for step in range(max_length):
        offsets = np.arange(len(running) + 1)
        start = InitialState(state, _ALL)
        states, tape = run(pair.decoder, p["decoder"], make_batch(latest, offsets, start))
        if pair.attention:
            block = Block(keys.values[running], keys.mask[running])
            attention = _attend(p, states, offsets, block)
            weights[running, step], states = attention.weights[:, 0], attention.out
        latest = _apply_head(p, states).argmax(axis=1)
        codes[running, step] = latest
        continues = latest != pair.end
        running, latest, state = running[continues], latest[continues], tape.state[continues]
        if not running.size:
            break
    return codes, weights
