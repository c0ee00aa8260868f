"""Data of unusual size that a network has not learned give a warning; other data give none."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from esnkit import RNNClassifier, RNNRegressor, Seq2SeqClassifier
from esnkit.networks._losses import LOSSES
from esnkit.networks._scale_check import (
    column_sizes,
    loss_of_constant,
    unexplained_shares,
    warn_of_scale,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = X @ np.array([[0.8, 0.1], [0.6, -0.9]])
NOISE = RNG.normal(size=60)
SEQUENCES = RNG.normal(size=(12, 5, 2))
BRIEF = {"n_units": 4, "max_iter": 4, "random_state": 0}


def regressor(**params):
    return RNNRegressor(**(BRIEF | {"cell": "gru"} | params))


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e-6, 1e-3, 1e3, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_targets_of_unusual_size_are_to_be_scaled(size, solver):
    with pytest.warns(ConvergenceWarning, match=r"y is of the size .*scale it"):
        regressor(solver=solver, max_iter=2).fit(X, size * Y[:, 0])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_one_output_of_unusual_size_among_others_is_enough(cell):
    with pytest.warns(ConvergenceWarning, match=r"y is of the size 1e\+06"):
        regressor(cell=cell).fit(X, Y / Y.std(axis=0) * [1.0, 1e6])


def test_without_a_head_the_mean_of_the_targets_counts():
    with pytest.warns(ConvergenceWarning, match=r"learned 0 %.* y is of the size 1e\+06"):
        regressor(head=None).fit(X, Y + 1e6)


@pytest.mark.parametrize("size, effect", [(1e6, "saturate"), (1e3, "saturate"), (1e-6, "hardly")])
def test_inputs_of_unusual_size_are_to_be_scaled(size, effect):
    with pytest.warns(ConvergenceWarning, match=f"X is of the size .*{effect}.*SequenceScaler"):
        regressor(standardize=False).fit(size * X, NOISE)
    with pytest.warns(ConvergenceWarning, match="X is of the size"):
        RNNClassifier(**BRIEF, standardize=False).fit(size * SEQUENCES, [0, 1] * 6)
    with pytest.warns(ConvergenceWarning, match="X is of the size"):
        Seq2SeqClassifier(**BRIEF).fit(size * SEQUENCES, [[0, 1], [1]] * 6)


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_standardised_inputs_need_no_scaling(size):
    regressor().fit(size * X, NOISE)
    RNNClassifier(**BRIEF).fit(size * SEQUENCES, [0, 1] * 6)


@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_noise_of_an_ordinary_size_is_not_to_be_scaled(size):
    regressor().fit(X, size * NOISE)
    regressor().fit(size * X, NOISE)
    regressor(head=None).fit(X, size * NOISE)
    RNNClassifier(**BRIEF).fit(size * SEQUENCES, [0, 1] * 6)


def test_what_scaling_cannot_change_gives_no_warning():
    regressor().fit(X, Y + 1e6)  # the bias starts at the mean
    regressor().fit(X, np.full(60, 1e6 / 3))
    regressor().fit(0 * X, NOISE)
    regressor().fit(1e6 * X, np.full(60, 0.3))
    weights = np.ones(60)
    weights[3] = 0.0
    regressor().fit(X, np.where(weights > 0, NOISE, 1e30), sample_weight=weights)
    regressor().fit(X.astype(np.float32), np.full(60, 1e6 / 3, np.float32))
    regressor(n_tokens=400).fit(np.arange(340, 400)[:, None], NOISE)
    regressor(max_iter=0).fit(X, 1e6 * Y)
    regressor().partial_fit(X, 1e6 * Y)


def test_targets_of_a_large_size_that_are_learned_give_no_warning():
    y = 1e6 * Y[:, 0]
    assert regressor(solver="hessian_free").fit(X, y).score(X, y) > 0.5


def test_nothing_is_evaluated_for_data_of_a_usual_size():
    warn_of_scale(np.array([1.0, 200.0]), np.array([0.01, 100.0]), lambda: pytest.fail("called"))


def test_sizes_and_shares_agree_with_numpy():
    w = RNG.uniform(size=(60, 2))
    mean = np.average(Y, axis=0, weights=w)
    variance = np.average((Y - mean) ** 2, axis=0, weights=w)
    np.testing.assert_allclose(column_sizes(Y, w, centred=True) ** 2, variance)
    np.testing.assert_allclose(column_sizes(Y) ** 2, np.mean(Y**2, axis=0))
    error = np.average((0.5 * Y - Y) ** 2, axis=0, weights=w)
    np.testing.assert_allclose(unexplained_shares(0.5 * Y, Y, w), error / variance)
    np.testing.assert_allclose(
        unexplained_shares(0.5 * Y, Y, w[:, 0]), unexplained_shares(0.5 * Y, Y, w[:, [0, 0]])
    )
    assert column_sizes(np.full((5, 1), 1e6 / 3), centred=True) == 0


def test_the_loss_of_constant_outputs_is_the_least_of_them():
    weights = RNG.uniform(0.1, 1, 60)
    for kind, target in (("squared", Y), ("softmax", np.eye(3)[RNG.integers(0, 3, 60)])):
        for w in (None, weights, *([np.c_[weights, weights[::-1]]] if kind == "squared" else [])):

            def loss(row, kind=kind, target=target, w=w):
                return LOSSES[kind][0](np.broadcast_to(row, target.shape), target, w).value

            found = minimize(loss, np.zeros(target.shape[1]), tol=1e-12).fun
            assert loss_of_constant(kind, target, w) == pytest.approx(found, abs=1e-9)


def learner(estimator, **params):
    given = {"n_units": 4, "cell": "gru", "max_iter": 12, "random_state": 0}
    return estimator(**given | params)


@pytest.mark.parametrize("rate, estimator", [(1e-7, RNNClassifier), (30.0, RNNClassifier),
                                             (1e-7, RNNRegressor)])  # fmt: skip
def test_a_learning_rate_that_teaches_nothing_is_named(rate, estimator):
    y = np.arange(12) % 2
    with pytest.warns(ConvergenceWarning, match=f"learned nothing from X.*now {rate:g}\\)"):
        model = learner(estimator, learning_rate_init=rate).fit(SEQUENCES, y)
    assert model.best_loss_ > 0.99 * loss_of_constant(
        model._spec.loss, np.eye(2)[y] if estimator is RNNClassifier else y[:, None] * 1.0, None
    )


def test_unscaled_inputs_are_named_where_nothing_is_learned():
    with pytest.warns(ConvergenceWarning, match="or more iterations; scale X, as standardize=True"):
        learner(RNNRegressor, learning_rate_init=30.0, standardize=False).fit(
            SEQUENCES, np.arange(12) % 2
        )


def test_few_iterations_and_one_class_teach_nothing_in_silence():
    learner(RNNClassifier, learning_rate_init=1e-7, max_iter=9).fit(SEQUENCES, np.arange(12) % 2)
    learner(RNNClassifier).fit(SEQUENCES, np.zeros(12))
    learner(RNNRegressor).fit(SEQUENCES, np.ones(12))
