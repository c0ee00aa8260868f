"""Indices of pandas objects: continued at their frequency, or refused."""

from zoneinfo import ZoneInfo

import dateutil
import dateutil.tz
import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE
from sklearn.linear_model import Ridge
from sklearn.utils.fixes import parse_version

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


def ahead_of(index, n_steps=3):
    """Return the index of a forecast, and check that `history` and `update` keep to the index."""
    series = pd.Series(WAVE[: len(index)], index)
    model = Forecaster(Ridge(), lags=2).fit(series.iloc[:-2])
    assert model.forecast(2).index.tolist() == index[-2:].tolist()
    model.update(series.iloc[-2:-1]).update(series.iloc[-1:])
    assert model.history().index.equals(index) and model.history(3).index.equals(index[-3:])
    return model.forecast(n_steps).index


def hours_of(days, hours):
    return pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in hours])


def test_opening_hours_continue_on_the_next_day_once_a_weekend_is_seen():
    hours = range(9, 17)
    whole_weeks = hours_of(pd.date_range("2024-01-01", periods=10), hours)
    assert ahead_of(whole_weeks)[0] == pd.Timestamp("2024-01-11 09:00")
    business = hours_of(pd.bdate_range("2024-01-01", periods=10), hours)
    assert ahead_of(business)[0] == pd.Timestamp("2024-01-15 09:00")
    afternoon = business[:-3]
    assert ahead_of(afternoon, 4).hour.tolist() == [14, 15, 16, 9]


@pytest.mark.parametrize("n_days", [2, 3, 5])
def test_opening_hours_without_a_weekend_are_refused(n_days):
    index = hours_of(pd.date_range("2024-01-01", periods=n_days), range(9, 17))
    message = (
        "series must have a regular index, got 2024-01-01 16:00:00 followed by 2024-01-02 09:00:00,"
        " where the usual step leads to 2024-01-01 17:00:00; make rows of missing values"
    )
    with pytest.raises(ValueError, match=message):
        Forecaster(Ridge(), lags=2).fit(pd.Series(WAVE[: len(index)], index))


HOLIDAY = pd.bdate_range("2023-11-20", periods=30)
GAPS = {
    "third Fridays": (pd.date_range("2022-01-01", periods=24, freq="WOM-3FRI"), 7),
    "business days without a holiday": (HOLIDAY, HOLIDAY.get_loc(pd.Timestamp("2023-12-25"))),
    "month starts": (pd.date_range("2022-01-01", periods=24, freq="MS", tz="Europe/Berlin"), 9),
    "days": (pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Berlin"), 40),
    "hours": (pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin"), 30),
}


@pytest.mark.parametrize("kind", GAPS)
def test_the_true_gap_is_named(kind):
    index, gap = GAPS[kind]
    message = f"{index[gap - 1]} followed by {index[gap + 1]}, where .* leads to {index[gap]};"
    for shown in (index, index.tz_convert("UTC") if index.tz else index):
        known = pd.DatetimeIndex(shown, freq=None).delete(gap)
        if shown.tz == index.tz:
            with pytest.raises(ValueError, match=message.replace("+", r"\+")):
                Forecaster(Ridge(), lags=2).fit(pd.Series(WAVE[: len(known)], known))
        else:
            pair = f"{shown[gap - 1]} followed by {shown[gap + 1]}, where".replace("+", r"\+")
            with pytest.raises(ValueError, match=pair):
                Forecaster(Ridge(), lags=2).fit(pd.Series(WAVE[: len(known)], known))


@pytest.mark.parametrize("frequency", ["MS", "D", "W", "B"])
def test_dates_of_one_zone_shown_in_another_continue(frequency):
    berlin = pd.date_range("2001-01-01", periods=400, freq=frequency, tz="Europe/Berlin")
    shown = berlin.tz_convert("UTC")
    assert ahead_of(shown[:300], 100).tolist() == shown[300:].tolist()
    utc = pd.date_range("2024-01-01", periods=330, freq="D", tz="UTC").tz_convert("Europe/Berlin")
    assert ahead_of(utc[:300], 30).tolist() == utc[300:].tolist()


def test_months_on_the_30th_and_month_ends_continue():
    days = ["2023-12-30", "2024-01-30", "2024-02-29", "2024-03-30", "2024-04-30"]
    assert ahead_of(pd.DatetimeIndex(days), 1)[0] == pd.Timestamp("2024-05-30")
    ends = pd.DatetimeIndex(["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"])
    assert ahead_of(ends, 1)[0] == pd.Timestamp("2024-05-31")


@pytest.mark.parametrize(
    "zone, start, time",
    [
        ("America/Santiago", "2024-08-20", "00:00"),
        ("America/Santiago", "2024-03-20", "00:00"),
        ("Africa/Cairo", "2024-04-10", "00:00"),
        ("Africa/Cairo", "2023-10-10", "00:00"),
        ("Asia/Beirut", "2024-03-10", "00:00"),
        ("Asia/Beirut", "2023-10-10", "00:00"),
        ("America/Havana", "2024-02-20", "00:00"),
        ("America/Havana", "2024-10-20", "00:00"),
        ("Europe/Berlin", "2024-03-10", "02:30"),
        ("Europe/Berlin", "2024-10-10", "02:30"),
    ],
)
@pytest.mark.parametrize("n_known", [10, 17, 30])
def test_local_times_that_clocks_skip_or_repeat_are_those_of_resample(zone, start, time, n_known):
    days = pd.date_range(f"{start} {time}", periods=50, freq="D")
    index = days.tz_localize(zone, ambiguous=np.ones(50, bool), nonexistent="shift_forward")
    if time == "00:00":
        hours = pd.Series(1.0, pd.date_range(index[0], periods=24 * 48, freq="h"))
        index = hours.resample("D").sum().index
    assert ahead_of(index[:n_known], 15).tolist() == index[n_known : n_known + 15].tolist()


@pytest.mark.parametrize("library", ["zoneinfo", "dateutil", "pytz"])
@pytest.mark.parametrize(("zone", "start"), [
    ("Europe/Berlin", "2024-03-10"), ("America/Havana", "2024-02-20"),
    ("Australia/Lord_Howe", "2024-09-20"), ("Africa/Casablanca", "2024-03-01"),
    ("Africa/Cairo", "2023-10-10"),
])  # fmt: skip
def test_zones_of_any_library_are_those_of_resample(library, zone, start):
    if library == "zoneinfo":
        zone = ZoneInfo(zone)
    elif library == "dateutil":
        is_old = parse_version(pd.__version__) < parse_version("3")
        if is_old and parse_version(dateutil.__version__) >= parse_version("4"):
            pytest.skip("pandas 2 cannot read zones of dateutil 4")
        zone = dateutil.tz.gettz(zone)
    else:
        zone = pytest.importorskip("pytz").timezone(zone)
    hours = pd.date_range(start, periods=24 * 50, freq="h", tz="UTC").tz_convert(zone)
    index = pd.Series(1.0, hours).resample("D").sum().index[1:-1]
    for n_known in (10, 18, 30):
        assert ahead_of(index[:n_known], 15).tolist() == index[n_known : n_known + 15].tolist()
    half_hours = pd.date_range(index[10], periods=48 * 15, freq="30min")
    assert ahead_of(half_hours[:200], 500).tolist() == half_hours[200:700].tolist()


@pytest.mark.parametrize("n_known", [15, 20, 21, 40])
def test_a_day_that_a_zone_leaves_out_is_no_gap(n_known):
    days = pd.date_range("2011-12-10", periods=60).drop("2011-12-30").tz_localize("Pacific/Apia")
    assert ahead_of(days[:n_known], 15).tolist() == days[n_known : n_known + 15].tolist()
    with pytest.raises(ValueError, match="2011-12-28 .*followed by 2011-12-31 .* to 2011-12-29"):
        Forecaster(Ridge(), lags=2).fit(pd.Series(WAVE[:40], days[:41].delete(19)))


def test_of_a_local_time_shown_twice_both_instants_continue_a_series():
    days = pd.date_range("2024-10-20", periods=30).tz_localize("America/Havana", ambiguous=True)
    model = Forecaster(Ridge(), lags=2).fit(pd.Series(WAVE[:14], days[:14]))  # up to 2 November
    second = pd.DatetimeIndex([pd.Timestamp("2024-11-03 05:00", tz="UTC")]).tz_convert(days.tz)
    model.update(pd.Series(WAVE[14:15], second))
    assert model.history(1).index[0] == second[0]
    assert model.forecast(3).index.tolist() == days[15:18].tolist()


@pytest.mark.parametrize(
    "labels, ahead",
    [
        ([202311, 202312], [202401, 202402]),
        ([20231230, 20231231], [20240101, 20240102]),
        ([20231229, 20240105], [20240112, 20240119]),
        ([2023123122, 2023123123], [2024010100, 2024010101]),
        ([202312312330, 202312312345], [202401010000, 202401010015]),
        ([20234, 20241, 20242], [20243, 20244]),
        ([202351, 202352, 202401], [202402, 202403]),
        ([2023364, 2023365, 2024001], [2024002, 2024003]),
        ([990830, 990831, 990901], [990902, 990903]),
        ([2016.11, 2016.12], [2017.01, 2017.02]),
        ([2016.09, 2016.1, 2016.11, 2016.12], [2017.01, 2017.02]),
        ([30012024, 31012024], [1022024, 2022024]),
        ([1302024, 1312024], [2012024, 2022024]),
        ([112023, 122023], [12024, 22024]),
        ([300124, 310124, 10224], [20224, 30224]),
        ([80130, 80131, 80201], [80202, 80203]),
        ([32023, 42023, 12024], [22024, 32024]),
        ([20231231235958000, 20231231235959000], [20240101000000000, 20240101000001000]),
        ([10198, 10199], [10200, 10201]),
        ([101990, 101991], [101992, 101993]),
        ([1990, 1991], [1992, 1993]),
        ([2015, 2020], [2025, 2030]),
        ([202313, 202314], [202315, 202316]),
        ([1700003600, 1700007200], [1700010800, 1700014400]),
    ],
)
def test_numbers_that_write_dates_continue_as_dates(labels, ahead):
    for kind in ("int64", "float64", "Int64"):
        if labels[0] % 1 and kind != "float64" or kind == "float64" and labels[0] > 2**53:
            continue
        series = pd.Series(WAVE[: len(labels)], pd.Index(labels, dtype=kind))
        model = Forecaster(Ridge(), lags=1).fit(series)
        assert model.forecast(2).index.tolist() == ahead
        new = pd.Series(WAVE[:2], pd.Index(ahead, dtype=kind))
        assert model.update(new).history(2).index.tolist() == ahead


def test_numbers_that_may_write_dates_are_ambiguous_where_it_matters():
    quarters = pd.Series(WAVE[:4], [20241, 20242, 20243, 20244])
    model = Forecaster(Ridge(), lags=1).fit(quarters)
    message = (
        "the numbers of the index can be read as numbers, which leads to 20245, or as year and "
        "quarter, which leads to 20251; convert them to dates"
    )
    with pytest.raises(ValueError, match=message):
        model.forecast(1)
    assert Forecaster(Ridge(), lags=1).fit(quarters[:3]).forecast(1).index.tolist() == [20244]
    model.update(pd.Series(WAVE[:1], [20251]))
    assert model.forecast(2).index.tolist() == [20252, 20253]
    rows = pd.Series(WAVE[:4], pd.RangeIndex(20241, 20245))
    assert Forecaster(Ridge(), lags=1).fit(rows).forecast(1).index.tolist() == [20245]
    short = pd.Series(WAVE[:17], [day * 10_000 + 125 for day in range(15, 32)])
    with pytest.raises(ValueError, match="320125, or as .* year, which leads to 10225; convert"):
        Forecaster(Ridge(), lags=1).fit(short).forecast(1)


def test_a_gap_among_numbers_that_write_dates_is_named():
    series = pd.Series(WAVE[:5], [202310, 202311, 202312, 202402, 202403])
    with pytest.raises(ValueError, match="got 202312 followed by 202402, where .* leads to 202401"):
        Forecaster(Ridge(), lags=1).fit(series)
    for labels in ([29012024, 31012024, 1022024], [31012024, 1022024, 31012024]):
        series = pd.Series(WAVE[:3], labels)
        with pytest.raises(ValueError, match=f"got {labels[0]} followed by {labels[1]}"):
            Forecaster(Ridge(), lags=1).fit(series)


def test_labels_beyond_the_range_of_their_type_are_refused():
    days = pd.date_range("2262-04-01", periods=10, freq="D", unit="ns")
    model = Forecaster(Ridge(), lags=1).fit(pd.Series(WAVE[:10], days))
    with pytest.raises(ValueError, match=r"beyond the range of the index, datetime64\[ns\]"):
        model.forecast(10)
    numbers = pd.Series(WAVE[:3], np.array([1, 2, 3]) + (2**63 - 5))
    with pytest.raises(ValueError, match="beyond the range of the index, int64"):
        Forecaster(Ridge(), lags=1).fit(numbers).forecast(5)


def test_panels_are_refused_with_the_line_that_fits_them():
    index = pd.MultiIndex.from_product([["a", "b"], DAYS[:20]], names=["shop", "day"])
    series = pd.Series(np.r_[WAVE[:20], WAVE[50:70]], index, name="sold")
    with pytest.raises(ValueError, match=r"MultiIndex with the levels \['shop', 'day'\]") as error:
        Forecaster(Ridge(), lags=2).fit(series)
    line = str(error.value).partition("of its own: ")[2].replace("...", "Ridge(), lags=2")
    models = eval(line, {"Forecaster": Forecaster, "Ridge": Ridge, "series": series})
    assert [model.forecast(1).index[0] for model in models.values()] == [DAYS[20]] * 2
    inputs = pd.DataFrame({"u": EXOG[:40]}, index)
    with pytest.raises(ValueError, match="exog must be one series, got a MultiIndex"):
        Forecaster(Ridge(), lags=2).fit(pd.Series(WAVE[:40], DAYS), exog=inputs)


def test_a_frequency_that_the_dates_do_not_follow_is_not_believed():
    hours = pd.date_range("2024-08-20", periods=24 * 30, freq="h", tz="America/Santiago")
    hours = pd.Series(1.0, hours)
    index = hours.resample("D").sum().index  # carries a frequency with a midnight that is skipped
    assert index.freq is not None and ahead_of(index[:25], 3).tolist() == index[25:28].tolist()


@pytest.mark.parametrize("frequency", ["D", "h", "MS", "W-SUN", "B", "BQE", "bh"])
def test_forecasts_carry_the_frequency_of_the_series(frequency):
    index = pd.date_range("2024-01-01 09:00", periods=40, freq=frequency)
    ahead = ahead_of(index[:30], 10)
    assert ahead.freq == index.freq and ahead.tolist() == index[30:].tolist()
