"""The choice of a layout for W, and what it holds."""

import numpy as np
import pytest
import scipy.sparse as sp
from reservoir_problems import as_dense

from esnkit.kernels import layouts
from esnkit.kernels.layouts import Csr, Diagonals, Ell, lay_out, lay_out_inputs
from esnkit.reservoirs.topologies import make_topology


def matrix(name, n_units, degree=10):
    return make_topology(name, n_units, np.random.default_rng(0), degree=degree)


def with_a_full_row(n_units):
    W = matrix("random", n_units, 3).tolil()
    W[1] = 1.0
    return sp.csr_array(W)


MATRICES = {
    "few diagonals": (matrix("diagonals", 60), Diagonals, False),
    "many diagonals": (matrix("diagonals", 200, 40), Diagonals, True),
    "full": (matrix("dense", 20), Diagonals, False),
    "cycle": (matrix("cycle", 7), Diagonals, False),
    "rows of one length": (matrix("random", 100), Ell, True),
    "one long row": (with_a_full_row(100), Csr, True),
    "one unit": (sp.csr_array([[0.5]]), Diagonals, False),
    "nothing": (sp.csr_array((5, 5)), Diagonals, False),
}
every_matrix = pytest.mark.parametrize("W, layout, in_lanes", MATRICES.values(), ids=MATRICES)


@every_matrix
def test_the_layout_suits_the_pattern_and_holds_every_entry(W, layout, in_lanes):
    chosen, lanes = lay_out(W)
    assert isinstance(chosen, layout) and (lanes is not None) == in_lanes
    np.testing.assert_array_equal(as_dense(chosen, W.shape[0]), W.toarray())
    if lanes is not None:
        np.testing.assert_array_equal(as_dense(lanes, W.shape[0]), W.toarray())


def terms_in_order(W, row, n_units):
    """List the non-zero weights of a row in the order in which a layout sums them."""
    if isinstance(W, Csr):
        return W.weights[W.indptr[row] : W.indptr[row + 1]].tolist()
    return [weight for weight in W.weights[:, row].tolist() if weight]


@every_matrix
def test_lanes_sum_the_entries_of_a_row_in_the_same_order(W, layout, in_lanes):
    chosen, lanes = lay_out(W)
    for row in range(W.shape[0]) if in_lanes else ():
        orders = (terms_in_order(w, row, W.shape[0]) for w in (chosen, lanes))
        np.testing.assert_array_equal(*orders)


def test_uncompiled_code_has_no_lanes(monkeypatch):
    monkeypatch.setattr(layouts, "is_compiled", lambda: False)
    assert lay_out(matrix("random", 100))[1] is None


def test_the_matrix_is_left_as_it_is():
    W = matrix("random", 100)
    before = W.toarray()
    layout, _ = lay_out(W)
    layout.weights[:] = 0
    np.testing.assert_array_equal(W.toarray(), before)


@pytest.mark.parametrize(("n_features", "n_entries"), [(32, 2), (31, 0)])
def test_few_input_weights_are_entries_in_the_order_of_the_features(n_features, n_entries):
    w_in = np.zeros((n_features, 5))
    w_in[[3, 9, 4], [1, 1, 4]] = [1.0, 2.0, 3.0]
    laid_out = lay_out_inputs(w_in, *np.zeros((3, 5)))
    assert laid_out.entries.shape == (n_entries, 5 if n_entries else 0)
    if n_entries:
        assert laid_out.columns[:, 1].tolist() == [3, 9]
        found = np.zeros_like(w_in)
        np.add.at(found, (laid_out.columns, np.arange(5)), laid_out.entries)
        assert np.array_equal(found, w_in)


def test_no_input_has_no_entries():
    assert lay_out_inputs(np.zeros((0, 5)), *np.zeros((3, 5))).entries.size == 0
