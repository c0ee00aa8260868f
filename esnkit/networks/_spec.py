"""What a recurrent network is made of, and where its parts lie in one flat parameter vector."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from esnkit.kernels.cells import GRU_AFTER, GRU_BEFORE, LSTM, N_GATES, RNN_RELU, RNN_TANH

__all__ = [
    "CELLS",
    "Spec",
    "parameter_slices",
    "n_parameters",
    "weight_decay_mask",
    "consecutive_slices",
    "state_columns",
    "parameter_views",
]

CELLS = {
    "tanh": RNN_TANH,
    "relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU_AFTER,
    "gru_before": GRU_BEFORE,
}


class Layer(NamedTuple):
    """One layer in one direction."""

    name: str
    width: int  # of its input rows
    reverse: bool
    position: int  # among all layers and directions


class Spec(NamedTuple):
    """What network it is; hashable, all sizes known."""

    cell: str  # a key of CELLS
    n_units: int
    n_features: int  # columns of an input row, or the number of tokens
    n_outputs: int
    n_layers: int = 1
    bidirectional: bool = False
    tokens: bool = False  # whether inputs are integers in [0, n_features)
    embedding_dim: int = 0  # 0: tokens are one-hot
    pooling: str | None = None  # None (a row a time step), "last", "mean" or "attention"
    head: bool = True  # False: the outputs are the first units of the last layer
    loss: str = "squared"  # a key of LOSSES
    learn_state: bool = False  # whether the initial state is a parameter
    cell_state: float = 0.0  # where the cell states of an lstm start

    @property
    def n_directions(self) -> int:
        """Number of directions in time, 1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def n_hidden(self) -> int:
        """Number of units of all layers and directions."""
        return self.n_layers * self.n_directions * self.n_units

    @property
    def n_state(self) -> int:
        """Width of a state row: the units of all layers and directions, then their cells."""
        return self.n_hidden * (2 if self.cell == "lstm" else 1)

    @property
    def n_inputs(self) -> int:
        """Width of the rows that the first layer sees."""
        return self.embedding_dim or self.n_features

    def layers(self) -> tuple[Layer, ...]:
        """List every layer in every direction, from the input up."""
        return _layers(self)


# Asked at every update, as is what stands below.
@lru_cache(maxsize=64)
def _layers(spec: Spec) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for layer in range(spec.n_layers):
        width = spec.n_inputs if layer == 0 else spec.n_directions * spec.n_units
        for direction in range(spec.n_directions):
            name = f"{layer}_reverse" if direction else f"{layer}"
            layers.append(Layer(name, width, bool(direction), len(layers)))
    return tuple(layers)


@lru_cache(maxsize=64)
def parameter_slices(spec: Spec) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return place and shape of every named part of ``theta``, in order."""
    shapes: dict[str, tuple[int, ...]] = {}
    if spec.embedding_dim:
        shapes["embedding"] = (spec.n_features, spec.embedding_dim)
    for layer in spec.layers():
        n_rows = N_GATES[CELLS[spec.cell]] * spec.n_units
        shapes[f"M_{layer.name}"] = (n_rows, layer.width + spec.n_units + 1)
    if spec.learn_state:
        shapes["initial_state"] = (spec.n_state,)
    width = spec.n_directions * spec.n_units
    if spec.pooling == "attention":
        shapes |= {"attention_W": (width, width), "attention_b": (width,)}
        shapes["attention_v"] = (width,)
    if spec.head:
        shapes |= {"head_W": (spec.n_outputs, width), "head_b": (spec.n_outputs,)}
    return consecutive_slices(shapes)


def consecutive_slices(
    shapes: dict[str, tuple[int, ...]],
) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return place and shape of named parts that lie end to end in one vector."""
    found, start = {}, 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        found[name] = slice(start, stop), shape
        start = stop
    return found


def parameter_views(spec: Spec, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return the named parts of ``theta``; writing to them writes to it."""
    return {
        name: theta[place].reshape(shape) for name, (place, shape) in parameter_slices(spec).items()
    }


def n_parameters(spec: Spec) -> int:
    """Return the length of ``theta``."""
    return max((place.stop for place, _ in parameter_slices(spec).values()), default=0)


@lru_cache(maxsize=8)
def weight_decay_mask(spec: Spec) -> np.ndarray:
    """Tell which entries of ``theta`` are weights, that is neither biases nor states."""
    weights = np.ones(n_parameters(spec), dtype=bool)
    parts = parameter_views(spec, weights)
    for name, part in parts.items():
        if name.startswith("M_"):
            part[:, -1] = False
        elif name in ("initial_state", "attention_b", "head_b"):
            part[:] = False
    return weights


@lru_cache(maxsize=64)
def state_columns(spec: Spec, position: int) -> tuple[slice, slice | None]:
    """Return the columns of a state row that hold the units of a part, and its cells if any."""
    first = position * spec.n_units
    units = slice(first, first + spec.n_units)
    if spec.cell != "lstm":
        return units, None
    return units, slice(spec.n_hidden + first, spec.n_hidden + first + spec.n_units)
