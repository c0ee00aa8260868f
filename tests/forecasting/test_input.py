"""Series and exogenous inputs: what is read, and what is refused by name."""

import numpy as np
import pandas as pd
import pytest
from forecast_problems import DRIVEN, EXOG, WAVE, T
from sklearn.linear_model import LinearRegression, Ridge

from esnkit import Forecaster, forecast
from esnkit.forecasting._input import exog_argument, read_one_series, read_rows


def test_columns_of_exog_are_found_by_name():
    index = pd.date_range("2024-01-01", periods=400, freq="D")
    inputs = pd.DataFrame({"a": EXOG, "b": np.cos(T)}, index=index)
    model = Forecaster(Ridge(1e-6), lags=5).fit(pd.Series(DRIVEN, index)[:350], exog=inputs[:350])
    straight = model.forecast(5, inputs[350:])
    pd.testing.assert_series_equal(model.forecast(5, inputs[["b", "a"]][350:]), straight)
    with pytest.raises(ValueError, match=r"exog must have the columns \['a', 'b'\]"):
        model.forecast(5, inputs.rename(columns={"a": "c"})[350:])
    with pytest.raises(ValueError, match="exog must have the index"):
        model.forecast(5, inputs[351:])


DAYS = pd.date_range("2024-01-01", periods=40, freq="D")
TIMES = {
    "series": pd.Series(DAYS),
    "series with a zone": pd.Series(DAYS.tz_localize("UTC")),
    "one column": pd.DataFrame({"x": WAVE[:40], "t": DAYS}),
    "durations": np.arange(40).astype("m8[D]"),
    "array": DAYS.to_numpy()[:, None],
    "list": list(DAYS.to_numpy()),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_as_values_are_refused(kind):
    with pytest.raises(ValueError, match="series must hold numbers, got times"):
        Forecaster(Ridge(), lags=2).fit(TIMES[kind])
    with pytest.raises(ValueError, match="exog must hold numbers, got times"):
        Forecaster(Ridge(), lags=2).fit(WAVE[:40], exog=TIMES[kind])


def test_other_objects_than_numbers_are_refused_by_argument():
    with pytest.raises(TypeError, match="series: float"):
        Forecaster(Ridge(), lags=2).fit([day.to_pydatetime() for day in DAYS])


@pytest.mark.parametrize(
    "series", [[1, 2, 3], (1.0, 2.0, 3.0), np.arange(1, 4), pd.Series([1, 2, 3])]
)
def test_rows_are_float64_in_c_order(series):
    rows = read_rows(series, "series")
    assert rows.dtype == np.float64 and rows.flags.c_contiguous and rows.tolist() == [[1], [2], [3]]


def test_rows_are_a_copy():
    table = np.ones((3, 2))
    read_rows(table, "series")[:] = 0
    assert table.all()


def test_one_series_is_read_as_a_line_and_several_are_refused():
    assert read_one_series(WAVE[:5, None]).shape == (5,)
    with pytest.raises(ValueError, match="series must be one series, .* got 2 columns"):
        read_one_series(np.ones((5, 2)))
    with pytest.raises(ValueError, match="series must have at least 6 time steps, got 5"):
        read_one_series(WAVE[:5], min_rows=6)


def test_exogenous_inputs_come_as_exog_or_as_a_table_y():
    table = EXOG[:, None]
    assert exog_argument(WAVE, None, table) is table and exog_argument(WAVE, table, None) is table
    assert exog_argument(WAVE, None, None) is None
    with pytest.raises(ValueError, match="exog must be given once"):
        exog_argument(WAVE, table, table)
    with pytest.raises(ValueError, match="y must be 2-D beside a 1-D series"):
        exog_argument(WAVE, EXOG, None)


MASKED = np.ma.array(WAVE[:40], mask=np.arange(40) == 7)


@pytest.mark.parametrize("form", [MASKED, MASKED[:, None], [MASKED[:20], MASKED[20:]]])
def test_masked_values_are_refused_by_name(form):
    model = Forecaster(Ridge(), lags=2, missing="raise")
    with pytest.raises(ValueError, match=r"series(\[0\])? has masked values"):
        model.fit(form)
    if isinstance(form, list):
        return
    with pytest.raises(ValueError, match="exog has masked values"):
        model.fit(WAVE[:40], exog=form)
    model.fit(WAVE[:40], exog=WAVE[:40])
    with pytest.raises(ValueError, match="exog has masked values"):
        model.forecast(10, form)
    with pytest.raises(ValueError, match="new has masked values"):
        model.update(form, WAVE[:40])
    with pytest.raises(ValueError, match="series has masked values"):
        model.score(form, exog=WAVE[:40])
    with pytest.raises(ValueError, match="series has masked values"):
        model.backtest(form, 3, 2)
    with pytest.raises(ValueError, match="X has masked values"):
        forecast(LinearRegression().fit(WAVE[:39, None], WAVE[1:40]), form, 3)


def test_masked_arrays_that_hide_nothing_are_arrays():
    bare = np.ma.array(WAVE[:40], mask=False)
    model = Forecaster(Ridge(), lags=2)
    np.testing.assert_array_equal(
        model.fit(bare, exog=bare).forecast(3, bare),
        model.fit(WAVE[:40], exog=WAVE[:40]).forecast(3, WAVE),
    )


def test_exogenous_inputs_may_be_lists_of_rows():
    s = np.sin(np.arange(60) / 4)
    model = Forecaster(Ridge(), lags=2).fit(s, exog=s[:, None])
    rows = [[0.0], [0.5], [1.0]]
    assert np.array_equal(model.forecast(3, exog=rows), model.forecast(3, exog=np.array(rows)))
