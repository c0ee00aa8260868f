import numpy as np
import pytest

from esnkit import ESNRegressor
from esnkit.utils._validation import finite_array, refuse_masked, refuse_missing

pd = pytest.importorskip("pandas")

VISIBLE = np.ma.array([1.0, 2.0], mask=False)
MASKED = np.ma.array([1.0, 2.0], mask=[False, True])


def objects(*items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (MASKED, "v"),
        (MASKED.astype("f4"), "v"),
        (np.ma.masked, "v"),
        (np.ma.array(["a", "b"], mask=[True, False]), "v"),
        ([1.0, np.ma.masked], r"v\[1\]"),
        ((VISIBLE, MASKED), r"v\[1\]"),
        ([[VISIBLE], [VISIBLE, MASKED]], r"v\[1\]\[1\]"),
        (objects(VISIBLE, MASKED), r"v\[1\]"),
    ],
)
def test_masked_values_are_refused_by_name(values, name):
    with pytest.raises(ValueError, match=rf"^{name} has masked values.*fill them in"):
        refuse_masked("v", values)


@pytest.mark.parametrize(
    "values", [VISIBLE, [VISIBLE, [VISIBLE]], objects(VISIBLE, VISIBLE), [1, "a"], 3, None, "text"]
)
def test_what_is_all_visible_passes(values):
    refuse_masked("v", values)


def test_an_array_without_masked_values_is_its_data():
    np.testing.assert_array_equal(finite_array("v", VISIBLE), [1.0, 2.0])
    X = np.random.default_rng(0).standard_normal((30, 2))
    y = X[:, 0]
    expected = ESNRegressor(5, random_state=0).fit(X, y).predict(X)
    model = ESNRegressor(5, random_state=0).fit(np.ma.array(X), np.ma.array(y))
    np.testing.assert_array_equal(model.predict(np.ma.array(X)), expected)


LABELS = ["a", "b", None, "a"]


@pytest.mark.parametrize(
    ("labels", "where"),
    [
        (LABELS, 2),
        (np.nan, 0),
        (tuple(LABELS), 2),
        (["a", np.nan, "b"], 1),
        (["a", pd.NA], 1),
        ([pd.NaT, "a"], 0),
        ([1, 2, None], 2),
        ([1.0, 2.0, np.nan], 2),
        (np.array([1.0, np.nan]), 1),
        (np.array(LABELS, object), 2),
        (np.array(LABELS, object)[:, None], 2),
        (np.array(["2024", "NaT"], "datetime64[D]"), 1),
        (np.asarray(pd.Series(LABELS, dtype="category")), 2),
        (np.asarray(pd.Series([1, None], dtype="Int64")), 1),
        ([["a", "b"], ["a", None]], "1, 1"),
    ],
)
def test_a_missing_label_is_refused_by_its_position(labels, where):
    with pytest.raises(ValueError, match=rf"^y\[{where}\] is missing, got .*: leave it out"):
        refuse_missing("y", labels, "leave it out")


@pytest.mark.parametrize(
    "labels",
    [
        ["a", ""],
        [0, 1.5],
        [True],
        np.arange(3),
        [],
        [np.inf],
        3,
        [np.ones((2, 1)), np.ones((2, 2))],
    ],
)
def test_no_label_is_missing(labels):
    refuse_missing("y", labels, "leave it out")
