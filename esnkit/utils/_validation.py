"""Checks of arguments: each error names the argument, its value and what was expected."""

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from esnkit.utils._frames import to_array, unwrap
from esnkit.utils._pandas import is_frame

__all__ = [
    "check_choice",
    "check_column",
    "check_fitted",
    "check_flag",
    "check_number",
    "check_positive_int",
    "check_seed",
    "check_verbose",
    "check_weights",
    "finite_array",
    "for_kernels",
    "has_methods",
    "name_in_errors",
    "refuse_datetimes",
    "refuse_masked",
    "refuse_missing",
    "range_of_float",
    "refuse_panel",
]


def check_positive_int(name: str, value: Any, minimum: int = 1) -> int:
    """Return ``value`` as an int of at least ``minimum``, or raise."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer >= {minimum}, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {value!r}")
    if int(value) > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must be an integer below 2**63, got a larger one")
    return int(value)


def check_number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """Return ``value`` as a finite float within the interval, or raise."""
    interval = _describe(low, high, low_open, high_open)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {interval}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    too_low = number <= low if low_open else number < low
    too_high = number >= high if high_open else number > high
    if not math.isfinite(number) or too_low or too_high:
        raise ValueError(f"{name} must be {interval}, got {value!r}")
    return number


def _describe(low: float, high: float, low_open: bool, high_open: bool) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a finite number"
    if math.isinf(high):
        return f"a finite number {'>' if low_open else '>='} {low:g}"
    return f"a number in {'(' if low_open else '['}{low:g}, {high:g}{')' if high_open else ']'}"


def check_column(column: Any, n_columns: int, name: str = "column") -> int:
    """Return the number of one of several columns, or raise."""
    if check_positive_int(name, column, minimum=0) >= n_columns:
        raise ValueError(f"{name} must be an integer from 0 to {n_columns - 1}, got {column}")
    return int(column)


def check_flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool, or raise."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of the named choices, or raise."""
    names = list(choices)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name} must be one of {names}, got {value!r}")
    return value


def check_fitted(estimator: Any, attribute: str) -> None:
    """Raise NotFittedError if an estimator has not the attribute that ``fit`` sets.

    scikit-learn's check takes longer than a step of a reservoir.
    """
    if attribute not in vars(estimator):
        check_is_fitted(estimator, attribute)


def check_seed(random_state: Any) -> np.random.RandomState:
    """Return ``random_state`` as a RandomState, or raise."""
    try:
        return check_random_state(random_state)
    except ValueError as error:
        raise ValueError(
            "random_state must be an integer from 0 to 2**32 - 1, a RandomState instance or "
            f"None, got {random_state!r}"
        ) from error


def has_methods(estimator: Any, *names: str) -> bool:
    """Return whether an estimator, or its class, has methods: some appear only after ``fit``."""
    return all(hasattr(type(estimator), name) or hasattr(estimator, name) for name in names)


def for_kernels(values: Any, dtype: Any = None) -> np.ndarray:
    """Return a C-contiguous, writable array, copied only if it is not one already.

    Read-only arrays, such as those mapped from a file, would compile every kernel a second time.
    """
    if isinstance(values, np.ndarray) and (dtype is None or values.dtype == dtype):
        if values.flags.c_contiguous and values.flags.writeable:
            return values
    return np.array(values, dtype, order="C")  # three times as fast as `np.require`


def finite_array(name: str, values: Any, dtype: Any = np.float64) -> np.ndarray:
    """Return real, finite numbers as an array, or raise."""
    if type(values) is np.ndarray and values.dtype == dtype and np.isfinite(values).all():
        return values  # as all the checks below would; they take most of the time of a short call
    refuse_masked(name, values)
    values = to_array(name, values)
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"got dtype {array.dtype}")
        with np.errstate(over="ignore"):  # an overflow is reported below, with the argument's name
            array = array.astype(dtype, copy=False)
    except OverflowError:  # of an integer of Python
        raise ValueError(f"{name} must be finite in {np.dtype(dtype)}, got a larger one") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers, got {values!r}") from error
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite in {np.dtype(dtype)}, got NaN or infinity")
    return array


def check_weights(sample_weight: Any, n_rows: int, n_outputs: int) -> np.ndarray | None:
    """Return the weights as float64, (n_rows,) or (n_rows, n_outputs); None for None."""
    if sample_weight is None:
        return None
    try:
        w = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"sample_weight must be numbers, got {sample_weight!r}") from None
    if w.ndim == 0:
        w = np.full(n_rows, w)
    if w.shape not in ((n_rows,), (n_rows, n_outputs)):
        raise ValueError(
            f"sample_weight must have shape ({n_rows},) or ({n_rows}, {n_outputs}), got {w.shape}"
        )
    if not np.isfinite(w).all():
        raise ValueError("sample_weight must be finite, got NaN or infinity")
    if (w < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {w.min()}")
    return w


def refuse_datetimes(name: str, values: Any) -> None:
    """Raise if an array or frame of pandas holds times, which would silently become numbers."""
    if is_frame(values):
        for column, dtype in zip(values.columns, values.dtypes, strict=True):
            if getattr(dtype, "kind", "") in ("m", "M"):
                raise ValueError(_got_times(name, f" in column {column!r}"))
    elif getattr(getattr(values, "dtype", None), "kind", "") in ("m", "M"):
        raise ValueError(_got_times(name))
    elif _has_items_of(values, (np.datetime64, np.timedelta64)):
        raise ValueError(_got_times(name))


def _got_times(name: str, where: str = "") -> str:
    return f"{name} must hold numbers, got times{where}: remove them or convert them to numbers"


def _has_items_of(values: Any, types: tuple[type, ...]) -> bool:
    """Return whether lists or arrays of objects, of any depth, have an item of some types."""
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = values.ravel().tolist()
    if not isinstance(values, (list, tuple)):
        return False
    kinds = set(map(type, values))
    if any(issubclass(kind, types) for kind in kinds):
        return True
    deeper = any(issubclass(kind, (list, tuple, np.ndarray)) for kind in kinds)
    return deeper and any(_has_items_of(item, types) for item in values)


def refuse_masked(name: str, values: Any) -> None:
    """Raise if an array, or an array within lists, has masked values, which would be used."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            f"{name} has masked values, and missing values are not supported: fill them in, "
            f"{name}.filled(...), or leave their rows out"
        )
    is_list = isinstance(values, (list, tuple))
    if is_list or (isinstance(values, np.ndarray) and values.dtype == object and values.ndim):
        # Most lists hold numbers: their types are found much faster than the items are visited.
        kinds = set(map(type, values))
        if any(issubclass(kind, (np.ndarray, list, tuple)) for kind in kinds):
            for i, item in enumerate(values):
                refuse_masked(f"{name}[{i}]", item)


def refuse_missing(name: str, labels: Any, remedy: str) -> None:
    """Raise if a label is missing: None, NaN, NaT or the NA of pandas."""
    if not isinstance(labels, np.ndarray):
        labels = _as_objects(labels)  # NumPy would turn ["a", nan] into ["a", "nan"]
    labels = np.atleast_1d(labels)
    if labels.dtype.kind not in "OfcmM":
        return
    flat = labels.ravel().tolist() if labels.dtype == object else labels.ravel()
    for i in _positions_of_missing(flat):
        shape = labels.shape[:-1] if labels.shape[-1] == 1 < labels.ndim else labels.shape
        index = ", ".join(map(str, np.unravel_index(i, shape)))
        raise ValueError(f"{name}[{index}] is missing, got {flat[i]}: {remedy}")


def _as_objects(labels: Any) -> np.ndarray:
    try:
        return np.array(labels, dtype=object)
    except ValueError:  # rows of unequal shapes, which are refused as such elsewhere
        return np.empty(0, dtype=object)


def _positions_of_missing(flat: Any) -> Iterable[int]:
    if isinstance(flat, np.ndarray):
        return np.flatnonzero(flat != flat).tolist()
    return (i for i, label in enumerate(flat) if _is_missing(label))


def _is_missing(label: Any) -> bool:
    if label is None or type(label).__name__ == "NAType":  # every comparison with it is NA
        return True
    return not hasattr(label, "__len__") and bool(label != label)


def refuse_panel(name: str, values: Any) -> None:
    """Raise if a pandas object holds several series, one for every entity of its index."""
    index: Any = getattr(unwrap(values), "index", None)
    if getattr(index, "nlevels", 1) == 1:
        return
    n_entities = index.get_level_values(0).nunique(dropna=False)
    if n_entities > 1:
        raise ValueError(
            f"{name} has a MultiIndex with {n_entities} entities, which are separate sequences: "
            f"give them as a list, [g for _, g in {name}.groupby(level=0)], X and y alike; if they "
            f"are one series, give {name}.reset_index(drop=True)"
        )


@contextmanager
def range_of_float(what: str, dtype: Any) -> Iterator[None]:
    """Raise FloatingPointError with the name of what overflows, in place of NumPy's warning."""
    try:
        with np.errstate(over="raise"):
            yield
    except FloatingPointError:
        raise FloatingPointError(
            f"{what} left the range of {np.dtype(dtype)}: scale the inputs"
        ) from None


@contextmanager
def name_in_errors(name: str) -> Iterator[None]:
    """Add the name of the argument to those errors of scikit-learn and NumPy that lack it."""
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{name} must be an array of real numbers: {error}") from error
    except OverflowError:  # an integer of Python
        raise ValueError(f"{name} must be finite in float64, got a larger one") from None
    except ValueError as error:
        message = str(error)
        if message.startswith(("could not convert", "Complex data", "dtype='numeric'")):
            raise ValueError(f"{name} must hold real numbers: {error}") from error
        if "inhomogeneous shape" in message or "with a sequence" in message:
            raise ValueError(
                f"{name} holds items of different lengths: the items of a list must be 2-D arrays "
                "(n_timesteps_i, n_features); give sequences of one feature, or of tokens where a "
                f"network takes them, as [x[:, None] for x in {name}] ({error})"
            ) from error
        if not re.search(rf"\b{name}\b", message):
            raise ValueError(f"{name} is not valid: {error}") from error
        raise


def check_verbose(verbose: Any) -> int:
    """Return ``verbose``, or raise unless it is a bool or an integer."""
    if not isinstance(verbose, (bool, int)):
        raise TypeError(f"verbose must be True, False or an integer, got {verbose!r}")
    return int(verbose)
