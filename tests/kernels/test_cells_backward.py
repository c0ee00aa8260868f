"""The gradient of the recurrent cells, against differences."""

import numpy as np
import pytest
from cell_problems import (
    CELLS,
    LENGTHS,
    CellProblem,
    every_cell,
    every_length,
    free_or_clamped,
    without_unused_blocks,
)
from gradients import difference

from esnkit.kernels.cells_backward import backward


def arrays_of(run):
    """Return the names of what the states depend on; c0 of some cells is h0."""
    return ("M", "X", "h0", *(() if run.carries_h else ("c0",)), *(("E",) if run.E.size else ()))


@every_cell
@every_length
@free_or_clamped
def test_backward_is_the_gradient(cell, lengths, units):
    run = CellProblem(cell, lengths, units=units)
    found = run.backward()
    for name in arrays_of(run):
        expected = difference(run.loss, getattr(run, name))
        if name == "M":  # the forward pass has no product there
            expected, found[name] = (
                without_unused_blocks(cell, d) for d in (expected, found[name])
            )
        scale = max(np.abs(expected).max(), 1e-3)
        np.testing.assert_allclose(found[name] / scale, expected / scale, atol=1e-8)


@every_cell
@pytest.mark.parametrize(
    "lengths", [*LENGTHS.values(), [9] * 20 + [8] * 3 + [4] * 17 + [1] * 5], ids=[*LENGTHS, "many"]
)
@free_or_clamped
def test_a_loss_of_the_last_states_needs_no_zeros_for_the_others(cell, lengths, units):
    run = CellProblem(cell, lengths, units=units)
    ends = np.cumsum(lengths) - 1
    slopes = run.slopes[ends]
    run.slopes = np.zeros_like(run.slopes)
    run.slopes[ends] = slopes
    found, expected = run.backward(last=slopes.T.ravel()), run.backward()
    for name, gradient in expected.items():
        assert np.array_equal(found[name], gradient), name


@every_cell
def test_gradients_in_single_precision_are_those_in_double(cell):
    run, exact = CellProblem(cell, [7, 7, 4, 1], np.float32), CellProblem(cell, [7, 7, 4, 1])
    for name in (*arrays_of(run), "c0", "values", "slopes"):
        setattr(exact, name, getattr(run, name).astype(float))
    found, expected = run.backward(), exact.backward()
    for name in arrays_of(run):
        scale = max(np.abs(expected[name]).max(), 1e-3)
        np.testing.assert_allclose(found[name] / scale, expected[name] / scale, atol=1e-5)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "before"])
@pytest.mark.parametrize("n_steps", [1, 2, 5, 100])
def test_halves_of_a_batch_are_summed_apart(cell, n_steps):
    run = CellProblem(cell, [9] * 12 + [5] * 9 + [3] * 2)
    whole = run.backward()
    first, second, dX = np.zeros_like(run.M), np.zeros_like(run.M), np.empty(0)
    first_E, second_E = np.zeros_like(run.E), np.zeros_like(run.E)
    dh0, dc0 = np.empty_like(run.h0), np.empty_like(run.c0)
    run.forward()
    backward(
        run.code, run.weights, run.n, run.tape, (run.blocks_of(run.slopes), np.empty(0)),
        ((first, first_E), (second, second_E), dX, dh0, dc0), (n_steps, 16),
    )  # fmt: skip
    np.testing.assert_allclose(first + second, whole["M"], atol=1e-12)
    np.testing.assert_allclose(first_E + second_E, whole["E"], atol=1e-12)
    assert np.array_equal(dh0, whole["h0"]) and first.any() and second.any()
    run.slopes[run.spans[16][0] :] = 0  # only the first half has a loss
    whole = run.backward()
    np.testing.assert_allclose(first, whole["M"], atol=1e-12)
    np.testing.assert_allclose(first_E, whole["E"], atol=1e-12)
