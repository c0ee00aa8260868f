"""Deep reservoirs: the features of a layer are the inputs of the next one."""

from typing import Any

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._members import (
    MembersMixin,
    check_interlayer_weights,
    check_template,
)
from esnkit.reservoirs._own_params import check_params
from esnkit.utils._validation import check_number

__all__ = ["DeepReservoir"]


class DeepReservoir(MembersMixin, BaseReservoir):  # type: ignore[override]
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
    interlayer_weights : {"informed", "uniform", "normal", "bernoulli", "minimal", "chebyshev"} \
            or callable, default="informed"
        The `input_weights` of the layers after the first, if `reservoir` has input weights and
        `layer_params` does not give them. "informed": each unit receives one unit of the layer
        before. With the others it receives all: layers of 200 units are then four times as slow,
        and sums of so many states drive the units of deeper layers into saturation, unless
        `interlayer_scaling` is small.
    interlayer_scaling : float, default=1.0
        The `input_scaling` of the layers after the first, under the same conditions.
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
    the others take mean zero and standard deviation one. Layers of an
    :class:`IntrinsicPlasticityReservoir` adapt one after the other, each to the features of the one
    before it over the rows of ``fit``, which are then in memory.

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

    is_chain = True
    _members_name, _params_name, _number_name = "layers_", "layer_params", "n_layers"

    def __init__(
        self,
        reservoir=None,
        n_layers=3,
        *,
        layer_params=None,
        interlayer_weights="informed",
        interlayer_scaling=1.0,
        random_state=None,
    ):
        self.reservoir = reservoir
        self.n_layers = n_layers
        self.layer_params = layer_params
        self.interlayer_weights = interlayer_weights
        self.interlayer_scaling = interlayer_scaling
        self.random_state = random_state

    def _params_of_members(self, number: int) -> dict[str, Any]:
        """Return the parameters with a value for each layer, those of input weights among them."""
        given = check_params("layer_params", self.layer_params)
        template = check_template(self.reservoir).get_params()
        between = {
            "input_weights": check_interlayer_weights(self.interlayer_weights),
            "input_scaling": check_number("interlayer_scaling", self.interlayer_scaling, 0.0),
        }
        own = {
            prefix + name: [template[prefix + name]] + (number - 1) * [value]
            for name, value in between.items()
            for prefix in ("", "reservoir__")
            if prefix + name in template
        }
        return own | given
