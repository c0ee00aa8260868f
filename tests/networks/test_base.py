"""Fitting, continuing and predicting: containers, states, warm starts, errors, streams."""

import pickle
import time

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import mean_squared_error
from training_problems import echo, error_of, quick, untrained, waves

from esnkit.networks import _trainer
from esnkit.networks._base import FitParams
from esnkit.networks._cells import cell_choices
from esnkit.networks._fit_report import FitReport
from esnkit.networks._rnn import RNNClassifier
from esnkit.networks._trainer import Trainer
from esnkit.optim._first_order import clip_by_norm

every_cell = pytest.mark.parametrize("cell", cell_choices())


def test_all_containers_give_the_same_network():
    X, _, Y = echo(6)
    batch = untrained(X, Y)
    ragged = untrained(list(X), list(Y))
    np.testing.assert_allclose(batch.predict(X), np.stack(ragged.predict(list(X))), atol=1e-12)
    series = untrained(X[0], Y[0])
    assert series.predict(X[0]).shape == Y[0].shape
    flat = untrained(X, Y[:, :, 0], target="steps")
    assert flat.predict(X).shape == Y.shape[:2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_cell
def test_two_halves_with_the_state_carried_equal_the_whole(cell, dtype):
    X, _, Y = (part.astype(dtype) for part in echo(5, 30))
    model = untrained(X, Y, cell=cell, n_layers=2)
    whole, last = model.predict(X, return_state=True)
    assert whole.dtype == dtype
    first, state = model.predict(X[:, :11], return_state=True)
    second, end = model.predict(X[:, 11:], initial_state=state, return_state=True)
    assert np.array_equal(np.concatenate([first, second], axis=1), whole)
    assert np.array_equal(end, last)


def test_two_halves_of_a_long_series_equal_the_whole():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2500, 1))
    model = untrained(X[:50], X[:50])
    first, state = model.predict(X[:1300], return_state=True)
    second = model.predict(X[1300:], initial_state=state)
    assert np.array_equal(np.vstack([first, second]), model.predict(X))


def test_a_learned_state_changes_the_predictions():
    X = np.zeros((8, 4, 1))
    Y = np.tile(np.array([1.0, 0.5, 0.2, 0.1])[:, None], (8, 1, 1))
    model = quick(start="learned").fit(X, Y)
    assert np.abs(model.get_weights()["initial_state"]).max() > 0.05
    other = model.predict(X, initial_state=np.zeros(16))
    assert np.abs(other - model.predict(X)).max() > 1e-3


def test_curves_have_an_item_per_iteration():
    X, y, _ = echo()
    model = quick(max_iter=7, early_stopping=True).fit(X, y)
    assert model.n_iter_ == 7
    curves = model.loss_curve_, model.grad_norm_curve_, model.validation_scores_
    assert [len(curve) for curve in curves] == [7, 7, 7]
    assert model.best_loss_ == min(model.loss_curve_)
    assert quick(max_iter=2).fit(X, y).validation_scores_ is None


def test_two_fits_with_warm_start_equal_one():
    X, y, _ = echo()
    whole = quick(max_iter=6).fit(X, y)
    part = quick(max_iter=2, warm_start=True).fit(X, y)
    part = pickle.loads(pickle.dumps(part)).set_params(max_iter=4).fit(X, y)
    assert part.loss_curve_ == whole.loss_curve_
    assert np.array_equal(part.predict(X), whole.predict(X))
    again = pickle.loads(pickle.dumps(whole))
    assert np.array_equal(again.predict(X), whole.predict(X))


def test_partial_fit_continues_from_the_last_call():
    X, y, _ = echo()
    model, other = quick(), quick()
    for _ in range(3):
        model.partial_fit(X, y)
        other = pickle.loads(pickle.dumps(other.partial_fit(X, y)))
    assert model.n_iter_ == 3 and np.array_equal(model.predict(X), other.predict(X))
    labels = np.where(y > 0, "up", "down")
    classifier = quick(RNNClassifier).partial_fit(X[y > 0], labels[y > 0], ["down", "up", "same"])
    classifier.partial_fit(X, labels)
    assert classifier.classes_.tolist() == ["down", "same", "up"]
    with pytest.raises(ValueError, match=r"labels unseen before, \['left'\]"):
        classifier.partial_fit(X[:2], ["left", "up"])


def test_what_is_not_possible_is_refused_with_a_remedy():
    X, y, Y = echo(4)
    both = untrained(X, Y, bidirectional=True)
    with pytest.raises(ValueError, match="return_state=True needs bidirectional=False"):
        both.predict(X, return_state=True)
    with pytest.raises(ValueError, match="generate needs bidirectional=False"):
        both.generate(3, warmup=X[0])
    with pytest.raises(ValueError, match="tbptt needs bidirectional=False"):
        quick(bidirectional=True, tbptt=3).fit(X, Y)
    with pytest.raises(ValueError, match="tbptt needs a target for every time step"):
        quick(pooling="mean", tbptt=3).fit(X, y)
    with pytest.raises(ValueError, match="cannot continue with parameters or data"):
        quick(warm_start=True, max_iter=1).fit(X, y).set_params(n_units=3).fit(X, y)
    with pytest.raises(TypeError, match="weights must be a dict of arrays, got list"):
        both.set_weights([1])
    with pytest.raises(ValueError, match="warmup or initial_state is needed"):
        untrained(X, Y).generate(3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lengths'"):
        quick().fit(X, y, lengths=[1])
    with pytest.raises(FloatingPointError, match="diverged in iteration"):
        quick(learning_rate_init=1e200).fit(X, y)


def test_hessian_free_learns_in_few_iterations():
    X, y, _ = echo()
    model = quick(cell="rnn", solver="hessian_free", max_iter=12, max_cg_iter=40)
    model.fit(X.astype(np.float32), y)
    assert model.predict(X).dtype == np.float64
    assert model.score(X, y) > 0.95
    assert model.loss_curve_ == sorted(model.loss_curve_, reverse=True)
    again = quick(cell="rnn", solver="hessian_free", max_iter=5, max_cg_iter=40, warm_start=True)
    again = pickle.loads(pickle.dumps(again.fit(X.astype(np.float32), y)))
    again.set_params(max_iter=7).fit(X.astype(np.float32), y)
    assert again.loss_curve_ == model.loss_curve_
    with pytest.raises(ValueError, match="tbptt needs solver='adam' or 'sgd'"):
        quick(solver="hessian_free", tbptt=3).fit(X, y)


def test_hessian_free_training_that_diverges_raises_without_warnings(recwarn):
    X, y, _ = echo()
    with pytest.raises(FloatingPointError, match="training diverged in iteration 1"):
        quick(solver="hessian_free", max_iter=3).fit(X, 1e200 * y)
    assert not recwarn.list


def test_hessian_free_training_continues_in_double_precision():
    X, y, _ = echo()
    model = quick(cell="rnn", max_iter=2, warm_start=True)
    model.fit(X.astype(np.float32), y)
    assert model.predict(X).dtype == np.float32
    model.set_params(solver="hessian_free", max_iter=3, max_cg_iter=20)
    model.fit(X.astype(np.float32), y)
    assert model.predict(X).dtype == np.float64 and model._trainer.theta.dtype == np.float64
    assert model.set_params(solver="adam").fit(X, y).predict(X).dtype == np.float64


@pytest.fixture
def interrupted_fits(monkeypatch):
    """Interrupt every fit in its third iteration."""

    def interrupt(report, trainer):
        if len(trainer.loss_curve) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(FitReport, "iteration", interrupt)


def test_an_interrupt_leaves_a_fitted_network(interrupted_fits):
    X, y, _ = echo()
    model = quick(max_iter=9)
    with pytest.warns(UserWarning, match="interrupted in iteration 4: the best weights"):
        model.fit(X, y)
    assert model.n_iter_ == 3 and model.predict(X).shape == y.shape


def test_a_second_interrupt_soon_after_ends_a_loop_around_fit(interrupted_fits, monkeypatch):
    X, y, _ = echo()
    models = [quick(max_iter=9) for _ in range(3)]
    with pytest.warns(UserWarning, match="interrupt again within 10 seconds"):
        with pytest.raises(KeyboardInterrupt):
            for model in models:
                model.fit(X, y)
    assert [hasattr(model, "loss_curve_") for model in models] == [True, False, False]
    monkeypatch.setattr(_trainer, "_last_interrupt", time.monotonic() - 11)
    with pytest.warns(UserWarning, match="the best weights so far are kept"):
        models[1].fit(X, y)


def test_an_interrupt_within_an_epoch_undoes_that_epoch(monkeypatch):
    X, y, _ = echo()
    whole = quick(max_iter=6, batch_size=10).fit(X, y)
    model = quick(max_iter=6, batch_size=10, warm_start=True)
    norms, clip = [], clip_by_norm

    def interrupt(gradient, clip_norm):
        norms.append(clip(gradient, clip_norm))
        if len(norms) == 14:  # the second update of the fourth epoch
            raise KeyboardInterrupt
        return norms[-1]

    monkeypatch.setattr("esnkit.networks._solvers.clip_by_norm", interrupt)
    with pytest.warns(UserWarning, match="interrupted in iteration 4") as warned:
        model.fit(X, y)
    assert warned[0].filename == __file__ and model.n_iter_ == 3
    model.set_params(max_iter=3).fit(X, y)
    assert model.loss_curve_ == whole.loss_curve_
    assert np.array_equal(model.predict(X), whole.predict(X))


def test_the_last_weights_are_kept_if_they_are_better_than_the_initial_ones():
    X = np.random.default_rng(0).uniform(size=(20, 8, 2))
    y, kept = X[:, 0, 0], 0
    for seed in range(8):
        params = {"max_iter": 1, "batch_size": 5, "learning_rate_init": 1e-3, "random_state": seed}
        start = untrained(X, y, **params)
        model, once = quick(**params).fit(X, y), quick(**params).partial_fit(X, y)
        kept += np.array_equal(model.predict(X), start.predict(X))
        assert mean_squared_error(y, model.predict(X)) <= mean_squared_error(y, start.predict(X))
        better = mean_squared_error(y, once.predict(X)) < mean_squared_error(y, start.predict(X))
        assert np.array_equal(model.predict(X), (once if better else start).predict(X))
    assert kept < 4
    with pytest.raises(ValueError, match="partial_fit holds no validation data out"):
        quick(early_stopping=True).partial_fit(X, y)


@every_cell
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_stream_has_the_bits_of_the_whole(cell, dtype):
    X, y, Y = echo()
    X = X.astype(dtype)
    model = quick(cell=cell, max_iter=2, n_layers=2).fit(X, Y)
    stepper, whole = model.stream(), model.predict(X[:1])[0]
    assert np.array_equal([stepper.step(x) for x in X[0, :3]], whole[:3])
    later = model.stream(stepper.state)
    kept = stepper.state
    assert np.array_equal([later.step(x) for x in X[0, 3:]], whole[3:])
    assert np.array_equal(stepper.state, kept)  # the other one has a state of its own
    with pytest.raises(ValueError, match="x must be finite"):
        stepper.step([np.nan, 0.0])
    assert np.array_equal(stepper.state, kept)
    last = quick(cell=cell, max_iter=1).fit(X, y)
    stepper = last.stream(initial_state=([0, 2], [0.5, -0.5]))
    outputs = [stepper.step(x)[0] for x in X[0]]
    expected = last.predict(X[:1], initial_state=([0, 2], [[0.5, -0.5]]))
    assert np.array_equal(outputs[-1], expected[0])
    with pytest.raises(ValueError, match="stream needs bidirectional=False"):
        quick(max_iter=0, pooling="mean").fit(X, y).stream()


@pytest.mark.parametrize("dim", [None, 3])
def test_a_stream_of_tokens(dim):
    codes = np.random.default_rng(0).integers(0, 4, (60, 1))
    model = quick(RNNClassifier, max_iter=2, embedding_dim=dim).fit(codes[:-1], codes[1:, 0])
    stepper = model.stream()
    logits = np.array([stepper.step(int(code)) for code in codes[:, 0]])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, model.predict_proba(codes), rtol=1e-10)
    numbers = quick(max_iter=2, embedding_dim=3).fit(codes[:-1], 1.0 * codes[1:, 0])
    assert numbers._spec.tokens and numbers._spec.n_features == 4
    drawn = model.generate(5, warmup=codes[:4, 0].tolist(), random_state=0)
    assert np.array_equal(drawn, model.generate(5, warmup=codes[:4], random_state=0))
    with pytest.raises(ValueError, match=r"in \[0, 3\]; set n_tokens.*X\.astype\(float\)"):
        model.predict(np.array([[4]]))


def test_without_iterations_the_initial_weights_are_kept():
    X, y, _ = echo()
    model = quick(max_iter=0).fit(X, y)
    assert model.n_iter_ == 0 and model.loss_curve_ == []
    assert model.best_loss_ == pytest.approx(np.mean((model.predict(X) - y) ** 2) / 2)
    drawn = model.get_weights()
    trained = quick(max_iter=2, warm_start=True).fit(X, y)
    before = trained.get_weights()
    after = trained.set_params(max_iter=0).fit(X, y).get_weights()
    for name, weights in after.items():
        np.testing.assert_array_equal(weights, before[name])
    assert np.any(drawn["W_in_0"] != before["W_in_0"])
    model.set_params(warm_start=True, max_iter=2).fit(X, y)
    for name, weights in model.get_weights().items():
        np.testing.assert_array_equal(weights, before[name])


def test_a_refused_call_leaves_the_estimator_as_it_was():
    X, labels = waves()
    model = quick(RNNClassifier, max_iter=2).fit(X, labels)
    before, predictions = dict(vars(model)), model.predict(X)
    other = np.where(labels == "fast", "a", "b")
    refused = {"pooling": "bogus", "class_weight": "bad", "batch_size": 0}
    for name, value in refused.items():
        usual = model.get_params()[name]
        with pytest.raises(ValueError, match=name):
            model.set_params(**{name: value}).fit(np.concatenate([X, X], axis=2), other)
        assert vars(model.set_params(**{name: usual})) == before
        with pytest.raises(ValueError, match=name):
            model.set_params(**{name: value}).partial_fit(X[:4], labels[:4])
        model.set_params(**{name: usual})
        assert model.classes_ is before["classes_"]
    with pytest.raises(ValueError, match="clamp needs distinct unit indices"):
        model.fit(X, other, clamp=([99], [0.0]))
    assert np.array_equal(model.predict(X), predictions)
    unfit = quick(RNNClassifier, class_weight="bad")
    with pytest.raises(ValueError, match="class_weight"):
        unfit.fit(X, labels)
    assert set(vars(unfit)) == set(vars(quick(RNNClassifier)))


def test_the_best_score_is_the_largest():
    X, y, _ = echo()
    model = quick(max_iter=5, early_stopping=True).fit(X, y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert quick(max_iter=1).fit(X, y).best_validation_score_ is None


def test_training_continues_on_other_data():
    X, y, _ = echo()
    model = quick(max_iter=40, warm_start=True, batch_size=10).fit(X, y)
    before = error_of(model, X, 3 - y)
    model.set_params(max_iter=30).fit(X, 3 - y)
    assert error_of(model, X, 3 - y) < 0.1 * before and model.n_iter_ == 70
    assert model.best_loss_ == pytest.approx(min(model.loss_curve_[40:]))
    model.set_params(early_stopping=True).fit(X, y)
    assert error_of(model, X, y) < 0.5
    model.set_params(max_iter=0, early_stopping=False, alpha=10.0).fit(X, y)
    assert model.best_loss_ > error_of(model, X, y)


def test_the_best_weights_survive_a_pickle_on_the_same_data():
    X, y, _ = echo()
    for params in ({}, {"early_stopping": True}, {"alpha": 1.0, "tbptt": 3}):
        whole = quick(max_iter=9, batch_size=10, **params).fit(X, y)
        part = quick(max_iter=4, batch_size=10, warm_start=True, **params).fit(X, y)
        part = pickle.loads(pickle.dumps(part)).set_params(max_iter=5).fit(X.copy(), y.tolist())
        assert np.array_equal(part._theta, whole._theta)
        assert part.loss_curve_ == whole.loss_curve_ and part.best_loss_ == whole.best_loss_


def test_the_best_weights_are_kept_and_not_the_last():
    X, y, _ = echo()
    model = quick(learning_rate_init=0.5, max_iter=15).fit(X, y)  # it comes and goes
    assert model.best_loss_ < 0.99 * model.loss_curve_[-1]
    last, best = model._trainer.theta, model._trainer.best_theta
    assert np.array_equal(model._theta, best) and not np.array_equal(model._theta, last)
    by_score = quick(learning_rate_init=0.5, max_iter=15, early_stopping=True)
    with pytest.warns(ConvergenceWarning, match="learned nothing"):
        by_score.fit(X, y)
    assert not np.array_equal(by_score._theta, by_score._trainer.theta)
    assert np.array_equal(by_score._theta, by_score._trainer.best_theta)


def test_partial_fit_keeps_the_last_weights():
    X, y, _ = echo()
    model = quick(learning_rate_init=0.5).fit(X, y)
    for _ in range(3):
        model.partial_fit(X, y)
        assert np.array_equal(model._theta, model._trainer.theta)
    kept = model.predict(X)
    batch, trainer = model._prepare(X, y, FitParams(), False, None)
    trainer.epoch(batch)
    assert np.array_equal(model.predict(X), kept)


@pytest.mark.parametrize("rate", [1e30, 1e200])
def test_divergence_leaves_the_estimator_as_it_was(rate):
    X, y, _ = echo()
    model = quick(learning_rate_init=rate, warm_start=True, batch_size=10)
    with pytest.raises(FloatingPointError, match="use a smaller learning_rate_init"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.set_params(learning_rate_init=0.02).fit(X, y)
    kept = model.predict(X)
    for attempt in (model.fit, model.partial_fit):
        with pytest.raises(FloatingPointError):
            model.set_params(learning_rate_init=1e200)
            attempt(X, y)
        assert np.array_equal(model.predict(X), kept)
        model.set_params(learning_rate_init=0.02)
        attempt(X, y)
        assert error_of(model, X, y) < 0.5
        kept = model.predict(X)


def test_a_call_that_is_interrupted_or_refused_leaves_no_half_fitted_network(monkeypatch):
    X, y, _ = echo()
    with pytest.raises(ValueError, match="leaves none to train"):
        model = quick(early_stopping=True, validation_fraction=0.99)
        model.fit(X[:3], y[:3])
    assert not vars(model).keys() & {"_theta", "_trainer", "n_features_in_"}

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("esnkit.networks._solvers.clip_by_norm", interrupt)
    model = quick()
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_early_stopping_needs_weights_on_both_sides_and_trains_every_class():
    X, y, Y = echo(20)
    weights = np.zeros(20)
    weights[0] = 1
    for fraction in (0.3, 0.7):
        model = quick(early_stopping=True, validation_fraction=fraction, max_iter=1)
        with pytest.raises(ValueError, match="leaves nothing to .*sample_weight"):
            model.fit(X, y, sample_weight=weights)
    start = np.repeat([[1.0, 0.0]], 4, axis=1).ravel()
    with pytest.raises(ValueError, match="leaves nothing to score"):
        quick(early_stopping=True, max_iter=1).fit(X[0], Y[0], sample_weight=start)
    labels = np.array(["b"] * 2 + ["a"] * 18)
    for seed in range(40):
        model = RNNClassifier(
            2, max_iter=0, early_stopping=True, validation_fraction=0.3, random_state=seed
        )
        targets = training_targets(model, X, labels)
        assert targets.sum(axis=0)[1] >= 1


def training_targets(model, X, labels):
    """Return the targets that a model trains on."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", lambda self, data, *args, **params: seen.append(data.Y))
        model.fit(X, labels)
    return seen[0]


def test_a_warm_start_checks_and_predicts_like_the_first_call():
    X, y, _ = echo(6)
    model = untrained(X, y, warm_start=True)
    assert model.predict(X).shape == (6,)
    assert model.fit(X, y[:, None]).predict(X).shape == (6, 1)
    assert model.partial_fit(X, y).predict(X).shape == (6,)
    with pytest.raises(ValueError, match="init must be one of"):
        model.set_params(init="bogus").fit(X, y)
    model.set_params(init="orthogonal")
    with pytest.raises(
        ValueError, match="n_units was 8 and is now 3, n_layers was 1 and is now 2;"
    ):
        model.set_params(n_units=3, n_layers=2).fit(X, y)
    with pytest.raises(
        ValueError, match="targets were of kind 'sequence' and are now of kind 'steps'"
    ):
        model.set_params(n_units=8, n_layers=1).fit(X, X)
