"""Reservoirs and readouts of third parties work wherever ours do, by the contract alone."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from third_party import LeastMeanSquares, MirroredSum, NearestRow, TappedDelayLine

from esnkit import Forecaster, Reservoir, ReservoirClassifier, ReservoirRegressor, RidgeReadout

RESERVOIRS = {
    "ours": Reservoir(20, random_state=0),
    "cycle": Reservoir(20, topology="cycle", random_state=0, noise=0.01, leak_rate=0.5),
    "tapped delay line": TappedDelayLine(4),
}
READOUTS = {
    "ridge": RidgeReadout(1e-6),
    "least mean squares": LeastMeanSquares(),
    "nearest row": NearestRow(),
    "scikit-learn": Ridge(1e-6),
}
every_reservoir = pytest.mark.parametrize("reservoir", RESERVOIRS.values(), ids=RESERVOIRS)
every_readout = pytest.mark.parametrize("readout", READOUTS.values(), ids=READOUTS)


def wave(n_timesteps=400):
    return np.sin(np.arange(n_timesteps) / 3).reshape(-1, 1)


def sequences_and_labels(n_sequences=30):
    rng = np.random.default_rng(0)
    y = np.array(["slow", "fast"])[np.arange(n_sequences) % 2]
    periods = np.where(y == "slow", 5.0, 1.5) * rng.uniform(0.9, 1.1, n_sequences)
    t = np.arange(25)[:, None]
    return [np.sin(t[: rng.integers(15, 25)] / period) for period in periods], y


@every_reservoir
@every_readout
def test_every_pair_predicts_and_runs_in_closed_loop(reservoir, readout):
    s = wave()
    model = ReservoirRegressor(reservoir, readout, random_state=0).fit(s[:-1], s[1:])
    assert model.score(s[:-1], s[1:]) > 0.9
    rows, state = model.generate(6, warmup=s, return_state=True)
    first, middle = model.generate(2, warmup=s, return_state=True)
    rest = model.generate(4, warmup=first[-1:], initial_state=middle)
    np.testing.assert_allclose(rows, np.vstack([first, rest]), rtol=1e-12)
    assert state.shape == (1, model.reservoir_.n_state_)


@every_reservoir
@every_readout
def test_a_closed_loop_is_the_loop_of_single_predictions(reservoir, readout):
    s = wave()
    model = ReservoirRegressor(reservoir, readout).fit(s[:-1], s[1:])
    _, state = model.predict(s[:-1], return_state=True)
    expected, row = [], s[-1:]
    for _ in range(5):
        row, state = model.predict(row, initial_state=state, return_state=True)
        expected.append(row)
    found = model.generate(5, warmup=s)
    np.testing.assert_allclose(found, np.vstack(expected), rtol=1e-9, atol=1e-12)


@every_reservoir
@every_readout
def test_every_pair_takes_feedback(reservoir, readout):
    y = wave(300)
    u = np.cos(np.arange(300) / 5).reshape(-1, 1)
    model = ReservoirRegressor(reservoir, readout, feedback=True, washout=5).fit(u, y)
    predictions = model.predict(u[:40])
    half, state = model.predict(u[:20], return_state=True)
    rest = model.predict(u[20:40], initial_state=state)
    np.testing.assert_allclose(np.vstack([half, rest]), predictions, rtol=1e-12)
    assert model.generate(3, exog=u[:3]).shape == (3, 1)


@every_reservoir
@every_readout
def test_every_pair_classifies(reservoir, readout):
    X, y = sequences_and_labels()
    for pooling in ("last", "mean"):
        model = ReservoirClassifier(reservoir, readout, pooling=pooling).fit(X, y)
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
        assert set(model.predict(X)) <= {"slow", "fast"}
    steps = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    assert ReservoirClassifier(reservoir, readout).fit(X, steps).score(X, steps) > 0.8


@every_reservoir
@every_readout
def test_every_pair_forecasts(reservoir, readout):
    s = wave()[:, 0]
    model = Forecaster(ReservoirRegressor(reservoir, readout)).fit(s[:380])
    forecast, lower, upper = model.forecast(5, interval=0.8)
    assert np.abs(forecast - s[380:385]).max() < 0.5 and (lower <= upper).all()
    model.update(s[380:390])
    assert model.backtest(s, 4, 3).forecasts.shape == (3, 4)


@every_reservoir
@every_readout
def test_every_pair_works_in_pipelines_and_searches(reservoir, readout):
    s = wave()
    pipeline = make_pipeline(StandardScaler(), ReservoirRegressor(reservoir, readout))
    assert pipeline.fit(s[:-1], s[1:]).score(s[:-1], s[1:]) > 0.9
    search = GridSearchCV(
        ReservoirRegressor(reservoir, readout, washout=10),
        {"include_input": [False, True]},
        cv=TimeSeriesSplit(2),
    )
    assert search.fit(s[:-1], s[1:]).best_score_ > 0.5


@every_reservoir
def test_a_reservoir_transforms_in_a_pipeline(reservoir):
    s = wave()
    pipeline = make_pipeline(StandardScaler(), reservoir, Ridge(1e-6)).fit(s[:-1], s[1:])
    assert pipeline.score(s[:-1], s[1:]) > 0.9


def test_parameters_of_nested_parts_are_searched():
    s = wave()
    model = ReservoirRegressor(TappedDelayLine(), LeastMeanSquares())
    grid = {"reservoir__n_taps": [1, 6], "readout__step": [0.1, 0.5]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(2)).fit(s[:-1], s[1:])
    assert search.best_params_["reservoir__n_taps"] == 6
    assert search.best_estimator_.reservoir_.n_state_ == 6


def test_a_reservoir_that_is_not_causal_reads_whole_sequences():
    X = [np.arange(float(n))[:, None] for n in (4, 7)]
    y = [x.sum() - np.cumsum(x, axis=0) + x for x in X]
    model = ReservoirRegressor(MirroredSum(), RidgeReadout(0.0)).fit(X, y)
    assert model.score(X, [v[:, 0] for v in y]) > 0.999 and not model.causal
    classifier = ReservoirClassifier(MirroredSum(), pooling="mean").fit(X, ["a", "b"])
    assert classifier.predict(X).tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda model, s: model.predict(s, initial_state=np.zeros(1)), "initial_state"),
        (lambda model, s: model.predict(s, return_state=True), "return_state"),
        (lambda model, s: model.generate(3, warmup=s), "generate"),
        (lambda model, s: model.fit(s, s, initial_state=np.zeros(1)), "initial_state"),
        (lambda model, s: model.set_params(feedback=True).fit(s, s), "feedback"),
    ],
)
def test_what_needs_a_causal_reservoir_says_so(call, what):
    s = wave(50)
    model = ReservoirRegressor(MirroredSum()).fit(s[:-1], s[1:])
    with pytest.raises(ValueError, match=f"{what}.*causal reservoir: MirroredSum"):
        call(model, s)


def test_a_forecaster_refuses_what_is_not_causal():
    with pytest.raises(ValueError, match="estimator must"):
        Forecaster(ReservoirRegressor(MirroredSum())).fit(wave()[:, 0])


def test_a_reservoir_without_clamps_says_so():
    s = wave(50)
    with pytest.raises(ValueError, match="TappedDelayLine"):
        ReservoirRegressor(TappedDelayLine()).fit(s[:-1], s[1:], clamp=([0], [0.0]))


@pytest.mark.parametrize("reservoir", [Ridge(), "diagonals", TappedDelayLine])
def test_what_is_no_reservoir_is_refused(reservoir):
    with pytest.raises(TypeError, match="reservoir must be"):
        ReservoirRegressor(reservoir).fit(wave(20), wave(20))
