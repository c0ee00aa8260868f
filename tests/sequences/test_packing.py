import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from esnkit import ESNRegressor
from esnkit.sequences._packing import pack, restore
from esnkit.sequences._sample_weight import pack_weights
from esnkit.sequences._targets import Targets, has_row_per_step, pack_targets, stack_predictions

N_SEQUENCES, N_TIMESTEPS, N_FEATURES = 4, 5, 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def packed(X, reset=True):
    return pack(BaseEstimator(), X, reset=reset)


@pytest.fixture
def batch(rng):
    return rng.normal(size=(N_SEQUENCES, N_TIMESTEPS, N_FEATURES))


@pytest.fixture
def ragged(rng):
    return [rng.normal(size=(n, N_FEATURES)) for n in (3, 1, 7, 2)]


def test_a_series_is_one_sequence(batch):
    sequences = packed(batch[0])
    assert sequences.form == "series" and sequences.offsets.tolist() == [0, N_TIMESTEPS]
    assert np.shares_memory(sequences.values, batch), "what is in order is not copied"


def test_a_batch_and_the_list_of_its_sequences_pack_alike(batch):
    one, other = packed(batch), packed(list(batch))
    assert (one.form, other.form) == ("batch", "ragged")
    assert np.array_equal(one.values, other.values)
    assert np.array_equal(one.offsets, other.offsets)


def test_lengths_of_ragged_sequences(ragged):
    sequences = packed(ragged)
    assert sequences.n_sequences == 4 and sequences.lengths.tolist() == [3, 1, 7, 2]
    assert np.array_equal(sequences.values, np.vstack(ragged))


@pytest.mark.parametrize("container", [list, tuple])
def test_tuples_and_object_arrays_are_ragged_too(container, ragged):
    objects = np.empty(len(ragged), object)
    objects[:] = ragged
    for X in (container(ragged), objects):
        assert packed(X).form == "ragged"


def test_frames_keep_their_names():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    for X in (frame, [frame, frame]):
        estimator = BaseEstimator()
        pack(estimator, X, reset=True)
        assert estimator.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match=r"X\[1\] has other columns than X\[0\]"):
        packed([frame, frame[["b", "a"]]])


@pytest.mark.parametrize(("dtype", "kept"), [("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("?", "f8")])
def test_values_are_float32_or_float64_in_c_order(dtype, kept):
    for X in (np.ones((4, 3), dtype, order="F"), np.ones((2, 4, 3), dtype).transpose(1, 0, 2)):
        values = packed(X).values
        assert values.dtype == kept and values.flags.c_contiguous


def test_restore_gives_back_the_container(batch, ragged):
    for X in (batch[0], batch, ragged):
        sequences = packed(X)
        back = restore(sequences.values, sequences)
        assert type(back) is type(X)
        assert all(np.array_equal(a, b) for a, b in zip(back, X, strict=True))


def test_stack_answers_undoes_restore(batch, ragged):
    for X in (batch[0], batch, ragged):
        sequences = packed(X)
        for rows in (sequences.values, sequences.values[:, 0]):
            stacked = stack_predictions(restore(rows, sequences), len(rows))
            assert np.array_equal(stacked, rows.reshape(len(rows), -1))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "X is an empty list"),
        (np.empty((0, 4, 2)), r"X has shape \(0, 4, 2\)"),
        (np.empty((2, 0, 2)), r"X has shape \(2, 0, 2\)"),
        ([np.ones((2, 1)), np.ones((0, 1))], r"X\[1\] is an empty sequence"),
        ([np.ones((2, 1)), np.ones((2, 3))], r"X\[1\] has 3 features but X\[0\] has 1"),
        ([np.ones((2, 1)), np.ones(2)], r"X\[1\] must be a 2-D array"),
        ([np.ones((2, 1)), np.full((2, 1), np.nan)], "NaN"),
        (np.full((1, 2, 2), np.inf), "infinity"),
        (np.ones(3), "1D array"),
        (np.ones((2, 2, 2, 2)), "dim 4"),
    ],
)
def test_what_is_no_sequence_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        packed(X)


def targets_of(y, X, target="auto", numeric=True):
    return pack_targets(y, packed(X), target, numeric=numeric)


STEPS = {  # y with a row a time step, for a batch of 4 x 5, and its packed shape
    "flat in a series": (np.zeros(5), "series", (5, 1), True),
    "one column in a series": (np.zeros((5, 1)), "series", (5, 1), False),
    "columns in a series": (np.zeros((5, 2)), "series", (5, 2), False),
    "columns in a batch": (np.zeros((4, 5, 2)), "batch", (20, 2), False),
    "columns in a list": ([np.zeros((5, 2))] * 4, "ragged", (20, 2), False),
    "array for a list": (np.zeros((4, 5, 2)), "ragged", (20, 2), False),
    "list for a batch": ([np.zeros((5, 2))] * 4, "batch", (20, 2), False),
}


@pytest.mark.parametrize("case", STEPS)
def test_targets_a_time_step(case, batch):
    y, form, shape, flat = STEPS[case]
    X = {"series": batch[0], "batch": batch, "ragged": list(batch)}[form]
    targets = targets_of(y, X)
    assert (targets.values.shape, targets.kind, targets.flat) == (shape, "steps", flat)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2), (4, 6)])
def test_targets_a_sequence(shape, batch):
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


def test_shapes_that_could_mean_both_name_the_parameter(batch):
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


def weights_of(sample_weight, X, n_outputs=2, washout=0):
    sequences = packed(X)
    targets = Targets(np.zeros((len(sequences.values), n_outputs)), "steps", False)
    return pack_weights(sample_weight, sequences, targets, washout)


def test_without_weights_or_washout_there_is_nothing_to_weigh(batch):
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


def test_a_column_of_weights_counts_for_all_outputs(batch):
    assert weights_of(np.ones((5, 1)), batch[0]).shape == (5,)


def test_weights_per_output_of_sequences_of_one_step(batch):
    weights = np.arange(8.0).reshape(4, 2)
    assert np.array_equal(weights_of(weights, batch[:, :1]), weights)


def test_washout_is_zeros_at_every_start(ragged):
    weights = weights_of(None, ragged, washout=2)
    assert weights.tolist() == [0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]
    given = np.full(13, 3.0)
    assert np.array_equal(weights_of(given, ragged, washout=2), 3 * weights)
    assert np.all(given == 3), "the caller's weights are left alone"


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
def test_weights_that_teach_nothing_or_do_not_fit_are_refused(weights, washout, message, batch):
    with pytest.raises(ValueError, match=message):
        weights_of(weights, batch, washout=washout)


def test_weights_whose_size_fits_by_chance_are_refused(rng):
    X = [rng.normal(size=(n, 2)) for n in (3, 2, 4)]
    model = ESNRegressor(n_units=5, random_state=0)
    with pytest.raises(ValueError, match="sample_weight has shape"):
        model.fit(X, [x[:, 0] for x in X], sample_weight=np.ones((3, 3)))
