"""The reservoir kernels against loops over dense arrays, and against each other bit for bit."""

import numpy as np
import pytest
from processes import with_and_without_numba
from reference import closed_loop as closed_loop_reference
from reservoir_problems import (
    SIZES,
    ReservoirProblem,
    as_layout,
    assert_close,
    both_dtypes,
    every_layout,
    tolerance,
)

from esnkit.kernels import reservoir
from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import Forcing, lay_out_inputs
from esnkit.kernels.linalg import affine
from esnkit.kernels.reservoir import LinearReadout, LoopInputs, closed_loop
from esnkit.kernels.simd.vectors import aligned


@every_layout
@both_dtypes
@pytest.mark.parametrize("n_units", SIZES)
def test_run_equals_the_loop(layout, dtype, n_units):
    problem = ReservoirProblem(layout, n_units, 3, [9, 1, 20], dtype)
    assert_close(problem.run()[0], problem.reference())


@every_layout
@pytest.mark.parametrize("degree", [1, 4, 5, 6, 10, 13])
def test_run_equals_the_loop_for_every_degree(layout, degree):
    problem = ReservoirProblem(layout, 29, 2, [12], np.float64, degree=degree)
    assert_close(problem.run()[0], problem.reference())


@every_layout
@pytest.mark.parametrize("n_features", [1, 2, 4, 5, 13, 37])
def test_run_equals_the_loop_for_every_number_of_features(layout, n_features):
    problem = ReservoirProblem(layout, 11, n_features, [12], np.float64)
    assert_close(problem.run()[0], problem.reference())


@every_layout
@both_dtypes
@pytest.mark.parametrize("activation", sorted(CODES))
def test_run_equals_the_loop_for_every_activation(layout, dtype, activation):
    problem = ReservoirProblem(layout, 20, 2, [15, 3], dtype)
    assert_close(problem.run(activation=activation)[0], problem.reference(activation))


@every_layout
@pytest.mark.parametrize("per_row", [True, False])
def test_noise_and_clamped_units_come_after_the_step(layout, per_row):
    problem = ReservoirProblem(layout, 9, 2, [7, 5], np.float64).force(0.1, [4, 0], per_row)
    assert_close(problem.run()[0], problem.reference())


@every_layout
def test_gains_that_are_alike_do_not_make_the_other_coefficients_alike(layout):
    problem = ReservoirProblem(layout, 70, 2, [9], np.float64)
    keep = problem.rng.uniform(0, 0.5, 70)
    problem.input_weights = problem.input_weights._replace(gain=np.ones(70), keep=keep)
    x, states = problem.x0[0], []
    for u in problem.U:
        x = keep * x + np.tanh(problem.W_in @ u + problem.W_dense @ x + problem.b)
        states.append(x)
    assert_close(problem.run()[0], np.array(states))


@every_layout
@pytest.mark.parametrize("n_features", [2, 40])
def test_no_rows_are_no_steps(layout, n_features):
    problem = ReservoirProblem(layout, 5, n_features, [0], np.float64)
    states, last = problem.run()
    assert states.shape == (0, 5) and np.array_equal(last, problem.x0)


@every_layout
@pytest.mark.parametrize("n_features", [1, 40])
def test_a_reservoir_without_connections_runs(layout, n_features):
    problem = ReservoirProblem(layout, 4, n_features, [5], np.float64)
    problem.W_dense = np.zeros((4, 4))
    problem.W, problem.csr = as_layout(layout, problem.W_dense)
    assert_close(problem.run()[0], problem.reference())


@every_layout
@both_dtypes
@pytest.mark.parametrize("forcing", [{}, {"units": [2, 0], "per_row": True}, {"noise": 0.1}])
def test_last_states_alone_have_the_same_bits(layout, dtype, forcing):
    for n_units in (5, 40):
        problem = ReservoirProblem(layout, n_units, 3, [9, 9, 1, 20, 4, 4, 7], dtype)
        if forcing:
            problem.force(**forcing)
        _, last = problem.run()
        assert np.array_equal(problem.run(every=False)[1], last)


@every_layout
@both_dtypes
def test_two_halves_equal_the_whole_bit_for_bit(layout, dtype):
    whole = ReservoirProblem(layout, 17, 4, [30], dtype)
    states, last = whole.run()
    for cut in range(1, 30):
        first = ReservoirProblem(layout, 17, 4, [30], dtype)
        first.lengths = np.array([cut])
        head, middle = first.run()
        first.starts, first.lengths, first.x0 = np.array([cut]), np.array([30 - cut]), middle
        tail, end = first.run()
        assert np.array_equal(np.vstack([head[:cut], tail[cut:]]), states)
        assert np.array_equal(end, last)


@both_dtypes
def test_states_written_past_the_caches_are_the_same(dtype):
    n_rows = reservoir.MAX_CACHED_BYTES // (128 * np.dtype(dtype).itemsize)
    problem = ReservoirProblem("diagonals", 128, 1, [n_rows], dtype, degree=2)
    states = aligned(n_rows * 128, problem.b).reshape(-1, 128)
    assert reservoir.output_rows(states, 128).nontemporal
    inputs = reservoir.InputSequences(problem.U, problem.starts, problem.lengths)
    weights = problem.W, problem.input_weights, CODES["tanh"]
    reservoir.run(*weights, problem.forcing, inputs, problem.x0.copy(), states)
    problem.lengths = np.array([60])
    assert np.array_equal(problem.run()[0][:60], states[:60])


@pytest.mark.parametrize("columns", [128, 131])
def test_small_outputs_and_unaligned_rows_go_through_the_caches(columns):
    assert not reservoir.output_rows(np.empty((60, columns)), 128).nontemporal


class Loop:
    """A closed loop of a problem: 2 outputs, the other features are exogenous."""

    def __init__(self, problem, n_steps, n_exog, include_input=True, quadratic=False):
        self.problem, n_units = problem, len(problem.b)
        n_read = n_units + (2 + n_exog if include_input else 0)
        coef = (0.3 * problem.draw(2, n_read)).astype(problem.dtype)
        self.readout = LinearReadout(coef, problem.draw(2), quadratic)
        self.u, self.x = problem.draw(2 + n_exog), problem.draw(n_units)
        self.exog = problem.draw(n_steps, n_exog)

    def run(self, exog, u, x, activation="tanh"):
        problem, out = self.problem, np.empty((len(exog), 2), self.problem.dtype)
        u, x = u.copy(), x.copy()
        closed_loop(
            problem.W, problem.input_weights, CODES[activation], problem.forcing, self.readout,
            LoopInputs(u, exog), x, out,
        )  # fmt: skip
        return out, u, x


@every_layout
@both_dtypes
@pytest.mark.parametrize("n_exog", [0, 1, 3])
@pytest.mark.parametrize(
    ("include_input", "quadratic"), [(True, False), (False, False), (True, True)]
)
def test_closed_loop_equals_the_loop(layout, dtype, n_exog, include_input, quadratic):
    problem = ReservoirProblem(layout, 13, 2 + n_exog, [1], dtype)
    loop = Loop(problem, 12, n_exog, include_input, quadratic)
    wanted = closed_loop_reference(
        problem.W_dense, problem.W_in, problem.b, problem.input_weights.gain, "tanh",
        *loop.readout[:2], loop.u, loop.exog, loop.x, quadratic,
    )  # fmt: skip
    # Errors are fed back and may grow a little at each step.
    np.testing.assert_allclose(loop.run(loop.exog, loop.u, loop.x)[0], wanted, rtol=0,
                               atol=100 * tolerance(dtype))  # fmt: skip


@every_layout
@both_dtypes
@pytest.mark.parametrize("n_units", SIZES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_closed_loop_equals_run_on_its_own_outputs_bit_for_bit(layout, dtype, n_units, activation):
    problem = ReservoirProblem(layout, n_units, 3, [10], dtype)
    loop = Loop(problem, 10, 1)
    out, _, last = loop.run(loop.exog, loop.u, loop.x, activation)
    fed_back = np.vstack([loop.u[:2], out[:-1]])
    problem.U, problem.x0 = np.ascontiguousarray(np.hstack([fed_back, loop.exog])), loop.x[None]
    states, end = problem.run(activation=activation)
    again = np.empty_like(out)
    affine(np.hstack([states, problem.U]), *loop.readout[:2], again)
    assert np.array_equal(out, again) and np.array_equal(last, end[0])


@both_dtypes
@pytest.mark.parametrize("n_exog", [2, 38])
def test_closed_loop_in_two_halves_equals_the_whole_bit_for_bit(dtype, n_exog):
    loop = Loop(ReservoirProblem("diagonals", 21, 2 + n_exog, [1], dtype), 20, n_exog)
    whole, _, end = loop.run(loop.exog, loop.u, loop.x)
    for cut in range(1, 20):
        head, u, x = loop.run(loop.exog[:cut], loop.u, loop.x)
        tail, _, last = loop.run(loop.exog[cut:], u, x)
        assert np.array_equal(np.vstack([head, tail]), whole) and np.array_equal(last, end)


@both_dtypes
def test_few_input_weights_are_summed_as_all_with_the_same_bits(dtype):
    problem = ReservoirProblem("diagonals", 21, 48, [9], dtype)
    problem.W_in[problem.rng.uniform(size=problem.W_in.shape) > 0.02] = 0
    w_in, dense = np.ascontiguousarray(problem.W_in.T), problem.input_weights
    problem.input_weights = lay_out_inputs(w_in, *dense[1:4])
    assert 0 < len(problem.input_weights.entries) <= 3
    states = problem.run()[0]
    np.testing.assert_allclose(states, problem.reference(), rtol=0, atol=tolerance(dtype))
    problem.input_weights = dense._replace(w_in=w_in)
    assert np.array_equal(problem.run()[0], states)


def test_closed_loop_clamps_units():
    problem = ReservoirProblem("ell", 8, 2, [1], np.float64)
    problem.forcing = Forcing(np.empty((0, 8)), np.array([3]), problem.draw(6, 1))
    loop = Loop(problem, 6, 0, include_input=False)
    loop.readout.coef[:], loop.readout.intercept[:] = 0, 0
    loop.readout.coef[0, 3] = 1.0
    out = loop.run(loop.exog, loop.u, loop.x)[0]
    assert np.array_equal(out[:, 0], problem.forcing.values[:, 0])


UNCOMPILED = """
import numpy as np
from esnkit import Reservoir
X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
sequences = X.reshape(20, 2, 3)
for topology in ("diagonals", "random"):
    reservoir = Reservoir(41, topology=topology, random_state=0).fit(X)
    print(*reservoir.transform(X).ravel(), *reservoir.transform(sequences).ravel())
"""


def test_uncompiled_kernels_give_the_same_states():
    found = with_and_without_numba(UNCOMPILED)
    states = [np.array(out.split(), float) for out in found]
    assert states[0].size == 2 * 2 * 40 * 41
    np.testing.assert_allclose(states[1], states[0], rtol=1e-12, atol=1e-12)
