"""What the fits of a search share."""

from threading import Thread
from typing import NamedTuple

import numpy as np
import pytest

from esnkit.utils._sharing import (
    SharedWork,
    equal_data,
    equal_values,
    is_prefix,
    share_work,
    shared_work,
)


class Result(NamedTuple):
    name: str
    n_bytes: int


class Other(NamedTuple):
    n_bytes: int


def names(work):
    return [result.name for result in work.results]


def test_the_result_that_was_not_used_for_longest_goes_first():
    work = SharedWork(10)
    for name in "abc":
        work.keep(Result(name, 3))
    assert work.find(Result, lambda r: r.name == "a").name == "a"
    work.keep(Result("d", 3))
    assert names(work) == ["c", "a", "d"]


def test_a_result_that_is_too_large_is_not_kept():
    work = SharedWork(10)
    work.keep(Result("small", 3))
    work.keep(Result("large", 11))
    assert work.results == []
    assert work.has_room(10) and not work.has_room(11)


def test_results_are_found_by_their_kind():
    work = SharedWork(10)
    work.keep(Result("a", 1))
    work.keep(Other(1))
    assert work.find(Other, lambda r: True) == Other(1)
    assert work.find(Result, lambda r: r.name == "b") is None
    assert work.all_of(Result) == [Result("a", 1)]
    work.forget(Other)
    assert work.results == [Result("a", 1)]


def test_work_is_shared_in_one_thread_alone():
    found = []
    with share_work(SharedWork(1)):
        assert shared_work() is not None
        thread = Thread(target=lambda: found.append(shared_work()))
        thread.start()
        thread.join()
    assert found == [None] and shared_work() is None


A = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    ("a", "b", "are_equal"),
    [
        (A, A.copy(), True),
        (A, A + 1, False),
        (A, A.astype("f4"), False),
        (A, A[:2], False),
        ([A, A[:1]], [A.copy(), A[:1].copy()], True),
        ([A, A[:1]], [A, A], False),
        (np.array(["a", 1], object), np.array(["a", 1], object), True),
        (np.array(["a", 1], object), np.array(["a", 1.0], object), False),
        (None, None, True),
        (A, None, False),
    ],
)
def test_data_are_equal(a, b, are_equal):
    assert equal_data(a, b) is are_equal


def test_frames_of_pandas_are_compared():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(A, columns=["a", "b"])
    assert equal_data(frame, frame) and equal_data(frame, frame.copy())
    others = frame + 1, frame.astype("f4"), frame.rename(columns={"a": "c"}), frame[:2]
    assert not any(equal_data(frame, other) for other in others)


@pytest.mark.parametrize(
    ("a", "b", "are_equal"),
    [
        (1, 1.0, False),
        ("auto", "auto", True),
        ((0.1, 1.0), (0.1, 1.0), True),
        ((0.1, 1.0), [0.1, 1.0], False),
        (A, A.copy(), True),
        (np.tanh, np.tanh, True),
        (np.random.RandomState(0), np.random.RandomState(1), False),
        (lambda: 0, lambda: 0, False),
    ],
)
def test_values_are_equal(a, b, are_equal):
    assert equal_values(a, b) is are_equal


def test_prefixes():
    assert is_prefix(A[:2], A) and is_prefix(A, A) and is_prefix(None, None)
    assert not is_prefix(A, A[:2]) and not is_prefix(A[1:], A) and not is_prefix(None, A)
    assert not is_prefix(A[:2].astype("f4"), A)
