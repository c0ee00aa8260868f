"""Models of statsforecast as members: their forecasts, their state, and what is refused."""

import pickle
import sys

import numpy as np
import pytest

from esnkit import AutoForecaster
from esnkit.baselines import exponential_smoothing
from esnkit.forecasting._candidates import Search, make_windows
from esnkit.forecasting._selection import select
from esnkit.forecasting._statistical_models import (
    CLASSES,
    _fit,
    check_models,
    first_integer,
    fit_statistical_model,
)

RNG = np.random.default_rng(0)
QUARTERS = 20 + np.tile([1.0, 5.0, 2.0, 8.0], 12) + 0.5 * RNG.normal(size=48)
NO_EXOG = np.empty((0, 0))


@pytest.fixture
def module():
    return pytest.importorskip("statsforecast.models")


def roll(model, rows, origins, n_steps):
    return model.roll(rows[:, None], NO_EXOG, origins, n_steps)[:, :, 0]


@pytest.mark.parametrize("name", ["ets", "theta"])
def test_forecasts_are_those_of_statsforecast_from_every_origin(module, name):
    model = fit_statistical_model(name, 4, QUARTERS[:40])
    unit = QUARTERS[:40].std()
    direct = getattr(module, CLASSES[name])(season_length=4).fit(QUARTERS[:40] / unit)
    found = roll(model, QUARTERS[40:], [0, 5], 3) / unit
    np.testing.assert_allclose(found[0], direct.predict(3)["mean"], rtol=1e-6)
    np.testing.assert_allclose(found[1], direct.forward(QUARTERS[:45] / unit, 3)["mean"], rtol=1e-6)
    later = model.advance(QUARTERS[40:45, None], NO_EXOG)
    np.testing.assert_array_equal(roll(later, QUARTERS[45:], [0], 3)[0] / unit, found[1])
    assert len(model.rows) == 40 and later.n_fitted == 40


@pytest.mark.parametrize("name", ["ets", "theta"])
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e6])
def test_forecasts_do_not_depend_on_the_unit(module, name, unit):
    found, expected = (
        roll(fit_statistical_model(name, 4, rows[:40]), rows[40:], [0, 5], 3) / scale
        for rows, scale in ((unit * QUARTERS, unit), (QUARTERS, 1.0))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_constant_series_of_any_unit_has_forecasts(module):
    for value in (0.0, 0.1, 1e-200, 1e200):
        rows = np.full(30, value)
        np.testing.assert_allclose(
            roll(fit_statistical_model("ets", 1, rows), rows[:0], [0], 2), value
        )


def test_they_are_members_of_the_median_also_after_updates_and_pickling(module):
    parameters = {"horizon": 4, "seasons": [4], "quick": True}
    model = AutoForecaster(models=("esn", "ets", "theta"), **parameters).fit(QUARTERS[:44])
    alone = AutoForecaster(**parameters).fit(QUARTERS[:44])
    networks = [member.roll(np.empty((0, 1)), np.empty((4, 0)), [0], 4)[0, :, 0]
                for member in alone._ensemble.parts[0].members]  # fmt: skip
    others = [roll(fit_statistical_model(name, 4, QUARTERS[:44]), QUARTERS[:0], [0], 4)[0]
              for name in ("ets", "theta")]  # fmt: skip
    forecast, lower, upper = model.forecast(4, interval=0.9)
    median, share = np.median([*networks, *others], axis=0), model.smoothing_share_
    smoothed = exponential_smoothing(QUARTERS[:44], 4, [4])
    np.testing.assert_allclose(forecast, (1 - share) * median + share * smoothed)
    assert (lower < forecast).all() and (upper > forecast).all()
    assert set(model.baselines_) >= {"ets", "theta"} and model.error_ != alone.error_
    assert len(model.estimators_) == len(model.members_) == len(networks)
    updated = pickle.loads(pickle.dumps(model)).update(QUARTERS[44:])
    expected = model.update(QUARTERS[44:]).forecast(4)
    _fit.cache_clear()
    np.testing.assert_array_equal(updated.forecast(4), expected)


def test_their_rolling_forecasts_know_the_rows_before_the_first_origin_only(module):
    search = Search(4, quick=True, models=("ets",))
    selection = select(QUARTERS[:, None], np.empty((48, 0)), [4.0], search)
    windows = make_windows(48, 4)
    first = windows.origins[0]
    direct = module.AutoETS(season_length=4).fit(QUARTERS[:first])
    forecasts = np.stack([direct.forward(QUARTERS[:o], 4)["mean"] for o in windows.origins])
    error = windows.errors(forecasts, windows.observed(QUARTERS))
    assert selection.baselines["ets"] == pytest.approx(error)


def test_models_much_worse_than_the_best_network_are_no_members(module):
    rows = [0.3]
    for _ in range(99):
        rows.append(3.8 * rows[-1] * (1 - rows[-1]))  # a chaotic map, which no linear model follows
    search = Search(2, quick=True, models=("theta",))
    selection = select(np.array(rows)[:, None], np.empty((100, 0)), [], search)
    assert len(selection.combination.members) == len(selection.members)
    assert selection.baselines["theta"] > 1.5 * selection.candidates[0]["error"]


def test_models_that_cannot_be_fitted_are_left_out_with_a_warning(monkeypatch):
    def fail(name, season, rows):
        raise Exception("no model able to be fitted")  # as statsforecast does

    monkeypatch.setattr("esnkit.forecasting._selection.fit_statistical_model", fail)
    search = Search(4, quick=True, settings={"n_units": 5, "alpha": 1.0}, models=("theta",))
    with pytest.warns(UserWarning, match="'theta' of statsforecast fails, and is left out: no mo"):
        selection = select(QUARTERS[:, None], np.empty((48, 0)), [], search)
    assert len(selection.combination.members) == len(selection.members)
    assert "theta" not in selection.baselines


def test_models_need_their_package_and_known_names(monkeypatch):
    assert check_models("esn") == check_models(("esn",)) == ()
    assert first_integer([52.18, 7.0, 24.0]) == 7
    for models in ("ets", ("ets",), ("esn", "prophet"), 3, {"esn": 1}):
        with pytest.raises(ValueError, match="models must be 'esn' or a tuple of 'esn' and some"):
            check_models(models)
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(ImportError, match=r"pip install 'esnkit\[statsforecast\]'"):
        AutoForecaster(models=("esn", "ets")).fit(QUARTERS)


def test_exogenous_inputs_are_refused(module):
    model = AutoForecaster(models=("esn", "ets"))
    with pytest.raises(ValueError, match="has no use for exogenous or past-only inputs"):
        model.fit(QUARTERS, exog=np.arange(48.0))
