"""Frames of polars and pyarrow: names, times and order mean what they mean for pandas."""

import datetime as dt
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from esnkit import Forecaster
from esnkit.forecasting._frames import LabelledSeries, NamedColumns, slice_rows, take_apart
from esnkit.forecasting._index import read_index

nw = pytest.importorskip("narwhals.stable.v2")
DAYS = pd.date_range("2024-01-01", periods=400, freq="D")
TABLE = pd.DataFrame({"a": WAVE, "b": DRIVEN}, DAYS.rename("day"))
ENDS = ["", "_lower", "_upper"]
INPUTS = pd.DataFrame({"u": EXOG, "v": np.cos(np.arange(400))}, DAYS.rename("day"))


def polars_of(frame):
    pl = pytest.importorskip("polars")
    return pl.from_pandas(frame.reset_index() if frame.index.name else frame)


def pyarrow_of(frame):
    pa = pytest.importorskip("pyarrow")
    return pa.Table.from_pandas(frame.reset_index(), preserve_index=False)


def wrapped(frame):
    return nw.from_native(polars_of(frame), eager_only=True)


every_library = pytest.mark.parametrize("convert", [polars_of, pyarrow_of, wrapped])


def columns_of(frame):
    frame = nw.from_native(frame, eager_only=True)
    return {name: frame[name].to_list() for name in frame.columns}


def assert_same(frame, expected):
    """Compare a frame with one of pandas, whose index is the column of times."""
    found, expected = columns_of(frame), expected.reset_index()
    assert list(found) == list(expected.columns)
    for name, values in found.items():
        assert values == expected[name].tolist()


def lagged():
    return Forecaster(Ridge(1e-3), lags=5)


@every_library
def test_a_frame_is_answered_with_a_frame_that_continues(convert):
    model, other = lagged(), lagged()
    model.fit(convert(TABLE[:350]), exog=convert(INPUTS[:350]))
    other.fit(TABLE[:350], exog=INPUTS[:350])
    assert list(model.feature_names_in_) == ["a", "b"] and model.n_features_in_ == 2
    ahead = model.forecast(5, convert(INPUTS[350:355]))
    assert type(ahead) is type(convert(TABLE))
    assert_same(ahead, other.forecast(5, INPUTS[350:355]).rename_axis("day"))
    banded = model.forecast(5, convert(INPUTS[350:355]), interval=0.8)
    assert_same(banded, other.forecast(5, INPUTS[350:355], interval=0.8).rename_axis("day"))
    model.update(convert(TABLE[350:360]), convert(INPUTS[350:360]))
    other.update(TABLE[350:360], INPUTS[350:360])
    assert_same(model.history(20), other.history(20))
    ahead = model.forecast(5, convert(INPUTS[360:]))
    assert_same(ahead, other.forecast(5, INPUTS[360:]).rename_axis("day"))
    observed = convert(TABLE[360:380]), convert(INPUTS[360:380])
    assert model.score(*observed) == other.score(TABLE[360:380], INPUTS[360:380])


@every_library
def test_exogenous_columns_are_found_by_name(convert):
    model = lagged().fit(convert(TABLE[:350]), exog=convert(INPUTS[:350]))
    straight = columns_of(model.forecast(5, convert(INPUTS[350:])))
    swapped = convert(INPUTS[350:][["v", "u"]])
    assert columns_of(model.forecast(5, swapped)) == straight
    without_times = nw.from_native(swapped, eager_only=True).drop("day")
    assert columns_of(model.forecast(5, without_times)) == straight
    assert columns_of(model.forecast(5, INPUTS[350:])) == straight  # of another library
    with pytest.raises(ValueError, match=r"exog must have the columns \['u', 'v'\], got \['u', "):
        model.forecast(5, convert(INPUTS[350:].rename(columns={"v": "w"})))
    with pytest.raises(ValueError, match="exog must have the column 'day' of its time steps"):
        model.forecast(5, convert(INPUTS[351:]))
    with pytest.raises(ValueError, match="exog must have the column 'day' of its time steps"):
        lagged().fit(convert(TABLE[:350]), exog=convert(INPUTS[1:351]))


@every_library
def test_new_rows_continue_names_and_times(convert):
    model = lagged().fit(convert(TABLE[:350]))
    with pytest.raises(ValueError, match="new must continue the index of the series"):
        model.update(convert(TABLE[351:353]))
    with pytest.raises(ValueError, match=r"new must have the columns \['a', 'b'\], got \['b', 'a"):
        model.update(convert(TABLE[350:353][["b", "a"]]))
    with pytest.raises(ValueError, match=r"series must have the columns \['a', 'b'\]"):
        model.score(convert(TABLE[350:353][["b", "a"]]))
    model.update(TABLE[350:353].to_numpy())
    assert columns_of(model.forecast(1))["day"][0] == DAYS[353]


@every_library
def test_times_must_be_regular_and_ascending(convert):
    with pytest.raises(ValueError, match="series must have its oldest row first"):
        lagged().fit(convert(TABLE[::-1]))
    with pytest.raises(
        ValueError,
        match="series must have a regular column 'day', got 2024-01-20 00:00:00 followed by "
        "2024-01-22 00:00:00, where the usual step leads to 2024-01-21 00:00:00; add the missing "
        "rows, or leave out the column 'day' to ignore",
    ):
        lagged().fit(convert(TABLE.drop(DAYS[20])))


def test_columns_of_several_levels_and_their_names_stay():
    columns = pd.MultiIndex.from_product([["shop"], ["a", "b"]], names=["place", "good"])
    frame = TABLE.set_axis(columns, axis=1)
    model = lagged().fit(frame[:350])
    for answer in (model.forecast(2), model.history(2), model.update(frame[350:]).forecast(1)):
        assert answer.columns.equals(columns) and answer.columns.names == columns.names
    banded = model.forecast(1, interval=0.5)
    assert banded["shop"].columns.tolist() == [f"{x}{end}" for x in "ab" for end in ENDS]
    assert banded.columns.names == columns.names
    named = lagged().fit(TABLE.rename_axis(columns="good"))
    assert named.forecast(1).columns.name == named.history(1).columns.name == "good"
    assert named.backtest(TABLE.rename_axis(columns="good"), 2, 2).forecasts.columns.name == "good"


def test_an_index_of_pandas_inside_narwhals_is_one_of_pandas():
    frame, inputs = (nw.from_native(part, eager_only=True) for part in (TABLE, INPUTS))
    model = lagged().fit(frame[:350], exog=inputs[:350])
    assert model.forecast(2, inputs[350:352]).to_native().index.equals(TABLE.index[350:352])
    assert type(model.update(frame[350:], inputs[350:]).history(3)) is type(frame)
    with pytest.raises(ValueError, match="exog must have the index of its time steps"):
        lagged().fit(frame[:350], exog=inputs[1:351])
    single = nw.from_native(TABLE["a"], series_only=True)
    assert lagged().fit(single).forecast(1).to_native().index[0] == DAYS[-1] + DAYS.freq
    columns = nw.from_native(TABLE.reset_index(), eager_only=True)
    model = lagged().fit(columns[:350])
    assert model.update(columns[350:]).history(1)["day"].to_list() == [DAYS[-1]]
    panel = nw.from_native(pd.concat({"n": TABLE[:9], "s": TABLE[:9]}), eager_only=True)
    with pytest.raises(ValueError, match="series must be one series, got a MultiIndex"):
        lagged().fit(panel)


def test_series_of_polars_and_arrow():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    expected = lagged().fit(WAVE).forecast(5)
    series = pl.Series("wave", WAVE)
    model = lagged().fit(series)
    ahead = model.forecast(5)
    assert isinstance(ahead, pl.Series) and ahead.name == "wave"
    assert ahead.to_list() == expected.tolist()
    assert model.forecast(2, interval=0.5).columns == ["wave", "wave_lower", "wave_upper"]
    nameless = lagged().fit(pl.Series(WAVE))
    assert nameless.forecast(2, interval=0.5).columns[0] == "forecast"
    for array in (pa.chunked_array([WAVE]), pa.array(WAVE)):
        ahead = lagged().fit(array).forecast(5)
        assert isinstance(ahead, pa.ChunkedArray) and ahead.to_pylist() == expected.tolist()
    batch = pa.RecordBatch.from_pandas(TABLE[:50].reset_index(), preserve_index=False)
    assert lagged().fit(batch).forecast(2).column_names == ["day", "a", "b"]
    inputs = pl.Series("u", EXOG)
    model = lagged().fit(DRIVEN[:350], exog=inputs[:350])
    again = lagged().fit(DRIVEN[:350], exog=EXOG[:350])
    np.testing.assert_array_equal(model.forecast(5, inputs[350:]), again.forecast(5, EXOG[350:]))


@pytest.mark.parametrize(
    "name, values, expected",
    [
        ("dates", lambda pl: pl.date_range(dt.date(2024, 1, 31), dt.date(2024, 12, 31), "1mo",
                                           eager=True), [dt.date(2025, 1, 31)]),
        ("hours", lambda pl: pl.datetime_range(dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2),
                                               "1h", eager=True), [dt.datetime(2024, 1, 2, 1)]),
    ],
)  # fmt: skip
def test_times_keep_their_type(name, values, expected):
    pl = pytest.importorskip("polars")
    times = values(pl)
    frame = pl.DataFrame({"x": WAVE[: len(times)], "t": times})
    ahead = lagged().fit(frame).forecast(1)
    assert ahead.columns == ["x", "t"] and ahead["t"].dtype == times.dtype
    assert ahead["t"].to_list() == expected


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "America/Santiago", "UTC"])
def test_zones_and_units_stay(unit, zone):
    pl = pytest.importorskip("polars")
    days = pd.date_range("2024-08-20", periods=50, freq="D")
    index = days.tz_localize(zone, nonexistent="shift_forward") if zone else days
    frame = pl.DataFrame({"t": index.tolist(), "x": WAVE[:50]})
    frame = frame.with_columns(pl.col("t").cast(pl.Datetime(unit, zone)))
    ahead = lagged().fit(frame[:15]).forecast(30)
    assert ahead.schema["t"] == frame.schema["t"]
    assert ahead["t"].to_list() == frame["t"][15:45].to_list()


def test_offsets_of_arrow_are_zones():
    pa = pytest.importorskip("pyarrow")
    times = pa.array(DAYS[:50].to_numpy(), pa.timestamp("s", "-03:30"))
    ahead = lagged().fit(pa.table({"t": times, "x": WAVE[:50]})).forecast(2)
    assert ahead.schema.field("t").type == times.type
    assert ahead["t"].to_numpy().tolist() == [day.to_datetime64().astype("M8[s]").astype(object)
                                              for day in DAYS[50:52]]  # fmt: skip


def wrong_frames(pl, pa):
    one, two = DAYS[:40].tolist(), WAVE[:40]
    return [
        (pl.DataFrame({"s": one, "t": one, "x": two}), "one column of times at most, got ..s', 't"),
        (pl.DataFrame({"t": one}), "series must hold numbers, got times only"),
        (pl.Series("t", one), "series must hold numbers, got times"),
        (pl.DataFrame({"x": two, "name": ["a"] * 40}), "got the column 'name' of String"),
        (pl.DataFrame({"x": two, "d": [dt.timedelta(1)] * 40}), "got the column 'd' of Duration"),
        (pl.DataFrame({"x": [None] * 40}), "series must hold numbers"),
        (pl.DataFrame({"t": [None, *one[1:]], "x": two}), "without missing or infinite labels"),
        (pl.DataFrame({"x": two[:0]}), "series must have at least one time step"),
        ([pl.DataFrame({"x": two})] * 3, "a list of 3 objects of polars; give them to"),
        ([pd.DataFrame({"x": two})] * 2, "a list of 2 objects of pandas"),
        (pl.LazyFrame({"x": two}), "series is a polars LazyFrame, which holds no values yet: give"),
        (pa.table({"x": two, "name": ["a"] * 40}), "got the column 'name' of String"),
    ]


@pytest.mark.parametrize("case", range(12))
def test_wrong_frames_are_refused_by_name(case):
    frame, message = wrong_frames(pytest.importorskip("polars"), pytest.importorskip("pyarrow"))[
        case
    ]
    with pytest.raises((ValueError, TypeError), match=message):
        lagged().fit(frame)


def test_a_frame_without_narwhals_says_what_to_install(monkeypatch):
    frame = polars_of(TABLE)
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(ImportError, match=r"series is a polars DataFrame.* 'esnkit\[dataframe\]'"):
        lagged().fit(frame)


def test_columns_of_an_interval_must_not_replace_times():
    frame = polars_of(TABLE.rename_axis("a_lower"))
    with pytest.raises(ValueError, match="interval adds a column 'a_lower'"):
        lagged().fit(frame).forecast(2, interval=0.5)


def test_columns_of_arrays_can_have_names():
    table = take_apart(NamedColumns(np.ones((3, 2)), ("u", "v")), "exog")
    assert table.names == ("u", "v") and table.library is None
    for rows in (NamedColumns(EXOG[:, None], ("u",)), INPUTS, polars_of(INPUTS), EXOG.tolist()):
        assert len(take_apart(slice_rows(rows, 10, 13), "exog").numbers) == 3


@given(st.data(), st.sampled_from([polars_of, pyarrow_of]))
def test_libraries_agree(data, convert):
    n_rows, n_series = data.draw(st.integers(12, 30)), data.draw(st.integers(1, 3))
    frequency = data.draw(st.sampled_from(["D", "h", "MS", "ME", "B", "W", "15min", "WOM-2TUE"]))
    zone = data.draw(st.sampled_from([None, "UTC", "Europe/Berlin", "Africa/Cairo"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    index = pd.date_range("2024-03-25 03:00", periods=n_rows, freq=frequency, tz=zone)
    names = data.draw(st.permutations(["x", "y", "z"]))[:n_series]
    frame = pd.DataFrame(rng.normal(size=(n_rows, n_series)), index.rename("t"), names)
    make = partial(Forecaster, Ridge(), lags=2)
    ahead = make().fit(convert(frame)).forecast(4)
    assert_same(ahead, make().fit(frame).forecast(4).rename_axis("t"))


def test_a_labelled_series_has_labels_and_forecasts_that_are_arrays():
    labels = read_index(pd.date_range("2024", periods=3, freq="MS"), "series")
    for found in (labels, None):
        table = take_apart(LabelledSeries(np.arange(3.0), found), "series")
        assert (table.numbers.shape, table.ndim, table.library) == ((3, 1), 1, None)
        assert table.labels("series") is found
