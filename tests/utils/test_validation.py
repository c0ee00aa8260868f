"""Checks of arguments: what they accept, and the names in their errors."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import ESNRegressor
from esnkit.utils._read_only import read_only
from esnkit.utils._validation import (
    check_choice,
    check_flag,
    check_number,
    check_positive_int,
    check_seed,
    check_weights,
    finite_array,
    for_kernels,
    has_methods,
    name_in_errors,
    refuse_datetimes,
    refuse_masked,
    refuse_missing,
)


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
def test_integers_of_any_type_become_ints(value):
    assert check_positive_int("n", value) == 3 and type(check_positive_int("n", value)) is int


@pytest.mark.parametrize(
    ("value", "minimum", "error", "message"),
    [
        (0, 1, ValueError, "n must be an integer >= 1, got 0"),
        (-1, 0, ValueError, "n must be an integer >= 0, got -1"),
        (2.0, 1, TypeError, "n must be an integer >= 1, got 2.0"),
        (True, 1, TypeError, "got True"),
        (np.bool_(True), 1, TypeError, "n must be an integer"),
        (None, 1, TypeError, "got None"),
        (2**63, 1, ValueError, r"n must be an integer below 2\*\*63"),
    ],
)
def test_other_values_are_no_positive_integers(value, minimum, error, message):
    with pytest.raises(error, match=message):
        check_positive_int("n", value, minimum)


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), Fraction(1, 2)])
def test_numbers_of_any_type_become_floats(value):
    assert type(check_number("a", value, 0.0, 1.0)) is float


@pytest.mark.parametrize(
    ("value", "interval", "message"),
    [
        (np.nan, {}, "a must be a finite number, got nan"),
        (np.inf, {}, "a must be a finite number, got inf"),
        (10**400, {}, "a must be a finite number, got 1000"),
        (-1, {"low": 0.0}, "a must be a finite number >= 0, got -1"),
        (0, {"low": 0.0, "low_open": True}, "a must be a finite number > 0, got 0"),
        (2, {"low": 0.0, "high": 1.0}, r"a must be a number in \[0, 1\], got 2"),
        (1, {"low": 0.0, "high": 1.0, "high_open": True}, r"a must be a number in \[0, 1\)"),
        (0, {"low": 0.0, "high": 1.0, "low_open": True}, r"a must be a number in \(0, 1\]"),
    ],
)
def test_numbers_outside_of_the_interval_are_refused(value, interval, message):
    with pytest.raises(ValueError, match=message):
        check_number("a", value, **interval)


@pytest.mark.parametrize("value", ["1", None, True, [1.0], 1j])
def test_other_values_are_no_numbers(value):
    with pytest.raises(TypeError, match="a must be a finite number, got"):
        check_number("a", value)


def test_flags():
    assert check_flag("on", np.bool_(True)) is True and check_flag("on", False) is False
    for value in (1, "yes", None):
        with pytest.raises(TypeError, match="on must be True or False, got"):
            check_flag("on", value)


def test_choices_may_be_the_keys_of_a_table():
    assert check_choice("f", "b", {"a": 1, "b": 2}) == "b"
    for value in ("c", None, 1, ["a"]):
        with pytest.raises(ValueError, match=r"f must be one of \['a', 'b'\], got"):
            check_choice("f", value, {"a": 1, "b": 2})


def test_seeds():
    state = np.random.RandomState(0)
    assert check_seed(state) is state
    assert check_seed(5).randint(100) == check_seed(5).randint(100)
    for seed in (-1, 2**32, 1.5, "x"):
        with pytest.raises(ValueError, match="random_state must be an integer from 0"):
            check_seed(seed)


def test_methods_of_the_class_and_of_the_object():
    estimator = Ridge()
    assert has_methods(estimator, "fit", "predict") and not has_methods(estimator, "partial_fit")
    estimator.partial_fit = None
    assert has_methods(estimator, "partial_fit")


def test_arrays_for_kernels_are_copied_only_if_need_be():
    array = np.arange(6.0).reshape(2, 3)
    assert for_kernels(array) is array
    for other in (array.T, read_only(array), array.astype("f4"), array.tolist()):
        result = for_kernels(other, np.float64)
        assert result.flags.c_contiguous and result.flags.writeable
        assert np.array_equal(result, other)


@pytest.mark.parametrize("values", [[1, 2], (1.0, 2.0), np.array([1, 2], object), [True, False]])
def test_finite_numbers_become_arrays(values):
    array = finite_array("x", values, np.float32)
    assert array.dtype == np.float32 and np.array_equal(array, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan], "x must be finite in float32, got NaN or infinity"),
        ([1e300], "x must be finite in float32"),
        (["a"], r"x must hold numbers, got \['a'\]"),
        ([1j], "x must hold numbers"),
        (np.zeros(2, "M8[D]"), "x must hold numbers"),
        ([[1.0], [1.0, 2.0]], "x must hold numbers"),
        ({"a": 1}, "x must hold numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged nested sequences")
def test_other_values_are_no_finite_numbers(values, message):
    with pytest.raises(ValueError, match=message):
        finite_array("x", values, np.float32)


def test_weights_are_rows_or_rows_and_outputs():
    assert check_weights(None, 3, 2) is None
    assert check_weights(2, 3, 2).tolist() == [2, 2, 2]
    for shape in ((3,), (3, 2)):
        weights = check_weights(np.ones(shape, int), 3, 2)
        assert weights.shape == shape and weights.dtype == np.float64


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(2), r"sample_weight must have shape \(3,\) or \(3, 2\), got \(2,\)"),
        (np.ones((3, 1)), r"got \(3, 1\)"),
        ([1.0, np.inf, 1.0], "sample_weight must be finite"),
        ([1.0, -0.5, 1.0], "sample_weight must not be negative, got -0.5"),
        ("balanced", "sample_weight must be numbers, got 'balanced'"),
    ],
)
def test_wrong_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, 3, 2)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(2, "M8[s]"),
        np.zeros(2, "m8[s]"),
        pd.Series(pd.date_range("2024", periods=2)),
        pd.DataFrame({"a": [1.0, 2.0], "b": pd.date_range("2024", periods=2)}),
    ],
)
def test_datetimes_are_refused(values):
    with pytest.raises(ValueError, match="t must hold numbers, got times"):
        refuse_datetimes("t", values)


@pytest.mark.parametrize("values", [np.zeros(2), [1, 2], pd.DataFrame({"a": [1.0]}), None, "x"])
def test_other_values_are_no_datetimes(values):
    refuse_datetimes("t", values)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TypeError("no sequence"), "X must be an array of real numbers: no sequence"),
        (ValueError("could not convert string to float"), "X must hold real numbers: could not"),
        (ValueError("setting an array element with a sequence."), "X holds items of different"),
        (ValueError("too few rows"), "X is not valid: too few rows"),
        (ValueError("Input X contains NaN"), "^Input X contains NaN$"),
        (KeyError("other"), "^'other'$"),
    ],
)
def test_errors_without_the_name_of_the_argument_get_it(error, message):
    with pytest.raises(type(error), match=message), name_in_errors("X"):
        raise error


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
