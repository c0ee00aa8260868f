"""A network that runs on one sequence step by step."""

from typing import Any

import numpy as np

from esnkit.kernels.cells import stream
from esnkit.kernels.linalg import LANES, affine
from esnkit.networks._bptt import eigenvalues_of
from esnkit.networks._spec import Spec, parameter_views
from esnkit.utils._validation import refuse_masked
from esnkit.utils._workspace import Workspace

NUMBERS = int, float, np.integer, np.floating, np.bool_

__all__ = ["Stepper"]


class Stepper:
    """A network that takes one sequence step by step, and carries its state.

    Parameters
    ----------
    spec : Spec
        One direction, no pooling but "last".
    theta : ndarray of shape (n_parameters,)
    state : ndarray of shape (n_state,)
        The state before the first step; it is copied.

    See Also
    --------
    esnkit.networks.RNNRegressor.stream : Returns a stepper.
    """

    def __init__(self, spec: Spec, theta: np.ndarray, state: np.ndarray):
        self._spec, self._p, dtype = spec, parameter_views(spec, theta), theta.dtype
        # Looked up once, as a step takes about a microsecond.
        self._is_tokens, self._has_head, self._shape = spec.tokens, spec.head, (spec.n_features,)
        arrays, rows = [], 0
        for layer in spec.layers():
            M = self._p[f"M_{layer.name}"]
            arrays += [M, M.T, eigenvalues_of(spec, self._p, layer)]
            rows = max(rows, sum(M.shape))
        arrays += [self._p["head_W"], self._p["head_b"]] if spec.head else []
        weights = np.concatenate([array.ravel() for array in arrays])
        n_outputs = spec.n_outputs if spec.head else 0
        sizes = spec.cell_record.code, spec.n_layers, spec.n_units, spec.n_inputs, n_outputs
        # See `stream` for what the array holds.
        scratch = LANES + rows + spec.n_units
        parts = [weights.size, spec.n_state, spec.n_inputs, n_outputs, scratch]
        first, inputs, outputs, end, size = np.cumsum(parts).tolist()
        work = Workspace().empty(size, dtype)
        work[:first], work[first:inputs], work[inputs:] = weights, state, 0
        self._arguments = *sizes, first, inputs, work
        self._state, self._inputs = work[first:inputs], work[inputs:outputs]
        self._top = self._state[spec.n_hidden - spec.n_units : spec.n_hidden]
        if spec.head:
            self._outputs = work[outputs:end]
        else:
            self._outputs = np.empty(spec.n_outputs, dtype)

    @property
    def state(self) -> np.ndarray:
        """State (1, n_state) after the last step, as ``initial_state`` takes it."""
        return self._state[None].copy()

    def step(self, x: Any) -> np.ndarray:
        """Make a step with one row, or token, and return the outputs.

        Parameters
        ----------
        x : array-like of shape (n_features,), or int
            A row of the sequence, or a token if the network was fitted to tokens.

        Returns
        -------
        outputs : ndarray of shape (n_outputs,)
            Of a regressor the prediction; of a classifier the logits, whose softmax is the
            probabilities of ``classes_``.

        Raises
        ------
        ValueError
            If ``x`` has another shape, is not finite, or is not a token of the network.
        """
        if isinstance(x, np.ma.MaskedArray):
            refuse_masked("x", x)
        # Tokens may be any kind of number, as long as it is whole.
        if self._is_tokens:
            if not isinstance(x, NUMBERS) or not 0 <= x < self._spec.n_features or x != int(x):
                raise ValueError(
                    f"x must be an integer in [0, {self._spec.n_features - 1}], got {x!r}"
                )
        else:
            x = np.asarray(x)
            if x.shape != self._shape or x.dtype.kind not in "fiub":
                raise ValueError(
                    f"x must be a row of real numbers of shape {self._shape}, got {x.dtype} of "
                    f"shape {x.shape}"
                )
        if not self.advance(x):
            raise ValueError(f"x must be finite, got {x!r}")
        return self.outputs()

    def outputs(self) -> np.ndarray:
        """Return the outputs of the last step."""
        return self._outputs.copy() if self._has_head else self.outputs_of_state()

    def advance(self, x: Any) -> bool:
        """Make a step unless x is not finite; return whether it was made."""
        self._inputs[:] = self._embedded(int(x)) if self._is_tokens else x
        return stream(*self._arguments)

    def outputs_of_state(self) -> np.ndarray:
        """Return the outputs of the current state."""
        if self._spec.head:
            affine(self._top[None], self._p["head_W"], self._p["head_b"], self._outputs[None])
        else:
            self._outputs[:] = self._top[: self._spec.n_outputs]
        return self._outputs.copy()

    def _embedded(self, x: int) -> np.ndarray:
        if self._spec.embedding_dim:
            return self._p["embedding"][x]
        row = np.zeros_like(self._inputs)
        row[x] = 1.0
        return row
