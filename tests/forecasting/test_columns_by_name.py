"""Columns of frames are taken by their names: in any order, or refused, never by position."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from esnkit import AutoForecaster, Forecaster, PanelForecaster
from esnkit.adapters import SktimeForecaster

pytestmark = [
    pytest.mark.filterwarnings("ignore::esnkit.baselines.BetterBaselineWarning"),
    pytest.mark.usefixtures("no_regressions_as_baselines"),
]
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2024-01-01", periods=46, freq="D")
INPUTS = pd.DataFrame(RNG.normal(size=(46, 2)) * [1, 5], DAYS, ["warm", "busy"])
SERIES = INPUTS.set_axis(["a", "b"], axis=1) + 0.1 * RNG.normal(size=(46, 2))
SEEN, NEXT, LATER = slice(40), slice(40, 43), slice(43, 46)
SMALL = {"n_units": 8, "alpha": 1.0, "differences": 0}
MODELS = {
    "forecaster": Forecaster(Ridge(), lags=1),
    "auto": AutoForecaster(quick=True, seasons=[], horizon=3, settings=SMALL),
}
WRONG = {
    "missing": lambda frame: frame.iloc[:, :1],
    "extra": lambda frame: frame.assign(more=1.0),
    "other": lambda frame: frame.rename(columns={frame.columns[0]: "more"}),
}


def turned(frame):
    """Return a frame with its columns in another order."""
    return frame.iloc[:, ::-1]


def as_polars(frame):
    """Return a frame with its times in a column."""
    return pytest.importorskip("polars").from_pandas(frame.reset_index(names="day"))


def same(frame):
    """Return a frame of pandas as it is."""
    return frame


def pandas_series(values, name):
    return values.rename(name)


def polars_series(values, name):
    return pytest.importorskip("polars").Series(name, values.to_numpy())


@pytest.mark.parametrize("series_of", [pandas_series, polars_series])
def test_a_series_in_place_of_a_frame_of_one_column_has_its_name(series_of):
    parts = {"new": (SERIES["a"], "a"), "exog": (INPUTS["warm"], "warm")}
    parts["past_exog"] = parts["exog"]
    seen = {key: series_of(part[SEEN], name).to_frame() for key, (part, name) in parts.items()}
    model = copy.deepcopy(MODELS["forecaster"]).fit(seen.pop("new"), **seen)
    warm = INPUTS["warm"][NEXT]
    expected = model.forecast(3, warm.to_numpy())
    for name in ("warm", None):
        assert expected.equals(model.forecast(3, series_of(warm, name)))
    with pytest.raises(ValueError, match=r"exog must have the columns \['warm'\], got \['cold'\]"):
        model.forecast(3, series_of(warm, "cold"))
    for wrong in (None, *parts):
        given = {
            key: series_of(part[NEXT], "cold" if key == wrong else name)
            for key, (part, name) in parts.items()
        }
        new = given.pop("new")
        if wrong is None:
            copy.deepcopy(model).update(new, **given)
            continue
        with pytest.raises(ValueError, match=f"{wrong} must have the columns"):
            copy.deepcopy(model).update(new, **given)


@pytest.mark.parametrize("convert", [same, as_polars])
@pytest.mark.parametrize("name", MODELS)
def test_inputs_in_another_order_are_the_same(name, convert):
    model = copy.deepcopy(MODELS[name])
    model.fit(convert(SERIES[SEEN]), exog=convert(INPUTS[SEEN]), past_exog=convert(INPUTS[SEEN]))
    ahead, other = convert(INPUTS[NEXT]), convert(turned(INPUTS[NEXT]))
    expected = model.forecast(3, ahead)
    assert expected.equals(model.forecast(3, other))
    new = convert(SERIES[NEXT])
    scores = [model.score(new, None, given, past_exog=given) for given in (ahead, other)]
    assert scores[0] == scores[1]
    later = convert(INPUTS[LATER])
    updated = [copy.deepcopy(model).update(new, given, given) for given in (ahead, other)]
    assert updated[0].forecast(3, later).equals(updated[1].forecast(3, later))
    for wrong in WRONG.values():
        with pytest.raises(ValueError, match=r"exog must have the columns \['warm', 'busy'\], got"):
            model.forecast(3, convert(wrong(INPUTS[NEXT])))
        with pytest.raises(ValueError, match=r"past_exog must have the columns .* got"):
            model.update(new, ahead, convert(wrong(INPUTS[NEXT])))


@pytest.mark.parametrize("names", [["a", "b"], [1, 2]], ids=["text", "numbers"])
@pytest.mark.parametrize("name", MODELS)
def test_series_in_another_order_are_refused(name, names):
    series = SERIES.set_axis(names, axis=1)
    model = copy.deepcopy(MODELS[name]).fit(series[SEEN])
    message = "must have the columns|must have 2 columns|expecting 2 features|names should match"
    message += "|string names"  # of scikit-learn, for words beside numbers
    for wrong in (turned, *WRONG.values()):
        for method in (model.update, model.score):
            with pytest.raises((ValueError, TypeError), match=message):
                method(wrong(series[NEXT]))
    assert np.isfinite(model.score(series[NEXT]))


def test_a_backtest_takes_inputs_by_name():
    first, second = (
        MODELS["forecaster"].backtest(SERIES, 3, 2, exog=inputs).forecasts
        for inputs in (INPUTS, turned(INPUTS))
    )
    pd.testing.assert_frame_equal(first, second)  # a ridge regression depends on no order


IDS = ["x", "y", "z"]
PAIRS = pd.MultiIndex.from_product([IDS, ["warm", "busy"]])
PANEL_INPUTS = pd.DataFrame(RNG.normal(size=(46, 6)), DAYS, PAIRS)
PANEL = pd.DataFrame(RNG.normal(size=(46, 3)).cumsum(axis=0), DAYS, IDS)
PANEL += 3 * PANEL_INPUTS.xs("warm", axis=1, level=1)
ORDER = [4, 2, 1, 0, 5, 3]


@pytest.fixture(scope="module")
def wide(few_panel_candidates):
    return PanelForecaster(seasons=()).fit(PANEL[SEEN], exog=PANEL_INPUTS[SEEN])


def test_inputs_of_a_wide_panel_are_taken_by_name(wide):
    ahead = PANEL_INPUTS[NEXT]
    pd.testing.assert_frame_equal(wide.forecast(3, ahead.iloc[:, ORDER]), wide.forecast(3, ahead))
    scores = [wide.score(PANEL[NEXT], None, given) for given in (ahead, ahead.iloc[:, ORDER])]
    assert scores[0] == scores[1]
    updated = [
        copy.deepcopy(wide).update(PANEL[NEXT], given).forecast(3, PANEL_INPUTS[LATER])
        for given in (ahead, ahead.iloc[:, ORDER])
    ]
    pd.testing.assert_frame_equal(*updated)
    more = pd.concat([ahead, ahead[["x"]].rename(columns={"x": "more"})], axis=1)
    for wrong in (ahead.iloc[:, 1:], more, ahead.rename(columns={"x": "q"})):
        with pytest.raises(ValueError, match="exog must have the columns"):
            wide.forecast(3, wrong)


def test_a_wide_panel_in_another_order_is_fitted_to_the_same_series(wide):
    inputs = PANEL_INPUTS[SEEN].iloc[:, [4, 2, 3, 0, 5, 1]]  # warm before busy
    other = PanelForecaster(seasons=()).fit(turned(PANEL[SEEN]), exog=inputs)
    ahead = PANEL_INPUTS[NEXT]
    pd.testing.assert_frame_equal(other.forecast(3, ahead)[IDS], wide.forecast(3, ahead))
    backtests = [
        PanelForecaster(seasons=()).backtest(panel, 2, 2, exog=exog).scores["mase"]
        for panel, exog in (
            (PANEL[SEEN], PANEL_INPUTS[SEEN]),
            (turned(PANEL[SEEN]), inputs),
        )
    ]
    assert backtests[0] == pytest.approx(backtests[1], rel=1e-12)
    with pytest.raises(ValueError, match="in the order of panel, .*'x', 'y', 'z'.*, got .*'z'"):
        wide.update(turned(PANEL[NEXT]), ahead)


def test_inputs_of_a_dict_are_taken_by_name(few_panel_candidates):
    seen, ahead = ({key: PANEL_INPUTS[key][rows] for key in IDS} for rows in (SEEN, NEXT))
    model = PanelForecaster(seasons=()).fit({key: PANEL[key][SEEN] for key in IDS}, exog=seen)
    expected = model.forecast(3, ahead)
    found = model.forecast(3, {key: turned(ahead[key]) for key in reversed(IDS)})
    assert all(found[key].equals(expected[key]) for key in IDS)
    for wrong in WRONG.values():
        with pytest.raises(ValueError, match=r"exog\['x'\] must have the columns"):
            model.forecast(3, {key: wrong(ahead[key]) for key in IDS})
    with pytest.raises(ValueError, match="exog must have the same columns for all series"):
        model.fit({key: PANEL[key][SEEN] for key in IDS}, exog={**seen, "y": turned(seen["y"])})


@pytest.mark.parametrize("levels", [False, True])
def test_columns_of_a_long_frame_are_taken_by_name(few_panel_candidates, levels):
    parts = [PANEL_INPUTS[key].assign(id=key, day=DAYS, sold=PANEL[key]) for key in IDS]

    def rows(which):
        long = pd.concat([part[which] for part in parts], ignore_index=True)
        return long.set_index(["id", "day"]) if levels else long

    model = PanelForecaster(seasons=(), value="sold").fit(rows(SEEN), exog=["warm", "busy"])
    expected, ahead = model.forecast(3, rows(NEXT)), rows(NEXT)
    for given in (turned(ahead).iloc[::-1], ahead.assign(more=1.0), ahead.drop(columns="sold")):
        assert expected.equals(model.forecast(3, given))
    with pytest.raises(ValueError, match="exog has no column 'warm'"):
        model.forecast(3, ahead.drop(columns="warm"))
    with pytest.raises(ValueError, match="new has no column 'busy'"):
        model.update(ahead.drop(columns="busy"))
    updated = [
        copy.deepcopy(model).update(given).forecast(3, rows(LATER))
        for given in (ahead, turned(ahead).iloc[::-1])
    ]
    assert updated[0].equals(updated[1])


def test_columns_in_sktime_are_taken_by_name():
    pytest.importorskip("sktime")
    y, X = SERIES.asfreq("D"), INPUTS.asfreq("D")
    model = SktimeForecaster(MODELS["forecaster"]).fit(y[SEEN], X[SEEN])
    expected = model.predict([1, 2, 3], X=X[NEXT])
    pd.testing.assert_frame_equal(model.predict([1, 2, 3], X=turned(X[NEXT])), expected)
    for wrong in WRONG.values():
        with pytest.raises(ValueError, match="exog must have the columns"):
            model.predict([1, 2, 3], X=wrong(X[NEXT]))
    for refits in (False, True):
        with pytest.raises(ValueError, match="new must have the columns"):
            copy.deepcopy(model).update(turned(y[NEXT]), X[NEXT], update_params=refits)
