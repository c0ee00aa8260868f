"""The trained networks as estimators: scikit-learn's promises, containers, states, weights."""

import pickle

import numpy as np
import pytest
from checks import Watcher
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from esnkit import Forecaster, forecast
from esnkit.networks._base import FitParams, _combine
from esnkit.networks._callbacks import FitReport
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._rnn import RNNClassifier, RNNRegressor
from esnkit.networks._trainer import Trainer
from esnkit.preprocessing._tokens import TokenEncoder
from esnkit.sequences._targets import Targets

CELLS = ["rnn", "lstm", "gru"]
every_cell = pytest.mark.parametrize("cell", CELLS)
QUICK = {"n_units": 8, "max_iter": 60, "learning_rate_init": 0.05, "random_state": 0}
SMALL = [
    estimator(8, cell=cell, max_iter=20, learning_rate_init=0.1, random_state=0)
    for cell in CELLS
    for estimator in (RNNRegressor, RNNClassifier)
]
ORDER = {
    "check_methods_sample_order_invariance": "rows are time steps",
    "check_methods_subset_invariance": "rows are time steps",
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is one more time step",
}


def expected_failures(estimator):
    if not isinstance(estimator, RNNClassifier):
        return ORDER
    return ORDER | {"check_sample_weights_shape": "weights per row and class are accepted"}


@parametrize_with_checks(SMALL, expected_failed_checks=expected_failures)
def test_common_checks(estimator, check):
    check(estimator)


def echo(n_sequences=40, n_timesteps=8, seed=0):
    """Return sequences of which the first value is asked for: at the end, and at every step."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n_sequences, n_timesteps, 2))
    return X, X[:, 0, 0], np.repeat(X[:, :1, :1], n_timesteps, axis=1)


def waves(n=20):
    t = np.arange(15)
    period = np.where(np.arange(n) % 2, 2.0, 5.0)[:, None]
    phase = np.random.default_rng(0).uniform(0, 6, (n, 1))
    return np.sin(t / period + phase)[:, :, None], np.array(["slow", "fast"])[np.arange(n) % 2]


def quick(estimator=RNNRegressor, **options):
    return estimator(**QUICK | options)


def untrained(X, y, **options):
    return quick(**options | {"max_iter": 0}).fit(X, y)


@every_cell
@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
def test_it_learns_one_target_a_sequence(cell, pooling):
    X, y, _ = echo()
    model = quick(cell=cell, pooling=pooling, batch_size=10).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.predict(X).shape == y.shape


@every_cell
@pytest.mark.parametrize("options", [{"n_layers": 2}, {"bidirectional": True}, {"tbptt": 3}])
def test_it_learns_a_target_a_step(cell, options):
    X, _, Y = echo()
    model = quick(cell=cell, batch_size=10, **options).fit(X, Y)
    assert model.score(X, Y) > 0.5
    assert model.predict(X).shape == Y.shape


@every_cell
@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_tells_waves_apart(cell, bidirectional):
    X, labels = waves()
    model = quick(RNNClassifier, cell=cell, bidirectional=bidirectional).fit(X, labels)
    assert model.score(X, labels) == 1.0
    proba = model.predict_proba(X)
    assert proba.shape == (20, 2) and np.allclose(proba.sum(axis=1), 1)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))
    lead = model.decision_function(X)
    assert np.array_equal(lead > 0, model.predict(X) == "slow")


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
def test_halves_with_the_state_carried_are_the_whole(cell, dtype):
    X, _, Y = (part.astype(dtype) for part in echo(5, 30))
    model = untrained(X, Y, cell=cell, n_layers=2)
    whole, last = model.predict(X, return_state=True)
    assert whole.dtype == dtype
    first, state = model.predict(X[:, :11], return_state=True)
    second, end = model.predict(X[:, 11:], initial_state=state, return_state=True)
    assert np.array_equal(np.concatenate([first, second], axis=1), whole)
    assert np.array_equal(end, last)


def test_a_series_in_thousands_of_steps_in_halves_is_the_whole():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2500, 1))
    model = untrained(X[:50], X[:50])
    first, state = model.predict(X[:1300], return_state=True)
    second = model.predict(X[1300:], initial_state=state)
    assert np.array_equal(np.vstack([first, second]), model.predict(X))


def test_states_can_be_given_in_part():
    X, _, Y = echo(4)
    model = untrained(X, Y, start="ones")
    full = np.zeros(16)
    full[8:] = 1.0  # where the cells start
    assert np.array_equal(model.predict(X, initial_state=full), model.predict(X))
    units = np.zeros(8)
    assert np.array_equal(model.predict(X, initial_state=units), model.predict(X))
    some = model.predict(X, initial_state=([2, 9], [0.5, 3.0]))
    full[[2, 9]] = [0.5, 3.0]
    assert np.array_equal(model.predict(X, initial_state=np.tile(full, (4, 1))), some)


def test_a_learned_state_makes_the_difference_it_is_taught():
    X = np.zeros((8, 4, 1))
    Y = np.tile(np.array([1.0, 0.5, 0.2, 0.1])[:, None], (8, 1, 1))
    model = quick(start="learned").fit(X, Y)
    assert np.abs(model.get_weights()["initial_state"]).max() > 0.05
    other = model.predict(X, initial_state=np.zeros(16))
    assert np.abs(other - model.predict(X)).max() > 1e-3


def test_clamped_units_stay_where_they_are_held():
    X, _, _ = echo(4)
    Y = np.zeros((4, 8, 8))
    model = untrained(X, Y, head=None)
    out = model.predict(X, clamp=([1, 5], [0.25, -0.5]))
    assert np.all(out[..., 1] == 0.25) and np.all(out[..., 5] == -0.5)
    values = np.random.default_rng(0).normal(size=(32, 1))
    assert np.array_equal(model.predict(X, clamp=([3], values))[..., 3].ravel(), values[:, 0])
    model.fit(X, Y, clamp=([1], [2.0]))


def test_units_are_taught_themselves_and_only_where_the_signal_says():
    X, _, Y = echo(20)
    Y = np.concatenate([0.5 * Y, np.full_like(Y, 1e3)], axis=2)
    weights = np.zeros_like(Y)
    weights[:, -3:, 0] = 1
    model = quick(head=None, learning_rate_init=0.1).fit(X, Y, sample_weight=weights)
    assert "W_out" not in model.get_weights()
    error = model.predict(X)[:, -3:, 0] - Y[:, -3:, 0]
    assert np.mean(error**2) < 0.3 * np.mean(Y[:, -3:, 0] ** 2)
    with pytest.raises(ValueError, match="head=None teaches the units themselves: 9 outputs"):
        quick(head=None).fit(X, np.zeros((20, 8, 9)))


def test_weights_of_classes_and_rows_reach_the_loss():
    X, labels = waves()
    plain = quick(RNNClassifier, max_iter=3).fit(X, labels)
    rows = np.where(labels == "slow", 5.0, 1.0)
    by_row = quick(RNNClassifier, max_iter=3).fit(X, labels, sample_weight=rows)
    by_class = quick(RNNClassifier, max_iter=3, class_weight={"slow": 5.0, "fast": 1.0})
    by_class.fit(X, labels)
    assert by_row.loss_curve_ == by_class.loss_curve_ != plain.loss_curve_


def test_curves_tell_what_happened():
    X, y, _ = echo()
    model = quick(max_iter=7, early_stopping=True).fit(X, y)
    assert model.n_iter_ == 7
    curves = model.loss_curve_, model.grad_norm_curve_, model.validation_scores_
    assert [len(curve) for curve in curves] == [7, 7, 7]
    assert model.best_loss_ == min(model.loss_curve_)
    assert quick(max_iter=2).fit(X, y).validation_scores_ is None


def test_fitting_in_parts_is_fitting_in_one_go():
    X, y, _ = echo()
    whole = quick(max_iter=6).fit(X, y)
    part = quick(max_iter=2, warm_start=True).fit(X, y)
    part = pickle.loads(pickle.dumps(part)).set_params(max_iter=4).fit(X, y)
    assert part.loss_curve_ == whole.loss_curve_
    assert np.array_equal(part.predict(X), whole.predict(X))
    again = pickle.loads(pickle.dumps(whole))
    assert np.array_equal(again.predict(X), whole.predict(X))


def test_partial_fit_goes_on_where_it_stopped():
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


def test_weights_go_out_and_in():
    X, _, Y = echo(6)
    one, two = untrained(X, Y), untrained(X, Y, random_state=1)
    assert not np.array_equal(one.predict(X), two.predict(X))
    two.set_weights(one.get_weights())
    assert np.array_equal(one.predict(X), two.predict(X))
    two.set_weights({"b_out": [7.0]}).from_torch_state_dict(one.to_torch_state_dict())
    assert np.array_equal(one.predict(X), two.predict(X))
    names = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}
    assert set(one.to_torch_state_dict()) == names | {"head.weight", "head.bias"}


@every_cell
def test_generating_in_parts_is_generating_in_one_go(cell):
    s = np.sin(np.arange(120) / 4)[:, None]
    model = quick(cell=cell, max_iter=5, n_layers=2).fit(s[:-1], s[1:])
    y, state = model.generate(5, warmup=s[:50], return_state=True)
    assert np.array_equal(y[0], model.predict(s[:50])[-1])
    more = model.generate(3, warmup=y[-1:], initial_state=state)
    assert np.array_equal(np.vstack([y, more]), model.generate(8, warmup=s[:50]))
    assert np.array_equal(model.generate(4), model.generate(4, warmup=s))
    rows, heard = [], s[:50]
    for _ in range(5):
        rows.append(model.predict(heard)[-1])
        heard = np.vstack([heard, rows[-1]])
    np.testing.assert_allclose(y, rows, atol=1e-12)


def test_exogenous_inputs_are_heard_beside_what_is_generated():
    rng = np.random.default_rng(0)
    X, e = rng.normal(size=(60, 1)), rng.normal(size=(6, 1))
    model = quick(max_iter=2).fit(np.hstack([X, X[::-1]])[:-1], X[1:])
    warmup = np.hstack([X, X[::-1]])
    y = model.generate(6, warmup=warmup, exog=e)
    heard = np.vstack([warmup, np.hstack([y, e])[:5]])
    np.testing.assert_allclose(model.predict(heard)[-6:], y, atol=1e-12)
    with pytest.raises(ValueError, match=r"exog is needed: an array of shape \(6, 1\)"):
        model.generate(6, warmup=warmup)


def test_one_vector_becomes_a_sequence():
    start = np.random.default_rng(0).uniform(0.5, 1, (20, 1))
    series = start[:, None] * 0.8 ** np.arange(6)[:, None]
    model = quick(max_iter=150).fit(series[:, :-1], series[:, 1:])
    y = model.generate(5, warmup=[[0.8]])
    np.testing.assert_allclose(y[:, 0], 0.8 * 0.8 ** np.arange(1, 6), atol=0.1)


def test_it_forecasts_inside_a_forecaster():
    series = np.sin(np.arange(150) / 4)
    model = Forecaster(quick(max_iter=30)).fit(series)
    assert model.forecast(10).shape == (10,)
    inner = quick(max_iter=5).fit(series[:-1, None], series[1:, None])
    out = forecast(inner, series, 7)
    assert np.array_equal(out, inner.generate(7, warmup=series[:, None])[:, 0])


def test_searches_and_pipelines_take_it():
    X, labels = waves(24)
    search = GridSearchCV(quick(RNNClassifier, max_iter=15), {"cell": CELLS}, cv=2)
    assert search.fit(X, labels).best_score_ > 0.6
    assert len(cross_val_score(quick(max_iter=2), *echo()[:2], cv=3)) == 3
    s = np.sin(np.arange(80) / 3)[:, None]
    pipe = make_pipeline(StandardScaler(), quick(max_iter=5)).fit(s[:-1], s[1:])
    assert pipe.predict(s[:10]).shape == (10, 1)
    assert clone(quick()).get_params() == quick().get_params()


@pytest.mark.parametrize("embedding_dim", [None, 4])
def test_tokens_are_heard_and_drawn(embedding_dim):
    encoder = TokenEncoder().fit(["abcabcabcabc"])
    codes = encoder.transform(["abcabcabcabc", "cabcabcab"])
    model = quick(
        RNNClassifier, n_tokens=encoder.n_tokens_, embedding_dim=embedding_dim, max_iter=80
    ).fit([c[:-1] for c in codes], [c[1:, 0] for c in codes])
    assert model.score([c[:-1] for c in codes], [c[1:, 0] for c in codes]) > 0.9
    drawn = model.generate(6, warmup=codes[0], temperature=0)
    assert encoder.inverse_transform([drawn]) == ["abcabc"]
    hot = model.generate(50, warmup=codes[0], temperature=50.0, random_state=0)
    assert np.array_equal(hot, model.generate(50, codes[0], temperature=50.0, random_state=0))
    assert len(set(hot.tolist())) == 3
    part, state = model.generate(2, warmup=codes[0], temperature=0, return_state=True)
    rest = model.generate(4, warmup=part[-1:, None], initial_state=state, temperature=0)
    assert np.array_equal(np.concatenate([part, rest]), drawn)
    with pytest.raises(ValueError, match=r"X holds the token 9 in row 0, expected integers in"):
        model.predict(np.array([[9]]))


def test_whole_numbers_in_one_column_are_tokens_to_a_classifier_unless_said_otherwise():
    X = np.random.default_rng(0).integers(0, 4, (10, 6, 1))
    y = X[:, -1, 0].astype(float)

    def shape(X, estimator=RNNRegressor, name="W_in_0", **options):
        return untrained(X, y, estimator=estimator, **options).get_weights()[name].shape

    assert shape(X, RNNClassifier) == (32, 4)
    assert shape(X, RNNClassifier, n_tokens=None) == (32, 1)
    assert shape(X.astype(float), RNNClassifier) == (32, 1)
    assert shape(X) == (32, 1)
    assert shape(X, n_tokens="auto") == (32, 4)
    assert shape(X, n_tokens=9) == shape(X.astype(float), n_tokens=9) == (32, 9)
    assert shape(X, n_tokens="auto", embedding_dim=3, name="embedding") == (4, 3)
    with pytest.raises(ValueError, match="X must have one column of tokens, got 2 features"):
        untrained(np.tile(X, 2), y, n_tokens=4)
    for numbers in (dict(X=X.astype(float)), dict(X=np.tile(X, 2))):
        with pytest.raises(ValueError, match="embedding_dim=3 needs tokens: X of one column"):
            untrained(**dict(X=X, y=y, n_tokens="auto", embedding_dim=3) | numbers)
    moments = 1_700_000_000 + 3600 * X
    assert shape(moments) == (32, 1)
    with pytest.raises(ValueError, match="X holds integers up to 17000.*: n_tokens=None takes"):
        shape(moments, RNNClassifier)


BAD = {
    "n_units": (0, "n_units must be an integer >= 1, got 0"),
    "cell": ("elman", "cell must be one of"),
    "activation": ("sigmoid", "activation must be one of"),
    "n_layers": (0, "n_layers must be an integer >= 1"),
    "pooling": ("max", "pooling must be one of"),
    "head": ("softmax", "head must be one of"),
    "start": ("random", "start must be one of"),
    "init": ("he", "init must be one of"),
    "solver": ("lbfgs", "solver must be one of"),
    "learning_rate_init": (0.0, "learning_rate_init must be a finite number > 0"),
    "momentum": (1.5, r"momentum must be a number in \[0, 1\]"),
    "momentum_schedule": ("none", "momentum_schedule must be one of"),
    "clip_norm": (0.0, "clip_norm must be a finite number > 0, got 0.0"),
    "batch_size": (0, "batch_size must be an integer >= 1, got 0"),
    "alpha": (-1.0, "alpha must be a finite number >= 0"),
    "tbptt": (0, "tbptt must be an integer >= 1"),
    "max_iter": (-1, "max_iter must be an integer >= 0"),
    "tol": (-1.0, "tol must be a finite number >= 0"),
    "n_iter_no_change": (0, "n_iter_no_change must be an integer >= 1"),
    "target": ("all", "target must be one of"),
    "embedding_dim": (0, "embedding_dim must be an integer >= 1"),
    "n_tokens": (0, "n_tokens must be an integer >= 1"),
    "random_state": (-1, "random_state must be an integer"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_are_refused_by_name(name):
    value, message = BAD[name]
    X, y, _ = echo(4)
    X = X[:, :, :1] if name in ("n_tokens", "embedding_dim") else X
    with pytest.raises(ValueError, match=message):
        quick(**{name: value}).fit(X, y)


def test_what_cannot_be_done_is_refused_with_the_way_out():
    X, y, Y = echo(4)
    both = untrained(X, Y, bidirectional=True)
    with pytest.raises(ValueError, match="return_state=True needs bidirectional=False"):
        both.predict(X, return_state=True)
    with pytest.raises(ValueError, match="generate needs a network of one direction"):
        both.generate(3, warmup=X[0])
    with pytest.raises(ValueError, match="tbptt needs bidirectional=False"):
        quick(bidirectional=True, tbptt=3).fit(X, Y)
    with pytest.raises(ValueError, match="tbptt needs a target for every time step"):
        quick(pooling="mean", tbptt=3).fit(X, y)
    with pytest.raises(ValueError, match="cannot go on with other data"):
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


def test_callbacks_see_every_iteration_and_can_stop():
    pytest.importorskip("sklearn", minversion="1.9")
    X, y, _ = echo()
    watcher = Watcher(last=4)
    model = quick(max_iter=9).set_callbacks(watcher).fit(X, y)
    assert model.n_iter_ == len(watcher.scores) == 4 and watcher.max_iter == 9 and watcher.over
    assert len(set(watcher.scores)) == 4
    assert model.set_callbacks().fit(X, y).n_iter_ == 9
    watcher = Watcher(last=9)
    assert quick(max_iter=0).set_callbacks(watcher).fit(X, y).n_iter_ == 0
    assert watcher.scores == [] and watcher.over


def test_an_interrupt_leaves_a_network_that_is_fitted(monkeypatch):
    X, y, _ = echo()
    model = quick(max_iter=9)

    def interrupt(report, trainer):
        if len(trainer.loss_curve) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(FitReport, "iteration", interrupt)
    with pytest.warns(UserWarning, match="interrupted in iteration 4: the best weights"):
        model.fit(X, y)
    assert model.n_iter_ == 3 and model.predict(X).shape == y.shape


def test_an_interrupt_within_an_epoch_is_as_if_that_epoch_had_not_begun(monkeypatch):
    X, y, _ = echo()
    whole = quick(max_iter=6, batch_size=10).fit(X, y)
    model = quick(max_iter=6, batch_size=10, warm_start=True)
    updates, update = [], Trainer._update

    def interrupt(trainer, *found):
        updates.append(found)
        if len(updates) == 14:  # the second of the fourth epoch
            raise KeyboardInterrupt
        return update(trainer, *found)

    monkeypatch.setattr(Trainer, "_update", interrupt)
    with pytest.warns(UserWarning, match="interrupted in iteration 4") as told:
        model.fit(X, y)
    assert told[0].filename == __file__ and model.n_iter_ == 3
    model.set_params(max_iter=3).fit(X, y)
    assert model.loss_curve_ == whole.loss_curve_
    assert np.array_equal(model.predict(X), whole.predict(X))


def test_an_error_leaves_what_trains_as_it_was():
    pytest.importorskip("sklearn", minversion="1.9")
    X, y, _ = echo()
    whole = quick(max_iter=8, batch_size=10).fit(X, y)
    model = quick(max_iter=5, batch_size=10, warm_start=True).fit(X, y)

    class Broken(Watcher):
        def on_fit_task_end(self, estimator, context, **data):
            if context.task_name == "iteration":
                self.scores.append(0.0)
                assert len(self.scores) < 3, "broken"
            return False

    with pytest.raises(AssertionError, match="broken"):
        model.set_callbacks(Broken(last=9)).fit(X, y)
    model.set_callbacks().set_params(max_iter=3).fit(X, y)
    assert model.loss_curve_ == whole.loss_curve_
    assert np.array_equal(model.predict(X), whole.predict(X))


def test_the_last_weights_are_kept_where_only_their_epoch_seemed_worse_than_the_start():
    X = np.random.default_rng(0).uniform(size=(20, 8, 2))
    y, kept = X[:, 0, 0], 0
    for seed in range(8):
        options = {"max_iter": 1, "batch_size": 5, "learning_rate_init": 1e-3, "random_state": seed}
        start = untrained(X, y, **options)
        model, once = quick(**options).fit(X, y), quick(**options).partial_fit(X, y)
        kept += np.array_equal(model.predict(X), start.predict(X))
        assert mean_squared_error(y, model.predict(X)) <= mean_squared_error(y, start.predict(X))
        better = mean_squared_error(y, once.predict(X)) < mean_squared_error(y, start.predict(X))
        assert np.array_equal(model.predict(X), (once if better else start).predict(X))
    assert kept < 4
    with pytest.raises(ValueError, match="partial_fit has nothing to hold out"):
        quick(early_stopping=True).partial_fit(X, y)


def test_a_hessian_free_run_that_diverges_says_so_alone(recwarn):
    X, y, _ = echo()
    with pytest.raises(FloatingPointError, match="training diverged in iteration 1"):
        quick(solver="hessian_free", max_iter=3).fit(X, 1e200 * y)
    assert not recwarn.list


@every_cell
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_stream_gives_the_bits_of_the_whole(cell, dtype):
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
    answers = [stepper.step(x)[0] for x in X[0]]
    expected = last.predict(X[:1], initial_state=([0, 2], [[0.5, -0.5]]))
    assert np.array_equal(answers[-1], expected[0])
    with pytest.raises(ValueError, match="stream needs a network of one direction"):
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
    with pytest.raises(ValueError, match=r"expected integers in \[0, 3\]; n_tokens says"):
        model.predict(np.array([[4]]))


def test_a_sequence_comes_out_of_a_state_alone():
    vectors = np.random.default_rng(0).uniform(-1, 1, (20, 8))
    waves = np.cumsum(vectors[:, :1, None] * np.ones((20, 6, 1)), axis=1)
    before = np.concatenate([np.zeros((20, 1, 1)), waves[:, :-1]], axis=1)
    model = quick(cell="rnn", max_iter=5).fit(before, waves, initial_state=vectors)
    alone, state = model.generate(4, initial_state=vectors[0], return_state=True)
    stepper = model.stream(vectors[0])
    expected = [model._theta[-1] + vectors[0] @ model.get_weights()["W_out"][0]]
    for _ in range(3):
        expected.append(stepper.step([expected[-1]])[0])
    np.testing.assert_allclose(alone[:, 0], expected, rtol=1e-12)
    assert np.array_equal(state, stepper.state) or np.allclose(state, stepper.state, rtol=1e-12)
    part = model.generate(3, initial_state=([1], [0.5]))
    full = np.zeros(8)
    full[1] = 0.5
    assert np.array_equal(part, model.generate(3, initial_state=full))


def test_the_gradient_vanishes_but_not_through_the_identity():
    X, y, _ = echo(n_timesteps=40)
    norms = untrained(X, y, cell="rnn").gradient_norms(X, y)
    assert norms.shape == (1, 40) and norms[0, 0] < 0.05 * norms[0, -1]
    kept = untrained(1 + X, y, cell="rnn", activation="relu", init="identity")
    kept.set_weights({"W_in_0": np.ones((8, 2))})  # no unit is ever off
    norms = kept.gradient_norms(1 + X, y)
    np.testing.assert_allclose(norms, norms[0, -1], rtol=1e-6)
    deep = untrained(list(X[:, :9]) + [X[0]], y[np.r_[:40, 0]], n_layers=2)
    assert deep.gradient_norms(list(X), y).shape == (2, 40)
    labels = np.where(y > 0, "up", "down")
    model = quick(RNNClassifier, max_iter=1).fit(X, labels)
    assert model.gradient_norms(X, labels).shape == (1, 40)
    with pytest.raises(ValueError, match="y holds labels unseen in fit"):
        model.gradient_norms(X, np.where(y > 0, "up", "left"))


def loss_from(model, state, X, y):
    """Return the loss of a network that goes on from a state."""
    if isinstance(model, RNNRegressor):
        return np.mean((model.predict(X, initial_state=state) - y) ** 2) / 2
    right = model.classes_ == y[:, None]
    return -np.mean(np.log(model.predict_proba(X, initial_state=state)[right]))


@pytest.mark.parametrize("options", [{}, {"cell": "gru"}, {"cell": "rnn", "init": "glorot"}])
def test_norms_of_the_gradient_agree_with_central_differences(options):
    X, y, _ = echo(3)
    labels = np.array(["a", "b", "a"])
    step = 1e-6
    for kind, truth in ((RNNRegressor, y), (RNNClassifier, labels)):
        model = untrained(X, truth, estimator=kind, **options)
        norms = model.gradient_norms(X, truth)[0]
        for t in (0, 3, 6):
            _, state = model.predict(X[:, : t + 1], return_state=True)
            slopes = np.empty((3, 8))
            for entry in np.ndindex(slopes.shape):
                push = np.zeros_like(state)
                push[entry] = step
                more, less = (
                    loss_from(model, state + side, X[:, t + 1 :], truth) for side in (push, -push)
                )
                slopes[entry] = (more - less) / (2 * step)
            expected = np.sqrt(np.mean(np.sum(slopes**2, axis=1)))
            assert norms[t] == pytest.approx(expected, rel=1e-6)


def test_attention_tells_which_steps_it_reads():
    X, _, _ = echo(60)
    marked = np.random.default_rng(1).integers(0, 8, 60)
    X[:, :, 1] = np.arange(8) == marked[:, None]
    y = X[np.arange(60), marked, 0]
    model = quick(cell="rnn", pooling="attention", batch_size=10, max_iter=100).fit(X, y)
    weights = model.attention_weights(X)
    assert weights.shape == (60, 8)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert np.mean(weights.argmax(axis=1) == marked) > 0.9
    ragged = model.attention_weights([X[0], X[1, :3]])
    np.testing.assert_allclose(ragged[0], weights[0])
    assert [len(one) for one in ragged] == [8, 3]
    alone = untrained(X[0], y[:1], target="sequence", pooling="attention")
    assert alone.attention_weights(X[0]).shape == (8,)
    for other in (untrained(X, y), untrained(X, X[:, :, :1], pooling="attention")):
        with pytest.raises(ValueError, match="needs a network with pooling='attention'"):
            other.attention_weights(X)


def test_without_iterations_the_weights_are_as_they_are_drawn():
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


def test_verbose_writes_a_line_an_iteration(capsys):
    X, y, _ = echo(4)
    quick(verbose=True, max_iter=2).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["Iteration 1", "Iteration 2"]


# What is easily taken for something else.


def test_counts_are_forecast_as_the_numbers_they_are():
    counts = np.array([112, 118, 132, 129, 121, 135, 148, 148, 136, 119])[:, None]
    model = untrained(counts[:-1], counts[1:])
    assert np.array_equal(model.generate(3), model.generate(3, warmup=counts))
    tokens = untrained(counts[:-1], counts[1:], n_tokens=200)
    with pytest.raises(ValueError, match="generate feeds 1 outputs back into 1 features of tokens"):
        tokens.generate(3)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_only_an_lstm_has_cells_to_start_from_one(cell):
    X, y, _ = echo(4)
    with pytest.raises(ValueError, match="start='ones' is for the cells of cell='lstm' alone"):
        untrained(X, y, cell=cell, start="ones")


def test_norms_of_a_gradient_need_the_outputs_of_fit():
    X, y, _ = echo(4)
    three = untrained(X, np.stack([y, y, y], axis=1))
    with pytest.raises(ValueError, match="y has 1 outputs, expected 3 as in fit"):
        three.gradient_norms(X, y)
    with pytest.raises(ValueError, match="y has 3 outputs, expected 1 as in fit"):
        untrained(X, y).gradient_norms(X, np.stack([y, y, y], axis=1))
    labels = np.array(["a", "b", "a", "b"])
    with pytest.raises(ValueError, match="y must hold one label each, got 2 columns"):
        untrained(X, labels, estimator=RNNClassifier).gradient_norms(
            X, labels[:, None].repeat(2, 1)
        )


def test_a_ragged_state_is_refused_by_name():
    X, y, _ = echo(4)
    with pytest.raises(ValueError, match="initial_state must hold numbers"):
        untrained(X, y).predict(X, initial_state=[[1, 2], [3]])


def test_a_call_that_is_refused_leaves_the_network_as_it_was():
    X, labels = waves()
    model = quick(RNNClassifier, max_iter=2).fit(X, labels)
    before, answer = dict(vars(model)), model.predict(X)
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
    assert np.array_equal(model.predict(X), answer)
    unfit = quick(RNNClassifier, class_weight="bad")
    with pytest.raises(ValueError, match="class_weight"):
        unfit.fit(X, labels)
    assert set(vars(unfit)) == set(vars(quick(RNNClassifier)))


def test_the_best_score_is_that_of_the_weights_that_are_kept():
    X, y, _ = echo()
    model = quick(max_iter=5, early_stopping=True).fit(X, y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert quick(max_iter=1).fit(X, y).best_validation_score_ is None


def test_vectors_of_tokens_are_sequences_of_them():
    codes = [np.array([0, 1, 2]), np.array([2, 1, 0])]
    columns = [code[:, None] for code in codes]
    model = untrained(codes, ["a", "b"], estimator=RNNClassifier)
    other = untrained(columns, ["a", "b"], estimator=RNNClassifier)
    assert model.n_features_in_ == 1
    proba = other.predict_proba(columns)
    assert np.array_equal(model.predict_proba(codes), proba) and proba.shape == (2, 2)
    ragged = [codes[0], codes[1][:2]]
    following = untrained(ragged, [code % 2 for code in ragged], estimator=RNNClassifier)
    assert [len(rows) for rows in following.predict(ragged)] == [3, 2]
    assert untrained(codes, [0.0, 1.0]).n_features_in_ == 3  # rows of numbers
    with pytest.raises(ValueError, match="X holds items of different lengths: .*tokens is array"):
        untrained(ragged, [0.0, 1.0])


def test_tokens_that_are_drawn_can_be_heard_as_they_come():
    codes = np.array([0, 1, 2] * 4)
    model = untrained(codes[:-1, None], codes[1:], estimator=RNNClassifier)
    drawn = model.generate(5, warmup=codes[:4, None], random_state=0)
    again = model.generate(5, warmup=drawn, random_state=1)
    assert np.array_equal(model.generate(5, warmup=drawn[:, None], random_state=1), again)


@pytest.mark.parametrize("kind", [float, bool, np.int8])
def test_tokens_are_drawn_where_labels_are_tokens_of_another_type(kind):
    tokens = np.array([0, 1] * 6)
    model = RNNClassifier(8, max_iter=1, random_state=0).fit(tokens[:-1, None], tokens[1:])
    other = RNNClassifier(8, max_iter=1, random_state=0)
    drawn = other.fit(tokens[:-1, None], tokens[1:].astype(kind)).generate(3, temperature=0)
    assert np.array_equal(drawn, model.generate(3, temperature=0))


def test_a_temperature_divides_the_outputs():
    codes = np.array([0, 1] * 6)
    model = untrained(codes[:-1, None], codes[1:], estimator=RNNClassifier)
    model.set_weights({"W_out": np.zeros((2, 8)), "b_out": np.log([1.0, 9.0])})
    for temperature, share in ((1.0, 0.9), (2.0, 0.75), (0.5, 81 / 82)):
        drawn = model.generate(4000, codes[:1], temperature=temperature, random_state=0)
        assert drawn.mean() == pytest.approx(share, abs=0.02)


def test_a_forecaster_needs_one_direction():
    series = np.sin(np.arange(60) / 4)
    with pytest.raises(ValueError, match="estimator must hear the series from its start alone"):
        Forecaster(quick(bidirectional=True)).fit(series)


def test_a_classifier_counts_a_row_by_the_weight_of_its_class():
    X, labels = waves()
    weights = np.random.default_rng(0).uniform(1, 2, (20, 2))
    of_its_own = weights[np.arange(20), (labels == "slow").astype(int)]
    indicators = Targets(np.eye(2)[(labels == "slow").astype(int)], "sequence", True)
    assert np.array_equal(_combine(weights, None, indicators, "softmax"), of_its_own)
    by_output, by_row = (
        quick(RNNClassifier, max_iter=2, alpha=1.0).fit(X, labels, sample_weight=w).loss_curve_
        for w in (weights, of_its_own)
    )
    assert by_output == by_row


def test_the_head_starts_at_the_weighted_mean_of_the_targets():
    X, _, _ = echo(6)
    rng = np.random.default_rng(0)
    Y, rows, outputs = rng.normal(5, 1, (6, 2)), rng.uniform(size=6), rng.uniform(size=(6, 2))

    def bias(**params):
        return quick(max_iter=0).fit(X, Y, **params).get_weights()["b_out"]

    np.testing.assert_allclose(bias(), Y.mean(axis=0))
    np.testing.assert_allclose(bias(sample_weight=rows), np.average(Y, axis=0, weights=rows))
    np.testing.assert_allclose(bias(sample_weight=outputs), np.average(Y, axis=0, weights=outputs))
    outputs[:, 1] = 0
    assert bias(sample_weight=outputs)[1] == 0


def scored(model, outputs, Y, weights=None):
    n = len(Y)
    return model._score_rows(
        outputs, SequenceBatch(np.empty((n, 1)), np.array([0, n]), Y, True, weights)
    )


def test_what_is_held_out_is_scored_as_scikit_learn_scores_it():
    rng = np.random.default_rng(0)
    Y, outputs, weights = rng.normal(size=(9, 2)), rng.normal(size=(9, 2)), rng.uniform(size=9)
    model = RNNRegressor()
    assert scored(model, outputs, Y) == pytest.approx(r2_score(Y, outputs))
    assert scored(model, outputs, Y, weights) == pytest.approx(
        r2_score(Y, outputs, sample_weight=weights)
    )
    constant = np.ones((9, 2))
    assert scored(model, outputs, constant, weights) == pytest.approx(
        -mean_squared_error(constant, outputs, sample_weight=weights)
    )
    codes = rng.integers(0, 2, 9)
    assert scored(RNNClassifier(), outputs, np.eye(2)[codes], weights) == pytest.approx(
        accuracy_score(codes, outputs.argmax(axis=1), sample_weight=weights)
    )


# What training keeps, forgets and refuses.


def error_of(model, X, y):
    return np.mean((model.predict(X) - y) ** 2) / 2


def test_going_on_with_other_data_learns_them():
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


def test_the_record_outlives_a_pickle_on_the_same_data():
    X, y, _ = echo()
    for options in ({}, {"early_stopping": True}, {"alpha": 1.0, "tbptt": 3}):
        whole = quick(max_iter=9, batch_size=10, **options).fit(X, y)
        part = quick(max_iter=4, batch_size=10, warm_start=True, **options).fit(X, y)
        part = pickle.loads(pickle.dumps(part)).set_params(max_iter=5).fit(X.copy(), y.tolist())
        assert np.array_equal(part._theta, whole._theta)
        assert part.loss_curve_ == whole.loss_curve_ and part.best_loss_ == whole.best_loss_


def test_the_best_weights_are_kept_and_not_the_last():
    X, y, _ = echo()
    model = quick(learning_rate_init=0.5, max_iter=15).fit(X, y)  # it comes and goes
    assert model.best_loss_ < 0.99 * model.loss_curve_[-1]
    last, best = model._trainer.theta, model._trainer.best_theta
    assert np.array_equal(model._theta, best) and not np.array_equal(model._theta, last)
    by_score = quick(learning_rate_init=0.5, max_iter=15, early_stopping=True).fit(X, y)
    assert not np.array_equal(by_score._theta, by_score._trainer.theta)
    assert np.array_equal(by_score._theta, by_score._trainer.best_theta)


def test_the_last_epoch_alone_is_kept():
    X, y, _ = echo()
    model = quick(learning_rate_init=0.5).fit(X, y)
    for _ in range(3):
        model.partial_fit(X, y)
        assert np.array_equal(model._theta, model._trainer.theta)
    kept = model.predict(X)
    model._trainer.epoch(model._prepare(X, y, FitParams(), False, None))
    assert np.array_equal(model.predict(X), kept)


@pytest.mark.parametrize("rate", [1e30, 1e200])
def test_what_diverged_is_as_if_it_had_not_been_asked(rate):
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

    monkeypatch.setattr("esnkit.networks._trainer.clip_by_norm", interrupt)
    model = quick()
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_early_stopping_scores_what_is_taught_and_trains_every_class():
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
        taught = held_by(model, X, labels)
        assert taught.sum(axis=0)[1] >= 1


def held_by(model, X, labels):
    """Return the targets that a model trains on."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", lambda self, data, *args, **options: seen.append(data.Y))
        model.fit(X, labels)
    return seen[0]


def test_hessian_free_goes_on_in_double_precision():
    X, y, _ = echo()
    model = quick(cell="rnn", max_iter=2, warm_start=True)
    model.fit(X.astype(np.float32), y)
    assert model.predict(X).dtype == np.float32
    model.set_params(solver="hessian_free", max_iter=3, max_cg_iter=20)
    model.fit(X.astype(np.float32), y)
    assert model.predict(X).dtype == np.float64 and model._trainer.theta.dtype == np.float64
    assert model.set_params(solver="adam").fit(X, y).predict(X).dtype == np.float64


def test_going_on_checks_and_answers_like_the_first_time():
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
    with pytest.raises(ValueError, match="target was one for 'sequence' and is now for 'steps'"):
        model.set_params(n_units=8, n_layers=1).fit(X, X)


def test_norms_of_a_gradient_are_those_of_the_states_that_are_given():
    X, y, _ = echo()
    model = untrained(X, y)
    _, state = model.predict(X[:, :3], return_state=True)
    rest = model.gradient_norms(X[:, 3:], y, initial_state=state)
    np.testing.assert_allclose(rest, model.gradient_norms(X, y)[:, 3:], rtol=1e-12)
    all_held = model.gradient_norms(X, y, clamp=(np.arange(8), np.zeros(8)))
    assert not np.any(all_held[:, :-1])
