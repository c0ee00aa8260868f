"""Missing values of a series: what stands in for them, and what is taught and scored."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.utils import get_tags

from esnkit import AutoForecaster, ESNRegressor, Forecaster, Reservoir
from esnkit.forecasting._candidates import make_windows
from esnkit.forecasting._conformal import StepErrors
from esnkit.forecasting._missing import fill_forward, interpolate, observed_error, taught_rows
from esnkit.forecasting._penalty_path import PenaltyPath, Structure
from esnkit.forecasting._pooled_errors import PooledErrors
from esnkit.metrics import mase, nrmse

pytestmark = pytest.mark.usefixtures("no_regressions_as_baselines")
RNG = np.random.default_rng(0)
NAN = np.nan
MONTHS = np.arange(120)
SEASON = 30 + 10 * np.sin(2 * np.pi * MONTHS / 12) + RNG.normal(size=120)
HOLES = RNG.random(120) < 0.2


def with_holes(series, holes=HOLES):
    return np.where(holes[: len(series)], NAN, series)


def lagged(**parameters):
    return Forecaster(Ridge(1e-3), **({"lags": 12} | parameters))


def esn(**parameters):
    network = ESNRegressor(20, alpha=1e-2, washout=5, random_state=0)
    return Forecaster(network, **parameters)


def test_values_before_stand_for_missing_ones():
    rows = np.array([[NAN, 1.0], [2.0, NAN], [NAN, NAN], [3.0, 4.0]])
    assert_array_equal(fill_forward(rows), [[2, 1], [2, 1], [2, 1], [3, 4]])
    assert_array_equal(fill_forward(rows, np.array([7.0, 8.0]))[0], [7, 1])
    assert_array_equal(interpolate(rows), [[2, 1], [2, 2], [2.5, 3], [3, 4]])


def test_rows_that_missing_values_touch_are_not_taught():
    values = RNG.normal(size=(60, 2))
    values[30, 0] = NAN
    values[:40, 1] = NAN
    differenced = [values[t] - values[t - 2] - values[t - 1] + values[t - 3] for t in range(3, 60)]
    assert_array_equal(taught_rows(values, (1, 2)), ~np.isnan(differenced))
    means = [values[t] - (values[t - 2] + values[t - 4]) / 2 for t in range(4, 60)]
    assert_array_equal(taught_rows(values, ((2, 2),)), ~np.isnan(means))
    many = with_holes(SEASON, RNG.random(120) < 0.4)[:, None]
    many[:5] = NAN
    expected = ~np.isnan(many[13:, 0])
    first = np.flatnonzero(~np.isnan(many[:, 0]))[0]
    expected[:first] = False
    assert_array_equal(taught_rows(many, (12, 1))[:, 0], expected)


def test_fits_alternate_with_predictions_of_the_missing_values():
    series = SEASON - SEASON.mean()
    y = with_holes(series)
    y[-2:] = NAN
    missing, fits = np.isnan(y), []
    filled = interpolate(y[:, None])[:, 0]

    def design(rows, t):
        return np.r_[1.0, rows[t - 1], rows[t - 2], rows[t - 3]]

    for _ in range(3):
        taught = [t for t in range(3, 120) if not missing[t]]
        X = np.array([design(filled, t) for t in taught])
        weights = np.linalg.lstsq(X, y[taught], rcond=None)[0]
        compared = [t for t in range(5, 120) if not missing[t] and not missing[t - 1]]
        errors = [design(filled, t) @ weights - y[t] for t in compared]
        fits.append((np.mean(np.square(errors)), weights, filled))
        filled = filled.copy()
        for t in range(4, 120):
            filled[t] = design(filled, t) @ weights if missing[t] else y[t]
    _, weights, filled = min(fits, key=lambda fit: fit[0])
    rows = list(filled[:118])
    for t in range(118, 125):
        rows.append(design(np.array(rows), t) @ weights)
    model = Forecaster(LinearRegression(), lags=3, scale=False).fit(y)
    assert_allclose(model.forecast(5), rows[120:], rtol=1e-9)


@pytest.mark.parametrize("make", [lagged, esn])
@pytest.mark.parametrize("parameters", [{}, {"differences": (12,)}, {"n_ensemble": 1}])
def test_forecasts_continue_through_missing_rows(make, parameters):
    model = make(**parameters).fit(SEASON)
    ahead = model.forecast(8)
    assert_allclose(model.update([NAN] * 3).forecast(5), ahead[3:], rtol=1e-9)
    assert_array_equal(model.history(4), [SEASON[-1], NAN, NAN, NAN])


class Exploding(Ridge):
    """Predicts values far beyond those of the series."""

    def predict(self, X):
        return np.full(len(X), 1e12)


@pytest.mark.parametrize("differences", [0, 1])
def test_the_row_before_stands_for_predictions_that_run_away(differences):
    model = Forecaster(Exploding(), lags=2, differences=differences)
    model.fit(with_holes(SEASON)).update([7.0, NAN, NAN])
    with pytest.warns(RuntimeWarning, match="runs away"):
        assert_array_equal(model.forecast(2), [7.0, 7.0])
    past = model._ensemble.models[0].tail * model.transformer_.scale_ + model.transformer_.mean_
    assert_allclose(past.ravel(), [0.0, 0.0] if differences else [7.0, 7.0], atol=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"differences": (12,)},
        {"strategy": "direct", "horizon": 12},
        {"strategy": "direct", "horizon": 12, "differences": 1},
    ],
)
@pytest.mark.parametrize("make", [lagged, esn])
def test_forecasts_are_near_those_of_the_whole_series(make, parameters):
    whole = make(**parameters).fit(SEASON[:108])
    model = make(**parameters).fit(with_holes(SEASON[:108]))
    error = np.abs(model.forecast(12) - SEASON[108:]).mean()
    assert error < 1.5 * np.abs(whole.forecast(12) - SEASON[108:]).mean() + 0.5


def test_series_start_at_different_rows():
    pair = np.stack([SEASON, SEASON[::-1] * 100], axis=1)
    pair[:60, 1] = NAN
    forecast = esn().fit(pair[:108]).forecast(12)
    assert np.abs(forecast - pair[108:]).mean(axis=0) == pytest.approx([0, 0], abs=400)
    assert np.abs(forecast - pair[108:]).mean(axis=0)[0] < 4
    assert np.isfinite(lagged(lags=3).fit(pair).forecast(12)).all()


def test_later_values_do_not_reach_earlier_forecasts():
    y, changed = with_holes(SEASON), with_holes(SEASON)
    y[100], changed[101:] = NAN, 0.0
    for model in (esn(), lagged()):
        results = [model.backtest(rows, 10, n_windows=3, stride=5) for rows in (y, changed)]
        assert results[0].origins.tolist() == [100, 105, 110]
        assert_array_equal(results[0].forecasts[0], results[1].forecasts[0])
        assert (results[0].forecasts[1] != results[1].forecasts[1]).all()


def test_rows_before_origins_of_rolling_forecasts_are_observed():
    y = with_holes(SEASON)
    y[[70, 95]], y[-9:] = NAN, NAN
    windows = make_windows(120, 10, values=y)
    assert len(windows.origins) > 2 and not np.isnan(y[windows.origins - 1]).any()
    assert not np.isnan(windows.observed(y)).all(axis=1).any()
    assert windows.errors(windows.observed(y) + 2.0, windows.observed(y)) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="too few observed values, .*, to compare"):
        make_windows(120, 10, values=np.where(np.arange(120) < 10, y, NAN))


def test_readouts_of_a_path_learn_observed_rows():
    y = np.c_[with_holes(SEASON), SEASON, SEASON[::-1], with_holes(SEASON)]
    y[80:84, 2] = np.nan
    path = PenaltyPath(Structure((12,)), Reservoir(8, random_state=0), np.array([0.1]))
    path.fit(interpolate(y), np.empty((120, 0)), y)
    origins = np.array([70, 90])
    for origin, weights in zip(origins, path.weights(origins)[:, 0], strict=True):
        start = min(path.washout, (origins[0] - 13) // 4)
        for j, of_series in enumerate(weights):
            taught = taught_rows(y[:origin, j : j + 1], (12,))[1:, 0]
            taught[:start] = False
            X, target = path._X[: origin - 13][taught], path.z[1 : origin - 12, j][taught]
            expected = Ridge(0.1).fit(X, target)
            assert_allclose(of_series[1:], expected.coef_, rtol=1e-6, atol=1e-9)
            assert_allclose(of_series[0], expected.intercept_, rtol=1e-6, atol=1e-9)


def test_missing_values_are_left_out_of_scores():
    y = with_holes(SEASON)
    result = lagged().backtest(y, 12, n_windows=2, interval=0.5)
    seen = ~np.isnan(result.observed)
    true, predicted = result.observed[seen], result.forecasts[seen]
    assert result.scores["nrmse"] == nrmse(true, predicted)
    past = y[:96]
    assert result.scores["mase"] == mase(true, predicted, past[~np.isnan(past)])
    inside = (result.lower[seen] <= true) & (true <= result.upper[seen])
    assert result.scores["coverage"] == inside.mean()
    model = lagged().fit(y[:108])
    rows = y[108:]
    seen = ~np.isnan(rows)
    assert model.score(rows) == -nrmse(rows[seen], model.forecast(12)[seen])
    y[96:] = NAN
    scores = lagged().backtest(y, 12, n_windows=2, interval=0.5).scores
    assert all(np.isnan(score) for score in scores.values())
    two = np.array([[1.0, NAN], [2.0, NAN]])
    assert np.isnan(observed_error(nrmse, two, two))


def test_intervals_come_from_observed_errors():
    errors = RNG.normal(size=(30, 2, 1))
    holes = errors.copy()
    holes[3:9, 1] = NAN
    widths = StepErrors(holes).half_widths(0.9)
    assert widths[0] == StepErrors(errors[:, :1]).half_widths(0.9)[0]
    assert widths[1] == StepErrors(np.delete(errors, range(3, 9), axis=0)).half_widths(0.9)[1]
    empty = np.vstack([errors, np.full((1, 2, 1), NAN)])
    for level in (0.5, 0.9):
        assert_array_equal(
            PooledErrors(empty, 4).half_widths(level), PooledErrors(errors, 4).half_widths(level)
        )
    assert_array_equal(
        PooledErrors(empty, 4).quantiles([0.1]), PooledErrors(errors, 4).quantiles([0.1])
    )
    lower, upper = lagged().fit(with_holes(SEASON)).forecast(3, interval=0.8)[1:]
    assert (upper > lower).all()


def test_past_inputs_are_filled_and_future_ones_known():
    exog = MONTHS % 7.0
    y, holes = SEASON + exog, exog.copy()
    holes[[0, 50, 51]] = NAN
    filled = exog.copy()
    filled[[0, 50, 51]] = exog[[1, 49, 49]]
    model, other = (esn().fit(y[:100], exog=e[:100]) for e in (holes, filled))
    assert_array_equal(model.forecast(5, exog[100:]), other.forecast(5, exog[100:]))
    model.update(y[100:102], [NAN, 3.0]), other.update(y[100:102], [exog[99], 3.0])
    assert_array_equal(model.forecast(5, exog[102:]), other.forecast(5, exog[102:]))
    with pytest.raises(ValueError, match="exog contains NaN: 1 of 2 .*, the first in row 1"):
        model.forecast(2, [1.0, NAN])


def test_missing_values_of_all_kinds():
    pd = pytest.importorskip("pandas")
    y = with_holes(SEASON)
    expected = lagged().fit(y).forecast(3)
    masked = np.ma.masked_array(SEASON, HOLES)
    nullable = pd.array(np.where(HOLES, None, SEASON), dtype="Float64")
    for series in (y.tolist(), masked, np.where(HOLES, None, SEASON), pd.Series(nullable)):
        assert_array_equal(np.asarray(lagged().fit(series).forecast(3)), expected)


def test_missing_values_are_refused_on_request():
    y = np.stack([SEASON, with_holes(SEASON)], axis=1)
    y[:7, 1] = 1.0
    first = 7 + int(np.argmax(HOLES[7:]))
    table = pytest.importorskip("pandas").DataFrame(y, columns=["a", "b"])
    message = f"series contains NaN: .* of 240 values are missing, the first in row {first} of "
    with pytest.raises(ValueError, match=message + "column 'b'; fill them in .* missing='predict'"):
        lagged(missing="raise").fit(table)
    with pytest.raises(ValueError, match=f"the first in row {first} of column 1; fill"):
        lagged(missing="raise").fit(y)
    with pytest.raises(ValueError, match="new contains NaN"):
        lagged(missing="raise").fit(SEASON).update([NAN])
    for missing in ("predict", "raise"):
        for model in (lagged(missing=missing), AutoForecaster(missing=missing)):
            assert get_tags(model).input_tags.allow_nan == (missing == "predict")


def test_an_estimator_without_weights_cannot_leave_out_targets():
    class Unweighted(ESNRegressor):
        def fit(self, X, y):
            return super().fit(X, y)

    with pytest.raises(ValueError, match="Unweighted.fit has no sample_weight: fill them in"):
        Forecaster(Unweighted(20)).fit(with_holes(SEASON))


def test_auto_forecaster_of_a_series_with_missing_values():
    y = with_holes(SEASON[:60])
    y[-2:] = NAN
    model = AutoForecaster(horizon=12, seasons=[12], quick=True).fit(y)
    forecast, lower, upper = model.forecast(12, interval=0.9)
    assert np.abs(forecast - SEASON[60:72]).mean() < 2.5
    assert ((lower < forecast) & (forecast < upper)).all()
    assert model.error_ < model.baselines_["seasonal naive (12 steps)"]


@pytest.mark.parametrize("dtype", ["boolean", object])
def test_missing_values_of_pandas_among_objects_are_missing(dtype):
    pd = pytest.importorskip("pandas")
    values = [True, False, False, True, True] * 8
    values[7] = None
    expected = lagged(lags=5).fit(np.array(values, dtype=float)).forecast(3)
    with_na = pd.array([pd.NA if value is None else value for value in values], dtype=dtype)
    series = pd.Series(with_na, name="open")
    for given in (series, series.to_frame(), list(with_na)):
        assert_array_equal(np.ravel(lagged(lags=5).fit(given).forecast(3)), expected)
