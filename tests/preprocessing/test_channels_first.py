"""Arrays of other libraries, whose channels come before the time."""

import numpy as np
import pytest
from checks import CHECKS
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from esnkit import ESNClassifier, FromChannelsFirst, SequenceScaler

X = np.random.default_rng(0).standard_normal((5, 3, 20))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_common_checks(check):
    check("FromChannelsFirst", FromChannelsFirst())


def as_objects(arrays):
    objects = np.empty(len(arrays), dtype=object)
    objects[:] = arrays
    return objects


RAGGED = [X[0], X[1, :, :7]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (X, X.transpose(0, 2, 1)),
        (X.tolist(), list(X.transpose(0, 2, 1))),
        (X[:, 0], X[:, 0, :, None]),
        (RAGGED, [x.T for x in RAGGED]),
        (tuple(RAGGED), [x.T for x in RAGGED]),
        (as_objects(RAGGED), [x.T for x in RAGGED]),
        ([x[0] for x in RAGGED], [x[0][:, None] for x in RAGGED]),
    ],
    ids=["batch", "lists", "one channel", "ragged", "tuple", "objects", "vectors"],
)
def test_time_comes_first(given, expected):
    transformer = FromChannelsFirst().fit(given)
    result = transformer.transform(given)
    assert type(result) is type(expected) and len(result) == len(expected)
    for got, wanted in zip(result, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.flags.c_contiguous
    assert transformer.n_features_in_ == expected[0].shape[1]
    for got, wanted in zip(transformer.inverse_transform(result), expected, strict=True):
        np.testing.assert_array_equal(got, wanted.T)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_come_in_and_arrays_go_out(library):
    frame = pytest.importorskip(library).DataFrame(X[:, 0])
    transformer = FromChannelsFirst().set_output(transform=library)
    np.testing.assert_array_equal(transformer.fit_transform(frame), X[:, 0, :, None])


def test_it_stands_first_in_pipelines_and_searches():
    waves = np.sin(np.arange(40) / np.array([[2], [6]] * 6))[:, None] + np.arange(12)[:, None, None]
    labels = np.arange(12) % 2
    model = make_pipeline(FromChannelsFirst(), SequenceScaler(), ESNClassifier(20, random_state=0))
    model.set_output(transform="default")
    search = GridSearchCV(model, {"esnclassifier__alpha": [1e-4, 1e-2]}, cv=3).fit(waves, labels)
    assert search.predict(waves).tolist() == labels.tolist()
    assert model.fit(waves[:, 0], labels).predict(waves[:, 0]).tolist() == labels.tolist()
    assert model[:2].get_feature_names_out().tolist() == ["x0"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.fit(X[0, 0]), r"X must be an array .*got an array of shape \(20,\)"),
        (lambda t: t.fit([X]), r"X\[0\] must be an array .*got an array of shape \(5, 3, 20\)"),
        (lambda t: t.fit(np.full((2, 1, 3), np.nan)), "X contains NaN"),
        (lambda t: t.transform(X[:, :2]), "X has 2 features.* expecting 3"),
        (lambda t: t.inverse_transform(X), "X has 20 channels, expected 3"),
        (lambda t: t.inverse_transform(X * np.nan), "FromChannelsFirst does not accept missing"),
        (lambda t: t.fit(np.ma.masked_array(X, X > 0)), "X has masked values"),
    ],
)
def test_wrong_calls_are_refused_and_change_nothing(call, message):
    transformer = FromChannelsFirst().fit(X)
    with pytest.raises(ValueError, match=message):
        call(transformer)
    assert transformer.n_features_in_ == 3
