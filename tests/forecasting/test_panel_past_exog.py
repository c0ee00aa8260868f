"""Inputs of several series that are known up to the present only."""

import numpy as np
import pandas as pd
import pytest

from esnkit import PanelForecaster

RNG = np.random.default_rng(0)
N, N_KNOWN, DELAY = 60, 54, 3
DAYS = pd.date_range("2024-01-01", periods=N, name="day")
LEAD = RNG.standard_normal((N + DELAY, 6))
for k in range(1, N + DELAY):
    LEAD[k] += 0.8 * LEAD[k - 1]
SIZES = 10.0 ** np.arange(-1, 5)
VALUES = SIZES * (20 + LEAD[:N] + 0.1 * RNG.standard_normal((N, 6)))
SOLD = pd.DataFrame(VALUES, DAYS, list("abcdef"))
RAIN = pd.DataFrame(5 * SIZES * LEAD[DELAY:], DAYS, list("abcdef"))  # of 3 days later

pytestmark = pytest.mark.usefixtures("few_panel_candidates")


def panel(**parameters):
    return PanelForecaster(horizon=3, seasons=(), **parameters)


def known(rows):
    return rows[:N_KNOWN]


def later(rows):
    return rows[N_KNOWN:]


@pytest.fixture(scope="module")
def fitted(few_panel_candidates):
    return panel().fit(known(SOLD), past_exog=known(RAIN))


def test_an_input_that_leads_every_series_makes_the_next_steps_known():
    errors = {}
    for name, past in (("with", RAIN), ("without", None)):
        found = panel().backtest(SOLD, 3, 4, past_exog=past)
        errors[name] = np.abs(found.forecasts - found.observed).mean(axis=(0, 1)) / SIZES
    assert errors["with"].mean() < 0.5 * errors["without"].mean()


def test_an_input_without_effect_does_no_harm():
    found = [
        panel().backtest(SOLD, 3, 4, past_exog=past) for past in (SIZES * RNG.random((N, 6)), None)
    ]
    assert found[0].scores["mase"] < 1.1 * found[1].scores["mase"]


def test_later_values_of_the_input_reach_no_forecast():
    changed = RAIN.copy()
    changed[-3:] += 1e6
    found = [panel().backtest(SOLD, 3, 1, past_exog=past).forecasts for past in (RAIN, changed)]
    np.testing.assert_array_equal(*found)


def long(part):
    rows = pd.DataFrame({"sold": part(SOLD).stack(), "rain": part(RAIN).stack()})
    return rows.rename_axis(["day", "shop"]).swaplevel()


FORMS = {  # a container of series, with its past-only inputs
    "wide": lambda part: (part(SOLD), part(RAIN)),
    "array": lambda part: (part(VALUES), part(RAIN.to_numpy())[:, :, None]),
    "dict": lambda part: (dict(part(SOLD)), dict(part(RAIN))),
    "list": lambda part: (list(part(VALUES).T), list(part(RAIN.to_numpy()).T)),
    "levels": lambda part: (long(part), "rain"),
    "long": lambda part: (long(part).reset_index(), ["rain"]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_has_the_same_forecasts(form, fitted):
    series, past = form(known)
    parameters = {"value": "sold"} if form in (FORMS["levels"], FORMS["long"]) else {}
    model = panel(**parameters).fit(series, past_exog=past)
    assert (model.n_exog_, model.n_past_exog_) == (0, 1)
    np.testing.assert_allclose(numbers(model.forecast(3)), fitted.forecast(3), rtol=1e-6)
    series, past = form(later)
    past = None if parameters else past
    score = model.score(series, past_exog=past)
    longer = panel().fit(known(SOLD), past_exog=known(RAIN))
    assert score == pytest.approx(longer.score(later(SOLD), past_exog=later(RAIN)), rel=1e-6)
    model.update(series, past_exog=past)
    longer.update(later(SOLD), past_exog=later(RAIN))
    np.testing.assert_allclose(numbers(model.forecast(3)), longer.forecast(3), rtol=1e-6)


def numbers(forecast):
    """Return forecasts as an array (n_steps, n_series)."""
    if isinstance(forecast, dict | list):
        return np.column_stack(list(forecast.values() if isinstance(forecast, dict) else forecast))
    if isinstance(forecast, np.ndarray) or "d" in forecast:
        return np.asarray(forecast)
    return forecast["sold"].to_numpy().reshape(6, -1).T


def test_networks_without_and_with_the_input_are_tried(fitted):
    tried = [candidate["past_exog"] for candidate in fitted.candidates_]
    assert sum(tried) == len(tried) / 2 and fitted.members_[0]["past_exog"]


def test_missing_values_of_the_input_are_the_last_ones():
    holes = RAIN.copy()
    holes.iloc[[0, 20, 21, 53], 2] = np.nan
    filled = known(holes).ffill().bfill()
    wanted, model = (panel().fit(known(SOLD), past_exog=rows) for rows in (filled, known(holes)))
    pd.testing.assert_frame_equal(model.forecast(3), wanted.forecast(3))
    late = later(RAIN).copy()
    late.iloc[0, 2] = np.nan
    model.update(later(SOLD), past_exog=late)
    late.iloc[0, 2] = filled.iloc[-1, 2]
    pd.testing.assert_frame_equal(
        model.forecast(3), wanted.update(later(SOLD), past_exog=late).forecast(3)
    )
    with pytest.raises(ValueError, match=r"past_exog.* contains NaN"):
        panel(missing="raise").fit(known(SOLD), past_exog=known(holes))
    rows = long(known)
    rows.iloc[[7], 1] = np.nan
    with pytest.raises(ValueError, match="past_exog contains NaN in the series 'b', row 1"):
        panel(missing="raise", value="sold").fit(rows, past_exog="rain")


def test_the_input_tells_what_values_are_missing_at_the_end():
    holes, unknown = known(SOLD).copy(), known(RAIN).copy()
    holes[-3:] = unknown[-3:] = np.nan
    errors = [
        np.abs(panel().fit(holes, past_exog=past).forecast(3) - later(SOLD)[:3]).mean() / SIZES
        for past in (known(RAIN), unknown)
    ]
    assert errors[0].mean() < 0.6 * errors[1].mean()


def test_the_order_of_the_series_changes_no_result(fitted):
    order = list("fbdace")
    found = panel().fit(known(SOLD)[order], past_exog=known(RAIN)[order]).forecast(3)
    pd.testing.assert_frame_equal(found[list("abcdef")], fitted.forecast(3))


def test_an_input_that_never_varies_is_left_alone():
    flat = known(RAIN).copy()
    flat["a"] = 7.0
    ahead = panel().fit(known(SOLD), past_exog=flat).forecast(3)
    assert np.isfinite(ahead).all(axis=None)


def test_what_does_not_fit_is_refused(fitted):
    calls = {
        "past_exog must be given: the model was fitted with": lambda: fitted.update(later(SOLD)),
        "past_exog must be None: the model was fitted without": lambda: (
            panel().fit(known(SOLD)).update(later(SOLD), past_exog=later(RAIN))
        ),
        "past_exog must have the columns": lambda: fitted.update(
            later(SOLD), past_exog=later(RAIN).rename(columns={"a": "z"})
        ),
        "past_exog must have 54 rows": lambda: panel().fit(known(SOLD), past_exog=RAIN[:9]),
        r"past_exog\['b'\] must have 60 rows": lambda: panel().fit(
            dict(SOLD), past_exog=dict(RAIN) | {"b": RAIN["b"][:9]}
        ),
        "past_exog must have the 6 series of panel, differs in 'g'": lambda: panel().fit(
            dict(SOLD), past_exog=dict(RAIN) | {"g": RAIN["a"]}
        ),
        r"past_exog must have the shape \(n_rows, 6, n_past_exog\)": lambda: panel().fit(
            VALUES, past_exog=np.ones((N, 5, 1))
        ),
        "past_exog must have values up to 1e.140, got .* in 'f'": lambda: panel().fit(
            SOLD, past_exog=1e140 * RAIN
        ),
        "past_exog must name columns of panel": lambda: panel(value="sold").fit(
            long(known), past_exog=known(RAIN)
        ),
        "both name the column 'rain'": lambda: panel(value="sold").fit(
            long(known), past_exog="rain", exog="rain"
        ),
    }
    for message, call in calls.items():
        with pytest.raises(ValueError, match=message):
            call()
    model = panel(value="sold").fit(long(known), past_exog="rain")
    with pytest.raises(ValueError, match=r"past_exog must be None: new has the columns \['rain'\]"):
        model.update(long(later), past_exog="rain")
