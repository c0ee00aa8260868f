"""The trained cells: one record per cell, which is all that other modules know about it.

To add a cell: write its forward, backward and tangent step in ``kernels/``, and add a record here.
"""

from typing import Any, NamedTuple

import numpy as np

from esnkit.kernels.cell_equations import (
    GRU_AFTER,
    GRU_BEFORE,
    LRU,
    LSTM,
    MIN_GRU,
    MIN_LSTM,
    RNN_RELU,
    RNN_TANH,
)
from esnkit.utils._validation import check_choice, check_flag, check_positive_int

__all__ = [
    "CELLS",
    "Cell",
    "Gate",
    "activation_choices",
    "cell_choices",
    "check_n_units",
    "find_cell",
]


class Gate(NamedTuple):
    """A block of ``n_units`` rows of the weight matrix M of a layer.

    M has the columns [inputs, states, bias], without those of the states if no gate uses states.
    Columns that a gate does not use stay zero. A gate
    whose input and recurrent products are kept apart, as the n of a GRU with ``reset_after=True``,
    is two blocks; the blocks that use inputs and those that use states list the gates in the same
    order.
    """

    name: str
    uses_inputs: bool = True
    uses_states: bool = True


class Cell(NamedTuple):
    """One trained cell."""

    family: str  # the value of the estimators' parameter `cell`
    code: int  # the cell in esnkit.kernels.cell_equations
    gates: tuple[Gate, ...]  # in the order of the rows of M, which is PyTorch's
    activation: str | None = None  # the value of `activation`; None: the parameter has no effect
    reset_after: bool | None = None  # likewise
    has_cell_state: bool = False  # whether a cell state c stands beside the hidden state h
    stores_c: bool = False  # whether the forward kernel stores blocks C
    carries_h: bool = False  # whether blocks C are the blocks H: the recurrence is elementwise
    has_eigenvalues: bool = False  # whether a layer has exponents, see `_eigenvalues.py`
    saturates: bool = False  # whether gates and values are bounded, however large the inputs are
    keep_gate: str | None = None  # the gate that is near one where the state is kept
    keep_bias: float = 0.0  # the initial bias of that gate
    write_gate: str | None = None  # the gate that admits new values, if it is not 1 - keep_gate
    # Whether that bias is drawn, for time scales that are log-uniform up to the longest sequence:
    # for gates that do not depend on the state.
    spreads_time_scales: bool = False
    # Whether structural damping applies to the pre-activations instead of the hidden states.
    damps_pre_activations: bool = False
    # Whether the backward kernel sums the weight gradients of two groups of columns separately, so
    # that the two halves of a batch may run as one.
    splits_columns: bool = True
    torch_module: str | None = None  # the class in torch.nn; None: PyTorch has no such cell
    torch_parameters: tuple[tuple[str, Any], ...] = ()  # of the constructor of that class

    @property
    def is_gated(self) -> bool:
        """Whether gates control the state; the only gate of a plain RNN is its output."""
        return len(self.gates) > 1

    @property
    def uses_states(self) -> bool:
        """Whether M multiplies states."""
        return any(gate.uses_states for gate in self.gates)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the estimators that select this cell."""
        chosen = {"activation": self.activation, "reset_after": self.reset_after}
        return {"cell": self.family} | {k: v for k, v in chosen.items() if v is not None}

    @property
    def description(self) -> str:
        """These parameters as they are written in a call."""
        return ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())

    def gate_rows(self, name: str, n_units: int) -> slice:
        """Return the rows of M that belong to a gate."""
        first = [gate.name for gate in self.gates].index(name) * n_units
        return slice(first, first + n_units)

    def input_rows(self, n_units: int) -> np.ndarray:
        """Return a mask of the rows of M that use the inputs."""
        return np.repeat([gate.uses_inputs for gate in self.gates], n_units)

    def state_rows(self, n_units: int) -> np.ndarray:
        """Return a mask of the rows of M that use the states."""
        return np.repeat([gate.uses_states for gate in self.gates], n_units)


CELLS = {
    "lstm": Cell(
        family="lstm",
        code=LSTM,
        gates=(Gate("i"), Gate("f"), Gate("g"), Gate("o")),
        has_cell_state=True,
        stores_c=True,
        saturates=True,
        keep_gate="f",
        keep_bias=1.0,
        write_gate="i",
        torch_module="LSTM",
    ),
    "gru": Cell(
        family="gru",
        code=GRU_AFTER,
        gates=(Gate("r"), Gate("z"), Gate("nx", uses_states=False), Gate("nh", uses_inputs=False)),
        reset_after=True,
        saturates=True,
        keep_gate="z",
        torch_module="GRU",
    ),
    "gru_before": Cell(
        family="gru",
        code=GRU_BEFORE,
        gates=(Gate("r"), Gate("z"), Gate("n")),
        reset_after=False,
        stores_c=True,
        saturates=True,
        keep_gate="z",
        splits_columns=False,
    ),
    "tanh": Cell(
        family="rnn",
        code=RNN_TANH,
        gates=(Gate("h"),),
        activation="tanh",
        saturates=True,
        damps_pre_activations=True,
        torch_module="RNN",
        torch_parameters=(("nonlinearity", "tanh"),),
    ),
    "relu": Cell(
        family="rnn",
        code=RNN_RELU,
        gates=(Gate("h"),),
        activation="relu",
        torch_module="RNN",
        torch_parameters=(("nonlinearity", "relu"),),
    ),
    "mingru": Cell(
        family="mingru",
        code=MIN_GRU,
        gates=(Gate("z", uses_states=False), Gate("n", uses_states=False)),
        carries_h=True,
        keep_gate="z",
        spreads_time_scales=True,
    ),
    "minlstm": Cell(
        family="minlstm",
        code=MIN_LSTM,
        gates=tuple(Gate(name, uses_states=False) for name in "ifn"),
        carries_h=True,
        keep_gate="f",
        spreads_time_scales=True,
        write_gate="i",
    ),
    "lru": Cell(
        family="lru",
        code=LRU,
        gates=(Gate("v", uses_states=False), Gate("o", uses_states=False)),
        has_cell_state=True,
        stores_c=True,
        has_eigenvalues=True,
    ),
}


def cell_choices() -> list[str]:
    """Return the values of the estimators' parameter `cell`."""
    return list(dict.fromkeys(cell.family for cell in CELLS.values()))


def activation_choices() -> list[str]:
    """Return the values of the estimators' parameter `activation`."""
    return [cell.activation for cell in CELLS.values() if cell.activation is not None]


def find_cell(cell: str, activation: str = "tanh", reset_after: bool = True) -> str:
    """Return the key in CELLS that the parameters of an estimator select.

    Raises
    ------
    ValueError
        If there is no such cell or activation.
    TypeError
        If ``reset_after`` is no bool.
    """
    check_choice("cell", cell, cell_choices())
    given = {
        "cell": cell,
        "activation": check_choice("activation", activation, activation_choices()),
        "reset_after": check_flag("reset_after", reset_after),
    }
    return next(key for key, found in CELLS.items() if found.parameters.items() <= given.items())


def check_n_units(n_units: Any, key: str) -> int:
    """Return the number of units of a cell, given by its key in CELLS, or raise."""
    n_units, cell = check_positive_int("n_units", n_units), CELLS[key]
    if cell.has_eigenvalues and n_units % 2:
        raise ValueError(
            f"n_units must be even for cell={cell.family!r}, whose n_units / 2 states are complex, "
            f"got {n_units}: use {n_units + 1}"
        )
    return n_units
