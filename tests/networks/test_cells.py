"""The table of cells: records agree with kernels and PyTorch; no other module knows a name."""

import ast
from pathlib import Path

import numpy as np
import pytest

import esnkit.networks
from esnkit.kernels.cell_equations import CARRIES_C, MULTIPLIES_STATES, N_GATES
from esnkit.networks._cells import (
    CELLS,
    activation_choices,
    cell_choices,
    check_n_units,
    find_cell,
)
from esnkit.networks._initializers import INITS
from esnkit.networks._parameters import STARTS
from esnkit.networks._solvers import solvers
from esnkit.networks._spec import POOLINGS

FOLDER = Path(esnkit.networks.__file__).parent
# The names of every table, and the files that may compare them.
TABLES = [
    ({*CELLS, *cell_choices(), *activation_choices()}, {"_cells"}),
    (set(solvers()), {"_solvers"}),
    (set(INITS), {"_initializers"}),
    (set(STARTS), {"_parameters"}),
    (set(POOLINGS), {"_spec", "_pooling", "_bptt", "_gauss_newton", "_loss_gradient"}),
]

every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def test_codes_are_those_of_the_kernels():
    assert {cell.code: len(cell.gates) for cell in CELLS.values()} == dict(enumerate(N_GATES))


@every_cell
def test_gates_that_are_named_exist(cell):
    names = [gate.name for gate in cell.gates]
    assert len(set(names)) == len(names)
    for name in (cell.keep_gate, cell.write_gate):
        assert name is None or name in names
    assert cell.is_gated == (cell.keep_gate is not None or cell.has_eigenvalues)


@every_cell
def test_blocks_of_inputs_and_of_states_list_the_gates_in_the_same_order(cell):
    inputs, states = cell.input_rows(3), cell.state_rows(3)
    assert len(inputs) == len(states) == 3 * len(cell.gates)
    assert inputs.sum() == states.sum() or not cell.uses_states
    assert np.all(inputs | states)
    for k, gate in enumerate(cell.gates):
        rows = cell.gate_rows(gate.name, 3)
        assert rows == slice(3 * k, 3 * k + 3)
        assert np.all(inputs[rows] == gate.uses_inputs)
        assert np.all(states[rows] == gate.uses_states)


@every_cell
def test_modules_of_pytorch_have_as_many_gates(cell):
    torch = pytest.importorskip("torch")
    if cell.torch_module is not None:
        module = getattr(torch.nn, cell.torch_module)(2, 3, **dict(cell.torch_parameters))
        assert module.weight_ih_l0.shape == (cell.input_rows(3).sum(), 2)
        assert module.weight_hh_l0.shape == (cell.state_rows(3).sum(), 3)


@pytest.mark.parametrize("key", CELLS)
def test_parameters_select_their_record_alone(key):
    assert find_cell(**CELLS[key].parameters) == key
    assert CELLS[key].description.startswith("cell=")


def test_parameters_without_effect_are_ignored_but_checked():
    assert find_cell("lstm", "relu", False) == "lstm"
    assert find_cell("rnn", "relu") == "relu" and find_cell("gru") == "gru"
    with pytest.raises(ValueError, match=r"cell must be one of \['lstm', 'gru', 'rnn', .*got 'x'"):
        find_cell("x")
    with pytest.raises(ValueError, match=r"activation must be one of \['tanh', 'relu'\], got 'x'"):
        find_cell("lstm", "x")
    with pytest.raises(TypeError, match="reset_after must be True or False, got 1"):
        find_cell("lstm", "tanh", 1)


def test_an_lru_has_an_even_number_of_units():
    assert check_n_units(6, "lru") == 6 and check_n_units(5, "mingru") == 5
    with pytest.raises(ValueError, match="n_units must be even for cell='lru', .* got 5: use 6"):
        check_n_units(5, "lru")


@every_cell
def test_tables_of_the_kernels_are_those_of_the_records(cell):
    assert MULTIPLIES_STATES[cell.code] == cell.uses_states
    assert CARRIES_C[cell.code] == (cell.has_cell_state or cell.carries_h)


def strings_compared(path):
    """Yield the strings that a file compares with something."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            for constant in ast.walk(node):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    yield constant.value


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_names_are_compared_only_where_their_table_is(path):
    foreign = set().union(*(names for names, files in TABLES if path.stem not in files))
    assert set(strings_compared(path)) & foreign == set()
