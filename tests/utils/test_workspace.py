"""Workspaces, and large arrays in the memory of deleted ones."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed

from esnkit import Reservoir
from esnkit.kernels.reservoir import MAX_CACHED_BYTES
from esnkit.utils import _workspace
from esnkit.utils._workspace import (
    _CAN_RECYCLE,
    CACHE_LINE,
    MIN_RECYCLED_BYTES,
    Workspace,
    recycled,
)

ROWS = MIN_RECYCLED_BYTES // 8 // 1024
needs_recycling = pytest.mark.skipif(not _CAN_RECYCLE, reason="the system cannot take memory back")


@pytest.fixture(autouse=True)
def nothing_kept():
    """Forget the memory that other tests have given back."""
    _workspace._small.clear()
    _workspace._large.clear()


@needs_recycling
@pytest.mark.parametrize("n_rows", [ROWS, 40 * ROWS])
def test_the_memory_of_a_deleted_array_is_used_again(n_rows):
    address = recycled((n_rows, 1024), float).ctypes.data
    again = recycled((n_rows, 1024), float)
    assert again.ctypes.data == address


@needs_recycling
def test_of_large_arrays_little_memory_stays_in_use():
    arrays = [recycled((40 * ROWS, 1024), float) for _ in range(4)]
    del arrays
    assert len(_workspace._large) == 2 and not _workspace._small


@needs_recycling
@pytest.mark.parametrize("part", [lambda a: a[5:], lambda a: a.T, lambda a: memoryview(a)])
def test_a_view_keeps_its_memory(part):
    whole = recycled((ROWS, 1024), float)
    whole[:] = 1.0
    view = part(whole)
    del whole
    others = [recycled((ROWS, 1024), float) for _ in range(3)]
    for other in others:
        other[:] = 2.0
    assert np.all(np.asarray(view) == 1.0)


@needs_recycling
def test_a_small_array_does_not_take_much_more_than_it_needs():
    large = recycled((5 * ROWS, 1024), float)
    first, last = large.ctypes.data, large.ctypes.data + large.nbytes
    del large
    small = recycled((ROWS, 1024), float)
    assert not first <= small.ctypes.data < last


def test_too_large_an_array_raises_as_numpy_does():
    for shape in ((2**40, 2**10), (2**62, 2)):
        with pytest.raises((MemoryError, ValueError)):
            np.empty(shape)
        with pytest.raises((MemoryError, ValueError)):
            recycled(shape, float)


def test_such_arrays_go_through_pickle_and_to_other_processes():
    a = recycled((ROWS, 1024), float)
    a[:] = np.arange(1024)
    assert np.array_equal(pickle.loads(pickle.dumps(a)), a)
    sums = Parallel(2)(delayed(np.sum)(part) for part in (a, a[:2]))
    assert sums == [a.sum(), a[:2].sum()]


def test_threads_never_share_memory():
    def fill(value):
        mine = recycled((ROWS, 1024), float)
        mine[:] = value
        return bool(np.all(mine == value))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(fill, range(24)))


def test_states_are_the_same_in_used_memory():
    X = np.random.default_rng(0).normal(size=(MAX_CACHED_BYTES // 8 // 500 + 1, 2))
    reservoir = Reservoir(500, random_state=0).fit(X)
    first = reservoir.transform(X)
    expected = first.copy()
    del first
    assert np.array_equal(reservoir.transform(X), expected)


@pytest.mark.parametrize("n_units", [72, 104])
def test_states_that_go_past_the_caches_are_the_same(n_units):
    n_rows = MAX_CACHED_BYTES // 8 // n_units + 8
    X = np.random.default_rng(1).normal(size=(n_rows - n_rows % 8, 2))
    half = len(X) // 2
    reservoir = Reservoir(n_units, random_state=0).fit(X)
    whole = reservoir.transform(X)
    first, state = reservoir.transform(X[:half], return_state=True)
    second = reservoir.transform(X[half:], initial_state=state)
    assert whole.nbytes >= MAX_CACHED_BYTES > first.nbytes
    assert np.array_equal(np.vstack([first, second]), whole)
    fours = reservoir.transform(X.reshape(4, -1, 2))
    assert np.array_equal(fours[0], whole[: len(X) // 4])
    assert np.array_equal(fours[3], reservoir.transform(X[3 * len(X) // 4 :]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_workspace_hands_out_the_same_memory_after_a_rewind(dtype):
    workspace = Workspace()
    first, second = workspace.empty(100, dtype), workspace.empty(7, dtype)
    assert first.size == 100 and second.size == 7 and not np.shares_memory(first, second)
    assert all(array.ctypes.data % CACHE_LINE == 0 for array in (first, second))
    workspace.rewind(1)
    assert workspace.n_used == 1
    assert np.shares_memory(workspace.empty(5, dtype), second)
    workspace.rewind()
    assert np.shares_memory(workspace.empty(100, np.float64), first) == (dtype == np.float64)
    assert workspace.empty(5, dtype).dtype == dtype


def test_a_sibling_has_memory_of_its_own():
    workspace = Workspace()
    assert workspace.sibling() is workspace.sibling()
    mine, other = workspace.empty(9, float), workspace.sibling().empty(9, float)
    assert not np.shares_memory(mine, other)
