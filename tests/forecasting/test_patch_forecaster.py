"""`PatchForecaster`: forecasts of fields, patch by patch."""

import warnings

import numpy as np
import pandas as pd
import pytest
from reference import patch_forecast, patches, reservoir_states, ridge_augmented
from sklearn.base import BaseEstimator, RegressorMixin

from esnkit import NVAR, ESNRegressor, PatchForecaster, ReservoirRegressor
from esnkit.datasets import make_kuramoto_sivashinsky, make_lorenz96
from esnkit.metrics import nrmse, valid_prediction_time

LINE, GRID = (12,), (4, 6)


def field(shape, n_steps=60, seed=0):
    """Return a smooth random field."""
    rng, t = np.random.default_rng(seed), np.arange(n_steps)
    rates, phases = rng.uniform(0.1, 0.5, shape), rng.uniform(0, 6, shape)
    return 2.0 + np.sin(np.multiply.outer(t, rates) + phases)


def esn(n_units=8, **parameters):
    return ESNRegressor(n_units, leak_rate=0.7, alpha=1e-2, random_state=0, **parameters)


def patchwise(estimator=None, **parameters):
    return PatchForecaster(estimator or esn(), **({"noise": 0.0} | parameters))


def fields_learned(z, reflection):
    """Return a scaled field and all its mirror images."""
    mirrored = [z]
    if reflection:
        sign = -1.0 if reflection == "odd" else 1.0
        for axis in range(1, z.ndim):
            mirrored += [sign * np.flip(part, axis) for part in mirrored]
    return mirrored


def network_of(model, sequences, alpha=1e-2):
    """Return the weights of a fitted model, with a readout that is fitted here."""
    r = model.reservoir_
    W = np.asarray(r.W_.todense()) if hasattr(r.W_, "todense") else np.asarray(r.W_)
    rows, targets = [], []
    for X, Y in sequences:
        states = reservoir_states(W, r.W_in_, r.b_, r.leak_rate_, "tanh", X)
        rows.append(np.hstack([states, X]))
        targets.append(Y)
    Z, Y = np.concatenate(rows), np.concatenate(targets)
    B, intercept = ridge_augmented(Z, Y, alpha, np.ones(len(Z)))
    return W, r.W_in_, r.b_, r.leak_rate_, B.T, intercept


@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        (LINE, {"patch_size": 4, "overlap": 2}),
        (LINE, {"patch_size": 3, "overlap": 1, "periodic": False, "reflection": "even"}),
        (LINE, {"patch_size": 4, "overlap": 1, "shared": False, "reflection": "odd"}),
        (GRID, {"patch_size": 2, "overlap": (1, 2), "reflection": "odd"}),
        (GRID, {"patch_size": (4, 3), "overlap": (0, 1), "periodic": False, "shared": False}),
    ],
    ids=["ring", "line", "networks", "torus", "grid"],
)
def test_forecasts_are_those_of_a_loop_over_patches(shape, parameters):
    F = field(shape)
    model = patchwise(**parameters).fit(F[:50]).update(F[50:])
    reflection, mode = parameters.get("reflection"), "wrap" if model.periodic else "edge"
    mean = 0.0 if reflection == "odd" else F[:50].mean()
    scale = np.sqrt(np.mean((F[:50] - mean) ** 2))
    z, layout = (F - mean) / scale, (model.patch_size_, model.overlap_, mode)
    cut = [
        {corner: (X[:-1], Y[1:]) for corner, X, Y in patches(part[:50], *layout)}
        for part in fields_learned(z, reflection)
    ]
    if model.shared:
        learned = [pair for of_part in cut for pair in of_part.values()]
        networks = [network_of(model.estimators_[0], learned)] * len(cut[0])
    else:
        mirror = {corner: mirror_corner(corner, shape, layout[0]) for corner in cut[0]}
        networks = [
            network_of(fitted, [cut[0][c], *([cut[1][mirror[c]]] if reflection else [])])
            for fitted, c in zip(model.estimators_, cut[0], strict=True)
        ]
    expected = patch_forecast(z, 5, networks, *layout) * scale + mean
    np.testing.assert_allclose(model.forecast(5), expected, rtol=1e-7, atol=1e-8)


def mirror_corner(corner, shape, size):
    """Return where a patch is in the mirror image of a line."""
    return tuple(n - s - c for c, n, s in zip(corner, shape, size, strict=True))


def test_a_single_patch_is_an_echo_state_network():
    F = field(LINE)
    model = patchwise(patch_size=12, overlap=0).fit(F)
    z = (F - F.mean()) / F.std()
    network = esn().fit(z[:-1], z[1:])
    expected = network.generate(15, warmup=z) * F.std() + F.mean()
    np.testing.assert_allclose(model.forecast(15), expected, rtol=1e-10)
    assert (model.mean_, model.scale_) == pytest.approx((F.mean(), F.std()))


def test_the_forecast_of_a_shifted_field_is_shifted():
    F = field(LINE)
    at_rest = patchwise(patch_size=3, overlap=2).fit(F).forecast(10)
    shifted = patchwise(patch_size=3, overlap=2).fit(np.roll(F, 6, axis=1)).forecast(10)
    np.testing.assert_allclose(shifted, np.roll(at_rest, 6, axis=1), rtol=1e-7)


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps what it learns, and predicts the middle of its inputs."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def predict(self, X, initial_state=None, return_state=False):
        middle = X[:, :, 1:-1]
        return (middle, np.zeros((len(X), 1))) if return_state else middle


def test_noise_is_added_to_inputs_and_not_to_targets():
    F = field((50,), 400)
    model = PatchForecaster(Recorder(), patch_size=1, overlap=1, noise=0.01, random_state=0).fit(F)
    z, (fitted,) = (F - F.mean()) / F.std(), model.estimators_
    np.testing.assert_array_equal(fitted.y_[:, :, 0], z[1:].T)
    noise = fitted.X_[:, :, 1] - z[:-1].T
    assert noise.std() == pytest.approx(0.01, rel=0.03)
    # All patches see the same value of a point.
    np.testing.assert_array_equal(fitted.X_[1:, :, 0], fitted.X_[:-1, :, 1])
    np.testing.assert_allclose(model.forecast(2), F[[-1, -1]])


@pytest.mark.parametrize("shared", [True, False])
def test_the_noise_has_a_seed_that_no_network_has(shared):
    F = field((10,))
    model = PatchForecaster(Recorder(), patch_size=1, overlap=1, shared=shared, random_state=0)
    model.fit(F)
    noise = model.estimators_[0].X_[0, :, 1] - (F[:-1, 0] - F.mean()) / F.std()
    for seed in (0, *(fitted.random_state for fitted in model.estimators_)):
        drawn = np.random.RandomState(seed).standard_normal((len(F), 10))[:-1, 0]
        assert abs(np.corrcoef(noise, drawn)[0, 1]) < 0.5


def test_the_seed_decides():
    F, parameters = field(LINE), {"patch_size": 4, "shared": False}
    estimator = ESNRegressor(8)
    a, b, c = (
        PatchForecaster(estimator, random_state=seed, **parameters).fit(F) for seed in (1, 1, 2)
    )
    assert np.array_equal(a.forecast(5), b.forecast(5))
    assert not np.array_equal(a.forecast(5), c.forecast(5))
    weights = [fitted.reservoir_.W_in_ for fitted in a.estimators_]
    assert not np.array_equal(weights[0], weights[1])


class Huge(Recorder):
    """Predicts numbers that overflow in the units of the field."""

    def predict(self, X, initial_state=None, return_state=False):
        return np.full((*X.shape[:2], 1), 1e308), np.zeros((len(X), 1))


def test_an_overflow_is_a_divergence_without_a_warning():
    model = PatchForecaster(Huge(), patch_size=1, overlap=1, noise=0.0).fit(100.0 * field((10,)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FloatingPointError, match="diverged"):
            model.forecast(3)


def test_forecasts_do_not_move_the_model_and_updates_do():
    F = field(GRID, 70)
    model = patchwise(patch_size=2, overlap=1).fit(F[:50])
    before = model.forecast(4)
    assert before.shape == (4, *GRID) and np.array_equal(before, model.forecast(4))
    model.update(F[50:60]).update(F[60:])
    assert model.n_timesteps_ == 70 and not np.allclose(before, model.forecast(4))
    at_once = patchwise(patch_size=2, overlap=1).fit(F[:50]).update(F[50:])
    np.testing.assert_array_equal(model.forecast(4), at_once.forecast(4))


def test_frames_are_continued():
    F = pd.DataFrame(field(LINE), columns=[f"s{k}" for k in range(12)])
    F.index = pd.date_range("2026-01-01", periods=len(F), freq="h")
    model = patchwise(patch_size=4).fit(F[:50])
    ahead = model.forecast(3)
    assert list(ahead.columns) == list(F.columns) and ahead.index.equals(F.index[50:53])
    np.testing.assert_array_equal(ahead, patchwise(patch_size=4).fit(F[:50].values).forecast(3))
    with pytest.raises(ValueError, match="new must continue the index"):
        model.update(F[55:])


def test_the_score_is_the_error_of_the_forecast():
    F = field(LINE)
    model = patchwise(patch_size=4).fit(F[:50])
    expected = nrmse(F[50:].ravel(), model.forecast(10).ravel())
    assert model.score(F[50:]) == pytest.approx(-expected)


def test_a_forecast_that_diverges_is_refused_and_scored_as_worst():
    F = np.exp(2.0 * np.arange(40))[:, None] * np.ones(4)  # the values of step 355 overflow
    estimator = ReservoirRegressor(NVAR(1, orders=(1, 2)))
    model = patchwise(estimator, patch_size=2, overlap=0).fit(F)
    model.estimators_[0].readout_.coef_ = 3.0 * model.estimators_[0].readout_.coef_
    with pytest.raises(FloatingPointError, match="diverged after .* steps: .* noise"):
        model.forecast(2000)
    assert model.score(np.vstack([F] * 50) + np.arange(4)) == -np.inf


class Growing(Recorder):
    """Predicts one value of a network that multiplies what it sees by five."""

    def predict(self, X, initial_state=None, return_state=False):
        return 5.0 * X[:, :, :1], np.zeros((len(X), 1))


def test_a_forecast_that_runs_away_is_warned_of():
    F = field((10,))
    model = PatchForecaster(Growing(), patch_size=1, overlap=0, noise=0.0).fit(F)
    assert np.abs(model.forecast(1) - F.mean()).max() > 4 * F.std()
    with pytest.warns(RuntimeWarning, match="leaves the range of the field: in step 2 .* noise"):
        ahead = model.forecast(20)
    np.testing.assert_allclose(ahead[1:] - F.mean(), 5 * (ahead[:-1] - F.mean()))


def test_default_patches_divide_the_field():
    model = PatchForecaster(esn()).fit(field((15,)))
    assert (model.patch_size_, model.overlap_, model.shape_) == ((3,), (4,), (15,))


def test_the_defaults_forecast_a_wave_on_a_ring_of_a_prime_number_of_points():
    s, t = np.arange(13), np.arange(370)[:, None]
    F = np.sin(2 * np.pi * (s / 13 - t / 40)) + 0.3 * np.cos(2 * np.pi * (2 * s / 13 + t / 23))
    ahead = PatchForecaster(random_state=0).fit(F[:350]).forecast(20)
    np.testing.assert_allclose(ahead, F[350:], atol=0.02)


def test_patches_that_see_the_whole_ring_forecast_opposite_waves():
    s, t = np.arange(24), np.arange(500)[:, None]
    F = np.sin(2 * np.pi * (s / 24 - t / 40)) + 0.6 * np.sin(2 * np.pi * (s / 24 + t / 23) + 1)
    ahead = PatchForecaster(overlap=10, random_state=0).fit(F[:400]).forecast(100)
    np.testing.assert_allclose(ahead, F[400:], atol=0.05)


def test_the_defaults_forecast_points_that_are_little_alike():
    F = make_lorenz96(1020, n_features=20, dt=0.02, random_state=1)
    model = PatchForecaster(random_state=0).fit(F[:1000])
    error = np.sqrt(np.mean((model.forecast(20) - F[1000:]) ** 2, axis=1)) / F.std()
    assert error.max() < 0.3


def test_a_chaotic_field_is_forecast():
    F = make_kuramoto_sivashinsky(430, n_discard=200, random_state=0)
    network = ESNRegressor(
        150, spectral_radius=0.3, input_scaling=0.1, bias_scaling=1.0, alpha=1e-6, washout=20
    )
    model = PatchForecaster(network, patch_size=4, overlap=8, random_state=0).fit(F[:300])
    time = valid_prediction_time(F[300:], model.forecast(130), dt=0.25, std=model.scale_)
    assert time * 0.043 > 1.0  # Lyapunov times


def test_a_new_range_counts_in_warnings():
    F = field((10,))
    model = PatchForecaster(Growing(), patch_size=1, overlap=0, noise=0.0).fit(F)
    model.update(np.vstack([1e4 * F[:1], F[:1]])).forecast(4)  # without a warning


@pytest.mark.parametrize("shape", [LINE, GRID], ids=["line", "grid"])
def test_a_backtest_forecasts_from_rolling_origins(shape):
    F = field(shape, 70)
    result = patchwise().backtest(F, 3, n_windows=3, stride=4, interval=0.5)
    model, rows = patchwise().fit(F[:59]), []
    for origin in (59, 63, 67):
        rows.append(model.forecast(3, interval=0.5))
        model.update(F[origin : origin + 4])
    for key, wanted in zip(("forecasts", "lower", "upper"), zip(*rows, strict=True), strict=True):
        np.testing.assert_allclose(result[key], wanted, rtol=1e-10)
    np.testing.assert_array_equal(result.observed, [F[k : k + 3] for k in (59, 63, 67)])
    refitted = patchwise().backtest(F, 3, n_windows=2, stride=4, refit=True)
    np.testing.assert_allclose(refitted.forecasts[-1], patchwise().fit(F[:67]).forecast(3))
