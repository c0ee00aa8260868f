"""Closed loops of several reservoirs against loops over dense arrays."""

import numpy as np
import pytest
from reference import reservoir_states
from reservoir_problems import ReservoirProblem

from esnkit.kernels.activations import CODES
from esnkit.kernels.layouts import lay_out_inputs
from esnkit.kernels.member_loops import join_members, run_member_loop
from esnkit.kernels.reservoir import LinearReadout, LoopInputs

LAYERS = (("diagonals", 21, "tanh"), ("ell", 40, "sigmoid"), ("diagonals", 9, "identity"))
N_STEPS, N_OUTPUTS, N_EXOG = 7, 2, 1


def problems(is_chain):
    """Return one problem for each member, the last of which has few input weights."""
    members, n_features = [], N_OUTPUTS + N_EXOG
    for seed, (layout, n_units, _) in enumerate(LAYERS):
        problem = ReservoirProblem(layout, n_units, n_features, [1], float, degree=3, seed=seed)
        if n_features == 40:
            problem.W_in[np.arange(9)[:, None] != np.arange(40) % 13] = 0.0  # at most 4 a unit
            problem.W_in[:, 20:] = 0.0
            w_in, rest = np.ascontiguousarray(problem.W_in.T), problem.input_weights
            problem.input_weights = lay_out_inputs(w_in, *rest[1:4])
            assert len(problem.input_weights.entries) == 2
        members.append(problem)
        n_features = n_units if is_chain else n_features
    return members


def wanted_outputs(members, is_chain, readout, u, exog):
    """Return the outputs of the loop, and the last states, side by side."""
    u, out = u.astype(float), []
    states = [problem.x0[0] for problem in members]
    for beside in exog:
        u[N_OUTPUTS:] = beside
        received = u
        for k, (problem, (_, _, activation)) in enumerate(zip(members, LAYERS, strict=True)):
            gain = problem.input_weights.gain
            states[k] = reservoir_states(
                problem.W_dense, problem.W_in, problem.b, gain, activation, [received], states[k]
            )[0]
            received = states[k] if is_chain else u
        z = np.concatenate(states)
        z[1::2] **= 2
        out.append(readout.coef @ np.concatenate([z, u]) + readout.intercept)
        u[:N_OUTPUTS] = out[-1]
    return np.array(out), np.concatenate(states)


@pytest.mark.parametrize("is_chain", [True, False])
def test_the_loop_is_that_over_dense_arrays(is_chain):
    members = problems(is_chain)
    draw, n_units = members[0].draw, sum(n for _, n, _ in LAYERS)
    readout = LinearReadout(0.1 * draw(2, n_units + 3), draw(2), True)
    u, exog = draw(3), draw(N_STEPS, N_EXOG)
    wanted, last = wanted_outputs(members, is_chain, readout, u, exog)
    parts = [
        (problem.W, problem.input_weights, CODES[activation])
        for problem, (_, _, activation) in zip(members, LAYERS, strict=True)
    ]
    state = np.concatenate([problem.x0[0] for problem in members])
    out = np.empty((N_STEPS, N_OUTPUTS))
    joined = join_members(parts, is_chain)
    for rows in (slice(3), slice(3, None)):  # in two calls
        run_member_loop(joined, readout, LoopInputs(u, exog[rows]), state, out[rows])
    np.testing.assert_allclose(out, wanted, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state, last, rtol=0, atol=1e-12)
