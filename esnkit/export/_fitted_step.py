"""What an export needs of a fitted echo state network: one time step as plain arrays."""

from typing import Any, NamedTuple

import numpy as np

from esnkit.esn._base import ReservoirEstimator
from esnkit.esn._readout import linear_map
from esnkit.readouts._base import is_linear
from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.utils._validation import check_fitted, finite_array

__all__ = ["FittedStep", "fitted_step"]


class FittedStep(NamedTuple):
    """One time step of a fitted model: the rows [y(t-1); u(t)] go into the first layer.

    The outputs are coef @ features + intercept; the features are the states of all layers, of which
    ``quadratic`` squares every second one, and, with ``include_input``, the row.
    """

    layers: list[StateEquation]
    coef: np.ndarray  # (n_outputs, n_features)
    intercept: np.ndarray  # (n_outputs,)
    include_input: bool
    quadratic: bool
    n_fed: int  # outputs that are fed back
    classes: np.ndarray | None  # labels of the outputs of a classifier
    temperature: float | None  # softmax(outputs / temperature) are probabilities

    @property
    def dtype(self) -> np.dtype:
        """Of all weights."""
        return self.coef.dtype

    @property
    def n_inputs(self) -> int:
        """Number of features of a time step."""
        return self.layers[0].input_weights.shape[1] - self.n_fed

    @property
    def n_outputs(self) -> int:
        """Number of outputs of a time step."""
        return len(self.coef)

    @property
    def n_units(self) -> int:
        """Number of units of all layers."""
        return sum(layer.bias.size for layer in self.layers)


def fitted_step(model: Any, others: str = "") -> FittedStep:
    """Return one time step of a fitted model, or raise if it has no such form.

    ``others`` names further classes that the caller takes, for errors.
    """
    if not isinstance(model, ReservoirEstimator):
        raise TypeError(
            "model must be a fitted ESNRegressor, ESNClassifier, ReservoirRegressor or "
            f"ReservoirClassifier{others}, got {type(model).__name__}: of a pipeline export the "
            "last step, model[-1], and transform the inputs before it"
        )
    check_fitted(model, "reservoir_")
    reservoir, readout, settings, n_outputs = model._parts
    if not settings.per_step:
        raise ValueError(
            "model must have a target for every time step, got one for every sequence, which is "
            "known at its end only: fit with target='steps'"
        )
    if not is_linear(readout):
        raise ValueError(
            "model must have a linear readout of this package, got "
            f"{type(model.readout_).__name__}: set readout=None (ridge), or a BaseReadout with "
            "coef_ and intercept_"
        )
    coef, intercept = linear_map(readout, n_outputs, model._dtype)
    classes = getattr(model, "classes_", None)
    temperature = None if classes is None else getattr(readout, "temperature_", None)
    return FittedStep(
        _checked_layers(reservoir),
        finite_array("coef_", coef, coef.dtype),
        finite_array("intercept_", intercept, coef.dtype),
        settings.include_input,
        settings.quadratic,
        n_outputs if settings.feedback else 0,
        classes,
        None if temperature is None else float(temperature),
    )


def _checked_layers(reservoir: BaseReservoir) -> list[StateEquation]:
    """Return the layers of a reservoir, each of which receives the states of the one before it."""
    layers, members = reservoir.state_equations(), getattr(reservoir, "layers_", [reservoir])
    if layers is None or len(layers) != len(members):
        raise ValueError(
            "model must have a Reservoir, an IntrinsicPlasticityReservoir, a MemoryReservoir or a "
            f"DeepReservoir of the first two, got {reservoir!r}: only these have state equations "
            "that can be exported"
        )
    return layers
