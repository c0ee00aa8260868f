"""The stream of weights against the arrays that it is packed from."""

import numpy as np
import pytest
from compiled import compiled
from reservoir_problems import ReservoirProblem, both_dtypes, every_layout

from esnkit.kernels import packed_weights
from esnkit.kernels.layouts import Diagonals
from esnkit.kernels.packed_weights import BLOCK_VECTORS, MAX_PACKED_INPUTS, pack_rows, zero_blocks
from esnkit.kernels.simd.vectors import width

packed_layouts = pytest.mark.parametrize("layout", ["diagonals", "ell"])


@compiled
def pack(W, input_weights):
    return packed_weights.pack(W, input_weights)


def unpacked(stream, n_units, block):
    """Return the rows (n_rows, n_units) of a stream of blocks, whose padding must be zero."""
    rows = stream.reshape(-(-n_units // block), -1, block).swapaxes(0, 1)
    rows = rows.reshape(rows.shape[0], -1)
    assert not rows[:, n_units:].any()
    return rows[:, :n_units]


def rows_of(problem):
    weights = problem.input_weights
    return np.vstack([weights.b[None], weights.w_in, problem.W.weights])


@packed_layouts
@both_dtypes
@pytest.mark.parametrize("n_units", [1, 31, 32, 33, 64, 100, 129])
def test_the_stream_has_bias_inputs_and_terms_of_every_block(layout, dtype, n_units):
    problem = ReservoirProblem(layout, n_units, 3, [1], dtype)
    packed, block = pack(problem.W, problem.input_weights), BLOCK_VECTORS * width(problem.b)
    assert packed.weights.ctypes.data % 64 == 0
    assert (packed.n_units, packed.n_inputs) == (n_units, 3)
    assert packed.n_diagonals + packed.n_gathered == len(problem.W.weights)
    np.testing.assert_array_equal(unpacked(packed.weights, n_units, block), rows_of(problem))
    rates = np.vstack([problem.input_weights.gain, problem.input_weights.keep])
    np.testing.assert_array_equal(unpacked(packed.rates, n_units, block), rates)


@pytest.mark.parametrize("n_units", [1, 32, 100])
def test_diagonals_begin_where_the_first_unit_of_a_block_reads(n_units):
    problem = ReservoirProblem("diagonals", n_units, 3, [1], np.float64)
    packed, block = pack(problem.W, problem.input_weights), BLOCK_VECTORS * width(problem.b)
    firsts = np.arange(0, n_units, block)[:, None]
    wanted = (firsts + problem.W.shifts.astype(int)) % n_units
    np.testing.assert_array_equal(packed.columns.reshape(wanted.shape), wanted)


@both_dtypes
@pytest.mark.parametrize("n_units", [1, 32, 100])
def test_gathered_columns_are_packed_like_weights(dtype, n_units):
    problem = ReservoirProblem("ell", n_units, 3, [1], dtype)
    packed, block = pack(problem.W, problem.input_weights), BLOCK_VECTORS * width(problem.b)
    columns = unpacked(packed.columns, n_units, block)
    np.testing.assert_array_equal(columns, problem.W.columns)


@pytest.mark.parametrize("which", ["gain", "keep"])
def test_rates_are_packed_once_only_if_both_are_alike(which):
    problem = ReservoirProblem("diagonals", 100, 1, [1], np.float64)
    alike = {"gain": np.full(100, 0.5), "keep": np.full(100, 0.25)}
    one = pack(problem.W, problem.input_weights._replace(**alike))
    np.testing.assert_array_equal(one.rates, np.repeat([0.5, 0.25], 32))
    alike[which] = np.linspace(0, 1, 100)
    assert pack(problem.W, problem.input_weights._replace(**alike)).rates.size == 4 * 64


@every_layout
def test_many_inputs_and_csr_are_not_packed(layout):
    few, many = (
        ReservoirProblem(layout, 10, n, [1], np.float64)
        for n in (MAX_PACKED_INPUTS, MAX_PACKED_INPUTS + 1)
    )
    n_inputs = [pack(p.W, p.input_weights).n_inputs for p in (few, many)]
    assert n_inputs == ([-1, -1] if layout == "csr" else [MAX_PACKED_INPUTS, -1])
    stream = pack(many.W, many.input_weights).weights
    wanted = [] if layout == "csr" else many.W.weights
    np.testing.assert_array_equal(unpacked(stream, 10, 32) if len(wanted) else stream, wanted)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint32])
def test_rows_go_to_their_places_in_every_block(dtype):
    rng = np.random.default_rng(0)
    for n_units in (5, 64, 65, 200):
        first, second = (rng.integers(1, 99, (k, n_units)).astype(dtype) for k in (2, 3))
        out = zero_blocks(n_units, 5, 64, first)
        pack_rows(second, 5, 2, 64, out)
        pack_rows(first, 5, 0, 64, out)
        np.testing.assert_array_equal(unpacked(out, n_units, 64), np.vstack([first, second]))


def test_compiled_and_uncompiled_streams_are_the_same():
    problem = ReservoirProblem("diagonals", 50, 2, [1], np.float64)
    compiled = pack(problem.W, problem.input_weights)
    plain = packed_weights.pack.py_func(problem.W, problem.input_weights)
    assert isinstance(problem.W, Diagonals)
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_array_equal(one, other)
