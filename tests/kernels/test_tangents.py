"""Tangents of the recurrent cells, against differences along the direction."""

import numpy as np
from cell_problems import (
    N_FEATURES,
    N_UNITS,
    CellProblem,
    every_cell,
    every_length,
    free_or_clamped,
    without_unused_blocks,
)

from esnkit.kernels.blocks import gather
from esnkit.kernels.tangents import tangent


@every_cell
@every_length
@free_or_clamped
def test_tangents_are_the_slopes_of_the_states(cell, lengths, units):
    run, rng, step = CellProblem(cell, lengths, units=units), np.random.default_rng(2), 1e-6
    names = ("M", "X", "E", "h0", *(() if run.carries_h else ("c0",)))
    direction = {name: rng.normal(size=getattr(run, name).shape) for name in names}
    without_unused_blocks(cell, direction["M"])
    run.forward()
    RS, RZ, RC, RH = (np.empty_like(a) for a in (run.S, run.empty(len(run.M)), run.C, run.H))
    RH = run.empty(N_UNITS)
    RC = RH if run.carries_h else RC
    gather(direction["X"], 0, N_FEATURES, run.rows, run.n, run.n_rows, RS)
    initial = direction["h0"], direction.get("c0", direction["h0"])
    weights = run.M, direction["M"], run.E, direction["E"]
    tangent(run.code, weights, run.n, run.tape, initial, (RS, RZ, RC, RH))
    states = []
    for sign in (1, -1):
        moved = CellProblem(cell, lengths, units=units)
        for name in names:
            getattr(moved, name)[:] += sign * step * direction[name]
        states.append(moved.forward())
    slopes = (states[0] - states[1]) / (2 * step)
    np.testing.assert_allclose(run.rows_of(RH, N_UNITS), slopes, atol=1e-7)
