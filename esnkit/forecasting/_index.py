"""Indices of pandas: read as plain labels, and written again.

pandas is imported only where an object of its kind comes in.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from esnkit.forecasting._calendar import FixedStep
from esnkit.forecasting._labels import Labels
from esnkit.forecasting._time_axis import CarriedGrid
from esnkit.utils._plain_state import plain_record


@plain_record
@dataclass(frozen=True)
class IndexStyle:
    """How pandas writes labels: the type and the name of an index."""

    kind: str
    name: Any
    frequency: Any = None  # of times and periods, as text where pandas reads it back
    zone: Any = None
    way_out: str = ""
    place: str = "index"
    fill_in: str = "make rows of missing values where the index has gaps (asfreq)"
    names_zone = True

    def text(self, value) -> str:
        """Return a label as text."""
        return str(self.write(np.atleast_1d(value))[0])

    def write(self, values: np.ndarray):
        """Return labels as an index."""
        import pandas as pd

        if self.kind == "periods":
            return pd.PeriodIndex.from_ordinals(values, freq=self.frequency, name=self.name)
        if self.kind == "times":
            return self._write_times(values)
        if self.kind == "durations":
            return pd.TimedeltaIndex(values, name=self.name)
        steps = np.unique(np.diff(values)) if values.dtype.kind == "i" else values[:0]
        if len(steps) != 1 or steps[0] == 0:
            return pd.Index(values, name=self.name)
        first, step = int(values[0]), int(steps[0])
        return pd.RangeIndex(first, first + step * len(values), step, name=self.name)

    def _write_times(self, values: np.ndarray):
        import pandas as pd

        index = pd.DatetimeIndex(values, name=self.name)
        if self.zone is not None:
            index = index.tz_localize("UTC").tz_convert(self.zone)
        try:
            return pd.DatetimeIndex(index, freq=self.frequency)
        except Exception:  # where clocks skip a midnight; older versions raise errors of pytz
            return index

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "frequency": _offset_to_plain(self.frequency)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, frequency=_offset_from_plain(state["frequency"]))


@plain_record
@dataclass(frozen=True)
class OffsetGrid:
    """The grid of a date offset of pandas."""

    offset: Any

    def breaks(self, stamps):
        """Tell of each stamp but the last whether the next one is not its successor."""
        return (self._range(stamps[0], len(stamps)) != stamps)[1:]

    def shift(self, stamp, counts):
        """Return the stamps that lie `counts` steps after a stamp of the grid."""
        return self._range(stamp, int(counts.max(initial=0)) + 1)[counts]

    def following(self, stamp):
        """Return the first stamp of the grid after a time."""
        stamps = self._range(stamp, 2)
        return stamps[stamps > stamp][0]

    def _range(self, first, n_stamps: int) -> np.ndarray:
        import pandas as pd

        try:
            index = pd.date_range(pd.Timestamp(first), periods=n_stamps, freq=self.offset)
        except pd.errors.OutOfBoundsDatetime:
            raise OverflowError from None
        return index.to_numpy().astype(first.dtype)

    def __getstate__(self) -> tuple:
        return _offset_to_plain(self.offset)

    def __setstate__(self, state: tuple) -> None:
        vars(self)["offset"] = _offset_from_plain(state)


def _offset_to_plain(offset):
    """Return a date offset as (name, n, normalize, keywords); text or None stays what it is."""
    if offset is None or isinstance(offset, str):
        return offset
    return type(offset).__name__, offset.n, offset.normalize, offset.kwds


def _offset_from_plain(parts):
    """Return the date offset of `_offset_to_plain`."""
    if parts is None or isinstance(parts, str):
        return parts
    import pandas as pd

    name, n, normalize, keywords = parts
    return getattr(pd.offsets, name)(n, normalize=normalize, **keywords)


def read_index(index, argument: str) -> Labels:
    """Return the labels of an index, or raise if it has none that could be continued."""
    import pandas as pd

    way_out = f"pass {argument}.to_numpy()"
    if isinstance(index, pd.MultiIndex):
        raise _panel_error(index, argument)
    if isinstance(index, pd.PeriodIndex):
        frequency = index.freqstr
        style = IndexStyle("periods", index.name, frequency, way_out=way_out)
        values = np.where(index.isna(), np.nan, index.asi8) if index.hasnans else index.asi8
        return Labels("periods", values, style, frequency=(frequency, index.freq.n))
    if isinstance(index, pd.DatetimeIndex):
        style = IndexStyle("times", index.name, _frequency(index), index.tz, way_out)
        values = index.asi8.view(f"M8[{index.unit}]")
        return Labels("times", values, style, index.tz, _carried_grid(index))
    if isinstance(index, pd.TimedeltaIndex):
        return Labels(
            "durations", index.to_numpy(), IndexStyle("durations", index.name, way_out=way_out)
        )
    return _read_numbers(index, argument, way_out)


def _read_numbers(index, argument: str, way_out: str) -> Labels:
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(index.dtype)
    if not is_number or pd.api.types.is_bool_dtype(index.dtype) or index.dtype.kind == "c":
        raise ValueError(
            f"{argument} must have an index of times, periods or numbers that can be continued, "
            f"got dtype {index.dtype}; convert it (pd.to_datetime), or {way_out} to ignore the "
            "index"
        )
    if index.dtype.kind == "f" or index.hasnans:
        values = index.to_numpy(dtype=np.float32 if index.dtype == np.float32 else np.float64)
    else:
        values = index.to_numpy()
        if len(values) and values.max() > np.iinfo(np.int64).max:
            raise ValueError(f"{argument} must have an index of numbers below 2**63")
        values = values.astype(np.int64)
    style = IndexStyle("numbers", index.name, way_out=way_out)
    return Labels("numbers", values, style, counted=isinstance(index, pd.RangeIndex))


def _panel_error(index, argument: str) -> ValueError:
    """Return the error for rows of several series, one after the other."""
    levels = list(index.names)
    return ValueError(
        f"{argument} must be one series, got a MultiIndex with the levels {levels}; give "
        "several series to PanelForecaster, or each to a forecaster of its own: {key: "
        f"Forecaster(...).fit(part.droplevel(0)) for key, part in {argument}.groupby(level=0)}}"
    )


def _carried_grid(index) -> CarriedGrid | None:
    """Return the grid of the frequency that dates carry, if they carry one."""
    import pandas as pd

    if index.freq is None:
        return None
    if isinstance(index.freq, pd.offsets.Day) or not isinstance(index.freq, pd.offsets.Tick):
        return CarriedGrid(OffsetGrid(index.freq), in_utc=False)
    step = pd.Timedelta(index.freq).to_timedelta64().astype(f"m8[{index.unit}]")
    return CarriedGrid(FixedStep(step), in_utc=True)


def _frequency(index):
    """Return the frequency that the dates of a forecast shall carry, as text where possible."""
    import pandas as pd

    frequency = index.freq
    if frequency is None and len(index) > 2:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # about strings and offsets: both will do
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                frequency = pd.infer_freq(index)
            except ValueError:  # of times out of order
                return None
    text = getattr(frequency, "freqstr", frequency)
    try:
        pd.tseries.frequencies.to_offset(text)
    except ValueError:  # as of DateOffset(months=1)
        return frequency
    return text
