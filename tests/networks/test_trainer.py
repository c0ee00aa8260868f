"""Training: the best parameters, when it stops, divergence, and continuing after a break."""

import pickle

import numpy as np
import pytest
from training_problems import (
    SPEC,
    fit_trainer,
    make_data,
    make_settings,
    make_trainer,
    negative_loss,
)

from esnkit.networks._batch import InitialState
from esnkit.networks._minibatches import evaluate
from esnkit.networks._objective import network_loss
from esnkit.networks._trainer import Stopping, Validation
from esnkit.networks._validation_split import hold_out
from esnkit.sequences._initial_state import Clamp


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("per_step", [True, False])
def test_the_loss_decreases_and_the_best_weights_are_kept(solver, per_step):
    spec = SPEC._replace(pooling=None if per_step else "last")
    data = make_data(per_step)
    trainer = make_trainer(spec, solver=solver, learning_rate_init=0.05, clip_norm=1.0)
    assert not fit_trainer(trainer, data, max_iter=40)
    assert len(trainer.loss_curve) == len(trainer.grad_norm_curve) == 40
    assert trainer.best_loss == min(trainer.loss_curve) < 0.3 * trainer.loss_curve[0]
    outputs, _ = evaluate(spec, trainer.best_theta, data)
    assert -negative_loss(outputs, data) / 2 < 4 * trainer.best_loss


def test_with_one_batch_per_epoch_the_best_weights_are_those_of_the_least_loss():
    data = make_data()
    trainer = make_trainer(batch_size=6, learning_rate_init=0.3)
    fit_trainer(trainer, data, max_iter=11)
    assert 0 < np.argmin(trainer.loss_curve) < 10 and trainer.best_loss == min(trainer.loss_curve)
    outputs, _ = evaluate(SPEC, trainer.best_theta, data)
    assert -negative_loss(outputs, data) / 2 == pytest.approx(trainer.best_loss, rel=1e-12)


def test_training_stops_when_the_loss_does_not_improve():
    trainer = make_trainer(learning_rate_init=1e-12)
    assert fit_trainer(trainer, make_data(), tol=1e-4, n_iter_no_change=3, max_iter=50)
    assert len(trainer.loss_curve) == 5


def test_training_stops_when_a_report_says_so():
    trainer = make_trainer()
    assert fit_trainer(trainer, make_data(), report=lambda t: len(t.loss_curve) == 2)
    assert len(trainer.loss_curve) == 2


def test_validation_chooses_the_weights():
    data, validation = hold_out(make_data(), 0.3, np.random.default_rng(0))
    assert (len(data.lengths), len(validation.lengths)) == (4, 2)
    trainer = make_trainer(learning_rate_init=0.1)
    fit_trainer(trainer, data, validation, max_iter=15)
    assert trainer.best_score == max(trainer.validation_scores)
    outputs, _ = evaluate(SPEC, trainer.best_theta, validation)
    assert negative_loss(outputs, validation) == trainer.best_score


@pytest.mark.parametrize("settings", [{"learning_rate_init": 1e200}, {"solver": "sgd",
                         "learning_rate_init": 1e9}])  # fmt: skip
def test_divergence_is_an_error_with_a_remedy(settings):
    trainer = make_trainer(**settings)
    expected = r"diverged in iteration \d+.*smaller learning_rate_init"
    with pytest.raises(FloatingPointError, match=expected):
        fit_trainer(trainer, make_data(), max_iter=200)


@pytest.mark.parametrize("batch_size", [2, 6])
def test_a_growing_loss_is_divergence_before_anything_overflows(batch_size):
    trainer, data = make_trainer(learning_rate_init=1e30, batch_size=batch_size), make_data()
    drawn = trainer.theta.copy()
    expected = (
        r"diverged in iteration [12]: the loss is \S+e\+[56]\d, at the start it was .*smaller"
    )
    with pytest.raises(FloatingPointError, match=expected):
        fit_trainer(trainer, data)
    assert np.array_equal(trainer.theta, drawn) and np.array_equal(trainer.best_theta, drawn)
    assert max(trainer.loss_curve, default=0) < 1e3


@pytest.mark.parametrize("alpha", [0.0, 100.0])
def test_initial_weights_that_stay_the_best_are_kept(alpha):
    trainer, data = make_trainer(learning_rate_init=3.0, alpha=alpha), make_data()
    drawn = trainer.theta.copy()
    fit_trainer(trainer, data, max_iter=3)
    assert np.array_equal(trainer.best_theta, drawn) and len(trainer.loss_curve) == 3
    # The penalty is that of the three batches of an epoch.
    assert trainer.best_loss == pytest.approx(network_loss(SPEC, drawn, data, 3 * alpha))
    assert trainer.best_loss < min(trainer.loss_curve)


def test_the_initial_loss_includes_the_penalty_of_every_update_of_an_epoch():
    trainer, data = make_trainer(solver="hessian_free", alpha=5.0), make_data()
    fit_trainer(trainer, data, max_iter=0)
    assert trainer.best_loss == network_loss(SPEC, trainer.theta, data, 5.0)
    trainer = make_trainer(alpha=5.0)
    fit_trainer(trainer, data, max_iter=0)
    assert trainer.best_loss == network_loss(SPEC, trainer.theta, data, 3 * 5.0)


def test_a_penalty_per_batch_does_not_favour_the_initial_weights():
    trainer, data = make_trainer(learning_rate_init=1e-3, alpha=100.0), make_data()
    fit_trainer(trainer, data, max_iter=3)
    assert trainer.best_loss == trainer.loss_curve[-1]


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_after_divergence_training_continues_from_the_best_weights(solver):
    data, trainer = make_data(), make_trainer(solver=solver, learning_rate_init=0.02)
    good, divergent = (
        make_settings(solver=solver, learning_rate_init=0.02),
        make_settings(solver=solver, learning_rate_init=1e200),
    )
    fit_trainer(trainer, data, max_iter=3)
    trainer.use(divergent)
    with pytest.raises(FloatingPointError):
        fit_trainer(trainer, data)
    assert np.array_equal(trainer.theta, trainer.best_theta)
    assert not trainer.state.optimizer_state[0].any()
    before = trainer.best_loss
    trainer.use(good)
    fit_trainer(trainer, data)
    assert trainer.best_loss < before and len(trainer.loss_curve) == 8


def test_partial_fit_that_diverges_keeps_the_weights():
    data, trainer = make_data(), make_trainer(learning_rate_init=0.02)
    trainer.partial_fit(data)
    kept = trainer.theta.copy()
    trainer.use(make_settings(learning_rate_init=1e200))
    with pytest.raises(FloatingPointError):
        trainer.partial_fit(data)
    assert np.array_equal(trainer.theta, kept) and len(trainer.loss_curve) == 1


CHANGES = {
    "data": lambda data: (make_data(seed=5)._replace(Y=9 + make_data(seed=5).Y), {}),
    "targets": lambda data: (data._replace(Y=9 - data.Y), {}),
    "weights": lambda data: (data._replace(weights=np.r_[np.zeros(30), np.full(6, 1.0)]), {}),
    "initial_state": lambda data: (
        data._replace(initial_state=InitialState(np.full((6, 12), 3.0), np.array(True))),
        {},
    ),
    "clamp": lambda data: (data._replace(clamp=Clamp(np.arange(2), np.full((36, 2), 0.9))), {}),
    "alpha": lambda data: (data, {"alpha": 50.0}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_best_loss_belongs_to_one_problem(change):
    data, trainer = make_data(), make_trainer(learning_rate_init=0.05)
    fit_trainer(trainer, data, max_iter=10)
    record, kept = trainer.best_loss, trainer.best_theta.copy()
    other, settings = CHANGES[change](data)
    trainer.use(trainer.settings._replace(**settings))
    fit_trainer(trainer, other, max_iter=0)
    loss = network_loss(SPEC, kept, other, 3 * trainer.settings.alpha)
    assert trainer.best_loss == pytest.approx(loss) and trainer.best_loss != record
    assert np.array_equal(trainer.best_theta, kept)
    fit_trainer(trainer, other, max_iter=20)
    assert trainer.best_loss < loss and not np.array_equal(trainer.best_theta, kept)


def test_the_count_without_improvement_belongs_to_one_problem():
    data, trainer = make_data(), make_trainer(learning_rate_init=0.05)
    fit_trainer(trainer, data, max_iter=30)
    assert not fit_trainer(trainer, data._replace(Y=9 - data.Y), n_iter_no_change=2, max_iter=10)
    assert len(trainer.loss_curve) == 40


def test_the_best_score_belongs_to_one_problem():
    data, validation = hold_out(make_data(), 0.3, np.random.default_rng(0))
    trainer = make_trainer(learning_rate_init=0.05)
    fit_trainer(trainer, data, validation, max_iter=10)
    other = validation._replace(Y=9 - validation.Y)
    fit_trainer(trainer, data._replace(Y=9 - data.Y), other, max_iter=0)
    assert trainer.best_score == negative_loss(evaluate(SPEC, trainer.best_theta, other)[0], other)
    fit_trainer(trainer, data._replace(Y=9 - data.Y), other, max_iter=10)
    outputs, _ = evaluate(SPEC, trainer.best_theta, other)
    assert (
        negative_loss(outputs, other) == trainer.best_score == max(trainer.validation_scores[10:])
    )


def test_partial_fit_resets_the_best_weights():
    data, trainer = make_data(), make_trainer(learning_rate_init=0.05)
    fit_trainer(trainer, data, max_iter=20)
    trainer.partial_fit(data._replace(Y=9 - data.Y))
    assert np.array_equal(trainer.best_theta, trainer.theta)
    assert trainer.best_theta is not trainer.theta
    fit_trainer(trainer, data, max_iter=0)
    assert trainer.best_loss == pytest.approx(network_loss(SPEC, trainer.theta, data, 0.0))


def test_an_interrupt_keeps_the_best_weights(monkeypatch):
    trainer, data = make_trainer(), make_data()

    def interrupt(trainer):
        if len(trainer.loss_curve) == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted in iteration 4: the best weights"):
        assert not fit_trainer(trainer, data, report=interrupt)
    assert len(trainer.loss_curve) == 3 and trainer.best_loss == min(trainer.loss_curve)


@pytest.mark.parametrize("settings", [{}, {"solver": "sgd", "momentum_schedule": "increasing"}])
def test_training_after_a_pickle_has_the_same_bits(settings):
    data, whole = make_data(), make_trainer(**settings)
    fit_trainer(whole, data, max_iter=6)
    half = make_trainer(**settings)
    fit_trainer(half, data, max_iter=2)
    half = pickle.loads(pickle.dumps(half))
    fit_trainer(half, data, max_iter=4)
    assert np.array_equal(half.theta, whole.theta)
    assert np.array_equal(half.best_theta, whole.best_theta)
    assert half.loss_curve == whole.loss_curve


def test_the_count_without_improvement_restarts_after_a_stop():
    trainer, data = make_trainer(learning_rate_init=1e-12), make_data()
    assert fit_trainer(trainer, data, tol=1e-4, n_iter_no_change=3, max_iter=50)
    assert fit_trainer(trainer, data, tol=1e-4, n_iter_no_change=3, max_iter=50)
    assert len(trainer.loss_curve) == 5 + 4


def test_the_best_weights_are_a_copy():
    trainer, data = make_trainer(learning_rate_init=0.02), make_data()
    fit_trainer(trainer, data, max_iter=3)
    kept = trainer.best_theta.copy()
    trainer.epoch(data)
    assert not np.array_equal(trainer.theta, kept) and np.array_equal(trainer.best_theta, kept)


def test_an_interrupt_during_scoring_leaves_curves_of_one_length():
    data, validation = hold_out(make_data(), 0.3, np.random.default_rng(0))
    trainer, scores = make_trainer(), iter([-3.0, -2.0])

    def score(outputs, data):
        try:
            return next(scores)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.warns(UserWarning, match="interrupted in iteration 3: the best weights"):
        trainer.fit(data, Validation(validation, score), stopping=Stopping(9, 0.0, 9))
    assert len(trainer.loss_curve) == len(trainer.grad_norm_curve) == 2
    assert trainer.validation_scores == [-3.0, -2.0]


def test_the_learning_rate_falls_with_the_iterations():
    """Plain gradient descent on one batch moves by the rate times the gradient."""
    data, rates = make_data(), []
    trainer = make_trainer(
        solver="sgd", momentum=0.0, learning_rate_init=0.1, learning_rate="cosine", batch_size=9,
        shuffle=False,
    )  # fmt: skip
    before = [trainer.theta.copy()]

    def report(trainer):
        step = np.linalg.norm(trainer.theta - before[-1])
        rates.append(step / trainer.grad_norm_curve[-1])
        before.append(trainer.theta.copy())

    fit_trainer(trainer, data, max_iter=4, report=report)
    np.testing.assert_allclose(rates, 0.05 * (1 + np.cos(np.pi * np.arange(4) / 4)), rtol=1e-6)
    trainer.partial_fit(data)
    step = np.linalg.norm(trainer.theta - before[-1])
    assert step == pytest.approx(0.1 * trainer.grad_norm_curve[-1])
