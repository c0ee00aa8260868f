"""A network that runs on one sequence, step by step, with its state at hand."""

from typing import Any

import numpy as np

from esnkit.kernels.cells import GRU_BEFORE, LSTM, forward
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
        self.code, self.one = CELLS[spec.cell], np.ones(1, np.int64)
        self.free = np.empty(0, np.int64), np.empty(0, dtype)
        self.state = state.copy()
        self.layers: list[tuple[Any, ...]] = []
        n, unused = spec.n_units, np.zeros(spec.n_units, dtype)
        for name, width, _, place in spec.layers():
            M = self.p[f"M_{name}"]
            hs, cs = state_columns(spec, place)
            h, c = self.state[hs], self.state[cs] if cs else unused
            C = c if self.code in (LSTM, GRU_BEFORE) else unused[:0]
            S, A = np.empty(M.shape[1], dtype), np.empty(len(M), dtype)
            before = h.reshape(n, 1), c.reshape(n, 1)
            step = self.code, M, M.T.copy(), self.one, *before, *self.free, S, A, C, h
            self.layers.append((S[:width], step, h))
        self.inputs = np.zeros(spec.n_inputs, dtype)
        self.outputs = np.empty((1, spec.n_outputs), dtype)
        self.top = self.layers[-1][2]
        head = (self.p["head_W"], self.p["head_b"]) if spec.head else ()
        self.readout = self.top[None], *head, self.outputs

    def step(self, x: Any) -> np.ndarray:
        """Hear one input row (or token) and return the outputs, in a buffer that is used again."""
        if self.spec.tokens:
            x = self._embedded(x)
        for heard, arguments, h in self.layers:
            heard[:] = x
            forward(*arguments)  # writes over the state
            x = h
        return self.read()

    def read(self) -> np.ndarray:
        """Return the outputs of the state as it is, as the last step would have."""
        if self.spec.head:
            affine(*self.readout)
        else:
            self.outputs[0] = self.top[: self.spec.n_outputs]
        return self.outputs[0]

    def _embedded(self, x: Any) -> np.ndarray:
        if self.spec.embedding_dim:
            return self.p["embedding"][x]
        self.inputs[:] = 0.0
        self.inputs[x] = 1.0
        return self.inputs
