"""How a series is labelled, and how the labels go on into the future.

A forecast answers in the kind the forecaster was fitted with: arrays for arrays,
a Series or DataFrame whose index continues at its own frequency for pandas objects.
pandas is touched only when an object of it comes in.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from esnkit.utils._pandas import is_frame, is_pandas


class Labels(NamedTuple):
    """The kind of a series: its dimensions, column names, and the end of its index."""

    ndim: int  # 1: one unnamed column, 2: a table
    names: tuple | None  # column names of a pandas object
    last: Any  # index of length 1 holding the last label, None for arrays
    step: Any  # frequency, or the constant difference of the labels
    index_name: Any


def read_rows(series, argument: str, estimator=None, reset: bool = True) -> np.ndarray:
    """Check a series and return it as rows (n_timesteps, n_series).

    An `estimator` takes down the number and names of the columns, or checks them.
    """
    table = _table(series, argument)
    rows = _numbers(table, argument)
    if estimator is not None:
        validate_data(estimator, table, reset=reset, skip_check_array=True)
    return rows


def _table(values, argument: str):
    """Return a 2-D object as it is, and a 1-D one as a column."""
    kind = values
    if not hasattr(values, "ndim"):
        try:
            kind = np.asarray(values)
        except ValueError as error:
            raise ValueError(f"{argument} must be 1-D or 2-D: {error}") from None
    if kind.ndim not in (1, 2):
        raise ValueError(f"{argument} must be 1-D or 2-D, got {kind.ndim} dimensions")
    if kind.shape[0] == 0:
        raise ValueError(f"{argument} must have at least one time step, got none")
    dtypes = list(values.dtypes) if is_frame(values) else [getattr(kind, "dtype", None)]
    if any(getattr(dtype, "kind", "") in ("m", "M") for dtype in dtypes):
        raise ValueError(f"{argument} must hold numbers, got times: make them numbers yourself")
    return values if kind.ndim == 2 else np.reshape(np.asarray(values), (-1, 1))


def _numbers(table, argument: str) -> np.ndarray:
    """Copy a table to float64, in C order: sums depend, in their last bits, on the layout."""
    try:
        return check_array(table, dtype=np.float64, order="C", input_name=argument, copy=True)
    except (TypeError, ValueError) as error:
        if argument in str(error):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{argument}: {error}") from None


def read_exog(exog, n_rows: int, index, exactly: bool = True) -> np.ndarray:
    """Check exogenous inputs for `n_rows` rows, and their index against that of the series."""
    e = _numbers(_table(exog, "exog"), "exog")
    if len(e) < n_rows or (exactly and len(e) > n_rows):
        raise ValueError(
            f"exog must have {'' if exactly else 'at least '}{n_rows} rows, one per time step, "
            f"got {len(e)}"
        )
    if index is not None and is_pandas(exog) and not _same(exog.index[:n_rows], index):
        raise ValueError(
            f"exog must have the index of its time steps, {index[0]} to {index[-1]}, got "
            f"{exog.index[0]} to {exog.index[-1]}; pass exog.to_numpy() to go by position"
        )
    return e


def exog_argument(series, y, exog):
    """Return the exogenous inputs, whichever name they came by."""
    if y is None:
        return exog
    if exog is not None:
        raise ValueError("exog must be given once, got it as y too")
    if np.ndim(series) == 1 and np.ndim(y) == 1:
        raise ValueError(
            "y must be 2-D beside a 1-D series: a forecaster has no target, y stands for exog; "
            "name it exog=..."
        )
    return y


def read_labels(series, argument: str = "series") -> Labels:
    """Describe the kind of a series that has been checked to be 1-D or 2-D."""
    if not is_pandas(series):
        return Labels(np.ndim(series), None, None, None, None)
    names = tuple(series.columns) if series.ndim == 2 else (series.name,)
    index = series.index
    return Labels(series.ndim, names, index[-1:], _step(index, argument), index.name)


def _step(index, argument: str):
    """Frequency of a time index, or the constant step of any other index."""
    import pandas as pd

    times = isinstance(index, pd.PeriodIndex | pd.DatetimeIndex | pd.TimedeltaIndex)
    numbers = pd.api.types.is_numeric_dtype(index.dtype) and not pd.api.types.is_bool_dtype(
        index.dtype
    )
    if not (times or numbers):
        raise ValueError(
            f"{argument} must have an index of times, periods or numbers that can be continued, "
            f"got dtype {index.dtype}; pass {argument}.to_numpy() to go without labels"
        )
    if index.hasnans or (index.dtype.kind == "f" and not np.isfinite(index.to_numpy()).all()):
        raise ValueError(f"{argument} must have an index without missing or infinite labels")
    if len(index) > 1 and index[-1] < index[0]:
        raise ValueError(
            f"{argument} must have its oldest row first, got an index from {index[0]} to "
            f"{index[-1]}; sort it (sort_index)"
        )
    if isinstance(index, pd.PeriodIndex):
        off = np.diff(index.asi8) != index.freq.n
        if off.any():
            raise ValueError(_gap_message(index, int(np.argmax(off)), argument))
        return index.freq
    if isinstance(index, pd.DatetimeIndex):
        return index.freq if index.freq is not None else _inferred(index, argument)
    return _constant_step(index, argument)


def _inferred(index, argument: str):
    import pandas as pd

    if len(index) < 3:
        return index[-1] - index[0] if len(index) == 2 else pd.Timedelta(days=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # a string or an offset: both will do
        warnings.simplefilter("ignore", DeprecationWarning)
        freq = pd.infer_freq(index)
    months = (index[1].year - index[0].year) * 12 + index[1].month - index[0].month
    if freq is None and months > 0 and index.day.max() <= 28:  # a day that every month has
        every = pd.DateOffset(months=months)
        if index.equals(pd.date_range(index[0], periods=len(index), freq=every)):
            freq = every
    if freq is None:
        steps = np.diff(index.asi8)
        values, counts = np.unique(steps, return_counts=True)
        gap = int(np.argmax(steps != values[np.argmax(counts)]))
        raise ValueError(_gap_message(index, gap, argument))
    return freq


def _constant_step(index, argument: str):
    if len(index) < 2:
        return 1
    labels = index.to_numpy()
    if labels.dtype.kind in "iu" and labels.itemsize < 8:  # differences could overflow
        labels = labels.astype(np.int64)
    steps = np.diff(labels)
    if labels.dtype.kind == "f":
        usual = np.median(steps)
        off = ~(np.abs(steps - usual) <= _rounding(labels, usual))
        step = float(labels[-1] - labels[0]) / (len(labels) - 1)
    else:
        usual = steps[0]
        off = steps != usual
        step = int(usual) if labels.dtype.kind in "iu" else index[1] - index[0]
    if off.any() or not usual:
        raise ValueError(_gap_message(index, int(np.argmax(off)), argument))
    return step


def _rounding(labels: np.ndarray, step: float) -> float:
    """Return how far numbers may be from where their index has them."""
    coarse = 4 * np.finfo(labels.dtype).eps * np.abs(labels).max()
    return min(1e-6 * abs(step) + coarse, 0.01 * abs(step))


def _same(found, expected, step=None) -> bool:
    """Tell whether two indices are the same, numbers whatever their dtype and but for rounding."""
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


def _gap_message(index, gap: int, argument: str) -> str:
    return (
        f"{argument} must have a regular index, got {index[gap]} followed by {index[gap + 1]}; "
        f"fill the gap (asfreq), or pass {argument}.to_numpy() to go without labels"
    )


def future_index(labels: Labels, n_steps: int):
    """Return the index of the `n_steps` rows after the last one, None for arrays."""
    return _index_range(labels, 1, n_steps)


def past_index(labels: Labels, n_rows: int):
    """Return the index of the last `n_rows` rows, None for arrays."""
    return _index_range(labels, 1 - n_rows, n_rows)


def _index_range(labels: Labels, first: int, n_rows: int):
    """Index of `n_rows` rows from `first` rows after the last one, which may be before it."""
    if labels.last is None:
        return None
    import pandas as pd

    last, step = labels.last[0], labels.step
    last = last.item() if isinstance(last, np.number) else last  # small integers would overflow
    if isinstance(labels.last, pd.PeriodIndex):
        index = pd.period_range(last + first, periods=n_rows, freq=step)
    elif isinstance(labels.last, pd.DatetimeIndex):
        before, after = max(0, -first), max(0, first + n_rows - 1)
        index = pd.date_range(end=last, periods=before + 1, freq=step)
        index = index.append(pd.date_range(last, periods=after + 1, freq=step)[1:])
        index = index[before + first :][:n_rows].as_unit(labels.last.unit)
    elif isinstance(labels.last, pd.TimedeltaIndex):
        index = last + step * pd.RangeIndex(first, first + n_rows)
    elif isinstance(step, int | np.integer):
        index = pd.RangeIndex(last + step * first, last + step * (first + n_rows), step)
    else:
        index = pd.Index(last + step * np.arange(first, first + n_rows))
    return index.rename(labels.index_name)


def advance_labels(labels: Labels, new, argument: str = "new") -> Labels:
    """Move the end of the index past the rows of `new`, which must come right after it."""
    expected = future_index(labels, len(new))
    if expected is None:
        return labels
    numbers = isinstance(labels.step, int | float)
    if is_pandas(new) and not _same(new.index, expected, labels.step if numbers else None):
        raise ValueError(
            f"{argument} must go on where the series ended, at {expected[0]}, "
            f"got an index from {new.index[0]} to {new.index[-1]}"
        )
    # Numbers go on from where they are, or the rounding of the step would add up.
    return labels._replace(last=new.index[-1:] if is_pandas(new) and numbers else expected[-1:])


def check_interval_names(labels: Labels) -> None:
    """Raise if the columns of an interval would take the place of others."""
    names = [part for name in labels.names or () for part in interval_names(name)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"interval needs a column {twice[0]!r} of its own, which the columns "
            f"{list(labels.names or ())} of series leave no room for; rename them"
        )


def interval_names(name) -> tuple:
    """Names of the columns of a forecast and of the ends of its interval."""
    name = "forecast" if name is None else name
    return name, f"{name}_lower", f"{name}_upper"


def label_forecast(labels: Labels, forecast, bounds=None):
    """Give a forecast (n_steps, n_series) the kind of the series it came from.

    Parameters
    ----------
    labels : Labels
    forecast : ndarray of shape (n_steps, n_series)
    bounds : tuple of two ndarrays of the same shape, default=None
        Lower and upper ends of an interval.

    Returns
    -------
    ndarray, tuple of three ndarrays, Series or DataFrame
    """
    if labels.names is None:
        parts = [forecast, *(bounds or ())]
        if labels.ndim == 1:
            parts = [part[:, 0] for part in parts]
        return tuple(parts) if bounds else parts[0]
    import pandas as pd

    index = future_index(labels, len(forecast))
    if bounds is None:
        return label_rows(labels, forecast, index)
    columns: dict = {}
    for j, name in enumerate(labels.names):
        ends = [rows[:, j] for rows in (forecast, *bounds)]
        columns |= dict(zip(interval_names(name), ends, strict=True))
    return pd.DataFrame(columns, index=index)


def label_rows(labels: Labels, rows, index):
    """Give rows (n_rows, n_series) the kind of the series, with the index they have there."""
    if labels.names is None:
        return rows[:, 0] if labels.ndim == 1 else rows
    import pandas as pd

    if labels.ndim == 1:
        return pd.Series(rows[:, 0], index=index, name=labels.names[0])
    return pd.DataFrame(rows, index=index, columns=list(labels.names))
