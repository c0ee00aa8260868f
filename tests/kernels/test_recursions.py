"""Linear recursions against plain loops."""

import numpy as np
from reference import linear_recursion as slow

from esnkit.kernels.recursions import backward_recursion, linear_recursion


def test_recursions_are_plain_loops():
    rng = np.random.default_rng(0)
    for _ in range(20):
        n, n_matrices = rng.integers(1, 4, 2)
        offsets = np.concatenate([[0], np.cumsum(rng.integers(1, 8, 3))])
        F, u = rng.standard_normal((n_matrices, n, n)), rng.standard_normal((offsets[-1], n))
        x = rng.standard_normal(u.shape)
        y = x.copy()
        expected, back = slow(F, u, offsets, x), slow(F, u, offsets, x, backward=True)
        linear_recursion(F, u, offsets, x)
        backward_recursion(F, u, offsets, y)
        np.testing.assert_allclose(x, expected, rtol=1e-12)
        np.testing.assert_allclose(y, back, rtol=1e-12)
