"""Order statistics of columns against sorted ones."""

import numpy as np
import pytest

from esnkit.kernels.selection import COLUMNS_AT_ONCE, select_ranks

COLUMNS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "few values": lambda rng, n: rng.integers(0, 3, n) / 7.0,
    "one value": lambda rng, n: np.full(n, -0.3),
    "outlier": lambda rng, n: np.r_[1e300, rng.standard_normal(n - 1)],
    "full range": lambda rng, n: rng.choice([-1.7e308, 1e-300, 1.7e308], n),
    "tiny": lambda rng, n: 5e-324 * rng.integers(0, 9, n),
    "infinite": lambda rng, n: rng.choice([-np.inf, 0.0, np.inf], n),
    "missing": lambda rng, n: np.r_[rng.standard_normal(n - 1), np.nan],
    "saturated": lambda rng, n: np.tanh(20 * rng.standard_normal(n)),
}


@pytest.mark.parametrize("n_rows", [1, 2, 50, 3000])
def test_ranks_are_those_of_sorted_columns(n_rows):
    rng = np.random.default_rng(0)
    rows = np.stack([column(rng, n_rows) for column in COLUMNS.values()] * 2, axis=1)
    ranks = np.unique([0, n_rows // 4, n_rows // 2, n_rows - 1])
    out = np.full((len(ranks), rows.shape[1]), 7.0)
    first, last = 1, COLUMNS_AT_ONCE + 3
    select_ranks(rows, ranks, first, last, out)
    wanted = np.sort(rows, axis=0)[ranks]
    np.testing.assert_array_equal(out[:, first:last], wanted[:, first:last])
    assert (out[:, :first] == 7.0).all() and (out[:, last:] == 7.0).all()
