"""Indices of pandas objects: continued at their frequency, or refused."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE
from sklearn.linear_model import Ridge

from esnkit import Forecaster

INDEXES = {
    "hours": pd.date_range("2024-03-01", periods=60, freq="h"),
    "hours over a change of clocks": pd.date_range(
        "2024-03-29", periods=60, freq="h", tz="Europe/Berlin"
    ),
    "business days": pd.bdate_range("2024-01-01", periods=60),
    "month ends": pd.date_range("2020-01-31", periods=60, freq="ME"),
    "quarters": pd.date_range("2010-01-01", periods=60, freq="QS"),
    "years": pd.date_range("1950-12-31", periods=60, freq="YE"),
    "15 minutes": pd.date_range("2024-01-01", periods=60, freq="15min"),
    "periods": pd.period_range("2020-01", periods=60, freq="M"),
    "range": pd.RangeIndex(10, 130, 2),
    "integers": pd.Index(np.arange(1960, 2020)),
    "floats": pd.Index(np.arange(60) * 0.25),
    "durations": pd.timedelta_range("0h", periods=60, freq="6h"),
}


@pytest.mark.parametrize("with_freq", [True, False])
@pytest.mark.parametrize("kind", INDEXES)
def test_the_index_continues_at_its_own_frequency(kind, with_freq):
    index = INDEXES[kind].rename("when")
    if not with_freq and isinstance(index, pd.DatetimeIndex):
        index = index._with_freq(None)
    series = pd.Series(np.sin(np.arange(60)), index=index, name="x")
    model = Forecaster(Ridge(1e-6), lags=3).fit(series.iloc[:50])
    ahead = model.forecast(10)
    assert isinstance(ahead, pd.Series) and ahead.name == "x" and ahead.index.name == "when"
    assert ahead.index.equals(index[50:]) and ahead.index.dtype == index.dtype
    later = model.update(series.iloc[50:53]).forecast(7)
    assert later.index.equals(index[53:])


def test_frames_get_columns_for_the_interval():
    frame = pd.DataFrame({"a": WAVE, "b": DRIVEN}, pd.date_range("2024", periods=400, freq="D"))
    model = Forecaster(Ridge(1e-6), lags=4).fit(frame)
    assert list(model.forecast(3).columns) == ["a", "b"]
    assert list(model.feature_names_in_) == ["a", "b"]
    banded = model.forecast(3, interval=0.9)
    assert list(banded.columns) == ["a", "a_lower", "a_upper", "b", "b_lower", "b_upper"]
    single = Forecaster(Ridge(1e-6), lags=4).fit(frame["a"]).forecast(3, interval=0.9)
    assert list(single.columns) == ["a", "a_lower", "a_upper"]


def test_rows_that_do_not_continue_the_index_are_refused():
    series = pd.Series(WAVE, pd.date_range("2024-01-01", periods=400, freq="D"))
    model = Forecaster(Ridge(), lags=2).fit(series[:100])
    with pytest.raises(ValueError, match="new must continue the index of the series"):
        model.update(series[101:110])
    before = model.forecast(3)
    pd.testing.assert_series_equal(model.forecast(3), before)


@pytest.mark.parametrize("freq", ["15min", "3h", "2M", "2Q", "2W", "D"])
def test_periods_of_any_length_continue(freq):
    index = pd.period_range("2020-01-01", periods=90, freq=freq)
    model = Forecaster(Ridge(), lags=3).fit(pd.Series(WAVE[:80], index=index[:80]))
    assert model.forecast(10).index.equals(index[80:])
    with pytest.raises(ValueError, match="regular index"):
        Forecaster(Ridge(), lags=3).fit(pd.Series(WAVE[:80], index=index[:81].delete(40)))


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(np.arange(200) * 0.1),
        pd.Index((np.arange(200) * 0.1).astype(np.float32)),
        pd.Index(1e9 + 0.1 * np.arange(200)),
        pd.Index(np.arange(200), dtype="Int64"),
        pd.Index(np.arange(200) / 2, dtype="Float64"),
        pd.Index(np.arange(200), dtype=np.uint8),
        pd.date_range("2001-01-15", periods=200, freq=pd.DateOffset(months=1)),
    ],
    ids=lambda index: str(index.dtype),
)
def test_indices_of_any_dtype_continue(index):
    series = pd.Series(WAVE[:200], index)
    inputs = pd.DataFrame({"a": EXOG[:200]}, index)
    model = Forecaster(Ridge(1e-6), lags=3).fit(series.iloc[:180], exog=inputs.iloc[:180])
    ahead = model.forecast(10, exog=inputs.iloc[180:190], interval=0.5)
    assert len(ahead) == 10 and np.isfinite(model.score(series.iloc[180:], exog=inputs.iloc[180:]))
    model.update(series.iloc[180:], exog=inputs.iloc[180:])
    assert len(model.history(5)) == 5
    with pytest.raises(ValueError, match="index"):
        model.update(series.iloc[:5], exog=inputs.iloc[:5])


@pytest.mark.parametrize(
    "index",
    [
        [0.0, 1, np.nan, 7, 3.2, 10],
        [0.0, 1, 2, 7, np.inf],
        pd.Index([1, 2, None, 4], dtype="Int64"),
        np.array([0, 1, 2, 5, 6], np.float32) + np.float32(1e7),
        np.array([0, 1, 1, 2], np.float32) + np.float32(1e7),
        pd.to_datetime([f"2023-{month:02d}-30" for month in range(3, 13)]),
    ],
)
def test_irregular_indices_are_refused(index):
    with pytest.raises(ValueError, match="series must have a regular index|series must have an"):
        Forecaster(Ridge(), lags=1).fit(pd.Series(WAVE[: len(index)], index))


def test_an_index_of_numbers_continues_row_by_row_without_drifting():
    series = pd.Series(WAVE, 1000 + 0.1 * np.arange(400))
    model = Forecaster(Ridge(), lags=1).fit(series.iloc[:50])
    for k in range(50, 400):
        model.update(series.iloc[k : k + 1])
    far = pd.Series(WAVE[:2], np.array([1040.2, 1040.3], np.float32))
    with pytest.raises(ValueError, match="must continue the index of the series"):
        model.update(far)


DAYS = pd.date_range("2024-01-01", periods=40, freq="D")

FALLING = {
    "days": DAYS[::-1],
    "days without freq": DAYS[::-1]._with_freq(None),
    "two days": DAYS[1::-1],
    "months": pd.date_range("2020-01-31", periods=40, freq="ME")[::-1],
    "periods": pd.period_range("2020-01", periods=40, freq="M")[::-1],
    "range": pd.RangeIndex(40, 0, -1),
    "floats": pd.Index(np.arange(40)[::-1] / 4),
    "durations": pd.timedelta_range("1h", periods=40, freq="h")[::-1],
}


@pytest.mark.parametrize("kind", FALLING)
def test_series_with_the_newest_row_first_are_refused(kind):
    index = FALLING[kind]
    with pytest.raises(ValueError, match="series must have its oldest row first, got an index fr"):
        Forecaster(Ridge(), lags=1).fit(pd.Series(WAVE[: len(index)], index))


def test_a_bool_index_is_refused():
    series = pd.Series(WAVE[:40], np.arange(40) >= 20)
    with pytest.raises(ValueError, match="series must have an index of times.* got dtype bool"):
        Forecaster(Ridge(), lags=2).fit(series)


@pytest.mark.parametrize("columns", [["y", "y_lower"], ["y_upper", "y"]])
def test_columns_that_an_interval_would_replace_are_refused(columns):
    frame = pd.DataFrame(np.c_[WAVE, 2 * WAVE], columns=columns)
    model = Forecaster(Ridge(), lags=2).fit(frame)
    assert list(model.forecast(2).columns) == columns
    with pytest.raises(ValueError, match="interval adds a column 'y_.*', but"):
        model.forecast(2, interval=0.8)
