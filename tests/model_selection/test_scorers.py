"""Scores of free runs, against closed loops that are run here from the first row on."""

import pickle
from functools import cache

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from esnkit import ESNRegressor, Forecaster, ReservoirSearchCV, RNNRegressor
from esnkit.metrics import make_sequence_scorer, valid_prediction_time
from esnkit.model_selection import RecycleValidation, nrmse_at, valid_time
from esnkit.model_selection._scorers import _until_divergence

T = np.arange(240.0)
WAVES = np.column_stack([np.sin(T / 4), np.cos(T / 7) + 0.1 * np.sin(T / 3)])
RNG = np.random.default_rng(0)
NOISY = WAVES + 0.05 * RNG.standard_normal(WAVES.shape)
X, Y = NOISY[:-1], NOISY[1:]
MODEL = ESNRegressor(n_units=20, alpha=1e-2, random_state=0)


@cache
def fitted():
    """Fit on demand: every process imports this file, and few run it."""
    return clone(MODEL).fit(X, Y)


def nrmse_of(forecasts, observed, rows):
    """NRMSE of the last steps of forecasts (n_runs, horizon, n_outputs)."""
    errors = np.array(forecasts)[:, -1] - np.array(observed)[:, -1]
    return np.mean(np.sqrt(np.mean(errors**2, axis=0)) / np.std(rows, axis=0))


def test_runs_of_a_network_start_after_all_rows_before_them():
    known = [240 - 12 - 20 * k for k in (2, 1, 0)]
    forecasts = [fitted().generate(12, NOISY[:n]) for n in known]
    observed = [NOISY[n : n + 12] for n in known]
    score = nrmse_at(12, n_windows=3, stride=20)(fitted(), X, Y)
    assert score == pytest.approx(-nrmse_of(forecasts, observed, Y), rel=1e-12)
    times = [
        valid_prediction_time(*pair, std=np.std(Y, axis=0), threshold=0.3, dt=0.5)
        for pair in zip(observed, forecasts, strict=True)
    ]
    assert 0 < min(times) < 6
    scorer = valid_time(12, threshold=0.3, dt=0.5, n_windows=3, stride=20)
    assert scorer(fitted(), X, Y) == pytest.approx(np.mean(times), rel=1e-12)
    scorer = valid_time(
        12, threshold=0.3, dt=0.5, lyapunov_exponent=3.0, n_windows=3, stride=20, std=Y.std(axis=0)
    )
    assert scorer(fitted(), X, Y) == pytest.approx(3 * np.mean(times), rel=1e-12)


def test_inputs_that_are_not_outputs_are_those_observed():
    model = clone(MODEL).fit(X, Y[:, 0])
    forecasts = [model.generate(9, X[: n + 1], exog=X[n + 1 : n + 10, 1:]) for n in (200, 209)]
    observed = [Y[n : n + 9, :1] for n in (200, 209)]
    score = nrmse_at(9, n_windows=2)(model, X[:218], Y[:218, 0])
    assert score == pytest.approx(-nrmse_of(forecasts, observed, Y[:218, :1]), rel=1e-12)
    nrmse_at(9)(model, X, Y[:, 0])  # no row follows the last one


def test_a_network_with_feedback_is_driven_by_inputs_and_outputs():
    ones = np.ones((len(NOISY), 1))
    model = ESNRegressor(n_units=20, feedback=True, alpha=1e-2, random_state=0).fit(ones, NOISY)
    forecasts = [model.generate(8, (ones[:n], NOISY[:n]), exog=ones[:8]) for n in (212, 232)]
    observed = [NOISY[n : n + 8] for n in (212, 232)]
    score = nrmse_at(8, n_windows=2, stride=20)(model, ones, NOISY)
    assert score == pytest.approx(-nrmse_of(forecasts, observed, NOISY), rel=1e-12)


def test_a_trained_network_is_scored_too():
    model = RNNRegressor(4, max_iter=1, random_state=0).fit(X, Y)
    forecasts = [model.generate(6, NOISY[:n]) for n in (228, 234)]
    observed = [NOISY[n : n + 6] for n in (228, 234)]
    score = nrmse_at(6, n_windows=2)(model, X, Y)
    assert score == pytest.approx(-nrmse_of(forecasts, observed, Y), rel=1e-6)


def test_every_one_of_several_sequences_has_its_runs():
    lists = [X[:80], X[80:190]], [Y[:80], Y[80:190]]
    model = clone(MODEL).fit(*lists)
    forecasts, observed = [], []
    for x, y in zip(*lists, strict=True):
        for stop in (len(x) - 5, len(x)):
            forecasts.append(model.generate(5, x[: stop - 4]))
            observed.append(y[stop - 5 : stop])
    score = nrmse_at(5, n_windows=2)(model, *lists)
    assert score == pytest.approx(-nrmse_of(forecasts, observed, Y[:190]), rel=1e-12)
    assert np.isfinite(cross_val_score(MODEL, *lists, scoring=nrmse_at(5), cv=KFold(2))).all()


def linear_forecasts(fitted, rows, n_steps):
    """Recursive forecasts of an autoregression on two lags, latest first."""
    rows = list(rows)
    for _ in range(n_steps):
        rows.append(fitted.predict(np.hstack([rows[-1], rows[-2]])[None])[0])
    return rows[-n_steps:]


def test_runs_of_a_forecaster_start_anywhere_in_the_series():
    model = Forecaster(LinearRegression(), lags=2, scale=False).fit(NOISY)
    fitted = LinearRegression().fit(np.hstack([NOISY[1:-1], NOISY[:-2]]), NOISY[2:])
    part = NOISY[60:120]
    forecasts = [linear_forecasts(fitted, part[:n], 10) for n in (20, 35, 50)]
    observed = [part[n : n + 10] for n in (20, 35, 50)]
    score = nrmse_at(10, n_windows=3, stride=15)(model, part)
    assert score == pytest.approx(-nrmse_of(forecasts, observed, part), rel=1e-9)


def test_a_forecaster_with_a_network_and_inputs_is_driven_from_the_first_row():
    exog = np.cos(T / 9)[:, None]
    network = ESNRegressor(n_units=15, alpha=1e-2, random_state=0)
    model = Forecaster(network, differences=1).fit(NOISY, exog)
    score = nrmse_at(10, n_windows=2)(model, NOISY[:200], exog[:200])
    again = Forecaster(network, differences=1).fit(NOISY, exog)
    again._ensemble = again._ensemble.restart(NOISY[:180], exog[:180])
    first = again._ensemble.roll(NOISY[:0], exog[180:190], [0], 10)[0]
    again._ensemble = again._ensemble.restart(NOISY[:190], exog[:190])
    second = again._ensemble.roll(NOISY[:0], exog[190:200], [0], 10)[0]
    expected = nrmse_of([first, second], [NOISY[180:190], NOISY[190:200]], NOISY[:200])
    assert score == pytest.approx(-expected, rel=1e-9)


def test_a_search_chooses_what_runs_longer():
    cv = RecycleValidation(2, horizon=20, warmup=100)
    scoring = {"time": valid_time(20), "error": nrmse_at(20)}
    search = GridSearchCV(
        MODEL, {"alpha": [1e-2, 1e4]}, scoring=scoring, cv=cv, refit="time", n_jobs=1
    ).fit(WAVES[:-1], WAVES[1:])
    assert search.best_params_ == {"alpha": 1e-2}
    best = search.best_estimator_
    for k, stop in enumerate((219, 239)):
        forecast = best.generate(20, WAVES[stop - 120 : stop - 19])
        rows = WAVES[stop - 119 : stop + 1]
        expected = -nrmse_of([forecast], [rows[-20:]], rows)
        assert search.cv_results_[f"split{k}_test_error"][0] == pytest.approx(expected, rel=1e-9)
    assert nrmse_at(20)(search, WAVES[:-1], WAVES[1:]) == nrmse_at(20)(best, WAVES[:-1], WAVES[1:])


def test_frames_are_scored_without_warnings():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(NOISY, columns=["a", "b"])
    model = clone(MODEL).fit(frame[:-1], frame[1:])
    score = nrmse_at(10, n_windows=2)
    assert score(model, frame[:-1], frame[1:]) == pytest.approx(score(fitted(), X, Y), rel=1e-12)
    forecaster = Forecaster(Ridge(), lags=3)
    score = cross_val_score(forecaster, frame, scoring=nrmse_at(5), cv=RecycleValidation(2))
    assert np.isfinite(score).all()


def test_scorers_are_pickled_cloned_and_routed_to():
    score = valid_time(10, n_windows=2)
    for other in (clone(score), pickle.loads(pickle.dumps(score))):
        assert other(fitted(), X, Y) == score(fitted(), X, Y)
    with sklearn.config_context(enable_metadata_routing=True):
        cv = RecycleValidation(1, horizon=50)
        assert np.isfinite(cross_val_score(MODEL, X, Y, scoring=score, cv=cv, params={})).all()


@pytest.mark.filterwarnings("ignore:The scoring runs=")
@pytest.mark.parametrize("search", [GridSearchCV, ReservoirSearchCV])
def test_several_scores_of_weighted_rows(search):
    absolute = make_sequence_scorer(mean_absolute_error, greater_is_better=False)
    scoring = {"absolute": absolute, "runs": nrmse_at(5), "free": make_sequence_scorer(_any)}
    w = np.where(np.arange(len(X)) % 3, 1.0, 0.0)
    tried = search(MODEL, {"alpha": [1e-2]}, scoring=scoring, refit=False, cv=TimeSeriesSplit(2))
    got = tried.fit(X, Y, sample_weight=w).cv_results_
    train, test = list(TimeSeriesSplit(2).split(X))[1]
    model = clone(MODEL).fit(X[train], Y[train], sample_weight=w[train])
    assert got["split1_test_runs"] == [nrmse_at(5)(model, X[test], Y[test])]
    if hasattr(search, "_check_scorers_accept_sample_weight"):  # others pass no weights to scorers
        assert got["split1_test_absolute"] == [absolute(model, X[test], Y[test], w[test])]
        assert got["split1_test_free"] == [1.0]


def _any(y_true, y_pred, **params):
    return float("sample_weight" in params)


@pytest.mark.parametrize("n_good", [0, 1, 6, 9, 10])
@pytest.mark.parametrize("raises", [True, False])
def test_the_steps_before_a_divergence_count(n_good, raises):
    def run(n_steps):
        rows = np.arange(n_steps, dtype=float)[:, None]
        if n_steps > n_good and raises:
            raise FloatingPointError
        return np.full_like(rows, np.nan) if n_steps > n_good else rows

    out = _until_divergence(run, 10, 1)[:, 0]
    np.testing.assert_array_equal(out[:n_good], np.arange(n_good))
    assert np.isnan(out[n_good:]).all()


def test_a_run_that_diverges_is_the_worst_and_is_valid_until_then():
    doubles = 2.0 ** np.arange(20)[:, None]
    model = ESNRegressor(n_units=1, alpha=0.0, input_scaling=1e-9, bias_scaling=0.0)
    model = model.set_params(random_state=0).fit(doubles[:-1], doubles[1:])
    ones = np.ones((1200, 1))
    assert nrmse_at(1100, std=1.0)(model, ones, ones) == -np.inf
    n_valid = valid_time(1100, threshold=2.0**400.5, std=1.0)(model, ones, ones)
    assert n_valid == 400


def sklearn_ridge():
    return Ridge().fit(X, Y)


def behind_a_scaler():
    return make_pipeline(StandardScaler(), clone(MODEL)).fit(X, Y)


def per_sequence():
    batch = NOISY.reshape(24, 10, 2)
    return ESNRegressor(n_units=5, pooling="last", random_state=0).fit(batch, np.arange(24.0))


SHUFFLED = RNG.permutation(len(X))
SHORT = "5 time steps, too few for n_windows=1 free runs of horizon=10 steps with stride=10: the"


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        (lambda: nrmse_at(0), ValueError, "horizon must be an integer >= 1, got 0"),
        (lambda: nrmse_at(5, n_windows=0), ValueError, "n_windows must be an integer >= 1"),
        (lambda: nrmse_at(5, stride=0.5), TypeError, "stride must be an integer"),
        (lambda: nrmse_at(5, std=0.0), ValueError, "std must be positive"),
        (lambda: valid_time(5, threshold=0), ValueError, "threshold must be"),
        (lambda: valid_time(5, dt=-1.0), ValueError, "dt must be"),
        (lambda: valid_time(5, lyapunov_exponent=0), ValueError, "lyapunov_exponent must be"),
        (lambda: nrmse_at(5)(sklearn_ridge(), X, Y), TypeError, r"generate.* got Ridge\(\)"),
        (lambda: nrmse_at(5)(behind_a_scaler(), X, Y), TypeError, r"use Forecaster\(ESNRegressor"),
        (
            lambda: nrmse_at(5)(per_sequence(), NOISY.reshape(24, 10, 2), np.arange(24.0)),
            ValueError,
            "fitted to a target for every time step",
        ),
        (lambda: nrmse_at(10)(fitted(), X[:5], Y[:5]), ValueError, SHORT.replace("5", "6", 1)),
        (
            lambda: nrmse_at(5)(fitted(), X[SHUFFLED], Y[SHUFFLED]),
            ValueError,
            r"y\[0\] differs from X\[1\]: fit\(series\[:-1\], series\[1:\]\)",
        ),
        (
            lambda: nrmse_at(5, std=[1.0, 1.0, 1.0])(fitted(), X, Y),
            ValueError,
            "std must have a number for each of 2 outputs",
        ),
        (
            lambda: nrmse_at(5)(fitted(), np.ones((20, 2)), np.ones((20, 2))),
            ValueError,
            "an output is constant: give std",
        ),
        (
            lambda: nrmse_at(5)(Forecaster().fit(WAVES[:60]), WAVES),
            ValueError,
            "need a Forecaster with an estimator, without calendar and past_exog, got estimator=N",
        ),
        (
            lambda: nrmse_at(5)(Forecaster(Ridge(), lags=2).fit(WAVES), WAVES, WAVES),
            ValueError,
            "y must have the 0 exogenous inputs of fit, got 2",
        ),
        (
            lambda: nrmse_at(10)(Forecaster(Ridge(), lags=12).fit(WAVES), WAVES[:20]),
            ValueError,
            "the first run needs 13 rows before it that drive the model",
        ),
        (
            lambda: nrmse_at(10)(
                Forecaster(Ridge(), lags=2, strategy="direct", horizon=4).fit(WAVES), WAVES
            ),
            ValueError,
            "n_steps must be at most horizon=4",
        ),
        (
            lambda: nrmse_at(5)(Forecaster(Ridge(), lags=2).fit(WAVES), WAVES * [1, np.nan]),
            ValueError,
            "series",
        ),
    ],
)
def test_wrong_calls_name_what_is_wrong(score, error, message):
    with pytest.raises(error, match=message):
        score()
