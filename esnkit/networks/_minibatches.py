"""Packed sequences with targets: mini-batches, chunks of time, and the outputs of a network."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from esnkit.networks._batch import Batch, InitialState, make_batch
from esnkit.networks._bptt import run
from esnkit.networks._spec import Spec
from esnkit.sequences._initial_state import Clamp

__all__ = ["SequenceBatch", "cut_batches", "evaluate", "tbptt_chunks"]

# So many batches of sequences are sorted by length before they are cut apart.
BATCHES_PER_POOL = 20
# Sequences and time steps of one forward pass where nothing is learned.
EVALUATED_SEQUENCES, EVALUATED_STEPS = 64, 1024


class SequenceBatch(NamedTuple):
    """Packed sequences with their targets, sample weights, initial states and clamps."""

    inputs: np.ndarray  # (n_rows, n_features), or tokens (n_rows,)
    offsets: np.ndarray  # (n_sequences + 1,)
    Y: np.ndarray  # (n_rows or n_sequences, n_outputs)
    per_step: bool  # whether Y has a row for every time step
    weights: np.ndarray | None = None  # of the rows of Y, see esnkit.networks._losses
    initial_state: InitialState | None = None
    clamp: Clamp | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Number of time steps of every sequence."""
        return np.diff(self.offsets)

    def batch(self) -> Batch:
        """Lay the sequences out for the kernels."""
        return make_batch(self.inputs, self.offsets, self.initial_state, self.clamp)

    def subset(
        self, chosen: np.ndarray, first: int = 0, last: int | np.ndarray | None = None
    ) -> "SequenceBatch":
        """Return some of the sequences, of each the time steps from first to before last.

        ``last`` is a number, or one for each of the chosen sequences.
        """
        rows, offsets = self.rows_of(chosen, first, last)
        targets = rows if self.per_step else chosen
        weights, state, clamp = self.weights, self.initial_state, self.clamp
        return SequenceBatch(
            self.inputs[rows],
            offsets,
            self.Y[targets],
            self.per_step,
            None if weights is None else weights[targets],
            None if state is None else InitialState(state.values[chosen], state.given),
            None if clamp is None else Clamp(clamp.units, clamp.values[rows]),
        )

    def rows_of(
        self, chosen: np.ndarray, first: int = 0, last: int | np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that `subset` takes, and their offsets."""
        starts, stops = self.offsets[:-1][chosen] + first, self.offsets[1:][chosen]
        stops = stops if last is None else np.minimum(stops, starts + (last - first))
        offsets = np.concatenate([[0], np.cumsum(stops - starts)])
        return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], stops - starts), offsets


def cut_batches(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator | None
) -> list[np.ndarray]:
    """Return the sequences of every mini-batch, which have similar lengths, in random order.

    Without ``rng`` the order is that of the caller.
    """
    n = len(lengths)
    order = np.arange(n) if rng is None else rng.permutation(n)
    if rng is None or np.all(lengths == lengths[0]):
        return [order[i : i + batch_size] for i in range(0, n, batch_size)]
    batches = []
    pool_size = batch_size * BATCHES_PER_POOL
    for first in range(0, n, pool_size):
        pool = order[first : first + pool_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def tbptt_chunks(
    data: SequenceBatch, n_steps: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray, SequenceBatch]]:
    """Cut the sequences into consecutive chunks of at most ``n_steps`` time steps.

    Gradients of truncated backpropagation through time (TBPTT) stop at their borders.

    Yields
    ------
    alive : the sequences that reach this chunk
    rows : the rows of ``data`` in it
    part : the chunk; the caller carries the state into it
    """
    lengths = data.lengths
    longest = int(lengths.max())
    n_steps = longest if n_steps is None else n_steps
    for first in range(0, longest, n_steps):
        alive = np.flatnonzero(lengths > first)
        rows, _ = data.rows_of(alive, first, first + n_steps)
        yield alive, rows, data.subset(alive, first, first + n_steps)


def evaluate(spec: Spec, theta: np.ndarray, data: SequenceBatch) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs (like ``data.Y``) and the states after the last step of all sequences.

    Long sequences are cut in time, and the number of sequences in a pass does not depend on their
    lengths, so that a series in two halves gives the same bits as the whole.
    """
    n = len(data.offsets) - 1
    states = np.empty((n, spec.n_state), theta.dtype)
    outputs = np.empty((len(data.Y), spec.n_outputs), theta.dtype)
    n_steps = None if spec.bidirectional or spec.pooling is not None else EVALUATED_STEPS
    for first in range(0, n, EVALUATED_SEQUENCES):
        group = np.arange(first, min(first + EVALUATED_SEQUENCES, n))
        targets = data.rows_of(group)[0] if data.per_step else group
        carried = None
        for alive, rows, part in tbptt_chunks(data.subset(group), n_steps):
            if carried is not None:
                part = part._replace(initial_state=InitialState(carried[alive], np.array(True)))
            found, tape = run(spec, theta, part.batch(), exact=True)
            carried = np.empty_like(states[group]) if carried is None else carried
            carried[alive] = tape.state
            outputs[targets[rows] if data.per_step else targets] = found
        states[group] = carried
    return outputs, states
