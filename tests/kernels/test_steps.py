"""Steps of one sequence, whole and in ranges of blocks, bit for bit."""

import numpy as np
import pytest
from compiled import compiled
from reservoir_problems import ReservoirProblem, assert_close, both_dtypes

from esnkit.kernels import packed_weights
from esnkit.kernels.activations import CODES
from esnkit.kernels.simd.vectors import aligned
from esnkit.kernels.state_buffer import StateBuffer, count_blocks, put_state, state_capacity
from esnkit.kernels.steps import BlockRange, OutputRows, StepInputs, run_steps, step_unpacked

packed_layouts = pytest.mark.parametrize("layout", ["diagonals", "ell"])


@compiled
def pack(W, input_weights):
    return packed_weights.pack(W, input_weights)


@compiled
def step(W, input_weights, code, projected, x, out):
    step_unpacked(W, input_weights, code, projected, x, out)


class Stepper:
    """A problem of one sequence with the buffers that its steps need."""

    def __init__(self, layout, n_units, dtype, n_features=3):
        self.problem = ReservoirProblem(layout, n_units, n_features, [12], dtype)
        self.packed = pack(self.problem.W, self.problem.input_weights)
        x0 = self.problem.x0[0]
        self.capacity = int(state_capacity(n_units, x0))
        self.n_blocks = count_blocks(n_units, x0)
        self.states = aligned(2 * self.capacity, x0)
        put_state(x0, self.states, 0)
        self.out = aligned(12 * n_units, x0).reshape(12, n_units)
        self.projected = np.empty((0, 0), dtype)

    def run(self, ranges, nontemporal=False):
        """Run row by row, the ranges of blocks one after the other; return the states."""
        position = np.uint64(0)
        rows = OutputRows(self.out, np.uint64(self.out.shape[1]), nontemporal)
        for t in range(12):
            inputs = StepInputs(self.problem.U, self.projected, t, t + 1)
            buffer = StateBuffer(self.states, position)
            for blocks in ranges:
                new = run_steps(self.packed, 0, BlockRange(*blocks), inputs, buffer, rows)
            position = np.uint64(new)
        return self.out.copy()


@packed_layouts
@both_dtypes
@pytest.mark.parametrize("n_units", [1, 40, 64, 65, 200])
def test_steps_equal_the_loop(layout, dtype, n_units):
    stepper = Stepper(layout, n_units, dtype)
    assert_close(stepper.run([(0, stepper.n_blocks)]), stepper.problem.reference())


@packed_layouts
@both_dtypes
@pytest.mark.parametrize("n_units", [200, 256, 259])
def test_blocks_in_any_order_have_the_bits_of_the_whole(layout, dtype, n_units):
    whole, cut = Stepper(layout, n_units, dtype), Stepper(layout, n_units, dtype)
    n = whole.n_blocks
    assert np.array_equal(whole.run([(0, n)]), cut.run([(n - 1, n), (1, n - 1), (0, 1), (1, 1)]))


@both_dtypes
def test_stores_past_the_caches_write_the_same(dtype):
    one, other = Stepper("diagonals", 128, dtype), Stepper("diagonals", 128, dtype)
    blocks = [(0, one.n_blocks)]
    assert np.array_equal(one.run(blocks), other.run(blocks, nontemporal=True))


def test_without_a_stride_the_last_state_overwrites_the_others():
    stepper = Stepper("diagonals", 40, np.float64)
    rows = OutputRows(np.empty((1, 40)), np.uint64(0), False)
    inputs = StepInputs(stepper.problem.U, stepper.projected, 0, 12)
    buffer, blocks = StateBuffer(stepper.states, np.uint64(0)), BlockRange(0, stepper.n_blocks)
    position = run_steps(stepper.packed, 0, blocks, inputs, buffer, rows)
    assert position == 0  # the states have swapped twelve times
    assert np.array_equal(rows.rows[0], stepper.states[:40])
    assert np.array_equal(rows.rows[0], stepper.problem.run()[0][-1])


@pytest.mark.parametrize("activation", sorted(CODES))
def test_a_csr_steps_unit_by_unit(activation):
    problem = ReservoirProblem("csr", 30, 2, [1], np.float64)
    projected, out = problem.W_in @ problem.U[0] + problem.b, np.full(30, np.nan)
    weights = problem.W, problem.input_weights, CODES[activation]
    step(*weights, projected, problem.x0[0], out)
    assert_close(out, problem.reference(activation)[0])


@packed_layouts
def test_packed_layouts_are_left_to_the_packed_steps(layout):
    problem, out = ReservoirProblem(layout, 30, 2, [1], np.float64), np.full(30, np.nan)
    step(problem.W, problem.input_weights, 0, problem.b, problem.x0[0], out)
    assert np.isnan(out).all()
