"""Deep reservoirs: the features of a layer are the inputs of the next one."""

from typing import Any, Self

import numpy as np

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._members import (
    check_template,
    equations_of,
    make_members,
    members_read_inputs,
    noise_of,
    run_member,
)
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.sequences._packing import Sequences
from esnkit.utils._validation import check_positive_int

__all__ = ["DeepReservoir"]


class DeepReservoir(BaseReservoir):
    """Layers of reservoirs: the first receives the inputs, each other one the layer before it.

    The feature row of a time step holds the features of all layers, side by side, so that a
    readout has time scales from the fastest layer to the slowest.

    Parameters
    ----------
    reservoir : BaseReservoir or None, default=None
        The layer that is cloned; None stands for ``Reservoir()``. It must be causal.
    n_layers : int, default=3
        Number of layers.
    layer_params : dict or None, default=None
        Parameters of the reservoir that differ from layer to layer, each with a list of
        `n_layers` values: ``{"n_units": [100, 50, 50], "leak_rate": [1.0, 0.5, 0.2]}``.
    random_state : int, RandomState instance or None, default=None
        Seeds the layers, each with a seed of its own.

    Attributes
    ----------
    layers_ : list of BaseReservoir
        The layers with their weights.
    n_state_, n_features_out_ : int
        Sums over the layers.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    ``input_scaling="auto"`` takes the mean and standard deviation of the inputs in the first layer;
    the others take mean zero and standard deviation one.

    References
    ----------
    C. Gallicchio, A. Micheli and L. Pedrelli (2017), Deep reservoir computing: a critical
    experimental analysis, Neurocomputing 268, eqs. 2-3.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import DeepReservoir, Reservoir
    >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
    >>> deep = DeepReservoir(
    ...     Reservoir(50), n_layers=2, layer_params={"leak_rate": [1.0, 0.3]}, random_state=0
    ... )
    >>> deep.fit_transform(X).shape
    (200, 100)
    """

    def __init__(self, reservoir=None, n_layers=3, *, layer_params=None, random_state=None):
        self.reservoir = reservoir
        self.n_layers = n_layers
        self.layer_params = layer_params
        self.random_state = random_state

    @property
    def adapts_to_inputs(self) -> bool:  # type: ignore[override]
        """Whether the reservoir that is cloned adapts to its inputs."""
        return getattr(check_template(self.reservoir), "adapts_to_inputs", False)

    def draw(self, n_inputs: int, n_feedback: int = 0, dtype: Any = np.float64) -> Self:
        """Draw the weights of all layers.

        Parameters
        ----------
        n_inputs : int
            Number of inputs of the first layer.
        n_feedback : int, default=0
            Number of outputs that are fed back to the first layer.
        dtype : dtype, default=float64
            float64 or float32.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range, or the reservoir is not causal.
        TypeError
            If ``reservoir`` is no reservoir, or ``layer_params`` no dict.
        """
        return self.prepare(n_inputs, n_feedback, dtype)

    def prepare(
        self,
        n_inputs: int,
        n_feedback: int = 0,
        dtype: Any = np.float64,
        inputs: np.ndarray | None = None,
    ) -> Self:
        """Draw the weights, and record the width and dtype of the rows.

        Parameters
        ----------
        n_inputs, n_feedback, dtype : as in ``draw``
        inputs : ndarray of shape (n_rows, n_inputs) or None, default=None
            Inputs of ``fit``, for the first layer.

        Returns
        -------
        self
        """
        check_template(self.reservoir).check_causal("DeepReservoir")
        n_layers = check_positive_int("n_layers", self.n_layers)
        self.layers_ = make_members(
            self.reservoir, n_layers, "layer_params", self.layer_params, self.random_state
        )
        for layer in self.layers_:
            layer.prepare(n_inputs, n_feedback, dtype, inputs)
            n_inputs, n_feedback, inputs = layer.n_features_out_, 0, None
        self.n_state_ = sum(layer.n_state_ for layer in self.layers_)
        self.n_features_out_ = sum(layer.n_features_out_ for layer in self.layers_)
        self.n_features_in_, self._dtype = self.layers_[0].n_features_in_, np.dtype(dtype)
        return self

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return members_read_inputs(self.reservoir, self.layer_params)

    def noise_stream(self) -> Any:
        """Return the random numbers of the noise of every layer, None if no layer has noise.

        Returns
        -------
        list or None
        """
        return noise_of(self.layers_)

    def state_equations(self) -> list[StateEquation] | None:
        """Return the state equations of all layers, None if one of them has none.

        Returns
        -------
        list of StateEquation or None
        """
        return equations_of(self.layers_)

    def run(
        self,
        sequences: Sequences,
        state: np.ndarray,
        out: np.ndarray | None = None,
        *,
        noise: Any = None,
    ) -> None:
        """Advance ``state`` in place; if ``out`` is given, also store every feature row.

        Parameters
        ----------
        sequences : Sequences
        state : ndarray of shape (n_sequences, n_state_)
        out : ndarray of shape (n_rows, >= n_features_out_) or None, default=None
        noise : list or None, default=None
            From :meth:`noise_stream`.
        """
        begin = column = 0
        for k, layer in enumerate(self.layers_):
            own = None if noise is None else noise[k]
            is_last = k == len(self.layers_) - 1
            columns = slice(begin, begin + layer.n_state_)
            wanted = out is not None or not is_last
            features = run_member(layer, sequences, state, columns, own, wanted)
            begin += layer.n_state_
            if out is not None:
                out[:, column : column + layer.n_features_out_] = features
                column += layer.n_features_out_
            if not is_last:
                sequences = sequences._replace(values=features)
