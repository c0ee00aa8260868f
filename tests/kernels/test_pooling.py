"""Kernels of pooling against sums in NumPy; the poolings test them on many problems."""

import numpy as np

from esnkit.kernels.pooling import add_transitions, padded, solve_transitions


def test_products_of_successive_states():
    rng = np.random.default_rng(0)
    Z, V, c = rng.normal(size=(150, 9)), rng.normal(size=(4, 9)), rng.normal(size=4)
    last, products = np.zeros((1, 4)), np.zeros((1, 5, padded(9, Z)))
    reduction = np.zeros((9, padded(4, Z))), np.zeros(padded(4, Z))
    reduction[0][:, :4], reduction[1][:4] = V.T, c
    for start, stop in ((0, 1), (1, 70), (70, 150)):
        piece = (np.array([n]) for n in (start, stop, start))
        add_transitions(Z, *piece, reduction, last, products)
    r = Z @ V.T + c
    now = np.column_stack([r[:-1], np.ones(149)])
    wanted = np.triu(now.T @ np.hstack([now, r[1:]]))
    np.testing.assert_allclose(np.triu(products[0, :, :9]), wanted, rtol=1e-12)
    np.testing.assert_allclose(last[0], r[-1], rtol=1e-12)
    out, penalty = np.empty((1, 20)), np.diag([0.5] * 4 + [0.0])
    wanted = np.linalg.solve(now.T @ now + penalty, now.T @ r[1:]).T
    solve_transitions(products, last, 0.5, out)
    np.testing.assert_allclose(out.reshape(4, 5), wanted, rtol=1e-10, atol=1e-12)
