"""Backtests of many series, against fits and forecasts at each origin by hand."""

import numpy as np
import pandas as pd
import pytest

from esnkit import PanelForecaster
from esnkit.metrics import mase, nrmse

pytestmark = pytest.mark.usefixtures("few_panel_candidates")
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2024-01-01", periods=50, name="day")
FRAME = pd.DataFrame(30 + RNG.normal(size=(50, 5)).cumsum(axis=0), DAYS, list("abcde"))
EXOG = pd.DataFrame(RNG.normal(size=(50, 5)), DAYS, list("abcde"))
ORIGINS = (38, 41, 44)


def backtest(panel, **options):
    model = PanelForecaster(horizon=4, seasons=(), calendar="weekend")
    return model.backtest(panel, 6, n_windows=3, stride=3, **options)


@pytest.mark.parametrize("refit", [False, True])
def test_windows_are_forecasts_of_refits_or_updates(refit):
    found = backtest(FRAME, exog=EXOG, refit=refit, interval=0.8)
    means = backtest(FRAME, exog=EXOG, refit=refit, bias_adjust=True).forecasts
    np.testing.assert_array_equal(found.origins, np.repeat(ORIGINS, 5).reshape(3, 5))
    model = PanelForecaster(horizon=4, seasons=(), calendar="weekend")
    model.fit(FRAME[:38], exog=EXOG[:38])
    for k, origin in enumerate(ORIGINS):
        if refit:
            model.fit(FRAME[:origin], exog=EXOG[:origin])
        elif k:
            model.update(FRAME[origin - 3 : origin], EXOG[origin - 3 : origin])
        ahead = model.forecast(6, EXOG[origin:], interval=0.8)
        for name, suffix in {"forecasts": "", "lower": "_lower", "upper": "_upper"}.items():
            wanted = ahead[[key + suffix for key in FRAME]].to_numpy()
            np.testing.assert_allclose(found[name][k], wanted, rtol=1e-12)
        ahead = model.forecast(6, EXOG[origin:], bias_adjust=True)
        np.testing.assert_allclose(means[k], ahead, rtol=1e-12)
        np.testing.assert_array_equal(found.observed[k], FRAME[origin : origin + 6])


def test_scores_are_those_of_each_series_and_their_means():
    found = backtest(FRAME, interval=0.8)
    for j, key in enumerate(FRAME):
        y_true, y_pred = (found[name][:, :, j].ravel() for name in ("observed", "forecasts"))
        scores = {name: values[j] for name, values in found.series_scores.items()}
        assert scores["nrmse"] == pytest.approx(nrmse(y_true, y_pred))
        assert scores["mase"] == pytest.approx(mase(y_true, y_pred, FRAME[key][:38]))
        inside = (found.lower <= found.observed) & (found.observed <= found.upper)
        assert scores["coverage"] == pytest.approx(inside[:, :, j].mean())
    for name in ("nrmse", "mase", "coverage"):
        assert found.scores[name] == pytest.approx(found.series_scores[name].mean())


def test_the_table_has_a_row_per_series_origin_and_step():
    table = backtest(FRAME, interval=0.8).table
    assert list(table) == ["series", "origin", "day", "observed", "forecast", "lower", "upper"]
    assert len(table) == 5 * 3 * 6 and table["series"][17] == "a"
    assert table["origin"][6] == DAYS[40] and table["day"][6] == DAYS[41]
    np.testing.assert_array_equal(table["observed"][6:12], FRAME["a"][41:47])
    long = FRAME.reset_index().melt("day", var_name="key", value_name="y")
    rows = backtest(long, interval=0.8)
    assert list(rows.table)[:3] == ["key", "origin", "day"]
    np.testing.assert_array_equal(rows.table["forecast"], table["forecast"])
    bare = PanelForecaster(seasons=()).backtest(FRAME.to_numpy(), 6, n_windows=2)
    assert list(bare.table) == ["series", "origin", "step", "observed", "forecast"]
    assert bare.table["step"][:7].tolist() == [1, 2, 3, 4, 5, 6, 1]


def test_frames_of_polars_have_tables_of_polars():
    pl = pytest.importorskip("polars")
    table = backtest(pl.from_pandas(FRAME.reset_index())).table
    assert isinstance(table, pl.DataFrame) and table.columns[:3] == ["series", "origin", "day"]
    np.testing.assert_array_equal(table["forecast"], backtest(FRAME).table["forecast"])


def test_series_that_start_late_or_end_early_are_forecast_where_they_have_rows():
    frame = FRAME.copy()
    frame.iloc[:42, 1] = np.nan  # two rows before the last origin
    items = {key: frame[key].dropna() for key in frame} | {"c": FRAME["c"][:43]}
    found = backtest(items, refit=True)
    assert found.origins[:, 1].tolist() == [0, 0, 2] and found.origins[:, 2].tolist() == [
        38,
        41,
        43,
    ]
    seen = ~np.isnan(found.forecasts)
    assert seen[:, :, 1].sum(axis=1).tolist() == [0, 0, 6]
    assert seen[:, :, 2].sum(axis=1).tolist() == [5, 2, 0]
    model = PanelForecaster(horizon=4, seasons=(), calendar="weekend")
    model.fit({key: rows[: DAYS[43]] for key, rows in items.items()})
    np.testing.assert_allclose(found.forecasts[2, :, 1], model.forecast(6)["b"], rtol=1e-12)
    once = backtest(items)  # the second series has no rows at the first origin
    assert np.isnan(once.forecasts[:, :, 1]).all() and np.isnan(once.series_scores["mase"][1])
    others = np.delete(once.series_scores["mase"], 1)
    assert once.scores["mase"] == pytest.approx(others.mean())


def test_missing_values_have_no_part_in_the_scores():
    frame = FRAME.copy()
    frame.iloc[[20, 40, 45], 0] = np.nan
    found = backtest(frame, refit=True)
    assert np.isnan(found.observed[:, :, 0]).sum() == 3 and np.isfinite(found.forecasts).all()
    kept = ~np.isnan(found.observed[:, :, 0])
    wanted = nrmse(found.observed[:, :, 0][kept], found.forecasts[:, :, 0][kept])
    assert found.series_scores["nrmse"][0] == pytest.approx(wanted)
    model = PanelForecaster(horizon=4, seasons=(), calendar="weekend").fit(frame[:41])
    np.testing.assert_allclose(found.forecasts[1], model.forecast(6), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon must be an integer >= 1"),
        ({"n_windows": 9}, "panel has 50 time steps, too few for n_windows=9 windows of horizon=6"),
        ({"n_windows": 8}, "a series of at least 10 rows, got n_samples=2"),
        ({"interval": 2.0}, "interval must be"),
    ],
)
def test_backtests_that_make_no_sense_are_refused(options, message):
    given = {"horizon": 6, "n_windows": 2} | options
    with pytest.raises(ValueError, match=message):
        PanelForecaster().backtest(FRAME, **given)
