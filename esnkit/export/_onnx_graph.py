"""Graphs of ONNX: one time step, by itself or in a loop over the rows of a sequence."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Graph", "Recurrence", "Sizes", "assemble", "import_onnx", "scan"]

# The oldest versions that have all operators of the graphs, so that older runtimes run them.
OPSET, IR_VERSION = 17, 8


def import_onnx() -> Any:
    """Return the package onnx, or raise with the way to get it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("to_onnx needs onnx: pip install 'esnkit[onnx]'") from error
    return onnx


class Graph:
    """Nodes and weights of a graph that is being written; values are their names."""

    def __init__(self, dtype: Any):
        self.onnx, self.dtype = import_onnx(), np.dtype(dtype)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._n_values = 0

    def constant(self, values: Any, name: str | None = None) -> str:
        """Add an array: integers as indices, all else in the dtype of the model."""
        array = np.asarray(values)
        kept = np.int64 if array.dtype.kind in "iu" else self.dtype
        name = name or self.name()
        array = np.array(array, kept, order="C")
        self.weights.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one output, and return it."""
        (output,) = self.ops(kind, *inputs, n_outputs=1, **attributes)
        return output

    def ops(self, kind: str, *inputs: str, n_outputs: int, **attributes: Any) -> list[str]:
        """Add an operator, and return its outputs."""
        outputs = [self.name() for _ in range(n_outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, outputs, **attributes))
        return outputs

    def affine(self, coef: np.ndarray, rows: str, intercept: np.ndarray) -> str:
        """Return coef @ row + intercept for one row, or for each of several."""
        product = self.op("MatMul", rows, self.constant(coef.T))
        return self.op("Add", product, self.constant(intercept))

    def value(self, name: str, shape: tuple[Any, ...], dtype: Any = None) -> Any:
        """Return the declaration of an input or output."""
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype or self.dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)

    def vectors(self, names: list[str], sizes: list[int]) -> list[Any]:
        """Return the declarations of vectors."""
        pairs = zip(names, sizes, strict=True)
        return [self.value(name, (size,)) for name, size in pairs]

    def name(self) -> str:
        """Return the name of a new value."""
        self._n_values += 1
        return f"v{self._n_values}"


class Recurrence(NamedTuple):
    """A network: what runs over its inputs, and what becomes of the rows that this gives."""

    run: Callable[[Graph, str, str], tuple[str, str | None]]  # (X, state) -> (rows, last state)
    read: Callable[[Graph, str], dict[str, str]]  # of these rows: outputs by name
    n_inputs: int
    n_outputs: int
    initial_state: np.ndarray
    classes: np.ndarray | None = None
    input_dtype: Any = None  # None: that of the model
    pools: bool = False  # whether `read` makes one row of those of a sequence


class Sizes(NamedTuple):
    """Widths of what goes into a time step, and of what it gives."""

    row: int
    states: list[int]
    given: int


def assemble(recurrence: Recurrence, dtype: Any, is_loop: bool) -> Any:
    """Return the model: of one row of inputs, or with ``is_loop`` of those of a sequence."""
    graph, helper = Graph(dtype), import_onnx().helper
    start = graph.constant(recurrence.initial_state, "initial_state")  # unless another is given
    rows, last = recurrence.run(graph, "X", start)
    outputs = recurrence.read(graph, rows)
    n_state, steps = recurrence.initial_state.size, ("n_timesteps",) * is_loop
    rows_out = () if recurrence.pools else steps
    shapes: dict[str, tuple] = {name: (*rows_out, recurrence.n_outputs) for name in outputs}
    if last is not None:
        outputs["last_state"], shapes["last_state"] = last, (n_state,)
    for name, value in outputs.items():
        graph.nodes.append(helper.make_node("Identity", [value], [name]))
    made = helper.make_graph(
        graph.nodes,
        "esnkit",
        [
            graph.value("X", (*steps, recurrence.n_inputs), recurrence.input_dtype),
            graph.value("initial_state", (n_state,)),
        ],
        [graph.value(name, shape) for name, shape in shapes.items()],
        graph.weights,
    )
    return _model(made, recurrence.classes)


def scan(
    graph: Graph,
    step: Callable[..., tuple[str, list[str]]],
    rows: str,
    starts: list[str],
    sizes: Sizes,
    reverse: bool = False,
) -> tuple[str, list[str]]:
    """Add a loop over rows, from the last to the first with ``reverse``.

    ``step(graph, row, *states)`` returns the row that it gives and the next states. Returns all
    rows given, in the order of ``rows``, and the last states.
    """
    outer, graph.nodes = graph.nodes, []
    row, *states = (graph.name() for _ in range(1 + len(starts)))
    given, following = step(graph, row, *states)
    given = graph.op("Identity", given)  # two outputs of a body are two values
    inputs = graph.vectors([*states, row], [*sizes.states, sizes.row])
    outputs = graph.vectors([*following, given], [*sizes.states, sizes.given])
    body = graph.onnx.helper.make_graph(graph.nodes, graph.name(), inputs, outputs)
    graph.nodes = outer
    *last, all_given = graph.ops(
        "Scan",
        *starts,
        rows,
        n_outputs=1 + len(starts),
        body=body,
        num_scan_inputs=1,
        scan_input_directions=[int(reverse)],
        scan_output_directions=[int(reverse)],
    )
    return all_given, last


def _model(graph: Any, classes: np.ndarray | None) -> Any:
    """Return the checked model, with the labels of the classes as JSON in its metadata."""
    onnx = import_onnx()
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(
        graph, producer_name="esnkit", opset_imports=[opset], ir_version=IR_VERSION
    )
    if classes is not None:
        labels = json.dumps(classes.tolist(), default=str)
        onnx.helper.set_model_props(model, {"classes": labels})
    onnx.checker.check_model(model)
    return model
