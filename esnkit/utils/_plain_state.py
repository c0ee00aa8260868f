"""Fitted state as plain values: arrays, numbers, text, and lists, tuples and dicts of these.

Estimators give their state to pickle, copy and skops in this form. A file of skops then holds no
types but those of estimators, and does not depend on the modules that define private classes.
"""

import datetime
from collections.abc import Callable
from functools import singledispatch
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import scipy.sparse as sp

from esnkit.utils._read_only import ReadOnlyWeights

__all__ = ["PlainStateMixin", "from_plain", "plain_record", "to_plain"]

TAG = "esnkit type"  # the key of the dicts that stand for something else
RecordClass = TypeVar("RecordClass", bound=type)
_makers: dict[str, Callable[[Any], Any]] = {}  # by tag: from plain parts to the value
_classes: dict[str, str] = {}  # by tag: module and name of the class


class PlainStateMixin:
    """Give the state to pickle, copy and skops as plain values; stands before BaseEstimator."""

    def __getstate__(self) -> Any:
        return to_plain(super().__getstate__())  # type: ignore[misc]  # of BaseEstimator

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(from_plain(state))  # type: ignore[misc]


@singledispatch
def to_plain(value: Any) -> Any:
    """Return a value with all records in it as plain values; the others are the same objects.

    Examples
    --------
    >>> to_plain({"dtype": np.dtype(float)})
    {'dtype': {'esnkit type': 'dtype', 'parts': '<f8'}}
    """
    return value


def from_plain(value: Any) -> Any:
    """Return what :func:`to_plain` was given.

    Raises
    ------
    ValueError
        For a type that this version of esnkit does not know.
    """
    if type(value) in (list, tuple):
        return type(value)(map(from_plain, value))
    if type(value) is not dict:
        return value
    if TAG not in value:
        return {key: from_plain(part) for key, part in value.items()}
    if value[TAG] not in _makers:
        raise ValueError(
            f"the stored state has a part of the type {value[TAG]!r}, which this version of esnkit "
            "does not know: load it with the version that stored it"
        )
    return _makers[value[TAG]](from_plain(value["parts"]))


def plain_record(cls: RecordClass) -> RecordClass:
    """Decorate a class, a NamedTuple or one with a ``__dict__``, that fitted state may hold.

    Its tag is the folder and the name of the class, which are the same wherever it moves there.
    """
    tag = f"{cls.__module__.split('.')[1]}.{cls.__name__}"
    if issubclass(cls, tuple):
        _register(tag, cls, tuple, lambda parts: cls(*parts))
    else:
        _register(tag, cls, lambda value: value.__getstate__(), lambda parts: _revive(cls, parts))
    return cls


def _revive(cls: Any, state: dict[str, Any]) -> Any:
    """Return an instance with a given state, as pickle does."""
    value = cls.__new__(cls)
    if hasattr(value, "__setstate__"):
        value.__setstate__(state)
    else:
        value.__dict__.update(state)
    return value


def _register(
    tag: str, cls: type, to_parts: Callable[[Any], Any], from_parts: Callable[[Any], Any]
) -> None:
    name = f"{cls.__module__}.{cls.__qualname__}"
    if _classes.setdefault(tag, name) != name:  # the same name: its module is read again
        raise ValueError(f"two classes of fitted state have the name {tag!r}: rename one")
    _makers[tag] = from_parts
    to_plain.register(cls, lambda value: {TAG: tag, "parts": to_plain(to_parts(value))})


to_plain.register(ReadOnlyWeights, np.asarray)


# Subclasses of containers, such as tuples with names, are not known to be made of their items.
@to_plain.register(list)
@to_plain.register(tuple)
def _(value: Any) -> Any:
    return type(value)(map(to_plain, value)) if type(value) in (list, tuple) else value


@to_plain.register(dict)
def _(value: Any) -> Any:
    return {k: to_plain(part) for k, part in value.items()} if type(value) is dict else value


def _csr_array(parts: Any) -> sp.csr_array:
    *arrays, shape = parts
    return sp.csr_array(tuple(arrays), shape)


def _zone(parts: tuple[str, Any]) -> datetime.tzinfo:
    library, zone = parts
    if library == "zoneinfo":
        return ZoneInfo(zone)
    if library == "pytz":  # the zones of pandas before version 3
        import pytz

        return pytz.FixedOffset(zone) if isinstance(zone, int) else pytz.timezone(zone)
    return datetime.timezone(datetime.timedelta(seconds=zone))


@to_plain.register(datetime.tzinfo)
def _(zone: Any) -> Any:
    """Return a zone by its name or its offset; zones of other libraries stay what they are."""
    library = type(zone).__module__.partition(".")[0]
    if library == "zoneinfo":
        key = zone.key
    elif library == "pytz":
        key = zone.zone or int(zone.utcoffset(None).total_seconds()) // 60
    elif type(zone) is datetime.timezone:
        key = zone.utcoffset(None).total_seconds()
    else:
        key = None
    return zone if key is None else {TAG: "zone", "parts": (library, key)}


_makers["zone"] = _zone
_register("dtype", np.dtype, lambda dtype: dtype.str, np.dtype)
_register("csr_array", sp.csr_array, lambda W: (W.data, W.indices, W.indptr, W.shape), _csr_array)
_register(
    "timedelta",
    datetime.timedelta,
    lambda duration: (duration.days, duration.seconds, duration.microseconds),
    lambda parts: datetime.timedelta(*parts),
)
_register("time", datetime.time, datetime.time.isoformat, datetime.time.fromisoformat)
_register(
    "busdaycalendar",
    np.busdaycalendar,
    lambda calendar: (calendar.weekmask.astype(int).tolist(), calendar.holidays),
    lambda parts: np.busdaycalendar(*parts),
)
