"""Hessian-free updates of networks: curvature of a subset, penalty, clamps, memory."""

from functools import partial

import numpy as np
import pytest

from esnkit.networks import _hessian_free_update
from esnkit.networks._hessian_free_update import CurvatureModel, Damping, hessian_free_update
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._spec import Spec, n_parameters, parameter_views
from esnkit.sequences._initial_state import Clamp


def model_of(spec, clamp=None):
    rng = np.random.default_rng(0)
    offsets = np.array([0, 4, 6, 9])
    X, Y = rng.normal(size=(9, spec.n_features)), rng.normal(size=(9, spec.n_outputs))
    theta = rng.normal(0, 0.5, n_parameters(spec))
    return CurvatureModel(spec, SequenceBatch(X, offsets, Y, True, clamp=clamp), 0.0), theta


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_repeated_products_take_no_more_memory(cell):
    model, theta = model_of(Spec(cell, 3, 2, 1, n_layers=2))
    v = np.random.default_rng(1).normal(size=theta.size)
    first = model.product(theta, v, 0.1)
    workspace = model.forward(theta)[1].workspace
    n_blocks, n_used = len(workspace._blocks), workspace.n_used
    model.product(theta, 2 * v, 0.1)
    assert np.array_equal(model.product(theta, v, 0.1), first)
    assert (len(workspace._blocks), workspace.n_used) == (n_blocks, n_used)


def test_the_curvature_of_a_subset_has_the_penalty_of_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    spec, n = Spec("tanh", 3, 2, 1), 150
    offsets, X, Y = 4 * np.arange(n + 1), rng.normal(size=(4 * n, 2)), rng.normal(size=(4 * n, 1))
    data, theta = SequenceBatch(X, offsets, Y, True), rng.normal(0, 0.5, n_parameters(spec))

    def call(record, *args, **named):
        record((args, named))

    def penalty_in(what):
        """Return what a penalty adds to something that an update is given."""
        found = []
        for alpha in 5.0, 0.0:
            given = []
            monkeypatch.setattr(
                _hessian_free_update, "hessian_free_step", partial(call, given.append)
            )
            rng = np.random.default_rng(1)
            hessian_free_update(spec, theta, None, data, rng, alpha=alpha, damping=Damping())
            found.append(what(*given[0]))
        return found[0] - found[1]

    gradient = penalty_in(lambda args, named: args[3](theta))
    product = penalty_in(lambda args, named: args[4](theta, theta, 0.0))
    assert np.count_nonzero(gradient) == 3 * (2 + 3) + 3
    np.testing.assert_allclose(product, gradient, rtol=1e-9, atol=1e-12)
    loss = penalty_in(lambda args, named: args[2](theta))
    assert penalty_in(lambda args, named: named["curvature_loss"](theta)) == pytest.approx(loss)


def test_clamped_units_are_not_damped():
    spec, units = Spec("tanh", 3, 2, 1), np.array([0, 2])
    clamp = Clamp(units, np.random.default_rng(2).uniform(-0.5, 0.5, (9, 2)))
    model, theta = model_of(spec, clamp)
    into = np.zeros(theta.size)
    parameter_views(spec, into)["M_0"][units] = 1.0  # what leads to them moves no state
    assert np.array_equal(model.product(theta, into, 0.7), np.zeros(theta.size))
    parameter_views(spec, into)["M_0"][1] = 1.0
    assert np.any(model.product(theta, into, 0.7) != model.product(theta, into, 0.0))
