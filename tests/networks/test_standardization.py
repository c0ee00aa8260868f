"""Inputs of any unit: training standardises them, and the fitted weights take them as they are."""

import numpy as np
import pytest
from checks import Watcher
from sklearn.exceptions import ConvergenceWarning
from training_problems import echo, quick

from esnkit.networks._cells import CELLS
from esnkit.networks._initializers import initial_theta
from esnkit.networks._minibatches import SequenceBatch, evaluate
from esnkit.networks._rnn import RNNClassifier, RNNRegressor
from esnkit.networks._spec import Spec
from esnkit.networks._standardization import InputScale, input_scale

UNITS = np.array([40.0, 0.01])
LEVEL = np.array([300.0, -2.0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_both_forms_of_the_weights_give_the_same_outputs(cell, bidirectional):
    rng = np.random.default_rng(0)
    spec = Spec(cell, 6, 2, 3, n_layers=2, bidirectional=bidirectional)
    theta = initial_theta(spec, rng)
    scale = InputScale(LEVEL, UNITS)
    rows, offsets = rng.normal(size=(12, 2)), np.array([0, 7, 12])
    standard = SequenceBatch(rows, offsets, np.empty((12, 0)), True)
    raw = standard._replace(inputs=rows * UNITS + LEVEL)
    np.testing.assert_allclose(scale.standardize(raw.inputs), rows, atol=1e-11)
    np.testing.assert_allclose(
        evaluate(spec, scale.to_raw(spec, theta), raw)[0],
        evaluate(spec, theta, standard)[0],
        atol=1e-10,
    )
    again = scale.from_raw(spec, scale.to_raw(spec, theta))
    np.testing.assert_allclose(again, theta, atol=1e-12)


def test_center_and_scale_are_those_of_the_columns_but_of_indicators():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 3)) * 7 + 100
    rows[:, 1], rows[:, 2] = 9.0, rng.uniform(size=50) < 0.1
    scale = input_scale(rows)
    np.testing.assert_allclose(scale.center, [np.sort(rows[:, 0])[24], 9, 0])
    np.testing.assert_allclose(scale.scale, [rows[:, 0].std(), 1, 1])
    assert scale.standardize(rows.astype(np.float32)).dtype == np.float32


def test_gains_bring_every_sequence_to_the_size_of_all_rows():
    sizes, offsets = np.array([0.01, 1.0, 0.0, 1e-9, 5.0]), np.arange(0, 251, 50)
    rows = np.tile([1.0, -1.0], 125)[:, None] * np.repeat(sizes, 50)[:, None] + [0.0, 3.0]
    scale = input_scale(rows)
    expected = scale.scale / np.where(sizes > 0, sizes, np.inf)[:, None]
    expected[2] = 1.0  # constant
    for moderate, largest in ((True, 100.0), (False, 1e6)):
        gains = scale.gains(rows, offsets, moderate=moderate)
        np.testing.assert_allclose(gains, np.clip(expected, 1.0, largest), rtol=1e-6)


def test_gains_are_no_larger_than_the_precision_of_biases_allows():
    rows, offsets = np.tile([1.0, -1.0], 50)[:, None], np.array([0, 50, 100])
    rows[:50] *= 1e-5

    def largest_gain(rows):
        return input_scale(rows).gains(rows, offsets, moderate=False).max()

    assert largest_gain(rows.astype(np.float32)) == pytest.approx(np.sqrt(0.5) * 1e5, rel=1e-3)
    assert largest_gain(rows + 10) == pytest.approx(np.sqrt(0.5) * 1e5, rel=1e-3)
    limit = 0.01 / np.finfo(np.float32).eps * np.sqrt(0.5) / 10
    assert largest_gain((rows + 10).astype(np.float32)) == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_states_stay_small_on_loud_sequences_where_a_cell_saturates(cell):
    spec = Spec(cell, 6, 1, 2, head=False)
    rows = 1e6 * np.random.default_rng(0).normal(size=(20, 1))
    batch = SequenceBatch(rows, np.array([0, 20]), np.empty((20, 0)), True)
    states = evaluate(spec, initial_theta(spec, np.random.default_rng(0)), batch)[0]
    assert (np.abs(states).max() <= 1.0) == CELLS[cell].saturates


def loud_and_quiet():
    """Return sequences that rise or fall, a third of them of a tiny size, and whether they rise."""
    rises = np.arange(60) % 2 == 1
    noise = 0.2 * np.random.default_rng(0).normal(size=(60, 10))
    X = np.where(rises, 1, -1)[:, None] * np.linspace(0, 1, 10) + noise
    return (X * np.where(np.arange(60) % 6 < 2, 1e-4, 1.0)[:, None])[:, :, None], rises


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_quiet_and_loud_sequences_are_learned_together(cell):
    X, rises = loud_and_quiet()
    settings = {"standardize": True, "pooling": "mean", "n_units": 16, "max_iter": 20}
    model = quick(RNNClassifier, cell=cell, **settings).fit(X[:36], rises[:36])
    assert model.score(X[36:], rises[36:]) == 1.0


def test_gains_are_moderate_with_a_penalty_or_units_that_do_not_saturate():
    X, rises = loud_and_quiet()
    settings = {"standardize": True, "max_iter": 0, "n_units": 16}
    for params, limit in (
        ({"cell": "gru"}, 1e4), ({"cell": "gru", "alpha": 0.1}, 100), ({"cell": "lru"}, 100)
    ):  # fmt: skip
        W = quick(RNNClassifier, **settings | params).fit(X, rises).get_weights()["W_in_0"]
        assert 0.3 * limit < np.abs(W).max() * X.std() < 3 * limit


@pytest.mark.filterwarnings("error")
def test_the_penalty_does_not_count_as_a_loss_of_a_network_that_has_learned_nothing():
    X, rises = loud_and_quiet()
    model = quick(RNNClassifier, standardize=True, alpha=1.0, max_iter=20).fit(X, rises)
    assert model.best_loss_ > 1.0 and model.score(X, rises) > 0.8
    with pytest.warns(ConvergenceWarning, match="learned nothing"):
        model.set_params(learning_rate_init=1e-9).fit(X, rises)


def test_training_does_not_depend_on_the_units_of_the_inputs():
    X, y, _ = echo()
    raw = X * UNITS + LEVEL
    center, scale = np.sort(raw.reshape(-1, 2), axis=0)[159], raw.std(axis=(0, 1))
    settings = {"standardize": True, "max_iter": 5, "batch_size": 10, "cell": "gru"}
    model = quick(**settings).fit(raw, y)
    other = quick(**settings).fit((raw - center) / scale, y)
    np.testing.assert_allclose(model.input_center_, center)
    np.testing.assert_allclose(model.input_scale_, scale)
    np.testing.assert_allclose(model.predict(raw), other.predict((raw - center) / scale), rtol=1e-8)
    model.partial_fit(raw, y)  # continues with the same parameters
    other.partial_fit((raw - center) / scale, y)
    np.testing.assert_allclose(model.loss_curve_, other.loss_curve_, rtol=1e-8)
    assert not hasattr(model.set_params(standardize=False).fit(X, y), "input_center_")


def test_weights_that_are_set_are_for_inputs_as_they_are():
    X, y, _ = echo()
    raw = X * UNITS + LEVEL
    model, other = (quick(standardize=True, max_iter=n).fit(raw, y) for n in (3, 0))
    other.set_weights(model.get_weights())
    assert np.array_equal(other.predict(raw), model.predict(raw))
    np.testing.assert_allclose(other._trainer.theta, model._trainer.fitted_theta, atol=1e-9)


def test_steps_and_closed_loops_take_inputs_as_they_are():
    s = 50 + 20 * np.sin(np.arange(60) / 3)[:, None]
    model = quick(standardize=True, max_iter=4).fit(s[:-1], s[1:])
    stepper = model.stream()
    assert np.array_equal([stepper.step(x) for x in s], model.predict(s))
    first = model.generate(1)
    assert np.array_equal(first, model.predict(s[-1:], initial_state=model.last_state_))


def test_tokens_stay_as_they_are():
    codes = np.tile([0, 1, 2, 1], 10)
    model = quick(RNNClassifier, standardize=True, max_iter=1).fit(codes[:-1, None], codes[1:])
    assert not hasattr(model, "input_center_")


def test_callbacks_see_weights_for_inputs_as_they_are():
    pytest.importorskip("sklearn", minversion="1.9")
    X, y, _ = echo()
    scores = []
    for inputs in (X * UNITS + LEVEL, X):
        watcher = Watcher(last=4)
        quick(standardize=True, max_iter=4).set_callbacks(watcher).fit(inputs, y)
        scores.append(watcher.scores)
    assert len(scores[0]) == 4
    np.testing.assert_allclose(*scores, rtol=1e-6)


def test_units_out_of_range_are_refused():
    X, y, _ = echo()
    with pytest.raises(ValueError, match=r"\(weights of inputs\) / \(standard deviation of X\)"):
        RNNRegressor(4, max_iter=1).fit((1e-30 * X).astype(np.float32) * 1e-9, y)
    with pytest.raises(TypeError, match="standardize"):
        RNNRegressor(4, max_iter=1, standardize="yes").fit(X, y)


def test_input_weights_are_larger_for_one_label_a_sequence():
    X, y, Y = echo()
    settings = {"standardize": True, "max_iter": 0, "n_units": 64}

    def size(estimator, target):
        model = quick(estimator, **settings).fit(X, target)
        return np.std(model.get_weights()["W_in_0"] * X.std(axis=(0, 1)))

    rows = X.reshape(-1, X.shape[2])
    gains = input_scale(rows).gains(rows, np.arange(len(X) + 1) * X.shape[1], moderate=False)
    expected = np.sqrt(np.mean(gains**2) / 2)
    assert size(RNNClassifier, y > 0) == pytest.approx(expected, rel=0.15)
    for estimator, target in (
        (RNNRegressor, y),
        (RNNRegressor, Y),
        (RNNClassifier, Y[:, :, 0] > 0),
    ):
        assert size(estimator, target) == pytest.approx(np.sqrt(2 / 66), rel=0.15)
