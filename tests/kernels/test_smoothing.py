"""Exponential smoothing against a plain loop."""

import numpy as np
import pytest
from reference import exponential_smoothing

from esnkit.kernels.smoothing import smooth


@pytest.mark.parametrize("logs", [False, True])
def test_forecasts_and_errors_are_those_of_a_plain_loop(logs):
    rng = np.random.default_rng(0)
    for _ in range(30):
        n_rows, period, horizon, n_steps, n_models = rng.integers(1, 12, 5)
        rows = 0.1 * rng.normal(size=n_rows)
        given = rows, np.exp(rows) if logs else rows, logs
        models, season = rng.uniform(size=(n_models, 4)), rng.normal(size=period)
        origins = np.flatnonzero(rng.uniform(size=n_rows) < 0.7)
        origins = origins if len(origins) else np.array([0])
        out = np.empty((n_models, n_steps))
        found = smooth(*given, models, season, origins, horizon, out)
        for model, error, ahead in zip(models, found, out, strict=True):
            errors = exponential_smoothing(*given, *model, season, horizon)[1]
            assert error == pytest.approx(errors[origins].mean(), rel=1e-12)
            expected = exponential_smoothing(*given, *model, season, n_steps)[0][-1]
            np.testing.assert_allclose(ahead, expected, rtol=1e-12, atol=1e-14)
