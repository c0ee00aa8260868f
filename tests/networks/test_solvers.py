"""Solvers: updates of an epoch, clipping, momentum, and optimisers that a user adds."""

import pickle

import numpy as np
import pytest
from training_problems import SPEC, echo, make_data, make_settings, make_trainer, quick

from esnkit.networks._batch import make_batch
from esnkit.networks._loss_gradient import loss_gradient
from esnkit.networks._solvers import solvers
from esnkit.optim._optimizers import OPTIMIZERS, Optimizer


def rmsprop(theta, gradient, state, n_updates, parameters):
    """Divide the gradient by the root of a running mean of its square (Tieleman & Hinton 2012)."""
    state *= 0.9
    state += 0.1 * gradient**2
    theta -= parameters.learning_rate_init * gradient / (np.sqrt(state) + 1e-8)


def test_an_optimiser_is_one_function_and_one_row(monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, "rmsprop", Optimizer(np.zeros_like, rmsprop))
    X, y, _ = echo()
    params = {"solver": "rmsprop", "cell": "gru", "learning_rate_init": 0.01, "batch_size": 10}
    model = quick(**params).fit(X, y)
    assert model.score(X, y) > 0.9
    part = quick(**params, max_iter=20, warm_start=True).fit(X, y)
    assert pickle.loads(pickle.dumps(part)).set_params(max_iter=40).fit(X, y).loss_curve_ == (
        model.loss_curve_
    )
    assert quick(**params, max_iter=1, tbptt=3).fit(X, y).n_iter_ == 1
    with pytest.raises(FloatingPointError, match="use a smaller learning_rate_init"):
        quick(**params | {"learning_rate_init": 1e200}).fit(X, y)
    monkeypatch.delitem(OPTIMIZERS, "rmsprop")
    with pytest.raises(ValueError, match="solver must be one of .*got 'rmsprop'"):
        quick(**params).fit(X, y)


@pytest.mark.parametrize("name", solvers())
def test_an_epoch_changes_the_state_and_returns_loss_and_norm(name):
    data, trainer = make_data(), make_trainer(solver=name)
    theta, solver = trainer.theta.copy(), solvers()[name]
    trainer.epoch(data)
    assert trainer.state.n_updates == (1 if solver.full_batch else 3)
    assert not np.array_equal(trainer.theta, theta)
    (loss,), (norm,) = trainer.loss_curve, trainer.grad_norm_curve
    assert loss > 0 and norm > 0
    assert isinstance(solver.remedy(make_settings()), str)


def test_an_update_is_that_of_the_gradient():
    data = make_data()
    trainer = make_trainer(solver="sgd", momentum=0.0, batch_size=6, alpha=0.3, shuffle=False)
    theta = trainer.theta.copy()
    batch = make_batch(data.inputs, data.offsets)
    loss, gradient, _, _ = loss_gradient(SPEC, theta, batch, data.Y, alpha=0.3)
    assert trainer.epoch(data) == pytest.approx(loss)
    np.testing.assert_allclose(trainer.theta, theta - 1e-3 * gradient, atol=1e-15)
    assert trainer.grad_norm_curve == [pytest.approx(np.linalg.norm(gradient))]


def test_rows_without_weight_change_nothing():
    data = make_data()
    weights = np.zeros(len(data.Y))
    weights[data.offsets[1:] - 1] = 1
    other = data._replace(weights=weights, Y=np.where(weights[:, None] > 0, data.Y, 1e6))
    one, two = make_trainer(), make_trainer()
    one.epoch(data._replace(weights=weights))
    two.epoch(other)
    np.testing.assert_allclose(one.theta, two.theta, rtol=1e-12)


def test_momentum_follows_its_schedule_and_the_look_ahead_point_the_next_one(
    monkeypatch,
):
    monkeypatch.setattr(
        "esnkit.optim._optimizers.momentum_at", lambda name, update, most: 0.1 * update
    )
    data = make_data()
    trainer = make_trainer(
        solver="sgd", momentum_schedule="increasing", batch_size=6, learning_rate_init=0.02
    )
    theta, velocity = trainer.theta.copy(), 0.0
    batch = make_batch(data.inputs, data.offsets)
    for update in range(3):
        trainer.epoch(data)
        slope = loss_gradient(SPEC, theta, batch, data.Y)[1]
        velocity = 0.1 * update * velocity - 0.02 * slope
        theta = theta + 0.1 * (update + 1) * velocity - 0.02 * slope
        np.testing.assert_allclose(trainer.theta, theta, atol=1e-14)


def test_gradients_are_clipped_and_norms_are_those_before_clipping():
    data = make_data()
    clipped = make_trainer(solver="sgd", momentum=0.0, batch_size=6, clip_norm=0.01)
    free = make_trainer(solver="sgd", momentum=0.0, batch_size=6)
    start = free.theta.copy()
    free.epoch(data)
    clipped.epoch(data)
    assert clipped.grad_norm_curve == free.grad_norm_curve
    share = 0.01 / free.grad_norm_curve[0]
    assert share < 0.1
    np.testing.assert_allclose(clipped.theta - start, share * (free.theta - start), atol=1e-15)
