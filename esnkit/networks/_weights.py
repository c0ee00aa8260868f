"""The weights of a network as named arrays, in this library's form and in PyTorch's.

Ours: ``W_in_0`` (n_gates * n_units, n_features), ``W_0`` (n_gates * n_units, n_units) and ``b_0``
for layer 0, with ``_reverse`` for the second direction; a GRU that resets after the product has
``b_hidden_0`` (n_units,) too. Gates stand in PyTorch's order: i, f, g, o and r, z, n.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from esnkit.networks._spec import Spec, parameter_slices, parameter_views
from esnkit.utils._validation import finite_array

__all__ = [
    "WeightsMixin",
    "join_weights",
    "replaced",
    "split_weights",
]

HEAD = {"head_W": "W_out", "head_b": "b_out"}


class WeightsMixin:
    """Gives estimators with a ``_theta`` their weights by name.

    They say what parts it has (``_split``, copies by name), write them back (``_join``), and use
    another one (``_replace``).
    """

    _theta: np.ndarray

    def get_weights(self) -> dict[str, np.ndarray]:
        """Return copies of all weights by name.

        Returns
        -------
        dict of str to ndarray
            ``W_in_0`` (n_gates * n_units, n_features), ``W_0`` (n_gates * n_units, n_units) and
            ``b_0`` for layer 0, the gates in the order i, f, g, o or r, z, n; ``b_hidden_0`` for
            the n of a GRU that resets after the product; ``_reverse`` at the end for the second
            direction; ``W_out``, ``b_out``, ``embedding``, ``initial_state`` and ``attention_W``,
            ``_b``, ``_v`` where the network has them. An encoder and a decoder have ``encoder_``
            and ``decoder_`` before these names; between them stand ``bridge_W`` and ``bridge_b``,
            from the last state of the one to the first of the other, and with attention
            ``score_W``, which compares states of the two, and ``mix_W``, which takes what was
            found and the state together.

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
        return self._split(self._theta)

    def set_weights(self, weights: dict[str, Any]) -> Self:
        """Replace weights by name; those that are not named stay as they are.

        Training goes on from them with an empty memory.

        Parameters
        ----------
        weights : dict of str to array-like
            As ``get_weights`` returns them.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If ``weights`` is no dict.
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
        self._join(replaced(self._split(theta), weights), theta)
        self._replace(theta)
        return self

    def _split(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def _join(self, named: dict[str, np.ndarray], theta: np.ndarray) -> None:
        raise NotImplementedError

    def _replace(self, theta: np.ndarray) -> None:
        raise NotImplementedError


def replaced(current: dict[str, np.ndarray], named: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the parts of a network, those that are named in place of the current ones.

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
    """Return the value as finite numbers of the same dtype and shape, or raise."""
    array = finite_array(name, value, current.dtype)
    if array.shape != current.shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {current.shape}{hint}")
    return array


def split_weights(spec: Spec, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return copies of all parts of ``theta`` by name."""
    parts, n, named = parameter_views(spec, theta), spec.n_units, {}
    for name, part in parts.items():
        if not name.startswith("M_"):
            named[HEAD.get(name, name)] = part.copy()
            continue
        layer, width = name[2:], part.shape[1] - n - 1
        top = part[: 3 * n] if spec.cell == "gru" else part
        recurrent = part[:, width:-1]
        if spec.cell == "gru":
            recurrent = np.vstack([recurrent[: 2 * n], recurrent[3 * n :]])
        named[f"W_in_{layer}"] = top[:, :width].copy()
        named[f"W_{layer}"] = recurrent.copy()
        named[f"b_{layer}"] = top[:, -1].copy()
        if spec.cell == "gru":
            named[f"b_hidden_{layer}"] = part[3 * n :, -1].copy()
    return named


def join_weights(spec: Spec, named: Mapping[str, np.ndarray], theta: np.ndarray) -> None:
    """Write the parts that :func:`split_weights` returns into ``theta``."""
    parts, n = parameter_views(spec, theta), spec.n_units
    for name in parameter_slices(spec):
        if not name.startswith("M_"):
            parts[name][:] = named[HEAD.get(name, name)]
            continue
        M, layer = parts[name], name[2:]
        width, recurrent = M.shape[1] - n - 1, named[f"W_{layer}"]
        top = M[: 3 * n] if spec.cell == "gru" else M
        top[:, :width], top[:, -1] = named[f"W_in_{layer}"], named[f"b_{layer}"]
        if spec.cell == "gru":
            M[: 2 * n, width:-1], M[3 * n :, width:-1] = recurrent[: 2 * n], recurrent[2 * n :]
            M[3 * n :, -1] = named[f"b_hidden_{layer}"]
        else:
            M[:, width:-1] = recurrent
