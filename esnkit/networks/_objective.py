"""Objectives: the two functions of a kind of network that training needs."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from esnkit.networks._batch import InitialState
from esnkit.networks._loss_gradient import loss_gradient, penalty
from esnkit.networks._losses import LOSSES
from esnkit.networks._minibatches import SequenceBatch, evaluate, tbptt_chunks
from esnkit.networks._spec import Spec
from esnkit.utils._workspace import Workspace

__all__ = ["OBJECTIVES", "Objective", "network_gradients", "network_loss"]


class Objective(NamedTuple):
    """The loss of a kind of network, and its gradients.

    ``gradients(spec, theta, data, alpha, tbptt, workspace)`` yields the loss, its gradient and the
    weight of every update that a mini-batch makes; the caller may change ``theta`` in between.
    ``loss(spec, theta, data, alpha)`` returns the loss over all sequences. Both include the L2
    penalty of strength ``alpha``.
    """

    gradients: Callable[..., Iterator[tuple[float, np.ndarray, float]]]
    loss: Callable[..., float]


def network_gradients(
    spec: Spec,
    theta: np.ndarray,
    data: SequenceBatch,
    alpha: float,
    tbptt: int | None,
    workspace: Workspace,
) -> Iterator[tuple[float, np.ndarray, float]]:
    """Yield loss, gradient and weight of the updates of a mini-batch.

    There is one update, or with truncated BPTT one for every chunk of ``tbptt`` time steps that has
    targets with a weight; the state is carried from chunk to chunk.
    """
    lengths = data.lengths
    carried = np.empty((len(lengths), spec.n_state))
    for k, (running, _, chunk) in enumerate(tbptt_chunks(data, tbptt)):
        if k > 0:
            chunk = chunk._replace(initial_state=InitialState(carried[running], _ALL))
        if tbptt is not None and not data.per_step:
            chunk = _only_ending(chunk, lengths[running] <= (k + 1) * tbptt)
        workspace.rewind()
        loss, gradient, state, weight = loss_gradient(
            spec, theta, chunk.batch(), chunk.Y, chunk.weights, alpha=alpha, workspace=workspace
        )
        carried[running] = state
        if weight > 0:
            yield loss, gradient, weight


def _only_ending(chunk: SequenceBatch, ending: np.ndarray) -> SequenceBatch:
    """Return a chunk in which only sequences that end in it have a weight."""
    weights = np.ones(len(ending)) if chunk.weights is None else chunk.weights
    return chunk._replace(weights=(weights.T * ending).T)


def network_loss(spec: Spec, theta: np.ndarray, data: SequenceBatch, alpha: float) -> float:
    """Return the loss over all sequences."""
    outputs, _ = evaluate(spec, theta, data)
    value = LOSSES[spec.loss][0](outputs, data.Y, data.weights).value
    return value + penalty(spec, theta, alpha, len(data.Y))[0]


_ALL = np.array(True)  # an InitialState of all units
# By the class of the specification, so that trainers store no functions.
OBJECTIVES: dict[type, Objective] = {Spec: Objective(network_gradients, network_loss)}
