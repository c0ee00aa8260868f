"""Containers of sequences are packed into rows and offsets, and restored."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from esnkit.sequences import Sequences, pack, restore
from esnkit.sequences._packing import is_ragged
from esnkit.utils._frames import ndim_of


def packed(X):
    return pack(BaseEstimator(), X, reset=True)


def test_a_series_is_one_sequence(batch):
    sequences = packed(batch[0])
    assert sequences.form == "series" and sequences.offsets.tolist() == [0, 5]
    assert np.shares_memory(sequences.values, batch), "a contiguous series is not copied"


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
def test_wrong_containers_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        packed(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (None, "got None"),
        ("series", "got 'series'"),
        ([[1.0], [1.0, 2.0]], "X holds items of different lengths"),
        ([[[1.0], [2.0, 3.0]]], "X holds items of different lengths"),
        ([["a"], ["b"]], "X must hold real numbers"),
        (np.ones((4, 2)) * 1j, "X must hold real numbers"),
        (np.zeros((4, 1), "M8[D]"), "X must hold numbers, got times"),
        ([np.ones((2, 1)), np.zeros((2, 1), "M8[D]")], r"X\[1\] must hold numbers, got times"),
        (pd.DataFrame({"a": [1.0], "b": pd.to_datetime(["2024-01-01"])}), "X must hold numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged nested sequences")
def test_values_that_are_no_real_numbers_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        packed(X)


def test_nested_frames_are_named_with_what_unpacks_them(batch):
    cells = [[pd.Series(column) for column in X.T] for X in batch]
    X = pd.DataFrame(cells, columns=list("abc"))
    with pytest.raises(ValueError, match="nested frame.*give a list of sequences, .*column_stack"):
        packed(X)
    sequences = packed([np.column_stack(list(row)) for row in X.to_numpy()])
    assert np.array_equal(sequences.values, np.concatenate(batch))


def test_nested_lists_are_ragged_sequences(ragged):
    sequences = packed([X.tolist() for X in ragged])
    assert sequences.form == "ragged" and np.array_equal(sequences.values, np.vstack(ragged))


def test_token_vectors_are_sequences_of_one_column():
    class Tokens(BaseEstimator):
        def __init__(self, n_tokens=5):
            self.n_tokens = n_tokens

    sequences = pack(Tokens(), [np.array([1, 2, 3]), np.array([4])], reset=True)
    assert sequences.form == "ragged" and sequences.lengths.tolist() == [3, 1]
    assert sequences.values.tolist() == [[1], [2], [3], [4]]
    lists = pack(Tokens(), [[1, 2, 3], [4]], reset=True)
    assert lists.form == "ragged" and np.array_equal(lists.values, sequences.values)
    assert pack(Tokens(), [[1] * 20, [2] * 20], reset=True).values.shape == (40, 1)
    assert pack(Tokens(), [[1] * 19, [2] * 19], reset=True).form == "series"  # a table
    with pytest.raises(ValueError, match="X holds items of different lengths"):
        packed([np.array([1, 2, 3]), np.array([4])])


def test_features_must_be_those_of_fit(batch):
    estimator = BaseEstimator()
    pack(estimator, batch, reset=True)
    for X in (batch[..., :2], batch[0, :, :2], list(batch[..., :2])):
        with pytest.raises(ValueError, match="X has 2 features, but BaseEstimator is expecting 3"):
            pack(estimator, X, reset=False)


def test_values_beyond_the_given_dtype_are_refused(batch):
    assert pack(BaseEstimator(), batch, reset=True, dtype=(np.float32,)).values.dtype == "f4"
    with pytest.raises(ValueError, match="X contains infinity"):
        pack(BaseEstimator(), 1e300 * batch, reset=True, dtype=(np.float32,))


def test_read_only_arrays_are_copied(batch):
    batch.flags.writeable = False
    sequences = packed(batch)
    assert sequences.values.flags.writeable and np.array_equal(
        sequences.values, batch.reshape(20, 3)
    )


def test_a_part_is_a_view_with_offsets_from_zero(ragged):
    sequences = packed(ragged)
    part = sequences.part(1, 3)
    assert part.form == "ragged" and part.offsets.tolist() == [0, 1, 8]
    assert np.array_equal(part.values, np.vstack(ragged[1:3]))
    assert np.shares_memory(part.values, sequences.values)


def test_rows_of_some_sequences_are_a_view_with_offsets_from_zero(ragged):
    sequences = packed(ragged)
    inside, two = sequences.rows(2, 3, 5, 9), sequences.rows(1, 3, 3, 11)
    assert inside.offsets.tolist() == [0, 4] and two.offsets.tolist() == [0, 1, 8]
    assert np.array_equal(inside.values, ragged[2][1:5])
    assert np.shares_memory(two.values, sequences.values) and two.form == "ragged"
    assert sequences.rows(0, 4, 0, 13) is sequences


def test_bounds_enclose_the_rows_of_every_sequence(ragged):
    sequences = packed(ragged)
    assert sequences.bounds == [(0, 3), (3, 4), (4, 11), (11, 13)]
    for (start, stop), X in zip(sequences.bounds, ragged, strict=True):
        assert np.array_equal(sequences.values[start:stop], X)


@pytest.mark.parametrize("trailing", [(), (2,), (2, 3)])
def test_restored_rows_keep_their_other_axes(trailing, batch, ragged):
    for X, shape in ((batch, (4, 5)), (batch[0], (5,))):
        rows = np.zeros((np.prod(shape), *trailing))
        assert restore(rows, packed(X)).shape == (*shape, *trailing)
    shapes = [rows.shape for rows in restore(np.zeros((13, *trailing)), packed(ragged))]
    assert shapes == [(n, *trailing) for n in (3, 1, 7, 2)]


def test_a_list_of_matrices_is_ragged_and_other_lists_are_not(ragged):
    assert is_ragged(ragged) and is_ragged(tuple(ragged))
    for other in (ragged[0], np.stack([ragged[0]] * 2), [], [[1.0]], [np.ones(3)], None, "x"):
        assert not is_ragged(other)
    assert ndim_of(ragged) is None and ndim_of(ragged[0]) == 2


def test_a_sequence_is_a_named_tuple_that_a_user_can_make():
    sequences = Sequences(np.zeros((4, 1)), np.array([0, 4]), "series")
    assert (sequences.n_sequences, sequences.bounds) == (1, [(0, 4)])


def fitted(X):
    estimator = BaseEstimator()
    pack(estimator, X, reset=True)
    return estimator


ROWS = np.arange(12.0).reshape(4, 3)
READ_ONLY = ROWS.copy()
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize("given", [
    ROWS, ROWS[:1], ROWS.astype(np.float32), ROWS.astype(">f8"), ROWS.astype(int), ROWS.T.copy().T,
    ROWS[::2], READ_ONLY, ROWS.tolist(), pd.DataFrame(ROWS), ROWS[None], list(ROWS[None]),
], ids=lambda X: type(X).__name__)  # fmt: skip
def test_rows_of_any_kind_are_packed_after_fit_as_in_fit(given):
    values = pack(fitted(ROWS), given, reset=False, dtype=(np.dtype(np.float64),)).values
    assert values.dtype == np.float64 and values.dtype.isnative
    assert values.flags.c_contiguous and values.flags.writeable
    assert np.array_equal(values, np.asarray(given, float).reshape(-1, 3))


@pytest.mark.parametrize(("bad", "message"), [
    (np.full((2, 3), np.nan), "NaN"), (np.full((2, 3), -np.inf), "infinity"),
    (np.ones((2, 4)), "4 features"), (np.ones((0, 3)), "0 sample"), (np.ones(3), "2D array"),
    (np.ma.masked_equal(ROWS, 1.0), "mask"), (np.ones((1, 1, 1, 3)), "dim 4"),
], ids=["nan", "inf", "features", "empty", "vector", "masked", "four dimensions"])  # fmt: skip
def test_bad_rows_are_refused_after_fit(bad, message):
    with pytest.raises(ValueError, match=message):
        pack(fitted(ROWS), bad, reset=False)


def test_an_array_after_a_frame_warns_of_the_missing_names():
    estimator = fitted(pd.DataFrame(ROWS, columns=list("abc")))
    with pytest.warns(UserWarning, match="valid feature names"):
        pack(estimator, ROWS, reset=False)
