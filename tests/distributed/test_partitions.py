"""Collections as lists of partitions."""

import numpy as np
import pytest

from esnkit.distributed._partitions import Part, as_sequences, partitions


def sizes(parts, name="X"):
    return [getattr(part, name).compute().shape[0] for part in parts]


def test_arrays_are_cut_like_the_rows_of_x(arrays):
    X, y = np.zeros((10, 2)), np.zeros(10)
    found = partitions(arrays(X, (4, 10)), arrays(y, (3, 5, 10)), y)
    assert found.kind == "rows" and found.are_rows
    assert [sizes(found.parts, name) for name in Part._fields] == [[4, 6]] * 3
    found = partitions(arrays(np.zeros((10, 5, 2)), (4, 10)))
    assert found.kind == "batch" and sizes(found.parts) == [4, 6]
    assert [part.y for part in found.parts] == [None, None]


def test_bags_and_lists_of_delayed_objects(bags, dask):
    items = [np.zeros((3, 1)), np.zeros((2, 1)), np.zeros((4, 1))]
    found = partitions(bags(items, (1, 3)), bags([1, 2, 3], (1, 3)))
    assert found.kind == "bag"
    assert [part.y.compute() for part in found.parts] == [[1], [2, 3]]
    found = partitions([dask.delayed(item) for item in items], ["a", "b", "c"])
    assert found.kind == "items" and [part.y.compute() for part in found.parts] == ["a", "b", "c"]


def test_a_single_sequence_is_a_list_of_one():
    x = np.zeros((3, 1))
    assert as_sequences(Part(x, "a")) == (Part([x], ["a"]), True)
    assert as_sequences(Part((x, x), ("a", "b"))) == (Part([x, x], ["a", "b"]), False)


def test_partitions_that_do_not_match_are_named(arrays, bags):
    X = arrays(np.zeros((10, 2)), (4, 10))
    with pytest.raises(ValueError, match="sample_weight must have as many rows as X, 10, got 9"):
        partitions(X, None, arrays(np.zeros(9), (4, 9)))
    with pytest.raises(ValueError, match="y must have the 2 partitions of X, got 3"):
        partitions(bags([X] * 3, (1, 3)), bags([1, 2, 3], (1, 2, 3)))
    with pytest.raises(TypeError, match="y must be a dask collection with the partitions of X"):
        partitions(bags([X] * 3, (1, 3)), [1, 2, 3])
    with pytest.raises(ValueError, match=r"use X.rechunk\({1: -1}\)"):
        partitions(X.rechunk((4, 1)))
    with pytest.raises(TypeError, match="X must be a dask array"):
        partitions(X[0])
