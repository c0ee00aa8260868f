"""Features of prefixes, against those of sequences that end there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pooling_problems import Problem, problems

from esnkit.pooling import POOLINGS, ModelSpace
from esnkit.pooling import _base as pooling_base
from esnkit.pooling._base import pool
from esnkit.pooling._prefixes import pool_prefixes
from esnkit.pooling._table import check_pooling


def first_and_last(states):
    return np.concatenate([states[0], states[-1], [len(states)]])


POOLINGS_TO_TEST = {
    "model_space": ModelSpace(n_components=4),
    "function": first_and_last,
    "a list": ["std", "pyramid"],
    "a running list": ["mean", "ppv"],
}
NAMES = ["last", "statistics", "pyramid", "quantiles", *POOLINGS_TO_TEST]


def fitted(pooling, problem):
    pooling = check_pooling(pooling)
    if pooling.needs_fit:
        pooling = pooling.fit(problem.training)
    return pooling


def cut(problem, ends):
    """Return the packed rows of all prefixes, and their offsets."""
    own = np.searchsorted(problem.offsets, ends, side="left") - 1
    parts = [problem.rows[problem.offsets[i] : end] for i, end in zip(own, ends, strict=True)]
    return np.concatenate(parts), np.cumsum([0, *map(len, parts)])


def check(pooling, problem, ends):
    pooling = fitted(pooling, problem)
    rows, offsets = cut(problem, ends)
    blocks = [(0, len(rows), rows)]
    wanted = np.concatenate([Z for *_, Z in pool(pooling, blocks, offsets, problem.washout)])
    found, done = np.full_like(wanted, np.nan), 0
    stream = pool_prefixes(pooling, problem.blocks(), problem.offsets, problem.washout, ends)
    for first, last, Z in stream:
        assert first == done and Z.dtype == problem.rows.dtype
        found[first:last] = Z
        done = last
    assert done == len(ends)
    tolerance = 1e-11 if problem.rows.dtype == np.float64 else 1e-4
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)
    return found, wanted


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4)
@given(problem=problems(), every=st.sampled_from([1, 1, 3, 50]))
def test_features_of_prefixes_are_those_of_cut_sequences(name, problem, every):
    starts = problem.offsets[:-1] + problem.washout
    bounds = zip(starts, problem.offsets[1:], strict=True)
    ends = np.concatenate([np.arange(start, stop) + 1 for start, stop in bounds])
    check(POOLINGS_TO_TEST.get(name, name), problem, ends[(len(ends) - 1) % every :: every])


@pytest.mark.parametrize("name", POOLINGS)
def test_whole_sequences_in_one_block_have_the_bits_of_pool(name):
    problem = Problem([40, 3, 16, 17, 1], 5)
    found, wanted = check(name, problem, problem.offsets[1:])
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["statistics", "pyramid"])
def test_few_features_are_in_memory_at_a_time(name, monkeypatch):
    pooling = POOLINGS[name]
    monkeypatch.setattr(pooling_base, "MAX_POOLED_BYTES", 3 * 8 * pooling.width(5))
    problem = Problem([60, 9], 5, block_rows=25)
    ends = np.arange(69) + 1
    check(name, problem, ends)
    stream = pool_prefixes(pooling, problem.blocks(), problem.offsets, 0, ends)
    assert max(len(Z) for *_, Z in stream) == 3


def test_prefixes_of_equal_length_are_equal():
    problem = Problem([20, 8], 3, block_rows=6)
    for name in ("statistics", "quantiles"):
        found, _ = check(name, problem, np.array([3, 3, 20, 20, 21, 21, 28]))
        np.testing.assert_array_equal(found[[0, 2, 4]], found[[1, 3, 5]])


@pytest.mark.parametrize("name", POOLINGS)
def test_a_pooling_that_runs_on_leaves_its_state_and_looks_at_no_length(name):
    """The contract of ``is_running``, and that ``finish`` changes no state."""
    problem = Problem([12], 3)
    pooling = fitted(POOLINGS_TO_TEST.get(name, name), problem)
    assert pooling.is_running is (name not in {"pyramid", "median", "quantiles"})
    state = pooling.start(1, 3, np.dtype(float))
    _, _, Z = next(problem.blocks())
    pooling.add(state, Z, pooling_base.pieces_of(problem.offsets, 0, 0, 12))
    first, second = (pooling.finish(state, np.array([12]), Z.dtype).copy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
