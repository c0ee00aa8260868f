"""States in the buffer of two, and the block that is repeated behind each."""

import numpy as np
import pytest
from compiled import compiled
from reservoir_problems import both_dtypes

from esnkit.kernels import state_buffer
from esnkit.kernels.packed_weights import BLOCK_VECTORS
from esnkit.kernels.simd.vectors import width

SIZES = [1, 5, 31, 32, 33, 100]


@compiled
def capacity(n_units, states):
    return state_buffer.state_capacity(n_units, states)


@compiled
def round_trip(state, states, position, out):
    state_buffer.put_state(state, states, position)
    state_buffer.take_state(states, position, out)


@compiled
def repeat(states, position, n_units):
    state_buffer.repeat_first_block(states, position, n_units)


@both_dtypes
@pytest.mark.parametrize("n_units", SIZES)
def test_a_state_fits_with_a_whole_block_behind_it(dtype, n_units):
    v = width(np.empty(0, dtype))
    size = capacity(n_units, np.empty(0, dtype))
    assert size % v == 0 and n_units + BLOCK_VECTORS * v <= size < n_units + (BLOCK_VECTORS + 1) * v


@both_dtypes
@pytest.mark.parametrize("n_units", SIZES)
def test_every_unit_is_the_first_of_contiguous_ones(dtype, n_units):
    rng = np.random.default_rng(0)
    state, out = rng.normal(size=n_units).astype(dtype), np.empty(n_units, dtype)
    size, block = int(capacity(n_units, out)), BLOCK_VECTORS * width(out)
    states = np.full(2 * size, np.nan, dtype)
    for position in (0, size):
        round_trip(state, states, np.uint64(position), out)
        assert np.array_equal(out, state)
        for first in range(n_units):
            read = states[position + first :][:block]
            assert np.array_equal(read, state[(first + np.arange(block)) % n_units])


@both_dtypes
@pytest.mark.parametrize("n_units", SIZES)
def test_the_first_block_is_repeated(dtype, n_units):
    rng = np.random.default_rng(0)
    block = BLOCK_VECTORS * width(np.empty(0, dtype))
    size = int(capacity(n_units, np.empty(0, dtype)))
    states = rng.normal(size=2 * size).astype(dtype)
    before = states.copy()
    repeat(states, np.uint64(size), n_units)
    assert np.array_equal(states[: size + n_units], before[: size + n_units])
    state, n_read = before[size:][:n_units], min(block, n_units)
    for first in range(n_units):
        read = states[size + first :][:n_read]
        assert np.array_equal(read, state[(first + np.arange(n_read)) % n_units])


@both_dtypes
def test_the_last_block_may_be_partly_filled(dtype):
    block = BLOCK_VECTORS * width(np.empty(0, dtype))
    sizes = [1, block - 1, block, block + 1, 5 * block]
    counts = [state_buffer.count_blocks(n, np.empty(0, dtype)) for n in sizes]
    assert counts == [1, 1, 1, 2, 5]
