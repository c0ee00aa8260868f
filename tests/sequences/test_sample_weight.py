"""Sample weights per row, per sequence, per row and output, and the washout."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from esnkit import ESNRegressor
from esnkit.sequences import Targets, pack, pack_weights


def packed(X):
    return pack(BaseEstimator(), X, reset=True)


def weights_of(sample_weight, X, n_outputs=2, washout=0):
    sequences = packed(X)
    targets = Targets(np.zeros((len(sequences.values), n_outputs)), "steps", False)
    return pack_weights(sample_weight, sequences, targets, washout)


def test_without_weights_or_washout_there_are_no_weights(batch):
    assert weights_of(None, batch) is None


def test_weights_per_row_sequence_and_output(batch, rng):
    per_row, per_output = rng.random((4, 5)), rng.random((4, 5, 2))
    X = list(batch)
    for form, rows, outputs in (
        (batch, per_row, per_output),
        (X, list(per_row), list(per_output)),
        (X, per_row.ravel(), per_output.reshape(20, 2)),
    ):
        assert np.array_equal(weights_of(rows, form), per_row.ravel())
        assert np.array_equal(weights_of(outputs, form), per_output.reshape(20, 2))
        assert np.array_equal(weights_of([1, 0, 2, 3], form), np.repeat([1, 0, 2, 3], 5))


def test_a_column_of_weights_applies_to_all_outputs(batch):
    assert weights_of(np.ones((5, 1)), batch[0]).shape == (5,)


def test_weights_per_output_of_sequences_of_one_step(batch):
    weights = np.arange(8.0).reshape(4, 2)
    assert np.array_equal(weights_of(weights, batch[:, :1]), weights)


def test_washout_is_zeros_at_every_start(ragged):
    weights = weights_of(None, ragged, washout=2)
    assert weights.tolist() == [0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]
    given = np.full(13, 3.0)
    assert np.array_equal(weights_of(given, ragged, washout=2), 3 * weights)
    assert np.all(given == 3), "the array of the caller is not modified"


@pytest.mark.parametrize(
    ("weights", "washout", "message"),
    [
        (-np.ones(20), 0, "sample_weight must be finite and >= 0"),
        (np.full(20, np.nan), 0, "sample_weight must be finite"),
        (np.zeros(20), 0, "sample_weight is zero everywhere"),
        (np.ones(19), 0, r"sample_weight has shape \(19,\)"),
        (np.ones((20, 3)), 0, r"sample_weight has shape \(20, 3\)"),
        (None, 5, "washout=5 leaves no time step"),
        (np.tile([1, 1, 0, 0, 0], 4), 2, "washout=2 and sample_weight together"),
    ],
)
def test_weights_that_are_all_zero_or_do_not_fit_are_refused(weights, washout, message, batch):
    with pytest.raises(ValueError, match=message):
        weights_of(weights, batch, washout=washout)


def test_all_weights_may_be_zero_where_the_caller_says_so(batch):
    sequences = packed(batch)
    targets = Targets(np.zeros((20, 1)), "steps", False)
    assert not np.any(pack_weights(np.zeros(20), sequences, targets, may_be_zero=True))


def test_weights_whose_size_fits_by_chance_are_refused(rng):
    X = [rng.normal(size=(n, 2)) for n in (3, 2, 4)]
    model = ESNRegressor(n_units=5, random_state=0)
    with pytest.raises(ValueError, match="sample_weight has shape"):
        model.fit(X, [x[:, 0] for x in X], sample_weight=np.ones((3, 3)))


def test_targets_of_sequences_have_one_weight_each_and_no_washout(batch):
    targets = Targets(np.zeros((4, 2)), "sequence", False)
    weights = np.arange(4.0)
    for X in (batch, list(batch)):
        sequences = packed(X)
        assert pack_weights(None, sequences, targets, washout=3) is None
        assert np.array_equal(pack_weights(weights, sequences, targets, washout=3), weights)
        with pytest.raises(ValueError, match=r"sample_weight has shape \(4, 5\)"):
            pack_weights(np.ones((4, 5)), sequences, targets)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([np.ones(3), np.ones(1), np.ones(7)], "one item per sequence, one row per time step"),
        ([np.ones(3), np.ones(2), np.ones(7), np.ones(2)], "one row per time step"),
        (
            [np.ones(3), np.ones((1, 2)), np.ones((7, 2)), np.ones((2, 2))],
            r"sample_weight\[1\] has shape \(1, 2\), which does not match \(3,\)",
        ),
    ],
)
def test_items_of_weights_that_do_not_fit_are_refused(weights, message, ragged):
    with pytest.raises(ValueError, match=message):
        weights_of(weights, ragged)
