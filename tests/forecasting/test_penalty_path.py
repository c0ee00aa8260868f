"""Forecasts for many penalties at once: those of separate forecasters, and of plain equations."""

import numpy as np
import pytest

from esnkit import Reservoir
from esnkit.forecasting._candidates import NETWORK, Candidate
from esnkit.forecasting._ensemble import fit_ensemble
from esnkit.forecasting._penalty_path import PenaltyPath, Structure

RNG = np.random.default_rng(0)
T = np.arange(126)
SERIES = 5 + np.sin(T / 4) + 0.02 * T + 0.2 * RNG.normal(size=126)
EXOG = RNG.normal(size=(126, 2))
PENALTIES = np.array([1e-4, 1.0, 100.0])
STRUCTURES = {
    "plain": Structure(),
    "differences": Structure((12, 1)),
    "means of seasons": Structure(((5, 2), (3, 2)), 0.0),
    "logarithm": Structure((1,), 0.0),
    "square root and seasons": Structure((), 0.5, ((12, 2), (7.5, 3))),
    "differences and seasons": Structure((1,), None, ((4, 2),), (0.1, 1.0)),
}


def network(structure):
    return NETWORK | {"n_units": 30, "leak_rate": structure.leak_rate, "random_state": 0}


def path_of(structure, n_exog=0):
    reservoir = Reservoir(**network(structure))
    return PenaltyPath(structure, reservoir, PENALTIES).fit(SERIES[:120], EXOG[:, :n_exog])


@pytest.mark.parametrize("n_exog", [0, 2])
@pytest.mark.parametrize("name", STRUCTURES)
def test_the_forecasts_are_those_of_a_forecaster_per_penalty(name, n_exog):
    structure, exog = STRUCTURES[name], EXOG[:, :n_exog]
    path = path_of(structure, n_exog)
    found = path.roll(np.array([120]), 6)[0]
    for penalty, forecast in zip(PENALTIES, found, strict=True):
        parameters = network(structure) | {"washout": path.washout}
        spec = Candidate(0.0, structure, penalty, found, parameters).spec
        ensemble = fit_ensemble(spec, SERIES[:120, None], exog[:120])
        wanted = ensemble.roll(np.empty((0, 1)), exog[120:], [0], 6)[0, :, 0]
        np.testing.assert_allclose(forecast, wanted, rtol=1e-8)
    assert np.ptp(found, axis=0).min() > 0


@pytest.mark.parametrize("name", ["plain", "differences", "square root and seasons"])
def test_one_network_forecasts_several_series_as_a_forecaster_does(name):
    structure, penalty = STRUCTURES[name], PENALTIES[1]
    table = np.c_[SERIES, 3 + SERIES[::-1] ** 2]
    path = PenaltyPath(structure, Reservoir(**network(structure)), PENALTIES)
    found = path.fit(table[:120], EXOG).roll(np.array([90, 120]), 6)
    assert found.shape == (2, 3, 6, 2)
    parameters = network(structure) | {"washout": path.washout}
    spec = Candidate(0.0, structure, penalty, found, parameters).spec
    ensemble = fit_ensemble(spec, table[:120], EXOG[:120])
    wanted = ensemble.roll(np.empty((0, 2)), EXOG[120:], [0], 6)[0]
    np.testing.assert_allclose(found[1, 1], wanted, rtol=1e-8)


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_origin_has_the_ridge_solution_of_the_rows_before_it(name):
    structure = STRUCTURES[name]
    path, origins = path_of(structure), np.array([60, 90, 120])
    X, y = np.hstack([path.states[1:], path.z[:-1], path.exog[1 : len(path.z)]]), path.z[1:, 0]
    for origin, weights in zip(origins, path.weights(origins), strict=True):
        rows = slice(path.washout, origin - structure.n_lost - 1)
        centred, target = X[rows] - X[rows].mean(axis=0), y[rows] - y[rows].mean()
        for penalty, (intercept, *w) in zip(PENALTIES, weights[:, 0], strict=True):
            gram = centred.T @ centred + penalty * np.eye(X.shape[1])
            wanted = np.linalg.solve(gram, centred.T @ target)
            np.testing.assert_allclose(w, wanted, rtol=1e-6, atol=1e-9)
            assert intercept == pytest.approx(y[rows].mean() - X[rows].mean(axis=0) @ wanted)


def test_origins_do_not_influence_each_other():
    path = path_of(STRUCTURES["differences and seasons"])
    together = path.roll(np.array([60, 90, 120]), 5)
    for k, origin in enumerate([60, 90, 120]):
        alone = path.roll(np.array([origin]), 5)
        np.testing.assert_allclose(together[k], alone[0], rtol=1e-9)


def test_a_loop_that_diverges_stays_a_number():
    path = PenaltyPath(
        Structure(), Reservoir(5, activation="identity", spectral_radius=2.0, random_state=0),
        np.array([1e-12]),
    ).fit(SERIES[:30], EXOG[:, :0])  # fmt: skip
    assert np.isfinite(path.roll(np.array([20]), 10)).all()
