"""Graphs of ONNX: a running sum as a single step and as a loop, and the missing package."""

import sys
from functools import partial

import numpy as np
import pytest

from esnkit.export._onnx_graph import Graph, Recurrence, Sizes, assemble, import_onnx, scan


def add(graph, row, state):
    total = graph.op("Add", row, state)
    return total, [total]


def add_one(graph, X, start):
    return add(graph, X, start)[0], add(graph, X, start)[0]


def add_all(graph, X, start, reverse=False):
    rows, (last,) = scan(graph, add, X, [start], Sizes(1, [1], 1), reverse)
    return rows, last


SUM = Recurrence(add_one, lambda graph, rows: {"y": rows}, 1, 1, np.array([10.0]))
LOOP = SUM._replace(run=add_all)
BACKWARDS = SUM._replace(run=partial(add_all, reverse=True))


@pytest.fixture
def run():
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")

    def run(model, **inputs):
        return runtime.InferenceSession(model.SerializeToString()).run(["y", "last_state"], inputs)

    return run


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_loop_repeats_the_step(run, dtype):
    loop, step = assemble(LOOP, dtype, is_loop=True), assemble(SUM, dtype, is_loop=False)
    y, last = run(loop, X=np.array([[1.0], [2.0], [3.0]], dtype))
    np.testing.assert_array_equal(y, np.array([[11.0], [13.0], [16.0]], dtype), strict=True)
    np.testing.assert_array_equal(last, [16.0])
    y, last = run(step, X=np.array([5.0], dtype), initial_state=np.array([1.0], dtype))
    np.testing.assert_array_equal(y, np.array([6.0], dtype), strict=True)
    np.testing.assert_array_equal(last, [6.0])


def test_a_reversed_loop_gives_its_rows_in_the_order_of_the_inputs(run):
    y, last = run(assemble(BACKWARDS, "f8", is_loop=True), X=np.array([[1.0], [2.0], [3.0]]))
    np.testing.assert_array_equal(y, [[16.0], [15.0], [13.0]])
    np.testing.assert_array_equal(last, [16.0])


def test_labels_of_any_kind_are_in_the_metadata():
    pytest.importorskip("onnx")
    dates = SUM._replace(classes=np.array(["2024-01-01"], "M8[D]"))
    (entry,) = assemble(dates, "f8", is_loop=False).metadata_props
    assert (entry.key, entry.value) == ("classes", '["2024-01-01"]')


def test_indices_stay_integers():
    pytest.importorskip("onnx")
    graph = Graph("f4")
    graph.constant([1]), graph.constant([0.5])
    kinds = [import_onnx().numpy_helper.to_array(weight).dtype for weight in graph.weights]
    assert kinds == [np.int64, np.float32]


def test_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'esnkit\[onnx\]'"):
        import_onnx()
