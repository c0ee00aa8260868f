"""The rows of folds in every container."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context

from esnkit.model_selection._folds import Folds, Rows, Validation, select

X = np.arange(12.0).reshape(6, 2)
LIST = [np.full((i + 1, 1), float(i)) for i in range(6)]
ROWS = np.array([4, 1])
SPLITS = [(np.arange(4), np.arange(4, 6)), (np.arange(2, 6), np.arange(2))]


def validation(X, y=None, **params):
    return Validation(X, y, params, {}, SPLITS)


@pytest.mark.parametrize("rows", [ROWS, np.isin(np.arange(6), ROWS)])
def test_rows_of_arrays_by_numbers_and_by_masks(rows):
    found = select(validation(X, X[:, 0]), rows)
    assert np.array_equal(found.X, X[rows]) and np.array_equal(found.y, X[rows, 0])


def test_rows_of_other_containers():
    found = select(validation(LIST, pd.Series(range(6))), ROWS)
    assert [len(x) for x in found.X] == [5, 2] and found.y.tolist() == [4, 1]
    frame = select(validation(pd.DataFrame(X)), ROWS)
    assert frame.X.index.tolist() == [4, 1] and frame.y is None and len(frame.data()) == 1


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
@pytest.mark.parametrize("order", ["C", "F"])
def test_copies_have_the_order_of_the_rows_in_memory(container, order):
    rows = Rows(container(np.array(X, order=order)), [LIST[0]], {}, {})
    copied = rows.copied()
    before, after = np.asarray(rows.X), np.asarray(copied.X)
    assert np.array_equal(before, after) and before.strides == after.strides
    assert not np.shares_memory(before, after)
    assert copied.y[0] is not rows.y[0] and np.array_equal(copied.y[0], rows.y[0])


@pytest.mark.parametrize("routing", [False, True])
def test_parameters_with_a_value_for_every_row_are_selected(routing):
    weights = np.arange(6.0)
    data = Validation(X, None, {"w": weights, "other": "text"}, {"w": weights[::-1]}, SPLITS)
    with config_context(enable_metadata_routing=routing):
        found = select(data, ROWS)
    assert found.fit_params["w"].tolist() == [4.0, 1.0] and found.fit_params["other"] == "text"
    assert found.score_params["w"].tolist() == [1.0, 4.0]


def test_small_folds_are_kept():
    folds = Folds(validation(X), 1e6)
    assert len(folds) == 2 and folds[1] is folds[1]
    assert np.array_equal(folds[1].train.X, X[2:]) and np.array_equal(folds[1].test.X, X[:2])
    assert pickle.loads(pickle.dumps(folds)).kept == {}


@pytest.mark.parametrize("data", [X, LIST, pd.DataFrame(X)])
def test_large_folds_are_not_kept(data):
    folds = Folds(validation(data), 20.0)
    assert folds[1] is not folds[1]


def test_the_same_training_rows_are_known():
    splits = [SPLITS[0], (np.arange(4), np.arange(1)), SPLITS[1]]
    folds = Folds(validation(X)._replace(splits=splits), 1e6)
    assert [folds.have_same_training_rows(k, k + 1) for k in range(3)] == [True, False, False]
