"""Ensembles of echo state networks: their members, how these are combined, what is refused."""

import pickle
import threading

import numpy as np
import pytest
from checks import CHECKS, parametrize_with_checks
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimators_unfitted

from esnkit import (
    ESNClassifier,
    ESNEnsembleClassifier,
    FromChannelsFirst,
    Reservoir,
    ReservoirClassifier,
    RidgeReadout,
    SequenceDifferencer,
    SequenceNormalizer,
    SequenceScaler,
)
from esnkit.esn import _ensemble as ensemble_module
from esnkit.metrics import make_sequence_scorer
from esnkit.pooling import ModelSpace

ALPHAS = [10.0**exponent for exponent in range(-3, 7)]
CYCLE = {"topology": "cycle", "spectral_radius": 0.99}
SMALL = {"n_units": 8, "random_state": 0}


def waves(n_sequences=24, seed=0, noise=0.4):
    """Return ragged waves of three periods, with two features, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.array(["fast", "medium", "slow"])[np.arange(n_sequences) % 3]
    periods = {"fast": 1.0, "medium": 1.6, "slow": 2.6}
    X = []
    for label in labels:
        t = np.arange(rng.integers(12, 25))[:, None]
        wave = np.sin(t / periods[label] + rng.uniform(0, 6, (1, 2)))
        X.append(100 + 30 * (wave + noise * rng.standard_normal(wave.shape)))
    return X, labels


X, LABELS = waves()
NEW, NEW_LABELS = waves(12, seed=1)
EQUAL = np.stack([x[:12] for x in X])


def small(**params):
    return ESNEnsembleClassifier(**SMALL | params)


def lean(**params):
    """Return two members."""
    return small(**{"reservoirs": [Reservoir(8)], "views": ["values", "differences"]} | params)


@pytest.fixture(scope="module")
def fitted():
    return lean().fit(X, LABELS)


def standardised(views):
    """Return views of X and NEW, with the mean zero and the variance one over all rows of X."""
    rows = np.concatenate(views[0])
    return [[(x - rows.mean(axis=0)) / rows.std(axis=0) for x in part] for part in views]


def by_hand():
    """Return the log of the probabilities of NEW, member by member, from plain parts."""
    z = [[(x - x.mean(axis=0)) / x.std(axis=0) for x in part] for part in (X, NEW)]
    d = [[np.diff(x, axis=0, prepend=x[:1]) for x in part] for part in (X, NEW)]
    seeds = iter(np.random.RandomState(0).randint(2**31 - 1, size=9).tolist())
    total, weights = 0.0, []
    for train, test in map(standardised, ([X, NEW], z, d)):
        for reservoir in (
            Reservoir(8, leak_rate=(0.1, 1.0)),
            Reservoir(8, leak_rate=(0.1, 1.0), **CYCLE),
            Reservoir(8, input_scaling=0.1, bias_scaling=0.1, **CYCLE),
        ):
            readout = RidgeReadout(ALPHAS, standardize=True, scoring="classification")
            pooling = [ModelSpace(17, alpha=0.003), "ppv"]
            member = ReservoirClassifier(
                reservoir, readout, pooling=pooling, target="sequence", random_state=next(seeds)
            ).fit(train, LABELS)
            used = ALPHAS.index(member.readout_.alpha_)
            wrong = round(member.readout_.loo_scores_[used] * len(X))
            weights.append((len(X) + 2) / (wrong + 1))
            total = total + weights[-1] * np.log(member.predict_proba(test))
    return total / np.sum(weights), np.array(weights) / np.sum(weights)


def test_probabilities_are_the_weighted_product_of_those_of_the_members():
    fitted = small().fit(X, LABELS)
    logarithms, weights = by_hand()
    assert np.ptp(weights) > 0.02
    np.testing.assert_allclose(fitted.weights_, weights, rtol=1e-12)
    expected = softmax(1.5 * logarithms, axis=1)
    np.testing.assert_allclose(fitted.predict_proba(NEW), expected, rtol=1e-6)
    np.testing.assert_array_equal(fitted.predict(NEW), fitted.classes_[expected.argmax(axis=1)])
    scores = fitted.decision_function(NEW)
    np.testing.assert_allclose(log_softmax(scores, axis=1), np.log(expected), rtol=1e-6)
    assert fitted.score(NEW, NEW_LABELS) == np.mean(fitted.predict(NEW) == NEW_LABELS) > 0.7


def test_the_decision_of_two_classes_is_the_logarithm_of_their_odds():
    two = LABELS == "slow"
    model = small(views=["values"]).fit(X, two)
    odds = model.predict_proba(NEW)[:, 1] / model.predict_proba(NEW)[:, 0]
    np.testing.assert_allclose(model.decision_function(NEW), np.log(odds), rtol=1e-9)
    np.testing.assert_array_equal(model.predict(NEW), model.decision_function(NEW) > 0)


@pytest.mark.parametrize("n_jobs", [1, 2, -1, np.int64(3)], ids=str)
def test_threads_give_the_same_bits(fitted, n_jobs):
    model = lean(n_jobs=n_jobs).fit(X, LABELS)
    np.testing.assert_array_equal(model.weights_, fitted.weights_)
    np.testing.assert_array_equal(model.decision_function(NEW), fitted.decision_function(NEW))


def test_members_run_in_as_many_threads_as_are_asked_for():
    both = threading.Barrier(2, timeout=20)
    names = set()

    def together(states):
        if not names:
            both.wait()
            names.add(threading.current_thread().name)
        return states.mean(axis=0)

    reservoirs = [Reservoir(3), Reservoir(3)]
    model = small(n_jobs=2, reservoirs=reservoirs, views=["values"], pooling=together)
    model.fit(X, LABELS)
    assert names


def test_views_are_computed_once_for_all_their_members(monkeypatch):
    calls = []
    transform = SequenceNormalizer._transform_rows

    def counted(self, sequences):
        calls.append(sequences.n_sequences)
        return transform(self, sequences)

    monkeypatch.setattr(SequenceNormalizer, "_transform_rows", counted)
    reservoirs = [Reservoir(3), Reservoir(4), Reservoir(5)]
    model = small(reservoirs=reservoirs, views=["normalized"]).fit(X, LABELS)
    model.predict(NEW)
    assert calls == [24, 12] and len(model.estimators_) == 3


def test_reservoirs_and_views_may_be_replaced():
    reservoirs = [Reservoir(4, random_state=7), Reservoir(6, topology="orthogonal")]
    views = ("differences", SequenceDifferencer(include_values=True))
    model = small(reservoirs=reservoirs, views=views, pooling="statistics").fit(X, LABELS)
    found = [(m.reservoir_.n_units, m.n_features_in_) for m in model.estimators_]
    assert found == [(4, 2), (6, 2), (4, 4), (6, 4)]
    seeds = [m.reservoir_.random_state for m in model.estimators_]
    assert seeds[0] == seeds[2] == 7 and seeds[1] != seeds[3]
    assert not hasattr(reservoirs[0], "W_") and not hasattr(views[1], "n_features_in_")
    rows = np.concatenate(model.views_[1].transform(X))
    np.testing.assert_allclose([rows.mean(axis=0), rows.std(axis=0)], [[0] * 4, [1] * 4], atol=1e-9)


def test_the_order_of_new_sequences_does_not_matter(fitted):
    order = np.random.default_rng(2).permutation(len(NEW))
    shuffled = fitted.predict_proba([NEW[i] for i in order])
    np.testing.assert_array_equal(shuffled, fitted.predict_proba(NEW)[order])
    np.testing.assert_array_equal(fitted.predict_proba(NEW[3:4]), fitted.predict_proba(NEW)[3:4])


def test_the_order_of_training_sequences_hardly_matters(fitted):
    order = np.random.default_rng(3).permutation(len(X))
    other = lean().fit([X[i] for i in order], LABELS[order])
    np.testing.assert_allclose(other.predict_proba(NEW), fitted.predict_proba(NEW), atol=1e-6)


def test_units_of_measurement_do_not_matter(fitted):
    scaled = lean().fit([1e6 * x - 3e7 for x in X], LABELS)
    found = scaled.predict_proba([1e6 * x - 3e7 for x in NEW])
    np.testing.assert_allclose(found, fitted.predict_proba(NEW), atol=1e-5)


def test_containers_hold_the_same_sequences():
    ragged = lean().fit(list(EQUAL), LABELS)
    batch = lean().fit(EQUAL, LABELS.tolist())
    np.testing.assert_array_equal(ragged.predict_proba(EQUAL), batch.predict_proba(list(EQUAL)))
    one = batch.predict_proba(EQUAL[5])  # one series is one sequence
    np.testing.assert_array_equal(one, batch.predict_proba(EQUAL)[5:6])


def test_float32_is_close_to_float64():
    double = lean(pooling="statistics", alpha=10.0).fit(X, LABELS)
    model = clone(double).fit([x.astype(np.float32) for x in X], LABELS)
    assert model.estimators_[0].reservoir_.W_in_.dtype == np.float32
    found = model.predict_proba([x.astype(np.float32) for x in NEW])
    np.testing.assert_allclose(found, double.predict_proba(NEW), atol=0.1)


def test_short_and_constant_sequences_are_classified():
    steps = [x[: 1 + i % 2] for i, x in enumerate(X)]
    assert set(lean().fit(steps, LABELS).predict(steps)) <= set(LABELS)
    levels = np.ones((12, 5, 1)) * (np.arange(12) % 2)[:, None, None]
    model = lean().fit(levels, np.arange(12) % 2)
    assert model.score(levels, np.arange(12) % 2) == 1.0
    same = lean().fit(np.ones((6, 5, 1)), [0, 1] * 3)
    np.testing.assert_allclose(same.predict_proba(np.ones((2, 5, 1))), 0.5, atol=1e-9)


def test_a_single_class_is_certain():
    model = lean().fit(X, ["all"] * len(X))
    assert model.predict(NEW).tolist() == ["all"] * 12 and np.all(model.predict_proba(NEW) == 1)
    np.testing.assert_allclose(model.weights_, 1 / 2)


def test_weights_of_sequences_and_classes_reach_the_members():
    weights = np.where(np.arange(24) < 12, 2.0, 0.5)
    model = lean(views=["values"], class_weight={"slow": 3.0, "fast": 1.0, "medium": 1.0})
    model.fit(X, LABELS, sample_weight=weights)
    other = lean(views=["values"])
    other.fit(X, LABELS, sample_weight=weights * np.where(LABELS == "slow", 3.0, 1.0))
    np.testing.assert_allclose(model.predict_proba(NEW), other.predict_proba(NEW), rtol=1e-9)
    plain = lean(views=["values"]).fit(X, LABELS)
    assert np.abs(model.predict_proba(NEW) - plain.predict_proba(NEW)).max() > 1e-3
    half = NEW_LABELS == "fast"
    assert model.score(NEW, NEW_LABELS, half) == np.mean(model.predict(NEW)[half] == "fast")


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_sequence_of_weight_zero_is_absent_from_the_weights_of_members(class_weight):
    both, weights = X + X, np.repeat([1.0, 0.0], len(X))
    params = {"class_weight": class_weight, "reservoirs": [Reservoir(3), Reservoir(9)]}
    params |= {"pooling": "mean", "alpha": 0.1}
    labels = np.where(np.arange(len(X)) < 4, "slow", LABELS)
    model = lean(**params).fit(both, np.r_[labels, labels], sample_weight=weights)
    alone = lean(**params).fit(X, labels)
    assert np.ptp(alone.weights_) > 0.02
    np.testing.assert_allclose(model.weights_, alone.weights_, rtol=1e-6)


def test_the_score_packs_sequences_once(fitted, monkeypatch):
    packed = []
    pack = ensemble_module.pack
    monkeypatch.setattr(
        ensemble_module, "pack", lambda *args, **kw: packed.append(1) or pack(*args, **kw)
    )
    fitted.score(NEW, NEW_LABELS)
    assert len(packed) == 1


@pytest.mark.parametrize("sequences", [X, EQUAL], ids=["ragged", "equal"])
def test_views_that_return_no_sequences_are_named(sequences):
    with pytest.raises(ValueError, match=r"views\[1\] must transform sequences, .*StandardScaler"):
        lean(views=["values", StandardScaler()]).fit(sequences, LABELS)
    message = r"views\[0\] must return as many sequences as it gets, 24, got"
    for function in (lambda x: x[:5], np.concatenate):
        with pytest.raises(ValueError, match=message):
            lean(views=[FunctionTransformer(function)]).fit(sequences, LABELS)


def test_one_alpha_is_a_list_of_one():
    one, several = lean(alpha=10.0).fit(X, LABELS), lean(alpha=[10.0]).fit(X, LABELS)
    np.testing.assert_array_equal(one.predict_proba(NEW), several.predict_proba(NEW))
    assert {m.readout_.alpha_ for m in one.estimators_} == {10.0}


def test_a_short_list_of_alphas_is_warned_of_unless_it_is_ours():
    lean(views=["values"]).fit(X, LABELS)
    with pytest.warns(UserWarning, match="alpha=1e-08, the smallest of the list"):
        lean(views=["values"], alpha=[1e-8, 1e6, 1e7, 1e8]).fit(X, LABELS)


def test_pickles_and_clones_go_on_alike(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(NEW), fitted.predict_proba(NEW))
    again = clone(fitted).fit(X, LABELS)
    np.testing.assert_array_equal(again.predict_proba(NEW), fitted.predict_proba(NEW))
    assert repr(small(n_jobs=2)) == "ESNEnsembleClassifier(n_jobs=2, n_units=8, random_state=0)"


def test_parameters_set_later_wait_for_the_next_fit(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    for name in copy.get_params(deep=False):
        setattr(copy, name, None)
    np.testing.assert_array_equal(copy.predict_proba(NEW), fitted.predict_proba(NEW))


def test_a_fit_that_fails_changes_nothing(fitted):
    copy = pickle.loads(pickle.dumps(fitted)).set_params(alpha=-1)
    with pytest.raises(ValueError, match="alpha must be .* got -1"):
        copy.fit(NEW, NEW_LABELS == "slow")
    np.testing.assert_array_equal(copy.predict_proba(NEW), fitted.predict_proba(NEW))


def test_tools_of_scikit_learn_take_it():
    model = small(views=["values"], reservoirs=[Reservoir(8)])
    search = GridSearchCV(model, {"alpha": [1.0], "pooling": ["mean", None]}, cv=2)
    assert search.fit(X, LABELS).best_score_ > 1 / 3
    found = cross_val_predict(model, X, LABELS, cv=2, method="predict_proba")
    assert found.shape == (24, 3)
    scorer = make_sequence_scorer(lambda true, wrong: np.mean(true == wrong))
    scores = cross_val_score(model, X, LABELS, cv=2, scoring=scorer)
    np.testing.assert_array_equal(scores, cross_val_score(model, X, LABELS, cv=2))
    swapped = make_pipeline(FromChannelsFirst(), SequenceScaler(), model)
    assert swapped.fit(EQUAL.swapaxes(1, 2), LABELS).predict(EQUAL.swapaxes(1, 2)).shape == (24,)


@pytest.mark.parametrize(
    "labels", [np.arange(24) % 2, (np.arange(24) % 2).astype(object), LABELS, LABELS.astype(object)]
)
def test_the_score_is_the_accuracy_with_any_labels_and_weights(labels):
    model = lean().fit(X, labels)
    is_right = model.predict(NEW) == labels[:12]
    assert model.score(NEW, labels[:12]) == is_right.mean()
    assert model.score(NEW, labels[:12], np.arange(12)) == np.average(is_right, weights=range(12))


def test_a_score_of_other_shapes_is_refused(fitted):
    with pytest.raises(ValueError, match="y has 5 rows but X has 12 sequences"):
        fitted.score(NEW, LABELS[:5])
    with pytest.raises(ValueError, match="sample_weight must be finite and >= 0"):
        fitted.score(NEW, NEW_LABELS, -np.ones(12))


def test_frames_give_names_of_features():
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    model = lean(views=["differences"]).fit(frames, pd.Series(LABELS))
    assert model.feature_names_in_.tolist() == ["a", "b"] and model.n_features_in_ == 2
    arrays = lean(views=["differences"]).fit(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(frames), arrays.predict_proba(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict([frame[["b", "a"]] for frame in frames])


@pytest.mark.parametrize("check", [*CHECKS, check_estimators_unfitted], ids=lambda c: c.__name__)
def test_common_checks(check):
    check("ESNEnsembleClassifier", small())


class OfRows:
    """Rows as sequences of one feature; its name is the same in every process."""

    def __call__(self, rows):
        return rows[:, :, None]

    def __repr__(self):
        return "of_rows"


PIPELINE = {
    "check_dont_overwrite_parameters": "a pipeline fits its steps",
    "check_estimators_overwrite_params": "a pipeline fits its steps",
    "check_supervised_y_no_nan": "the words of scikit-learn are asked for",
    "check_classifier_data_not_an_array": "the function needs an array",
}


@parametrize_with_checks(
    [make_pipeline(FunctionTransformer(OfRows(), validate=True), lean(views=["values"]))],
    expected_failed_checks=lambda estimator: PIPELINE,
)
def test_common_checks_of_rows_as_sequences(estimator, check):
    check(estimator)


def test_tags_say_that_inputs_are_sequences():
    tags = get_tags(small())
    assert tags.input_tags.three_d_array and not tags.input_tags.two_d_array
    assert tags.requires_fit and tags.target_tags.required


def test_labels_of_steps_are_refused():
    with pytest.raises(ValueError, match="label for every time step.*use ESNClassifier"):
        small().fit(EQUAL, np.ones(EQUAL.shape[:2], int))
    with pytest.raises(ValueError, match="label for every time step.*use ESNClassifier"):
        small().fit(X, [np.ones(len(x), int) for x in X])
    with pytest.raises(ValueError, match=r"one series, but y has 24 rows.*give X\[:, :, None\]"):
        small().fit(EQUAL[:, :, 0], LABELS)
    with pytest.raises(ValueError, match="1d array, got an array of shape"):
        small().fit(X, np.ones((24, 2), int))


@pytest.mark.parametrize("model", [small(), ESNClassifier(8, random_state=0)])
def test_a_column_of_labels_is_warned_of(model):
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        model.fit(X, LABELS[:, None])
    assert model.predict(X).shape == LABELS.shape


def test_tokens_and_swapped_axes_are_named():
    tokens = list(np.random.default_rng(0).integers(0, 9, (24, 9, 1)))
    with pytest.warns(UserWarning, match="OneHotTokens"):
        lean(views=["values"]).fit(tokens, LABELS)
    t = np.arange(40) / np.linspace(2, 6, 24)[:, None]
    with pytest.warns(UserWarning, match="FromChannelsFirst") as caught:
        lean().fit(np.sin(t)[:, None], LABELS)
    assert len(caught) == 1  # not one of every member


BAD = {
    "n_units": (0, "n_units must be an integer >= 1, got 0"),
    "views": ([], r"views must be a list .* not empty, got \[\]"),
    "views, a name": ("values", "views must be a list .* got 'values'"),
    "views, unknown": (["diff"], "views must hold names .* got 'diff'"),
    "views, a class": ([SequenceScaler], "views must hold names of .* or transformers"),
    "reservoirs": ([], r"reservoirs must be a list of reservoirs, or None, not empty, got \[\]"),
    "reservoirs, one": (Reservoir(3), "reservoirs must be a list"),
    "reservoirs, a class": ([Reservoir(3), Reservoir], r"reservoirs\[1\] must be a reservoir"),
    "reservoirs, a number": ([5], r"reservoirs\[0\] must be a reservoir .*, got 5"),
    "pooling": ("maximum", "pooling must be one of"),
    "alpha": ([], "alpha must be"),
    "class_weight": ("heavy", "class_weight must be"),
    "n_jobs": (0, "n_jobs must be None, a number of threads, or -1"),
    "n_jobs, half": (1.5, "n_jobs must be None"),
    "random_state": ("x", "random_state must be"),
    "verbose": ("loud", "verbose must be"),
}


@pytest.mark.parametrize("name", BAD)
def test_parameters_out_of_range_are_named(name):
    value, message = BAD[name]
    with pytest.raises((ValueError, TypeError), match=message):
        small(**{name.split(",")[0]: value}).fit(X, LABELS)
