"""Sequence-to-sequence networks as estimators: what they learn, and what they refuse."""

import pickle

import numpy as np
import pytest
from checks import CHECKS, Watcher
from seq2seq_problems import quick, reversed_words, words
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimators_unfitted

from esnkit.networks._cells import CELLS, cell_choices, find_cell
from esnkit.networks._encoder_decoder import make_pair_batch, pair_loss
from esnkit.networks._seq2seq import _as_batch, _pack
from esnkit.preprocessing._tokens import TokenEncoder


@pytest.mark.parametrize("check", [*CHECKS, check_estimators_unfitted], ids=lambda c: c.__name__)
def test_common_checks(check):
    check("Seq2SeqClassifier", quick())


def test_tags_say_that_inputs_are_sequences():
    tags = get_tags(quick())
    assert tags.input_tags.three_d_array and not tags.input_tags.two_d_array
    assert tags.requires_fit and tags.target_tags.required


@pytest.mark.parametrize("task, attention", [("reverse", True), ("sort", False)])
def test_reversing_and_sorting_are_learned(task, attention):
    change = {"reverse": lambda x: x[::-1], "sort": np.sort}[task]
    X, fresh = words(800, dtype=np.float32), words(300, seed=1)
    model = quick(n_units=32, bidirectional=True, attention=attention, n_tokens=8, max_iter=20)
    model.fit(X, [change(x).astype(int) for x in X])
    assert model.score(fresh, [change(x) for x in fresh]) >= 0.9


def test_attention_marks_the_token_that_is_predicted():
    X, y = reversed_words(500)
    model = quick(n_units=24, bidirectional=True, max_iter=25).fit(X, y)
    weights = model.attention_weights(X[:20])
    predictions = model.predict(X[:20])
    for x, codes, rows in zip(X, predictions, weights, strict=False):
        assert rows.shape == (codes.size, x.size)
        np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-12)
    backwards = [rows.argmax(axis=1) == np.arange(len(rows))[::-1] for rows in weights]
    assert np.mean(np.concatenate(backwards)) > 0.6


def test_inputs_may_be_rows_of_numbers():
    X = np.random.default_rng(0).uniform(-1, 1, (200, 5, 2))
    y = [np.flatnonzero(rows > 0) for rows in X[:, :, 0]]  # of lengths from 0 to 5
    model = quick(n_units=24, max_iter=60).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.predict(list(X[:3]))[1].tolist() == model.predict(X[:3])[1].tolist()
    assert min(len(codes) for codes in model.predict(X)) == 0


def test_texts_are_translated():
    numbers = {"one": "I", "two": "II", "three": "III", "four": "IV", "nine": "IX"}
    source, target = TokenEncoder().fit(list(numbers)), TokenEncoder().fit(numbers.values())
    X, y = source.transform(list(numbers)), target.transform(numbers.values())
    model = quick(n_units=24, max_iter=80, n_tokens=source.n_tokens_, embedding_dim=4).fit(X, y)
    assert target.inverse_transform(model.predict(X)) == list(numbers.values())


def test_containers_of_tokens_mean_the_same():
    X = np.random.default_rng(0).integers(0, 5, (12, 4))
    flat = quick().fit(list(X), list(X))
    for other in (X[:, :, None], list(X[:, :, None]), X.tolist()):
        assert flat.loss_curve_ == quick().fit(other, X).loss_curve_
    assert quick().fit(list(X), X[:, :, None].tolist()).loss_curve_ == flat.loss_curve_


def test_tokens_of_y_may_be_any_integers():
    X = words(20)
    model = quick(max_iter=60).fit(X, [10 * x[:2] - 3 for x in X])
    assert model.classes_.tolist() == (10 * np.arange(8) - 3).tolist()
    assert set(np.concatenate(model.predict(X)).tolist()) <= set(model.classes_.tolist())


def test_predictions_end_at_max_length():
    X, y = reversed_words()
    model = quick(max_iter=1).fit(X, [np.zeros(5, int) for _ in y])
    model._theta[-1] = -1e3  # the end is never likely
    assert {len(codes) for codes in model.predict(X)} == {5}
    assert {len(codes) for codes in model.set_params(max_length=9).predict(X)} == {9}
    model._theta[-1] = 1e3
    assert {len(codes) for codes in model.predict(X)} == {0}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_seed_determines_every_bit(dtype):
    X, y = reversed_words()
    X = [x.astype(dtype) for x in X]
    one, two = (quick(n_tokens=8).fit(X, y) for _ in range(2))
    assert one._theta.dtype == dtype and np.array_equal(one._theta, two._theta)
    assert one.loss_curve_ == two.loss_curve_ and one.grad_norm_curve_ == two.grad_norm_curve_
    other = quick(n_tokens=8, random_state=1).fit(X, y)
    assert other.loss_curve_ != one.loss_curve_


def test_two_fits_with_warm_start_equal_one():
    X, y = reversed_words()
    whole = quick(max_iter=5).fit(X, y)
    part = quick(max_iter=2, warm_start=True).fit(X, y)
    part = pickle.loads(pickle.dumps(part)).set_params(max_iter=3).fit(X, y)
    assert part.loss_curve_ == whole.loss_curve_ and part.n_iter_ == 5
    assert np.array_equal(part._theta, whole._theta)
    part.fit([x.astype(np.float32) for x in X], y)
    with pytest.raises(ValueError, match=r"y contains tokens unseen before, \[77\]"):
        part.fit(X, [np.array([77]) for _ in X])
    with pytest.raises(ValueError, match="training cannot continue with parameters that need"):
        part.set_params(n_units=3).fit(X, y)


@pytest.mark.parametrize("cell", cell_choices())
@pytest.mark.parametrize("params", [{}, {"bidirectional": True, "embedding_dim": 2}])
def test_weights_are_exchanged_between_estimators(cell, params):
    X, y = reversed_words(10)
    one = quick(cell=cell, max_iter=2, **params).fit(X, y)
    two = quick(cell=cell, max_iter=0, random_state=1, **params).fit(X, y)
    weights = one.get_weights()
    record = CELLS[find_cell(cell)]
    n = record.input_rows(8).sum()
    if record.uses_states:
        assert weights["encoder_W_0"].shape == weights["decoder_W_0"].shape == (n, 8)
    assert weights["b_out"].shape == (9,) and ("encoder_b_0_reverse" in weights) == bool(params)
    assert not np.array_equal(one._theta, two._theta)
    two.set_weights(weights)
    assert np.array_equal(one._theta, two._theta)
    weights["mix_W"][:] = 0  # they are copies
    assert np.array_equal(one._theta, two._theta)
    two.set_weights({"decoder_b_0": np.full(n, 0.5), "b_out": np.arange(9)})
    found = two.get_weights()
    assert np.all(found["decoder_b_0"] == 0.5) and found["b_out"].tolist() == list(range(9))
    assert np.array_equal(found["encoder_b_0"], weights["encoder_b_0"])
    two.set_params(warm_start=True, max_iter=1).fit(X, y)
    assert len(two.loss_curve_) == 1 and np.any(two.get_weights()["b_out"] != found["b_out"])


X4, Y4 = reversed_words(4)


def test_weights_that_do_not_fit_are_refused_by_name():
    model = quick(max_iter=0).fit(X4, Y4)
    with pytest.raises(ValueError, match=r"weights has unknown names \['W_0'\], expected \['W_out"):
        model.set_weights({"W_0": np.eye(8)})
    with pytest.raises(ValueError, match=r"weights\['encoder_W_0'\] has shape \(8, 8\), expected"):
        model.set_weights({"encoder_W_0": np.eye(8)})
    with pytest.raises(ValueError, match=r"weights\['bridge_b'\]"):
        model.set_weights({"bridge_b": np.full(16, np.nan)})
    with pytest.raises(TypeError, match="weights must be a dict of arrays, got list"):
        model.set_weights([np.eye(8)])


def test_the_batch_size_may_be_auto():
    X, y = reversed_words(210)
    auto, fixed = (quick(batch_size=size, max_iter=2).fit(X, y) for size in ("auto", 11))
    assert np.array_equal(auto._theta, fixed._theta)
    few, fixed = (quick(batch_size=size, max_iter=2).fit(X[:9], y[:9]) for size in ("auto", 4))
    assert np.array_equal(few._theta, fixed._theta)
    with pytest.raises(ValueError, match="batch_size must be an integer >= 1 or 'auto', got"):
        quick(batch_size="all").fit(X, y)


def test_training_continues_on_other_data():
    X, y = reversed_words(30)
    model = quick(max_iter=30, warm_start=True).fit(X, y)
    other = [(x + 1) % 8 for x in y]
    before = model._theta.copy()
    model.fit(X, other)
    assert not np.array_equal(model._theta, before)
    codes = np.concatenate(other), np.array([len(item) for item in other])
    source = _as_batch(model._pair, _pack(model, X, reset=False))
    pairs = make_pair_batch(source, *codes, model._pair.end)
    assert pair_loss(model._pair, model._theta, pairs) < pair_loss(model._pair, before, pairs)


def test_the_longest_target_of_all_calls_bounds_predictions():
    X = [np.array([0, 1])] * 8
    model = quick(max_iter=60, learning_rate_init=0.1, warm_start=True).fit(X, [[0]] * 8)
    assert model.fit(X, [[0, 0, 0]] * 8).predict(X[:1])[0].tolist() == [0, 0, 0]


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    X, y = reversed_words(10)
    model = quick(learning_rate_init=1e30)
    with pytest.raises(FloatingPointError, match="diverged in iteration"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.set_params(learning_rate_init=0.02, warm_start=True).fit(X, y)
    before, fields = model._theta.copy(), set(vars(model))
    with pytest.raises(FloatingPointError, match="diverged in iteration"):
        model.set_params(learning_rate_init=1e30).fit(X, y)
    assert np.array_equal(model._theta, before) and set(vars(model)) == fields
    with pytest.raises(ValueError, match=r"encoder.n_units was 8 and is now 3, .*decoder.n_units"):
        model.set_params(learning_rate_init=0.02, n_units=3).fit(X, y)
    with pytest.raises(ValueError, match="init must be one of"):
        model.set_params(n_units=8, init="bogus").fit(X, y)
    assert model.set_params(init="orthogonal").fit(X, y).best_loss_ < model.loss_curve_[0]


def test_the_weights_with_the_least_loss_are_kept():
    X, y = reversed_words(20)
    model = quick(max_iter=40, batch_size=20, learning_rate_init=0.05).fit(X, y)
    assert model.best_loss_ <= min(model.loss_curve_) and len(model.grad_norm_curve_) == 40
    codes = np.concatenate(y), np.array([len(item) for item in y])
    source = _as_batch(model._pair, _pack(model, X, reset=False))
    pairs = make_pair_batch(source, *codes, model._pair.end)
    np.testing.assert_allclose(pair_loss(model._pair, model._theta, pairs), model.best_loss_)


def test_searches_accept_the_estimator():
    X, y = reversed_words(30)
    search = GridSearchCV(quick(), {"cell": ["rnn", "gru"], "attention": [True, False]}, cv=2)
    assert 0 <= search.fit(X, y).best_score_ <= 1
    assert cross_val_score(quick(), X, y, cv=3).shape == (3,)
    assert clone(quick(cell="gru")).get_params() == quick(cell="gru").get_params()
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    for one, two in zip(again.predict(X), search.predict(X), strict=True):
        assert np.array_equal(one, two)


def test_callbacks_see_every_iteration_and_can_stop():
    pytest.importorskip("sklearn", minversion="1.9")
    X, y = reversed_words(10)
    watcher = Watcher(last=4)
    model = quick(max_iter=9).set_callbacks(watcher).fit(X, y)
    assert model.n_iter_ == len(watcher.scores) == 4 and watcher.over


def test_an_empty_prediction_can_be_right():
    X = words(20)
    y = [x[:1] if x[0] > 3 else x[:0] for x in X]
    model = quick(max_iter=60).fit(X, y)
    short = [i for i, item in enumerate(y) if not item.size]
    assert model.score([X[i] for i in short], [y[i] for i in short]) > 0.9


def test_a_network_without_training_predicts():
    X, y = reversed_words(10)
    model = quick(max_iter=0).fit(X, y)
    assert model.n_iter_ == 0 and len(model.predict(X)) == 10


def test_verbose_writes_a_line_per_iteration(capsys):
    X, y = reversed_words(10)
    quick(verbose=True).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("Iteration 1, loss = ")


BAD = {
    "n_units": (0, "n_units must be an integer >= 1, got 0"),
    "cell": ("elman", "cell must be one of"),
    "n_layers": (0, "n_layers must be an integer >= 1"),
    "bidirectional": ("yes", "bidirectional must be True or False"),
    "attention": (None, "attention must be True or False"),
    "n_tokens": (0, "n_tokens must be an integer >= 1"),
    "embedding_dim": (0, "embedding_dim must be an integer >= 1"),
    "init": ("he", "init must be one of"),
    "learning_rate_init": (0.0, "learning_rate_init must be a finite number > 0"),
    "clip_norm": (0.0, "clip_norm must be a finite number > 0"),
    "batch_size": (0, "batch_size must be an integer >= 1, got 0"),
    "shuffle": (1, "shuffle must be True or False"),
    "alpha": (-1.0, "alpha must be a finite number >= 0"),
    "max_iter": (-1, "max_iter must be an integer >= 0"),
    "tol": (-1.0, "tol must be a finite number >= 0"),
    "n_iter_no_change": (0, "n_iter_no_change must be an integer >= 1"),
    "max_length": (0, "max_length must be an integer >= 1"),
    "warm_start": (2, "warm_start must be True or False"),
    "random_state": (-1, "random_state must be an integer"),
    "verbose": ("yes", "verbose must be True, False or an integer"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parameters_are_refused_by_name(name):
    value, message = BAD[name]
    with pytest.raises((ValueError, TypeError), match=message):
        quick(**{name: value}).fit(*reversed_words(4))


BAD_DATA = {
    "a series": (np.zeros((5, 2)), Y4, "X must be a list of sequences, or an array"),
    "a text": ("abc", Y4, "X must be a list of sequences"),
    "nothing": (None, Y4, "X must be a list of sequences"),
    "an empty list": ([], [], "X is an empty list"),
    "numbers": ([1, 2, 3, 4], Y4, r"X\[0\] must be an array of tokens"),
    "texts": (["ab", "c", "d", "e"], Y4, r"X\[0\] must be an array of tokens"),
    "an empty sequence": ([*X4[:3], X4[0][:0]], Y4, r"X\[3\] is an empty sequence"),
    "a hole": ([x.astype(float) * np.nan for x in X4], Y4, "X contains NaN"),
    "a negative token": ([*X4[:3], -X4[0]], Y4, "X contains the token -"),
    "no y": (X4, None, "requires y to be passed, but the target y is None"),
    "y a number": (X4, 3, "y must be a list of integer arrays, got int 3"),
    "y a text": (X4, "abcd", "y must be a list of integer arrays, got str 'abcd'"),
    "too few y": (X4, Y4[:3], "y has 3 items but X has 4 sequences"),
    "y labels": (X4, [1, 2, 3, 4], r"y\[0\] must be integers, of shape"),
    "y fractions": (X4, [y / 2 for y in Y4], r"y\[0\] must be integers.* and dtype float64"),
    "y rows": (X4, [*Y4[:3], np.eye(2, dtype=int)], r"y\[3\] must be .* of shape \(2, 2\)"),
    "y beyond int64": (X4, [*Y4[:3], [2**63]], r"y\[3\] must be integers below 2\*\*63, got 9223"),
    "y of nothing": (X4, [[], [], [], []], "y contains no token"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_are_refused_by_name(name):
    X, y, message = BAD_DATA[name]
    with pytest.raises(ValueError, match=message):
        quick().fit(X, y)


def test_what_is_not_possible_is_refused_with_a_remedy():
    X, y = reversed_words(10)
    model = quick(attention=False).fit(X, y)
    with pytest.raises(ValueError, match="needs a model that was fitted with attention=True"):
        model.attention_weights(X)
    with pytest.raises(ValueError, match=r"X contains the token 9 in row 1, expected integers in"):
        model.predict([[0, 9]])
    with pytest.raises(ValueError, match="X must have one column of tokens, got 2 features"):
        quick(n_tokens=3).fit(np.zeros((10, 4, 2)), y)
    with pytest.raises(
        FloatingPointError, match=r"diverged in iteration 2.* smaller learning_rate_init"
    ):
        quick(learning_rate_init=1e308).fit(X, y)
