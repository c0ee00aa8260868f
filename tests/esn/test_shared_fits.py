"""Fits and predictions in a search: the bits of those outside of one, from fewer runs."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge

from esnkit import (
    ESNClassifier,
    ESNRegressor,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
)
from esnkit.esn._shared_fits import Drawn
from esnkit.pooling import ModelSpace
from esnkit.reservoirs import (
    NVAR,
    BaseReservoir,
    BidirectionalReservoir,
    DeepReservoir,
    ParallelReservoir,
)
from esnkit.utils._sharing import SharedWork, share_work


@pytest.fixture
def runs(monkeypatch):
    """Numbers of rows of the runs of reservoirs."""
    found, run = [], Reservoir.run

    def counted(self, sequences, state, out=None, **forcing):
        found.append(len(sequences.values))
        return run(self, sequences, state, out, **forcing)

    monkeypatch.setattr(Reservoir, "run", counted)
    return found


@pytest.fixture
def wave(rng):
    X = rng.uniform(-1, 1, (200, 1))
    return X, np.convolve(X[:, 0], [0.2, 0.5])[:200]


def regressor(alpha=1e-3, **params):
    return ESNRegressor(15, **{"alpha": alpha, "random_state": 0} | params)


def predictions(model, X, y, X_new, **fit_params):
    model.fit(X, y, **fit_params)
    return [getattr(model, m)(X_new) for m in ("predict", "predict_proba") if hasattr(model, m)]


def assert_same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(np.concatenate(a) if isinstance(a, list) else a,
                                      np.concatenate(b) if isinstance(b, list) else b)  # fmt: skip


MODELS = {
    "steps": lambda alpha: regressor(alpha),
    "washout": lambda alpha: regressor(alpha, washout=5, include_input=False),
    "feedback": lambda alpha: regressor(alpha, feedback=True),
    "qr": lambda alpha: regressor(alpha, solver="qr"),
    "float matrix": lambda alpha: regressor(alpha, topology=np.eye(15), spectral_radius=None),
    "parts": lambda alpha: ReservoirRegressor(
        Reservoir(15, random_state=0), RidgeReadout(alpha, standardize=True)
    ),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_penalties_share_a_fit(make, wave, runs):
    X, y = wave
    alphas = [1e-12, 1e-3, 10.0]
    wanted = [predictions(make(alpha), X[:150], y[:150], X[150:]) for alpha in alphas]
    runs.clear()
    with share_work(SharedWork(1e9)):
        found = [predictions(make(alpha), X[:150], y[:150], X[150:]) for alpha in alphas]
        n_rows = sum(runs)
        predictions(make(1.0), X[:150].copy(), y[:150].copy(), X[150:].copy())
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b)
    assert sum(runs) == n_rows or make(1.0).get_params().get("feedback")
    assert n_rows <= 350  # those of one fit and one prediction, perhaps read a second time


def test_sequences_with_one_label_share_a_fit(kinds, runs):
    X, y = kinds
    alphas = [1e-3, 1.0, [1e-2, 10.0]]
    for pooling in ("last", ["mean", ModelSpace(3)]):
        params = {"n_units": 10, "pooling": pooling, "random_state": 0}
        wanted = [predictions(ESNClassifier(alpha=a, **params), X, y, X[:5]) for a in alphas]
        with share_work(SharedWork(1e9)):
            found = []
            for alpha in alphas:
                found.append(predictions(ESNClassifier(alpha=alpha, **params), X, y, X[:5]))
                runs.clear()
        assert runs == []
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(a[0], b[0])
            np.testing.assert_allclose(a[1], b[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "n_units", "alpha", "second"),  # the rows that the second fit leaves to the third
    [(None, 15, 1e-8, 2048), ("rows", 15, 1e-8, 2048), (None, 300, 1.0, 3072)],
)
def test_a_longer_series_starts_where_the_shorter_one_ends(weights, n_units, alpha, second, runs):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (5000, 1))
    y = np.convolve(X[:, 0], [0.2, 0.5])[:5000]
    w = None if weights is None else rng.uniform(0, 1, 5000)
    lengths = [2100, 3100, 5000]

    def fits():
        for n in lengths:
            model = ESNRegressor(n_units, alpha=alpha, random_state=0)
            model.fit(X[:n], y[:n], sample_weight=None if w is None else w[:n])
            yield model.readout_.coef_, model.last_state_

    wanted = list(fits())
    runs.clear()
    with share_work(SharedWork(1e9)):
        found = list(fits())
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b)
    assert sum(runs) == 2100 + (3100 - 2048) + (5000 - second)


def test_other_features_share_no_rows_of_a_shorter_series():
    X = np.random.default_rng(0).uniform(-1, 1, (3000, 1))
    y = np.convolve(X[:, 0], [0.2, 0.5])[:3000]
    for other in ({"quadratic": True}, {"include_input": False}):
        wanted = regressor(**other).fit(X, y).readout_.coef_
        with share_work(SharedWork(1e9)):
            regressor().fit(X[:2100], y[:2100])
            assert np.array_equal(regressor(**other).fit(X, y).readout_.coef_, wanted)


@pytest.mark.parametrize(
    "other",
    [
        {"random_state": 1},
        {"leak_rate": 0.5},
        {"include_input": False},
        {"quadratic": True},
        {"washout": 1},
        {"degree": 4},
        {"solver": "gram"},
    ],
)
def test_other_parameters_are_other_fits(other, wave):
    X, y = wave
    wanted = predictions(regressor(**other), X, y, X)
    with share_work(SharedWork(1e9)):
        regressor().fit(X, y)
        assert_same(predictions(regressor(**other), X, y, X), wanted)


@pytest.mark.parametrize("changed", ["X", "y", "weights", "state", "clamp"])
def test_other_data_are_other_fits(changed, wave):
    X, y = wave
    params = {
        "X": (X + 0.1, y, {}),
        "y": (X, y + X[:, 0], {}),
        "weights": (X, y, {"sample_weight": np.linspace(0, 1, 200)}),
        "state": (X, y, {"initial_state": np.ones(15)}),
        "clamp": (X, y, {"clamp": ([0], [0.5])}),
    }
    new_X, new_y, fit_params = params[changed]
    wanted = predictions(regressor(), new_X, new_y, X, **fit_params)
    with share_work(SharedWork(1e9)):
        regressor().fit(X, y)
        regressor().fit(X[:100], y[:100])
        assert_same(predictions(regressor(), new_X, new_y, X, **fit_params), wanted)


def test_noise_is_that_of_a_fit_alone(wave):
    X, y = wave
    models = [regressor(alpha, noise=0.01) for alpha in (1e-3, 1.0)]
    wanted = [predictions(model, X, y, X) for model in models]
    with share_work(SharedWork(1e9)):
        for model, predicted in zip(models, wanted, strict=True):
            assert_same(predictions(model, X, y, X), predicted)


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0)])
def test_without_a_seed_every_fit_has_other_weights(seed, wave, runs):
    X, y = wave
    with share_work(SharedWork(1e9)):
        first, second = (regressor(random_state=seed).fit(X, y) for _ in range(2))
        for model in (first, second):
            model.predict(X)
    assert not np.array_equal(first.reservoir_.W_in_, second.reservoir_.W_in_)
    assert sum(runs) == 800


def test_inputs_that_scale_the_weights_are_compared(wave):
    X, y = wave
    params = {"input_scaling": "auto"}
    wanted = predictions(regressor(**params), 3 * X, y, X)
    with share_work(SharedWork(1e9)):
        regressor(**params).fit(X, y)
        assert_same(predictions(regressor(**params), 3 * X, y, X), wanted)


def test_other_readouts_share_the_states_to_predict(wave, runs):
    X, y = wave
    with share_work(SharedWork(1e9)):
        for alpha in (0.1, 1.0):
            model = ReservoirRegressor(Reservoir(15, random_state=0), Ridge(alpha))
            found = model.fit(X, y).predict(X[:50])
    assert runs == [200, 50, 200]
    assert np.array_equal(found, model.fit(X, y).predict(X[:50]))


class Drift(BaseReservoir):
    """A reservoir of the user without a seed, whose weights depend on its inputs."""

    def prepare(self, n_inputs, n_feedback=0, dtype=np.float64, inputs=None):
        self.rate_ = 0.5 if inputs is None else inputs.mean()
        return super().prepare(n_inputs, n_feedback, dtype, inputs)

    def draw(self, n_inputs, n_feedback=0, dtype=np.float64):
        self.n_state_ = self.n_features_out_ = 1
        return self

    def run(self, sequences, state, out=None):
        for i, (start, stop) in enumerate(sequences.bounds):
            for t in range(start, stop):
                state[i] += self.rate_ * sequences.values[t].sum()
                if out is not None:
                    out[t, :1] = state[i]


def test_a_reservoir_of_the_user_is_drawn_anew_for_other_inputs(wave):
    X, y = wave
    wanted = predictions(ReservoirRegressor(Drift()), 2 * X, y, X)
    with share_work(SharedWork(1e9)):
        ReservoirRegressor(Drift()).fit(X, y)
        assert_same(predictions(ReservoirRegressor(Drift()), 2 * X, y, X), wanted)


@pytest.mark.parametrize("max_bytes", [0, 3000, 30_000])
def test_less_memory_changes_no_result(max_bytes, wave):
    X, y = wave
    wanted = [predictions(regressor(a), X[:n], y[:n], X) for n in (100, 150) for a in (1e-3, 1.0)]
    work = SharedWork(max_bytes)
    with share_work(work):
        found = [
            predictions(regressor(a), X[:n], y[:n], X) for n in (100, 150) for a in (1e-3, 1.0)
        ]
        work.trim()
    assert sum(result.n_bytes for result in work.results) <= max_bytes
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b)


def test_a_failed_fit_leaves_no_trace(wave):
    X, y = wave
    with share_work(SharedWork(1e9)):
        regressor().fit(X, y)
        model = regressor(alpha=-1.0)
        with pytest.raises(ValueError, match="alpha must be finite and not negative"):
            model.fit(X, y)
        assert not hasattr(model, "reservoir_")


def test_classifiers_of_steps_have_the_probabilities_of_a_fit_alone(wave):
    X, y = wave
    y = np.where(y > 0, "up", "down")

    def make(alpha):
        return ReservoirClassifier(Reservoir(15, random_state=0), RidgeReadout(
            alpha, scoring="classification"))  # fmt: skip

    wanted = [predictions(make(alpha), X, y, X) for alpha in (1e-3, 1.0)]
    with share_work(SharedWork(1e9)):
        found = [predictions(make(alpha), X, y, X) for alpha in (1e-3, 1.0)]
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b)


SEEDED = Reservoir(10, random_state=0)


@pytest.mark.parametrize(
    ("reservoir", "shares"),
    [
        (DeepReservoir(Reservoir(10), 2, random_state=0), True),
        (DeepReservoir(SEEDED, 2), True),
        (BidirectionalReservoir(SEEDED), True),
        (ParallelReservoir(SEEDED, 2, reservoir_params={"leak_rate": [0.5, 1.0]}), True),
        (DeepReservoir(Reservoir(10), 2), False),
        (DeepReservoir(ParallelReservoir(SEEDED, 2), 2), False),
        (ParallelReservoir(SEEDED, 2, reservoir_params={"random_state": [None, 0]}), False),
        (DeepReservoir(Reservoir(10), 2, random_state=np.random.RandomState(0)), False),
        (NVAR(2), True),
    ],
)
def test_composed_reservoirs_share_if_their_seeds_are_known(reservoir, shares, wave):
    X, y = wave
    work = SharedWork(1e9)
    with share_work(work):
        for alpha in (1e-3, 1.0):
            model = ReservoirRegressor(clone(reservoir), RidgeReadout(alpha)).fit(X, y)
        found = model.predict(X)
    assert bool(work.all_of(Drawn)) == shares
    if shares:
        assert np.array_equal(found, model.fit(X, y).predict(X))


def test_members_that_scale_their_inputs_are_drawn_anew(wave):
    X, y = wave
    scaled = {"reservoir_params": {"input_scaling": ["auto", 0.5]}}
    for reservoir in (ParallelReservoir(SEEDED, 2, **scaled), DeepReservoir(
        Reservoir(10, input_scaling="auto", random_state=0), 2)):  # fmt: skip
        model = ReservoirRegressor(reservoir, RidgeReadout(1e-3))
        wanted = predictions(model, 3 * X, y, X)
        with share_work(SharedWork(1e9)):
            model.fit(X, y)
            assert_same(predictions(model, 3 * X, y, X), wanted)


@pytest.mark.parametrize("max_bytes", [1e9, 5000])
def test_poolings_are_fitted_to_the_states_that_are_pooled(kinds, runs, max_bytes):
    X, y = kinds
    model = ESNClassifier(10, pooling=["ppv", ModelSpace(3)], alpha=1.0, random_state=0)
    wanted = model.fit(X, y).pooling_, predictions(model, X, y, X)
    runs.clear()
    with share_work(SharedWork(max_bytes)):
        model.fit(X, y)
    n_rows = sum(map(len, X))
    assert sum(runs) == (n_rows if max_bytes == 1e9 else 2 * n_rows)
    for got, part in zip(model.pooling_.parts, wanted[0].parts, strict=True):
        for name, value in vars(part).items():
            np.testing.assert_array_equal(getattr(got, name), value)
    assert_same([getattr(model, m)(X) for m in ("predict", "predict_proba")], wanted[1])


def test_kept_states_are_not_those_of_other_inputs(kinds):
    X, y = kinds
    model = ESNClassifier(10, pooling="ppv", input_scaling=0.5, alpha=1.0, random_state=0)
    other = [2 * x for x in X]
    wanted = predictions(model, other, y, X)
    with share_work(SharedWork(1e9)):
        model.fit(X, y)
        assert_same(predictions(model, other, y, X), wanted)


def test_a_longer_series_of_other_weights_starts_anew():
    rng = np.random.default_rng(0)
    X, w = rng.uniform(-1, 1, (4300, 1)), rng.uniform(0.5, 1, (2, 4300))
    y = np.convolve(X[:, 0], [0.2, 0.5])[:4300]
    for first, second in ((w[0], w[1]), (None, w[0]), (w[0], None)):
        wanted = regressor().fit(X, y, sample_weight=second).readout_.coef_
        with share_work(SharedWork(1e9)):
            regressor().fit(
                X[:2100], y[:2100], sample_weight=None if first is None else w[0, :2100]
            )
            found = regressor().fit(X, y, sample_weight=second).readout_.coef_
        assert np.array_equal(found, wanted)


def test_predictions_from_other_states_are_others(wave):
    X, y = wave
    model = regressor().fit(X, y)
    wanted = model.predict(X[:50], initial_state=model.last_state_)
    with share_work(SharedWork(1e9)):
        model.fit(X, y).predict(X[:50])
        found, state = model.predict(X[:50], initial_state=model.last_state_), model.last_state_
        again = model.predict(X[:50], initial_state=state, return_state=True)
    assert np.array_equal(found, wanted) and np.array_equal(again[0], wanted)
    assert not np.array_equal(again[1], state)


def test_states_of_a_fit_that_failed_are_not_those_of_the_next_one(kinds):
    X, y = kinds
    params = {"pooling": "ppv", "input_scaling": 0.5, "random_state": 0}
    other = [2 * x for x in X]
    wanted = predictions(ESNClassifier(10, alpha=1.0, **params), other, y, X)
    with share_work(SharedWork(1e9)):
        with pytest.raises(ValueError, match="alpha must be finite"):
            ESNClassifier(10, alpha=-1.0, **params).fit(X, y)
        assert_same(predictions(ESNClassifier(10, alpha=1.0, **params), other, y, X), wanted)


def test_settings_with_arrays_are_compared(rng, capsys):
    # With progress reports no fit is shared, so that the settings are equal, not the same.
    X, y = list(rng.normal(size=(20, 15, 2))), np.arange(20) % 2
    models = [
        ESNClassifier(8, differences=True, pooling="mean", alpha=alpha, verbose=1, random_state=0)
        for alpha in (0.1, 1.0)
    ]
    wanted = [predictions(clone(model), X[:12], y[:12], X[12:]) for model in models]
    with share_work(SharedWork(1e9)):
        found = [predictions(model, X[:12], y[:12], X[12:]) for model in models]
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b)
