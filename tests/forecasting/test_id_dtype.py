"""Ids of series come back in the dtype that they came in, whatever the form of the panel."""

import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import Forecaster, PanelForecaster

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
DAYS = pd.date_range("2024-01-01", periods=20, name="day")
VALUES = 10 + np.random.default_rng(0).normal(size=(20, 3)).cumsum(axis=0)
TIMES = pd.to_datetime(["2020-01-01", "2019-01-01", "2022-05-05"])
IDS = {
    "text": pd.Index(["c", "a", "b"]),
    "string": pd.Index(["c", "a", "b"], dtype="string"),
    "integers": pd.Index([7, 3, 9]),
    "short integers": pd.Index([7, 3, 9], dtype="int32"),
    "nullable integers": pd.Index([7, 3, 9], dtype="Int64"),
    "categories": pd.CategoricalIndex(["c", "a", "b"], ["a", "b", "c", "z"], ordered=True),
    "categories of integers": pd.CategoricalIndex([7, 3, 9]),
    "categories of times": pd.CategoricalIndex(TIMES),
    "times": TIMES,
    "times of a zone": TIMES.tz_localize("Europe/Berlin"),
    "periods": TIMES.to_period("M"),
}
pytestmark = pytest.mark.usefixtures("few_panel_candidates")


def long_frame(ids):
    """Return a row per id and day."""
    return pd.DataFrame(
        {"id": ids.repeat(20), "day": DAYS.tolist() * 3, "sold": VALUES.T.ravel()}
    )  # fmt: skip


def forecaster(**columns):
    return PanelForecaster(seasons=(), **columns)


@pytest.mark.parametrize("name", IDS)
def test_ids_of_long_frames(name):
    long = long_frame(IDS[name])
    model = forecaster(id="id", time="day", value="sold").fit(long)
    ahead = model.forecast(2)
    expected = IDS[name].repeat(2).rename("id")
    for found in (ahead, model.forecast(2, interval=0.8), model.forecast(2, quantiles=[0.9])):
        pd.testing.assert_index_equal(pd.Index(found["id"]), expected)
    assert model.backtest(long, 2, 2).table["id"].dtype == long["id"].dtype
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(model)).forecast(2), ahead)
    assert model.update(ahead).ids_ == IDS[name].tolist()  # what is forecast can be appended


@pytest.mark.parametrize("name", IDS)
def test_ids_of_an_index_of_two_levels(name):
    series = long_frame(IDS[name]).set_index(["id", "day"])["sold"]
    model = forecaster().fit(series)
    for found in (model.forecast(2), model.forecast(2, interval=0.8)):
        ids = found.index.get_level_values("id")
        pd.testing.assert_index_equal(ids, IDS[name].repeat(2).rename("id"))
    model.update(model.forecast(2))


@pytest.mark.parametrize("name", IDS)
def test_columns_of_wide_frames(name):
    wide = pd.DataFrame(VALUES, DAYS, IDS[name].rename("id"))
    model = forecaster().fit(wide)
    ahead = model.forecast(2)
    pd.testing.assert_index_equal(ahead.columns, wide.columns)
    with_ends = model.forecast(2, interval=0.8).columns
    assert list(with_ends[:2]) == [IDS[name][0], f"{IDS[name][0]}_lower"]
    model.update(ahead)


def test_columns_of_one_forecaster_of_several_series():
    wide = pd.DataFrame(VALUES, columns=IDS["categories"])
    model = Forecaster(Ridge(), lags=1).fit(wide)
    pd.testing.assert_index_equal(model.forecast(2).columns, wide.columns)
    pd.testing.assert_index_equal(model.history(3).columns, wide.columns)
    pd.testing.assert_index_equal(model.backtest(wide, 2, 2).forecasts.columns, wide.columns)


DATES = [datetime.date(2024, 1, day) for day in (3, 1, 2)]
MOMENTS = [datetime.datetime(2024, 1, day, tzinfo=datetime.UTC) for day in (3, 1, 2)]
COLUMNS = {
    "text": (["c", "a", "b"], pl.String),
    "short integers": ([7, 3, 9], pl.Int32),
    "categories": (["c", "a", "b"], pl.Categorical),
    "closed categories": (["c", "a", "b"], pl.Enum(["z", "c", "b", "a"])),
    "dates": (DATES, pl.Date),
    "times of a zone": (MOMENTS, pl.Datetime("ms", "UTC")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_ids_of_polars(name):
    ids, dtype = COLUMNS[name]
    columns = {"id": pl.Series(np.repeat(ids, 20).tolist(), dtype=dtype), "day": DAYS.tolist() * 3}
    frame = pl.DataFrame({**columns, "sold": VALUES.T.ravel()})
    model = forecaster(id="id", time="day", value="sold").fit(frame)
    for found in (model.forecast(2), model.backtest(frame, 2, 2).table):
        assert found["id"].dtype == dtype and set(found["id"]) == set(frame["id"])
    model.update(model.forecast(2))


def test_ids_of_pyarrow():
    ids = pa.array(np.repeat(["c", "a", "b"], 20)).dictionary_encode()
    table = pa.table({"id": ids, "day": DAYS.tolist() * 3, "sold": VALUES.T.ravel()})
    found = forecaster().fit(table).forecast(2)["id"]
    assert pa.types.is_dictionary(found.type)
    assert found.to_pylist() == ["c", "c", "a", "a", "b", "b"]
