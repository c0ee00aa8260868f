"""Fitted models in the format of ONNX, which many runtimes and languages read."""

from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from esnkit.export._fitted_step import FittedStep, fitted_step
from esnkit.export._onnx_graph import Graph, Recurrence, Sizes, assemble, import_onnx, scan
from esnkit.reservoirs._state_equation import StateEquation
from esnkit.utils._validation import check_choice

__all__ = ["to_onnx"]

ACTIVATIONS = {"tanh": "Tanh", "identity": "Identity", "relu": "Relu", "sigmoid": "Sigmoid"}
MAX_GATHERED = 1 / 8  # share of the units: from more connections on, a dense product is faster


def to_onnx(model: Any, *, form: str = "sequence") -> Any:
    """Return a fitted network as a model of ONNX.

    Its inputs and outputs, in the dtype of the model:

    - input ``X``: with ``form="sequence"`` a series (n_timesteps, n_features), with ``form="step"``
      one row (n_features,). Tokens are int64 in one column; onnxruntime refuses those that
      ``predict`` refuses;
    - input ``initial_state`` (n_state,), which may be left out: then it is that of ``predict``
      without one. With feedback, the last outputs are appended to the states. (onnxruntime
      mentions the optional input when it loads the model, unless its ``log_severity_level`` is 3);
    - output ``y``, the predictions (n_timesteps, n_outputs) or (n_outputs,), or ``scores`` of a
      classifier (..., n_classes), with ``probabilities`` from a trained network, or from a ridge
      readout with ``scoring="classification"``, as by default. The labels of the classes are a JSON
      list in the metadata, under the key "classes". Of one target for every sequence there is one
      row (n_outputs,);
    - output ``last_state`` (n_state,), which as ``initial_state`` continues the series; with
      ``bidirectional=True`` there is none.

    Parameters
    ----------
    model : ESNRegressor, ESNClassifier, ReservoirRegressor, ReservoirClassifier, RNNRegressor \
            or RNNClassifier
        A model with a reservoir must be fitted to a target for every time step, with a
        :class:`Reservoir`, an :class:`IntrinsicPlasticityReservoir`, a :class:`MemoryReservoir` or
        a :class:`DeepReservoir` of the first two, and a linear readout of this package. A trained
        network must, for ``form="step"``, have ``bidirectional=False``, and a target for every time
        step or ``pooling="last"``.
    form : {"sequence", "step"}, default="sequence"
        Whether the model runs a whole series or a single time step.

    Returns
    -------
    onnx.ModelProto
        ``onnx.save(to_onnx(model), "model.onnx")`` writes it to a file.

    Raises
    ------
    ImportError
        Without ``pip install 'esnkit[onnx]'``.
    TypeError
        If ``model`` is no such estimator, such as a pipeline.
    ValueError
        If the model is not of this kind, with the way out.

    Examples
    --------
    ::

        model = ESNRegressor(100, random_state=0).fit(X, y)
        session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
        y, last_state = session.run(["y", "last_state"], {"X": X})

    The forms:

    >>> from esnkit import ESNRegressor
    >>> from esnkit.export import to_onnx
    >>> model = ESNRegressor(20, random_state=0).fit([[0.0], [1.0], [0.5]], [1.0, 0.5, 0.2])
    >>> to_onnx(model, form="batch")
    Traceback (most recent call last):
    ValueError: form must be one of ['sequence', 'step'], got 'batch'
    """
    check_choice("form", form, ("sequence", "step"))
    recurrence, dtype = _recurrence_of(model, form)
    import_onnx()
    return assemble(recurrence, dtype, form == "sequence")


def _recurrence_of(model: Any, form: str) -> tuple[Recurrence, np.dtype]:
    """Return a fitted model as one time step, and its dtype."""
    # Here, as other exports do not wait for the trained networks.
    from esnkit.export._onnx_networks import is_network, network_recurrence

    if is_network(model):
        return network_recurrence(model, form), model._theta.dtype
    step = fitted_step(model, ", or an RNNRegressor or RNNClassifier")
    recurrence = Recurrence(
        partial(_run, step, form == "sequence"),
        partial(_read, step),
        step.n_inputs,
        step.n_outputs,
        np.zeros(step.n_units + step.n_fed),
        step.classes,
    )
    return recurrence, step.dtype


def _run(step: FittedStep, is_loop: bool, graph: Graph, X: str, start: str) -> tuple[str, str]:
    """Add one time step, or all of a sequence, and return the outputs and the last state."""
    if not is_loop:
        outputs, (last,) = _step(step, graph, X, start)
        return outputs, last
    sizes = Sizes(step.n_inputs, [step.n_units + step.n_fed], step.n_outputs)
    outputs, (last,) = scan(graph, partial(_step, step), X, [start], sizes)
    return outputs, last


def _step(step: FittedStep, graph: Graph, row: str, state: str) -> tuple[str, list[str]]:
    """Add a time step, and return the outputs and the next state."""
    sizes = [layer.bias.size for layer in step.layers]
    if step.n_fed:
        sizes.append(step.n_fed)
    states = [state]
    if len(sizes) > 1:
        states = graph.ops("Split", state, graph.constant(sizes), n_outputs=len(sizes))
    if step.n_fed:
        row = graph.op("Concat", states.pop(), row, axis=0)
    received, following = row, []
    for layer, before in zip(step.layers, states, strict=True):
        received = _next_state(graph, layer, before, received)
        following.append(received)
    features = [_half_squared(graph, following, step.n_units)] if step.quadratic else following
    features = [*features, row] if step.include_input else features
    outputs = graph.affine(step.coef, _joined(graph, features), step.intercept)
    return outputs, [_joined(graph, [*following, outputs] if step.n_fed else following)]


def _half_squared(graph: Graph, states: list[str], n_units: int) -> str:
    """Add the states of all layers, every second one squared."""
    return graph.op("Pow", _joined(graph, states), graph.constant(1.0 + np.arange(n_units) % 2))


def _joined(graph: Graph, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=0)


def _next_state(graph: Graph, layer: StateEquation, before: str, received: str) -> str:
    """Add x(t) = k P x(t-1) + g f(W x(t-1) + W_in u(t) + b)."""
    forced = graph.affine(layer.input_weights, received, layer.bias)
    pre = graph.op("Add", _recurrent(graph, layer.recurrent, before), forced)
    active = graph.op(ACTIVATIONS[layer.activation], pre)
    gain, keep, shift = layer.rates
    if shift:
        units = (np.arange(keep.size) + shift) % keep.size
        before = graph.op("Gather", before, graph.constant(units))
    kept = graph.op("Mul", before, graph.constant(keep))
    return graph.op("Add", kept, graph.op("Mul", active, graph.constant(gain)))


def _recurrent(graph: Graph, W: sp.csr_array, state: str) -> str:
    """Add W x; of few connections into each unit, the sum over these alone."""
    degrees = np.diff(W.indptr)
    most, n_units = int(degrees.max()), W.shape[0]
    if most == 0 or most > MAX_GATHERED * n_units:
        return graph.op("MatMul", state, graph.constant(W.toarray().T))
    filled = np.arange(most) < degrees[:, np.newaxis]
    columns, weights = np.zeros((n_units, most), np.int64), np.zeros((n_units, most), W.dtype)
    columns[filled], weights[filled] = W.indices, W.data
    gathered = graph.op("Gather", state, graph.constant(columns))
    products = graph.op("Mul", gathered, graph.constant(weights))
    return graph.op("ReduceSum", products, graph.constant([1]), keepdims=0)


def _read(step: FittedStep, graph: Graph, outputs: str) -> dict[str, str]:
    """Return the outputs by name, and add the probabilities of a classifier."""
    if step.classes is None:
        return {"y": outputs}
    if step.temperature is None:
        return {"scores": outputs}
    scaled = graph.op("Div", outputs, graph.constant(step.temperature))
    return {"scores": outputs, "probabilities": graph.op("Softmax", scaled, axis=-1)}
