"""Tokens there and back, the two special ones, and scikit-learn's conventions."""

import pickle

import numpy as np
import pandas as pd
import pytest
from checks import CHECKS
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags

from esnkit.preprocessing._tokens import PADDING, UNKNOWN, TokenEncoder

TEXTS = ["to be or not to be", "that is the question", "être — 你好 🙂"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_common_checks(check):
    check("TokenEncoder", TokenEncoder())


def test_tags_say_that_texts_come_in():
    tags = get_tags(TokenEncoder())
    assert tags.input_tags.string and not tags.input_tags.two_d_array
    assert tags.requires_fit and not tags.target_tags.required


@pytest.mark.parametrize("level", ["char", "word"])
def test_texts_come_back(level):
    encoder = TokenEncoder(level)
    codes = encoder.fit_transform(TEXTS)
    assert encoder.inverse_transform(codes) == TEXTS
    assert encoder.inverse_transform([c[:, 0] for c in codes]) == TEXTS
    assert encoder.inverse_transform([c.astype(float) for c in codes]) == TEXTS
    for code, text in zip(codes, TEXTS, strict=True):
        assert code.dtype == np.int64
        assert code.shape == (len(text.split() if level == "word" else text), 1)


def test_the_vocabulary_is_sorted_and_starts_after_the_special_tokens():
    encoder = TokenEncoder().fit(["cab", "bcb"])
    assert encoder.vocabulary_ == {"a": 2, "b": 3, "c": 4} and encoder.n_tokens_ == 5
    assert list(encoder.vocabulary_) == ["a", "b", "c"]
    assert {PADDING, UNKNOWN} == {0, 1}
    assert encoder.transform(["bac"])[0].tolist() == [[3], [2], [4]]


def test_white_space_of_any_kind_separates_words():
    encoder = TokenEncoder("word").fit([" a\tb\n\na "])
    assert encoder.inverse_transform(encoder.transform([" a\tb\n\na "])) == ["a b a"]


def test_unknown_tokens():
    encoder = TokenEncoder().fit(["ab"])
    codes = encoder.transform(["axb"])
    assert codes[0].ravel().tolist() == [2, UNKNOWN, 3]
    assert encoder.inverse_transform(codes) == ["a\ufffdb"]
    # The sign for the unknown is itself unknown, seen or not, so that this is a fixed point.
    encoder = TokenEncoder().fit(["a\ufffdb"])
    assert list(encoder.vocabulary_) == ["a", "b"]
    assert encoder.inverse_transform(encoder.transform(["a\ufffdb"])) == ["a\ufffdb"]


def test_rare_tokens_are_unknown():
    texts = ["d d d c c a a b"]
    assert list(TokenEncoder("word", min_frequency=2).fit(texts).vocabulary_) == ["a", "c", "d"]
    assert list(TokenEncoder("word", max_tokens=2).fit(texts).vocabulary_) == ["a", "d"]
    both = TokenEncoder("word", min_frequency=2, max_tokens=9).fit(texts)
    assert both.n_tokens_ == 5
    assert both.transform(["b d"])[0].ravel().tolist() == [UNKNOWN, both.vocabulary_["d"]]


def test_texts_of_one_length():
    encoder = TokenEncoder(n_timesteps=3).fit(["abcd", "a"])
    assert list(encoder.vocabulary_) == ["a", "b", "c"]  # what is cut is not learned
    codes = encoder.transform(["abcd", "a"])
    assert codes.shape == (2, 3, 1) and codes.dtype == np.int64
    assert codes[:, :, 0].tolist() == [[2, 3, 4], [2, PADDING, PADDING]]
    assert encoder.inverse_transform(codes) == encoder.inverse_transform(codes[:, :, 0])
    assert encoder.inverse_transform(codes) == ["abc", "a"]


@pytest.mark.parametrize("container", [list, tuple, np.array, pd.Series, iter])
def test_every_container_of_texts(container):
    codes = TokenEncoder("word").fit(container(TEXTS)).transform(container(TEXTS))
    expected = TokenEncoder("word").fit_transform(TEXTS)
    assert all(np.array_equal(a, b) for a, b in zip(codes, expected, strict=True))


def test_texts_that_come_once_are_learned_and_encoded():
    codes = TokenEncoder().fit_transform(text for text in TEXTS)
    expected = TokenEncoder().fit(TEXTS).transform(TEXTS)
    assert all(np.array_equal(a, b) for a, b in zip(codes, expected, strict=True))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("abc", TypeError, "X must be a list of str, one per text, got str"),
        (b"abc", TypeError, "X must be a list of str, one per text, got bytes"),
        (None, TypeError, "X must be a list of str, one per text, got NoneType"),
        (["ab", 3], TypeError, r"X\[1\] must be a str, got int"),
        (["ab", b"c"], TypeError, r"X\[1\] must be a str, got bytes"),
        (np.zeros((2, 3)), TypeError, "X must be a list of str, one per text, got ndarray"),
        (np.zeros(2), TypeError, r"X\[0\] must be a str, got float64"),
        (pd.DataFrame({"t": TEXTS}), TypeError, "X must be a list of str, .* got DataFrame"),
        ({"t": TEXTS}, TypeError, "X must be a list of str, one per text, got dict"),
        ([], ValueError, "X is empty: expected at least one text"),
        (["ab", ""], ValueError, r"X\[1\] must hold at least one token, got ''"),
    ],
)
def test_other_objects_than_texts_are_refused_by_name(X, error, message):
    with pytest.raises(error, match=message):
        TokenEncoder().fit(X)
    with pytest.raises(error, match=message):
        TokenEncoder().fit(TEXTS).transform(X)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"level": "syllable"}, ValueError, "level must be one of .*'word'.* got 'syllable'"),
        ({"n_timesteps": 0}, ValueError, "n_timesteps must be an integer >= 1, got 0"),
        ({"min_frequency": 0}, ValueError, "min_frequency must be an integer >= 1, got 0"),
        ({"max_tokens": 2.0}, TypeError, "max_tokens must be an integer >= 1, got 2.0"),
        (
            {"min_frequency": 99},
            ValueError,
            "X must have a token that occurs at least min_freq.*=99",
        ),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(parameters, error, message):
    with pytest.raises(error, match=message):
        TokenEncoder(**parameters).fit(TEXTS)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[2, 5]], r"X\[0\] must hold integers in \[0, 4\], got 5"),
        ([[2], [-1]], r"X\[1\] must hold integers in \[0, 4\], got -1"),
        ([[2.5]], r"X\[0\] must hold integers, .* got float64 of shape \(1,\)"),
        (["ab"], r"X\[0\] must hold integers, .* got <U2 of shape \(\)"),
        ([np.zeros((2, 2), int)], r"X\[0\] must hold integers, .* of shape \(2, 2\)"),
        ([[np.nan]], r"X\[0\] must hold integers"),
    ],
)
def test_other_objects_than_tokens_are_refused_by_name(X, message):
    with pytest.raises(ValueError, match=message):
        TokenEncoder().fit(["abc"]).inverse_transform(X)


def test_an_encoder_must_be_fitted():
    for method in ("transform", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(TokenEncoder(), method)(["a"])


def test_fitting_again_forgets_and_copies_agree():
    encoder = TokenEncoder().fit(["xyz"]).fit(["ab"])
    assert encoder.n_tokens_ == 4
    assert pickle.loads(pickle.dumps(encoder)).vocabulary_ == encoder.vocabulary_
    assert not hasattr(clone(encoder), "vocabulary_")


def test_changes_of_the_vocabulary_take_effect_everywhere():
    encoder = TokenEncoder("word").fit(["a b"])
    encoder.vocabulary_["new"] = 7
    for each in (encoder, pickle.loads(pickle.dumps(encoder))):
        assert each.n_tokens_ == 8
        codes = each.transform(["new b"])
        assert codes[0].ravel().tolist() == [7, 3]
        assert each.inverse_transform(codes) == ["new b"]
    assert encoder.inverse_transform([[5]]) == ["\ufffd"]  # no token has this integer


def test_a_grid_over_texts():
    texts = [f"{a} {b}" for a in "uvwxyz" for b in ("good", "bad")]
    labels = [text.split()[1] for text in texts]
    rows = FunctionTransformer(lambda codes: codes[:, :, 0])
    model = make_pipeline(TokenEncoder(n_timesteps=4), rows, DecisionTreeClassifier(random_state=0))
    search = GridSearchCV(
        model, {"tokenencoder__level": ["char", "word"]}, cv=3, error_score="raise"
    )
    search.fit(texts, labels)
    assert search.best_score_ == 1.0
