"""An encoder, a decoder and attention between them, as plain functions of one flat ``theta``.

    encoder   h_1 .. h_S = layers(x_1 .. x_S)
    decoder   g_0 = tanh(B h_last + b),   g_1 .. g_T = layers(end, y_1 .. y_(T-1))
    attention a_t = softmax over s of g_t . (W_a h_s),   g_t <- tanh(W_c [sum_s a_ts h_s; g_t])
    answer    p(y_t) = softmax(W g_t + b)

The attention is Luong's general form (Luong, Pham & Manning 2015): it comes after the recurrence,
so both recurrences run through the kernels (`_bptt.py`), and the rest is products of
padded blocks. ``end`` is the code after the last symbol: it ends an answer, and starts the next.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from esnkit.networks._batch import InitialState, make_batch
from esnkit.networks._bptt import Tape, run, run_backward
from esnkit.networks._initializers import glorot, initial_theta
from esnkit.networks._losses import LOSSES, log_softmax
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._pooling import pool_rows, pool_rows_backward
from esnkit.networks._spec import Spec, consecutive_slices, n_parameters, weight_decay_mask

__all__ = [
    "Pair",
    "Pairs",
    "decode",
    "initial_pair",
    "make_pairs",
    "pair_gradient",
    "pair_slices",
    "pair_loss",
    "pair_views",
    "pair_weight_decay_mask",
    "read_pairs",
]

_ALL = np.array(True)
# Sequences that are decoded, or judged without learning, side by side.
SIDE_BY_SIDE = 256


class Pair(NamedTuple):
    """Two networks without heads, and whether the second attends to the first."""

    encoder: Spec
    decoder: Spec  # hears symbols and the end, as tokens
    attention: bool

    @property
    def end(self) -> int:
        """The code that ends a sequence of symbols."""
        return self.decoder.n_features - 1


class Pairs(NamedTuple):
    """Sequences to hear and sequences to answer."""

    source: SequenceBatch
    target: (
        SequenceBatch  # inputs: the end, then the symbols; Y (n_rows, 1): the symbols, then the end
    )

    @property
    def lengths(self) -> np.ndarray:
        """Number of time steps of every sequence to hear."""
        return self.source.lengths

    def subset(self, chosen: np.ndarray) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.source.subset(chosen), self.target.subset(chosen))


class Block(NamedTuple):
    """Rows of ragged sequences in one padded array."""

    values: np.ndarray  # (n_sequences, longest, n_columns)
    here: np.ndarray  # (n_sequences, longest) bool: where the rows are


class Attended(NamedTuple):
    """What the backward pass of attention needs."""

    queries: Block
    weights: np.ndarray  # (n_sequences, longest target, longest source)
    mixed: np.ndarray  # (n_target_rows, n_source_units + n_units)
    out: np.ndarray  # (n_target_rows, n_units)


class Reading(NamedTuple):
    """What the backward pass of a pair needs of a forward pass."""

    heard: np.ndarray  # (n_source_rows, n_source_units)
    last: np.ndarray  # (n_sequences, n_source_units)
    start: np.ndarray  # (n_sequences, n_state of the decoder)
    states: np.ndarray  # (n_target_rows, n_units)
    keys: Block
    attended: Attended | None
    source: Tape
    target: Tape


def make_pairs(source: SequenceBatch, codes: np.ndarray, lengths: np.ndarray, end: int) -> Pairs:
    """Put the end behind, or before, the codes of every target."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    Y = np.insert(codes, offsets[1:], end)
    inputs = np.insert(codes, offsets[:-1], end)
    return Pairs(source, SequenceBatch(inputs, offsets + np.arange(len(offsets)), Y[:, None], True))


@lru_cache(maxsize=64)
def pair_slices(pair: Pair) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return place and shape of every named part of ``theta``, in order."""
    encoder, decoder = pair.encoder, pair.decoder
    n, n_heard = decoder.n_units, encoder.n_outputs
    shapes: dict[str, tuple[int, ...]] = {
        "encoder": (n_parameters(encoder),),
        "decoder": (n_parameters(decoder),),
        "bridge_W": (decoder.n_state, n_heard),
        "bridge_b": (decoder.n_state,),
    }
    if pair.attention:
        shapes |= {"score_W": (n, n_heard), "mix_W": (n, n_heard + n)}
    shapes |= {"head_W": (pair.end + 1, n), "head_b": (pair.end + 1,)}
    return consecutive_slices(shapes)


def pair_views(pair: Pair, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return the named parts of ``theta``; writing to them writes to it."""
    return {name: theta[at].reshape(shape) for name, (at, shape) in pair_slices(pair).items()}


@lru_cache(maxsize=8)
def pair_weight_decay_mask(pair: Pair) -> np.ndarray:
    """Tell which entries of ``theta`` are weights and no biases."""
    weights = np.ones(max(at.stop for at, _ in pair_slices(pair).values()), dtype=bool)
    parts = pair_views(pair, weights)
    parts["encoder"][:] = weight_decay_mask(pair.encoder)
    parts["decoder"][:] = weight_decay_mask(pair.decoder)
    parts["bridge_b"][:] = parts["head_b"][:] = False
    return weights


def initial_pair(
    pair: Pair, rng: np.random.Generator, init: str, longest: int, dtype: type = np.float64
) -> np.ndarray:
    """Draw the parameters: the two networks as by themselves, all between them Glorot-uniform."""
    theta = np.zeros(len(pair_weight_decay_mask(pair)))
    for name, part in pair_views(pair, theta).items():
        if name in ("encoder", "decoder"):
            part[:] = initial_theta(getattr(pair, name), rng, init, longest=longest)
        elif part.ndim == 2:
            part[:] = glorot(rng, *part.shape)
    return theta.astype(dtype)


def read_pairs(pair: Pair, theta: np.ndarray, pairs: Pairs) -> tuple[np.ndarray, Reading]:
    """Run forward with the true symbols as inputs of the decoder.

    Returns
    -------
    outputs : ndarray of shape (n_target_rows, n_symbols + 1)
        Before the softmax.
    reading : Reading
    """
    p = pair_views(pair, theta)
    heard, last, start, source = _hear(pair, p, pairs.source)
    target = pairs.target._replace(initial_state=InitialState(start, _ALL))
    states, tape = run(pair.decoder, p["decoder"], target.batch())
    keys = _pad(heard, pairs.source.offsets)
    attended = _attend(p, states, pairs.target.offsets, keys) if pair.attention else None
    outputs = _answer(p, states if attended is None else attended.out)
    return outputs, Reading(heard, last, start, states, keys, attended, source, tape)


def _hear(pair, p, source):
    """Run the encoder; return its states, the last ones, those that the decoder starts from."""
    heard, tape = run(pair.encoder, p["encoder"], source.batch())
    last = pool_rows(heard, source.offsets, "last", pair.encoder.n_units)
    return heard, last, np.tanh(last @ p["bridge_W"].T + p["bridge_b"]), tape


def _answer(p, states):
    return states @ p["head_W"].T + p["head_b"]


def read_backward(
    pair: Pair, theta: np.ndarray, reading: Reading, d_outputs: np.ndarray
) -> np.ndarray:
    """Turn the gradient of the outputs into that of the parameters."""
    p, gradient = pair_views(pair, theta), np.zeros_like(theta)
    d, attended = pair_views(pair, gradient), reading.attended
    d["head_W"] += d_outputs.T @ (reading.states if attended is None else attended.out)
    d["head_b"] += d_outputs.sum(axis=0)
    d_states = d_outputs @ p["head_W"]
    d_heard = np.zeros_like(reading.heard)
    if attended is not None:
        d_states, d_heard = _attend_backward(p, d, reading.states, reading.keys, attended, d_states)
    d_start = np.empty_like(reading.start)
    d["decoder"][:] = run_backward(pair.decoder, reading.target, d_states, d_initial_state=d_start)
    d_start *= 1 - reading.start**2
    d["bridge_W"] += d_start.T @ reading.last
    d["bridge_b"] += d_start.sum(axis=0)
    d_last, offsets = d_start @ p["bridge_W"], reading.source.batch.offsets
    d_heard += pool_rows_backward(d_last, offsets, "last", pair.encoder.n_units)
    d["encoder"][:] = run_backward(pair.encoder, reading.source, d_heard)
    return gradient


def _pad(rows: np.ndarray, offsets: np.ndarray) -> Block:
    lengths = np.diff(offsets)
    here = np.arange(lengths.max()) < lengths[:, None]
    values = np.zeros((*here.shape, rows.shape[1]), rows.dtype)
    values[here] = rows
    return Block(values, here)


def _attend(p, states, offsets, keys):
    """Look back at the encoder from every state of the decoder."""
    queries = _pad(states @ p["score_W"], offsets)
    scores = queries.values @ keys.values.transpose(0, 2, 1)
    weights = np.exp(log_softmax(np.where(keys.here[:, None], scores, -np.inf)))
    context = (weights @ keys.values)[queries.here]
    mixed = np.concatenate([context, states], axis=1)
    return Attended(queries, weights, mixed, np.tanh(mixed @ p["mix_W"].T))


def _attend_backward(p, d, states, keys, attended, d_out):
    """Return the gradients of the states of the decoder and of the encoder."""
    queries, weights, mixed, out = attended
    d_inner = d_out * (1 - out**2)
    d["mix_W"] += d_inner.T @ mixed
    d_mixed = d_inner @ p["mix_W"]
    n_heard = keys.values.shape[2]
    d_context = np.zeros_like(queries.values)
    d_context[queries.here] = d_mixed[:, :n_heard]
    d_weights = d_context @ keys.values.transpose(0, 2, 1)
    d_scores = weights * (d_weights - np.sum(weights * d_weights, axis=2, keepdims=True))
    d_keys = weights.transpose(0, 2, 1) @ d_context
    d_keys += d_scores.transpose(0, 2, 1) @ queries.values
    d_queries = (d_scores @ keys.values)[queries.here]
    d["score_W"] += states.T @ d_queries
    return d_mixed[:, n_heard:] + d_queries @ p["score_W"].T, d_keys[keys.here]


def pair_gradient(
    pair: Pair, theta: np.ndarray, pairs: Pairs, alpha: float = 0.0
) -> tuple[float, np.ndarray, float]:
    """Return the mean loss of a symbol, its gradient, and the number of symbols (ends too)."""
    outputs, reading = read_pairs(pair, theta, pairs)
    value, d_outputs, total = _symbol_loss(outputs, pairs)
    gradient = read_backward(pair, theta, reading, d_outputs)
    if alpha:
        added, slope = _penalty(pair, theta, alpha, len(outputs))
        value, gradient = value + added, gradient + slope
    return value, gradient, total


def pair_loss(pair: Pair, theta: np.ndarray, pairs: Pairs, alpha: float = 0.0) -> float:
    """Return the mean loss of a symbol over all pairs."""
    value, total, n = 0.0, len(pairs.target.Y), len(pairs.lengths)
    for first in range(0, n, SIDE_BY_SIDE):
        part = pairs.subset(np.arange(first, min(first + SIDE_BY_SIDE, n)))
        outputs, _ = read_pairs(pair, theta, part)
        value += _symbol_loss(outputs, part).value * len(outputs) / total
    return value + _penalty(pair, theta, alpha, total)[0]


def _symbol_loss(outputs, pairs):
    indicators = np.zeros_like(outputs)
    np.put_along_axis(indicators, pairs.target.Y, 1.0, axis=1)
    return LOSSES["softmax"][0](outputs, indicators, None)


def _penalty(pair, theta, alpha, n_targets):
    slope = (alpha / n_targets) * np.where(pair_weight_decay_mask(pair), theta, 0)
    return 0.5 * float(np.vdot(slope, theta)), slope.astype(theta.dtype, copy=False)


def decode(
    pair: Pair, theta: np.ndarray, source: SequenceBatch, max_length: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Answer every sequence, always with the likeliest symbol, until that is the end.

    Yields
    ------
    codes : ndarray of shape (n_answered,), int64
    weights : ndarray of shape (n_answered, n_timesteps)
        Where the attention was for every symbol, zeros where there is none.
    """
    n = len(source.lengths)
    for first in range(0, n, SIDE_BY_SIDE):
        part = source.subset(np.arange(first, min(first + SIDE_BY_SIDE, n)))
        codes, looks = _decode_together(pair, theta, part, max_length)
        n_answered = np.count_nonzero(codes != pair.end, axis=1)
        for i, (length, n_heard) in enumerate(zip(n_answered, part.lengths, strict=True)):
            yield codes[i, :length], looks[i, :length, :n_heard]


def _decode_together(pair, theta, source, max_length):
    """Return codes (n_sequences, max_length), ends behind the answers, and the attention."""
    p = pair_views(pair, theta)
    heard, _, state, _ = _hear(pair, p, source)
    keys = _pad(heard, source.offsets)
    n = len(source.lengths)
    codes = np.full((n, max_length), pair.end)
    looks = np.zeros((n, max_length, keys.here.shape[1]), theta.dtype)
    running, latest = np.arange(n), np.full(n, pair.end)
    for step in range(max_length):
        each = np.arange(len(running) + 1)
        batch = make_batch(latest, each, InitialState(state, _ALL))
        states, tape = run(pair.decoder, p["decoder"], batch)
        if pair.attention:
            attended = _attend(p, states, each, Block(keys.values[running], keys.here[running]))
            looks[running, step], states = attended.weights[:, 0], attended.out
        latest = _answer(p, states).argmax(axis=1)
        codes[running, step] = latest
        goes_on = latest != pair.end
        running, latest, state = running[goes_on], latest[goes_on], tape.state[goes_on]
        if not running.size:
            break
    return codes, looks
