"""The weights of a network as named arrays.

Layer 0 has ``W_in_0`` (n_gates * n_units, n_features), ``W_0`` (n_gates * n_units, n_units) and
``b_0``, and ``W_in_0_reverse`` and so on in the backward direction. A GRU with ``reset_after=True``
also has ``b_hidden_0`` (n_units,). The gates are in PyTorch's order: i, f, g, o and r, z, n. Cells
without recurrent weights have no ``W_0``; a linear recurrent unit has ``nu_0``, ``theta_0`` and
``gamma_0`` (n_units / 2,).
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._eigenvalues import EXPONENTS
from esnkit.networks._spec import Spec, parameter_views
from esnkit.utils._validation import finite_array

__all__ = [
    "WeightsMixin",
    "as_current",
    "join_weights",
    "replace_weights",
    "split_weights",
]

HEAD = {"head_W": "W_out", "head_b": "b_out"}
PREFIX = "exponents_"  # of the parameters of layers with eigenvalues


class WeightsMixin:
    """Get and set the weights of an estimator by name.

    A subclass splits the vector ``_theta`` into named copies (``_split_weights``), writes them back
    (``_join_weights``), and takes over another vector (``_replace_weights``).
    """

    _theta: np.ndarray

    def get_weights(self) -> dict[str, np.ndarray]:
        """Return copies of all weights by name.

        Returns
        -------
        weights : dict of str to ndarray
            For layer 0: the input weights ``W_in_0`` of shape (n_gates * n_units, n_features), the
            recurrent weights ``W_0`` of shape (n_gates * n_units, n_units) and the biases ``b_0``,
            the gates in the order i, f, g, o (LSTM) or r, z, n (GRU). A GRU with
            ``reset_after=True`` also has ``b_hidden_0``, the recurrent bias of the gate n.
            ``cell="mingru"`` (z, n), ``"minlstm"`` (i, f, n) and ``"lru"`` (v, o, the real parts
            before the imaginary parts) have no ``W_0``; an LRU has the exponents ``nu_0``,
            ``theta_0`` and ``gamma_0`` of shape (n_units / 2,). Names of the backward direction end
            in ``_reverse``. Depending on the parameters, there are also ``W_out``, ``b_out``,
            ``embedding``, ``initial_state``, ``attention_W``, ``attention_b`` and ``attention_v``.

            :class:`Seq2SeqClassifier` prefixes the names of its two networks with ``encoder_`` and
            ``decoder_``. It also has ``bridge_W`` and ``bridge_b``, which map the last state of
            the encoder to the first state of the decoder, and with attention ``score_W``, which
            compares states of both, and ``mix_W``, which combines context and state.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.zeros((2, 5, 3))
        >>> model = RNNRegressor(4, cell="rnn", max_iter=0, random_state=0).fit(X, X[:, 0, 0])
        >>> {name: array.shape for name, array in model.get_weights().items()}
        {'W_in_0': (4, 3), 'W_0': (4, 4), 'b_0': (4,), 'W_out': (1, 4), 'b_out': (1,)}
        """
        check_is_fitted(self, "_theta")
        return self._split_weights(self._theta)

    def set_weights(self, weights: dict[str, Any]) -> Self:
        """Replace weights by name; weights that are not named keep their values.

        Later training starts from these weights, with a new optimiser state.

        Parameters
        ----------
        weights : dict of str to array-like
            As returned by ``get_weights``.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        TypeError
            If ``weights`` is not a dict.
        ValueError
            If a name is unknown, or an array has the wrong shape or is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.zeros((2, 5, 3))
        >>> model = RNNRegressor(4, cell="rnn", max_iter=0, random_state=0).fit(X, X[:, 0, 0])
        >>> model.set_weights({"b_out": [2.0]}).predict(X)
        array([2., 2.])
        """
        check_is_fitted(self, "_theta")
        if not isinstance(weights, Mapping):
            raise TypeError(f"weights must be a dict of arrays, got {type(weights).__name__}")
        theta = self._theta.copy()
        self._join_weights(replace_weights(self._split_weights(theta), weights), theta)
        self._replace_weights(theta)
        return self

    def _split_weights(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def _join_weights(self, named: dict[str, np.ndarray], theta: np.ndarray) -> None:
        raise NotImplementedError

    def _replace_weights(self, theta: np.ndarray) -> None:
        raise NotImplementedError


def replace_weights(
    current: dict[str, np.ndarray], named: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return the current weights with some of them replaced by name.

    Raises
    ------
    ValueError
        If a name is unknown, or an array has the wrong shape or is not finite.
    """
    unknown = sorted(set(named) - set(current))
    if unknown:
        raise ValueError(f"weights has unknown names {unknown}, expected {sorted(current)}")
    arrays = {}
    for name, value in named.items():
        arrays[name] = as_current(current[name], f"weights[{name!r}]", value)
    return current | arrays


def as_current(current: np.ndarray, name: str, value: Any, hint: str = "") -> np.ndarray:
    """Return the value as an array of finite numbers of the same dtype and shape, or raise."""
    array = finite_array(name, value, current.dtype)
    if array.shape != current.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {current.shape}{hint}")
    return array


def split_weights(spec: Spec, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return copies of all arrays in ``theta`` by name."""
    named: dict[str, np.ndarray] = {}
    for name, array in parameter_views(spec, theta).items():
        if name.startswith("M_"):
            named |= _split_layer(spec, array, name.removeprefix("M_"))
        elif name.startswith(PREFIX):
            layer = name.removeprefix(PREFIX)
            named |= {f"{row}_{layer}": array[k].copy() for k, row in enumerate(EXPONENTS)}
        else:
            named[HEAD.get(name, name)] = array.copy()
    return named


def _split_layer(spec: Spec, M: np.ndarray, layer: str) -> dict[str, np.ndarray]:
    """Return input weights, recurrent weights and biases of one layer."""
    sees_inputs, sees_states, states_only = _rows(spec)
    width = M.shape[1] - spec.n_recurrent - 1
    named = {f"W_in_{layer}": M[sees_inputs, :width]}
    if spec.n_recurrent:
        named[f"W_{layer}"] = M[sees_states, width:-1]
    named[f"b_{layer}"] = M[sees_inputs, -1]
    if states_only.any():
        named[f"b_hidden_{layer}"] = M[states_only, -1]
    return named


def join_weights(spec: Spec, named: Mapping[str, np.ndarray], theta: np.ndarray) -> None:
    """Write the arrays that :func:`split_weights` returns into ``theta``."""
    for name, array in parameter_views(spec, theta).items():
        if name.startswith("M_"):
            _join_layer(spec, named, array, name.removeprefix("M_"))
        elif name.startswith(PREFIX):
            array[:] = [named[f"{row}_{name.removeprefix(PREFIX)}"] for row in EXPONENTS]
        else:
            array[:] = named[HEAD.get(name, name)]


def _join_layer(spec: Spec, named: Mapping[str, np.ndarray], M: np.ndarray, layer: str) -> None:
    sees_inputs, sees_states, states_only = _rows(spec)
    width = M.shape[1] - spec.n_recurrent - 1
    M[sees_inputs, :width] = named[f"W_in_{layer}"]
    if spec.n_recurrent:
        M[sees_states, width:-1] = named[f"W_{layer}"]
    M[sees_inputs, -1] = named[f"b_{layer}"]
    if states_only.any():
        M[states_only, -1] = named[f"b_hidden_{layer}"]


def _rows(spec: Spec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return masks of the rows of M that use inputs, that use states, and that use states only."""
    cell, n = spec.cell_record, spec.n_units
    inputs, states = cell.input_rows(n), cell.state_rows(n)
    return inputs, states, ~inputs
