"""Blocks of arrays in compiled functions: where they begin, and what their corners are."""

import numpy as np
import pytest
from compiled import compiled

from esnkit.kernels.simd.addresses import block, corner, number, steps_of_blocks, vector_size
from esnkit.kernels.simd.masked import load_first, store_first
from esnkit.kernels.simd.vectors import address, fill

both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@compiled
def first_of_corner(A, start, stride, row, column):
    there = corner(block(A, start, stride), row, column)
    out = np.empty(1, A.dtype)
    store_first(out, 0, load_first(there.pointer, 0, 1), 1)
    return out[0], there.stride, there.step


@compiled
def first_of_step(A, step):
    there = steps_of_blocks(A, 4, 2, step)
    out = np.empty(1, A.dtype)
    store_first(out, 0, load_first(there.pointer, there.step, 1), 1)
    return out[0]


@compiled
def size_and_halves(A):
    out = np.zeros(100, A.dtype)
    store_first(address(out), 1, fill(number(address(A), 0.5)), 3)
    return vector_size(block(A, 0, 1)), out


@both
def test_a_corner_is_as_many_rows_and_columns_on(dtype):
    A = np.arange(40, dtype=dtype)
    assert first_of_corner(A, 3, 7, 2, 5) == (3 + 2 * 7 + 5, 7, 0)
    assert first_of_corner(A.reshape(5, 8)[1:], 0, 8, 1, 2) == (18, 8, 0)


def test_an_uncompiled_block_is_the_rest_of_the_array():
    A = np.arange(40.0)
    there = corner(block(A, 3, 7), 2, 5)
    assert there.pointer[0] == 22 and there.stride == 7
    assert steps_of_blocks(A, 4, 2, 6).step == 6 and vector_size(there) in (4, 8)


@both
def test_steps_may_run_backwards(dtype):
    A = np.arange(20, dtype=dtype)
    assert first_of_step(A, 6) == 10 and first_of_step(A, -3) == 1


@both
def test_numbers_have_the_type_of_the_block(dtype):
    size, out = size_and_halves(np.zeros(4, dtype))
    assert size * out.itemsize in (32, 64)
    assert np.array_equal(np.flatnonzero(out), [1, 2, 3]) and np.all(out[1:4] == 0.5)
    assert number(np.zeros(1, dtype), 3) == 3 and isinstance(number(np.zeros(1, dtype), 3), dtype)
