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
        n = spec.n_units
        for name, width, _, place in spec.layers():
            M = self.p[f"M_{name}"]
            hs, cs = state_columns(spec, place)
            h = self.state[hs].reshape(n, 1)
            c = self.state[cs].reshape(n, 1) if cs else np.zeros_like(h)
            C = np.empty(n if self.code in (LSTM, GRU_BEFORE) else 0, dtype)
            buffers = np.empty(M.shape[1], dtype), np.empty(len(M), dtype), C, np.empty(n, dtype)
            self.layers.append((M, width, h, c, cs is not None, *buffers))
        self.inputs = np.zeros(spec.n_inputs, dtype)
        self.outputs = np.empty((1, spec.n_outputs), dtype)

    def step(self, x: Any) -> np.ndarray:
        """Hear one input row (or token) and return the outputs, in a buffer that is used again."""
        x = self._row(x)
        for M, width, h, c, has_cells, S, A, C, H in self.layers:
            S[:width] = x
            forward(self.code, M, self.one, h, c, *self.free, S, A, C, H)
            h[:, 0] = H  # a view of the state
            if has_cells:
                c[:, 0] = C
            x = H
        return self._read(x)

    def read(self) -> np.ndarray:
        """Return the outputs of the state as it is, as the last step would have."""
        return self._read(self.layers[-1][2][:, 0].copy())

    def _read(self, top: np.ndarray) -> np.ndarray:
        if self.spec.head:
            affine(top[None], self.p["head_W"], self.p["head_b"], self.outputs)
        else:
            self.outputs[0] = top[: self.spec.n_outputs]
        return self.outputs[0]

    def _row(self, x: Any) -> np.ndarray:
        if not self.spec.tokens:
            return x
        if self.spec.embedding_dim:
            return self.p["embedding"][x]
        self.inputs[:] = 0.0
        self.inputs[x] = 1.0
        return self.inputs
