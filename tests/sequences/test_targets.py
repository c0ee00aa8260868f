"""Targets are packed into one row per time step or per sequence."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from esnkit.sequences import pack, pack_targets, restore, stack_predictions
from esnkit.sequences._targets import has_row_per_step, is_list_of_rows


def packed(X):
    return pack(BaseEstimator(), X, reset=True)


def targets_of(y, X, target="auto", numeric=True):
    return pack_targets(y, packed(X), target, numeric=numeric)


STEPS = {  # y with one row per time step, for a batch of 4 x 5, and its packed shape
    "flat in a series": (np.zeros(5), "series", (5, 1), True),
    "one column in a series": (np.zeros((5, 1)), "series", (5, 1), False),
    "columns in a series": (np.zeros((5, 2)), "series", (5, 2), False),
    "columns in a batch": (np.zeros((4, 5, 2)), "batch", (20, 2), False),
    "columns in a list": ([np.zeros((5, 2))] * 4, "ragged", (20, 2), False),
    "array for a list": (np.zeros((4, 5, 2)), "ragged", (20, 2), False),
    "list for a batch": ([np.zeros((5, 2))] * 4, "batch", (20, 2), False),
}


@pytest.mark.parametrize("case", STEPS)
def test_targets_per_time_step(case, batch):
    y, form, shape, flat = STEPS[case]
    X = {"series": batch[0], "batch": batch, "ragged": list(batch)}[form]
    targets = targets_of(y, X)
    assert (targets.values.shape, targets.kind, targets.flat) == (shape, "steps", flat)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2), (4, 6)])
def test_targets_per_sequence(shape, batch):
    y = np.arange(np.prod(shape)).reshape(shape)
    for X in (batch, list(batch)):
        for given in (y, y.tolist()):
            targets = targets_of(given, X)
            assert targets.kind == "sequence" and targets.flat == (len(shape) == 1)
            assert np.array_equal(targets.values, y.reshape(4, -1))


def test_flat_targets_of_unequal_length_are_steps(ragged):
    y = [np.arange(len(X)) for X in ragged]
    targets = targets_of(y, ragged)
    assert targets.kind == "steps" and targets.flat
    assert np.array_equal(targets.values[:, 0], np.concatenate(y))


def test_shapes_that_fit_both_kinds_name_the_parameter(batch):
    y = np.zeros((4, 5))
    for X in (batch, list(batch)):
        for given in (y, list(y), y.tolist()):
            with pytest.raises(ValueError, match="set target='steps' or target='sequence'"):
                targets_of(given, X)
            assert targets_of(given, X, "steps").values.shape == (20, 1)
            assert targets_of(given, X, "sequence").values.shape == (4, 5)


@pytest.mark.parametrize(
    ("y", "target", "message"),
    [
        (None, "auto", "requires y"),
        (np.zeros(3), "auto", "y has 3 rows but X has 4 sequences"),
        (np.zeros((4, 6, 2)), "auto", r"y has shape \(4, 6, 2\)"),
        (np.zeros((4, 5, 2)), "sequence", "target='sequence'"),
        (np.zeros(4), "steps", "target='steps'"),
        (np.zeros((4, 5, 2, 2)), "auto", "y has 4 dimensions"),
        (np.array([0, 1, np.nan, 2]), "auto", "NaN"),
    ],
)
def test_targets_that_do_not_fit_a_batch_are_refused(y, target, message, batch):
    with pytest.raises(ValueError, match=message):
        targets_of(y, batch, target)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([np.zeros(3)] * 3, "y has 3 items but X has 4 sequences"),
        ([np.zeros(3), np.zeros(1), np.zeros(6), np.zeros(2)], r"y\[2\] has 6 rows but X\[2\]"),
        ([np.zeros((3, 1)), np.zeros((1, 1)), np.zeros((7, 2)), np.zeros((2, 1))], "outputs"),
        ([np.zeros(3), np.zeros(1), np.full(7, np.nan), np.zeros(2)], r"y\[2\] contains NaN"),
    ],
)
def test_targets_that_do_not_fit_a_list_are_refused(y, message, ragged):
    with pytest.raises(ValueError, match=message):
        targets_of(y, ragged)


def test_labels_of_any_type_are_targets(batch):
    for labels in (["a", "b", "c", "d"], [True, False, True, True], ["w", "x", 2, 3.5]):
        values = targets_of(np.array(labels, object), batch, numeric=False).values
        assert values[:, 0].tolist() == labels


def test_has_row_per_step_looks_at_the_second_axis(batch, ragged):
    steps = [np.zeros(len(X)) for X in ragged]
    assert has_row_per_step(steps, packed(ragged))
    assert not has_row_per_step(steps[::-1], packed(ragged))
    for y in (np.zeros((4, 5)), np.zeros((4, 5)).tolist()):
        assert has_row_per_step(y, packed(batch)) and has_row_per_step(y, packed(list(batch)))
    for y in (np.zeros(4), np.zeros((4, 2)), ["ab", "cd", "ef", "gh"]):
        assert not has_row_per_step(y, packed(batch))


def test_stack_predictions_inverts_restore(batch, ragged):
    for X in (batch[0], batch, ragged):
        sequences = packed(X)
        for rows in (sequences.values, sequences.values[:, 0]):
            stacked = stack_predictions(restore(rows, sequences), len(rows))
            assert np.array_equal(stacked, rows.reshape(len(rows), -1))


@pytest.mark.parametrize(
    ("y", "target", "message"),
    [
        ([np.zeros(3), np.zeros(1), np.zeros(7), np.zeros(2)], "sequence", "one target for every"),
        ([np.zeros(3)] * 4, "steps", r"y\[1\] has 3 rows but X\[1\] has 1 time steps"),
    ],
)
def test_items_that_do_not_fit_the_kind_of_target_are_refused(y, target, message, ragged):
    with pytest.raises(ValueError, match=message):
        targets_of(y, ragged, target)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (sp.csr_array(np.zeros((5, 1))), TypeError, "y is sparse"),
        (np.zeros(5, "M8[D]"), ValueError, "y must hold numbers, got times"),
        (["a"] * 5, ValueError, "y must hold real numbers"),
        (np.zeros((5, 0)), ValueError, r"y has shape \(5, 0\): expected at least one output"),
        (np.zeros(4), ValueError, "y has 4 rows but X has 5 time steps"),
        (1.0, ValueError, "y has 0 dimensions"),
    ],
)
def test_targets_that_do_not_fit_a_series_are_refused(y, error, message, batch):
    with pytest.raises(error, match=message):
        targets_of(y, batch[0])


def test_one_target_for_one_series(batch):
    targets = targets_of([3.0], batch[0], "sequence")
    assert targets.kind == "sequence" and targets.values.tolist() == [[3.0]]
    with pytest.raises(ValueError, match="is one series, but y has 5 rows"):
        targets_of(np.zeros(5), batch[0], "sequence")


def test_objects_of_one_type_become_that_type(batch):
    for labels in ([3, 1, 2, 1], [True, False, True, True], [0.5, 1.5, 2.5, 1.5]):
        for y in (np.array(labels, object), pd.Series(labels, dtype=object)):
            values = targets_of(y, batch, numeric=False).values
            assert values.dtype == np.array(labels).dtype
    large = [2**62 + 1, 2**62 + 3, 1, 1]  # float64 cannot represent them
    values = targets_of(pd.Series(large, dtype="Int64"), batch, numeric=False).values
    assert values[:, 0].tolist() == large


def test_a_list_of_rows_is_told_from_a_list_of_values():
    objects = np.empty(2, object)
    objects[:] = [np.zeros(2), np.zeros(3)]
    for rows in ([[1, 2], [3]], [np.zeros(2)], (np.zeros((2, 1)),), objects):
        assert is_list_of_rows(rows)
    for other in ([], [1, 2], ["ab", "cd"], np.zeros((2, 2)), None, 1.0):
        assert not is_list_of_rows(other)
