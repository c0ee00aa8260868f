"""Packed sequences with targets, dealt out to batches and cut into chunks of time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from esnkit.networks._bptt import InitialState, make_batch, run
from esnkit.networks._spec import Spec
from esnkit.sequences._initial_state import Clamp

__all__ = ["SequenceBatch", "cut_batches", "evaluate", "tbptt_chunks"]

# Sequences of a pool of so many batches are sorted by length before they are cut into batches.
BATCHES_PER_POOL = 20
# Where nothing is learned: sequences side by side, and time steps in one go.
SIDE_BY_SIDE, STEPS_AT_ONCE = 64, 1024


class SequenceBatch(NamedTuple):
    """Packed sequences with all that is said about them."""

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

    def subset(
        self, chosen: np.ndarray, first: int = 0, last: int | None = None
    ) -> "SequenceBatch":
        """Return some of the sequences, of each the time steps from first to before last."""
        rows, offsets = self.rows_of(chosen, first, last)
        targets = rows if self.per_step else chosen
        initial_state, clamp, weights = self.initial_state, self.clamp, self.weights
        return SequenceBatch(
            self.inputs[rows],
            offsets,
            self.Y[targets],
            self.per_step,
            None if weights is None else weights[targets],
            None
            if initial_state is None
            else InitialState(initial_state.values[chosen], initial_state.given),
            None if clamp is None else Clamp(clamp.units, clamp.values[rows]),
        )

    def rows_of(
        self, chosen: np.ndarray, first: int = 0, last: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that `subset` takes, and their offsets."""
        starts, stops = self.offsets[:-1][chosen] + first, self.offsets[1:][chosen]
        stops = stops if last is None else np.minimum(stops, starts + (last - first))
        offsets = np.concatenate([[0], np.cumsum(stops - starts)])
        return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], stops - starts), offsets


def cut_batches(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator | None
) -> list[np.ndarray]:
    """Deal the sequences out to batches, those of like length together, all in random order.

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
    """Cut the sequences into chunks of at most ``n_steps`` time steps, one after the other.

    Yields
    ------
    alive : the sequences that reach this chunk
    rows : the rows of ``data`` in it
    part : the chunk as data by itself; the caller carries the state into it
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

    Long sequences are cut in time, and how many run side by side does not depend on their
    lengths, so that a series in two halves gives the same bits as the whole.
    """
    n = len(data.offsets) - 1
    states = np.empty((n, spec.n_state), theta.dtype)
    outputs = np.empty((len(data.Y), spec.n_outputs), theta.dtype)
    whole = spec.bidirectional or spec.pooling is not None
    for first in range(0, n, SIDE_BY_SIDE):
        group = np.arange(first, min(first + SIDE_BY_SIDE, n))
        targets = data.rows_of(group)[0] if data.per_step else group
        carried = None
        for alive, rows, part in tbptt_chunks(data.subset(group), None if whole else STEPS_AT_ONCE):
            initial_state = (
                part.initial_state if carried is None else InitialState(carried[alive], _ALL)
            )
            batch = make_batch(part.inputs, part.offsets)
            found, tape = run(spec, theta, batch, initial_state, part.clamp, exact=True)
            carried = np.empty_like(states[group]) if carried is None else carried
            carried[alive] = tape.state
            outputs[targets[rows] if data.per_step else targets] = found
        states[group] = carried
    return outputs, states


_ALL = np.array(True)
