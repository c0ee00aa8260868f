"""A network that runs on one sequence, step by step, with its state at hand."""

from typing import Any

import numpy as np

from esnkit.kernels.cells import stream
from esnkit.kernels.linalg import affine
from esnkit.layout import CELLS, Spec, state_columns, views

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
        self.state = state.copy()
        self.inputs = np.zeros(spec.n_inputs, dtype)
        self.outputs = np.empty((1, spec.n_outputs), dtype)
        unused, nothing = np.zeros(spec.n_units, dtype), np.empty((0, 0), dtype)
        self.readout = (self.p["head_W"], self.p["head_b"]) if spec.head else (nothing, unused)
        heard = self.inputs
        self.layers: list[tuple[Any, ...]] = []
        for name, _, _, place in spec.layers():
            M = self.p[f"M_{name}"]
            hs, cs = state_columns(spec, place)
            h, c = self.state[hs], self.state[cs] if cs else unused
            read = self.outputs if spec.head and place == spec.n_layers - 1 else nothing
            self.layers.append((CELLS[spec.cell], M, M.T.copy(), heard, h, c, *self.readout, read))
            heard = h
        self.top = heard

    def step(self, x: Any) -> np.ndarray:
        """Hear one input row (or token) and return the outputs, in a buffer that is used again."""
        self.inputs[:] = self._embedded(x) if self.spec.tokens else x
        for code, M, turned, heard, h, c, W, b, read in self.layers:
            stream(code, M, turned, heard, h, c, W, b, read)  # writes over the state
        if not self.spec.head:
            self.outputs[0] = self.top[: self.spec.n_outputs]
        return self.outputs[0]

    def read(self) -> np.ndarray:
        """Return the outputs of the state as it is, as the last step would have."""
        if self.spec.head:
            W, b = self.readout
            affine(self.top[None], W, b, self.outputs)
        else:
            self.outputs[0] = self.top[: self.spec.n_outputs]
        return self.outputs[0]

    def _embedded(self, x: Any) -> np.ndarray:
        if self.spec.embedding_dim:
            return self.p["embedding"][x]
        row = np.zeros_like(self.inputs)
        row[x] = 1.0
        return row
