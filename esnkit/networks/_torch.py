"""The weights of a network under PyTorch's names."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._cells import CELLS
from esnkit.networks._spec import Spec
from esnkit.networks._weights import WeightsMixin, as_current, join_weights, split_weights

__all__ = ["TorchMixin", "from_torch", "to_torch"]

TORCH_NAMES = {"W_out": "head.weight", "b_out": "head.bias", "embedding": "embedding.weight"}
WITHOUT_COUNTERPART = ("attention_", "initial_state")


class TorchMixin(WeightsMixin):
    """Get and set the weights of an estimator with one network, also under PyTorch's names."""

    _spec: Spec

    def to_torch_state_dict(self) -> dict[str, np.ndarray]:
        """Return the weights under the names that PyTorch gives them.

        Returns
        -------
        state_dict : dict of str to ndarray
            ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0`` and so on, as in
            ``torch.nn.RNN``, ``LSTM`` and ``GRU``; the head is ``head.weight`` and ``head.bias``,
            the embedding ``embedding.weight``.

        Raises
        ------
        ValueError
            If these modules do not have a part of the network: attention, a learned initial state,
            or a GRU with ``reset_after=False``.

        Examples
        --------
        >>> import numpy as np
        >>> from esnkit import RNNRegressor
        >>> X = np.random.default_rng(0).uniform(size=(2, 5, 3))
        >>> model = RNNRegressor(4, max_iter=0, random_state=0).fit(X, X[:, 0, 0])
        >>> state = model.to_torch_state_dict()
        >>> state["weight_ih_l0"].shape
        (16, 3)
        >>> other = RNNRegressor(4, max_iter=0, random_state=1).fit(X, X[:, 0, 0])
        >>> other = other.from_torch_state_dict(state)
        >>> bool(np.array_equal(other.predict(X), model.predict(X)))
        True
        """
        check_is_fitted(self, "_theta")
        return to_torch(self._spec, self._theta)

    def from_torch_state_dict(self, state_dict: dict[str, Any]) -> Self:
        """Load the weights of a PyTorch model with the same layers.

        Parameters
        ----------
        state_dict : dict of str to array-like
            As returned by ``to_torch_state_dict``; names may have a prefix such as ``rnn.``. A head
            or embedding that is missing keeps its current weights; a bias that is missing is zero.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If a weight of a layer is missing, has the wrong shape, or is not one of this network.
        """
        check_is_fitted(self, "_theta")
        theta = self._theta.copy()
        from_torch(self._spec, state_dict, theta)
        self._replace_weights(theta)
        return self

    def _split_weights(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        return split_weights(self._spec, theta)

    def _join_weights(self, named: dict[str, np.ndarray], theta: np.ndarray) -> None:
        join_weights(self._spec, named, theta)


def to_torch(spec: Spec, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return the weights under the names of ``torch.nn.RNN``, ``LSTM`` and ``GRU``.

    PyTorch adds two biases per gate; here the second is zero where the network has only one.

    Raises
    ------
    ValueError
        If these modules do not have a part of the network.
    """
    _refuse_foreign_cell(spec)
    named, state = split_weights(spec, theta), {}
    foreign = [name for name in named if name.startswith(WITHOUT_COUNTERPART)]
    if foreign:
        raise ValueError(f"PyTorch's modules have no counterpart of {foreign}: use get_weights")
    separate = _separate_biases(spec)
    for name in (layer.name for layer in spec.layers()):
        recurrent_bias = np.zeros_like(named[f"b_{name}"])
        if separate.any():
            recurrent_bias[separate] = named[f"b_hidden_{name}"]
        state[f"weight_ih_l{name}"] = named[f"W_in_{name}"]
        state[f"weight_hh_l{name}"] = named[f"W_{name}"]
        state[f"bias_ih_l{name}"] = named[f"b_{name}"]
        state[f"bias_hh_l{name}"] = recurrent_bias
    return state | {TORCH_NAMES[key]: named[key] for key in TORCH_NAMES if key in named}


def from_torch(spec: Spec, state_dict: Mapping[str, Any], theta: np.ndarray) -> None:
    """Write the weights of a PyTorch model into ``theta``.

    Names may have a prefix, such as ``rnn.weight_ih_l0``. A head or embedding that is missing keeps
    its current weights; a bias that is missing is zero.

    Raises
    ------
    TypeError
        If ``state_dict`` is not a mapping.
    ValueError
        If a weight of a layer is missing, has the wrong shape, or is not one of this network.
    """
    _refuse_foreign_cell(spec)
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"state_dict must be a dict of arrays, got {type(state_dict).__name__}")
    state = {key: np.asanyarray(value) for key, value in state_dict.items()}
    current = split_weights(spec, theta)
    named: dict[str, np.ndarray] = {}
    for layer in spec.layers():
        named |= _take_layer(state, current, layer.name, _separate_biases(spec))
    for key in TORCH_NAMES.keys() & current.keys():
        named[key] = _take(state, TORCH_NAMES[key], current[key], required=False)
    if state:
        raise ValueError(
            f"state_dict has weights that are not in this network, {sorted(state)}: remove them, "
            "or rename a head to 'head.weight' and 'head.bias', an embedding to "
            "'embedding.weight'"
        )
    join_weights(spec, current | named, theta)


def _take_layer(
    state: dict[str, np.ndarray], current: dict[str, np.ndarray], name: str, separate: np.ndarray
) -> dict[str, np.ndarray]:
    """Remove the weights of one layer from ``state``, and return them under our names."""
    W_in, W = current[f"W_in_{name}"], current[f"W_{name}"]
    W_in = _take(state, f"weight_ih_l{name}", W_in)
    W = _take(state, f"weight_hh_l{name}", W)
    zeros = np.zeros(len(W), W.dtype)
    first = _take(state, f"bias_ih_l{name}", zeros, required=False)
    second = _take(state, f"bias_hh_l{name}", zeros, required=False)
    named = {f"W_in_{name}": W_in, f"W_{name}": W}
    named[f"b_{name}"] = np.where(separate, first, first + second)
    if separate.any():
        named[f"b_hidden_{name}"] = second[separate]
    return named


def _take(
    state: dict[str, np.ndarray], name: str, current: np.ndarray, *, required: bool = True
) -> np.ndarray:
    """Remove the weight of this name, with or without a prefix, and return it; else the current."""
    keys = [key for key in state if key == name or key.endswith(f".{name}")]
    if len(keys) == 1:
        hint = ": check the cell and the numbers of units and features of the model"
        return as_current(current, f"state_dict[{keys[0]!r}]", state.pop(keys[0]), hint)
    if not required and not keys:
        return current
    raise ValueError(f"state_dict must contain {name!r} once, got the names {sorted(state)}")


def _separate_biases(spec: Spec) -> np.ndarray:
    """Return a mask of PyTorch's bias vectors where the network has both biases."""
    cell, n = spec.cell_record, spec.n_units
    return ~cell.input_rows(n)[cell.state_rows(n)]


def _refuse_foreign_cell(spec: Spec) -> None:
    """Raise if PyTorch has no module for the cell."""
    cell = spec.cell_record
    if cell.torch_module is None:
        relatives = [other for other in CELLS.values() if other.family == cell.family]
        possible = [other.description for other in relatives if other.torch_module is not None]
        raise ValueError(
            f"PyTorch has no module for {cell.description}: use get_weights, or fit a network "
            f"with {' or '.join(possible) or 'another cell'}"
        )
