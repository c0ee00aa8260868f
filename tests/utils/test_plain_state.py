"""Fitted state as plain values, which pickle, copy and skops get."""

import copy
import datetime
import pickle
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from esnkit.utils import _plain_state
from esnkit.utils._plain_state import PlainStateMixin, from_plain, plain_record, to_plain

PLAIN = (np.ndarray, np.generic, int, float, str, bool, type(None))


@pytest.fixture(scope="module", autouse=True)
def registry():
    """Records of this file are known while its tests run."""
    yield
    for tag in [tag for tag in _plain_state._makers if tag.startswith("test")]:
        del _plain_state._makers[tag], _plain_state._classes[tag]


# The folder of a record comes second in the name of its module.
def known(cls):
    cls.__module__ = f"esnkit.tests.{cls.__module__}"
    return plain_record(cls)


class Point(NamedTuple):
    """A tuple with names."""

    x: object
    y: object


@dataclass(frozen=True)
class Line:
    """A record whose fields are records."""

    start: Point
    rest: list


class Counter:
    """A class that leaves something out of its state."""

    def __init__(self):
        self.count, self.buffer = 1, bytearray(3)

    def __getstate__(self):
        return {"count": self.count}

    def __setstate__(self, state):
        self.__init__()
        self.count = state["count"] + 1


for each in (Point, Line, Counter):
    known(each)


def leaves(value):
    if type(value) is dict:
        return [leaf for part in value.values() for leaf in leaves(part)]
    if type(value) in (list, tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def test_records_within_records_come_back():
    value = {"lines": [Line(Point(1, np.arange(3)), [Point(None, "a")])], "counter": Counter()}
    plain = to_plain(value)
    assert all(isinstance(leaf, PLAIN) for leaf in leaves(plain))
    again = from_plain(plain)
    (line,) = again["lines"]
    assert type(line) is Line and type(line.start) is Point
    assert line.start.y is value["lines"][0].start.y  # arrays are not copied
    assert line.rest == [Point(None, "a")]
    assert again["counter"].count == 2 and len(again["counter"].buffer) == 3


@pytest.mark.parametrize(
    "value",
    [
        np.dtype("M8[ns]"),
        np.dtype(np.float32),
        ZoneInfo("Europe/Berlin"),
        datetime.UTC,
        datetime.timezone(datetime.timedelta(hours=-3, minutes=-30)),
        datetime.timedelta(days=-1, seconds=3, microseconds=5),
        datetime.time(9, 30),
    ],
    ids=str,
)
def test_values_of_other_libraries_come_back(value):
    plain = to_plain(value)
    assert all(isinstance(leaf, PLAIN) for leaf in leaves(plain))
    assert from_plain(plain) == value and type(from_plain(plain)) is type(value)


def test_zones_of_pytz_come_back():
    pytz = pytest.importorskip("pytz")
    for zone in (pytz.timezone("Europe/Berlin"), pytz.UTC, pytz.FixedOffset(-210)):
        plain = to_plain(zone)
        assert all(isinstance(leaf, PLAIN) for leaf in leaves(plain))
        assert from_plain(plain) is zone or from_plain(plain) == zone


def test_sparse_matrices_and_calendars_come_back():
    W = csr_array(np.diag([1.0, 0.0, 2.0]))
    again = from_plain(to_plain(W))
    assert type(again) is csr_array and (again != W).nnz == 0
    calendar = np.busdaycalendar("1110000", ["2024-01-01"])
    again = from_plain(to_plain(calendar))
    assert np.array_equal(again.weekmask, calendar.weekmask)
    assert np.array_equal(again.holidays, calendar.holidays)


def test_what_is_no_record_is_left_alone():
    class Items(list):
        pass

    class Foreign(datetime.tzinfo):
        pass

    for value in (Items([1]), Foreign(), BaseEstimator(), np.random.default_rng(0), print):
        assert to_plain(value) is value and from_plain(value) is value


def test_two_records_of_one_name_are_refused():
    other = type("Point", (tuple,), {"__module__": "esnkit.tests.elsewhere"})
    with pytest.raises(ValueError, match="'tests.Point': rename"):
        plain_record(other)


def test_a_module_that_is_read_again_replaces_its_records():
    def read():
        class Row(NamedTuple):
            x: object

        return known(Row)

    old, new = read(), read()
    for cls in (old, new):
        assert type(from_plain(to_plain(cls(1)))) is new


def test_an_unknown_record_says_that_another_version_stored_it():
    with pytest.raises(ValueError, match="'esn.Gone'.*version"):
        from_plain({"esnkit type": "esn.Gone", "parts": ()})


class Fitted(PlainStateMixin, BaseEstimator):
    """An estimator with a record among its attributes."""

    def __init__(self, alphas=None):
        self.alphas = alphas


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_estimators_come_back_from_copies_and_pickles(duplicate):
    model = Fitted([1.0, 2.0])
    model._point = Point(1, np.ones(2))
    again = duplicate(model)
    assert type(again._point) is Point and again.alphas == model.alphas
    np.testing.assert_array_equal(again._point.y, np.ones(2))
