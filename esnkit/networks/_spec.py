"""The specification of a recurrent network, and its parameters in one flat vector ``theta``.

Input and recurrent weights and biases of a layer are one matrix M, see `Gate` in `_cells.py`.
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from esnkit.networks._cells import CELLS, Cell
from esnkit.utils._plain_state import plain_record

__all__ = [
    "POOLINGS",
    "Pooling",
    "Spec",
    "consecutive_slices",
    "describe_changes",
    "n_parameters",
    "parameter_slices",
    "parameter_views",
    "state_columns",
    "weight_decay_mask",
]


class Pooling(NamedTuple):
    """A way from the states of all time steps of a sequence to one row."""

    reads_last: bool = False  # whether the last state is enough
    has_weights: bool = False  # whether it has parameters: attention_W, attention_b, attention_v


POOLINGS = {
    "last": Pooling(reads_last=True),
    "mean": Pooling(),
    "max": Pooling(),
    "attention": Pooling(has_weights=True),
}


class Layer(NamedTuple):
    """One layer in one direction."""

    name: str
    width: int  # of its input rows
    reverse: bool
    position: int  # among all layers and directions


@plain_record
class Spec(NamedTuple):
    """Architecture of a network: hashable, with all sizes known."""

    cell: str  # a key of CELLS
    n_units: int
    n_features: int  # columns of an input row, or the number of tokens
    n_outputs: int
    n_layers: int = 1
    bidirectional: bool = False
    tokens: bool = False  # whether inputs are integers in [0, n_features)
    embedding_dim: int = 0  # 0: tokens are one-hot
    pooling: str | None = None  # a key of POOLINGS; None: an output row per time step
    head: bool = True  # False: the outputs are the first units of the last layer
    loss: str = "squared"  # a key of LOSSES
    learn_state: bool = False  # whether the initial state is a parameter
    cell_state: float = 0.0  # initial value of cell states that are not learned

    @property
    def cell_record(self) -> Cell:
        """The record of the cell."""
        return CELLS[self.cell]

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
        """Width of a state row: the hidden states of all layers, then their cell states."""
        return self.n_hidden * (2 if self.cell_record.has_cell_state else 1)

    @property
    def n_recurrent(self) -> int:
        """Number of columns of M that multiply states."""
        return self.n_units if self.cell_record.uses_states else 0

    @property
    def n_inputs(self) -> int:
        """Width of the input rows of the first layer."""
        return self.embedding_dim or self.n_features

    @property
    def has_attention(self) -> bool:
        """Whether the network has an attention pooling."""
        return self.pooling is not None and POOLINGS[self.pooling].has_weights

    @property
    def is_causal(self) -> bool:
        """Whether the output after a time step depends on the state at that step alone."""
        reads_last = self.pooling is None or POOLINGS[self.pooling].reads_last
        return reads_last and not self.bidirectional

    def layers(self) -> tuple[Layer, ...]:
        """List every layer in every direction, from the input up."""
        return _layers(self)


# Cached, as every update asks for these.
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
    """Return slice and shape of every named array in ``theta``, in order."""
    shapes: dict[str, tuple[int, ...]] = {}
    if spec.embedding_dim:
        shapes["embedding"] = (spec.n_features, spec.embedding_dim)
    n_rows = len(spec.cell_record.gates) * spec.n_units
    for layer in spec.layers():
        shapes[f"M_{layer.name}"] = (n_rows, layer.width + spec.n_recurrent + 1)
        if spec.cell_record.has_eigenvalues:
            shapes[f"exponents_{layer.name}"] = (3, spec.n_units // 2)
    if spec.learn_state:
        shapes["initial_state"] = (spec.n_state,)
    width = spec.n_directions * spec.n_units
    if spec.has_attention:
        shapes |= {"attention_W": (width, width), "attention_b": (width,)}
        shapes["attention_v"] = (width,)
    if spec.head:
        shapes |= {"head_W": (spec.n_outputs, width), "head_b": (spec.n_outputs,)}
    return consecutive_slices(shapes)


def consecutive_slices(
    shapes: dict[str, tuple[int, ...]],
) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return slice and shape of named arrays that lie one after the other in a vector."""
    found, start = {}, 0
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        found[name] = slice(start, stop), shape
        start = stop
    return found


def parameter_views(spec: Spec, theta: np.ndarray) -> dict[str, np.ndarray]:
    """Return the named arrays in ``theta`` as views: writing to them changes it."""
    return {name: theta[at].reshape(shape) for name, (at, shape) in parameter_slices(spec).items()}


def n_parameters(spec: Spec) -> int:
    """Return the length of ``theta``."""
    return max((at.stop for at, _ in parameter_slices(spec).values()), default=0)


@lru_cache(maxsize=8)
def weight_decay_mask(spec: Spec) -> np.ndarray:
    """Return a mask of the entries of ``theta`` that the L2 penalty covers: no biases or states."""
    mask = np.ones(n_parameters(spec), dtype=bool)
    for name, view in parameter_views(spec, mask).items():
        if name.startswith("M_"):
            view[:, -1] = False
        elif name.startswith(("exponents_", "initial_state", "attention_b", "head_b")):
            view[:] = False
    return mask


@lru_cache(maxsize=64)
def state_columns(spec: Spec, position: int) -> tuple[slice, slice | None]:
    """Return the columns of a state row with the states, and any cell states, of a layer."""
    first = position * spec.n_units
    units = slice(first, first + spec.n_units)
    if not spec.cell_record.has_cell_state:
        return units, None
    return units, slice(spec.n_hidden + first, spec.n_hidden + first + spec.n_units)


def describe_changes(before: Any, after: Any, prefix: str = "") -> str:
    """Name the fields in which two records, or records within them, differ; "" if in none."""
    pairs = zip(before._fields, before, after, strict=True)
    return ", ".join(
        describe_changes(old, new, f"{name}.")
        if hasattr(old, "_fields")
        else f"{prefix}{name} was {old!r} and is now {new!r}"
        for name, old, new in pairs
        if old != new
    )
