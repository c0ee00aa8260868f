"""Exponential smoothing against a plain loop."""

import numpy as np
import pytest
from reference import exponential_smoothing

from esnkit.kernels.smoothing import smooth


@pytest.mark.parametrize("logs", [False, True])
def test_forecasts_and_errors_are_those_of_a_plain_loop(logs):
    rng = np.random.default_rng(0)
    for _ in range(30):
        n_rows, period, horizon, n_steps = rng.integers(1, 12, 4)
        rows = 0.1 * rng.normal(size=n_rows)
        observed = np.exp(rows) if logs else rows
        parameters = tuple(rng.uniform(size=4).tolist())
        given = rows, observed, logs
        season, out = rng.normal(size=period), np.empty(n_steps)
        origins = np.flatnonzero(rng.uniform(size=n_rows) < 0.7)
        origins = origins if len(origins) else np.array([0])
        _, errors = exponential_smoothing(*given, *parameters, season, horizon)
        ahead, _ = exponential_smoothing(*given, *parameters, season, n_steps)
        found = smooth(*given, parameters, season.copy(), origins, horizon, out)
        assert found == pytest.approx(errors[origins].mean(), rel=1e-12)
        np.testing.assert_allclose(out, ahead[-1], rtol=1e-12, atol=1e-14)
