"""Inspection of trained networks: attention weights and norms of the gradient over time."""

import numpy as np

from esnkit.networks._bptt import run, run_backward, state_rows
from esnkit.networks._losses import LOSSES
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._spec import Spec

__all__ = ["attention_rows", "gradient_norms"]


def attention_rows(spec: Spec, theta: np.ndarray, data: SequenceBatch) -> np.ndarray:
    """Return the attention weight of every time step (n_rows,)."""
    _, tape = run(spec, theta, data.batch(), exact=True)
    return tape.pooling.weights[:, 0]


def gradient_norms(spec: Spec, theta: np.ndarray, data: SequenceBatch) -> np.ndarray:
    """Return the norm of d loss / d h(t) for every layer and time step (n_layers, n_timesteps).

    It is the root mean square over the sequences that reach step t.
    """
    batch = data.batch()
    outputs, tape = run(spec, theta, batch)
    loss = LOSSES[spec.loss][0](outputs, data.Y, data.weights)
    blocks: list[np.ndarray] = []
    run_backward(spec, tape, loss.gradient, d_states=blocks)
    steps = np.arange(len(batch.rows)) - np.repeat(data.offsets[:-1], data.lengths)
    squares = [
        np.bincount(steps, np.sum(d.astype(float) ** 2, axis=1))
        for d in state_rows(spec, batch, blocks)
    ]
    return np.sqrt(np.array(squares) / batch.n)
