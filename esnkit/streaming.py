"""A network that runs on one sequence, step by step, with its state at hand."""

from typing import Any

import numpy as np

from esnkit.kernels.cells import stream
from esnkit.kernels.linalg import LANES, affine
from esnkit.layout import CELLS, Spec, views

__all__ = ["Stepper"]


class Stepper:
    """One sequence in progress; all buffers are made once.

    Parameters
    ----------
    spec : Spec
        One direction, no pooling.
    theta : ndarray of shape (n_parameters,)
    state : ndarray of shape (n_state,)
        The state before the first step; left as it is.
    """

    def __init__(self, spec: Spec, theta: np.ndarray, state: np.ndarray):
        self.spec, self.p, dtype = spec, views(spec, theta), theta.dtype
        self.embeds, self.reads = spec.tokens, spec.head  # at hand: a step takes two microseconds
        self.state = state.astype(dtype)
        recurrent = [self.p[f"M_{name}"] for name, _, _, _ in spec.layers()]
        readout = [self.p["head_W"], self.p["head_b"]] if spec.head else []
        parts = [part for M in recurrent for part in (M, M.T)] + readout
        weights = np.concatenate([part.ravel() for part in parts])
        n_read = spec.n_outputs if spec.head else 0
        sizes = CELLS[spec.cell], spec.n_layers, spec.n_units, spec.n_inputs, n_read
        room = LANES + max(sum(M.shape) for M in recurrent) + spec.n_units
        self.work = np.zeros(spec.n_inputs + n_read + room, dtype)
        self.stream = *sizes, weights, self.state, self.work
        self.inputs = self.work[: spec.n_inputs]
        self.top = self.state[spec.n_hidden - spec.n_units : spec.n_hidden]
        if spec.head:
            self.outputs = self.work[spec.n_inputs : spec.n_inputs + n_read]
        else:
            self.outputs = np.empty(spec.n_outputs, dtype)

    def step(self, x: Any) -> np.ndarray:
        """Hear one input row (or token) and return the outputs, in a buffer that is used again."""
        self.inputs[:] = self._embedded(x) if self.embeds else x
        stream(*self.stream)
        return self.outputs if self.reads else self.read()

    def read(self) -> np.ndarray:
        """Return the outputs of the state as it is, as the last step would have."""
        if self.spec.head:
            affine(self.top[None], self.p["head_W"], self.p["head_b"], self.outputs[None])
        else:
            self.outputs[:] = self.top[: self.spec.n_outputs]
        return self.outputs

    def _embedded(self, x: Any) -> np.ndarray:
        if self.spec.embedding_dim:
            return self.p["embedding"][x]
        row = np.zeros_like(self.inputs)
        row[x] = 1.0
        return row
