"""A network that runs on one sequence, step by step, with its state at hand."""

from typing import Any

import numpy as np

from esnkit.kernels.cells import stream
from esnkit.kernels.linalg import LANES, affine
from esnkit.networks._spec import Spec, parameter_views
from esnkit.utils._validation import refuse_masked
from esnkit.utils._workspace import Workspace

NUMBERS = int, float, np.integer, np.floating, np.bool_

__all__ = ["Stepper"]


class Stepper:
    """One sequence that comes step by step, its state at hand.

    Parameters
    ----------
    spec : Spec
        One direction, no pooling but "last".
    theta : ndarray of shape (n_parameters,)
    state : ndarray of shape (n_state,)
        The state before the first step; left as it is.

    See Also
    --------
    esnkit.networks.RNNRegressor.stream : Where to get one from.
    """

    def __init__(self, spec: Spec, theta: np.ndarray, state: np.ndarray):
        self._spec, self._p, dtype = spec, parameter_views(spec, theta), theta.dtype
        # At hand, as a step takes about a microsecond.
        self._embeds, self._reads, self._shape = spec.tokens, spec.head, (spec.n_features,)
        recurrent = [self._p[f"M_{layer.name}"] for layer in spec.layers()]
        readout = [self._p["head_W"], self._p["head_b"]] if spec.head else []
        parts = [part for M in recurrent for part in (M, M.T)] + readout
        weights = np.concatenate([part.ravel() for part in parts])
        n_read = spec.n_outputs if spec.head else 0
        sizes = spec.cell_record.code, spec.n_layers, spec.n_units, spec.n_inputs, n_read
        room = LANES + max(sum(M.shape) for M in recurrent) + spec.n_units
        places = np.cumsum([0, weights.size, spec.n_state, spec.n_inputs, n_read, room]).tolist()
        work = Workspace().empty(places[-1], dtype)
        _, first, inputs, outputs, end, _ = places
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
        """Hear one row, or token, and return the outputs.

        Parameters
        ----------
        x : array-like of shape (n_features,), or int
            A row of the sequence, or a token where the network hears tokens.

        Returns
        -------
        outputs : ndarray of shape (n_outputs,)
            Of a regressor the prediction; of a classifier the numbers whose softmax are the
            probabilities of ``classes_``.

        Raises
        ------
        ValueError
            If ``x`` has another shape, is not finite, or is no token of the network.
        """
        if isinstance(x, np.ma.MaskedArray):
            refuse_masked("x", x)
        if self._embeds:
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
        return self._outputs.copy() if self._reads else self.outputs_of_state()

    def advance(self, x: Any) -> bool:
        """Make a step, unless x is not finite; return whether it was made."""
        self._inputs[:] = self._embedded(int(x)) if self._embeds else x
        return stream(*self._arguments)

    def outputs_of_state(self) -> np.ndarray:
        """Return the outputs of the state as it is, as the last step would have."""
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
