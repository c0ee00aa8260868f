"""Errors of rolling forecasts of a field, and the intervals that they calibrate."""

import numpy as np
import pytest

from esnkit import ESNRegressor, PatchForecaster
from esnkit.forecasting import _patch_errors

S = np.arange(8)


def field(n_rows, noise=0.3, seed=0):
    """Return a wave that travels along a ring, with noise."""
    t = np.arange(n_rows)[:, None]
    return np.sin(2 * np.pi * (S / 8 - t / 25)) + noise * np.random.default_rng(seed).normal(
        size=(n_rows, 8)
    )


def patchwise(**parameters):
    network = ESNRegressor(10, spectral_radius=0.3, alpha=1.0, random_state=0)
    return PatchForecaster(network, **({"patch_size": 4, "overlap": 1} | parameters))


def slow_errors(model, F, start, origins, n_steps):
    """Return the errors of a second model that is updated from origin to origin."""
    second, seen, errors = model.fit(F[:start]), start, []
    for origin in origins:
        if origin > seen:
            second.update(F[seen:origin])
        seen = origin
        errors.append(F[origin : origin + n_steps] - second.forecast(n_steps))
    return np.abs(errors)


@pytest.mark.parametrize("parameters", [{}, {"shared": False}, {"patch_size": 8, "overlap": 0}])
def test_half_widths_are_quantiles_of_the_errors_of_a_second_model(parameters, monkeypatch):
    monkeypatch.setattr(_patch_errors, "MAX_ORIGINS", 10)
    F = field(160)
    model = patchwise(**parameters, calibration=0.4).fit(F[:150]).update(F[150:])
    forecast, lower, upper = model.forecast(6, interval=0.8)
    np.testing.assert_array_equal(forecast, model.forecast(6))
    origins = np.arange(90, 155, 6)  # 65 of them, every sixth
    errors = slow_errors(patchwise(**parameters), F, 90, origins, 6)
    wanted = np.sort(errors, axis=0)[int(np.ceil(0.8 * (len(origins) + 1))) - 1]
    np.testing.assert_allclose(upper - forecast, wanted, rtol=1e-6)
    np.testing.assert_allclose(forecast - lower, wanted, rtol=1e-6)


def test_a_grid_has_the_intervals_of_its_points():
    F = field(120)
    at_points = patchwise(patch_size=8, overlap=0).fit(F)
    on_a_grid = patchwise(patch_size=(2, 4), overlap=0).fit(F.reshape(-1, 2, 4))
    for found, wanted in zip(
        on_a_grid.forecast(3, interval=0.9), at_points.forecast(3, interval=0.9), strict=True
    ):
        np.testing.assert_allclose(found, wanted.reshape(3, 2, 4), rtol=1e-9)
    quantiles = on_a_grid.forecast(3, quantiles=[0.1, 0.5, 0.9])
    assert quantiles.shape == (3, 2, 4, 3) and (np.diff(quantiles) > 0).all()


def test_intervals_cover_what_they_promise():
    result = patchwise().backtest(field(600), 5, n_windows=20, interval=0.8)
    assert 0.74 < result.scores["coverage"] < 0.86


def test_few_rows_are_warned_of_and_too_few_refused():
    F = field(40)
    with pytest.warns(UserWarning, match="the level 0.99 needs 99 forecast errors"):
        _, lower, upper = patchwise().fit(F).forecast(20, interval=0.99)
    assert (np.diff(upper - lower, axis=0) > -1e-12).all()
    with pytest.raises(ValueError, match="longer field, or another calibration, got 2 time steps"):
        patchwise().fit(F[:2]).forecast(1, interval=0.5)


def test_the_last_row_stands_for_free_runs_that_diverge():
    class Diverging(PatchForecaster):
        def _roll(self, values, origins, n_steps):
            return np.full((len(origins), n_steps, values.shape[1]), np.nan)

    F = field(60)
    errors = _patch_errors.PatchErrors(Diverging(ESNRegressor(3)), 60, 0.5)
    found = errors.errors_ahead(F, 2, 0.8).errors
    wanted = [F[origin : origin + 2] - F[origin - 1] for origin in range(30, 59)]
    np.testing.assert_allclose(found, wanted)
