"""Arrays whose axes are likely misread are named, and those of real series are not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.pipeline import make_pipeline

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    FromChannelsFirst,
    OneHotTokens,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RNNClassifier,
    RNNRegressor,
    TokenEncoder,
)
from esnkit.datasets import load_bike_sharing, make_mackey_glass

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 2
BRIEF = {"max_iter": 1, "random_state": 0}
CLASSIFIERS = {
    "esn": ESNClassifier(10, random_state=0),
    "reservoir": ReservoirClassifier(Reservoir(10, random_state=0)),
    "rnn": RNNClassifier(4, **BRIEF),
}
MODELS = CLASSIFIERS | {
    "esn regressor": ESNRegressor(10, random_state=0),
    "reservoir regressor": ReservoirRegressor(Reservoir(10, random_state=0)),
    "rnn regressor": RNNRegressor(4, **BRIEF),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
ROWS = r"X of shape \(40, 60\) is one series of 40 time steps.*X\[:, :, None\].*target='steps'"


def waves(n_channels=1):
    """Return (40, n_channels, 60) waves of random phases, fast and slow by turns."""
    phases = RNG.uniform(0, 6, (40, n_channels, 1))
    return np.sin(np.arange(60) / (3 + 2 * LABELS[:, None, None]) + phases)


@every_model
def test_one_label_a_row_of_sequences_is_warned_of(model):
    X = waves()[:, 0]
    with pytest.warns(UserWarning, match=ROWS) as caught:
        model.fit(X, LABELS)
    assert len(caught) == 1 and caught[0].filename == __file__
    model.set_params(target="steps").fit(X, LABELS)
    model.set_params(target="auto").fit(X[:, :, None], LABELS)


@every_model
def test_one_label_a_row_is_refused_with_one_target_a_sequence(model):
    model.set_params(target="sequence")
    message = r"X of shape \(40, 60\) is one series.*X\[:, :, None\].*\[x\[:, None\] for x in X\]"
    for X in (waves()[:, 0], list(waves()[:, 0])):
        with pytest.raises(ValueError, match=message):
            model.fit(X, LABELS)
    model.set_params(target="auto")
    with pytest.raises(ValueError, match=r"different lengths.*\[x\[:, None\] for x in X\]"):
        model.fit([waves()[0, 0], waves()[0, 0, :7]], LABELS[:2])


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_rows_in_the_order_of_their_classes_are_warned_of(order):
    index = np.argsort(LABELS) if order == "sorted" else RNG.permutation(40)
    with pytest.warns(UserWarning, match=ROWS):
        ESNClassifier(10).fit(waves()[index, 0] + 3 * LABELS[index, None], LABELS[index])


def days(n_hours=24):
    """Return a year in rows of so many hours, and whether more bikes are rented in the next."""
    X = load_bike_sharing().target[: 364 * 24].reshape(-1, n_hours)
    return X, np.diff(X.sum(axis=1), append=0.0) > 0


def lags():
    X = np.lib.stride_tricks.sliding_window_view(make_mackey_glass(500)[:, 0], 30)
    return X, X[:, 0] > 0.9


def spectra():
    """Return rows of a smooth spectrum that changes slowly, one time step each."""
    level = np.cumsum(RNG.standard_normal((300, 5)), axis=0)
    return level @ np.sin(np.arange(5)[:, None] * np.arange(40) / 13), level[:, 0] > 0


REAL = {
    "days": days,
    "pairs of days": lambda: days(48),
    "lags": lags,
    "spectra": spectra,
    "pixels": lambda: load_digits(return_X_y=True),
    "a table": lambda: load_breast_cancer(return_X_y=True),
    "noise": lambda: (RNG.standard_normal((99, 30)) + np.arange(30), np.arange(99) % 2),
    "constants": lambda: (np.ones((30, 30)), np.arange(30) % 2),
    "huge": lambda: (np.full((30, 30), 1e300) * np.sign(np.arange(30) - 15), np.arange(30) % 2),
}


@pytest.mark.parametrize("make", REAL.values(), ids=REAL)
def test_series_of_many_features_are_not_warned_of(make):
    X, y = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ESNClassifier(10, random_state=0).fit(X, y)
        ESNRegressor(10, alpha=1.0, random_state=0).fit(X, np.asarray(y, float))


@every_model
@pytest.mark.parametrize("n_channels", [1, 3])
def test_channels_before_time_are_warned_of(model, n_channels):
    X = waves(n_channels)
    message = rf"40 sequences of {n_channels} time steps? and 60 features.*FromChannelsFirst\(\)"
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, LABELS)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=message):
        model.fit(list(X), LABELS)
    make_pipeline(FromChannelsFirst(), model).fit(X, LABELS)
    model.fit(np.swapaxes(X, 1, 2), LABELS)


def test_channels_that_resemble_each_other_are_warned_of():
    X = waves() + 0.1 * RNG.standard_normal((40, 3, 60))
    with pytest.warns(UserWarning, match=r"FromChannelsFirst\(\) first.*leave it out"):
        ESNClassifier(10, random_state=0).fit(X, LABELS)


@every_model
@pytest.mark.parametrize("container", [list, lambda X: [pd.Series(x) for x in X]])
def test_vectors_with_one_label_each_are_refused(model, container):
    X = container(waves()[:, 0])
    with pytest.raises(ValueError, match=r"40 vectors.*\[:, None\] for x in X\].*target='steps'"):
        model.fit(X, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).set_params(target="steps").fit(X, LABELS)


def test_a_model_of_one_feature_names_the_axis_that_rows_lack():
    model = ESNClassifier(10, random_state=0).fit(waves()[:, 0, :, None], LABELS)
    message = r"X has 60 features, but ESNClassifier is expecting 1 features.*X\[:, :, None\]"
    with pytest.raises(ValueError, match=message):
        model.predict(waves()[:, 0])


def test_lists_of_channels_before_time_name_the_transformer():
    X = [waves(3)[0], waves(3)[1, :, :50]]
    with pytest.raises(ValueError, match=r"X\[1\] has 50 features.*; FromChannelsFirst\(\) takes"):
        ESNClassifier(10).fit(X, [0, 1])


WIDE = {
    "embeddings": RNG.standard_normal((40, 5, 60)),
    "smooth in time": np.cumsum(RNG.standard_normal((40, 15, 40)), axis=1),
    "spectrograms": np.cumsum(np.cumsum(RNG.standard_normal((40, 15, 40)), axis=1), axis=2),
    "one-hot": np.eye(60)[RNG.integers(0, 60, (40, 10))],
    "few": np.cumsum(RNG.standard_normal((4, 5, 60)), axis=2),
    "single steps": RNG.standard_normal((40, 1, 8)),
}


@pytest.mark.parametrize("X", WIDE.values(), ids=WIDE)
def test_short_sequences_of_many_features_are_not_warned_of(X):
    ESNClassifier(10, random_state=0).fit(X, LABELS[: len(X)])


def test_labels_of_the_time_steps_settle_the_axes():
    X = waves(3)
    ESNClassifier(10, random_state=0).fit(X, np.broadcast_to(LABELS[:, None], (40, 3)))


TOKENS = [RNG.integers(2, 9, n) for n in (20, 30, 25, 22)]
INTEGERS = {
    "digits": (load_digits().data[:50].astype(int)[:, :, None], np.arange(50) % 2),
    "bits": (RNG.integers(0, 2, (30, 10, 1)), np.arange(30) % 2),
    "steps": ([np.cumsum(x)[:, None] for x in TOKENS], [0, 1, 0, 1]),
    "levels": ([np.full((2, 1), 8 * (i % 2)) for i in range(20)], np.arange(20) % 2),
    "negative": ([x[:, None] - 5 for x in TOKENS], [0, 1, 0, 1]),
    "floats": ([x[:, None].astype(float) for x in TOKENS], [0, 1, 0, 1]),
    "one-hot": (OneHotTokens().fit_transform(TOKENS), [0, 1, 0, 1]),
    "two columns": ([np.stack([x, x], axis=1) for x in TOKENS], [0, 1, 0, 1]),
    "a series of counts": (RNG.poisson(3, (99, 1)), RNG.integers(0, 2, 99)),
    "counts far from zero": (RNG.poisson(50, (20, 40, 1)), LABELS[:20]),
    "rows of pixels": (load_digits().data[:50].astype(int), np.arange(50) % 2),
    "rows of bits": (RNG.integers(0, 2, (30, 25)), np.arange(30) % 2),
    "rows of unlike columns": (RNG.poisson(RNG.integers(1, 9, 25), (30, 25)), np.arange(30) % 2),
    "a table of lists": (RNG.integers(0, 9, (30, 3)).tolist(), np.arange(30) % 2),
}


@pytest.mark.parametrize(("X", "y"), INTEGERS.values(), ids=INTEGERS)
def test_integers_that_are_numbers_are_not_warned_of(X, y):
    ESNClassifier(10, random_state=0).fit(X, y)


def test_tokens_in_a_reservoir_are_warned_of():
    texts = ["the cat sat on the mat", "a dog barks at the moon", "it rains", "we sing a song"]
    codes = TokenEncoder().fit_transform(texts)
    batch = RNG.integers(0, 9, (20, 10, 1))
    for X, y in ((codes, [0, 1, 0, 1]), (batch, LABELS[:20])):
        for model in (ESNClassifier(10), ReservoirClassifier(), ESNRegressor(10), Reservoir(10)):
            with pytest.warns(UserWarning, match=r"taken for magnitudes.*OneHotTokens\(\)"):
                model.fit(X, y)
        RNNClassifier(4, **BRIEF).fit(X, y)


def test_tokens_in_the_rows_of_one_array_are_warned_of():
    X = RNG.integers(0, 10, (50, 40))
    with pytest.warns(UserWarning, match=r"40 tokens.*OneHotTokens\(\).*target='steps'"):
        ESNClassifier(10).fit(X, np.arange(50) % 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ESNClassifier(10, target="steps").fit(X, np.arange(50) % 2)
        make_pipeline(OneHotTokens(), ESNClassifier(10)).fit(list(X), np.arange(50) % 2)


@pytest.mark.parametrize("cut", [None, 20])
def test_vectors_of_tokens_are_refused_where_they_would_be_numbers(cut):
    X, y = [x[:cut] for x in TOKENS], [0, 1, 0, 1]
    message = r"vectors of integers.*OneHotTokens\(\)\.fit_transform\(X\).*\[:, None\] for x in X"
    for model in (ESNClassifier(10), ReservoirRegressor(), RNNRegressor(4), Reservoir(10)):
        for given in (X, [x.tolist() for x in X]):
            with pytest.raises(ValueError, match=message):
                model.fit(given, y)
    model = RNNClassifier(4, **BRIEF).fit(X, y)
    lists = [x.tolist() for x in X]
    again = clone(model).fit(lists, y)
    assert np.array_equal(again.predict_proba(lists), model.predict_proba(X))


def test_a_stream_is_looked_at_once():
    model = ESNClassifier(10, alpha=1e-2, random_state=0)
    with pytest.warns(UserWarning, match=ROWS):
        model.partial_fit(waves()[:, 0], LABELS)
    model.partial_fit(waves()[:, 0], LABELS)
