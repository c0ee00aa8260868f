"""The weights of a network under the names that PyTorch gives them."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._spec import Spec
from esnkit.networks._weights import WeightsMixin, as_current, join_weights, split_weights

TORCH_PARTS = {"W_out": "head.weight", "b_out": "head.bias", "embedding": "embedding.weight"}


class TorchMixin(WeightsMixin):
    """The same for one network, ``_spec``, and PyTorch's names too."""

    _spec: Spec

    def to_torch_state_dict(self) -> dict[str, np.ndarray]:
        """Return the weights as arrays under PyTorch's names.

        Returns
        -------
        dict of str to ndarray
            ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0`` and so on, as
            ``torch.nn.RNN``, ``LSTM`` and ``GRU`` have them; ``head.weight``, ``head.bias``,
            ``embedding.weight`` for the rest.

        Raises
        ------
        ValueError
            If the network has what these modules do not: attention, a learned initial state, or a
            GRU that resets before the product.

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
        """Take over the weights of a PyTorch model of the same shape.

        Parameters
        ----------
        state_dict : dict of str to array-like
            As ``to_torch_state_dict`` returns them; names may have a prefix (``rnn.``). Without a
            head or an embedding in it, those of this network stay as they are.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a weight of a layer is missing, has the wrong shape, or is not of this network.
        """
        check_is_fitted(self, "_theta")
        theta = self._theta.copy()
        from_torch(self._spec, state_dict, theta)
        self._replace(theta)
        return self

    def _split(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        return split_weights(self._spec, theta)

    def _join(self, named: dict[str, np.ndarray], theta: np.ndarray) -> None:
        join_weights(self._spec, named, theta)


def to_torch(spec: Spec, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return the weights under the names that ``torch.nn.RNN``, ``LSTM`` and ``GRU`` give them.

    PyTorch adds two biases; ours is the first, the second is zero but for the n of a GRU. The
    head is ``head.weight`` and ``head.bias``, the embedding ``embedding.weight``.

    Raises
    ------
    ValueError
        If the network has parts that these modules do not have.
    """
    _refuse_before(spec)
    named, state = split_weights(spec, theta), {}
    foreign = [name for name in named if name.startswith(("attention_", "initial_state"))]
    if foreign:
        raise ValueError(f"PyTorch's modules have no place for {foreign}: use get_weights")
    for name in (layer.name for layer in spec.layers()):
        second = np.zeros_like(named[f"b_{name}"])
        if spec.cell == "gru":
            second[2 * spec.n_units :] = named[f"b_hidden_{name}"]
        state[f"weight_ih_l{name}"] = named[f"W_in_{name}"]
        state[f"weight_hh_l{name}"] = named[f"W_{name}"]
        state[f"bias_ih_l{name}"] = named[f"b_{name}"]
        state[f"bias_hh_l{name}"] = second
    return state | {TORCH_PARTS[key]: named[key] for key in TORCH_PARTS if key in named}


def from_torch(spec: Spec, state_dict: Mapping[str, Any], theta: np.ndarray) -> None:
    """Write the weights of a PyTorch model into ``theta``.

    Names may carry a prefix, as ``rnn.weight_ih_l0`` does; a head and an embedding are found by
    the names that :func:`to_torch` gives them, and stay as they are where there are none. A bias
    that is missing is zero.

    Raises
    ------
    TypeError
        If ``state_dict`` is no mapping.
    ValueError
        If a weight of a layer is missing, has the wrong shape, or belongs to no part of the
        network.
    """
    _refuse_before(spec)
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"state_dict must be a dict of arrays, got {type(state_dict).__name__}")
    state = {key: np.asarray(value) for key, value in state_dict.items()}
    named: dict[str, np.ndarray] = {}
    current = split_weights(spec, theta)
    for name in (layer.name for layer in spec.layers()):
        W_in, W = current[f"W_in_{name}"], current[f"W_{name}"]
        named[f"W_in_{name}"] = _take(state, f"weight_ih_l{name}", W_in)
        named[f"W_{name}"] = _take(state, f"weight_hh_l{name}", W)
        none = np.zeros(len(W), theta.dtype)
        first = _take(state, f"bias_ih_l{name}", none, needed=False)
        second = _take(state, f"bias_hh_l{name}", none, needed=False)
        named[f"b_{name}"] = first + second
        if spec.cell == "gru":
            cut = 2 * spec.n_units
            named[f"b_{name}"][cut:] = first[cut:]
            named[f"b_hidden_{name}"] = second[cut:]
    for key in TORCH_PARTS.keys() & current.keys():
        named[key] = _take(state, TORCH_PARTS[key], current[key], needed=False)
    if state:
        raise ValueError(
            f"state_dict has weights that this network has no part for, {sorted(state)}: leave "
            "them out, or call a head 'head.weight' and 'head.bias', an embedding "
            "'embedding.weight'"
        )
    join_weights(spec, current | named, theta)


def _take(
    state: dict[str, np.ndarray], name: str, current: np.ndarray, *, needed: bool = True
) -> np.ndarray:
    """Remove and return the one weight of this name, with a prefix or without, else the current."""
    keys = [key for key in state if key == name or key.endswith(f".{name}")]
    if len(keys) == 1:
        hint = ": has the model another cell, or another number of units or features?"
        return as_current(current, f"state_dict[{keys[0]!r}]", state.pop(keys[0]), hint)
    if not needed and not keys:
        return current
    raise ValueError(f"state_dict must hold {name!r} once, got the names {sorted(state)}")


def _refuse_before(spec: Spec) -> None:
    if spec.cell == "gru_before":
        raise ValueError("PyTorch has no GRU that resets before the product: use reset_after=True")
