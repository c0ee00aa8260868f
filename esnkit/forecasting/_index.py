"""The kind of object a series came in, and how its index continues into the future.

A forecast has the kind of the series fitted on: arrays for arrays, and for pandas objects a Series
or DataFrame whose index continues at the same frequency. pandas is imported only where an object of
its kind comes in.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np

from esnkit.utils._pandas import is_pandas


class SeriesKind(NamedTuple):
    """The kind of a series: its dimensions, column names, and the end of its index."""

    ndim: int  # 1: one unnamed column, 2: a table
    names: tuple | None  # column names of a pandas object
    last: Any  # index of length 1 with the last label, None for arrays
    step: Any  # frequency, or the constant difference of the labels
    index_name: Any


def read_kind(series, argument: str = "series") -> SeriesKind:
    """Describe the kind of a series that has been checked to be 1-D or 2-D."""
    if not is_pandas(series):
        return SeriesKind(np.ndim(series), None, None, None, None)
    names = tuple(series.columns) if series.ndim == 2 else (series.name,)
    index = series.index
    return SeriesKind(series.ndim, names, index[-1:], _step(index, argument), index.name)


def _step(index, argument: str):
    """Frequency of a time index, or the constant step of any other index."""
    import pandas as pd

    _check_labels(index, argument)
    if isinstance(index, pd.PeriodIndex):
        irregular = np.diff(index.asi8) != index.freq.n
        if irregular.any():
            raise ValueError(_gap_message(index, int(np.argmax(irregular)), argument))
        return index.freq
    if isinstance(index, pd.DatetimeIndex):
        return index.freq if index.freq is not None else _inferred_frequency(index, argument)
    return _constant_step(index, argument)


def _check_labels(index, argument: str) -> None:
    """Raise unless the labels are times or numbers, all there, with the oldest first."""
    import pandas as pd

    times = isinstance(index, pd.PeriodIndex | pd.DatetimeIndex | pd.TimedeltaIndex)
    numbers = pd.api.types.is_numeric_dtype(index.dtype) and not pd.api.types.is_bool_dtype(
        index.dtype
    )
    if not (times or numbers):
        raise ValueError(
            f"{argument} must have an index of times, periods or numbers that can be continued, "
            f"got dtype {index.dtype}; pass {argument}.to_numpy() to ignore the index"
        )
    if index.hasnans or (index.dtype.kind == "f" and not np.isfinite(index.to_numpy()).all()):
        raise ValueError(f"{argument} must have an index without missing or infinite labels")
    if len(index) > 1 and index[-1] < index[0]:
        raise ValueError(
            f"{argument} must have its oldest row first, got an index from {index[0]} to "
            f"{index[-1]}; sort it (sort_index)"
        )


def _inferred_frequency(index, argument: str):
    """Frequency of dates that carry none: found by pandas, or a number of months."""
    import pandas as pd

    if len(index) < 3:
        return index[-1] - index[0] if len(index) == 2 else pd.Timedelta(days=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about strings and offsets: both will do
        warnings.simplefilter("ignore", DeprecationWarning)
        frequency = pd.infer_freq(index)
    if frequency is None:
        frequency = _monthly_frequency(index)
    if frequency is None:
        steps = np.diff(index.asi8)
        values, counts = np.unique(steps, return_counts=True)
        gap = int(np.argmax(steps != values[np.argmax(counts)]))
        raise ValueError(_gap_message(index, gap, argument))
    return frequency


def _monthly_frequency(index):
    """Return the number of months between dates on one day of the month, or None."""
    import pandas as pd

    months = (index[1].year - index[0].year) * 12 + index[1].month - index[0].month
    if months <= 0 or index.day.max() > 28:  # a day that some months lack
        return None
    frequency = pd.DateOffset(months=months)
    regular = pd.date_range(index[0], periods=len(index), freq=frequency)
    return frequency if index.equals(regular) else None


def _constant_step(index, argument: str):
    """Step of an index of numbers or durations."""
    if len(index) < 2:
        return 1
    labels = index.to_numpy()
    if labels.dtype.kind in "iu" and labels.itemsize < 8:  # differences could overflow
        labels = labels.astype(np.int64)
    steps = np.diff(labels)
    if labels.dtype.kind == "f":
        usual = np.median(steps)
        irregular = ~(np.abs(steps - usual) <= _rounding(labels, usual))
        step = float(labels[-1] - labels[0]) / (len(labels) - 1)
    else:
        usual = steps[0]
        irregular = steps != usual
        step = int(usual) if labels.dtype.kind in "iu" else index[1] - index[0]
    if irregular.any() or not usual:
        raise ValueError(_gap_message(index, int(np.argmax(irregular)), argument))
    return step


def _rounding(labels: np.ndarray, step: float) -> float:
    """Return how far float labels may be from an exact multiple of the step."""
    coarse = 4 * np.finfo(labels.dtype).eps * np.abs(labels).max()
    return min(1e-6 * abs(step) + coarse, 0.01 * abs(step))


def _gap_message(index, gap: int, argument: str) -> str:
    return (
        f"{argument} must have a regular index, got {index[gap]} followed by {index[gap + 1]}; "
        f"fill the gap (asfreq), or pass {argument}.to_numpy() to ignore the index"
    )


def same_index(found, expected, step=None) -> bool:
    """Tell whether two indices are equal; numbers of any dtype, up to rounding."""
    if found.equals(expected):
        return True
    kinds = found.dtype.kind + expected.dtype.kind
    if len(found) != len(expected) or not set(kinds) <= set("iuf") or found.hasnans:
        return False
    a, b = found.to_numpy(), expected.to_numpy()
    if "f" not in kinds:
        return bool(np.array_equal(a, b))
    a = a if a.dtype.kind == "f" else a.astype(np.float64)
    if step is None and len(b) == 1:
        return bool(a[0] == b.astype(a.dtype)[0])
    step = (b[-1] - b[0]) / (len(b) - 1) if step is None else step
    return bool((np.abs(a - b.astype(np.float64)) <= _rounding(a, step)).all())


def future_index(kind: SeriesKind, n_steps: int):
    """Return the index of the `n_steps` rows after the last one, None for arrays."""
    return _index_range(kind, 1, n_steps)


def past_index(kind: SeriesKind, n_rows: int):
    """Return the index of the last `n_rows` rows, None for arrays."""
    return _index_range(kind, 1 - n_rows, n_rows)


def _index_range(kind: SeriesKind, first: int, n_rows: int):
    """Index of `n_rows` rows; `first` counts from the last known row, negative into the past."""
    if kind.last is None:
        return None
    import pandas as pd

    last, step = kind.last[0], kind.step
    last = last.item() if isinstance(last, np.number) else last  # small integers would overflow
    if isinstance(kind.last, pd.PeriodIndex):
        index = pd.period_range(last + first, periods=n_rows, freq=step)
    elif isinstance(kind.last, pd.DatetimeIndex):
        n_before, n_after = max(0, -first), max(0, first + n_rows - 1)
        index = pd.date_range(end=last, periods=n_before + 1, freq=step)
        index = index.append(pd.date_range(last, periods=n_after + 1, freq=step)[1:])
        index = index[n_before + first :][:n_rows].as_unit(kind.last.unit)
    elif isinstance(kind.last, pd.TimedeltaIndex):
        index = last + step * pd.RangeIndex(first, first + n_rows)
    elif isinstance(step, int | np.integer):
        index = pd.RangeIndex(last + step * first, last + step * (first + n_rows), step)
    else:
        index = pd.Index(last + step * np.arange(first, first + n_rows))
    return index.rename(kind.index_name)


def advance_index(kind: SeriesKind, new, argument: str = "new") -> SeriesKind:
    """Move the end of the index past the rows of `new`, whose index must continue it."""
    expected = future_index(kind, len(new))
    if expected is None:
        return kind
    numbers = isinstance(kind.step, int | float)
    if is_pandas(new) and not same_index(new.index, expected, kind.step if numbers else None):
        raise ValueError(
            f"{argument} must continue the index of the series, which is followed by "
            f"{expected[0]}, got an index from {new.index[0]} to {new.index[-1]}"
        )
    # Float labels continue from those given, or the rounding of the step would add up.
    return kind._replace(last=new.index[-1:] if is_pandas(new) and numbers else expected[-1:])


def check_interval_names(kind: SeriesKind) -> None:
    """Raise if the columns that an interval adds have the names of others."""
    names = [column for name in kind.names or () for column in interval_names(name)]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(
            f"interval adds a column {repeated[0]!r}, but the columns of series, "
            f"{list(kind.names or ())}, already give one of that name; rename them"
        )


def interval_names(name) -> tuple:
    """Names of the columns of a forecast and of the ends of its interval."""
    name = "forecast" if name is None else name
    return name, f"{name}_lower", f"{name}_upper"


def forecast_as(kind: SeriesKind, forecast: np.ndarray, bounds: tuple | None = None):
    """Return a forecast in the kind of the series fitted on.

    Parameters
    ----------
    kind : SeriesKind
    forecast : ndarray of shape (n_steps, n_series)
    bounds : tuple of two ndarrays of the same shape, default=None
        Lower and upper ends of an interval.

    Returns
    -------
    ndarray, tuple of three ndarrays, Series or DataFrame
    """
    if kind.names is None:
        arrays = [forecast, *(bounds or ())]
        if kind.ndim == 1:
            arrays = [rows[:, 0] for rows in arrays]
        return tuple(arrays) if bounds else arrays[0]
    import pandas as pd

    index = future_index(kind, len(forecast))
    if bounds is None:
        return rows_as(kind, forecast, index)
    columns: dict = {}
    for j, name in enumerate(kind.names):
        ends = [rows[:, j] for rows in (forecast, *bounds)]
        columns |= dict(zip(interval_names(name), ends, strict=True))
    return pd.DataFrame(columns, index=index)


def rows_as(kind: SeriesKind, rows: np.ndarray, index):
    """Return rows (n_rows, n_series) in the kind of the series, with the given index."""
    if kind.names is None:
        return rows[:, 0] if kind.ndim == 1 else rows
    import pandas as pd

    if kind.ndim == 1:
        return pd.Series(rows[:, 0], index=index, name=kind.names[0])
    return pd.DataFrame(rows, index=index, columns=list(kind.names))
