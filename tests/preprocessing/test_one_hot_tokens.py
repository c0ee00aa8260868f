"""Tokens as one-hot vectors in every container."""

import numpy as np
import pytest
from checks import CHECKS
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from esnkit import ESNClassifier, OneHotTokens, TokenEncoder

RAGGED = [np.array([0, 3, 1]), np.array([2])]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_common_checks(check):
    check("OneHotTokens", OneHotTokens())


@pytest.mark.parametrize("dtype", ["i8", "u1", "f8"])
@pytest.mark.parametrize("n_tokens", ["auto", 4, 6])
def test_rows_are_those_of_a_unit_matrix(dtype, n_tokens):
    columns = [x[:, None].astype(dtype) for x in RAGGED]
    encoder = OneHotTokens(n_tokens).fit(columns)
    eye = np.eye(4 if n_tokens == "auto" else n_tokens)
    for got, x in zip(encoder.transform(columns), RAGGED, strict=True):
        np.testing.assert_array_equal(got, eye[x])
    batch = np.array([[0, 1], [3, 2]], dtype)[:, :, None]
    np.testing.assert_array_equal(encoder.transform(batch), eye[batch[:, :, 0].astype(int)])
    np.testing.assert_array_equal(encoder.transform(columns[0]), eye[RAGGED[0]])
    for got, x in zip(encoder.inverse_transform(encoder.transform(columns)), RAGGED, strict=True):
        np.testing.assert_array_equal(got, x[:, None])
    assert encoder.n_tokens_ == len(eye) and encoder.n_features_in_ == 1


def test_vectors_of_equal_length_are_sequences_too():
    vectors = [np.array([0, 1]), np.array([1, 1])]
    np.testing.assert_array_equal(OneHotTokens().fit_transform(vectors)[1], [[0, 1], [0, 1]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_one_series_is_a_frame(library):
    module = pytest.importorskip(library)
    encoder = OneHotTokens().set_output(transform=library)
    frame = module.DataFrame({"token": [0, 2]})
    assert list(encoder.fit_transform(frame).columns) == ["token0", "token1", "token2"]
    assert isinstance(encoder.transform([frame])[0], np.ndarray)


def test_an_echo_state_network_reads_text():
    texts = ["abababab", "acacacac", "babab", "cacaca"] * 4
    labels = np.array(["b", "c"] * 8)
    model = make_pipeline(TokenEncoder(), OneHotTokens(), ESNClassifier(20, random_state=0))
    search = GridSearchCV(model, {"esnclassifier__alpha": [1e-4, 1e-2]}, cv=2).fit(texts, labels)
    assert search.predict(["ab", "caca"]).tolist() == ["b", "c"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.fit([[[0.5]]]), "X contains 0.5 in row 0, expected tokens"),
        (lambda e: e.fit([[[1], [-1]]]), "X contains -1 in row 1, expected tokens"),
        (lambda e: e.fit([[[1e300]]]), r"X contains 1e\+300 in row 0, expected tokens"),
        (lambda e: e.fit([[[10**6]]]), "X contains integers up to 1000000"),
        (lambda e: e.fit(np.ones((2, 3), int)), r"one column of tokens, got 3.*list\(X"),
        (lambda e: e.set_params(n_tokens=0).fit(RAGGED), "n_tokens must be"),
        (lambda e: e.set_params(n_tokens=3).fit(RAGGED), r"token 3, expected .*\[0, 2\]"),
        (lambda e: e.transform([np.array([4])]), r"token 4, expected integers in \[0, 3"),
        (lambda e: e.inverse_transform([np.ones((2, 3))]), "X has 3 columns, expected 4"),
        (lambda e: e.inverse_transform(np.full((2, 4), np.nan)), "OneHotTokens does not accept m"),
        (lambda e: OneHotTokens().transform(RAGGED), "OneHotTokens instance is not fitted"),
    ],
)
def test_wrong_calls_are_refused_and_change_nothing(call, message):
    encoder = OneHotTokens().fit(RAGGED)
    with pytest.raises(ValueError, match=message):
        call(encoder)
    assert encoder.n_tokens_ == 4 and encoder.n_features_in_ == 1
