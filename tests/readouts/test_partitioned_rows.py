"""`RidgeReadout.fit_partitions`: merged sums of partitions give the solution of all rows."""

import functools
import pickle

import numpy as np
import pytest
from classification_problems import classes
from numpy.testing import assert_allclose
from ridge_problems import assert_same_model, blocks_of, data, hilbert_like

from esnkit.readouts import RidgeReadout

EDGES = (0, 7, 150, 151, 290, 400)


def in_partitions(X, Y, w=None, edges=EDGES):
    """Return a reduction over partitions, whose tasks and results travel as bytes."""
    cuts = [slice(*pair) for pair in zip(edges[:-1], edges[1:], strict=True)]

    def reduce(task, merge):
        sent = pickle.dumps(task)
        results = [
            pickle.dumps(pickle.loads(sent)(blocks_of(X[s], Y[s], None if w is None else w[s])()))
            for s in cuts
        ]
        return functools.reduce(merge, map(pickle.loads, results))

    return reduce


def both(readout, X, Y, w=None):
    """Return the readout fitted to all rows, and to partitions."""
    params = readout.get_params()
    whole = RidgeReadout(**params).fit_blocks(blocks_of(X, Y, w))
    example = X[:1], Y[:1], None if w is None else w[:1]
    return whole, readout.fit_partitions(in_partitions(X, Y, w), example)


def weights(kind, shape):
    rng = np.random.default_rng(0)
    w = rng.random(shape if kind == "per output" else shape[0])
    w[EDGES[1] : EDGES[2]] = 0.0  # no row of the second partition counts
    if kind == "per output":
        w[:, 1] = w[:, 0]
        w[30:, 2] = 0.0  # seven rows: fewer than features
    return None if kind is None else w


@pytest.mark.parametrize("kind", [None, "per row", "per output"])
@pytest.mark.parametrize("solver", ["auto", "gram", "qr"])
@pytest.mark.parametrize(("alpha", "standardize"), [(1e-3, False), ([1e-3, 1e-1], True)])
def test_partitions_give_the_solution_of_all_rows(kind, solver, alpha, standardize):
    X, Y = data()
    w = weights(kind, Y.shape)
    readout = RidgeReadout(alpha, solver=solver, standardize=standardize)
    whole, merged = both(readout, X, Y, w)
    assert_same_model(merged, whole)
    assert merged.alpha_ == whole.alpha_
    assert merged.condition_ == pytest.approx(whole.condition_)
    if np.ndim(alpha):
        assert_allclose(merged.loo_scores_, whole.loo_scores_, rtol=1e-9)


@pytest.mark.parametrize("n_features", [12, 420])
@pytest.mark.parametrize("alpha", [1.0, [0.1, 1.0, 10.0]])
def test_partitions_have_the_losses_of_all_rows(n_features, alpha):
    X, Y, w = classes(400, n_features)
    readout = RidgeReadout(alpha, scoring="classification")
    whole, merged = both(readout, X, Y, w)
    assert_same_model(merged, whole)
    assert_allclose(merged.loo_scores_, whole.loo_scores_, rtol=1e-9)
    assert_allclose(merged.loo_log_losses_, whole.loo_log_losses_, rtol=1e-9)
    assert merged.temperature_ == pytest.approx(whole.temperature_, rel=1e-6)


def test_an_imprecise_gram_matrix_is_replaced_by_a_second_pass():
    X, y = hilbert_like(400)
    X[:150] *= 1e4  # the first partitions seem well-conditioned under this alpha
    whole, merged = both(RidgeReadout(1e-9), X, y)
    assert merged.solver_ == whole.solver_ == "qr"
    assert_allclose(merged.predict(X), whole.predict(X), atol=1e-7)


def test_partitions_go_on_with_partial_fit():
    X, Y = data()
    halves = in_partitions(X[:300], Y[:300], edges=(0, 130, 300))
    model = RidgeReadout(1e-3).fit_partitions(halves, (X[:1], Y[:1], None))
    assert_same_model(model.partial_fit(X[300:], Y[300:]), RidgeReadout(1e-3).fit(X, Y))
