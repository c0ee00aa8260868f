"""The recurrent networks as estimators: scikit-learn's checks, learning, scores and docstrings."""

import inspect
import re

import numpy as np
import pytest
from checks import parametrize_with_checks
from sklearn.base import clone
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from training_problems import echo, quick, untrained, waves

from esnkit.networks._cells import CELLS, activation_choices, cell_choices, find_cell
from esnkit.networks._initializers import INITS
from esnkit.networks._minibatches import SequenceBatch
from esnkit.networks._parameters import STARTS
from esnkit.networks._rnn import RNNClassifier, RNNRegressor
from esnkit.networks._seq2seq import Seq2SeqClassifier
from esnkit.networks._solvers import LEARNING_RATES, solvers
from esnkit.networks._spec import POOLINGS
from esnkit.optim._first_order import MOMENTUM_SCHEDULES
from esnkit.sequences._targets import Targets

every_cell = pytest.mark.parametrize("cell", cell_choices())


def depth_of(cell):
    """Return parameters: gates that do not depend on the state tell steps apart from layer two."""
    return {} if CELLS[find_cell(cell)].uses_states else {"n_layers": 2}


BRIEF = {"max_iter": 12, "learning_rate_init": 0.1, "random_state": 0}
SMALL = [  # checks are of the estimator more than of the cell
    RNNRegressor(8, cell="lstm", **BRIEF),
    RNNRegressor(8, cell="lru", **BRIEF),
    RNNClassifier(8, cell="gru", **BRIEF),
    RNNClassifier(8, cell="rnn", **BRIEF),
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


@every_cell
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_a_target_per_sequence_is_learned(cell, pooling):
    X, y, _ = echo()
    model = quick(cell=cell, pooling=pooling, batch_size=10, max_iter=30, **depth_of(cell))
    assert model.fit(X, y).score(X, y) > 0.75
    assert model.predict(X).shape == y.shape


@every_cell
@pytest.mark.parametrize("params", [{"n_layers": 2}, {"bidirectional": True}, {"tbptt": 3}])
def test_a_target_per_step_is_learned(cell, params):
    X, _, Y = echo()
    model = quick(cell=cell, batch_size=10, max_iter=30, **depth_of(cell) | params).fit(X, Y)
    assert model.score(X, Y) > 0.5
    assert model.predict(X).shape == Y.shape


@every_cell
@pytest.mark.parametrize("bidirectional", [False, True])
def test_slow_and_fast_waves_are_classified(cell, bidirectional):
    X, labels = waves()
    params = {"bidirectional": bidirectional, "max_iter": 30} | depth_of(cell)
    model = quick(RNNClassifier, cell=cell, **params).fit(X, labels)
    assert model.score(X, labels) == 1.0
    proba = model.predict_proba(X)
    assert proba.shape == (20, 2) and np.allclose(proba.sum(axis=1), 1)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))
    lead = model.decision_function(X)
    assert np.array_equal(lead > 0, model.predict(X) == "slow")


@pytest.mark.parametrize(
    "params",
    [{}, {"pooling": "max"}, {"pooling": "attention"}, {"bidirectional": True}],
    ids=str,
)
def test_probabilities_after_some_steps_are_those_of_cut_sequences(params):
    X, labels = waves()
    ragged = [x[: len(x) - i % 3] for i, x in enumerate(X)]
    model = quick(RNNClassifier, max_iter=3, **params).fit(ragged, labels)
    every = model.predict_proba(ragged, steps="all")
    assert [rows.shape for rows in every] == [(len(x), 2) for x in ragged]
    numbers = model.predict_proba(X, steps=[2, 5])
    shares = model.predict_proba(X, steps=[0.4, 1.0])
    for n, rows in (
        (2, numbers[:, 0]),
        (5, [rows[4] for rows in every]),
        (6, shares[:, 0]),
        (15, shares[:, 1]),
    ):
        wanted = model.predict_proba([x[:n] for x in X])
        np.testing.assert_allclose(rows, wanted, rtol=0, atol=1e-9)
    series = model.predict_proba(ragged[1], steps="all")
    np.testing.assert_allclose(series, every[1], rtol=0, atol=1e-12)


def test_steps_that_are_none_or_need_labels_of_sequences_are_refused():
    X, labels = waves()
    model = quick(RNNClassifier, max_iter=0).fit(X, labels)
    with pytest.raises(ValueError, match="steps must be None, 'all', a list of ascending"):
        model.predict_proba(X, steps=3)
    with pytest.raises(ValueError, match="steps has 999 time steps, but X"):
        model.predict_proba(X, steps=[999])
    model.fit(X, np.repeat(labels[:, None], len(X[0]), axis=1))
    with pytest.raises(ValueError, match="steps needs a model of one label for every sequence"):
        model.predict_proba(X, steps="all")


def test_without_a_head_units_are_the_outputs_and_weights_select_targets():
    X, _, Y = echo(20)
    Y = np.concatenate([0.5 * Y, np.full_like(Y, 1e3)], axis=2)
    weights = np.zeros_like(Y)
    weights[:, -3:, 0] = 1
    model = quick(head=None, learning_rate_init=0.1).fit(X, Y, sample_weight=weights)
    assert "W_out" not in model.get_weights()
    error = model.predict(X)[:, -3:, 0] - Y[:, -3:, 0]
    assert np.mean(error**2) < 0.3 * np.mean(Y[:, -3:, 0] ** 2)
    with pytest.raises(ValueError, match="head=None makes the first units .*: 9 outputs"):
        quick(head=None).fit(X, np.zeros((20, 8, 9)))


def test_weights_of_classes_and_rows_reach_the_loss():
    X, labels = waves()
    plain = quick(RNNClassifier, max_iter=3).fit(X, labels)
    rows = np.where(labels == "slow", 5.0, 1.0)
    by_row = quick(RNNClassifier, max_iter=3).fit(X, labels, sample_weight=rows)
    by_class = quick(RNNClassifier, max_iter=3, class_weight={"slow": 5.0, "fast": 1.0})
    by_class.fit(X, labels)
    assert by_row.loss_curve_ == by_class.loss_curve_ != plain.loss_curve_


def test_a_classifier_weights_a_row_by_the_weight_of_its_class():
    X, labels = waves()
    weights = np.random.default_rng(0).uniform(1, 2, (20, 2))
    own_weights = weights[np.arange(20), (labels == "slow").astype(int)]
    indicators = Targets(np.eye(2)[(labels == "slow").astype(int)], "sequence", True)
    assert np.array_equal(RNNClassifier()._row_weights(weights, indicators), own_weights)
    by_output, by_row = (
        quick(RNNClassifier, max_iter=2, alpha=1.0).fit(X, labels, sample_weight=w).loss_curve_
        for w in (weights, own_weights)
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


def test_validation_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    Y, outputs, weights = rng.normal(size=(9, 2)), rng.normal(size=(9, 2)), rng.uniform(size=9)
    model = RNNRegressor()
    assert scored(model, outputs, Y) == pytest.approx(r2_score(Y, outputs))
    assert scored(model, outputs, Y, weights) == pytest.approx(
        r2_score(Y, outputs, sample_weight=weights)
    )
    for value in (1.0, 0.1):  # of which the mean is rounded
        constant = np.full((9, 2), value)
        assert scored(model, outputs, constant, weights) == pytest.approx(
            -mean_squared_error(constant, outputs, sample_weight=weights)
        )
    codes = rng.integers(0, 2, 9)
    assert scored(RNNClassifier(), outputs, np.eye(2)[codes], weights) == pytest.approx(
        accuracy_score(codes, outputs.argmax(axis=1), sample_weight=weights)
    )


def test_searches_and_pipelines_accept_the_estimators():
    X, labels = waves(24)
    search = GridSearchCV(quick(RNNClassifier, max_iter=15), {"cell": cell_choices()}, cv=2)
    assert search.fit(X, labels).best_score_ > 0.6
    assert len(cross_val_score(quick(max_iter=2), *echo()[:2], cv=3)) == 3
    s = np.sin(np.arange(80) / 3)[:, None]
    pipe = make_pipeline(StandardScaler(), quick(max_iter=5)).fit(s[:-1], s[1:])
    assert pipe.predict(s[:10]).shape == (10, 1)
    assert clone(quick()).get_params() == quick().get_params()


def test_a_network_is_causal_unless_it_is_bidirectional():
    X, y, _ = echo(4)
    assert RNNRegressor().causal and not RNNClassifier(bidirectional=True).causal
    model = untrained(X, y, bidirectional=True)
    assert not model.causal
    assert not model.set_params(bidirectional=False).causal  # the fitted network is not
    assert model.fit(X, y).causal


# Docstrings.


def documented(cls, section):
    """Return the entries of a section of a docstring: name, then type and description."""
    text = re.search(rf"^{section}\n-+\n(.*?)\n\n", inspect.getdoc(cls), re.M | re.S)[1]
    entries = re.split(r"^(\w+) : ", text, flags=re.M)[1:]
    return dict(zip(entries[::2], entries[1::2], strict=True))


DIFFERENT = {
    "Parameters": {"n_tokens", "embedding_dim", "head"},
    "Attributes": {"n_outputs_"},
}


@pytest.mark.parametrize("section", DIFFERENT)
def test_docstrings_of_both_estimators_agree(section):
    one, two = documented(RNNRegressor, section), documented(RNNClassifier, section)
    found = {name for name in one.keys() & two.keys() if one[name] != two[name]}
    assert found == DIFFERENT[section]


CHOICES = {
    "cell": cell_choices(),
    "activation": activation_choices(),
    "pooling": ("auto", *POOLINGS),
    "learning_rate": LEARNING_RATES,
    "start": STARTS,
    "init": INITS,
    "solver": solvers(),
    "momentum_schedule": MOMENTUM_SCHEDULES,
}


@pytest.mark.parametrize("cls", [RNNRegressor, RNNClassifier, Seq2SeqClassifier])
def test_choices_in_docstrings_are_those_of_the_tables(cls):
    documented_parameters = documented(cls, "Parameters")
    defaults = cls().get_params()
    for name in CHOICES.keys() & documented_parameters.keys():
        head = documented_parameters[name].partition("\n")[0]
        choices = ", ".join(f'"{choice}"' for choice in CHOICES[name])
        assert head == f'{{{choices}}}, default="{defaults[name]}"', name
