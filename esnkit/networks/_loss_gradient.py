"""The loss of a batch and its gradient, in two halves on two threads where that pays."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from esnkit.networks._batch import Batch, halves
from esnkit.networks._bptt import joined, run, run_backward, summed
from esnkit.networks._losses import LOSSES
from esnkit.networks._spec import Spec, weight_decay_mask
from esnkit.utils._threads import n_threads, run_tasks
from esnkit.utils._workspace import Workspace

__all__ = ["loss_gradient", "penalty"]

# Batches are halved if a step has at least MIN_GATE_ROWS rows of gates: from there on a thread for
# each half saves time. The first half has a multiple of MIN_SEQUENCES, as many as a vector holds.
MIN_GATE_ROWS, MIN_SEQUENCES = 256, 16


def loss_gradient(
    spec: Spec,
    theta: np.ndarray,
    batch: Batch,
    Y: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    alpha: float = 0.0,
    workspace: Workspace | None = None,
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Return the loss of a batch, its gradient, the last states, and the sum of the weights.

    The loss is the weighted mean loss (`_losses.py`) plus :func:`penalty`. Where all weights are
    zero the backward pass is left out: loss and gradient are zero. Large networks run on two halves
    of the batch, on two threads if they are available.
    """
    workspace, n_first = workspace or Workspace(), _first_half(spec, batch)
    parts, workspaces = [batch], [workspace, workspace.sibling()]
    # On one thread one pass with sums by halves has the same bits, and fewer calls.
    if n_first and (n_threads() > 1 or not _halves_may_run_as_one(spec, batch)):
        parts, n_first = halves(batch, n_first), 0
    workspace.sibling().rewind()
    runs = _on_threads(
        partial(run, spec, theta, part, workspace=room, n_first=n_first)
        for part, room in zip(parts, workspaces, strict=False)
    )
    outputs, tapes = [found for found, _ in runs], [tape for _, tape in runs]
    state = joined([tape.state for tape in tapes])
    loss = LOSSES[spec.loss][0](joined(outputs), Y, weights)
    if loss.total == 0:
        return 0.0, np.zeros_like(theta), state, 0.0
    # Rows of the first half come first, as rows are in the order of the sequences.
    slopes = np.split(loss.gradient, [len(outputs[0])]) if len(parts) > 1 else [loss.gradient]
    gradient = summed(
        _on_threads(
            partial(run_backward, spec, tape, d_outputs)
            for tape, d_outputs in zip(tapes, slopes, strict=True)
        )
    )
    value = loss.value
    if alpha:
        added, slope = penalty(spec, theta, alpha, len(Y))
        value, gradient = value + added, gradient + slope
    return value, gradient, state, loss.total


def penalty(
    spec: Spec, theta: np.ndarray, alpha: float, n_targets: int
) -> tuple[float, np.ndarray]:
    """Return ``alpha / 2`` times the squared weights over the number of targets, and its gradient.

    Biases and states are free, as in scikit-learn's multi-layer perceptron.
    """
    slope = (alpha / n_targets) * np.where(weight_decay_mask(spec), theta, 0)
    return 0.5 * float(np.vdot(slope, theta)), slope.astype(theta.dtype, copy=False)


def _first_half(spec: Spec, batch: Batch) -> int:
    """Return how many sequences the first half of a batch has, 0 where it is not halved.

    This must not depend on the number of threads, which would change results: each half has
    separate sums on one thread, too.
    """
    offsets, n = batch.offsets, len(batch.offsets) - 1
    if n < 2 * MIN_SEQUENCES or len(spec.cell_record.gates) * spec.n_units < MIN_GATE_ROWS:
        return 0
    middle = int(np.searchsorted(offsets, offsets[-1] / 2)) // MIN_SEQUENCES * MIN_SEQUENCES
    return min(max(middle, MIN_SEQUENCES), n - MIN_SEQUENCES)


def _halves_may_run_as_one(spec: Spec, batch: Batch) -> bool:
    """Tell whether nothing but heads and weights sums over sequences, as `run` does by halves."""
    same_length = batch.n[-1] == batch.n[0] and spec.cell_record.splits_columns
    sums = spec.embedding_dim or spec.learn_state or spec.pooling not in (None, "last")
    return same_length and not sums


def _on_threads(tasks: Iterable[Any]) -> list[Any]:
    """Run tasks on threads, with the NumPy error settings of the caller."""
    first, *others = tasks
    if not others:
        return [first()]
    settings = np.geterr()

    def with_settings(task):
        with np.errstate(**settings):
            return task()

    return list(run_tasks(partial(with_settings, task) for task in (first, *others)))
