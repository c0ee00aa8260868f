"""Training: updates, when it stops, and going on where it stopped."""

import pickle

import numpy as np
import pytest

from esnkit.networks._batch import InitialState
from esnkit.networks._hessian_free_update import full_loss
from esnkit.networks._initializers import initial_theta
from esnkit.networks._loss_gradient import loss_gradient
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._spec import Spec
from esnkit.networks._trainer import Settings, Stopping, Trainer, name_changes
from esnkit.networks._validation_split import hold_out
from esnkit.sequences._initial_state import Clamp

SPEC = Spec("lstm", 6, 2, 1)
LENGTHS = np.array([9, 4, 7, 9, 1, 6])


def make_data(per_step=True, lengths=LENGTHS, seed=0):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    X = rng.normal(size=(offsets[-1], 2))
    Y = np.cumsum(X[:, :1], axis=0) if per_step else rng.normal(size=(len(lengths), 1))
    return SequenceBatch(X, offsets, Y, per_step)


def make_trainer(spec=SPEC, seed=0, **settings):
    rng = np.random.default_rng(seed)
    return Trainer(spec, initial_theta(spec, rng), Settings(**{"batch_size": 2} | settings), rng)


def negative_loss(outputs, data):
    return -float(np.mean((outputs - data.Y) ** 2))


def fit(trainer, data, validation=None, max_iter=5, tol=0.0, n_iter_no_change=100, report=None):
    stopping = Stopping(max_iter, tol, n_iter_no_change)
    return trainer.fit(data, validation, stopping=stopping, score=negative_loss, report=report)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("per_step", [True, False])
def test_the_loss_falls_and_the_best_weights_are_kept(solver, per_step):
    spec = SPEC._replace(pooling=None if per_step else "last")
    data = make_data(per_step)
    trainer = make_trainer(spec, solver=solver, learning_rate_init=0.05, clip_norm=1.0)
    assert not fit(trainer, data, max_iter=40)
    assert len(trainer.loss_curve) == len(trainer.grad_norm_curve) == 40
    assert trainer.best_loss == min(trainer.loss_curve) < 0.3 * trainer.loss_curve[0]
    outputs, _ = evaluate(spec, trainer.best_theta, data)
    assert -negative_loss(outputs, data) / 2 < 4 * trainer.best_loss


def test_one_batch_an_epoch_keeps_the_weights_that_its_loss_is_of():
    data = make_data()
    trainer = make_trainer(batch_size=6, learning_rate_init=0.3)
    fit(trainer, data, max_iter=11)
    assert 0 < np.argmin(trainer.loss_curve) < 10 and trainer.best_loss == min(trainer.loss_curve)
    outputs, _ = evaluate(SPEC, trainer.best_theta, data)
    assert -negative_loss(outputs, data) / 2 == pytest.approx(trainer.best_loss, rel=1e-12)


def test_an_update_is_that_of_the_gradient():
    data = make_data()
    trainer = make_trainer(solver="sgd", momentum=0.0, batch_size=6, alpha=0.3, shuffle=False)
    theta = trainer.theta.copy()
    loss, gradient, _, _ = loss_gradient(SPEC, theta, data.batch(), data.Y, alpha=0.3)
    assert trainer.epoch(data) == pytest.approx(loss)
    np.testing.assert_allclose(trainer.theta, theta - 1e-3 * gradient, atol=1e-15)
    assert trainer.grad_norm_curve == [pytest.approx(np.linalg.norm(gradient))]


def test_chunks_as_long_as_the_sequences_truncate_nothing():
    whole, cut = make_trainer(), make_trainer(tbptt=9)
    data = make_data()
    assert whole.epoch(data) == cut.epoch(data)
    assert np.array_equal(whole.theta, cut.theta)


@pytest.mark.parametrize("pooling", [None, "last"])
def test_truncated_backpropagation_carries_the_state_but_no_gradient(pooling):
    spec = SPEC._replace(pooling=pooling)
    data = make_data(pooling is None)
    trainer = make_trainer(spec, solver="sgd", learning_rate_init=1e-9, batch_size=6, tbptt=3)
    outputs, _ = evaluate(spec, trainer.theta, data)
    expected = -negative_loss(outputs, data) / 2
    assert trainer.epoch(data) == pytest.approx(expected, rel=1e-6)
    assert trainer.n_updates == 3


def test_rows_without_weight_change_nothing():
    data = make_data()
    weights = np.zeros(len(data.Y))
    weights[data.offsets[1:] - 1] = 1
    other = data._replace(weights=weights, Y=np.where(weights[:, None] > 0, data.Y, 1e6))
    one, two = make_trainer(), make_trainer()
    one.epoch(data._replace(weights=weights))
    two.epoch(other)
    np.testing.assert_allclose(one.theta, two.theta, rtol=1e-12)


def test_it_stops_when_nothing_improves():
    trainer = make_trainer(learning_rate_init=1e-12)
    assert fit(trainer, make_data(), tol=1e-4, n_iter_no_change=3, max_iter=50)
    assert len(trainer.loss_curve) == 5


def test_it_stops_where_a_report_says_so():
    trainer = make_trainer()
    assert fit(trainer, make_data(), report=lambda t: len(t.loss_curve) == 2)
    assert len(trainer.loss_curve) == 2


def test_validation_chooses_the_weights():
    data, validation = hold_out(make_data(), 0.3, np.random.default_rng(0))
    assert (len(data.lengths), len(validation.lengths)) == (4, 2)
    trainer = make_trainer(learning_rate_init=0.1)
    fit(trainer, data, validation, max_iter=15)
    assert trainer.best_score == max(trainer.validation_scores)
    outputs, _ = evaluate(SPEC, trainer.best_theta, validation)
    assert negative_loss(outputs, validation) == trainer.best_score


def test_the_end_of_a_series_is_held_out():
    series = make_data(lengths=np.array([20]))
    data, validation = hold_out(series, 0.1, np.random.default_rng(0))
    assert data.lengths.tolist() == [18] and len(data.Y) == 18
    assert validation.weights.tolist() == [0.0] * 18 + [1.0] * 2
    with pytest.raises(ValueError, match="early_stopping needs sequences"):
        hold_out(make_data(False, np.array([5])), 0.1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="leaves none to train"):
        hold_out(make_data(lengths=np.array([5, 5])), 0.9, np.random.default_rng(0))


@pytest.mark.parametrize("settings", [{"learning_rate_init": 1e200}, {"solver": "sgd",
                         "learning_rate_init": 1e9}])  # fmt: skip
def test_divergence_is_an_error_with_a_remedy(settings):
    trainer = make_trainer(**settings)
    expected = r"diverged in iteration \d+.*smaller learning_rate_init"
    with pytest.raises(FloatingPointError, match=expected):
        fit(trainer, make_data(), max_iter=200)


@pytest.mark.parametrize("batch_size", [2, 6])
def test_a_hopeless_learning_rate_is_divergence_before_anything_overflows(batch_size):
    trainer, data = make_trainer(learning_rate_init=1e30, batch_size=batch_size), make_data()
    drawn = trainer.theta.copy()
    expected = (
        r"diverged in iteration [12]: the loss is \S+e\+[56]\d, at the start it was .*smaller"
    )
    with pytest.raises(FloatingPointError, match=expected):
        fit(trainer, data)
    assert np.array_equal(trainer.theta, drawn) and np.array_equal(trainer.best_theta, drawn)
    assert max(trainer.loss_curve, default=0) < 1e3


@pytest.mark.parametrize("alpha", [0.0, 100.0])
def test_where_training_does_harm_the_weights_at_the_start_are_kept(alpha):
    trainer, data = make_trainer(learning_rate_init=3.0, alpha=alpha), make_data()
    drawn = trainer.theta.copy()
    fit(trainer, data, max_iter=3)
    assert np.array_equal(trainer.best_theta, drawn) and len(trainer.loss_curve) == 3
    # The penalty is that of the three batches of an epoch.
    assert trainer.best_loss == pytest.approx(full_loss(SPEC, drawn, data, 3 * alpha))
    assert trainer.best_loss < min(trainer.loss_curve)


def test_the_start_has_the_penalty_of_every_update_of_an_epoch():
    trainer, data = make_trainer(solver="hessian_free", alpha=5.0), make_data()
    fit(trainer, data, max_iter=0)
    assert trainer.best_loss == full_loss(SPEC, trainer.theta, data, 5.0)
    trainer = make_trainer(alpha=5.0)
    fit(trainer, data, max_iter=0)
    assert trainer.best_loss == full_loss(SPEC, trainer.theta, data, 3 * 5.0)


def test_a_penalty_that_counts_by_the_batch_is_not_in_favour_of_the_start():
    trainer, data = make_trainer(learning_rate_init=1e-3, alpha=100.0), make_data()
    fit(trainer, data, max_iter=3)
    assert trainer.best_loss == trainer.loss_curve[-1]


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_after_divergence_training_goes_on_from_the_best_weights(solver):
    data, trainer = make_data(), make_trainer(solver=solver, learning_rate_init=0.02)
    good = trainer.settings
    fit(trainer, data, max_iter=3)
    trainer.use(good._replace(learning_rate_init=1e200))
    with pytest.raises(FloatingPointError):
        fit(trainer, data)
    assert np.array_equal(trainer.theta, trainer.best_theta)
    assert not trainer.optimizer_state[0].any()
    before = trainer.best_loss
    trainer.use(good)
    fit(trainer, data)
    assert trainer.best_loss < before and len(trainer.loss_curve) == 8


def test_an_epoch_alone_that_diverges_leaves_the_weights():
    data, trainer = make_data(), make_trainer(learning_rate_init=0.02)
    trainer.fit_once(data)
    kept, good = trainer.theta.copy(), trainer.settings
    trainer.use(good._replace(learning_rate_init=1e200))
    with pytest.raises(FloatingPointError):
        trainer.fit_once(data)
    assert np.array_equal(trainer.theta, kept) and len(trainer.loss_curve) == 1


CHANGES = {
    "data": lambda data: (make_data(seed=5)._replace(Y=9 + make_data(seed=5).Y), {}),
    "targets": lambda data: (data._replace(Y=9 - data.Y), {}),
    "weights": lambda data: (data._replace(weights=np.r_[np.zeros(30), np.full(6, 1.0)]), {}),
    "start": lambda data: (
        data._replace(initial_state=InitialState(np.full((6, 12), 3.0), np.array(True))),
        {},
    ),
    "clamp": lambda data: (data._replace(clamp=Clamp(np.arange(2), np.full((36, 2), 0.9))), {}),
    "alpha": lambda data: (data, {"alpha": 50.0}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_record_is_about_one_problem(change):
    data, trainer = make_data(), make_trainer(learning_rate_init=0.05)
    fit(trainer, data, max_iter=10)
    record, kept = trainer.best_loss, trainer.best_theta.copy()
    other, settings = CHANGES[change](data)
    trainer.use(trainer.settings._replace(**settings))
    fit(trainer, other, max_iter=0)
    loss = full_loss(SPEC, kept, other, 3 * trainer.settings.alpha)
    assert trainer.best_loss == pytest.approx(loss) and trainer.best_loss != record
    assert np.array_equal(trainer.best_theta, kept)
    fit(trainer, other, max_iter=20)
    assert trainer.best_loss < loss and not np.array_equal(trainer.best_theta, kept)


def test_patience_is_about_one_problem():
    data, trainer = make_data(), make_trainer(learning_rate_init=0.05)
    fit(trainer, data, max_iter=30)
    assert not fit(trainer, data._replace(Y=9 - data.Y), n_iter_no_change=2, max_iter=10)
    assert len(trainer.loss_curve) == 40


def test_the_record_of_scores_is_about_one_problem():
    data, validation = hold_out(make_data(), 0.3, np.random.default_rng(0))
    trainer = make_trainer(learning_rate_init=0.05)
    fit(trainer, data, validation, max_iter=10)
    other = validation._replace(Y=9 - validation.Y)
    fit(trainer, data._replace(Y=9 - data.Y), other, max_iter=0)
    assert trainer.best_score == negative_loss(evaluate(SPEC, trainer.best_theta, other)[0], other)
    fit(trainer, data._replace(Y=9 - data.Y), other, max_iter=10)
    outputs, _ = evaluate(SPEC, trainer.best_theta, other)
    assert (
        negative_loss(outputs, other) == trainer.best_score == max(trainer.validation_scores[10:])
    )


def test_an_epoch_alone_ends_the_record():
    data, trainer = make_data(), make_trainer(learning_rate_init=0.05)
    fit(trainer, data, max_iter=20)
    trainer.fit_once(data._replace(Y=9 - data.Y))
    assert np.array_equal(trainer.best_theta, trainer.theta)
    assert trainer.best_theta is not trainer.theta
    fit(trainer, data, max_iter=0)
    assert trainer.best_loss == pytest.approx(full_loss(SPEC, trainer.theta, data, 0.0))


def test_an_interrupt_keeps_the_best_weights(monkeypatch):
    trainer, data = make_trainer(), make_data()

    def interrupt(trainer):
        if len(trainer.loss_curve) == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted in iteration 4: the best weights"):
        assert not fit(trainer, data, report=interrupt)
    assert len(trainer.loss_curve) == 3 and trainer.best_loss == min(trainer.loss_curve)


@pytest.mark.parametrize("settings", [{}, {"solver": "sgd", "momentum_schedule": "increasing"}])
def test_pickled_in_the_middle_it_goes_on_to_the_same_bits(settings):
    data, whole = make_data(), make_trainer(**settings)
    fit(whole, data, max_iter=6)
    half = make_trainer(**settings)
    fit(half, data, max_iter=2)
    half = pickle.loads(pickle.dumps(half))
    fit(half, data, max_iter=4)
    assert np.array_equal(half.theta, whole.theta)
    assert np.array_equal(half.best_theta, whole.best_theta)
    assert half.loss_curve == whole.loss_curve


def test_momentum_is_that_of_the_schedule_and_the_point_ahead_that_of_the_next_update(monkeypatch):
    monkeypatch.setattr(
        "esnkit.networks._trainer.momentum_at", lambda name, update, most: 0.1 * update
    )
    data = make_data()
    trainer = make_trainer(
        solver="sgd", momentum_schedule="increasing", batch_size=6, learning_rate_init=0.02
    )
    theta, velocity = trainer.theta.copy(), 0.0
    batch = data.batch()
    for update in range(3):
        trainer.epoch(data)
        slope = loss_gradient(SPEC, theta, batch, data.Y)[1]
        velocity = 0.1 * update * velocity - 0.02 * slope
        theta = theta + 0.1 * (update + 1) * velocity - 0.02 * slope
        np.testing.assert_allclose(trainer.theta, theta, atol=1e-14)


def test_gradients_are_clipped_and_their_norms_are_those_before():
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


def test_patience_is_whole_again_where_training_stopped_by_itself():
    trainer, data = make_trainer(learning_rate_init=1e-12), make_data()
    assert fit(trainer, data, tol=1e-4, n_iter_no_change=3, max_iter=50)
    assert fit(trainer, data, tol=1e-4, n_iter_no_change=3, max_iter=50)
    assert len(trainer.loss_curve) == 5 + 4


def test_the_best_weights_are_a_copy_of_their_own():
    trainer, data = make_trainer(learning_rate_init=0.02), make_data()
    fit(trainer, data, max_iter=3)
    kept = trainer.best_theta.copy()
    trainer.epoch(data)
    assert not np.array_equal(trainer.theta, kept) and np.array_equal(trainer.best_theta, kept)


def test_an_interrupt_while_scoring_leaves_curves_of_one_length():
    data, validation = hold_out(make_data(), 0.3, np.random.default_rng(0))
    trainer, scores = make_trainer(), iter([-3.0, -2.0])

    def score(outputs, data):
        try:
            return next(scores)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.warns(UserWarning, match="interrupted in iteration 3: the best weights"):
        trainer.fit(data, validation, stopping=Stopping(9, 0.0, 9), score=score)
    assert len(trainer.loss_curve) == len(trainer.grad_norm_curve) == 2
    assert trainer.validation_scores == [-3.0, -2.0]


def test_labels_are_held_out_by_their_shares_and_never_all_of_one():
    labels = np.array([0] * 18 + [1] * 2 + [2] * 40)
    lengths = np.ones(60, int)
    data = make_data(False, lengths)._replace(Y=labels[:, None])
    held = set()
    for seed in range(20):
        training, validation = hold_out(data, 0.3, np.random.default_rng(seed), labels)
        assert (len(training.Y), len(validation.Y)) == (42, 18)
        there = np.bincount(validation.Y[:, 0], minlength=3)
        assert there[1] <= 1 and 4 <= there[0] <= 7
        held.update(np.flatnonzero(np.isin(data.inputs[:, 0], validation.inputs[:, 0])).tolist())
    assert len(held) > 50  # another choice every time
    with pytest.raises(ValueError, match="leaves none to train, or none of a class"):
        hold_out(data, 0.97, np.random.default_rng(0), labels)


@pytest.mark.parametrize(
    ("taught", "use"), [(slice(0, 15), "score"), (slice(15, 20), "train on")]
)  # of one series; the last quarter is held out
def test_a_side_without_weight_is_refused(taught, use):
    series = make_data(lengths=np.array([20]))
    weights = np.zeros(20)
    weights[taught] = 1
    with pytest.raises(ValueError, match=f"leaves nothing to {use}.*sample_weight.*change valid"):
        hold_out(series._replace(weights=weights), 0.25, np.random.default_rng(0))
    several = make_data(False)._replace(weights=np.eye(6)[0])
    with pytest.raises(ValueError, match="leaves nothing to (score|train on)"):
        hold_out(several, 0.3, np.random.default_rng(0))


def test_changes_are_told_by_name():
    assert name_changes(SPEC, SPEC) == ""
    assert name_changes(SPEC, SPEC._replace(n_units=3, cell="gru")) == (
        "cell was 'lstm' and is now 'gru', n_units was 6 and is now 3"
    )
