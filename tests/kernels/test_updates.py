"""The update of Adam against the equations of Kingma and Ba (2015)."""

import numpy as np
import pytest

from esnkit.kernels.updates import adam


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_adam_equals_its_equations(dtype):
    rng = np.random.default_rng(0)
    theta, gradient = (rng.normal(size=37).astype(dtype) for _ in range(2))
    m, v = np.zeros(37, dtype), np.zeros(37, dtype)
    wanted, m_wanted, v_wanted = theta.astype(float), np.zeros(37), np.zeros(37)
    for step in range(1, 6):
        rate = 0.1 * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
        adam(theta, gradient, m, v, rate, 0.9, 0.99, 1e-8)
        m_wanted = 0.9 * m_wanted + 0.1 * gradient
        v_wanted = 0.99 * v_wanted + 0.01 * gradient.astype(float) ** 2
        wanted -= rate * m_wanted / (np.sqrt(v_wanted) + 1e-8)
    assert theta.dtype == dtype
    np.testing.assert_allclose(theta, wanted, rtol=100 * np.finfo(dtype).eps, atol=1e-6)


def test_a_gradient_of_zero_moves_nothing():
    theta = np.ones(3)
    adam(theta, np.zeros(3), np.zeros(3), np.zeros(3), 0.1, 0.9, 0.999, 1e-8)
    assert theta.tolist() == [1, 1, 1]
