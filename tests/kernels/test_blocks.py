"""Blocks from and to packed rows, against loops."""

import numpy as np
import pytest

from esnkit.kernels.blocks import add_last, copy_columns, gather, scatter, take_last

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@both
@pytest.mark.parametrize("k", [1, 5, 16, 33])
@pytest.mark.parametrize("n", [[1], [40, 40], [17, 3, 1]], ids=["one", "equal", "ragged"])
def test_rows_go_to_blocks_and_back(dtype, k, n):
    rng, n = np.random.default_rng(0), np.array(n)
    rows = rng.permutation(n.sum())
    X = rng.normal(size=(n.sum(), k + 3)).astype(dtype)
    blocks, there = np.full((k + 2) * n.sum(), 9.0, dtype), np.full_like(X, 9.0)
    gather(X, 1, k, rows, n, k + 2, blocks)
    start = 0
    for m in n:
        block = blocks[(k + 2) * start : (k + 2) * (start + m)].reshape(k + 2, m)
        assert np.array_equal(block[:k], X[rows[start : start + m], 1 : k + 1].T)
        assert np.all(block[k:] == 9.0)
        start += m
    scatter(blocks, rows, n, k + 2, there, 1, k)
    assert np.array_equal(there[:, 1 : k + 1], X[:, 1 : k + 1])
    assert np.all(there[:, 0] == 9.0) and np.all(there[:, k + 1 :] == 9.0)


@pytest.mark.parametrize("n", [[2], [3, 3], [4, 4, 2, 1, 1]], ids=["one", "equal", "ragged"])
def test_last_columns_go_to_rows_and_back(n):
    rng, n, k = np.random.default_rng(0), np.array(n), 3
    order = rng.permutation(n[0])
    steps = [rng.normal(size=(k, m)) for m in n]
    X, S = np.full((n[0], k + 2), 9.0), np.concatenate([step.ravel() for step in steps])
    take_last(S, order, n, k, X, 1)
    for j, row in enumerate(order):
        assert np.array_equal(X[row, 1 : k + 1], steps[np.sum(n > j) - 1][:, j])
    assert np.all(X[:, [0, -1]] == 9.0)
    last = rng.normal(size=(k, n[0]))
    add_last(last.ravel(), n, k, S)
    for t, step in enumerate(steps):
        ended = n[t + 1] if t + 1 < len(n) else 0
        step[:, ended:] += last[:, ended : n[t]]
    assert np.array_equal(S, np.concatenate([step.ravel() for step in steps]))


@both
@pytest.mark.parametrize(("n_source", "n_target"), [(7, 7), (40, 19), (3, 20)])
def test_columns_that_a_block_lacks_become_zero(dtype, n_source, n_target):
    rng, k = np.random.default_rng(0), 4
    source = rng.normal(size=(k, n_source)).astype(dtype)
    target = np.full(2 + k * n_target + 2, 9.0, dtype)
    padded = np.concatenate([np.zeros(1, dtype), source.ravel()])
    copy_columns(padded, 1, n_source, target, 2, n_target, k)
    expected = np.zeros((k, n_target), dtype)
    n = min(n_source, n_target)
    expected[:, :n] = source[:, :n]
    assert np.array_equal(target[2:-2].reshape(k, n_target), expected)
    assert np.all(target[:2] == 9.0) and np.all(target[-2:] == 9.0)
