"""Trained networks as graphs of ONNX.

The operators RNN, LSTM and GRU of ONNX run in single precision only under onnxruntime, and not as
single steps: the cells are written with elementary operators.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from esnkit.export._onnx_graph import Graph, Recurrence, Sizes, scan
from esnkit.kernels.simd.elementary import MAX_ARGUMENT
from esnkit.networks import CELLS, RNNClassifier, RNNRegressor
from esnkit.networks._bptt import eigenvalues_of
from esnkit.networks._generation import first_state
from esnkit.networks._spec import Layer, Spec, parameter_views
from esnkit.utils._validation import check_fitted

__all__ = ["is_network", "network_recurrence"]


def is_network(model: Any) -> bool:
    """Return whether a model is a trained network that can be exported."""
    return isinstance(model, RNNRegressor | RNNClassifier)


def network_recurrence(model: Any, form: str) -> Recurrence:
    """Return a fitted network as one time step, or raise if it has no such form."""
    check_fitted(model, "_theta")
    spec, theta = model._spec, model._theta
    if spec.cell not in CELL_STEPS:
        cells = [CELLS[key].description for key in CELL_STEPS]
        raise ValueError(
            f"model must have one of the cells {cells}, got {spec.cell_record.description}"
        )
    if form == "step" and not spec.is_causal:
        raise ValueError(
            "form='step' needs bidirectional=False, and a target for every time step or "
            f"pooling='last', got bidirectional={spec.bidirectional} and "
            f"pooling={spec.pooling!r}: use form='sequence'"
        )
    parameters = parameter_views(spec, theta)
    pooling = None if form == "step" else spec.pooling
    return Recurrence(
        partial(_run, spec, parameters, form == "sequence"),
        partial(_read, spec, parameters, pooling),
        1 if spec.tokens else spec.n_features,
        spec.n_outputs,
        first_state(spec, theta, None)[0],
        getattr(model, "classes_", None),
        np.int64 if spec.tokens else None,
        pooling is not None,
    )


def _run(
    spec: Spec, parameters: dict, is_loop: bool, graph: Graph, X: str, start: str
) -> tuple[str, str | None]:
    """Add all layers for one row or a sequence; return the states of the last layer and of all."""
    blocks = _split(graph, start, spec.n_state // spec.n_units, spec.n_units)
    n_blocks = spec.n_layers * spec.n_directions  # then as many with the cell states
    rows, given = _embedded(spec, parameters, graph, X), []
    for layer in spec.layers():
        own = slice(layer.position, None, n_blocks)
        step = partial(_step, spec, parameters, layer)
        if is_loop:
            sizes = Sizes(layer.width, [spec.n_units] * len(blocks[own]), spec.n_units)
            states, blocks[own] = scan(graph, step, rows, blocks[own], sizes, layer.reverse)
        else:
            states, blocks[own] = step(graph, rows, *blocks[own])
        given.append(states)
        if len(given) == spec.n_directions:
            rows, given = _joined(graph, given, -1), []
    return rows, None if spec.bidirectional else _joined(graph, blocks, 0)


def _step(
    spec: Spec, parameters: dict, layer: Layer, graph: Graph, row: str, *states: str
) -> tuple[str, list[str]]:
    """Add a time step of a layer, and return its hidden state and all states."""
    weights = [parameters[f"M_{layer.name}"]]
    if spec.cell_record.has_eigenvalues:
        weights.append(eigenvalues_of(spec, parameters, layer))
    following = CELL_STEPS[spec.cell](graph, *weights, row, *states)
    return following[0], following


def _joined(graph: Graph, parts: list[str], axis: int) -> str:
    return parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=axis)


def _embedded(spec: Spec, parameters: dict, graph: Graph, X: str) -> str:
    """Return the inputs of the first layer: rows, or the vectors of tokens."""
    if not spec.tokens:
        return X
    table = parameters["embedding"] if spec.embedding_dim else np.eye(spec.n_features)
    # The runtime counts negative indices from the end, and refuses those that are too large.
    is_negative = graph.op("Less", X, graph.constant(0))
    tokens = graph.op("Where", is_negative, graph.constant(len(table)), X)
    vectors = graph.op("Gather", graph.constant(table), tokens)
    return graph.op("Squeeze", vectors, graph.constant([-2]))


def _split(graph: Graph, vector: str, n_blocks: int, size: int) -> list[str]:
    sizes = graph.constant([size] * n_blocks)
    return graph.ops("Split", vector, sizes, n_outputs=n_blocks)


def _gates(graph: Graph, M: np.ndarray, x: str, h: str) -> str:
    """Return M [x; h; 1]."""
    return graph.affine(M[:, :-1], graph.op("Concat", x, h, axis=0), M[:, -1])


def _plain(kind: str, graph: Graph, M: np.ndarray, x: str, h: str) -> list[str]:
    """Add h = f(z)."""
    return [graph.op(kind, _gates(graph, M, x, h))]


def _lstm(graph: Graph, M: np.ndarray, x: str, h: str, c: str) -> list[str]:
    """Add c = f c' + i g, h = o tanh(c)."""
    i, f, g, o = _split(graph, _gates(graph, M, x, h), 4, len(M) // 4)
    i, f, o = (graph.op("Sigmoid", gate) for gate in (i, f, o))
    new = graph.op("Mul", i, graph.op("Tanh", g))
    c = graph.op("Add", graph.op("Mul", f, c), new)
    return [graph.op("Mul", o, graph.op("Tanh", c)), c]


def _gru(graph: Graph, M: np.ndarray, x: str, h: str) -> list[str]:
    """Add h = u h' + (1 - u) n, n = tanh(nx + r nh)."""
    r, u, nx, nh = _split(graph, _gates(graph, M, x, h), 4, len(M) // 4)
    r, u = graph.op("Sigmoid", r), graph.op("Sigmoid", u)
    n = graph.op("Tanh", graph.op("Add", nx, graph.op("Mul", r, nh)))
    return [_mixed(graph, u, h, n)]


def _gru_before(graph: Graph, M: np.ndarray, x: str, h: str) -> list[str]:
    """Add h = u h' + (1 - u) n, n = tanh(W [x; r h'; 1])."""
    n_units = len(M) // 3
    r, u = _split(graph, _gates(graph, M[: 2 * n_units], x, h), 2, n_units)
    r, u = graph.op("Sigmoid", r), graph.op("Sigmoid", u)
    n = graph.op("Tanh", _gates(graph, M[2 * n_units :], x, graph.op("Mul", r, h)))
    return [_mixed(graph, u, h, n)]


def _gates_of_inputs(graph: Graph, M: np.ndarray, x: str, n_gates: int) -> list[str]:
    """Return the gates of M [x; 1]."""
    return _split(graph, graph.affine(M[:, :-1], x, M[:, -1]), n_gates, len(M) // n_gates)


def _min_gru(graph: Graph, M: np.ndarray, x: str, h: str) -> list[str]:
    """Add h = u h' + (1 - u) n."""
    u, n = _gates_of_inputs(graph, M, x, 2)
    return [_mixed(graph, graph.op("Sigmoid", u), h, n)]


def _min_lstm(graph: Graph, M: np.ndarray, x: str, h: str) -> list[str]:
    """Add h = k h' + (1 - k) n, k = f / (f + i) of the sigmoids f and i.

    The sigmoid of onnxruntime has no relative precision near zero, where both may be: k is written
    with their reciprocals, 1 + exp(-z).
    """
    *gates, n = _gates_of_inputs(graph, M, x, 3)
    one, limit = graph.constant(1.0), graph.constant(MAX_ARGUMENT)
    i, f = (graph.op("Min", graph.op("Neg", gate), limit) for gate in gates)
    i, f = (graph.op("Add", one, graph.op("Exp", z)) for z in (i, f))
    return [_mixed(graph, graph.op("Div", i, graph.op("Add", i, f)), h, n)]


def _lru(graph: Graph, M: np.ndarray, E: np.ndarray, x: str, h: str, c: str) -> list[str]:
    """Add c = l c' + s v, h = c sigmoid(z + c), the real parts of c and v before the others."""
    v, z = _gates_of_inputs(graph, M, x, 2)
    l_re, l_im, s = (np.concatenate([row, row]) for row in E)
    turned = graph.op("Concat", *_split(graph, c, 2, E.shape[1])[::-1], axis=0)
    l_im[: E.shape[1]] *= -1  # Re (l c) = Re l Re c - Im l Im c
    terms = [graph.op("Mul", graph.constant(a), b) for a, b in ((l_re, c), (l_im, turned), (s, v))]
    c = graph.op("Add", graph.op("Add", terms[0], terms[1]), terms[2])
    return [graph.op("Mul", c, graph.op("Sigmoid", graph.op("Add", z, c))), c]


def _mixed(graph: Graph, u: str, h: str, n: str) -> str:
    """Return n + u (h - n)."""
    return graph.op("Add", n, graph.op("Mul", u, graph.op("Sub", h, n)))


CELL_STEPS: dict[str, Callable[..., list[str]]] = {
    "lstm": _lstm,
    "gru": _gru,
    "gru_before": _gru_before,
    "tanh": partial(_plain, "Tanh"),
    "relu": partial(_plain, "Relu"),
    "mingru": _min_gru,
    "minlstm": _min_lstm,
    "lru": _lru,
}


def _read(
    spec: Spec, parameters: dict, pooling: str | None, graph: Graph, rows: str
) -> dict[str, str]:
    """Return the outputs by name: the head, of the pooled states where there is a pooling."""
    if pooling is not None:
        rows = POOLING_STEPS[pooling](graph, spec, parameters, rows)
    if spec.head:
        outputs = graph.affine(parameters["head_W"], rows, parameters["head_b"])
    else:
        outputs = graph.op("Gather", rows, graph.constant(np.arange(spec.n_outputs)), axis=-1)
    if spec.loss != "softmax":
        return {"y": outputs}
    return {"scores": outputs, "probabilities": graph.op("Softmax", outputs, axis=-1)}


def _last(graph: Graph, spec: Spec, parameters: dict, rows: str) -> str:
    """Return the last states of the forward direction, and the first ones of the other."""
    last = graph.op("Gather", rows, graph.constant(-1), axis=0)
    if not spec.bidirectional:
        return last
    first = graph.op("Gather", rows, graph.constant(0), axis=0)
    forwards, _ = _split(graph, last, 2, spec.n_units)
    _, backwards = _split(graph, first, 2, spec.n_units)
    return graph.op("Concat", forwards, backwards, axis=0)


def _mean(graph: Graph, spec: Spec, parameters: dict, rows: str) -> str:
    return graph.op("ReduceMean", rows, axes=[0], keepdims=0)


def _max(graph: Graph, spec: Spec, parameters: dict, rows: str) -> str:
    return graph.op("ReduceMax", rows, axes=[0], keepdims=0)


def _attention(graph: Graph, spec: Spec, parameters: dict, rows: str) -> str:
    """Return the mean with the weights softmax(v . tanh(W h + b)) over the time steps."""
    hidden = graph.affine(parameters["attention_W"], rows, parameters["attention_b"])
    v = graph.constant(parameters["attention_v"])
    scores = graph.op("MatMul", graph.op("Tanh", hidden), v)
    return graph.op("MatMul", graph.op("Softmax", scores, axis=0), rows)


POOLING_STEPS: dict[str, Callable[..., str]] = {
    "last": _last,
    "mean": _mean,
    "max": _max,
    "attention": _attention,
}
